// What the tests of the engine share: configurations with defaults, handles that close themselves, recorded batches.
// Speaks the C ABI only, as any other program would.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "swarmgrad/swarmgrad.h"

namespace swarmgrad_tests {

struct Setup {
  const char *environment = "simple_spread_v3";
  std::vector<swarmgrad_value> parameters = {};
  const swarmgrad_callbacks *callbacks = nullptr;
  std::vector<int> hidden = {8};
  int activation = SWARMGRAD_TANH;
  int64_t environments = 17;
  int horizon = 0;
  int weight = SWARMGRAD_REWARD_TO_GO;
  int baseline = SWARMGRAD_BASELINE_NONE;
  int agent_reduction = SWARMGRAD_SUM;
  int scale = SWARMGRAD_SCALE_NONE;
  int optimizer = SWARMGRAD_ADAM;
  double discount = 1;
  double entropy_coefficient = 0;
  double gradient_clip = 0;
  uint64_t seed = 1;
  int threads = 1;
  int isa = SWARMGRAD_ISA_AUTO;
  int64_t stored_bytes = 0;  // 1: replays
  int share = SWARMGRAD_SHARE_GROUPS;
  bool agent_index = false;
  bool normalises = false;
  std::vector<int> value_hidden = {6};  // of the learned-value baseline, as all below
  int value_input = SWARMGRAD_VALUE_JOINT;
  double lambda = 1;
  bool bootstraps = false;
  double reward_scale = 1;
};

inline swarmgrad_policy network(const std::vector<int> &hidden, int activation) {
  swarmgrad_policy policy = {};
  policy.size = sizeof policy;
  policy.activation = activation;
  policy.hidden_count = static_cast<int32_t>(hidden.size());
  for (size_t k = 0; k < hidden.size() && k < SWARMGRAD_MAX_HIDDEN_LAYERS; ++k) policy.hidden_size[k] = hidden[k];
  return policy;
}

// The structs in one place, since the configuration points to the networks.
struct Configuration {
  swarmgrad_policy policy = {}, value_policy = {};
  swarmgrad_config config = {};

  explicit Configuration(const Setup &setup)
      : policy(network(setup.hidden, setup.activation)), value_policy(network(setup.value_hidden, setup.activation)) {
    config.size = sizeof config;
    config.abi_version = SWARMGRAD_ABI_VERSION;
    config.environment = setup.environment;
    config.parameters = setup.parameters.data();
    config.parameter_count = static_cast<int32_t>(setup.parameters.size());
    config.callbacks = setup.callbacks;
    config.policies = &policy;
    config.policy_count = 1;
    config.environments = setup.environments;
    config.seed = setup.seed;
    config.discount = setup.discount;
    config.entropy_coefficient = setup.entropy_coefficient;
    config.gradient_clip = setup.gradient_clip;
    config.adam_beta1 = 0.9;
    config.adam_beta2 = 0.999;
    config.adam_epsilon = 1e-8;
    config.horizon = setup.horizon;
    config.weight = setup.weight;
    config.baseline = setup.baseline;
    config.agent_reduction = setup.agent_reduction;
    config.scale = setup.scale;
    config.optimizer = setup.optimizer;
    config.threads = setup.threads;
    config.isa = setup.isa;
    config.stored_bytes = setup.stored_bytes;
    config.share = setup.share;
    config.agent_index = setup.agent_index;
    config.normalises = setup.normalises;
    if (setup.baseline == SWARMGRAD_LEARNED_VALUE) {
      config.value_policies = &value_policy;
      config.value_policy_count = 1;
      config.value_input = setup.value_input;
    }
    config.lambda = setup.lambda;
    config.bootstraps = setup.bootstraps;
    config.reward_scale = setup.reward_scale;
  }
  Configuration(const Configuration &) = delete;
  Configuration &operator=(const Configuration &) = delete;
};

inline void require_ok(swarmgrad_status status) { REQUIRE_MESSAGE(status == SWARMGRAD_OK, swarmgrad_last_error()); }

// One group's recorded batch; shapes as in swarmgrad_trajectories.
struct Batch {
  int steps = 0, agents = 0, features = 0, actions = 0, value_agents = 0;
  int64_t environments = 0;
  bool has_mask = false;
  std::vector<float> observation, reward, log_probability, weight;
  std::vector<float> value, value_error;  // empty without a value network
  std::vector<int32_t> action, episode_length;
  std::vector<uint8_t> alive, mask, truncated;

  size_t cell(int step, int agent, int64_t environment) const {
    return (static_cast<size_t>(step) * static_cast<size_t>(agents) + static_cast<size_t>(agent)) *
               static_cast<size_t>(environments) +
           static_cast<size_t>(environment);
  }
  // Element `k` of `count` per cell: features or actions.
  size_t element(int step, int agent, int k, int count, int64_t environment) const {
    return ((static_cast<size_t>(step) * static_cast<size_t>(agents) + static_cast<size_t>(agent)) *
                static_cast<size_t>(count) +
            static_cast<size_t>(k)) *
               static_cast<size_t>(environments) +
           static_cast<size_t>(environment);
  }
  swarmgrad_batch given(int network) const {
    swarmgrad_batch batch = {};
    batch.size = sizeof batch;
    batch.network = network;
    batch.environments = environments;
    batch.steps = steps;
    batch.observation = observation.data();
    batch.action = action.data();
    batch.weight = weight.data();
    batch.alive = alive.data();
    batch.mask = has_mask ? mask.data() : nullptr;
    return batch;
  }
};

struct Recording {
  std::vector<Batch> groups;
  std::vector<float> gradient;
  std::vector<swarmgrad_statistics> statistics;
};

// All checkpointed buffers by name.
using Snapshot = std::vector<std::pair<std::string, std::vector<char>>>;

class Engine {
 public:
  explicit Engine(const Setup &setup) : setup_(setup) {
    const Configuration configuration(setup);
    require_ok(swarmgrad_create(&configuration.config, &handle_));
    info_.size = sizeof info_;
    require_ok(swarmgrad_get_info(handle_, &info_));
    for (int g = 0; g < info_.group_count; ++g) {
      swarmgrad_group group = {};
      group.size = sizeof group;
      require_ok(swarmgrad_get_group(handle_, g, &group));
      groups_.push_back(group);
    }
  }
  ~Engine() { swarmgrad_destroy(handle_); }
  Engine(const Engine &) = delete;
  Engine &operator=(const Engine &) = delete;

  swarmgrad_engine *handle() const { return handle_; }
  const swarmgrad_info &info() const { return info_; }
  const swarmgrad_group &group(int g) const { return groups_[static_cast<size_t>(g)]; }
  int group_count() const { return info_.group_count; }

  int find(const char *name) const {
    for (int k = 0; k < info_.buffer_count; ++k)
      if (buffer(k).name == std::string(name)) return k;
    FAIL("no buffer " << name);
    return -1;
  }
  swarmgrad_buffer_info buffer(int index) const {
    swarmgrad_buffer_info buffer = {};
    buffer.size = sizeof buffer;
    require_ok(swarmgrad_buffer(handle_, index, &buffer));
    return buffer;
  }
  template <class T>
  std::vector<T> read(const char *name) const {
    const int index = find(name);
    std::vector<T> values(static_cast<size_t>(buffer(index).count));
    require_ok(swarmgrad_read(handle_, index, values.data(), static_cast<int64_t>(values.size())));
    return values;
  }
  template <class T>
  void write(const char *name, const std::vector<T> &values) {
    require_ok(swarmgrad_write(handle_, find(name), values.data(), static_cast<int64_t>(values.size())));
  }
  std::vector<float> parameters() const { return read<float>("parameters"); }

  // Parameters that make every logit, and every sign of a hidden unit, count.
  void scramble_parameters(double size = 0.6) {
    std::vector<float> values(static_cast<size_t>(info_.parameter_count));
    uint32_t state = 12345;
    for (float &value : values) {
      state = state * 1664525u + 1013904223u;
      value = static_cast<float>(size * (static_cast<double>(state >> 8) / 8388608.0 - 1.0));
    }
    write("parameters", values);
  }

  // One learning rate for policies and value networks, and the configured entropy coefficient.
  swarmgrad_rates rates_of(double learning_rate) const {
    return {learning_rate, learning_rate, setup_.entropy_coefficient};
  }
  void train(int iterations, double learning_rate = 0.02) {
    const std::vector<swarmgrad_rates> rates(static_cast<size_t>(iterations), rates_of(learning_rate));
    require_ok(swarmgrad_train(handle_, iterations, rates.data(), nullptr));
  }
  std::vector<float> gradient(std::vector<swarmgrad_statistics> *statistics = nullptr) {
    std::vector<float> values(static_cast<size_t>(info_.parameter_count));
    if (statistics != nullptr) statistics->resize(groups_.size());
    require_ok(swarmgrad_gradient(handle_, values.data(), statistics == nullptr ? nullptr : statistics->data()));
    return values;
  }
  std::vector<float> gradient_of(int network, const Batch &batch) {
    const int64_t count =
        network < group_count() ? group(network).parameter_count : group(network - group_count()).value_parameter_count;
    std::vector<float> values(static_cast<size_t>(count));
    const swarmgrad_batch given = batch.given(network);
    require_ok(swarmgrad_gradient_of(handle_, &given, values.data()));
    return values;
  }
  // Every group acts alike. statistics: [group].
  swarmgrad_status evaluate(int64_t first_episode, int64_t episodes, int acting, swarmgrad_statistics *statistics) {
    const std::vector<int32_t> alike(groups_.size(), acting);
    return swarmgrad_evaluate(handle_, first_episode, episodes, alike.data(), statistics);
  }
  Recording record() {
    Recording recording;
    std::vector<swarmgrad_trajectories> trajectories;
    recording.groups.resize(groups_.size());
    for (int g = 0; g < group_count(); ++g) {
      Batch &batch = recording.groups[static_cast<size_t>(g)];
      batch.steps = info_.horizon;
      batch.agents = group(g).agent_count;
      batch.features = group(g).observation_size;
      batch.actions = group(g).action_count;
      batch.environments = setup_.environments;
      batch.has_mask = group(g).has_mask != 0;
      const size_t cells = static_cast<size_t>(batch.steps) * static_cast<size_t>(batch.agents) *
                           static_cast<size_t>(batch.environments);
      // Garbage, so that a row left unwritten shows.
      batch.observation.assign(cells * static_cast<size_t>(batch.features), -7);
      for (std::vector<float> *values : {&batch.reward, &batch.log_probability, &batch.weight})
        values->assign(cells, -7);
      batch.action.assign(cells, -7);
      batch.alive.assign(cells, 77);
      batch.mask.assign(batch.has_mask ? cells * static_cast<size_t>(batch.actions) : 0, 77);
      batch.episode_length.assign(static_cast<size_t>(batch.environments), -7);
      batch.truncated.assign(static_cast<size_t>(batch.environments), 77);
      batch.value_agents = group(g).value_agents;
      const auto value_row = static_cast<size_t>(batch.value_agents) * static_cast<size_t>(batch.environments);
      batch.value.assign(static_cast<size_t>(batch.steps + 1) * value_row, -7);
      batch.value_error.assign(static_cast<size_t>(batch.steps) * value_row, -7);
      trajectories.push_back({sizeof(swarmgrad_trajectories), g, batch.observation.data(), batch.action.data(),
                              batch.reward.data(), batch.log_probability.data(), batch.weight.data(),
                              batch.alive.data(), batch.has_mask ? batch.mask.data() : nullptr,
                              batch.episode_length.data(), batch.truncated.data(), batch.value.data(),
                              batch.value_error.data()});
    }
    recording.gradient.resize(static_cast<size_t>(info_.parameter_count));
    recording.statistics.resize(groups_.size());
    require_ok(swarmgrad_record(handle_, trajectories.data(), recording.gradient.data(), recording.statistics.data()));
    return recording;
  }

  Snapshot checkpoint() const {
    Snapshot snapshot;
    for (int k = 0; k < info_.buffer_count; ++k) {
      const swarmgrad_buffer_info info = buffer(k);
      if (info.checkpointed == 0) continue;
      std::vector<char> bytes(static_cast<size_t>(info.count) * (info.type == SWARMGRAD_F32 ? 4 : 8));
      require_ok(swarmgrad_read(handle_, k, bytes.data(), info.count));
      snapshot.emplace_back(info.name, bytes);
    }
    return snapshot;
  }
  void restore(const Snapshot &snapshot) {
    for (const auto &[name, bytes] : snapshot) {
      const int index = find(name.c_str());
      require_ok(swarmgrad_write(handle_, index, bytes.data(), buffer(index).count));
    }
  }

 private:
  Setup setup_;
  swarmgrad_engine *handle_ = nullptr;
  swarmgrad_info info_ = {};
  std::vector<swarmgrad_group> groups_;
};

class Simulator {
 public:
  explicit Simulator(const char *environment, const std::vector<swarmgrad_value> &parameters = {}, uint64_t seed = 1) {
    require_ok(swarmgrad_simulator_create(environment, parameters.data(), static_cast<int32_t>(parameters.size()), seed,
                                          SWARMGRAD_ISA_AUTO, &handle_));
    require_ok(swarmgrad_simulator_shape(handle_, &groups_, &agents_, &fields_, &horizon_));
  }
  ~Simulator() { swarmgrad_simulator_destroy(handle_); }
  Simulator(const Simulator &) = delete;
  Simulator &operator=(const Simulator &) = delete;

  swarmgrad_simulator *handle() const { return handle_; }
  int agents() const { return agents_; }
  int field_count() const { return fields_; }
  int horizon() const { return horizon_; }
  int group_count() const { return groups_; }
  swarmgrad_group group(int index) const {
    swarmgrad_group group = {};
    group.size = sizeof group;
    require_ok(swarmgrad_simulator_group(handle_, index, &group));
    return group;
  }
  void reset(uint32_t environment, uint32_t iteration) {
    require_ok(swarmgrad_simulator_reset(handle_, environment, iteration));
  }
  swarmgrad_field field(int index) const {
    swarmgrad_field field = {};
    field.size = sizeof field;
    require_ok(swarmgrad_simulator_field(handle_, index, &field));
    return field;
  }
  std::vector<double> get(int index) const {
    const swarmgrad_field shape = field(index);
    std::vector<double> values(static_cast<size_t>(shape.rows) * static_cast<size_t>(shape.columns));
    require_ok(swarmgrad_simulator_get(handle_, index, values.data()));
    return values;
  }
  int find(const char *name) const {
    for (int k = 0; k < fields_; ++k)
      if (field(k).name == std::string(name)) return k;
    FAIL("no field " << name);
    return -1;
  }
  void set(int index, const std::vector<double> &values) {
    require_ok(swarmgrad_simulator_set(handle_, index, values.data()));
  }
  // Rewards; `done` and `alive` of the last step are kept.
  std::vector<float> step(const std::vector<int32_t> &action) {
    std::vector<float> reward(static_cast<size_t>(agents_));
    alive.resize(static_cast<size_t>(agents_));
    int32_t ended = 0;
    require_ok(swarmgrad_simulator_step(handle_, action.data(), reward.data(), alive.data(), &ended));
    done = ended != 0;
    return reward;
  }

  std::vector<uint8_t> alive;
  bool done = false;

 private:
  swarmgrad_simulator *handle_ = nullptr;
  int32_t groups_ = 0, agents_ = 0, fields_ = 0, horizon_ = 0;
};

// Every environment of the catalogue, and members of families that differ in more than size; small and short, each with
// another weight. A new environment is among them without a word here.
inline std::vector<Setup> catalogue_setups() {
  std::vector<Setup> setups;
  for (int32_t k = 0; k < swarmgrad_environment_count(); ++k) {
    swarmgrad_environment_info info = {};
    info.size = sizeof info;
    require_ok(swarmgrad_environment(k, &info));
    setups.push_back({.environment = info.id});
  }
  setups.push_back({.environment = "simple_tag_v3", .parameters = {{"num_good", 2}, {"num_obstacles", 1}}});
  setups.push_back({.environment = "Foraging-2s-6x6-3p-2f-coop-v3", .parameters = {{"mask", 1}, {"penalty", 0.1}}});
  setups.push_back({.environment = "rware-tiny-5ag-hard-v2", .parameters = {{"reward_type", 2}}});
  setups.push_back({.environment = "overcooked_coord_ring", .parameters = {{"shaped_reward", 1}}});
  setups.push_back({.environment = "smax_2s3z"});
  setups.push_back({.environment = "stag_hunt", .parameters = {{"rounds", 8}, {"players", 3}}});
  for (size_t k = 0; k < setups.size(); ++k) {
    Setup &setup = setups[k];
    setup.hidden = {7};
    setup.environments = 18;
    setup.horizon = std::min(20, Simulator(setup.environment, setup.parameters).horizon());
    setup.weight = static_cast<int>(k % 4);
    setup.baseline = k % 3 == 0 ? SWARMGRAD_PREVIOUS_BATCH : SWARMGRAD_LEAVE_ONE_OUT;
    setup.discount = 0.97;
    setup.entropy_coefficient = 0.01;
  }
  return setups;
}

// Whether the engine of this program computes on the CPU: only there are instruction sets and threads to choose, activations
// to store, and is all memory taken whatever the number of environments.
inline bool computes_on_cpu() {
  swarmgrad_device_info info = {};
  info.size = sizeof info;
  require_ok(swarmgrad_device(0, &info));
  return info.compute_major == 0;
}

inline std::vector<int> available_isas() {
  if (!computes_on_cpu()) return {SWARMGRAD_ISA_AUTO};
  std::vector<int> found;
  for (const int isa : {SWARMGRAD_ISA_AVX2, SWARMGRAD_ISA_AVX512, SWARMGRAD_ISA_NEON})
    if (swarmgrad_isa_available(isa) != 0) found.push_back(isa);
  return found;
}

template <class T>
bool same_bits(const std::vector<T> &a, const std::vector<T> &b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

}  // namespace swarmgrad_tests
