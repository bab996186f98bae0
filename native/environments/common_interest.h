// common_interest: everybody wins by choosing alike, and more by the higher number (the hi-lo game).
#pragma once

#include "environments/matrix_game.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct CommonInterest : MatrixGame {
  static constexpr const char *id = "common_interest";
  static constexpr const char *summary = "players win by choosing alike, most by the highest action (hi-lo)";
  static constexpr const char *description =
      "Groups player_0, player_1, ..., 1 agent each.\n"
      "Observation: 1 in the first round, else 0; with more than one round also every player's last action, one-hot, own\n"
      "first (0 in the first round).\n"
      "Actions (`actions`): 0, 1, ...\n"
      "Reward of everyone: a + 1 if all players chose action a, else 0.\n"
      "Pure Nash equilibria: all alike, the highest action being best; with four players or more also, paying 0, where\n"
      "nobody can make all alike by changing alone.\n"
      "`rounds` steps. Source: the hi-lo game, for example Bacharach, Beyond individual choice (2006).";
  static constexpr Parameter parameters[] = {
      rounds_parameter,
      players_parameter,
      {"actions", 2, 2, 64, true, "actions of each player"},
  };

  SWARMGRAD_FUNCTION explicit CommonInterest(const double *parameter)
      : MatrixGame(static_cast<int>(parameter[1]), static_cast<int>(parameter[2]), parameter[0]) {}

  SWARMGRAD_FUNCTION Float reward(int) const {
    const Int first = action[0];
    Mask alike = true;
    for (int player = 1; player < players(); ++player) alike &= action[player] == first;
    return select(alike, to_float(first) + 1.0f, Float(0.0f));
  }
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
