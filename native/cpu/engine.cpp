// See engine.h.
#include "cpu/engine.h"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cfloat>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "cpu/failure.h"

namespace swarmgrad::cpu {
namespace {

constexpr int widest_logits = 1024;  // actions that swarmgrad_logits takes

int available_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
}

// What this process may use: the machine's memory, or its control group's limit where that is smaller.
size_t available_memory() {
  const size_t machine = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  unsigned long long limit = machine;
  if (std::FILE *file = std::fopen("/sys/fs/cgroup/memory.max", "r")) {
    if (std::fscanf(file, "%llu", &limit) != 1) limit = machine;  // "max"
    std::fclose(file);
  }
  return std::min<size_t>(machine, limit);
}

size_t element_bytes(swarmgrad_type type) { return type == SWARMGRAD_F32 ? 4 : 8; }

const swarmgrad_config &checked_header(const swarmgrad_config &config) {
  if (config.size != sizeof(swarmgrad_config))
    reject("config.size is %u; this library expects %zu", config.size, sizeof(swarmgrad_config));
  if (config.abi_version != SWARMGRAD_ABI_VERSION)
    reject("config.abi_version is %u; this library is version %d", config.abi_version, SWARMGRAD_ABI_VERSION);
  return config;
}

// The optimizers compute in single precision.
bool is_rate(double value) { return value >= 0 && value <= FLT_MAX; }

// Adjacent items first, then pairs of pairs: the tree in which blocks are summed.
template <class Combine>
void pairwise(int64_t count, Combine combine) {
  for (int64_t step = 1; step < count; step *= 2)
    for (int64_t k = 0; k + step < count; k += 2 * step) combine(k, k + step);
}

}  // namespace

Arena::Arena(size_t bytes) : bytes_(bytes) {
  const size_t available = available_memory();
  void *memory =
      bytes > available ? MAP_FAILED : mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    throw Failure(SWARMGRAD_OUT_OF_MEMORY, "the configuration needs " + std::to_string(bytes) +
                                               " bytes, this machine has " + std::to_string(available) +
                                               "; fewer threads, a shorter horizon or a smaller policy need less");
  madvise(memory, bytes, MADV_HUGEPAGE);
  base_ = static_cast<char *>(memory);
}

Arena::~Arena() { munmap(base_, bytes_); }

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
      plan_(storage_->plan) {
  const int threads = config.threads > 0 ? config.threads : available_cores();
  const int64_t parameters = plan_.parameter_count, moments = config.optimizer == SWARMGRAD_ADAM ? parameters : 0;

  const size_t parameters_at = add_buffer("parameters", SWARMGRAD_F32, true, parameters);
  const size_t iteration_at = add_buffer("iteration", SWARMGRAD_I64, true, 1);
  const size_t first_at = add_buffer("adam_first_moment", SWARMGRAD_F32, true, moments);
  const size_t second_at = add_buffer("adam_second_moment", SWARMGRAD_F32, true, moments);
  const size_t products_at = add_buffer("adam_products", SWARMGRAD_F64, true, 2);
  const size_t baseline_at = add_buffer("baseline", SWARMGRAD_F64, true, int64_t{plan_.group_count} * plan_.horizon);
  const size_t moments_at = add_buffer("return_moments", SWARMGRAD_F64, true, int64_t{plan_.group_count} * 3);
  const size_t agent_return_at = add_buffer("agent_return", SWARMGRAD_F64, false, plan_.agent_count);
  const size_t gradient_at = add_buffer("gradient", SWARMGRAD_F32, false, parameters);
  const size_t panels_at = add_buffer("panels", SWARMGRAD_F32, false, plan_.panel_count);
  const size_t block_gradient_at = add_buffer("block_gradient", SWARMGRAD_F32, false, plan_.block_limit * parameters);
  const size_t block_statistics_at =
      add_buffer("block_statistics", SWARMGRAD_F64, false, plan_.block_limit * plan_.statistics_per_block);
  const size_t batch_statistics_at = add_buffer("batch_statistics", SWARMGRAD_F64, false, plan_.statistics_per_block);
  const size_t scratch_at = add_buffer("logit_scratch", SWARMGRAD_F32, false, 3 * widest_logits * cohort_size);
  const size_t workers_at =
      add_buffer("workers", SWARMGRAD_F32, false, threads * static_cast<int64_t>(plan_.worker_bytes / sizeof(float)));

  arena_ = std::make_unique<Arena>(bytes_);
  parameters_ = at<float>(parameters_at);
  iteration_ = at<int64_t>(iteration_at);
  first_moment_ = at<float>(first_at);
  second_moment_ = at<float>(second_at);
  products_ = at<double>(products_at);
  baseline_ = at<double>(baseline_at);
  moments_ = at<double>(moments_at);
  agent_return_ = at<double>(agent_return_at);
  gradient_ = at<float>(gradient_at);
  panels_ = at<float>(panels_at);
  block_gradient_ = at<float>(block_gradient_at);
  block_statistics_ = at<double>(block_statistics_at);
  batch_statistics_ = at<double>(batch_statistics_at);
  logit_scratch_ = at<char>(scratch_at);
  products_[0] = products_[1] = 1.0;

  beats_ = std::make_unique<Beats[]>(static_cast<size_t>(threads));
  for (int t = 0; t < threads; ++t) {
    Worker worker = {
        at<char>(workers_at) + static_cast<size_t>(t) * plan_.worker_bytes, {}, &beats_[static_cast<size_t>(t)].count};
    plan_.environment->construct(*plan_.environment, named_.parameters.data(), worker.memory + plan_.environment_object,
                                 worker.memory + plan_.environment_memory);
    workers_.push_back(worker);
  }
  rules_.resize(static_cast<size_t>(plan_.group_count));
  norms_.resize(static_cast<size_t>(plan_.group_count));
  pool_ = std::make_unique<ThreadPool>(threads, available_cores());
  initialise_parameters();
}

size_t Engine::add_buffer(const char *name, swarmgrad_type type, bool checkpointed, int64_t count) {
  const size_t offset = bytes_;
  size_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<size_t>(count), element_bytes(type), &bytes) || bytes > size_t{1} << 60)
    throw Failure(SWARMGRAD_OUT_OF_MEMORY, "the configuration needs more bytes than an address can name");
  bytes_ += (bytes + cache_line - 1) / cache_line * cache_line;
  buffers_.push_back({name, type, checkpointed, count, offset});
  return offset;
}

void Engine::initialise_parameters() {
  constexpr float hidden_gain = 1.41421356f, last_gain = 0.01f;
  for (int g = 0; g < plan_.group_count; ++g)
    for (int l = 0; l < plan_.group[g].layer_count; ++l) {
      const Layer &layer = plan_.group[g].layer[l];
      const int64_t vectors = std::min(layer.inputs, layer.outputs), length = std::max(layer.inputs, layer.outputs);
      std::vector<double> scratch(
          static_cast<size_t>(vectors * ((length + cohort_size - 1) / cohort_size * cohort_size)));
      kernels_->initialise(parameters_ + layer.weight, layer.outputs, layer.inputs,
                           l + 1 == plan_.group[g].layer_count ? last_gain : hidden_gain, static_cast<uint32_t>(g),
                           static_cast<uint32_t>(l), config_.seed, scratch.data());
    }
}

void Engine::info(swarmgrad_info &out) const {
  out.group_count = plan_.group_count;
  out.agent_count = plan_.agent_count;
  out.horizon = plan_.horizon;
  out.threads = pool_->size();
  out.isa = isa_;
  out.replays = plan_.replays;
  out.buffer_count = static_cast<int32_t>(buffers_.size());
  out.cohort_count = cohorts_of(config_.environments);
  out.parameter_count = plan_.parameter_count;
  out.bytes_per_cohort = static_cast<int64_t>(plan_.worker_bytes);
  out.bytes_total = static_cast<int64_t>(bytes_);
  out.flop_per_agent_step = plan_.flop_per_agent_step;
}

void Engine::check_group(int group) const {
  if (group < 0 || group >= plan_.group_count) reject("group is %d; allowed: 0 to %d", group, plan_.group_count - 1);
}

void Engine::check_given(int group, int64_t environments, int steps) const {
  check_group(group);
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
         group.name};
}

// ---- a pass over episodes ----------------------------------------------------------------------------------------

// The constant factor of every group's weights, from earlier iterations only.
void Engine::set_rules() {
  for (int g = 0; g < plan_.group_count; ++g) {
    double factor = config_.agent_reduction == SWARMGRAD_MEAN ? 1.0 / plan_.group[g].agents : 1.0;
    const double *moments = moments_ + 3 * g;
    const double deviation = moments[0] > 0 ? std::sqrt(moments[2] / moments[0]) : 0.0;
    // Returns that are all equal leave a deviation of rounding errors.
    if (config_.scale == SWARMGRAD_SCALE_RUNNING_DEVIATION && deviation > 1e-12 * std::abs(moments[1]))
      factor *= 1.0 / deviation;
    rules_[static_cast<size_t>(g)] = {config_.weight, config_.baseline, config_.discount, factor,
                                      baseline_ + int64_t{g} * plan_.horizon};
  }
}

Heartbeat Engine::heartbeat() const {
  int64_t beats = 0;
  for (const Worker &worker : workers_) beats += worker.beats->load(std::memory_order_relaxed);
  return {beats, iteration_under_way_.load(std::memory_order_relaxed)};
}

Pass Engine::new_pass(int64_t episodes) {
  iteration_under_way_.store(*iteration_, std::memory_order_relaxed);
  set_rules();
  Pass pass = {};
  pass.plan = &plan_;
  pass.parameters = parameters_;
  pass.panels = panels_;
  pass.rule = rules_.data();
  pass.entropy_coefficient = config_.entropy_coefficient;
  pass.seed = config_.seed;
  pass.iteration = static_cast<uint32_t>(*iteration_);
  pass.acting = SWARMGRAD_ACT_SAMPLED;
  pass.learns = true;
  pass.episodes = episodes;
  pass.cohorts = cohorts_of(episodes);
  pass.blocks = std::min(pass.cohorts, plan_.block_limit);
  pass.block_gradient = block_gradient_;
  pass.block_statistics = block_statistics_;
  pass.cancelled = &cancelled_;
  pass.cohorts_finished = &cohorts_finished_;
  return pass;
}

void Engine::pack() {
  if (panels_are_current_) return;
  const auto job = [this](int worker) { kernels_->pack_panels(plan_, parameters_, panels_, worker, pool_->size()); };
  pool_->share(plan_.panel_count, job);
  panels_are_current_ = true;
}

// The fault that the workers found in the earliest environment, if any.
void Engine::throw_fault() const {
  const Worker *faulty = nullptr;
  for (const Worker &worker : workers_)
    if (worker.fault.what != nullptr && (faulty == nullptr || worker.fault.environment < faulty->fault.environment))
      faulty = &worker;
  if (faulty == nullptr) return;
  const Fault &fault = faulty->fault;
  throw Failure(fault.status, named_.id + ", iteration " + std::to_string(*iteration_) + ", environment " +
                                  std::to_string(fault.environment) +
                                  (fault.agent < 0 ? "" : ", agent " + std::to_string(fault.agent)) +
                                  (fault.step < 0 ? ", at its start" : ", step " + std::to_string(fault.step)) +
                                  (fault.feature < 0 ? "" : ", feature " + std::to_string(fault.feature)) + ": " +
                                  fault.what);
}

void Engine::run(Pass &pass) {
  pack();
  next_block_.store(0, std::memory_order_relaxed);
  const auto job = [&](int index) {
    Worker &worker = workers_[static_cast<size_t>(index)];
    worker.fault = {};
    while (worker.fault.what == nullptr && !cancelled_.load(std::memory_order_relaxed)) {
      const int64_t block = next_block_.fetch_add(1, std::memory_order_relaxed);
      if (block >= pass.blocks) break;
      kernels_->run_block(pass, worker, block);
    }
  };
  pool_->run(job);
  const bool was_cancelled = cancelled_.exchange(false, std::memory_order_relaxed);
  throw_fault();
  if (was_cancelled)
    throw Failure(SWARMGRAD_CANCELLED, "cancelled; parameters are those of the last complete iteration");
}

// Leaves the sums over all blocks in the first one.
void Engine::reduce_statistics(const Pass &pass) {
  const int64_t stride = plan_.statistics_per_block;
  pairwise(pass.blocks, [&](int64_t to, int64_t from) {
    double *a = block_statistics_ + to * stride;
    const double *b = block_statistics_ + from * stride;
    for (int g = 0; g < plan_.group_count; ++g) {
      const GroupPlan &group = plan_.group[g];
      const auto begin = static_cast<int64_t>(group.statistics);
      const int64_t end = begin + statistic_count + group.agents + plan_.horizon;
      const double minimum = std::min(a[begin + return_minimum], b[begin + return_minimum]);
      const double maximum = std::max(a[begin + return_maximum], b[begin + return_maximum]);
      for (int64_t k = begin; k < end; ++k) a[k] += b[k];
      a[begin + return_minimum] = minimum;
      a[begin + return_maximum] = maximum;
    }
  });
  int agent = 0;
  for (int g = 0; g < plan_.group_count; ++g)
    for (int k = 0; k < plan_.group[g].agents; ++k)
      agent_return_[agent++] =
          block_statistics_[agent_return_at(plan_.group[g], k)] / static_cast<double>(pass.episodes);
}

void Engine::reduce_gradient(const Pass &pass, int64_t begin, int64_t end, float *out) {
  const auto job = [&](int worker) {
    const Range range = {begin + part_begin(worker, end - begin, pool_->size()),
                         begin + part_begin(worker + 1, end - begin, pool_->size())};
    kernels_->reduce_gradient(block_gradient_, plan_.parameter_count, pass.blocks, static_cast<double>(pass.episodes),
                              out, range);
  };
  pool_->share(pass.blocks * (end - begin), job);
}

void Engine::measure_norms(const float *gradient) {
  for (int g = 0; g < plan_.group_count; ++g) {
    const GroupPlan &group = plan_.group[g];
    const double norm = std::sqrt(kernels_->sum_of_squares(gradient + group.parameter_offset, group.parameter_count));
    if (!(norm <= HUGE_VAL) || std::isinf(norm))
      throw Failure(SWARMGRAD_NUMERIC, "iteration " + std::to_string(*iteration_) + ", group " + group.name +
                                           ": the gradient is not finite; smaller rewards, weights or learning rate");
    norms_[static_cast<size_t>(g)] = norm;
  }
}

void Engine::describe(const Pass &pass, swarmgrad_statistics *out) const {
  if (out == nullptr) return;
  for (int g = 0; g < plan_.group_count; ++g) {
    const GroupPlan &group = plan_.group[g];
    const double *sum = block_statistics_ + group.statistics;
    const auto n = static_cast<double>(pass.episodes);
    const double mean = sum[return_sum] / n, count = sum[agent_step_count];
    const double weight_mean = sum[weight_sum] / count;
    swarmgrad_statistics s = {};
    s.size = sizeof s;
    s.group = g;
    s.iteration = *iteration_;
    s.episodes = pass.episodes;
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
    if (pass.learns) {
      s.gradient_norm = norms_[static_cast<size_t>(g)];
      s.weight_variance = count > 0 ? std::max(0.0, sum[weight_square_sum] / count - weight_mean * weight_mean) : 0.0;
      s.effective_sample_size = sum[weight_square_sum] > 0
                                    ? sum[weight_magnitude_sum] * sum[weight_magnitude_sum] / sum[weight_square_sum]
                                    : 0.0;
      s.scale = rules_[static_cast<size_t>(g)].factor;
    }
    out[g] = s;
  }
}

// ---- training ----------------------------------------------------------------------------------------------------

void Engine::gradient(float *out, swarmgrad_statistics *statistics) {
  has_gradient_ = has_batch_ = false;
  Pass pass = new_pass(config_.environments);
  run(pass);
  reduce_statistics(pass);
  reduce_gradient(pass, 0, plan_.parameter_count, gradient_);
  measure_norms(gradient_);
  std::memcpy(batch_statistics_, block_statistics_, static_cast<size_t>(plan_.statistics_per_block) * sizeof(double));
  has_gradient_ = has_batch_ = true;
  describe(pass, statistics);
  if (out != nullptr) std::memcpy(out, gradient_, static_cast<size_t>(plan_.parameter_count) * sizeof(float));
}

// The next batch's baselines and scale, from the sums that gradient() left.
void Engine::commit_batch() {
  const auto n = static_cast<double>(config_.environments);
  for (int g = 0; g < plan_.group_count; ++g) {
    const GroupPlan &group = plan_.group[g];
    const double divisor = config_.weight == SWARMGRAD_OWN_RETURN ? n * group.agents : n;
    for (int step = 0; step < plan_.horizon; ++step)
      baseline_[int64_t{g} * plan_.horizon + step] = batch_statistics_[value_sum_at(group, step)] / divisor;
    // Chan, Golub, LeVeque: merging (count, mean, sum of squared deviations).
    const double *sum = batch_statistics_ + group.statistics;
    double *moments = moments_ + 3 * g;
    const double mean = sum[return_sum] / n, squares = std::max(0.0, sum[return_square_sum] - n * mean * mean);
    const double total = moments[0] + n, difference = mean - moments[1];
    moments[2] += squares + difference * difference * moments[0] * n / total;
    moments[1] += difference * n / total;
    moments[0] = total;
  }
}

void Engine::step(const float *gradient, double learning_rate) {
  if (!is_rate(learning_rate)) reject("learning_rate is %g; allowed: 0 to %g", learning_rate, double{FLT_MAX});
  if (gradient == nullptr && !has_gradient_)
    reject("gradient is null and the engine holds none since the last step; ask for a gradient first");
  if (gradient != nullptr) {
    measure_norms(gradient);
    std::memcpy(gradient_, gradient, static_cast<size_t>(plan_.parameter_count) * sizeof(float));
  }
  products_[0] *= config_.adam_beta1;
  products_[1] *= config_.adam_beta2;
  for (int g = 0; g < plan_.group_count; ++g) {
    const GroupPlan &group = plan_.group[g];
    const double norm = norms_[static_cast<size_t>(g)];
    const bool clips = config_.gradient_clip > 0 && norm > config_.gradient_clip;
    const OptimizerRule rule = {config_.optimizer,
                                static_cast<float>(learning_rate),
                                clips ? static_cast<float>(config_.gradient_clip / norm) : 1.0f,
                                static_cast<float>(config_.adam_beta1),
                                static_cast<float>(config_.adam_beta2),
                                static_cast<float>(1.0 - products_[0]),
                                static_cast<float>(1.0 - products_[1]),
                                static_cast<float>(config_.adam_epsilon)};
    const auto job = [&](int worker) {
      const Range range = {group.parameter_offset + part_begin(worker, group.parameter_count, pool_->size()),
                           group.parameter_offset + part_begin(worker + 1, group.parameter_count, pool_->size())};
      kernels_->optimize(rule, parameters_, first_moment_, second_moment_, gradient_, range);
    };
    pool_->share(group.parameter_count, job);
  }
  if (has_batch_) commit_batch();
  panels_are_current_ = has_gradient_ = has_batch_ = false;
  for (int g = 0; g < plan_.group_count; ++g)
    if (!std::isfinite(
            kernels_->sum_of_squares(parameters_ + plan_.group[g].parameter_offset, plan_.group[g].parameter_count)))
      throw Failure(SWARMGRAD_NUMERIC, "iteration " + std::to_string(*iteration_) + ", group " + plan_.group[g].name +
                                           ": the update left parameters that are not finite; write others, and learn "
                                           "at a smaller rate");
  ++*iteration_;
}

void Engine::train(int iterations, const double *learning_rate, swarmgrad_statistics *statistics) {
  if (iterations < 0) reject("iterations is %d; allowed: 0 or more", iterations);
  if (iterations > 0 && learning_rate == nullptr) reject("learning_rate is null; allowed: one for each iteration");
  for (int k = 0; k < iterations; ++k)
    if (!is_rate(learning_rate[k]))
      reject("learning_rate[%d] is %g; allowed: 0 to %g", k, learning_rate[k], double{FLT_MAX});
  for (int k = 0; k < iterations; ++k) {
    gradient(nullptr, statistics == nullptr ? nullptr : statistics + int64_t{k} * plan_.group_count);
    step(nullptr, learning_rate[k]);
  }
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
  }
  Pass pass = new_pass(config_.environments);
  pass.stream = Stream::record;
  pass.trajectories = trajectories;
  has_gradient_ = false;
  run(pass);
  reduce_statistics(pass);
  reduce_gradient(pass, 0, plan_.parameter_count, gradient_);
  measure_norms(gradient_);
  describe(pass, statistics);
  if (gradient != nullptr) std::memcpy(gradient, gradient_, static_cast<size_t>(plan_.parameter_count) * sizeof(float));
}

void Engine::evaluate(int64_t first_episode, int64_t episodes, int acting, swarmgrad_statistics *statistics) {
  constexpr int64_t limit = int64_t{1} << 31;
  if (episodes < 1 || episodes >= limit)
    reject("episodes is %lld; allowed: 1 to 2147483647", static_cast<long long>(episodes));
  if (first_episode < 0 || first_episode > limit - episodes)
    reject("first_episode is %lld; allowed: 0 to %lld with %lld episodes", static_cast<long long>(first_episode),
           static_cast<long long>(limit - episodes), static_cast<long long>(episodes));
  if (acting < SWARMGRAD_ACT_SAMPLED || acting > SWARMGRAD_ACT_RANDOM)
    reject("acting is %d; allowed: 0 sampled, 1 greedy, 2 random", acting);
  Pass pass = new_pass(episodes);
  pass.first_episode = first_episode;
  pass.stream = Stream::evaluation;
  pass.iteration = 0;
  pass.acting = acting;
  pass.learns = false;
  run(pass);
  reduce_statistics(pass);
  describe(pass, statistics);
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

void Engine::read(int index, void *values, int64_t count) const {
  const Buffer &buffer = buffer_at(index);
  if (values == nullptr && count > 0) reject("values is null for buffer %s", buffer.name);
  if (count != buffer.count)
    reject("count is %lld for buffer %s; allowed: %lld", static_cast<long long>(count), buffer.name,
           static_cast<long long>(buffer.count));
  if (count > 0)
    std::memcpy(values, arena_->base() + buffer.offset, static_cast<size_t>(count) * element_bytes(buffer.type));
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
  if (count > 0)
    std::memcpy(arena_->base() + buffer.offset, values, static_cast<size_t>(count) * element_bytes(buffer.type));
  panels_are_current_ = has_gradient_ = has_batch_ = false;
}

// ---- the parts on their own --------------------------------------------------------------------------------------

void Engine::forward(int group, int64_t rows, const float *observation, float *hidden, float *logit) {
  check_group(group);
  if (rows < 0) reject("rows is %lld; allowed: 0 or more", static_cast<long long>(rows));
  if (rows > 0 && observation == nullptr) reject("observation is null; allowed: [row][feature]");
  pack();
  Pass pass = new_pass(1);
  kernels_->forward(pass, workers_[0], group, rows, observation, hidden, logit);
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
  kernels_->logits(rows, config_.seed, logit_scratch_);
}

void Engine::weights(const swarmgrad_rewards &r) {
  check_given(r.group, r.environments, r.steps);
  const GroupPlan &group = plan_.group[r.group];
  if (r.reward == nullptr) reject("reward is null; allowed: [step][agent][environment]");
  if (r.weight == nullptr) reject("weight is null; allowed: [step][agent][environment]");
  if (r.cohort_count < 0 || r.cohort_count > r.environments)
    reject("cohort_count is %lld; allowed: 0 for the engine's own, or 1 to environments %lld",
           static_cast<long long>(r.cohort_count), static_cast<long long>(r.environments));
  if (r.cohort_count > 0 && r.cohort_first == nullptr) reject("cohort_first is null; allowed: [cohort_count + 1]");
  const int64_t cohorts = r.cohort_count > 0 ? r.cohort_count : cohorts_of(r.environments);
  const auto first_of = [&](int64_t c) {
    return r.cohort_count > 0 ? r.cohort_first[c] : part_begin(c, r.environments, cohorts);
  };
  if (first_of(0) != 0 || first_of(cohorts) != r.environments)
    reject("cohort_first runs from %lld to %lld; allowed: from 0 to environments %lld",
           static_cast<long long>(first_of(0)), static_cast<long long>(first_of(cohorts)),
           static_cast<long long>(r.environments));
  for (int64_t c = 0; c < cohorts; ++c) {
    const int64_t members = first_of(c + 1) - first_of(c);
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
  const Pass pass = new_pass(r.environments);
  workers_[0].fault = {};
  for (int64_t c = 0; c < cohorts; ++c)
    kernels_->weights(pass, workers_[0], r, first_of(c), first_of(c + 1) - first_of(c));
  throw_fault();
}

void Engine::gradient_of(const swarmgrad_batch &batch, float *gradient) {
  check_given(batch.group, batch.environments, batch.steps);
  const GroupPlan &group = plan_.group[batch.group];
  if (batch.observation == nullptr) reject("observation is null; allowed: [step][agent][feature][environment]");
  if (batch.action == nullptr) reject("action is null; allowed: [step][agent][environment]");
  if (batch.weight == nullptr) reject("weight is null; allowed: [step][agent][environment]");
  if (gradient == nullptr) reject("gradient is null; allowed: [parameters of the group]");
  for (int64_t k = 0; k < int64_t{batch.steps} * group.agents * batch.environments; ++k) {
    if (batch.alive != nullptr && batch.alive[k] == 0) continue;
    if (batch.action[k] < 0 || batch.action[k] >= group.action_count)
      reject("action[%lld] is %d; allowed: 0 to %d", static_cast<long long>(k), batch.action[k],
             group.action_count - 1);
    if (!std::isfinite(batch.weight[k]))
      reject("weight[%lld] is %g; allowed: finite numbers", static_cast<long long>(k),
             static_cast<double>(batch.weight[k]));
    const int64_t row = k / batch.environments, environment = k % batch.environments;
    if (batch.mask != nullptr &&
        batch.mask[(row * group.action_count + batch.action[k]) * batch.environments + environment] == 0)
      reject("action[%lld] is %d, which the mask forbids; allowed: available actions", static_cast<long long>(k),
             batch.action[k]);
  }
  Pass pass = new_pass(batch.environments);
  pass.given = &batch;
  has_gradient_ = false;
  run(pass);
  const int64_t begin = group.parameter_offset;
  reduce_gradient(pass, begin, begin + group.parameter_count, gradient_);
  std::memcpy(gradient, gradient_ + begin, static_cast<size_t>(group.parameter_count) * sizeof(float));
}

double Engine::fma_peak() {
  using Clock = std::chrono::steady_clock;
  constexpr double seconds = 0.02;
  constexpr int64_t iterations = 1 << 15;
  std::atomic<double> sum = 0;
  const auto job = [&](int) {
    float sink[3] = {0.999f, 0.001f, 0.0f};
    double operations = 0, elapsed = 0;
    for (const auto begin = Clock::now(); elapsed < seconds;
         elapsed = std::chrono::duration<double>(Clock::now() - begin).count())
      operations += kernels_->fma_chain(iterations, sink);
    sum += operations / elapsed;
  };
  pool_->run(job);
  return sum.load() / 1e9;
}

}  // namespace swarmgrad::cpu
