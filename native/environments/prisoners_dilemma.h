// prisoners_dilemma: defecting is always better for oneself, and worse for all.
#pragma once

#include "environments/matrix_game.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct PrisonersDilemma : MatrixGame {
  static constexpr const char *id = "prisoners_dilemma";
  static constexpr const char *summary = "cooperate or defect, two players or more";
  static constexpr const char *description =
      "Groups player_0, player_1, ..., 1 agent each: everyone's gradient follows the own reward.\n"
      "Observation: 1 in the first round, else 0; with more than one round also every player's last action, one-hot, own\n"
      "first (0 in the first round).\n"
      "Actions (2): 0 cooperate, 1 defect.\n"
      "Reward: the mean over the other players of the payoff against them: 3 if both cooperate, 1 if both defect, 5 for the\n"
      "defector and 0 for the cooperator otherwise. With x of n - 1 others cooperating: 3 x / (n - 1) for a cooperator,\n"
      "1 + 4 x / (n - 1) for a defector, as in a public-goods game.\n"
      "Nash equilibrium: all defect (defecting dominates). All cooperating would pay everyone more.\n"
      "`rounds` steps. Source: payoffs of Axelrod, The evolution of cooperation (1984).";
  static constexpr Parameter parameters[] = {
      rounds_parameter,
      players_parameter,
  };

  SWARMGRAD_FUNCTION explicit PrisonersDilemma(const double *parameter)
      : MatrixGame(static_cast<int>(parameter[1]), 2, parameter[0]) {}

  SWARMGRAD_FUNCTION Float reward(int player) const {
    const Float others = static_cast<float>(players() - 1);
    const Float defecting = takers(defect) - one_if(action[player] == defect), cooperating = others - defecting;
    return select(action[player] == defect, 5.0f * cooperating + defecting, 3.0f * cooperating) / others;
  }

 private:
  static constexpr int defect = 1;
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
