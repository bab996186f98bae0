// The CPU engine, linked into this program, against the engine of a library: equal bits for recorded batches, gradients,
// whole trainings and the parts on their own. Prints one line a case, and of a disagreement the first place where it shows.
// Which device plays the library's part (emulation, another runtime, a GPU) is none of its business.
//
// Usage: parity LIBRARY few|every [WORD...]   only cases whose name contains one of the words; exit 77 without a device
#define DOCTEST_CONFIG_IMPLEMENT
#include <dlfcn.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>

#include "tests/engine_fixture.h"

using swarmgrad_tests::Batch;
using swarmgrad_tests::Configuration;
using swarmgrad_tests::Setup;

namespace {

struct Disagreement : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// ---- one engine of either side -------------------------------------------------------------------------------------

#define SWARMGRAD_FUNCTIONS(DO) \
  DO(last_error)                \
  DO(device_count)              \
  DO(create)                    \
  DO(destroy)                   \
  DO(get_info)                  \
  DO(get_group)                 \
  DO(train)                     \
  DO(gradient)                  \
  DO(step)                      \
  DO(record)                    \
  DO(evaluate)                  \
  DO(buffer)                    \
  DO(read)                      \
  DO(write)                     \
  DO(forward)                   \
  DO(logits)                    \
  DO(weights)                   \
  DO(gradient_of)

struct Functions {
#define SWARMGRAD_MEMBER(name) decltype(&swarmgrad_##name) name;
  SWARMGRAD_FUNCTIONS(SWARMGRAD_MEMBER)
#undef SWARMGRAD_MEMBER
};

Functions linked_functions() {
  return {
#define SWARMGRAD_LINKED(name) &swarmgrad_##name,
      SWARMGRAD_FUNCTIONS(SWARMGRAD_LINKED)
#undef SWARMGRAD_LINKED
  };
}

template <class Function>
Function find(void *library, const char *name) {
  void *const found = dlsym(library, name);
  if (found == nullptr) throw std::runtime_error(dlerror());
  return reinterpret_cast<Function>(found);
}

Functions loaded_functions(const char *path) {
  void *const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  return {
#define SWARMGRAD_LOADED(name) find<decltype(&swarmgrad_##name)>(library, "swarmgrad_" #name),
      SWARMGRAD_FUNCTIONS(SWARMGRAD_LOADED)
#undef SWARMGRAD_LOADED
  };
}

class Engine {
 public:
  Engine(const Functions &functions, const Setup &setup) : functions_(functions) {
    const Configuration configuration(setup);
    require(functions.create(&configuration.config, &handle_));
    info_.size = sizeof info_;
    require(functions.get_info(handle_, &info_));
    for (int g = 0; g < info_.group_count; ++g) {
      swarmgrad_group group = {};
      group.size = sizeof group;
      require(functions.get_group(handle_, g, &group));
      groups_.push_back(group);
    }
  }
  ~Engine() { functions_.destroy(handle_); }
  Engine(const Engine &) = delete;
  Engine &operator=(const Engine &) = delete;

  const Functions &functions() const { return functions_; }
  swarmgrad_engine *handle() const { return handle_; }
  const swarmgrad_info &info() const { return info_; }
  const std::vector<swarmgrad_group> &groups() const { return groups_; }
  void require(swarmgrad_status status) const {
    if (status != SWARMGRAD_OK) throw std::runtime_error(functions_.last_error());
  }
  swarmgrad_buffer_info buffer(int index) const {
    swarmgrad_buffer_info buffer = {};
    buffer.size = sizeof buffer;
    require(functions_.buffer(handle_, index, &buffer));
    return buffer;
  }

 private:
  const Functions &functions_;
  swarmgrad_engine *handle_ = nullptr;
  swarmgrad_info info_ = {};
  std::vector<swarmgrad_group> groups_;
};

// Both engines with the same configuration, and what is asked of both at once.
struct Pair {
  Engine cpu, other;
  Pair(const Functions &linked, const Functions &loaded, const Setup &setup)
      : cpu(linked, setup), other(loaded, setup) {}
};

// ---- equal bits ----------------------------------------------------------------------------------------------------

template <class T>
std::string shown(T value) {
  char text[64];
  if constexpr (std::is_floating_point_v<T>)
    std::snprintf(text, sizeof text, "%.9g (%a)", static_cast<double>(value), static_cast<double>(value));
  else
    std::snprintf(text, sizeof text, "%lld", static_cast<long long>(value));
  return text;
}

template <class T>
void require_equal(const T &expected, const T &found, const std::function<std::string()> &where) {
  if (std::memcmp(&expected, &found, sizeof(T)) != 0)
    throw Disagreement(where() + ": expected " + shown(expected) + ", found " + shown(found));
}

template <class T>
void require_equal(const std::vector<T> &expected, const std::vector<T> &found, const std::string &what) {
  if (expected.size() != found.size()) throw Disagreement(what + ": different lengths");
  for (size_t k = 0; k < expected.size(); ++k)
    require_equal(expected[k], found[k], [&] { return what + "[" + std::to_string(k) + "]"; });
}

void require_equal(const std::vector<swarmgrad_statistics> &expected, const std::vector<swarmgrad_statistics> &found,
                   const std::string &what) {
  for (size_t k = 0; k < expected.size(); ++k) {
    const swarmgrad_statistics &a = expected[k], &b = found[k];
    const auto where = [&](const char *member) {
      return [&what, member, &a] {
        return what + ": " + member + " of group " + std::to_string(a.group) + " in iteration " +
               std::to_string(a.iteration);
      };
    };
#define SWARMGRAD_COMPARE(member) require_equal(a.member, b.member, where(#member));
    SWARMGRAD_COMPARE(group)
    SWARMGRAD_COMPARE(iteration)
    SWARMGRAD_COMPARE(episodes)
    SWARMGRAD_COMPARE(agent_steps)
    SWARMGRAD_COMPARE(team_return_mean)
    SWARMGRAD_COMPARE(team_return_deviation)
    SWARMGRAD_COMPARE(team_return_minimum)
    SWARMGRAD_COMPARE(team_return_maximum)
    SWARMGRAD_COMPARE(agent_return_mean)
    SWARMGRAD_COMPARE(episode_length_mean)
    SWARMGRAD_COMPARE(entropy_mean)
    SWARMGRAD_COMPARE(gradient_norm)
    SWARMGRAD_COMPARE(weight_variance)
    SWARMGRAD_COMPARE(effective_sample_size)
    SWARMGRAD_COMPARE(scale)
    SWARMGRAD_COMPARE(value_loss)
    SWARMGRAD_COMPARE(value_gradient_norm)
#undef SWARMGRAD_COMPARE
  }
}

// Everything that a checkpoint holds.
void require_equal_buffers(const Pair &pair, const std::string &when) {
  for (int k = 0; k < pair.cpu.info().buffer_count; ++k) {
    const swarmgrad_buffer_info info = pair.cpu.buffer(k);
    if (info.checkpointed == 0) continue;
    const std::string what = std::string(info.name) + " " + when;
    int other = 0;
    while (pair.other.buffer(other).name != std::string(info.name) || pair.other.buffer(other).group != info.group)
      ++other;
    const auto compare = [&]<class T>(T) {
      std::vector<T> expected(static_cast<size_t>(info.count)), found(expected.size());
      pair.cpu.require(pair.cpu.functions().read(pair.cpu.handle(), k, expected.data(), info.count));
      pair.other.require(pair.other.functions().read(pair.other.handle(), other, found.data(), info.count));
      require_equal(expected, found, what);
    };
    if (info.type == SWARMGRAD_F32) compare(0.0f);
    if (info.type == SWARMGRAD_F64) compare(0.0);
    if (info.type == SWARMGRAD_I64) compare(int64_t{0});
  }
}

// ---- recorded batches ----------------------------------------------------------------------------------------------

struct Recording {
  std::vector<Batch> groups;
  std::vector<float> gradient;
  std::vector<swarmgrad_statistics> statistics;
};

Recording record(const Engine &engine, int64_t environments) {
  Recording recording;
  recording.groups.resize(engine.groups().size());
  std::vector<swarmgrad_trajectories> trajectories;
  for (size_t g = 0; g < engine.groups().size(); ++g) {
    const swarmgrad_group &group = engine.groups()[g];
    Batch &batch = recording.groups[g];
    batch.steps = engine.info().horizon;
    batch.agents = group.agent_count;
    batch.features = group.observation_size;
    batch.actions = group.action_count;
    batch.environments = environments;
    batch.has_mask = group.has_mask != 0;
    const size_t cells = batch.cell(batch.steps, 0, 0);
    // Garbage, so that a row left unwritten shows.
    batch.observation.assign(cells * static_cast<size_t>(batch.features), -7);
    for (std::vector<float> *values : {&batch.reward, &batch.log_probability, &batch.weight}) values->assign(cells, -7);
    batch.action.assign(cells, -7);
    batch.alive.assign(cells, 77);
    batch.mask.assign(batch.has_mask ? cells * static_cast<size_t>(batch.actions) : 0, 77);
    batch.episode_length.assign(static_cast<size_t>(environments), -7);
    batch.truncated.assign(static_cast<size_t>(environments), 77);
    batch.value_agents = group.value_agents;
    const auto value_row = static_cast<size_t>(batch.value_agents) * static_cast<size_t>(environments);
    batch.value.assign(static_cast<size_t>(batch.steps + 1) * value_row, -7);
    batch.value_error.assign(static_cast<size_t>(batch.steps) * value_row, -7);
    trajectories.push_back({sizeof(swarmgrad_trajectories), static_cast<int32_t>(g), batch.observation.data(),
                            batch.action.data(), batch.reward.data(), batch.log_probability.data(), batch.weight.data(),
                            batch.alive.data(), batch.has_mask ? batch.mask.data() : nullptr,
                            batch.episode_length.data(), batch.truncated.data(), batch.value.data(),
                            batch.value_error.data()});
  }
  recording.gradient.resize(static_cast<size_t>(engine.info().parameter_count));
  recording.statistics.resize(engine.groups().size());
  engine.require(engine.functions().record(engine.handle(), trajectories.data(), recording.gradient.data(),
                                           recording.statistics.data()));
  return recording;
}

// The first difference in the order in which things happen: step, agent, environment; what is seen before what is done.
void require_equal(const Batch &expected, const Batch &found, int group) {
  const auto at = [&](int step, int agent, int64_t environment, const std::string &what) {
    return [=] {
      return what + " of group " + std::to_string(group) + ", step " + std::to_string(step) + ", agent " +
             std::to_string(agent) + ", environment " + std::to_string(environment);
    };
  };
  for (int step = 0; step < expected.steps; ++step)
    for (int agent = 0; agent < expected.agents; ++agent)
      for (int64_t e = 0; e < expected.environments; ++e) {
        const size_t cell = expected.cell(step, agent, e);
        require_equal(expected.alive[cell], found.alive[cell], at(step, agent, e, "alive"));
        for (int k = 0; k < expected.features; ++k) {
          const size_t element = expected.element(step, agent, k, expected.features, e);
          require_equal(expected.observation[element], found.observation[element],
                        at(step, agent, e, "observation feature " + std::to_string(k)));
        }
        for (int k = 0; expected.has_mask && k < expected.actions; ++k) {
          const size_t element = expected.element(step, agent, k, expected.actions, e);
          require_equal(expected.mask[element], found.mask[element],
                        at(step, agent, e, "mask of action " + std::to_string(k)));
        }
        require_equal(expected.log_probability[cell], found.log_probability[cell],
                      at(step, agent, e, "log-probability"));
        require_equal(expected.action[cell], found.action[cell], at(step, agent, e, "action"));
        require_equal(expected.reward[cell], found.reward[cell], at(step, agent, e, "reward"));
      }
  require_equal(expected.episode_length, found.episode_length, "episode length, by environment");
  require_equal(expected.truncated, found.truncated, "truncated, by environment");
  require_equal(expected.value, found.value, "value, by [step][value agent][environment]");
  for (int step = 0; step < expected.steps; ++step)
    for (int agent = 0; agent < expected.agents; ++agent)
      for (int64_t e = 0; e < expected.environments; ++e) {
        const size_t cell = expected.cell(step, agent, e);
        require_equal(expected.weight[cell], found.weight[cell], at(step, agent, e, "weight"));
      }
  require_equal(expected.value_error, found.value_error, "value error, by [step][value agent][environment]");
}

// ---- cases ---------------------------------------------------------------------------------------------------------

struct Case {
  std::string name;
  Setup setup;
  int iterations = 3;
  bool few = false;                           // among those that stand for all
  bool fails = false;                         // compared are failures and what they leave
  std::vector<double> later_parameters = {};  // of the environment, after a while
};

template <class T>
void write_both(const Pair &pair, const char *name, const std::vector<T> &values) {
  for (const Engine *engine : {&pair.cpu, &pair.other})
    for (int k = 0; k < engine->info().buffer_count; ++k)
      if (engine->buffer(k).name == std::string(name))
        engine->require(
            engine->functions().write(engine->handle(), k, values.data(), static_cast<int64_t>(values.size())));
}

// Parameters that make every logit, and every sign of a hidden unit, count.
void scramble(const Pair &pair) {
  std::vector<float> values(static_cast<size_t>(pair.cpu.info().parameter_count));
  uint32_t state = 12345;
  for (float &value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(0.6 * (static_cast<double>(state >> 8) / 8388608.0 - 1.0));
  }
  write_both(pair, "parameters", values);
}

void compare_parts(const Pair &pair, const Recording &recording) {
  for (size_t g = 0; g < recording.groups.size(); ++g) {
    const swarmgrad_group &group = pair.cpu.groups()[g];
    const Batch &batch = recording.groups[g];
    const std::string of = " of group " + std::to_string(g);
    const auto both = [&](const auto &ask, const std::string &what) {
      require_equal(ask(pair.cpu), ask(pair.other), what + of);
    };
    both(
        [&](const Engine &engine) {
          std::vector<float> gradient(static_cast<size_t>(group.parameter_count));
          const swarmgrad_batch given = batch.given(static_cast<int>(g));
          engine.require(engine.functions().gradient_of(engine.handle(), &given, gradient.data()));
          return gradient;
        },
        "gradient of a given batch");
    // Agents of a step are neighbours in the batch, so that the joint input is the same numbers.
    const int32_t value_network = pair.cpu.info().group_count + static_cast<int32_t>(g);
    if (batch.value_agents > 0)
      both(
          [&](const Engine &engine) {
            std::vector<float> gradient(static_cast<size_t>(group.value_parameter_count));
            swarmgrad_batch given = {};
            given.size = sizeof given;
            given.network = value_network;
            given.environments = batch.environments;
            given.steps = batch.steps;
            given.observation = batch.observation.data();
            given.weight = batch.value_error.data();
            engine.require(engine.functions().gradient_of(engine.handle(), &given, gradient.data()));
            return gradient;
          },
          "value network's gradient of a given batch");
    both(
        [&](const Engine &engine) {
          std::vector<float> weight(batch.reward.size(), -7), value_error(batch.value_error.size(), -7);
          swarmgrad_rewards rewards = {};
          rewards.size = sizeof rewards;
          rewards.group = static_cast<int32_t>(g);
          rewards.environments = batch.environments;
          rewards.steps = batch.steps;
          rewards.reward = batch.reward.data();
          rewards.alive = batch.alive.data();
          rewards.episode_length = batch.episode_length.data();
          rewards.truncated = batch.truncated.data();
          rewards.value = batch.value.data();
          rewards.weight = weight.data();
          rewards.value_error = value_error.data();
          engine.require(engine.functions().weights(engine.handle(), &rewards));
          weight.insert(weight.end(), value_error.begin(), value_error.end());
          return weight;
        },
        "weights of given rewards, then value errors");
    const int rows = 150;  // more than two tiles
    std::vector<float> observation(static_cast<size_t>(rows) *
                                   static_cast<size_t>(std::max(group.observation_size, group.value_observation_size)));
    for (size_t k = 0; k < observation.size(); ++k) observation[k] = static_cast<float>(k * 37 % 101) / 50.0f - 1.0f;
    const auto forward_of = [&](const Engine &engine, int32_t network, int hidden, int outputs) {
      std::vector<float> out(static_cast<size_t>(rows) * static_cast<size_t>(hidden + outputs));
      engine.require(engine.functions().forward(engine.handle(), network, rows, observation.data(), out.data(),
                                                out.data() + rows * hidden));
      return out;
    };
    const auto forward = [&](const Engine &engine) {
      return forward_of(engine, static_cast<int32_t>(g), group.hidden_total, group.action_count);
    };
    if (batch.value_agents > 0)
      both([&](const Engine &engine) { return forward_of(engine, value_network, group.value_hidden_total, 1); },
           "forward of the value network: hidden layers, then values");
    both(forward, "forward: hidden layers, then logits");
    const std::vector<float> all = forward(pair.cpu);
    const std::vector<float> logit(all.end() - rows * group.action_count, all.end());
    both(
        [&](const Engine &engine) {
          std::vector<int32_t> action(rows);
          std::vector<float> out(logit.size() * 2 + rows);
          swarmgrad_logit_rows given = {};
          given.size = sizeof given;
          given.action_count = group.action_count;
          given.rows = rows;
          given.entropy_coefficient = 0.1;
          given.logit = logit.data();
          given.action = action.data();
          given.sample = 1;
          given.iteration = 5;
          given.log_probability = out.data();
          given.gradient = out.data() + logit.size();
          given.entropy = out.data() + 2 * logit.size();
          engine.require(engine.functions().logits(engine.handle(), &given));
          out.insert(out.end(), action.begin(), action.end());
          return out;
        },
        "given logits: log-probabilities, gradient, entropies, actions");
  }
}

// Calls that must fail do so in the same words, and leave the same behind.
void compare_failures(const Pair &pair) {
  const auto attempt = [&](const std::string &what, const auto &call) {
    const auto outcome = [&](const Engine &engine) {
      const swarmgrad_status status = call(engine);
      return std::to_string(status) +
             (status == SWARMGRAD_OK ? "" : std::string(": ") + engine.functions().last_error());
    };
    const std::string expected = outcome(pair.cpu), found = outcome(pair.other);
    if (expected[0] == '0') throw std::runtime_error(what + " does not fail");
    if (expected != found) throw Disagreement(what + ": expected '" + expected + "', found '" + found + "'");
    require_equal_buffers(pair, "after " + what);
  };
  const auto count = static_cast<size_t>(pair.cpu.info().parameter_count);
  std::vector<float> gradient(count, 1);
  gradient[count / 2] = HUGE_VALF;
  const swarmgrad_rates small = {0.01, 0.01, 0};
  attempt("a given gradient that is not finite",
          [&](const Engine &engine) { return engine.functions().step(engine.handle(), gradient.data(), &small); });
  // In the middle of a launch of several iterations.
  const std::vector<swarmgrad_rates> rates = {{0.01, 0.01, 0.01}, {0.02, 0.02, 0}, {3e38, 3e38, 0}, {0.01, 0.01, 0}};
  attempt("an update that breaks the parameters", [&](const Engine &engine) {
    return engine.functions().train(engine.handle(), static_cast<int32_t>(rates.size()), rates.data(), nullptr);
  });
  const auto play = [](const Engine &engine) {
    const std::vector<int32_t> sampled(engine.groups().size(), SWARMGRAD_ACT_SAMPLED);
    return engine.functions().evaluate(engine.handle(), 7, 40, sampled.data(), nullptr);
  };
  attempt("an evaluation with broken parameters", play);
  attempt("a training with broken parameters",
          [&](const Engine &engine) { return engine.functions().train(engine.handle(), 2, rates.data(), nullptr); });
  attempt("a record with broken parameters", [](const Engine &engine) {
    std::vector<swarmgrad_trajectories> none(engine.groups().size());
    for (size_t g = 0; g < none.size(); ++g) {
      none[g].size = sizeof none[g];
      none[g].group = static_cast<int32_t>(g);
    }
    return engine.functions().record(engine.handle(), none.data(), nullptr, nullptr);
  });
  const int64_t environments = 40;
  const auto cells = static_cast<size_t>(pair.cpu.groups()[0].agent_count * environments);
  attempt("rewards whose weights are not finite", [&](const Engine &engine) {
    const int steps = 4;
    std::vector<float> reward(cells * steps, 1), weight(cells * steps);
    for (size_t k = 0; k < reward.size(); ++k)
      if (k % environments % 3 == 2) reward[k] = 3e38f;
    swarmgrad_rewards rewards = {};
    rewards.size = sizeof rewards;
    rewards.environments = environments;
    rewards.steps = steps;
    rewards.reward = reward.data();
    rewards.weight = weight.data();
    return engine.functions().weights(engine.handle(), &rewards);
  });
  scramble(pair);
  attempt("observations whose logits are not finite", [&](const Engine &engine) {
    const swarmgrad_group &group = engine.groups()[0];
    std::vector<float> observation(cells * static_cast<size_t>(group.observation_size), 1), weight(cells, 1),
        out(count);
    std::vector<int32_t> action(cells);
    for (size_t k = 35; k < observation.size(); k += 37) observation[k] = NAN;
    swarmgrad_batch batch = {};
    batch.size = sizeof batch;
    batch.environments = environments;
    batch.steps = 1;
    batch.observation = observation.data();
    batch.action = action.data();
    batch.weight = weight.data();
    return engine.functions().gradient_of(engine.handle(), &batch, out.data());
  });
  // And after all that they go on.
  for (const Engine *engine : {&pair.cpu, &pair.other})
    engine->require(engine->functions().train(engine->handle(), 2, rates.data(), nullptr));
  require_equal_buffers(pair, "after training again");
}

void compare(const Functions &linked, const Functions &loaded, const Case &one) {
  const Pair pair(linked, loaded, one.setup);
  require_equal_buffers(pair, "of a new engine");
  scramble(pair);
  if (one.fails) return compare_failures(pair);

  const Recording expected = record(pair.cpu, one.setup.environments);
  const Recording found = record(pair.other, one.setup.environments);
  for (size_t g = 0; g < expected.groups.size(); ++g)
    require_equal(expected.groups[g], found.groups[g], static_cast<int>(g));
  require_equal(expected.statistics, found.statistics, "recorded batch");
  require_equal(expected.gradient, found.gradient, "gradient of the recorded batch");
  compare_parts(pair, expected);

  const auto statistics_of = [&](const auto &call, int count) {
    std::vector<swarmgrad_statistics> a(pair.cpu.groups().size() * static_cast<size_t>(count)), b(a);
    pair.cpu.require(call(pair.cpu, a.data()));
    pair.other.require(call(pair.other, b.data()));
    return std::pair(a, b);
  };
  for (const int acting : {SWARMGRAD_ACT_SAMPLED, SWARMGRAD_ACT_GREEDY, SWARMGRAD_ACT_RANDOM}) {
    const auto [a, b] = statistics_of(
        [&](const Engine &engine, swarmgrad_statistics *out) {
          std::vector<int32_t> acts;  // where there are several groups, not all of them alike
          for (size_t g = 0; g < engine.groups().size(); ++g) acts.push_back((acting + static_cast<int>(g)) % 3);
          return engine.functions().evaluate(engine.handle(), 5, 19, acts.data(), out);
        },
        1);
    require_equal(a, b, "evaluation, acting " + std::to_string(acting));
  }

  // Each iteration has an entropy coefficient of its own.
  std::vector<swarmgrad_rates> rates;
  for (int k = 0; k < one.iterations; ++k) rates.push_back({0.02, 0.01, one.setup.entropy_coefficient / (1 + k)});
  const auto [a, b] = statistics_of(
      [&](const Engine &engine, swarmgrad_statistics *out) {
        return engine.functions().train(engine.handle(), one.iterations, rates.data(), out);
      },
      one.iterations);
  require_equal(a, b, "training");
  require_equal_buffers(pair, "after " + std::to_string(one.iterations) + " iterations");

  const auto gradient_of = [](const Engine &engine) {
    std::vector<float> gradient(static_cast<size_t>(engine.info().parameter_count));
    engine.require(engine.functions().gradient(engine.handle(), gradient.data(), nullptr));
    const swarmgrad_rates once = {0.01, 0.02, 0};
    engine.require(engine.functions().step(engine.handle(), nullptr, &once));
    return gradient;
  };
  require_equal(gradient_of(pair.cpu), gradient_of(pair.other), "gradient after training");
  require_equal_buffers(pair, "after a step of its own");

  if (one.later_parameters.empty()) return;
  write_both(pair, "environment_parameters", one.later_parameters);
  for (const Engine *engine : {&pair.cpu, &pair.other})
    engine->require(engine->functions().train(engine->handle(), 1, rates.data(), nullptr));
  require_equal_buffers(pair, "after an iteration with other parameters of the environment");
}

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](std::string name, Setup setup, int iterations = 3, bool few = false) {
    all.push_back({std::move(name), std::move(setup), iterations, few});
    return &all.back();
  };
  const Setup usual = {.hidden = {8},
                       .environments = 18,
                       .horizon = 25,
                       .baseline = SWARMGRAD_LEAVE_ONE_OUT,
                       .entropy_coefficient = 0.01};
  const auto but = [&](const auto &change) {
    Setup setup = usual;
    change(setup);
    return setup;
  };

  // Policies: linear, narrow, the layers on chip, too wide for that, deep; both activations.
  add("linear", but([](Setup &s) { s.hidden = {}; }), 3, true);
  add("one-narrow-relu", but([](Setup &s) { s.hidden = {4}, s.activation = SWARMGRAD_RELU; }));
  add("two-layers", but([](Setup &s) { s.hidden = {16, 9}; }), 20, true);
  add("two-layers-relu", but([](Setup &s) { s.hidden = {9, 24}, s.activation = SWARMGRAD_RELU; }), 3, true);
  add("wide", but([](Setup &s) { s.hidden = {264, 40}, s.environments = 2, s.horizon = 23; }), 2, true);
  add("wide-relu", but([](Setup &s) {
        s.hidden = {72, 160}, s.activation = SWARMGRAD_RELU, s.environments = 2, s.horizon = 9;
      }),
      2);
  add("deep", but([](Setup &s) { s.hidden = {12, 7, 5, 9}; }), 20);
  add("agent-index", but([](Setup &s) { s.agent_index = true, s.share = SWARMGRAD_SHARE_ALL; }));

  // Sizes: lone members, full cohorts and ragged ones; single steps and several segments; more cohorts than blocks.
  for (const int64_t environments : {1, 2, 15, 16, 17, 33})
    for (const int horizon : {1, 25}) {
      Setup setup = usual;
      setup.environments = environments;
      setup.horizon = horizon;
      setup.baseline = environments == 1 ? SWARMGRAD_PREVIOUS_BATCH : SWARMGRAD_LEAVE_ONE_OUT;
      add("environments-" + std::to_string(environments) + "-horizon-" + std::to_string(horizon), setup);
    }
  add("segments", but([](Setup &s) { s.horizon = 110, s.environments = 17; }), 3, true);
  add("early-ends", {.environment = "CartPole-v1",
                     .hidden = {5},
                     .environments = 17,
                     .horizon = 200,
                     .weight = SWARMGRAD_DISCOUNTED_STATE,
                     .baseline = SWARMGRAD_PREVIOUS_BATCH,
                     .discount = 0.99});
  add("more-cohorts-than-blocks", {.environment = "meeting",
                                   .hidden = {},
                                   .environments = 1300,
                                   .weight = SWARMGRAD_OWN_RETURN,
                                   .baseline = SWARMGRAD_PREVIOUS_BATCH,
                                   .agent_reduction = SWARMGRAD_MEAN,
                                   .scale = SWARMGRAD_SCALE_RUNNING_DEVIATION});
  add("large-team",
      {.environment = "crowd", .parameters = {{"agents", 300}}, .hidden = {4}, .environments = 2, .horizon = 3}, 2,
      true);

  // Values of states: both inputs, returns made of them, episodes that end by their rules and by the horizon; what is seen,
  // normalised, by agents that die.
  const Setup valued = {.hidden = {7},
                        .environments = 18,
                        .horizon = 25,
                        .baseline = SWARMGRAD_LEARNED_VALUE,
                        .scale = SWARMGRAD_SCALE_RUNNING_DEVIATION,
                        .discount = 0.97,
                        .normalises = true,
                        .value_hidden = {9, 5},
                        .lambda = 0.9,
                        .bootstraps = true,
                        .reward_scale = 0.5};
  const auto valued_but = [&](const auto &change) {
    Setup setup = valued;
    change(setup);
    return setup;
  };
  add("values", valued, 3, true);
  add("values-early-ends", valued_but([](Setup &s) { s.environment = "CartPole-v1", s.horizon = 30; }));
  add("values-segments", valued_but([](Setup &s) {
        s.horizon = 110, s.value_input = SWARMGRAD_VALUE_OWN, s.lambda = 1, s.bootstraps = false;
      }),
      2, true);
  add("values-joint-segments", valued_but([](Setup &s) { s.environment = "CartPole-v1", s.horizon = 140; }), 2);
  add("values-own-return-deaths", valued_but([](Setup &s) {
        s.environment = "smax_3m", s.weight = SWARMGRAD_OWN_RETURN, s.value_input = SWARMGRAD_VALUE_OWN, s.lambda = 1,
        s.bootstraps = false;
      }),
      3, true);
  add("values-joint-deaths", valued_but([](Setup &s) { s.environment = "smax_3m"; }), 2);
  add("values-of-groups-in-waves", valued_but([](Setup &s) {
        s.environment = "simple_tag_v3", s.environments = 50, s.stored_bytes = 1, s.horizon = 5;
      }),
      2, true);
  add("values-total-return", valued_but([](Setup &s) {
        s.weight = SWARMGRAD_TOTAL_RETURN, s.value_hidden = {}, s.lambda = 1, s.bootstraps = false,
        s.normalises = false, s.horizon = 4;
      }));
  add("values-failures", valued_but([](Setup &s) { s.horizon = 5; }), 0)->fails = true;
  add("curriculum", but([](Setup &s) { s.horizon = 4; }), 1, true)->later_parameters = {3, 0.25};
  add("normalised-agent-index", but([](Setup &s) { s.normalises = s.agent_index = true, s.horizon = 4; }), 3, true);

  // What the memory holds at once, and how many iterations follow each other without the host.
  add("waves", but([](Setup &s) { s.environments = 50, s.stored_bytes = 1; }), 3, true);
  add("waves-within-blocks", {.environment = "meeting", .hidden = {}, .environments = 1300, .stored_bytes = 1});
  add("long-launch", {.environment = "meeting", .hidden = {3}}, 70);

  add("failures", but([](Setup &s) { s.environments = 33; }), 0, true)->fails = true;
  add("failures-of-groups",
      {.environment = "simple_tag_v3",
       .hidden = {6},
       .environments = 20,
       .horizon = 5,
       .baseline = SWARMGRAD_PREVIOUS_BATCH,
       .scale = SWARMGRAD_SCALE_RUNNING_DEVIATION},
      0)
      ->fails = true;

  // What is learned from: every weight with every baseline and scale; optimizers.
  for (const int weight :
       {SWARMGRAD_TOTAL_RETURN, SWARMGRAD_REWARD_TO_GO, SWARMGRAD_OWN_RETURN, SWARMGRAD_DISCOUNTED_STATE})
    for (const int baseline : {SWARMGRAD_BASELINE_NONE, SWARMGRAD_LEAVE_ONE_OUT, SWARMGRAD_PREVIOUS_BATCH})
      for (const int scale : {SWARMGRAD_SCALE_NONE, SWARMGRAD_SCALE_RUNNING_DEVIATION})
        add("weight-" + std::to_string(weight) + "-baseline-" + std::to_string(baseline) + "-scale-" +
                std::to_string(scale),
            but([&](Setup &s) {
              s.hidden = {}, s.horizon = 4, s.weight = weight, s.baseline = baseline, s.scale = scale, s.discount = 0.9;
            }));
  add("clip", but([](Setup &s) { s.gradient_clip = 0.5; }));
  add("sgd-mean",
      but([](Setup &s) { s.optimizer = SWARMGRAD_SGD, s.agent_reduction = SWARMGRAD_MEAN, s.gradient_clip = 1; }), 20);

  // Every environment; and every kernel once more, as little of it as there can be: for the sanitizers.
  const auto add_least = [&](const std::string &name, Setup setup, int horizon) {
    setup.horizon = horizon;
    return add("least-" + name, std::move(setup), 2);
  };
  for (Setup setup : swarmgrad_tests::catalogue_setups()) {
    std::string name = setup.environment;
    for (const swarmgrad_value &parameter : setup.parameters)
      name += std::string("-") + parameter.name + "=" + std::to_string(static_cast<int>(parameter.value));
    add(name, setup, 3, name == "simple_tag_v3" || name == "smax_3m");
    setup.hidden = {5};
    setup.environments = 3;
    add_least(name, setup, 3);
  }
  const auto least = [&](const std::string &name, int horizon, const auto &change) {
    Setup setup = {.hidden = {4}, .environments = 2, .baseline = SWARMGRAD_LEAVE_ONE_OUT, .entropy_coefficient = 0.01};
    change(setup);
    return add_least(name, setup, horizon);
  };
  least("linear", 3, [](Setup &s) { s.hidden = {}, s.environments = 33; });
  least("many-episodes-of-a-block", 130, [](Setup &s) { s.environment = "CartPole-v1", s.environments = 100; });
  // On the smallest device: panels outside of shared memory, then everything.
  least("deep-relu", 3, [](Setup &s) { s.hidden = {96, 40, 3}, s.activation = SWARMGRAD_RELU; });
  least("wide", 1, [](Setup &s) { s.hidden = {200, 16}; });
  least("segments", 44, [](Setup &s) { s.baseline = SWARMGRAD_PREVIOUS_BATCH; });
  least("waves", 2, [](Setup &s) { s.environments = 33, s.stored_bytes = 1; });
  least("large-team", 1, [](Setup &s) { s.environment = "crowd", s.parameters = {{"agents", 300}}; });
  least("values", 2, [&](Setup &s) {
    s = valued;
    s.hidden = {4}, s.value_hidden = {3}, s.environments = 2;
  });
  least("values-of-a-large-team", 1, [&](Setup &s) {
    s = valued;
    s.environment = "crowd", s.parameters = {{"agents", 40}};
    s.hidden = s.value_hidden = {3}, s.environments = 2;
  });
  least("failures", 2, [](Setup &s) { s.environment = "CartPole-v1", s.environments = 100; })->fails = true;
  return all;
}

}  // namespace

int main(int count, char **words) try {
  doctest::Context context;  // for the checks of engine_fixture.h
  context.setAsDefaultForAssertsOutOfTestCases();
  const std::vector<std::string> arguments(words + 1, words + count);
  if (count < 3 || (arguments[1] != "few" && arguments[1] != "every"))
    throw std::runtime_error("usage: parity LIBRARY few|every [WORD...]");
  const auto wanted = [&](const Case &one) {
    if (arguments[1] == "few" && !one.few) return false;
    if (arguments.size() == 2) return true;
    return std::any_of(arguments.begin() + 2, arguments.end(),
                       [&](const std::string &word) { return one.name.find(word) != std::string::npos; });
  };
  const Functions linked = linked_functions(), loaded = loaded_functions(words[1]);
  int devices = 0;
  if (loaded.device_count(&devices) == SWARMGRAD_UNSUPPORTED) {
    std::printf("skipped: %s\n", loaded.last_error());
    return 77;
  }
  int compared = 0, faults = 0;
  for (const Case &one : cases()) {
    if (!wanted(one)) continue;
    ++compared;
    const auto begin = std::chrono::steady_clock::now();
    std::string outcome = "equal";
    try {
      compare(linked, loaded, one);
    } catch (const std::exception &error) {
      outcome = std::string("FAILED: ") + error.what();
      ++faults;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("%6.2f s  %s (%s): %s\n", seconds.count(), one.name.c_str(), one.setup.environment, outcome.c_str());
    std::fflush(stdout);
  }
  std::printf("%d cases, %d failures\n", compared, faults);
  return compared > 0 && faults == 0 ? 0 : 1;
} catch (const std::exception &error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
