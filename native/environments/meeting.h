// meeting: the smallest team game whose gradient can be summed exactly over every trajectory.
// Not a benchmark: it exists so that `swarmgrad verify` and the tests can hold estimators against enumeration.
#pragma once

#include "core/environment.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct Meeting {
  static constexpr const char *id = "meeting";
  static constexpr const char *summary = "two agents on a line of three cells, two steps: small enough to enumerate";
  static constexpr const char *description =
      "Group agent, 2 agents, one team. Cells 0, 1, 2; moves are clipped at the walls; agents may share a cell.\n"
      "Observation (9): one-hot of own cell x 3 + the other's cell.\n"
      "Actions (3): 0 left, 1 stay, 2 right.\n"
      "Reward of agent i, meet = both in the same cell after the move:\n"
      "  gift: 1[meet] + 0.7 1[the other chose right] - 0.3 1[the other ends in cell 0]\n"
      "  team: 1[meet] - 0.1 x number of agents that did not stay (the same for both)\n"
      "  independent: 0.5 x own cell - 0.2 1[own action is left]\n"
      "Start: cells (0, 2), (0, 1), (2, 1) with probability 0.5, 0.3, 0.2. 2 steps.";
  static constexpr Parameter parameters[] = {
      {"reward", 0, 0, 2, true, "reward rule", "gift|team|independent"},
  };

  enum Rule { gift, team, independent };
  int rule;

  Array<Int> cell;    // [agent]
  Array<Int> choice;  // [agent]: the action of this step

  SWARMGRAD_FUNCTION explicit Meeting(const double *parameter) : rule(static_cast<int>(parameter[0])) {}

  SWARMGRAD_FUNCTION int horizon() const { return 2; }
  SWARMGRAD_FUNCTION int group_count() const { return 1; }
  SWARMGRAD_FUNCTION Group group(int) const { return {"agent", 2, 9, 3}; }

  template <class Visitor>
  SWARMGRAD_FUNCTION void state(Visitor &visit) {
    visit("cell", cell, 2, 1);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void scratch(Visitor &visit) {
    visit("choice", choice, 2, 1);
  }

  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    const Float u = draws.uniform();
    cell[0] = select(u < 0.8f, Int(0), Int(2));
    cell[1] = select(u < 0.5f, Int(2), Int(1));
  }

  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    const Int index = cell[agent] * 3 + cell[1 - agent];
    for (int k = 0; k < 9; ++k) out.set(k, one_if(index == k));
  }

  SWARMGRAD_FUNCTION void act(int agent, Int action) { choice[agent] = action; }

  static constexpr int phase_count = 1;
  template <int K>
  SWARMGRAD_FUNCTION void phase(int agent) {
    const Int moved = cell[agent] + choice[agent] - 1;
    cell[agent] = select(moved < 0, Int(0), select(moved > 2, Int(2), moved));
  }

  SWARMGRAD_FUNCTION Float reward(int agent) {
    const int other = 1 - agent;
    const Float meet = one_if(cell[agent] == cell[other]);
    if (rule == gift) return meet + 0.7f * one_if(choice[other] == 2) - 0.3f * one_if(cell[other] == 0);
    if (rule == team) return meet - 0.1f * (one_if(choice[agent] != 1) + one_if(choice[other] != 1));
    return 0.5f * to_float(cell[agent]) - 0.2f * one_if(choice[agent] == 0);
  }
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
