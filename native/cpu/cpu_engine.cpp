// See cpu_engine.h.
#include "cpu/cpu_engine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "host/failure.h"

namespace swarmgrad::cpu {
namespace {

int available_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace
}  // namespace swarmgrad::cpu

namespace swarmgrad::host {

std::unique_ptr<Engine> make_engine(const swarmgrad_config &config) { return std::make_unique<cpu::CpuEngine>(config); }

int device_count() { return 1; }

// What the kernel says of the processor; the instruction sets are swarmgrad_isa_available's to tell.
void describe_device(int, swarmgrad_device_info &out) {
  out = {};
  out.size = sizeof out;
  out.multiprocessors = cpu::available_cores();
  out.memory_bytes = static_cast<int64_t>(available_memory());
  out.free_memory_bytes = static_cast<int64_t>(sysconf(_SC_AVPHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  std::snprintf(out.name, sizeof out.name, "CPU");
}

void load_device_code(int, const void *, size_t) {
  throw Failure(SWARMGRAD_UNSUPPORTED, "the CPU engine runs no device code; a user's environment is its library alone");
}

}  // namespace swarmgrad::host

namespace swarmgrad::cpu {

using namespace host;

CpuEngine::CpuEngine(const swarmgrad_config &config) : Engine(config) {
  const int threads = config.threads > 0 ? config.threads : available_cores();
  const int64_t parameters = plan_.parameter_count, moments = config.optimizer == SWARMGRAD_ADAM ? parameters : 0;

  const size_t parameters_at = add_buffer("parameters", SWARMGRAD_F32, true, parameters);
  const size_t iteration_at = add_buffer("iteration", SWARMGRAD_I64, true, 1);
  const size_t first_at = add_buffer("adam_first_moment", SWARMGRAD_F32, true, moments);
  const size_t second_at = add_buffer("adam_second_moment", SWARMGRAD_F32, true, moments);
  const size_t products_at = add_buffer("adam_products", SWARMGRAD_F64, true, 2);
  const size_t baseline_at = add_buffer("baseline", SWARMGRAD_F64, true, int64_t{plan_.group_count} * plan_.horizon);
  const size_t moments_at = add_buffer("return_moments", SWARMGRAD_F64, true, int64_t{plan_.group_count} * 3);
  int64_t features = 0;
  for (int g = 0; g < plan_.group_count; ++g) features += plan_.group[g].normalised;
  const size_t observation_moments_at = add_buffer("observation_moments", SWARMGRAD_F64, true, features * 3);
  const size_t environment_parameters_at =
      add_buffer(environment_parameters_name, SWARMGRAD_F64, true, static_cast<int64_t>(named_.parameters.size()));
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
  return_moments_ = at<Moments>(moments_at);
  observation_moments_ = at<Moments>(observation_moments_at);
  environment_parameters_ = at<double>(environment_parameters_at);
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
    workers_.push_back(worker);
  }
  construct_environments();
  rules_.resize(static_cast<size_t>(plan_.group_count));
  sampled_.assign(static_cast<size_t>(plan_.group_count), SWARMGRAD_ACT_SAMPLED);
  normalisation_.resize(static_cast<size_t>(features));
  norms_.resize(static_cast<size_t>(plan_.network_count));
  factors_.resize(static_cast<size_t>(plan_.group_count));
  pool_ = std::make_unique<ThreadPool>(threads, available_cores());
  initial_parameters(parameters_);
}

void CpuEngine::describe_memory(swarmgrad_info &out) const {
  out.threads = pool_->size();
  out.isa = isa_;
  out.replays = plan_.replays;
  out.bytes_per_cohort = static_cast<int64_t>(plan_.worker_bytes);
  out.bytes_total = static_cast<int64_t>(bytes_);
}

// With the parameters as they are now.
void CpuEngine::construct_environments() {
  std::copy(named_.parameters.begin(), named_.parameters.end(), environment_parameters_);
  for (const Worker &worker : workers_)
    plan_.environment->construct(*plan_.environment, named_.parameters.data(), worker.memory + plan_.environment_object,
                                 worker.memory + plan_.environment_memory);
}

// ---- a pass over episodes ----------------------------------------------------------------------------------------

// What weights and observations are multiplied with, from earlier iterations only.
void CpuEngine::set_rules() {
  Normalisation *normalisation = normalisation_.data();
  const Moments *moments = observation_moments_;
  for (int g = 0; g < plan_.group_count; ++g) {
    GroupRule &rule = rules_[static_cast<size_t>(g)];
    rule = rule_of(g, return_moments_[g]);
    rule.previous_baseline = baseline_ + int64_t{g} * plan_.horizon;
    rule.normalisation = normalisation;
    factors_[static_cast<size_t>(g)] = rule.factor;
    for (int f = 0; f < plan_.group[g].normalised; ++f) *normalisation++ = swarmgrad::normalisation(*moments++);
  }
}

Heartbeat CpuEngine::heartbeat() const {
  int64_t beats = 0;
  for (const Worker &worker : workers_) beats += worker.beats->load(std::memory_order_relaxed);
  return {beats, iteration_under_way_.load(std::memory_order_relaxed)};
}

Pass CpuEngine::new_pass(int64_t episodes) {
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
  pass.acting = sampled_.data();
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

void CpuEngine::pack() {
  if (panels_are_current_) return;
  const auto job = [this](int worker) { kernels_->pack_panels(plan_, parameters_, panels_, worker, pool_->size()); };
  pool_->share(plan_.panel_count, job);
  panels_are_current_ = true;
}

// Throws the fault that the workers found in the earliest environment, if any.
void CpuEngine::throw_first_fault() const {
  const Worker *faulty = nullptr;
  for (const Worker &worker : workers_)
    if (worker.fault.what != nullptr && (faulty == nullptr || worker.fault.environment < faulty->fault.environment))
      faulty = &worker;
  if (faulty != nullptr) throw_fault(faulty->fault, *iteration_);
}

void CpuEngine::run(Pass &pass) {
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
  throw_first_fault();
  if (was_cancelled) throw_cancelled();
}

// Leaves the sums over all blocks in the first one.
void CpuEngine::reduce_statistics(const Pass &pass) {
  const int64_t stride = plan_.statistics_per_block;
  pairwise(pass.blocks, [&](int64_t to, int64_t from) {
    double *a = block_statistics_ + to * stride;
    const double *b = block_statistics_ + from * stride;
    for (int g = 0; g < plan_.group_count; ++g)
      merge_statistics(statistics_of(plan_.group[g], plan_.horizon), a + plan_.group[g].statistics,
                       b + plan_.group[g].statistics);
  });
  int agent = 0;
  for (int g = 0; g < plan_.group_count; ++g)
    for (int k = 0; k < plan_.group[g].agents; ++k)
      agent_return_[agent++] = block_statistics_[static_cast<int64_t>(plan_.group[g].statistics) + agent_return_at(k)] /
                               static_cast<double>(pass.episodes);
}

void CpuEngine::reduce_gradient(const Pass &pass, int64_t begin, int64_t end, float *out) {
  const auto job = [&](int worker) {
    const Range range = {begin + part_begin(worker, end - begin, pool_->size()),
                         begin + part_begin(worker + 1, end - begin, pool_->size())};
    kernels_->reduce_gradient(block_gradient_, plan_.parameter_count, pass.blocks, static_cast<double>(pass.episodes),
                              out, range);
  };
  pool_->share(pass.blocks * (end - begin), job);
}

void CpuEngine::measure_norms(const float *gradient) {
  for (int g = 0; g < plan_.network_count; ++g) {
    const GroupPlan &group = plan_.group[g];
    const double norm = std::sqrt(kernels_->sum_of_squares(gradient + group.parameter_offset, group.parameter_count));
    check_norm(g, norm, *iteration_);
    norms_[static_cast<size_t>(g)] = norm;
  }
}

void CpuEngine::describe_batch(const Pass &pass, swarmgrad_statistics *out) const {
  describe({*iteration_, pass.episodes, pass.learns, block_statistics_, norms_.data(), factors_.data()}, out);
}

// ---- training ----------------------------------------------------------------------------------------------------

void CpuEngine::make_gradient(double entropy_coefficient, swarmgrad_statistics *statistics) {
  Pass pass = new_pass(config_.environments);
  pass.entropy_coefficient = entropy_coefficient;
  run(pass);
  reduce_statistics(pass);
  reduce_gradient(pass, 0, plan_.parameter_count, gradient_);
  measure_norms(gradient_);
  std::memcpy(batch_statistics_, block_statistics_, static_cast<size_t>(plan_.statistics_per_block) * sizeof(double));
  describe_batch(pass, statistics);
}

void CpuEngine::run_gradient(float *out, swarmgrad_statistics *statistics) {
  make_gradient(config_.entropy_coefficient, statistics);
  if (out != nullptr) std::memcpy(out, gradient_, static_cast<size_t>(plan_.parameter_count) * sizeof(float));
}

// What the next batch is corrected, scaled and normalised with, from the sums that gradient() left.
void CpuEngine::commit_batch() {
  const auto n = static_cast<double>(config_.environments);
  Moments *observation_moments = observation_moments_;
  for (int g = 0; g < plan_.group_count; ++g) {
    const GroupPlan &group = plan_.group[g];
    const double *sum = batch_statistics_ + group.statistics;
    for (int step = 0; step < plan_.horizon; ++step)
      baseline_[int64_t{g} * plan_.horizon + step] = mean_value(
          sum[value_sum_at(group.agents, step)], n, config_.weight == SWARMGRAD_OWN_RETURN ? group.agents : 1);
    merge(return_moments_[g], n, sum[return_sum], sum[return_square_sum]);
    const double *features = sum + feature_sums_at(group.agents, plan_.horizon);
    for (int f = 0; f < group.normalised; ++f)
      merge(*observation_moments++, sum[agent_step_count], features[f], features[group.normalised + f]);
  }
}

void CpuEngine::run_step(const float *gradient, const swarmgrad_rates &rates, bool commits) {
  if (gradient != nullptr) {
    measure_norms(gradient);
    std::memcpy(gradient_, gradient, static_cast<size_t>(plan_.parameter_count) * sizeof(float));
  }
  products_[0] *= config_.adam_beta1;
  products_[1] *= config_.adam_beta2;
  const Optimizer optimizer = {config_.optimizer, config_.gradient_clip, config_.adam_beta1, config_.adam_beta2,
                               config_.adam_epsilon};
  for (int g = 0; g < plan_.network_count; ++g) {
    const GroupPlan &group = plan_.group[g];
    const OptimizerStep step =
        optimizer_step(optimizer, group.is_value ? rates.value_learning_rate : rates.learning_rate,
                       norms_[static_cast<size_t>(g)], products_[0], products_[1]);
    const auto job = [&](int worker) {
      const Range range = {group.parameter_offset + part_begin(worker, group.parameter_count, pool_->size()),
                           group.parameter_offset + part_begin(worker + 1, group.parameter_count, pool_->size())};
      kernels_->optimize(step, parameters_, first_moment_, second_moment_, gradient_, range);
    };
    pool_->share(group.parameter_count, job);
  }
  if (commits) commit_batch();
  panels_are_current_ = false;
  for (int g = 0; g < plan_.network_count; ++g)
    if (!std::isfinite(
            kernels_->sum_of_squares(parameters_ + plan_.group[g].parameter_offset, plan_.group[g].parameter_count)))
      throw_update_fault(g, *iteration_);
  ++*iteration_;
}

void CpuEngine::run_training(int iterations, const swarmgrad_rates *rates, swarmgrad_statistics *statistics) {
  for (int k = 0; k < iterations; ++k) {
    make_gradient(rates[k].entropy_coefficient,
                  statistics == nullptr ? nullptr : statistics + int64_t{k} * plan_.group_count);
    run_step(nullptr, rates[k], true);
  }
}

void CpuEngine::run_record(const swarmgrad_trajectories *trajectories, float *gradient,
                           swarmgrad_statistics *statistics) {
  Pass pass = new_pass(config_.environments);
  pass.stream = Stream::record;
  pass.trajectories = trajectories;
  run(pass);
  reduce_statistics(pass);
  reduce_gradient(pass, 0, plan_.parameter_count, gradient_);
  measure_norms(gradient_);
  describe_batch(pass, statistics);
  if (gradient != nullptr) std::memcpy(gradient, gradient_, static_cast<size_t>(plan_.parameter_count) * sizeof(float));
}

void CpuEngine::run_evaluation(int64_t first_episode, int64_t episodes, const int32_t *acting,
                               swarmgrad_statistics *statistics) {
  Pass pass = new_pass(episodes);
  pass.first_episode = first_episode;
  pass.stream = Stream::evaluation;
  pass.iteration = 0;
  pass.acting = acting;
  pass.learns = false;
  run(pass);
  reduce_statistics(pass);
  describe_batch(pass, statistics);
}

// ---- buffers and parts -------------------------------------------------------------------------------------------

void CpuEngine::read_buffer(const Buffer &buffer, void *values) {
  std::memcpy(values, arena_->base() + buffer.offset, static_cast<size_t>(buffer.count) * element_bytes(buffer.type));
}

void CpuEngine::write_buffer(const Buffer &buffer, const void *values) {
  std::memcpy(arena_->base() + buffer.offset, values, static_cast<size_t>(buffer.count) * element_bytes(buffer.type));
  panels_are_current_ = false;
  if (std::strcmp(buffer.name, environment_parameters_name) == 0) construct_environments();
}

void CpuEngine::run_forward(int network, int64_t rows, const float *observation, float *hidden, float *logit) {
  pack();
  Pass pass = new_pass(1);
  kernels_->forward(pass, workers_[0], network, rows, observation, hidden, logit);
}

void CpuEngine::run_logits(const swarmgrad_logit_rows &rows) { kernels_->logits(rows, config_.seed, logit_scratch_); }

void CpuEngine::run_weights(const swarmgrad_rewards &r) {
  const Pass pass = new_pass(r.environments);
  workers_[0].fault = {};
  for (int64_t c = 0; c < cohort_count(r) && workers_[0].fault.what == nullptr; ++c)
    kernels_->weights(pass, workers_[0], r, cohort_begin(r, c), cohort_begin(r, c + 1) - cohort_begin(r, c));
  throw_first_fault();
}

void CpuEngine::run_gradient_of(const swarmgrad_batch &batch, float *gradient) {
  const GroupPlan &group = plan_.group[batch.network];
  Pass pass = new_pass(batch.environments);
  pass.given = &batch;
  run(pass);
  const int64_t begin = group.parameter_offset;
  reduce_gradient(pass, begin, begin + group.parameter_count, gradient_);
  std::memcpy(gradient, gradient_ + begin, static_cast<size_t>(group.parameter_count) * sizeof(float));
}

double CpuEngine::fma_peak() {
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
