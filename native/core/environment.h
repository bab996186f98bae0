// The contract between an environment and the engines: what an environment header may use and what it must provide.
// Not an environment itself; `environments/simple_spread.h` is the one to read first.
//
// An environment is one struct in `namespace swarmgrad::SWARMGRAD_TARGET`. Float, Int and Mask are one value per lane:
// sixteen environments side by side on the CPU, a single one in a CUDA thread. Data-dependent choices are `select`.
//
//   static constexpr const char *id, *summary, *description;
//   static constexpr const char *id_pattern;          optional: how an id says parameters, see host/id_pattern.h
//   static constexpr Parameter parameters[];          optional: named numbers, checked before construction
//   explicit Environment(const double *parameter)     in the order of `parameters`
//   int horizon() const                               default steps of an episode
//   int group_count() const; Group group(int) const   groups hold consecutive agents
//   void state(auto &visit)      visit("name", array, rows, columns) for everything that survives a step
//   void chance(auto &visit)     optional: the same for what draw() writes
//   void scratch(auto &visit)    optional: the same for everything else that lives within one step
//   void reset(Draws &)          a new episode in every lane; may draw in sequence
//   void observe(int agent, Observation)              writes every feature
//   void available(int agent, AvailableActions)       only for groups with a mask: writes every action
//   void draw(Draws &)           optional, once a step: all of the step's chance, before anyone acts
//   void act(int agent, Int action)                   writes only this agent's intent
//   template <int K> void phase(int agent)            optional, K < phase_count; a barrier stands between phases
//   void resolve()               optional, once a step: the joint rule
//   void share()                 optional, once a step: quantities that every agent's reward needs
//   Float reward(int agent)      may write what is the agent's own
//   Mask done()                  optional: the episode has ended (default: only the horizon ends it)
//   Mask alive(int agent)        optional: the agent still acts (default: always)
//   static constexpr const char *invalid_text;        with invalid(): what went wrong
//   Mask invalid()               optional, after reset and every step: the rules broke down; the run stops with the text
//
// Order of a step: draw, act for every agent, each phase for every agent, resolve, share, then reward, done and alive.
// Since chance comes first, a recorded step is replayed by putting the recorded values in place of what draw() wrote.
// Sums over other agents run in ascending index from (own - other), so that a pair gives the same bits to both; where
// agents_take_turns, the first of a pair may therefore work it out for both.
// A header of a user's own ends with SWARMGRAD_ENVIRONMENT(Struct), and its indices are checked (core/bounds.h).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/bounds.h"
#include "core/lanes.h"
#include "core/random.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// Whether act, a phase and reward run for agent 0, 1, 2 ... on one thread, or on a thread for each agent.
constexpr bool agents_take_turns = !SWARMGRAD_ON_DEVICE;

// A named number that configures an environment; value v of a choice is the v-th name in `choices` ("a|b|c").
struct Parameter {
  const char *name;
  double default_value, minimum, maximum;
  bool is_integer;
  const char *summary;
  const char *choices = nullptr;
};

// Agents that share a policy.
struct Group {
  const char *name;
  int agents;
  int observation_size;
  int action_count;
  bool has_mask = false;
};

// State, chance or scratch: `T` is Float or Int, one slot per element and lane. The engine owns the memory.
template <class T>
class Array : Bounds {
 public:
  SWARMGRAD_FUNCTION T &operator[](int index) const {
    return hold(index) ? slots_[index] : *static_cast<T *>(refuse(index));
  }
  SWARMGRAD_FUNCTION void bind(T *slots, Bounds bounds = {}) {
    static_cast<Bounds &>(*this) = bounds;
    slots_ = slots;
  }

 private:
  T *slots_ = nullptr;
};

// An element as its lanes.
SWARMGRAD_FUNCTION float *lanes_of(Float &element) { return reinterpret_cast<float *>(&element); }
SWARMGRAD_FUNCTION int32_t *lanes_of(Int &element) { return reinterpret_cast<int32_t *>(&element); }

// array[index], every lane its own element: index must lie in the array.
template <class T>
SWARMGRAD_FUNCTION T gather(const Array<T> &array, Int index) {
  int32_t at[lane_count];
  store(at, index);
  decltype(+*lanes_of(array[0])) found[lane_count];
  for (int lane = 0; lane < lane_count; ++lane) found[lane] = lanes_of(array[at[lane]])[lane];
  return T::load(found);
}

// array[index] = value, every lane its own element: index must lie in the array.
template <class T>
SWARMGRAD_FUNCTION void scatter(const Array<T> &array, Int index, T value) {
  int32_t at[lane_count];
  store(at, index);
  decltype(+*lanes_of(array[0])) values[lane_count];
  store(values, value);
  for (int lane = 0; lane < lane_count; ++lane) lanes_of(array[at[lane]])[lane] = values[lane];
}

// The same in the lanes of `where`; there, index must lie in the array.
template <class T>
SWARMGRAD_FUNCTION void scatter(const Array<T> &array, Int index, T value, Mask where) {
  int32_t at[lane_count];
  store(at, index);
  decltype(+*lanes_of(array[0])) values[lane_count];
  store(values, value);
  const uint32_t lanes = bits(where);
  for (int lane = 0; lane < lane_count; ++lane)
    if ((lanes >> lane & 1) != 0) lanes_of(array[at[lane]])[lane] = values[lane];
}

// Where observe() writes the features of one agent.
class Observation : Bounds {
 public:
  SWARMGRAD_FUNCTION Observation(float *first, ptrdiff_t stride, Bounds bounds = {})
      : Bounds(bounds), first_(first), stride_(stride) {}
  SWARMGRAD_FUNCTION void set(int feature, Float value) const {
    store(hold(feature) ? first_ + feature * stride_ : static_cast<float *>(refuse(feature)), value);
  }

 private:
  float *first_;
  ptrdiff_t stride_;  // floats between features
};

// Where available() writes which actions an agent may take: one bit per lane and action.
class AvailableActions : Bounds {
 public:
  SWARMGRAD_FUNCTION explicit AvailableActions(uint16_t *bits, Bounds bounds = {}) : Bounds(bounds), bits_(bits) {}
  SWARMGRAD_FUNCTION void set(int action, Mask value) const {
    uint16_t &where = hold(action) ? bits_[action] : *static_cast<uint16_t *>(refuse(action));
    where = static_cast<uint16_t>(bits(value));
  }

 private:
  uint16_t *bits_;
};

// 1 where the condition holds, else 0.
SWARMGRAD_FUNCTION Float one_if(Mask condition) { return select(condition, Float(1.0f), Float(0.0f)); }

// Uniform draws in sequence, the same for an (environment, iteration, step, purpose) wherever it is played.
class Draws {
 public:
  SWARMGRAD_FUNCTION Draws(Int environment, uint32_t iteration, uint32_t step, Purpose purpose, uint64_t seed)
      : environment_(environment), iteration_(iteration), step_(step), purpose_(purpose), seed_(seed) {}

  // The next 32 random bits of every lane.
  SWARMGRAD_FUNCTION Int bits() {
    const int word = next_ & 3;
    if (word == 0)
      block_ = philox(counter(environment_, iteration_, step_, 0, purpose_, next_ >> 2), static_cast<uint32_t>(seed_),
                      static_cast<uint32_t>(seed_ >> 32));
    ++next_;
    return block_.word[word];
  }
  // The next number in [0, 1), a multiple of 2^-24.
  SWARMGRAD_FUNCTION Float uniform() { return SWARMGRAD_TARGET::uniform(bits()); }
  SWARMGRAD_FUNCTION Float uniform(float low, float high) { return fma(uniform(), Float(high - low), Float(low)); }
  // The next whole number in [0, count), count >= 1.
  SWARMGRAD_FUNCTION Int below(Int count) {
    Int high, low;
    multiply_wide(bits(), count, high, low);
    return high;
  }

 private:
  Int environment_;
  uint32_t iteration_, step_;
  Purpose purpose_;
  uint64_t seed_;
  Block block_;
  int next_ = 0;
};

}  // namespace swarmgrad::SWARMGRAD_TARGET

#include "core/contract.h"  // SWARMGRAD_ENVIRONMENT
