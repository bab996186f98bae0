// climbing: two players with one interest, whose best equilibrium hides behind costly mistakes.
#pragma once

#include "environments/matrix_game.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct Climbing : MatrixGame {
  static constexpr const char *id = "climbing";
  static constexpr const char *summary = "two players climb from a safe to the best joint action (Claus and Boutilier)";
  static constexpr const char *description =
      "Groups player_0 and player_1, 1 agent each.\n"
      "Observation: 1 in the first round, else 0; with more than one round also every player's last action, one-hot, own\n"
      "first (0 in the first round).\n"
      "Actions (3): 0, 1, 2.\n"
      "Reward of both, by row (player_0) and column (player_1): 11 -30 0 / -30 7 6 / 0 0 5.\n"
      "Pure Nash equilibria: (0, 0), which is best, and (1, 1). Exact gradient ascent from the uniform policy comes near\n"
      "(2, 2), then (1, 2), and ends in (1, 1).\n"
      "`rounds` steps. Source: Claus and Boutilier, The dynamics of reinforcement learning in cooperative multiagent systems\n"
      "(1998).";
  static constexpr Parameter parameters[] = {
      rounds_parameter,
  };

  SWARMGRAD_FUNCTION explicit Climbing(const double *parameter) : MatrixGame(2, 3, parameter[0]) {}

  SWARMGRAD_FUNCTION Float reward(int) const {
    static constexpr float payoff[9] = {11, -30, 0, -30, 7, 6, 0, 0, 5};
    return entry(payoff);
  }
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
