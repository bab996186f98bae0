// CartPole-v1: balance a pole on a cart; one agent, episodes that end early.
// Rules: Gymnasium CartPole-v1 (explicit Euler), in single precision.
#pragma once

#include "core/environment.h"
#include "core/math.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct CartPole {
  static constexpr const char *id = "CartPole-v1";
  static constexpr const char *summary = "balance a pole on a cart: one agent, episodes end early (Gymnasium)";
  static constexpr const char *description =
      "Group agent, 1 agent.\n"
      "Observation (4): cart position (m), cart velocity (m/s), pole angle (rad), pole angular velocity (rad/s).\n"
      "Actions (2): 0 push left, 1 push right (10 N).\n"
      "Reward: 1 on every step, the last included.\n"
      "Start: all four uniform in (-0.05, 0.05). Ends when |position| > 2.4 m or |angle| > 12 degrees, or after 500 "
      "steps.\n"
      "Source: Gymnasium CartPole-v1.";

  Array<Float> state_vector;  // [4]: x, x_dot, theta, theta_dot
  Array<Float> force;         // [1]

  SWARMGRAD_FUNCTION explicit CartPole(const double *) {}

  SWARMGRAD_FUNCTION int horizon() const { return 500; }
  SWARMGRAD_FUNCTION int group_count() const { return 1; }
  SWARMGRAD_FUNCTION Group group(int) const { return {"agent", 1, 4, 2}; }

  template <class Visitor>
  SWARMGRAD_FUNCTION void state(Visitor &visit) {
    visit("state", state_vector, 1, 4);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void scratch(Visitor &visit) {
    visit("force", force, 1, 1);
  }

  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    for (int k = 0; k < 4; ++k) state_vector[k] = draws.uniform(-0.05f, 0.05f);
  }

  SWARMGRAD_FUNCTION void observe(int, Observation out) {
    for (int k = 0; k < 4; ++k) out.set(k, state_vector[k]);
  }

  SWARMGRAD_FUNCTION void act(int, Int action) { force[0] = select(action == 1, Float(push), Float(-push)); }

  SWARMGRAD_FUNCTION void resolve() {
    Float &x = state_vector[0], &x_dot = state_vector[1], &theta = state_vector[2], &theta_dot = state_vector[3];
    const Float cosine = cos(theta), sine = sin(theta);
    const Float thrust = (force[0] + pole_moment * theta_dot * theta_dot * sine) / total_mass;
    const Float theta_acceleration =
        (gravity * sine - cosine * thrust) / (half_length * (4.0f / 3.0f - pole_mass * cosine * cosine / total_mass));
    const Float x_acceleration = thrust - pole_moment * theta_acceleration * cosine / total_mass;
    x += time_step * x_dot;
    x_dot += time_step * x_acceleration;
    theta += time_step * theta_dot;
    theta_dot += time_step * theta_acceleration;
  }

  SWARMGRAD_FUNCTION Float reward(int) { return 1.0f; }

  SWARMGRAD_FUNCTION Mask done() {
    return (abs(state_vector[0]) > position_limit) | (abs(state_vector[2]) > angle_limit);
  }

 private:
  static constexpr float gravity = 9.8f;
  static constexpr float pole_mass = 0.1f;
  static constexpr float total_mass = 1.1f;
  static constexpr float half_length = 0.5f;
  static constexpr float pole_moment = 0.05f;  // pole mass x half length
  static constexpr float push = 10.0f;
  static constexpr float time_step = 0.02f;
  static constexpr float position_limit = 2.4f;
  static constexpr float angle_limit = 0.20943951f;  // 12 degrees
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
