// simple_speaker_listener_v4: one sees the goal and speaks, the other hears and walks; how it moves is in mpe.h.
#pragma once

#include "environments/mpe.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct SimpleSpeakerListener {
  static constexpr const char *id = "simple_speaker_listener_v4";
  static constexpr const char *summary = "a speaker tells a listener which of three landmarks to reach (MPE2)";
  static constexpr const char *description =
      "Groups speaker (1 agent, stays where it is) and listener (1 agent).\n"
      "Observation of the speaker (3): the goal landmark's color, 0.65 at its number and 0.15 elsewhere. Of the listener\n"
      "(11): own velocity (2), the three landmarks minus own position (6), the word spoken in this step, one-hot (3; 0 at\n"
      "the start).\n"
      "Actions of the speaker (3): the word. Of the listener (5): 0 stay, 1 left, 2 right, 3 down, 4 up.\n"
      "Reward of both: - squared distance of the listener to the goal landmark.\n"
      "Start: goal uniform, positions uniform in (-1, 1)^2, at rest, silent. 25 steps. Nobody collides.\n"
      "Source: Farama MPE2 simple_speaker_listener_v4.";

  Array<Float> position;  // [agent][2]: speaker, listener
  Array<Float> velocity;  // [agent][2]
  Array<Float> word;      // [agent][word]: one-hot; the listener's is 0
  Array<Float> landmark;  // [landmark][2]
  Array<Int> goal;        // [1]: landmark
  Array<Float> force;     // [agent][2]
  Array<Float> cost;      // [1]: squared distance of the listener to the goal

  SWARMGRAD_FUNCTION explicit SimpleSpeakerListener(const double *) {}

  SWARMGRAD_FUNCTION int horizon() const { return mpe::horizon; }
  SWARMGRAD_FUNCTION int group_count() const { return 2; }
  SWARMGRAD_FUNCTION Group group(int index) const {
    return index == speaker ? Group{"speaker", 1, landmarks, words}
                            : Group{"listener", 1, 2 + 2 * landmarks + words, mpe::move_count};
  }

  template <class Visitor>
  SWARMGRAD_FUNCTION void state(Visitor &visit) {
    visit("agent_pos", position, 2, 2);
    visit("agent_vel", velocity, 2, 2);
    visit("agent_comm", word, 2, words);
    visit("landmark_pos", landmark, landmarks, 2);
    visit("goal_landmark", goal, 1, 1);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void scratch(Visitor &visit) {
    visit("force", force, 2, 2);
    visit("cost", cost, 1, 1);
  }

  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    goal[0] = draws.below(landmarks);
    mpe::place(position, 2, 1.0f, draws);
    mpe::place(landmark, landmarks, 1.0f, draws);
    mpe::clear(velocity, 2 * 2);
    mpe::clear(word, 2 * words);
  }

  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    mpe::Features features(out);
    if (agent == speaker) {
      features.add_choice(goal[0], landmarks, 0.65f, 0.15f);
      return;
    }
    features.add(mpe::at(velocity, listener));
    features.add_relative(landmark, landmarks, mpe::at(position, listener));
    for (int w = 0; w < words; ++w) features.add(word[w]);
  }

  SWARMGRAD_FUNCTION void act(int agent, Int action) {
    if (agent == speaker)
      mpe::speak(word, speaker, words, action);
    else
      mpe::push(force, listener, action, mpe::usual_push);
  }

  static constexpr int phase_count = 1;
  template <int K>
  SWARMGRAD_FUNCTION void phase(int agent) {
    if (agent == listener) mpe::move(position, velocity, force, listener);
  }

  SWARMGRAD_FUNCTION void share() {
    cost[0] = mpe::square(mpe::at(position, listener) - mpe::chosen(landmark, landmarks, goal[0]));
  }

  SWARMGRAD_FUNCTION Float reward(int) { return -cost[0]; }

 private:
  static constexpr int speaker = 0;
  static constexpr int listener = 1;
  static constexpr int landmarks = 3;
  static constexpr int words = 3;
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
