#include "host/planner.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdlib>
#include <new>
#include <string>

#include "host/environment_library.h"
#include "host/failure.h"

namespace swarmgrad::host {
namespace {

constexpr int64_t default_stored_bytes = 32 << 20;
constexpr int64_t rows_per_segment = 64;
constexpr int64_t rows_limit = int64_t{1} << 31;
constexpr int64_t widest_joint_input = 1 << 20;
constexpr int64_t wide_policy = 65536;  // parameters above which blocks are fewer, so that partial gradients stay small

void check(bool allowed, const char *name, double value, const char *rule) {
  if (!allowed) reject("%s is %.10g; allowed: %s", name, value, rule);
}

void check_learned_value(const swarmgrad_config &c) {
  const bool learns = c.baseline == SWARMGRAD_LEARNED_VALUE;
  check(c.value_input == SWARMGRAD_VALUE_JOINT || c.value_input == SWARMGRAD_VALUE_OWN, "value_input", c.value_input,
        "0 joint, 1 own");
  check(c.lambda >= 0 && c.lambda <= 1, "lambda", c.lambda, "0 to 1");
  check(c.bootstraps == 0 || c.bootstraps == 1, "bootstraps", c.bootstraps, "0 no, 1 yes");
  if (!learns && c.value_policy_count != 0)
    reject("value_policy_count is %d; allowed: 0 without the learned-value baseline", c.value_policy_count);
  if (learns && c.weight == SWARMGRAD_OWN_RETURN && c.value_input == SWARMGRAD_VALUE_JOINT)
    reject("value_input is 0 (joint) with the weight own-return; allowed: 1 (own), since each agent has its own value");
  const bool can_predict = learns && c.weight == SWARMGRAD_REWARD_TO_GO && c.value_input == SWARMGRAD_VALUE_JOINT;
  constexpr const char *needs = "with the learned-value baseline, the weight reward-to-go and the joint value input";
  if (c.lambda < 1 && !can_predict) reject("lambda is %g; allowed: 1, or below it %s", c.lambda, needs);
  if (c.bootstraps != 0 && !can_predict) reject("bootstraps is 1; allowed: 0, or 1 %s", needs);
}

// name: what the caller's array of such structs holds.
void check_policy(const std::string &name, const swarmgrad_policy &policy) {
  if (policy.size != sizeof(swarmgrad_policy))
    reject("%s.size is %u; this library expects %zu", name.c_str(), policy.size, sizeof(swarmgrad_policy));
  check(policy.activation == SWARMGRAD_TANH || policy.activation == SWARMGRAD_RELU, (name + ".activation").c_str(),
        policy.activation, "0 tanh, 1 relu");
  check(policy.hidden_count >= 0 && policy.hidden_count <= SWARMGRAD_MAX_HIDDEN_LAYERS,
        (name + ".hidden_count").c_str(), policy.hidden_count, "0 to 4");
  for (int k = 0; k < policy.hidden_count; ++k)
    check(policy.hidden_size[k] >= 1 && policy.hidden_size[k] <= 1024, (name + ".hidden_size").c_str(),
          policy.hidden_size[k], "1 to 1024");
}

void check_config(const swarmgrad_config &c) {
  check(c.environments >= 1 && c.environments < rows_limit, "environments", static_cast<double>(c.environments),
        "1 to 2147483647");
  check(c.discount >= 0 && c.discount <= 1, "discount", c.discount, "0 to 1");
  check(c.entropy_coefficient >= 0 && c.entropy_coefficient <= FLT_MAX, "entropy_coefficient", c.entropy_coefficient,
        "0 to 3.4e38");
  check(c.gradient_clip >= 0 && c.gradient_clip < HUGE_VAL, "gradient_clip", c.gradient_clip,
        "0 (off) or a finite norm above it");
  check(c.weight >= SWARMGRAD_TOTAL_RETURN && c.weight <= SWARMGRAD_DISCOUNTED_STATE, "weight", c.weight,
        "0 total return, 1 reward to go, 2 own return, 3 discounted state");
  check(c.baseline >= SWARMGRAD_BASELINE_NONE && c.baseline <= SWARMGRAD_LEARNED_VALUE, "baseline", c.baseline,
        "0 none, 1 leave one out, 2 previous batch, 3 learned value");
  if (c.baseline == SWARMGRAD_LEAVE_ONE_OUT && c.environments == 1)
    reject(
        "environments is 1 with the leave-one-out baseline; allowed: 2 or more, since there must be another to leave "
        "in");
  check(c.agent_reduction == SWARMGRAD_SUM || c.agent_reduction == SWARMGRAD_MEAN, "agent_reduction", c.agent_reduction,
        "0 sum, 1 mean");
  check(c.scale == SWARMGRAD_SCALE_NONE || c.scale == SWARMGRAD_SCALE_RUNNING_DEVIATION, "scale", c.scale,
        "0 none, 1 running deviation");
  check(c.optimizer == SWARMGRAD_SGD || c.optimizer == SWARMGRAD_ADAM, "optimizer", c.optimizer, "0 sgd, 1 adam");
  check(c.adam_beta1 >= 0 && c.adam_beta1 < 1, "adam_beta1", c.adam_beta1, "0 to below 1");
  check(c.adam_beta2 >= 0 && c.adam_beta2 < 1, "adam_beta2", c.adam_beta2, "0 to below 1");
  // In single precision a smaller one is 0, and 0 / 0 follows.
  check(c.adam_epsilon >= FLT_MIN && c.adam_epsilon <= FLT_MAX, "adam_epsilon", c.adam_epsilon, "1.2e-38 to 3.4e38");
  check(c.horizon >= 0 && c.horizon <= longest_horizon, "horizon", c.horizon,
        "1 to 16777216 steps, or 0 for the environment's own");
  check(c.callbacks == nullptr || c.parameter_count == 0, "parameter_count", c.parameter_count, "0 with callbacks");
  check(c.share == SWARMGRAD_SHARE_GROUPS || c.share == SWARMGRAD_SHARE_ALL, "share", c.share, "0 groups, 1 all");
  check(c.agent_index == 0 || c.agent_index == 1, "agent_index", c.agent_index, "0 no, 1 yes");
  check(c.normalises == 0 || c.normalises == 1, "normalises", c.normalises, "0 no, 1 yes");
  check(c.reward_scale > 0 && c.reward_scale <= FLT_MAX, "reward_scale", c.reward_scale, "above 0, to 3.4e38");
  check_learned_value(c);
  check(c.stored_bytes >= 0, "stored_bytes", static_cast<double>(c.stored_bytes), "1 or more, or 0 for 32 MiB");
  check(c.threads >= 0 && c.threads <= 1024, "threads", c.threads, "1 to 1024, or 0 for one per core");
}

// Offsets that grow; every piece begins on a cache line.
class Layout {
 public:
  size_t take(int64_t count, size_t element) {
    const size_t at = size_;
    size_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<size_t>(count), element, &bytes) ||
        __builtin_add_overflow(size_, (bytes + cache_line - 1) / cache_line * cache_line, &size_) ||
        size_ > size_t{1} << 62)
      throw Failure(SWARMGRAD_OUT_OF_MEMORY, "the configuration needs more bytes than an address can name");
    return at;
  }
  size_t size() const { return size_; }

 private:
  size_t size_ = 0;
};

void plan_policy(GroupPlan &group, const swarmgrad_policy &policy, int64_t &parameters, int64_t &panels) {
  constexpr int64_t widest_panel = 8;
  const auto panel_size = [](int64_t outputs, int64_t inputs) {
    return (outputs + widest_panel - 1) / widest_panel * widest_panel * inputs;
  };
  group.activation = policy.activation;
  group.layer_count = policy.hidden_count + 1;
  group.parameter_offset = parameters;
  int64_t feature = 0;
  for (int l = 0; l < group.layer_count; ++l) {
    Layer &layer = group.layer[l];
    layer.inputs = l == 0 ? group.observation_size : policy.hidden_size[l - 1];
    layer.outputs = l == policy.hidden_count ? group.action_count : policy.hidden_size[l];
    layer.input_feature = feature;
    feature += layer.inputs;
    layer.weight = parameters;
    layer.bias = layer.weight + static_cast<int64_t>(layer.inputs) * layer.outputs;
    parameters = layer.bias + layer.outputs;
    layer.forward_panel = panels;
    panels += panel_size(layer.outputs, layer.inputs);
    layer.backward_panel = l == 0 ? -1 : panels;
    if (l > 0) panels += panel_size(layer.inputs, layer.outputs);
  }
  group.hidden_total = static_cast<int>(feature) - group.observation_size;
  group.parameter_count = parameters - group.parameter_offset;
}

int64_t multiply_adds(const GroupPlan &group) {
  int64_t sum = 0;
  for (int l = 0; l < group.layer_count; ++l)
    sum += int64_t{group.layer[l].inputs} * group.layer[l].outputs * (l == 0 ? 2 : 3);
  return sum;
}

int64_t features_of(const GroupPlan &group) { return group.observation_size + group.hidden_total; }

// The environment's groups, or all of them as one.
std::vector<GroupShape> group_shapes(const swarmgrad_config &config, const EnvironmentTable &environment,
                                     const void *object) {
  std::vector<GroupShape> shapes;
  for (int g = 0; g < environment.group_count(object); ++g) shapes.push_back(environment.group(object, g));
  if (config.share == SWARMGRAD_SHARE_GROUPS) return shapes;
  GroupShape all = shapes[0];
  for (size_t g = 1; g < shapes.size(); ++g) {
    const GroupShape &other = shapes[g];
    if (other.observation_size != all.observation_size || other.action_count != all.action_count ||
        other.has_mask != all.has_mask)
      reject(
          "share is 1 (all), but group %s of %s has %d features and %d actions%s, group %s %d and %d%s; allowed: 0 "
          "(groups), or groups of one shape",
          all.name, environment.id, all.observation_size, all.action_count, all.has_mask ? " with a mask" : "",
          other.name, other.observation_size, other.action_count, other.has_mask ? " with a mask" : "");
    all.agents += other.agents;
    all.name = "all";
  }
  return {all};
}

void plan_rows(const Plan &plan, GroupPlan &group) {
  group.rows = int64_t{plan.horizon} * group.agents;
  if (group.rows >= rows_limit)
    reject("horizon is %d with %d agents; allowed: fewer than 2147483648 agent-steps an episode", plan.horizon,
           group.agents);
  group.segments = std::max<int64_t>(1, group.rows / rows_per_segment);
}

const swarmgrad_policy &checked_policy(const char *name, const swarmgrad_policy *policies, int count, int group) {
  const swarmgrad_policy &policy = policies[count == 1 ? 0 : group];
  check_policy(name, policy);
  return policy;
}

// A value network for each group, after the policies.
void plan_value_networks(PlanStorage &storage, const swarmgrad_config &config, int64_t &flop) {
  Plan &plan = storage.plan;
  if (config.value_policies == nullptr) reject("value_policies is null; allowed: [value_policy_count]");
  if (config.value_policy_count != 1 && config.value_policy_count != plan.group_count)
    reject("value_policy_count is %d; allowed: 1 or the %d groups of %s", config.value_policy_count, plan.group_count,
           plan.environment->id);
  const bool is_joint = config.value_input == SWARMGRAD_VALUE_JOINT;
  for (int g = 0; g < plan.group_count; ++g) {
    const GroupPlan &policy = storage.groups[static_cast<size_t>(g)];
    GroupPlan value = {};
    value.name = policy.name;
    value.is_value = true;
    value.first_agent = policy.first_agent;
    value.agents = is_joint ? 1 : policy.agents;
    const int64_t inputs = int64_t{policy.observation_size} * (is_joint ? policy.agents : 1);
    if (inputs > widest_joint_input)
      reject("value_input is 0 (joint) with %d agents of %d features; allowed: 1 (own), or at most %lld in all",
             policy.agents, policy.observation_size, static_cast<long long>(widest_joint_input));
    value.observation_size = static_cast<int>(inputs);
    value.index_feature = -1;
    value.action_count = 1;
    plan_policy(value, checked_policy("value_policy", config.value_policies, config.value_policy_count, g),
                plan.parameter_count, plan.panel_count);
    plan_rows(plan, value);
    flop += 2 * multiply_adds(value) * value.agents;
    storage.groups.push_back(value);
  }
  plan.network_count = 2 * plan.group_count;
}

void plan_groups(PlanStorage &storage, const swarmgrad_config &config, void *object) {
  Plan &plan = storage.plan;
  const std::vector<GroupShape> shapes = group_shapes(config, *plan.environment, object);
  plan.group_count = static_cast<int>(shapes.size());
  if (config.policies == nullptr) reject("policies is null; allowed: [policy_count]");
  if (config.policy_count != 1 && config.policy_count != plan.group_count)
    reject("policy_count is %d; allowed: 1 or the %d groups of %s", config.policy_count, plan.group_count,
           plan.environment->id);
  int64_t flop = 0;
  for (int g = 0; g < plan.group_count; ++g) {
    const GroupShape &shape = shapes[static_cast<size_t>(g)];
    GroupPlan group = {};
    group.name = shape.name;
    group.first_agent = plan.agent_count;
    group.agents = shape.agents;
    group.observation_size = shape.observation_size + (config.agent_index != 0 ? shape.agents : 0);
    group.index_feature = config.agent_index != 0 ? shape.observation_size : -1;
    group.normalised = config.normalises != 0 ? shape.observation_size : 0;
    group.action_count = shape.action_count;
    group.has_mask = shape.has_mask;
    plan_policy(group, checked_policy("policy", config.policies, config.policy_count, g), plan.parameter_count,
                plan.panel_count);
    plan_rows(plan, group);
    plan.agent_count += group.agents;
    flop += 2 * multiply_adds(group) * group.agents;
    storage.groups.push_back(group);
  }
  plan.network_count = plan.group_count;
  if (config.baseline == SWARMGRAD_LEARNED_VALUE) plan_value_networks(storage, config, flop);
  plan.values_last_state = config.bootstraps != 0;
  plan.group = storage.groups.data();
  plan.flop_per_agent_step = flop / plan.agent_count;
}

// Replaying costs a second forward pass; storing costs memory, and always less time. With one segment an episode,
// replaying would need the same memory and is pointless.
bool decides_to_replay(const Plan &plan, int64_t stored_bytes) {
  int64_t bytes = 0, segments = 1;
  for (int g = 0; g < plan.group_count; ++g) {
    bytes += plan.group[g].rows * features_of(plan.group[g]) * static_cast<int64_t>(cache_line);
    segments = std::max(segments, plan.group[g].segments);
  }
  return plan.environment->is_replayable && segments > 1 &&
         bytes > (stored_bytes > 0 ? stored_bytes : default_stored_bytes);
}

void plan_snapshots(PlanStorage &storage) {
  Plan &plan = storage.plan;
  storage.snapshot_of_step.assign(static_cast<size_t>(plan.horizon), -1);
  if (plan.replays)
    for (const GroupPlan &group : storage.groups)
      for (int64_t s = 0; s < group.segments; ++s)
        storage.snapshot_of_step[static_cast<size_t>(segment_begin(group, s) / group.agents)] = 0;
  for (int &index : storage.snapshot_of_step)
    if (index == 0) index = plan.snapshot_count++;
  plan.snapshot_of_step = storage.snapshot_of_step.data();
}

void plan_memory(PlanStorage &storage, void *object) {
  Plan &plan = storage.plan;
  const EnvironmentTable &environment = *plan.environment;
  Layout layout;
  plan.environment_state_bytes = environment.state_bytes(object);
  plan.environment_object = layout.take(1, environment.object_bytes);
  plan.environment_memory = layout.take(1, environment.memory_bytes(object));
  plan.snapshots = layout.take(plan.snapshot_count + 1, plan.environment_state_bytes);
  plan.lengths = layout.take(cohort_size, sizeof(int32_t));
  plan.actions = layout.take(plan.agent_count, cache_line);
  plan.rewards = layout.take(plan.agent_count, cache_line);
  for (GroupPlan &group : storage.groups) {
    const int64_t last_rows = plan.values_last_state ? group.agents : 0;
    int64_t longest = 0;
    for (int64_t s = 0; s < group.segments; ++s)
      longest = std::max(longest, segment_begin(group, s + 1) - segment_begin(group, s));
    group.stored_rows = plan.replays || group.is_value ? longest : group.rows + last_rows;
    group.row_stride = group.stored_rows | 1;
    group.features = layout.take(features_of(group) * group.row_stride, cache_line);
    group.logits = layout.take(group.action_count * group.row_stride, cache_line);
    group.available = layout.take(group.stored_rows * group.action_count, sizeof(uint16_t));
    group.action = layout.take(group.rows, cache_line);
    group.reward = layout.take(group.rows, cache_line);
    group.alive = layout.take(group.rows + last_rows, sizeof(uint16_t));
    group.scratch = layout.take(group.action_count, cache_line);
    if (group.is_value) {
      group.outputs = layout.take(group.rows + group.agents, cache_line);
      continue;
    }
    group.values = layout.take(std::max(plan.horizon, group.agents), cohort_size * sizeof(double));
    group.entropy = layout.take(1, cohort_size * sizeof(double));
    group.feature_sums = layout.take(2 * int64_t{group.normalised}, cohort_size * sizeof(double));
    group.statistics = static_cast<size_t>(plan.statistics_per_block);
    plan.statistics_per_block += statistics_of(group, plan.horizon);
  }
  plan.cohort_gradient = layout.take(2 * plan.parameter_count, sizeof(float));
  plan.cohort_statistics = layout.take(plan.statistics_per_block, sizeof(double));
  plan.worker_bytes = layout.size();
}

}  // namespace

void EnvironmentObject::Free::operator()(void *bytes) const { std::free(bytes); }

EnvironmentObject::EnvironmentObject(const EnvironmentTable &table, const std::vector<double> &parameters, void *memory)
    : bytes_(std::aligned_alloc(cache_line, (table.object_bytes + cache_line - 1) / cache_line * cache_line)) {
  if (bytes_ == nullptr) throw std::bad_alloc();
  table.construct(table, parameters.data(), bytes_.get(), memory);
}

void check_same_shapes(const EnvironmentTable &table, const std::vector<double> &before,
                       const std::vector<double> &after) {
  EnvironmentObject old_object(table, before, nullptr), new_object(table, after, nullptr);
  void *one = old_object.get(), *other = new_object.get();
  const auto is_same = [&](const char *what, int64_t was, int64_t is) {
    if (was != is)
      reject(
          "environment_parameters would change %s of %s from %lld to %lld; allowed: values that leave shapes as they "
          "are",
          what, table.id, static_cast<long long>(was), static_cast<long long>(is));
  };
  is_same("the horizon", table.horizon(one), table.horizon(other));
  is_same("the groups", table.group_count(one), table.group_count(other));
  for (int g = 0; g < table.group_count(one); ++g) {
    const GroupShape was = table.group(one, g), is = table.group(other, g);
    is_same("the agents", was.agents, is.agents);
    is_same("the observation", was.observation_size, is.observation_size);
    is_same("the actions", was.action_count, is.action_count);
    is_same("the mask", was.has_mask, is.has_mask);
  }
  is_same("the arrays", table.array_count(one), table.array_count(other));
  for (int k = 0; k < table.array_count(one); ++k) {
    const FieldShape was = table.field(one, k), is = table.field(other, k);
    is_same(was.name, was.rows, is.rows);
    is_same(was.name, was.columns, is.columns);
  }
  is_same("the memory", static_cast<int64_t>(table.memory_bytes(one)), static_cast<int64_t>(table.memory_bytes(other)));
}

std::unique_ptr<PlanStorage> make_plan(const swarmgrad_config &config, const EnvironmentTable &environment,
                                       const std::vector<double> &parameters) {
  check_config(config);
  auto storage = std::make_unique<PlanStorage>();
  Plan &plan = storage->plan;
  EnvironmentObject object(environment, parameters, nullptr);
  check_shapes(environment, object.get());
  plan.environment = &environment;
  plan.horizon = config.horizon > 0 ? config.horizon : environment.horizon(object.get());
  plan_groups(*storage, config, object.get());
  plan.block_limit = plan.parameter_count > wide_policy ? 16 : 64;
  plan.replays = decides_to_replay(plan, config.stored_bytes);
  plan_snapshots(*storage);
  plan_memory(*storage, object.get());
  return storage;
}

}  // namespace swarmgrad::host
