// See engine.h.
#include "host/engine.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "host/failure.h"

namespace swarmgrad::host {
namespace {

const swarmgrad_config &checked_header(const swarmgrad_config &config) {
  if (config.size != sizeof(swarmgrad_config))
    reject("config.size is %u; this library expects %zu", config.size, sizeof(swarmgrad_config));
  if (config.abi_version != SWARMGRAD_ABI_VERSION)
    reject("config.abi_version is %u; this library is version %d", config.abi_version, SWARMGRAD_ABI_VERSION);
  return config;
}

// The optimizers compute in single precision.
bool is_rate(double value) { return value >= 0 && value <= FLT_MAX; }

}  // namespace

size_t element_bytes(swarmgrad_type type) { return type == SWARMGRAD_F32 ? 4 : 8; }

// ---- creation ----------------------------------------------------------------------------------------------------

Engine::Engine(const swarmgrad_config &config)
    : config_(checked_header(config)),
      kernels_(&choose_kernels(config.isa, &isa_)),
      callbacks_(config.callbacks == nullptr
                     ? nullptr
                     : std::make_unique<CallbackTable>(config.environment, *config.callbacks, *kernels_)),
      named_(callbacks_ != nullptr ? NamedEnvironment{callbacks_->id, 0, {}}
                                   : find_environment(config.environment, config.parameters, config.parameter_count)),
      storage_(make_plan(config, callbacks_ != nullptr ? *callbacks_ : environment_at(named_.index, isa_),
                         named_.parameters)),
      plan_(storage_->plan) {}

size_t Engine::add_buffer(const char *name, swarmgrad_type type, bool checkpointed, int64_t count) {
  const size_t offset = bytes_;
  size_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<size_t>(count), element_bytes(type), &bytes) || bytes > size_t{1} << 60)
    throw Failure(SWARMGRAD_OUT_OF_MEMORY, "the configuration needs more bytes than an address can name");
  bytes_ += (bytes + cache_line - 1) / cache_line * cache_line;
  buffers_.push_back({name, type, checkpointed, count, offset});
  return offset;
}

GroupRule Engine::rule_of(int group, const Moments &returns) const {
  return {config_.weight,
          config_.baseline,
          config_.discount,
          weight_factor(config_.agent_reduction == SWARMGRAD_MEAN ? plan_.group[group].agents : 1,
                        config_.scale == SWARMGRAD_SCALE_RUNNING_DEVIATION, returns, config_.reward_scale),
          running_deviation(returns),
          config_.lambda,
          config_.bootstraps != 0,
          nullptr,
          nullptr};
}

void Engine::initial_parameters(float *parameters) const {
  // A value network adds nothing to the previous batch's mean before it has learned something.
  constexpr float hidden_gain = 1.41421356f, last_policy_gain = 0.01f, last_value_gain = 0.0f;
  for (int g = 0; g < plan_.network_count; ++g)
    for (int l = 0; l < plan_.group[g].layer_count; ++l) {
      const Layer &layer = plan_.group[g].layer[l];
      const int64_t vectors = std::min(layer.inputs, layer.outputs), length = std::max(layer.inputs, layer.outputs);
      std::vector<double> scratch(
          static_cast<size_t>(vectors * ((length + cohort_size - 1) / cohort_size * cohort_size)));
      kernels_->initialise(parameters + layer.weight, layer.outputs, layer.inputs,
                           l + 1 < plan_.group[g].layer_count ? hidden_gain
                           : plan_.group[g].is_value          ? last_value_gain
                                                              : last_policy_gain,
                           static_cast<uint32_t>(g), static_cast<uint32_t>(l), config_.seed, scratch.data());
    }
}

void Engine::info(swarmgrad_info &out) const {
  out.group_count = plan_.group_count;
  out.agent_count = plan_.agent_count;
  out.horizon = plan_.horizon;
  out.buffer_count = static_cast<int32_t>(buffers_.size());
  out.cohort_count = cohorts_of(config_.environments);
  out.parameter_count = plan_.parameter_count;
  out.flop_per_agent_step = plan_.flop_per_agent_step;
  describe_memory(out);
}

void Engine::check_group(int group) const {
  if (group < 0 || group >= plan_.group_count) reject("group is %d; allowed: 0 to %d", group, plan_.group_count - 1);
}

void Engine::check_network(int network) const {
  if (network < 0 || network >= plan_.network_count)
    reject("network is %d; allowed: 0 to %d, policies first", network, plan_.network_count - 1);
}

std::string Engine::network_name(int network) const {
  const GroupPlan &plan = plan_.group[network];
  return std::string("group ") + plan.name + (plan.is_value ? ", value network" : "");
}

void Engine::check_given(int64_t environments, int steps) const {
  if (environments < 1 || environments >= int64_t{1} << 31)
    reject("environments is %lld; allowed: 1 to 2147483647", static_cast<long long>(environments));
  if (steps < 1 || steps > plan_.horizon) reject("steps is %d; allowed: 1 to the horizon %d", steps, plan_.horizon);
}

void Engine::group(int index, swarmgrad_group &out) const {
  check_group(index);
  const GroupPlan &group = plan_.group[index];
  out = {sizeof out,
         group.first_agent,
         group.agents,
         group.observation_size,
         group.action_count,
         group.has_mask,
         group.hidden_total,
         0,
         group.parameter_offset,
         group.parameter_count,
         group.name,
         0,
         0,
         0,
         0,
         0,
         0};
  if (plan_.network_count == plan_.group_count) return;
  const GroupPlan &value = plan_.group[plan_.group_count + index];
  out.value_agents = value.agents;
  out.value_observation_size = value.observation_size;
  out.value_hidden_total = value.hidden_total;
  out.value_parameter_offset = value.parameter_offset;
  out.value_parameter_count = value.parameter_count;
}

// ---- what a batch was ---------------------------------------------------------------------------------------------

void Engine::throw_fault(const Fault &fault, int64_t iteration) const {
  throw Failure(fault.status, named_.id + ", iteration " + std::to_string(iteration) + ", environment " +
                                  std::to_string(fault.environment) +
                                  (fault.agent < 0 ? "" : ", agent " + std::to_string(fault.agent)) +
                                  (fault.step < 0 ? ", at its start" : ", step " + std::to_string(fault.step)) +
                                  (fault.feature < 0 ? "" : ", feature " + std::to_string(fault.feature)) + ": " +
                                  fault.what);
}

void Engine::check_norm(int network, double norm, int64_t iteration) const {
  if (norm < HUGE_VAL) return;
  throw Failure(SWARMGRAD_NUMERIC, "iteration " + std::to_string(iteration) + ", " + network_name(network) +
                                       ": the gradient is not finite; smaller rewards, weights or learning rate");
}

void Engine::throw_update_fault(int network, int64_t iteration) const {
  throw Failure(SWARMGRAD_NUMERIC, "iteration " + std::to_string(iteration) + ", " + network_name(network) +
                                       ": the update left parameters that are not finite; write others, and learn at a "
                                       "smaller rate");
}

void Engine::throw_cancelled() {
  throw Failure(SWARMGRAD_CANCELLED, "cancelled; parameters are those of the last complete iteration");
}

void Engine::describe(const BatchSums &batch, swarmgrad_statistics *out) const {
  if (out == nullptr) return;
  for (int g = 0; g < plan_.group_count; ++g) {
    const GroupPlan &group = plan_.group[g];
    const double *sum = batch.statistics + group.statistics;
    const auto n = static_cast<double>(batch.episodes);
    const double mean = sum[return_sum] / n, count = sum[agent_step_count];
    const double weight_mean = sum[weight_sum] / count;
    swarmgrad_statistics s = {};
    s.size = sizeof s;
    s.group = g;
    s.iteration = batch.iteration;
    s.episodes = batch.episodes;
    s.agent_steps = static_cast<int64_t>(count);
    s.team_return_mean = mean;
    s.team_return_deviation =
        n > 1 ? std::sqrt(std::max(0.0, (sum[return_square_sum] - n * mean * mean) / (n - 1))) : 0.0;
    s.team_return_minimum = sum[return_minimum];
    s.team_return_maximum = sum[return_maximum];
    s.agent_return_mean = mean / group.agents;
    s.episode_length_mean = sum[length_sum] / n;
    s.entropy_mean = count > 0 ? sum[entropy_sum] / count : 0.0;
    s.scale = 1.0;
    if (batch.learns) {
      s.gradient_norm = batch.norm[g];
      s.weight_variance = count > 0 ? std::max(0.0, sum[weight_square_sum] / count - weight_mean * weight_mean) : 0.0;
      s.effective_sample_size = sum[weight_square_sum] > 0
                                    ? sum[weight_magnitude_sum] * sum[weight_magnitude_sum] / sum[weight_square_sum]
                                    : 0.0;
      s.scale = batch.factor[g];
      s.value_loss = sum[value_row_count] > 0 ? sum[value_error_square_sum] / sum[value_row_count] : 0.0;
      if (plan_.network_count > plan_.group_count) s.value_gradient_norm = batch.norm[plan_.group_count + g];
    }
    out[g] = s;
  }
}

// ---- training ----------------------------------------------------------------------------------------------------

void Engine::gradient(float *out, swarmgrad_statistics *statistics) {
  has_gradient_ = has_batch_ = false;
  run_gradient(out, statistics);
  has_gradient_ = has_batch_ = true;
}

void Engine::check_rates(const char *name, const swarmgrad_rates &rates) const {
  const auto check = [&](const char *member, double value) {
    if (!is_rate(value)) reject("%s.%s is %g; allowed: 0 to %g", name, member, value, double{FLT_MAX});
  };
  check("learning_rate", rates.learning_rate);
  check("value_learning_rate", rates.value_learning_rate);
  check("entropy_coefficient", rates.entropy_coefficient);
}

void Engine::step(const float *gradient, const swarmgrad_rates *rates) {
  if (rates == nullptr) reject("rates is null; allowed: those of the step");
  check_rates("rates", *rates);
  if (gradient == nullptr && !has_gradient_)
    reject("gradient is null and the engine holds none since the last step; ask for a gradient first");
  const bool commits = has_batch_;
  has_gradient_ = has_batch_ = false;
  run_step(gradient, *rates, commits);
}

void Engine::train(int iterations, const swarmgrad_rates *rates, swarmgrad_statistics *statistics) {
  if (iterations < 0) reject("iterations is %d; allowed: 0 or more", iterations);
  if (iterations > 0 && rates == nullptr) reject("rates is null; allowed: those of each iteration");
  for (int k = 0; k < iterations; ++k) check_rates(("rates[" + std::to_string(k) + "]").c_str(), rates[k]);
  has_gradient_ = has_batch_ = false;
  run_training(iterations, rates, statistics);
}

void Engine::record(const swarmgrad_trajectories *trajectories, float *gradient, swarmgrad_statistics *statistics) {
  if (trajectories == nullptr) reject("trajectories is null; allowed: one for each group");
  const auto environments = static_cast<size_t>(config_.environments);
  for (int g = 0; g < plan_.group_count; ++g) {
    const swarmgrad_trajectories &t = trajectories[g];
    const GroupPlan &group = plan_.group[g];
    if (t.size != sizeof t) reject("trajectories.size is %u; this library expects %zu", t.size, sizeof t);
    if (t.group != g) reject("trajectories[%d].group is %d; allowed: %d", g, t.group, g);
    const size_t cells = static_cast<size_t>(group.rows) * environments;
    const auto clear = [&](auto *values, size_t count) {
      if (values != nullptr) std::memset(values, 0, count * sizeof *values);
    };
    clear(t.observation, cells * static_cast<size_t>(group.observation_size));
    clear(t.action, cells);
    clear(t.reward, cells);
    clear(t.log_probability, cells);
    clear(t.weight, cells);
    clear(t.alive, cells);
    clear(t.mask, group.has_mask ? cells * static_cast<size_t>(group.action_count) : 0);
    clear(t.episode_length, environments);
    clear(t.truncated, environments);
    if (plan_.network_count == plan_.group_count) continue;
    const GroupPlan &value = plan_.group[plan_.group_count + g];
    clear(t.value, static_cast<size_t>(value.rows + value.agents) * environments);
    clear(t.value_error, static_cast<size_t>(value.rows) * environments);
  }
  has_gradient_ = false;
  run_record(trajectories, gradient, statistics);
}

void Engine::evaluate(int64_t first_episode, int64_t episodes, const int32_t *acting,
                      swarmgrad_statistics *statistics) {
  constexpr int64_t limit = int64_t{1} << 31;
  if (episodes < 1 || episodes >= limit)
    reject("episodes is %lld; allowed: 1 to 2147483647", static_cast<long long>(episodes));
  if (first_episode < 0 || first_episode > limit - episodes)
    reject("first_episode is %lld; allowed: 0 to %lld with %lld episodes", static_cast<long long>(first_episode),
           static_cast<long long>(limit - episodes), static_cast<long long>(episodes));
  if (acting == nullptr) reject("acting is null; allowed: one for each group");
  for (int g = 0; g < plan_.group_count; ++g)
    if (acting[g] < SWARMGRAD_ACT_SAMPLED || acting[g] > SWARMGRAD_ACT_RANDOM)
      reject("acting[%d] is %d; allowed: 0 sampled, 1 greedy, 2 random", g, acting[g]);
  run_evaluation(first_episode, episodes, acting, statistics);
}

// ---- buffers -----------------------------------------------------------------------------------------------------

const Buffer &Engine::buffer_at(int index) const {
  if (index < 0 || index >= static_cast<int>(buffers_.size()))
    reject("buffer index is %d; allowed: 0 to %zu", index, buffers_.size() - 1);
  return buffers_[static_cast<size_t>(index)];
}

void Engine::buffer(int index, swarmgrad_buffer_info &out) const {
  const Buffer &buffer = buffer_at(index);
  out = {sizeof out, buffer.type, buffer.checkpointed, -1, buffer.count, buffer.name};
}

void Engine::read(int index, void *values, int64_t count) {
  const Buffer &buffer = buffer_at(index);
  if (values == nullptr && count > 0) reject("values is null for buffer %s", buffer.name);
  if (count != buffer.count)
    reject("count is %lld for buffer %s; allowed: %lld", static_cast<long long>(count), buffer.name,
           static_cast<long long>(buffer.count));
  if (count > 0) read_buffer(buffer, values);
}

void Engine::write(int index, const void *values, int64_t count) {
  const Buffer &buffer = buffer_at(index);
  if (!buffer.checkpointed) reject("buffer %s is scratch; allowed: the buffers marked checkpointed", buffer.name);
  if (values == nullptr && count > 0) reject("values is null for buffer %s", buffer.name);
  if (count != buffer.count)
    reject("count is %lld for buffer %s; allowed: %lld", static_cast<long long>(count), buffer.name,
           static_cast<long long>(buffer.count));
  for (int64_t k = 0; k < count; ++k) {
    const double value = buffer.type == SWARMGRAD_F32   ? static_cast<const float *>(values)[k]
                         : buffer.type == SWARMGRAD_F64 ? static_cast<const double *>(values)[k]
                                                        : 0.0;
    if (!std::isfinite(value))
      reject("%s[%lld] is %g; allowed: finite numbers", buffer.name, static_cast<long long>(k), value);
  }
  if (buffer.type == SWARMGRAD_I64 &&
      (*static_cast<const int64_t *>(values) < 0 || *static_cast<const int64_t *>(values) > int64_t{UINT32_MAX}))
    reject("%s is %lld; allowed: 0 to 4294967295", buffer.name,
           static_cast<long long>(*static_cast<const int64_t *>(values)));
  if (std::strcmp(buffer.name, environment_parameters_name) == 0)
    set_environment_parameters(static_cast<const double *>(values));
  if (count > 0) write_buffer(buffer, values);
  // The batch is made: it stays what it was, whatever the next one plays.
  if (std::strcmp(buffer.name, environment_parameters_name) != 0) has_gradient_ = has_batch_ = false;
}

void Engine::set_environment_parameters(const double *values) {
  std::vector<double> after(values, values + named_.parameters.size());
  check_parameters(named_.id.c_str(), *plan_.environment, values);
  check_same_shapes(*plan_.environment, named_.parameters, after);
  named_.parameters = std::move(after);
}

// ---- the parts on their own --------------------------------------------------------------------------------------

void Engine::forward(int network, int64_t rows, const float *observation, float *hidden, float *logit) {
  check_network(network);
  if (rows < 0) reject("rows is %lld; allowed: 0 or more", static_cast<long long>(rows));
  if (rows > 0 && observation == nullptr) reject("observation is null; allowed: [row][feature]");
  run_forward(network, rows, observation, hidden, logit);
}

void Engine::logits(const swarmgrad_logit_rows &rows) {
  if (rows.action_count < 1 || rows.action_count > widest_logits)
    reject("action_count is %d; allowed: 1 to %d", rows.action_count, widest_logits);
  if (rows.rows < 0 || rows.rows >= int64_t{1} << 31)
    reject("rows is %lld; allowed: 0 to 2147483647", static_cast<long long>(rows.rows));
  if (rows.rows > 0 && rows.logit == nullptr) reject("logit is null; allowed: [row][action]");
  if (!(std::abs(rows.entropy_coefficient) <= FLT_MAX))
    reject("entropy_coefficient is %g; allowed: finite single-precision numbers", rows.entropy_coefficient);
  if (rows.action == nullptr && (rows.sample != 0 || rows.gradient != nullptr))
    reject("action is null; sampling and the gradient need it");
  for (int64_t row = 0; row < rows.rows; ++row) {
    const int32_t action = rows.sample != 0 || rows.action == nullptr ? 0 : rows.action[row];
    if (action < 0 || action >= rows.action_count)
      reject("action[%lld] is %d; allowed: 0 to %d", static_cast<long long>(row), action, rows.action_count - 1);
    bool open = rows.mask == nullptr;
    for (int a = 0; a < rows.action_count; ++a) {
      const float value = rows.logit[row * rows.action_count + a];
      if (!std::isfinite(value))
        reject("logit[%lld][%d] is %g; allowed: finite numbers", static_cast<long long>(row), a,
               static_cast<double>(value));
      open = open || rows.mask[row * rows.action_count + a] != 0;
    }
    if (!open) reject("mask[%lld] leaves no action; allowed: at least one", static_cast<long long>(row));
    if (rows.mask != nullptr && rows.sample == 0 && rows.action != nullptr &&
        rows.mask[row * rows.action_count + action] == 0)
      reject("action[%lld] is %d, which the mask forbids; allowed: available actions", static_cast<long long>(row),
             action);
    if (rows.weight != nullptr && !std::isfinite(rows.weight[row]))
      reject("weight[%lld] is %g; allowed: finite numbers", static_cast<long long>(row),
             static_cast<double>(rows.weight[row]));
  }
  run_logits(rows);
}

void Engine::weights(const swarmgrad_rewards &r) {
  check_group(r.group);
  check_given(r.environments, r.steps);
  const GroupPlan &group = plan_.group[r.group];
  if (r.reward == nullptr) reject("reward is null; allowed: [step][agent][environment]");
  if (r.weight == nullptr) reject("weight is null; allowed: [step][agent][environment]");
  if (r.cohort_count < 0 || r.cohort_count > r.environments)
    reject("cohort_count is %lld; allowed: 0 for the engine's own, or 1 to environments %lld",
           static_cast<long long>(r.cohort_count), static_cast<long long>(r.environments));
  if (r.cohort_count > 0 && r.cohort_first == nullptr) reject("cohort_first is null; allowed: [cohort_count + 1]");
  const int64_t cohorts = cohort_count(r);
  if (cohort_begin(r, 0) != 0 || cohort_begin(r, cohorts) != r.environments)
    reject("cohort_first runs from %lld to %lld; allowed: from 0 to environments %lld",
           static_cast<long long>(cohort_begin(r, 0)), static_cast<long long>(cohort_begin(r, cohorts)),
           static_cast<long long>(r.environments));
  for (int64_t c = 0; c < cohorts; ++c) {
    const int64_t members = cohort_begin(r, c + 1) - cohort_begin(r, c);
    if (members < 1 || members > cohort_size || (members == 1 && config_.baseline == SWARMGRAD_LEAVE_ONE_OUT))
      reject("cohort %lld has %lld members; allowed: 1 to 16, and 2 or more for leave-one-out",
             static_cast<long long>(c), static_cast<long long>(members));
  }
  for (int64_t k = 0; k < r.steps * int64_t{group.agents} * r.environments; ++k)
    if (!std::isfinite(r.reward[k]))
      reject("reward[%lld] is %g; allowed: finite numbers", static_cast<long long>(k),
             static_cast<double>(r.reward[k]));
  for (int64_t e = 0; r.episode_length != nullptr && e < r.environments; ++e)
    if (r.episode_length[e] < 1 || r.episode_length[e] > r.steps)
      reject("episode_length[%lld] is %d; allowed: 1 to steps %d", static_cast<long long>(e), r.episode_length[e],
             r.steps);
  if (plan_.network_count > plan_.group_count) {
    const GroupPlan &value = plan_.group[plan_.group_count + r.group];
    const int64_t values = (r.steps + int64_t{1}) * value.agents * r.environments;
    for (int64_t k = 0; r.value != nullptr && k < values; ++k)
      if (!std::isfinite(r.value[k]))
        reject("value[%lld] is %g; allowed: finite numbers", static_cast<long long>(k),
               static_cast<double>(r.value[k]));
  }
  run_weights(r);
}

void Engine::gradient_of(const swarmgrad_batch &batch, float *gradient) {
  check_network(batch.network);
  check_given(batch.environments, batch.steps);
  const GroupPlan &group = plan_.group[batch.network];
  if (batch.observation == nullptr) reject("observation is null; allowed: [step][agent][feature][environment]");
  if (batch.action == nullptr && !group.is_value) reject("action is null; allowed: [step][agent][environment]");
  if (batch.weight == nullptr) reject("weight is null; allowed: [step][agent][environment]");
  if (gradient == nullptr) reject("gradient is null; allowed: [parameters of the network]");
  for (int64_t k = 0; k < int64_t{batch.steps} * group.agents * batch.environments; ++k) {
    if (batch.alive != nullptr && batch.alive[k] == 0) continue;
    if (!group.is_value && (batch.action[k] < 0 || batch.action[k] >= group.action_count))
      reject("action[%lld] is %d; allowed: 0 to %d", static_cast<long long>(k), batch.action[k],
             group.action_count - 1);
    if (!std::isfinite(batch.weight[k]))
      reject("weight[%lld] is %g; allowed: finite numbers", static_cast<long long>(k),
             static_cast<double>(batch.weight[k]));
    const int64_t row = k / batch.environments, environment = k % batch.environments;
    // A policy's logits would tell, later; a value's error is the caller's.
    for (int f = 0; group.is_value && f < group.observation_size; ++f) {
      const int64_t at = (row * group.observation_size + f) * batch.environments + environment;
      if (!std::isfinite(batch.observation[at]))
        reject("observation[%lld] is %g; allowed: finite numbers", static_cast<long long>(at),
               static_cast<double>(batch.observation[at]));
    }
    if (batch.mask != nullptr && !group.is_value &&
        batch.mask[(row * group.action_count + batch.action[k]) * batch.environments + environment] == 0)
      reject("action[%lld] is %d, which the mask forbids; allowed: available actions", static_cast<long long>(k),
             batch.action[k]);
  }
  has_gradient_ = false;
  run_gradient_of(batch, gradient);
}

}  // namespace swarmgrad::host
