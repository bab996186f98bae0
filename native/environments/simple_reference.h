// simple_reference_v3: two agents walk and speak, each knows the other's goal; how they move is in mpe.h.
#pragma once

#include "environments/mpe.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct SimpleReference {
  static constexpr const char *id = "simple_reference_v3";
  static constexpr const char *summary = "two agents tell each other which of three landmarks to reach (MPE2)";
  static constexpr const char *description =
      "Group agent, 2 agents, one team.\n"
      "Observation (21): own velocity (2), the three landmarks minus own position (6), the color of the landmark that the\n"
      "other agent must reach (3; 0.75 at its number, 0.25 elsewhere), the other's word in this step, one-hot (10; 0 at\n"
      "the start).\n"
      "Actions (50): move + 5 word; moves 0 stay, 1 left, 2 right, 3 down, 4 up; words 0 to 9.\n"
      "Reward of agent i: (1 - local_ratio) G + local_ratio L_i; L_i = - distance of the other agent to its goal, G = the\n"
      "mean of both L.\n"
      "Start: goals uniform, positions uniform in (-1, 1)^2, at rest, silent. 25 steps. Nobody collides.\n"
      "Source: Farama MPE2 simple_reference_v3.";
  static constexpr Parameter parameters[] = {
      {"local_ratio", 0.5, 0, 1, false, "share of the own pupil's distance in the reward"},
  };

  float local_ratio;

  Array<Float> position;  // [agent][2]
  Array<Float> velocity;  // [agent][2]
  Array<Float> word;      // [agent][word]: one-hot
  Array<Float> landmark;  // [landmark][2]
  Array<Int> goal;        // [agent]: the landmark that the other agent must reach
  Array<Float> force;     // [agent][2]
  Array<Float> local;     // [agent]: L

  SWARMGRAD_FUNCTION explicit SimpleReference(const double *parameter)
      : local_ratio(static_cast<float>(parameter[0])) {}

  SWARMGRAD_FUNCTION int horizon() const { return mpe::horizon; }
  SWARMGRAD_FUNCTION int group_count() const { return 1; }
  SWARMGRAD_FUNCTION Group group(int) const {
    return {"agent", 2, 2 + 2 * landmarks + landmarks + words, mpe::move_count * words};
  }

  template <class Visitor>
  SWARMGRAD_FUNCTION void state(Visitor &visit) {
    visit("agent_pos", position, 2, 2);
    visit("agent_vel", velocity, 2, 2);
    visit("agent_comm", word, 2, words);
    visit("landmark_pos", landmark, landmarks, 2);
    visit("goal_landmark", goal, 2, 1);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void scratch(Visitor &visit) {
    visit("force", force, 2, 2);
    visit("local", local, 2, 1);
  }

  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    for (int agent = 0; agent < 2; ++agent) goal[agent] = draws.below(landmarks);
    mpe::place(position, 2, 1.0f, draws);
    mpe::place(landmark, landmarks, 1.0f, draws);
    mpe::clear(velocity, 2 * 2);
    mpe::clear(word, 2 * words);
  }

  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    mpe::Features features(out);
    features.add(mpe::at(velocity, agent));
    features.add_relative(landmark, landmarks, mpe::at(position, agent));
    features.add_choice(goal[agent], landmarks, 0.75f, 0.25f);
    for (int w = 0; w < words; ++w) features.add(word[(1 - agent) * words + w]);
  }

  SWARMGRAD_FUNCTION void act(int agent, Int action) {
    Int spoken = 0;
    for (int w = 1; w < words; ++w) spoken += select(action >= w * mpe::move_count, Int(1), Int(0));
    mpe::speak(word, agent, words, spoken);
    mpe::push(force, agent, action - spoken * mpe::move_count, mpe::usual_push);
  }

  static constexpr int phase_count = 1;
  template <int K>
  SWARMGRAD_FUNCTION void phase(int agent) {
    mpe::move(position, velocity, force, agent);
  }

  SWARMGRAD_FUNCTION void share() {
    for (int agent = 0; agent < 2; ++agent)
      local[agent] = -sqrt(mpe::square(mpe::at(position, 1 - agent) - mpe::chosen(landmark, landmarks, goal[agent])));
  }

  SWARMGRAD_FUNCTION Float reward(int agent) {
    return (local[0] + local[1]) * 0.5f * (1.0f - local_ratio) + local[agent] * local_ratio;
  }

 private:
  static constexpr int landmarks = 3;
  static constexpr int words = 10;
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
