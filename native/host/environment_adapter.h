// Turns an environment struct (core/environment.h) into the table of functions over one cohort that the CPU engine calls.
// Compiled once per environment and instruction set; holds no rule of any environment.
#pragma once

#if defined(SWARMGRAD_CHECKED)
#include <stdio.h>
#endif

#include <new>

#include "core/environment.h"
#include "host/plan.h"

namespace swarmgrad::SWARMGRAD_TARGET {

template <class E>
struct EnvironmentAdapter {
  static constexpr size_t slot_bytes = lane_count * sizeof(float);
  static_assert(sizeof(Float) == slot_bytes && sizeof(Int) == slot_bytes, "a slot is one number a lane");
  SWARMGRAD_CHECK_ENVIRONMENT(E, "an environment");

  // What the engine holds of an environment: the struct, and in checked builds what it did wrong.
  struct Object {
    explicit Object(const double *parameters) : environment(parameters) {}
    E environment;
    [[no_unique_address]] Access access;
#if defined(SWARMGRAD_CHECKED)
    float *memory = nullptr;
    char text[240];
#endif
  };

  struct Measure {
    size_t slots = 0;
    int fields = 0;
    int wanted = -1;
    bool is_chance = false;
    host::FieldShape shape = {};
    template <class T>
    void operator()(const char *name, Array<T> &, int rows, int columns) {
      if (fields++ == wanted) shape = {name, rows, columns, is_integer<T>, is_chance, slots * slot_bytes};
      slots += static_cast<size_t>(rows) * static_cast<size_t>(columns);
    }
  };
  template <class T>
  static constexpr bool is_integer = __is_same(T, Int);
#if defined(SWARMGRAD_CHECKED)
  static constexpr bool is_checked = true;
#else
  static constexpr bool is_checked = false;
#endif

  struct Bind {
    char *memory;
    Access *access;
    template <class T>
    void operator()(const char *name, Array<T> &array, int rows, int columns) {
      array.bind(reinterpret_cast<T *>(memory), Bounds(name, rows * columns, access));
      memory += static_cast<size_t>(rows) * static_cast<size_t>(columns) * slot_bytes;
    }
  };

  static E &self(void *object) { return static_cast<Object *>(object)->environment; }
  static const E &self(const void *object) { return static_cast<const Object *>(object)->environment; }
  static Access &access(void *object) { return static_cast<Object *>(object)->access; }

  static constexpr int parameter_count() {
    if constexpr (requires { E::parameters; })
      return static_cast<int>(sizeof(E::parameters) / sizeof(Parameter));
    else
      return 0;
  }
  static host::ParameterShape parameter(int index) {
    if constexpr (requires { E::parameters; }) {
      const Parameter &p = E::parameters[index];
      return {p.name, p.default_value, p.minimum, p.maximum, p.is_integer, p.summary, p.choices};
    } else {
      return {};
    }
  }

  static void construct(const host::EnvironmentTable &, const double *parameters, void *object, void *memory) {
    Access making;  // the constructor's: no array is bound yet
    making.enter("constructor");
    Object *made = ::new (object) Object(parameters);
    made->access.enter("constructor");
    if (memory == nullptr) return;
    E &environment = made->environment;
    Bind bind{static_cast<char *>(memory), &made->access};
    environment.state(bind);
    if constexpr (requires { environment.chance(bind); }) environment.chance(bind);
    if constexpr (requires { environment.scratch(bind); }) environment.scratch(bind);
#if defined(SWARMGRAD_CHECKED)
    made->access.first = making.first;
    made->memory = static_cast<float *>(memory);
#endif
  }

  static int horizon(const void *object) { return self(object).horizon(); }
  static int group_count(const void *object) { return self(object).group_count(); }
  static host::GroupShape group(const void *object, int index) {
    const Group g = self(object).group(index);
    return {g.name, g.agents, g.observation_size, g.action_count, g.has_mask};
  }
  static size_t state_bytes(void *object) {
    Measure measure;
    self(object).state(measure);
    return measure.slots * slot_bytes;
  }
  static Measure measure_fields(void *object, int wanted = -1) {
    Measure measure;
    measure.wanted = wanted;
    self(object).state(measure);
    measure.is_chance = true;
    if constexpr (requires { self(object).chance(measure); }) self(object).chance(measure);
    return measure;
  }
  static Measure measure_arrays(void *object, int wanted = -1) {
    Measure measure = measure_fields(object, wanted);
    measure.is_chance = false;
    if constexpr (requires { self(object).scratch(measure); }) self(object).scratch(measure);
    return measure;
  }
  static int field_count(void *object) { return measure_fields(object).fields; }
  static int array_count(void *object) { return measure_arrays(object).fields; }
  static host::FieldShape field(void *object, int index) { return measure_arrays(object, index).shape; }
  static size_t memory_bytes(void *object) { return measure_arrays(object).slots * slot_bytes; }

  static Draws draws(const host::EnvironmentContext &context, uint32_t step, Purpose purpose) {
    const Int environment = environments_of_lanes(context.first_environment, context.members);
    return Draws(environment, context.iteration, step, in_stream(purpose, context.stream), context.seed);
  }

  static int agent_count(const E &environment) {
    int agents = 0;
    for (int g = 0; g < environment.group_count(); ++g) agents += environment.group(g).agents;
    return agents;
  }

  static int observation_size(const E &environment, int agent) {
    int first = 0;
    for (int g = 0;; ++g) {
      const Group group = environment.group(g);
      first += group.agents;
      if (agent < first) return group.observation_size;
    }
  }

  static void reset(void *object, const host::EnvironmentContext &context) {
    Draws source = draws(context, 0, Purpose::reset);
    poison(object);
    access(object).enter("reset");
    self(object).reset(source);
  }

  // In checked builds whatever is read before it is written is NaN, or an integer that fits no index.
  static void poison([[maybe_unused]] void *object) {
#if defined(SWARMGRAD_CHECKED)
    float *slots = static_cast<Object *>(object)->memory;
    for (size_t at = 0; at < memory_bytes(object) / sizeof(float); at += lane_count)
      store(slots + at, Float(__builtin_nanf("")));
#endif
  }

  static void observe(void *object, int first_agent, int count, float *observation, ptrdiff_t feature_stride,
                      uint16_t *available, int action_count) {
    E &environment = self(object);
    const int features = observation_size(environment, first_agent);
    for (int k = 0; k < count; ++k) {
      access(object).enter("observe", first_agent + k);
      float *row = observation + k * lane_count;
      if constexpr (is_checked)
        for (int f = 0; f < features; ++f) store(row + f * feature_stride, Float(__builtin_nanf("")));
      environment.observe(first_agent + k,
                          Observation(row, feature_stride, Bounds("the observation", features, &access(object))));
      if constexpr (requires(AvailableActions a) { environment.available(0, a); })
        if (available != nullptr) {
          access(object).enter("available", first_agent + k);
          uint16_t *bits = available + k * action_count;
          if constexpr (is_checked)
            for (int a = 0; a < action_count; ++a) bits[a] = 0;
          environment.available(first_agent + k,
                                AvailableActions(bits, Bounds("the actions", action_count, &access(object))));
        }
    }
  }

  template <int K>
  static void run_phases(E &environment, Access &access, int agents) {
    if constexpr (requires { E::phase_count; }) {
      if constexpr (K < E::phase_count) {
        for (int agent = 0; agent < agents; ++agent) {
          access.enter("phase", agent);
          environment.template phase<K>(agent);
        }
        run_phases<K + 1>(environment, access, agents);
      }
    }
  }

  static void draw(void *object, const host::EnvironmentContext &context, int step) {
    if constexpr (requires(E e, Draws d) { e.draw(d); }) {
      Draws source = draws(context, static_cast<uint32_t>(step), Purpose::environment);
      access(object).enter("draw");
      self(object).draw(source);
    }
  }

  static uint32_t step(void *object, const int32_t *action, float *reward) {
    E &environment = self(object);
    Access &access = static_cast<Object *>(object)->access;
    const int agents = agent_count(environment);
    for (int agent = 0; agent < agents; ++agent) {
      access.enter("act", agent);
      environment.act(agent, Int::load(action + agent * lane_count));
    }
    run_phases<0>(environment, access, agents);
    if constexpr (requires { environment.resolve(); }) {
      access.enter("resolve");
      environment.resolve();
    }
    if constexpr (requires { environment.share(); }) {
      access.enter("share");
      environment.share();
    }
    for (int agent = 0; agent < agents; ++agent) {
      access.enter("reward", agent);
      store(reward + agent * lane_count, environment.reward(agent));
    }
    if constexpr (requires { environment.done(); }) {
      access.enter("done");
      return bits(environment.done());
    } else {
      return 0;
    }
  }

  static uint32_t alive(void *object, int agent) {
    if constexpr (requires { self(object).alive(agent); }) {
      access(object).enter("alive", agent);
      return bits(self(object).alive(agent));
    } else {
      return 0xffffu;
    }
  }

  static host::Problem problem(void *object) {
#if defined(SWARMGRAD_CHECKED)
    auto &[environment, access, memory, text] = *static_cast<Object *>(object);
    const Access::Place place = access.first;
    if (place.array != nullptr) {
      access.first = {};
      char agent[24] = "";
      if (place.agent >= 0) snprintf(agent, sizeof agent, "agent %d", place.agent);
      char allowed[24] = "none";
      if (place.size > 0) snprintf(allowed, sizeof allowed, "0 to %d", place.size - 1);
      snprintf(text, sizeof text, "%s(%s) uses index %d of %s; allowed: %s", place.function, agent, place.index,
               place.array, allowed);
      return {text, 0xffffu};
    }
    access.enter("invalid");
#endif
    if constexpr (requires { self(object).invalid(); })
      return {E::invalid_text, bits(self(object).invalid())};
    else
      return {nullptr, 0};
  }

  static constexpr const char *id_pattern() {
    if constexpr (requires { E::id_pattern; })
      return E::id_pattern;
    else
      return nullptr;
  }

  static constexpr host::EnvironmentTable table() {
    return {E::id,       E::summary,     E::description, id_pattern(), is_checked,   parameter_count(),
            parameter,   sizeof(Object), construct,      horizon,      group_count,  group,
            field_count, array_count,    field,          state_bytes,  memory_bytes, reset,
            observe,     draw,           step,           alive,        problem,      true};
  }
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
