// simple_spread_v3: N agents cover N landmarks and avoid each other on an unbounded plane; how it moves is in mpe.h.
#pragma once

#include "environments/mpe.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct SimpleSpread {
  static constexpr const char *id = "simple_spread_v3";
  static constexpr const char *summary = "N agents cover N landmarks without bumping into each other (MPE2)";
  static constexpr const char *description =
      "Group agent, N agents, one team.\n"
      "Observation (6 N): own velocity (2), own position (2), every landmark minus own position (2 N), every other "
      "agent\n"
      "minus own position (2 (N - 1)), the others' messages (2 (N - 1), always 0).\n"
      "Actions (5): 0 stay, 1 left, 2 right, 3 down, 4 up.\n"
      "Reward of agent i: (1 - local_ratio) G + local_ratio L_i; G = - sum over landmarks of the distance to the "
      "nearest\n"
      "agent; L_i = - number of other agents closer than 0.3.\n"
      "Start: positions uniform in (-1, 1)^2, at rest. 25 steps. Two agents at exactly the same point exert no "
      "contact\n"
      "force on each other (the reference gives NaN there; random starts never meet it).\n"
      "Source: Farama MPE2 simple_spread_v3.";
  static constexpr Parameter parameters[] = {
      {"agents", 3, 1, 1024, true, "agents, and as many landmarks"},
      {"local_ratio", 0.5, 0, 1, false, "share of the collision penalty in the reward"},
  };

  int agents;
  float local_ratio;
  float touching;  // agents collide where their squared distance is below

  Array<Float> position;  // [agent][2]
  Array<Float> velocity;  // [agent][2]
  Array<Float> landmark;  // [landmark][2]
  Array<Float> force;     // [agent][2]
  Array<Float> coverage;  // [1]: G

  SWARMGRAD_FUNCTION explicit SimpleSpread(const double *parameter)
      : agents(static_cast<int>(parameter[0])),
        local_ratio(static_cast<float>(parameter[1])),
        touching(mpe::square_limit(reach)) {}

  SWARMGRAD_FUNCTION int horizon() const { return mpe::horizon; }
  SWARMGRAD_FUNCTION int group_count() const { return 1; }
  SWARMGRAD_FUNCTION Group group(int) const { return {"agent", agents, 6 * agents, mpe::move_count}; }

  template <class Visitor>
  SWARMGRAD_FUNCTION void state(Visitor &visit) {
    visit("agent_pos", position, agents, 2);
    visit("agent_vel", velocity, agents, 2);
    visit("landmark_pos", landmark, agents, 2);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void scratch(Visitor &visit) {
    visit("force", force, agents, 2);
    visit("coverage", coverage, 1, 1);
  }

  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    mpe::place(position, agents, 1.0f, draws);
    mpe::place(landmark, agents, 1.0f, draws);
    mpe::clear(velocity, 2 * agents);
  }

  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    mpe::Features features(out);
    const mpe::Vector own = mpe::at(position, agent);
    features.add(mpe::at(velocity, agent));
    features.add(own);
    features.add_relative(landmark, agents, own);
    features.add_relative(position, agents, own, agent);
    for (int k = 0; k < 2 * (agents - 1); ++k) features.add(0.0f);
  }

  SWARMGRAD_FUNCTION void act(int agent, Int action) { mpe::push(force, agent, action, mpe::usual_push); }

  static constexpr int phase_count = 2;
  template <int K>
  SWARMGRAD_FUNCTION void phase(int agent) {
    if constexpr (K == 0)
      mpe::add_contacts(force, position, agent, agents, [](int, int) { return reach; });
    else
      mpe::move(position, velocity, force, agent);
  }

  SWARMGRAD_FUNCTION void share() {
    Float sum = 0.0f;
    for (int l = 0; l < agents; ++l) {
      Float nearest = mpe::squared_distance(position, 0, landmark, l);
      for (int agent = 1; agent < agents; ++agent)
        nearest = minimum(nearest, mpe::squared_distance(position, agent, landmark, l));
      sum += sqrt(nearest);
    }
    coverage[0] = -sum;
  }

  SWARMGRAD_FUNCTION Float reward(int agent) {
    Float collisions = 0.0f;
    for (int other = 0; other < agents; ++other) {
      if (other == agent) continue;
      const Float distance = mpe::squared_distance(position, agent, position, other);
      collisions += one_if(distance < touching);
    }
    return coverage[0] * (1.0f - local_ratio) - collisions * local_ratio;
  }

 private:
  static constexpr float reach = 0.15f + 0.15f;
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
