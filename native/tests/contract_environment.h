// A test's environment, not one of the catalogue: every hard case of the contract at once. Two groups with different
// observation sizes and action counts, a mask in one of them, agents that die and cost their team afterwards, integer
// state, a joint rule with chance, and episodes that end early.
//
// Walkers move on a ring; carriers may also rest or, with energy left, jump. Two agents in one cell fight: the joint rule
// draws once a pair, and the loser loses energy. An agent without energy is dead. Chance ends an episode. Agents of one
// crowded cell break the rules where `crowd_limit` says so.
#pragma once

#include "core/environment.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct ContractEnvironment {
  static constexpr const char *id = "contract";
  static constexpr const char *summary = "two groups, masks, death and a joint rule";
  static constexpr const char *description =
      "Groups walker (2 agents, 3 features, 4 actions) and carrier (3 agents, 5 features, 3 actions, masked).";
  static constexpr Parameter parameters[] = {
      {"end_probability", 0.02, 0, 1, false, "chance that an episode ends, each step"},
      {"energy", 4, 1, 1000, true, "energy at the start"},
      {"crowd_limit", 5, 1, 5, true, "agents that a cell holds"},
  };

  static constexpr int walkers = 2, carriers = 3, agents = walkers + carriers, cells = 6,
                       pairs = agents * (agents - 1) / 2;

  float end_probability;
  int start_energy, crowd_limit;

  Array<Int> cell, energy;  // [agent]
  Array<Int> over;          // [1]
  Array<Float> drift;       // [agent]
  Array<Float> luck;        // [pair]
  Array<Float> end_luck;    // [1]
  Array<Int> intent;        // [agent]

  SWARMGRAD_FUNCTION explicit ContractEnvironment(const double *parameter)
      : end_probability(static_cast<float>(parameter[0])),
        start_energy(static_cast<int>(parameter[1])),
        crowd_limit(static_cast<int>(parameter[2])) {}

  SWARMGRAD_FUNCTION int horizon() const { return 20; }
  SWARMGRAD_FUNCTION int group_count() const { return 2; }
  SWARMGRAD_FUNCTION Group group(int index) const {
    return index == 0 ? Group{"walker", walkers, 3, 4} : Group{"carrier", carriers, 5, 3, true};
  }

  template <class Visitor>
  SWARMGRAD_FUNCTION void state(Visitor &visit) {
    visit("cell", cell, agents, 1);
    visit("energy", energy, agents, 1);
    visit("over", over, 1, 1);
    visit("drift", drift, agents, 1);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void chance(Visitor &visit) {
    visit("luck", luck, pairs, 1);
    visit("end_luck", end_luck, 1, 1);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void scratch(Visitor &visit) {
    visit("intent", intent, agents, 1);
  }

  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    for (int agent = 0; agent < agents; ++agent) {
      cell[agent] = truncate(draws.uniform() * static_cast<float>(cells));
      energy[agent] = start_energy;
      drift[agent] = draws.uniform(-1.0f, 1.0f);
    }
    over[0] = 0;
  }

  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    out.set(0, to_float(cell[agent]) * 0.2f);
    out.set(1, to_float(energy[agent]) * 0.25f);
    out.set(2, drift[agent]);
    if (agent < walkers) return;
    out.set(3, to_float(cell[0] - cell[agent]) * 0.2f);
    out.set(4, to_float(cell[1] - cell[agent]) * 0.2f);
  }

  // Carriers: 0 rest, 1 step (not from the last cell), 2 jump (with energy to spare).
  SWARMGRAD_FUNCTION void available(int agent, AvailableActions out) {
    out.set(0, cell[agent] >= 0);
    out.set(1, cell[agent] < cells - 1);
    out.set(2, energy[agent] > 1);
  }

  SWARMGRAD_FUNCTION void act(int agent, Int action) { intent[agent] = action; }

  static constexpr int phase_count = 2;
  template <int K>
  SWARMGRAD_FUNCTION void phase(int agent) {
    if constexpr (K == 0) {
      const Int distance = select(alive(agent), intent[agent], Int(0));
      const Int moved = cell[agent] + distance;
      cell[agent] = select(moved >= cells, moved - cells, moved);
    } else {
      drift[agent] = drift[agent] * 0.5f + to_float(cell[(agent + 1) % agents]) * 0.125f;
    }
  }

  // One draw a pair, whether it meets or not, so that every lane is at the same draw.
  SWARMGRAD_FUNCTION void draw(Draws &draws) {
    for (int k = 0; k < pairs; ++k) luck[k] = draws.uniform();
    end_luck[0] = draws.uniform();
  }

  SWARMGRAD_FUNCTION void resolve() {
    int pair = 0;
    for (int a = 0; a < agents; ++a)
      for (int b = a + 1; b < agents; ++b) {
        const Mask fight = (cell[a] == cell[b]) & alive(a) & alive(b);
        const Mask first_loses = luck[pair++] < 0.5f;
        energy[a] = energy[a] - select(fight & first_loses, Int(1), Int(0));
        energy[b] = energy[b] - select(fight & !first_loses, Int(1), Int(0));
      }
    const Mask ends = end_luck[0] < end_probability;
    over[0] = select(ends, Int(1), over[0]);
  }

  SWARMGRAD_FUNCTION Float reward(int agent) {
    const Float living = to_float(cell[agent]) * 0.5f + drift[agent];
    return select(alive(agent), living, Float(-0.25f));
  }

  static constexpr const char *invalid_text = "a cell holds more agents than crowd_limit";
  SWARMGRAD_FUNCTION Mask invalid() {
    Mask crowded = false;
    for (int here = 0; here < cells; ++here) {
      Int count = 0;
      for (int agent = 0; agent < agents; ++agent) count += select(cell[agent] == here, Int(1), Int(0));
      crowded |= count > crowd_limit;
    }
    return crowded;
  }

  SWARMGRAD_FUNCTION Mask done() { return over[0] == 1; }
  SWARMGRAD_FUNCTION Mask alive(int agent) { return energy[agent] > 0; }
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
