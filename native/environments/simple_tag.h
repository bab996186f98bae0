// simple_tag_v3: slow adversaries hunt faster good agents among round obstacles; how everything moves is in mpe.h.
#pragma once

#include "environments/mpe.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct SimpleTag {
  static constexpr const char *id = "simple_tag_v3";
  static constexpr const char *summary = "adversaries catch good agents among obstacles (MPE2)";
  static constexpr const char *description =
      "Groups adversary (A = num_adversaries agents) and good (G = num_good agents); O = num_obstacles.\n"
      "Observation (4 + 2 O + 2 (A + G - 1) + 2 G; of a good agent 2 less): own velocity (2), own position (2), every\n"
      "obstacle minus own position (2 each), every other agent minus own position (2 each), the velocities of the other\n"
      "good agents (2 each).\n"
      "Actions (5): 0 stay, 1 left, 2 right, 3 down, 4 up.\n"
      "Reward of every adversary: 10 for each pair of a good agent and an adversary in contact. Of a good agent: -10 for\n"
      "each adversary in contact with it, minus b(|x|) + b(|y|); b(v) = 0 below 0.9, 10 (v - 0.9) below 1, then\n"
      "min(exp(2 v - 2), 10).\n"
      "Radius, push, speed limit: adversary 0.075, 3, 1; good 0.05, 4, 1.3; obstacles 0.2, fixed. All collide.\n"
      "Start: agents uniform in (-1, 1)^2, at rest; obstacles uniform in (-0.9, 0.9)^2. 25 steps. Two bodies at exactly "
      "the\n"
      "same point exert no contact force on each other (the reference gives NaN there; random starts never meet it).\n"
      "Source: Farama MPE2 simple_tag_v3.";
  static constexpr Parameter parameters[] = {
      {"num_good", 1, 1, 1024, true, "good agents"},
      {"num_adversaries", 3, 1, 1024, true, "adversaries"},
      {"num_obstacles", 2, 0, 1024, true, "obstacles"},
  };

  int goods, adversaries, obstacles;
  float touching;  // an adversary catches a good agent where their squared distance is below

  Array<Float> position;  // [agent][2], adversaries first
  Array<Float> velocity;  // [agent][2]
  Array<Float> obstacle;  // [obstacle][2]
  Array<Float> force;     // [agent][2]
  Array<Float> catchers;  // [good]: adversaries in contact
  Array<Float> catches;   // [1]: pairs in contact

  SWARMGRAD_FUNCTION explicit SimpleTag(const double *parameter)
      : goods(static_cast<int>(parameter[0])),
        adversaries(static_cast<int>(parameter[1])),
        obstacles(static_cast<int>(parameter[2])),
        touching(mpe::square_limit(adversary_radius + good_radius)) {}

  SWARMGRAD_FUNCTION int horizon() const { return mpe::horizon; }
  SWARMGRAD_FUNCTION int group_count() const { return 2; }
  SWARMGRAD_FUNCTION Group group(int index) const {
    const int seen = 4 + 2 * obstacles + 2 * (agents() - 1);
    return index == 0 ? Group{"adversary", adversaries, seen + 2 * goods, mpe::move_count}
                      : Group{"good", goods, seen + 2 * (goods - 1), mpe::move_count};
  }

  template <class Visitor>
  SWARMGRAD_FUNCTION void state(Visitor &visit) {
    visit("agent_pos", position, agents(), 2);
    visit("agent_vel", velocity, agents(), 2);
    visit("landmark_pos", obstacle, obstacles, 2);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void scratch(Visitor &visit) {
    visit("force", force, agents(), 2);
    visit("catchers", catchers, goods, 1);
    visit("catches", catches, 1, 1);
  }

  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    mpe::place(position, agents(), 1.0f, draws);
    mpe::place(obstacle, obstacles, 0.9f, draws);
    mpe::clear(velocity, 2 * agents());
  }

  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    mpe::Features features(out);
    const mpe::Vector own = mpe::at(position, agent);
    features.add(mpe::at(velocity, agent));
    features.add(own);
    features.add_relative(obstacle, obstacles, own);
    features.add_relative(position, agents(), own, agent);
    for (int good = adversaries; good < agents(); ++good)
      if (good != agent) features.add(mpe::at(velocity, good));
  }

  SWARMGRAD_FUNCTION void act(int agent, Int action) {
    mpe::push(force, agent, action, is_adversary(agent) ? 3.0f : 4.0f);
  }

  static constexpr int phase_count = 2;
  template <int K>
  SWARMGRAD_FUNCTION void phase(int agent) {
    if constexpr (K == 0) {
      mpe::add_contacts(force, position, agent, agents(),
                        [this](int own, int other) { return radius(own) + radius(other); });
      for (int o = 0; o < obstacles; ++o)
        mpe::add_contact(force, agent, mpe::at(position, agent) - mpe::at(obstacle, o),
                         radius(agent) + obstacle_radius);
    } else {
      mpe::move(position, velocity, force, agent);
      mpe::limit_speed(velocity, agent, is_adversary(agent) ? 1.0f : 1.3f);
    }
  }

  SWARMGRAD_FUNCTION void share() {
    catches[0] = 0.0f;
    for (int good = 0; good < goods; ++good) {
      catchers[good] = 0.0f;
      for (int adversary = 0; adversary < adversaries; ++adversary) {
        const Float distance = mpe::squared_distance(position, adversaries + good, position, adversary);
        catchers[good] += one_if(distance < touching);
      }
      catches[0] += catchers[good];
    }
  }

  SWARMGRAD_FUNCTION Float reward(int agent) {
    if (is_adversary(agent)) return 10.0f * catches[0];
    return -10.0f * catchers[agent - adversaries] - outside(abs(position[2 * agent])) -
           outside(abs(position[2 * agent + 1]));
  }

 private:
  static constexpr float adversary_radius = 0.075f;
  static constexpr float good_radius = 0.05f;
  static constexpr float obstacle_radius = 0.2f;

  SWARMGRAD_FUNCTION int agents() const { return adversaries + goods; }
  SWARMGRAD_FUNCTION bool is_adversary(int agent) const { return agent < adversaries; }
  SWARMGRAD_FUNCTION float radius(int agent) const { return is_adversary(agent) ? adversary_radius : good_radius; }

  // What a good agent pays for leaving the square along one axis.
  SWARMGRAD_FUNCTION static Float outside(Float v) {
    if (none(v >= 0.9f)) return 0.0f;
    const Float near = select(v < 0.9f, Float(0.0f), (v - 0.9f) * 10.0f);
    if (none(v >= 1.0f)) return near;
    return select(v < 1.0f, near, minimum(exp(2.0f * v - 2.0f), Float(10.0f)));
  }
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
