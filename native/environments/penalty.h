// penalty: two players with one interest and two best equilibria, between which a miss is punished.
#pragma once

#include "environments/matrix_game.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct Penalty : MatrixGame {
  static constexpr const char *id = "penalty";
  static constexpr const char *summary =
      "two players agree on one of two best joint actions or pay (Claus and Boutilier)";
  static constexpr const char *description =
      "Groups player_0 and player_1, 1 agent each.\n"
      "Observation: 1 in the first round, else 0; with more than one round also every player's last action, one-hot, own\n"
      "first (0 in the first round).\n"
      "Actions (3): 0, 1, 2.\n"
      "Reward of both, by row (player_0) and column (player_1): 10 0 k / 0 2 0 / k 0 10.\n"
      "Pure Nash equilibria: (0, 0) and (2, 2), which are best, and (1, 1), which is safe.\n"
      "`rounds` steps. Source: Claus and Boutilier, The dynamics of reinforcement learning in cooperative multiagent systems\n"
      "(1998).";
  static constexpr Parameter parameters[] = {
      rounds_parameter,
      {"k", -100, -1e6, 0, false, "payoff where one plays 0 and the other 2"},
  };

  float k;

  SWARMGRAD_FUNCTION explicit Penalty(const double *parameter)
      : MatrixGame(2, 3, parameter[0]), k(static_cast<float>(parameter[1])) {}

  SWARMGRAD_FUNCTION Float reward(int) const {
    const float payoff[9] = {10, 0, k, 0, 2, 0, k, 0, 10};
    return entry(payoff);
  }
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
