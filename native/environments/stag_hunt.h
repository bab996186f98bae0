// stag_hunt: the stag needs everyone, the hare nobody.
#pragma once

#include "environments/matrix_game.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct StagHunt : MatrixGame {
  static constexpr const char *id = "stag_hunt";
  static constexpr const char *summary = "hunt the stag together or a hare alone, two players or more";
  static constexpr const char *description =
      "Groups player_0, player_1, ..., 1 agent each.\n"
      "Observation: 1 in the first round, else 0; with more than one round also every player's last action, one-hot, own\n"
      "first (0 in the first round).\n"
      "Actions (2): 0 stag, 1 hare.\n"
      "Reward: 3 for a hare; 4 for the stag if all players hunt it, else 0.\n"
      "Pure Nash equilibria: all stag, which pays most, and all hare, which risks nothing.\n"
      "`rounds` steps. Source: payoffs of Skyrms, The stag hunt and the evolution of social structure (2004).";
  static constexpr Parameter parameters[] = {
      rounds_parameter,
      players_parameter,
  };

  SWARMGRAD_FUNCTION explicit StagHunt(const double *parameter)
      : MatrixGame(static_cast<int>(parameter[1]), 2, parameter[0]) {}

  SWARMGRAD_FUNCTION Float reward(int player) const {
    const Mask together = takers(hare) == 0.0f;
    return select(action[player] == hare, Float(3.0f), 4.0f * one_if(together));
  }

 private:
  static constexpr int hare = 1;
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
