// The plane that the MPE environments share: five moves, soft contacts, motion, relative observations. No environment.
// Rules: Farama MPE2 (explicit Euler: positions move with the old velocity), in single precision.
#pragma once

#include "core/environment.h"
#include "core/math.h"

namespace swarmgrad::SWARMGRAD_TARGET::mpe {

constexpr int horizon = 25;
constexpr int move_count = 5;  // 0 stay, 1 left, 2 right, 3 down, 4 up
constexpr float usual_push = 5.0f;
constexpr float time_step = 0.1f;
constexpr float damping = 0.25f;
constexpr float contact_force = 100.0f;
constexpr float contact_margin = 1e-3f;

struct Vector {
  Float x, y;
};

SWARMGRAD_FUNCTION Vector at(const Array<Float> &points, int index) {
  return {points[2 * index], points[2 * index + 1]};
}
SWARMGRAD_FUNCTION Vector operator-(Vector a, Vector b) { return {a.x - b.x, a.y - b.y}; }
SWARMGRAD_FUNCTION Float square(Vector v) { return v.x * v.x + v.y * v.y; }
SWARMGRAD_FUNCTION Float squared_distance(const Array<Float> &a, int i, const Array<Float> &b, int j) {
  return square(at(a, i) - at(b, j));
}

// The point that each lane chose.
SWARMGRAD_FUNCTION Vector chosen(const Array<Float> &points, int count, Int choice) {
  Vector result = at(points, 0);
  for (int k = 1; k < count; ++k) {
    result.x = select(choice == k, points[2 * k], result.x);
    result.y = select(choice == k, points[2 * k + 1], result.y);
  }
  return result;
}

// The least square whose root is not below `distance`: roots are monotonic, so root < distance where square < limit.
SWARMGRAD_FUNCTION float square_limit(float distance) {
  Float limit = distance * distance;
  while (all(sqrt(limit) < distance)) limit = as_float(as_int(limit) + 1);
  while (none(sqrt(as_float(as_int(limit) - 1)) < distance)) limit = as_float(as_int(limit) - 1);
  return lane(limit, 0);
}

SWARMGRAD_FUNCTION void place(const Array<Float> &points, int count, float half_width, Draws &draws) {
  for (int k = 0; k < 2 * count; ++k) points[k] = draws.uniform(-half_width, half_width);
}
SWARMGRAD_FUNCTION void clear(const Array<Float> &values, int count) {
  for (int k = 0; k < count; ++k) values[k] = 0.0f;
}

// What agent `agent` wants: the force of its move.
SWARMGRAD_FUNCTION void push(const Array<Float> &force, int agent, Int move, float strength) {
  const Float back = -strength, forth = strength, still = 0.0f;
  force[2 * agent] = select(move == 1, back, select(move == 2, forth, still));
  force[2 * agent + 1] = select(move == 3, back, select(move == 4, forth, still));
}

// Says a word: one-hot.
SWARMGRAD_FUNCTION void speak(const Array<Float> &word, int agent, int words, Int spoken) {
  for (int w = 0; w < words; ++w) word[agent * words + w] = one_if(spoken == w);
}

// Soft contact of two bodies whose centers are `reach` apart when they touch and `way` apart now: the force on the one
// that `way` leads to is 100 way / r x margin x softplus(-(r - reach) / margin). Bodies at the same point exert none.
// False where that is exactly 0 in every lane: 18 margins apart, exp is too small to change the 1 it is added to.
SWARMGRAD_FUNCTION bool contact(Vector way, float reach, Vector &force) {
  const float limit = reach + 18 * contact_margin;
  const Float squared = square(way);
  if (none(squared < limit * limit)) return false;
  const Float distance = sqrt(squared);
  const Float depth = (Float(reach) - distance) / contact_margin;
  const Float positive = select(depth > 0.0f, depth, Float(0.0f));
  const Float penetration = contact_margin * (positive + log(1.0f + exp(-abs(depth))));
  const Mask apart = distance > 0.0f;
  const Float divisor = select(apart, distance, Float(1.0f));
  force.x = select(apart, contact_force * way.x / divisor * penetration, Float(0.0f));
  force.y = select(apart, contact_force * way.y / divisor * penetration, Float(0.0f));
  return true;
}

// Adds an immovable body's contact to the force on an agent.
SWARMGRAD_FUNCTION void add_contact(const Array<Float> &force, int agent, Vector way, float reach) {
  Vector gained;
  if (!contact(way, reach, gained)) return;
  force[2 * agent] += gained.x;
  force[2 * agent + 1] += gained.y;
}

// Adds the contacts of an agent with all others; where agents take turns, the first of a pair adds to both.
// reach(agent, other): the sum of their radii.
template <class Reach>
SWARMGRAD_FUNCTION void add_contacts(const Array<Float> &force, const Array<Float> &position, int agent, int agents,
                                     Reach reach) {
  for (int other = agents_take_turns ? agent + 1 : 0; other < agents; ++other) {
    Vector gained;
    if (other == agent || !contact(at(position, agent) - at(position, other), reach(agent, other), gained)) continue;
    force[2 * agent] += gained.x;
    force[2 * agent + 1] += gained.y;
    if (!agents_take_turns) continue;
    force[2 * other] -= gained.x;
    force[2 * other + 1] -= gained.y;
  }
}

SWARMGRAD_FUNCTION void move(const Array<Float> &position, const Array<Float> &velocity, const Array<Float> &force,
                             int agent) {
  for (int k = 2 * agent; k < 2 * agent + 2; ++k) {
    position[k] += velocity[k] * time_step;
    velocity[k] = velocity[k] * (1.0f - damping) + force[k] * time_step;
  }
}

SWARMGRAD_FUNCTION void limit_speed(const Array<Float> &velocity, int agent, float maximum) {
  const Float speed = sqrt(square(at(velocity, agent)));
  for (int k = 2 * agent; k < 2 * agent + 2; ++k)
    velocity[k] = select(speed > maximum, velocity[k] / speed * maximum, velocity[k]);
}

// Writes an observation feature by feature.
class Features {
 public:
  SWARMGRAD_FUNCTION explicit Features(Observation out) : out_(out) {}
  SWARMGRAD_FUNCTION void add(Float value) { out_.set(next_++, value); }
  SWARMGRAD_FUNCTION void add(Vector point) {
    add(point.x);
    add(point.y);
  }
  // The points but for number `except`, seen from `origin`.
  SWARMGRAD_FUNCTION void add_relative(const Array<Float> &points, int count, Vector origin, int except = -1) {
    for (int k = 0; k < count; ++k)
      if (k != except) add(at(points, k) - origin);
  }
  // `hot` at the chosen one of `count` places, `cold` at the others.
  SWARMGRAD_FUNCTION void add_choice(Int choice, int count, float hot, float cold) {
    for (int k = 0; k < count; ++k) add(select(choice == k, Float(hot), Float(cold)));
  }

 private:
  Observation out_;
  int next_ = 0;
};

}  // namespace swarmgrad::SWARMGRAD_TARGET::mpe
