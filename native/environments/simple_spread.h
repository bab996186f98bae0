// simple_spread_v3: N agents cover N landmarks and avoid each other on an unbounded plane.
// Rules: Farama MPE2 (explicit Euler: positions move with the old velocity), in single precision.
#pragma once

#include "core/environment.h"
#include "core/math.h"

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

  Array<Float> position;  // [agent][2]
  Array<Float> velocity;  // [agent][2]
  Array<Float> landmark;  // [landmark][2]
  Array<Float> force;     // [agent][2]
  Array<Float> coverage;  // [1]: G

  SWARMGRAD_FUNCTION explicit SimpleSpread(const double *parameter)
      : agents(static_cast<int>(parameter[0])), local_ratio(static_cast<float>(parameter[1])) {}

  SWARMGRAD_FUNCTION int horizon() const { return 25; }
  SWARMGRAD_FUNCTION int group_count() const { return 1; }
  SWARMGRAD_FUNCTION Group group(int) const { return {"agent", agents, 6 * agents, 5}; }

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
    for (int k = 0; k < 2 * agents; ++k) position[k] = draws.uniform(-1.0f, 1.0f);
    for (int k = 0; k < 2 * agents; ++k) landmark[k] = draws.uniform(-1.0f, 1.0f);
    for (int k = 0; k < 2 * agents; ++k) velocity[k] = 0.0f;
  }

  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    const Float x = position[2 * agent], y = position[2 * agent + 1];
    int feature = 0;
    out.set(feature++, velocity[2 * agent]);
    out.set(feature++, velocity[2 * agent + 1]);
    out.set(feature++, x);
    out.set(feature++, y);
    for (int l = 0; l < agents; ++l) {
      out.set(feature++, landmark[2 * l] - x);
      out.set(feature++, landmark[2 * l + 1] - y);
    }
    for (int other = 0; other < agents; ++other) {
      if (other == agent) continue;
      out.set(feature++, position[2 * other] - x);
      out.set(feature++, position[2 * other + 1] - y);
    }
    while (feature < 6 * agents) out.set(feature++, 0.0f);
  }

  SWARMGRAD_FUNCTION void act(int agent, Int action) {
    force[2 * agent] = select(action == 1, Float(-push), select(action == 2, Float(push), Float(0.0f)));
    force[2 * agent + 1] = select(action == 3, Float(-push), select(action == 4, Float(push), Float(0.0f)));
  }

  static constexpr int phase_count = 2;
  template <int K>
  SWARMGRAD_FUNCTION void phase(int agent) {
    if constexpr (K == 0)
      add_contact_forces(agent);
    else
      move(agent);
  }

  SWARMGRAD_FUNCTION void share() {
    Float sum = 0.0f;
    for (int l = 0; l < agents; ++l) {
      Float nearest = squared_distance(position, 0, landmark, l);
      for (int agent = 1; agent < agents; ++agent)
        nearest = minimum(nearest, squared_distance(position, agent, landmark, l));
      sum += sqrt(nearest);
    }
    coverage[0] = -sum;
  }

  SWARMGRAD_FUNCTION Float reward(int agent) {
    Float collisions = 0.0f;
    for (int other = 0; other < agents; ++other) {
      if (other == agent) continue;
      const Float distance = sqrt(squared_distance(position, agent, position, other));
      collisions += select(distance < contact_distance, Float(1.0f), Float(0.0f));
    }
    return coverage[0] * (1.0f - local_ratio) - collisions * local_ratio;
  }

 private:
  static constexpr float push = 5.0f;
  static constexpr float time_step = 0.1f;
  static constexpr float damping = 0.25f;
  static constexpr float contact_force = 100.0f;
  static constexpr float contact_margin = 1e-3f;
  static constexpr float contact_distance = 0.15f + 0.15f;

  SWARMGRAD_FUNCTION static Float squared_distance(const Array<Float> &a, int i, const Array<Float> &b, int j) {
    const Float x = a[2 * i] - b[2 * j], y = a[2 * i + 1] - b[2 * j + 1];
    return x * x + y * y;
  }

  // Soft contact of every pair: force = 100 d / r x margin x softplus(-(r - 0.3) / margin). Where exp underflows to 0 in
  // every lane the whole term is 0, and is skipped.
  SWARMGRAD_FUNCTION void add_contact_forces(int agent) {
    constexpr float underflow = 87.4f;
    for (int other = 0; other < agents; ++other) {
      if (other == agent) continue;
      const Float x = position[2 * agent] - position[2 * other];
      const Float y = position[2 * agent + 1] - position[2 * other + 1];
      const Float distance = sqrt(x * x + y * y);
      const Float depth = (Float(contact_distance) - distance) / contact_margin;
      if (none(depth > -underflow)) continue;
      const Float positive = select(depth > 0.0f, depth, Float(0.0f));
      const Float penetration = contact_margin * (positive + log(1.0f + exp(-abs(depth))));
      const Mask apart = distance > 0.0f;
      const Float divisor = select(apart, distance, Float(1.0f));
      force[2 * agent] += select(apart, contact_force * x / divisor * penetration, Float(0.0f));
      force[2 * agent + 1] += select(apart, contact_force * y / divisor * penetration, Float(0.0f));
    }
  }

  SWARMGRAD_FUNCTION void move(int agent) {
    for (int k = 2 * agent; k < 2 * agent + 2; ++k) {
      position[k] += velocity[k] * time_step;
      velocity[k] = velocity[k] * (1.0f - damping) + force[k] * time_step;
    }
  }
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
