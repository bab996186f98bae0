// See engine.h.
#include "cuda/engine.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/moments.h"
#include "cuda/fma_chains.h"
#include "cuda/gradient.h"
#include "cuda/kernel.h"
#include "host/arena.h"
#include "host/environment_library.h"

SWARMGRAD_KERNEL_HANDLE(swarmgrad_weigh);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_fold);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_reduce);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_measure);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_update);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_commit);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_pack);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_given_logits);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_fma_chains);

namespace swarmgrad::cuda {

using host::Buffer;
using host::element_bytes;
using host::Failure;
using host::GroupPlan;

namespace {

// What plan.h says again, since NVRTC reads it and not the ABI's header.
static_assert(cohort_size == host::cohort_size && max_layers == host::max_layers);
static_assert(tanh_activation == SWARMGRAD_TANH && acts_greedily == SWARMGRAD_ACT_GREEDY &&
              acts_randomly == SWARMGRAD_ACT_RANDOM);

static_assert(sizeof(Rates) == sizeof(swarmgrad_rates));

constexpr size_t usual_wave_bytes = size_t{2} << 30;  // more than any device needs to be busy
constexpr int64_t busy_cohorts = 512;                 // as many as leave no device idle
constexpr size_t usual_staging_bytes = size_t{1} << 20;
constexpr size_t log_bytes = size_t{1} << 20;
constexpr int longest_launch = 64;       // iterations between two synchronisations
constexpr int waves_between_looks = 64;  // of an evaluation, which may have millions, at whether it is cancelled

// Cuts memory that begins at `base`, or null to measure only, into arrays.
class Cut {
 public:
  explicit Cut(char *base) : base_(base) {}
  template <class T>
  T *take(int64_t count) {
    const size_t at = size_;
    size_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<size_t>(count), sizeof(T), &bytes) || bytes > size_t{1} << 60 ||
        size_ > size_t{1} << 60)
      throw Failure(SWARMGRAD_OUT_OF_MEMORY, "the configuration needs more bytes than an address can name");
    size_ += (bytes + alignment - 1) / alignment * alignment;
    return base_ == nullptr ? nullptr : reinterpret_cast<T *>(base_ + at);
  }
  size_t size() const { return size_; }

  static constexpr size_t alignment = 256;

 private:
  char *base_;
  size_t size_ = 0;
};

// Arrays of so many rows for swarmgrad_forward and swarmgrad_logits; return the bytes of them all.
size_t cut_forward(const Group &group, int64_t rows, char *base, float *arrays[3]) {
  Cut cut(base);
  arrays[0] = cut.take<float>(rows * group.observation_size);
  arrays[1] = cut.take<float>(rows * (group.features - group.observation_size));
  arrays[2] = cut.take<float>(rows * group.action_count);
  return cut.size();
}
struct LogitArrays {
  float *logit, *weight, *log_probability, *entropy, *gradient, *exponential;
  uint16_t *available;
  int32_t *action;
};
size_t cut_logits(int actions, int64_t rows, char *base, LogitArrays &arrays) {
  Cut cut(base);
  arrays.logit = cut.take<float>(rows * actions);
  arrays.weight = cut.take<float>(rows);
  arrays.log_probability = cut.take<float>(rows * actions);
  arrays.entropy = cut.take<float>(rows);
  arrays.gradient = cut.take<float>(rows * actions);
  arrays.exponential = cut.take<float>(rows * actions);
  arrays.available = cut.take<uint16_t>(rows * actions);
  arrays.action = cut.take<int32_t>(rows);
  return cut.size();
}
// How many of `rows` rows fit, where `cut` says how many bytes so many take.
template <class Bytes>
int64_t rows_within(size_t bytes, int64_t rows, const Bytes &cut) {
  rows = std::min<int64_t>(rows, 1 << 20);
  while (rows > 1 && cut(rows) > bytes) rows /= 2;
  return rows;
}

int64_t words(size_t bytes) { return static_cast<int64_t>((bytes + 7) / 8); }

template <class T>
constexpr int64_t floats_of = sizeof(T) / sizeof(float);
template <class T>
constexpr int64_t doubles_of = sizeof(T) / sizeof(double);

}  // namespace

// ---- creation ----------------------------------------------------------------------------------------------------

CudaEngine::CudaEngine(const swarmgrad_config &config)
    : Engine(config),
      device_(checked_device(config)),
      rollout_code_(named_.index, named_.id.c_str()),
      stream_(create_stream()),
      begin_(create_event()),
      end_(create_event()) {
  for (int n = 0; n < plan_.network_count; ++n) groups_.push_back(group_of(plan_.group[n], panel_count_));
  plan_environment();

  const int64_t parameters = plan_.parameter_count, moments = config.optimizer == SWARMGRAD_ADAM ? parameters : 0;
  const int64_t groups = plan_.group_count, networks = plan_.network_count, statistics = plan_.statistics_per_block;
  const auto group_bytes = sizeof(Group) * groups_.size();
  log_iterations_ = static_cast<int>(
      std::clamp<int64_t>(static_cast<int64_t>(log_bytes / sizeof(double)) / statistics, 1, longest_launch));

  const size_t parameters_at = add_buffer("parameters", SWARMGRAD_F32, true, parameters);
  const size_t state_at = add_buffer("iteration", SWARMGRAD_I64, true, 1);
  // Buffers begin on cache lines: the rest of the state, which no iteration leaves to the next, has room beside it.
  static_assert(sizeof(State) <= host::cache_line);
  buffers_.back().offset += offsetof(State, control) + offsetof(Control, iteration);
  const size_t first_at = add_buffer("adam_first_moment", SWARMGRAD_F32, true, moments);
  const size_t second_at = add_buffer("adam_second_moment", SWARMGRAD_F32, true, moments);
  const size_t products_at = add_buffer("adam_products", SWARMGRAD_F64, true, 2);
  const size_t baseline_at = add_buffer("baseline", SWARMGRAD_F64, true, groups * plan_.horizon);
  const size_t moments_at = add_buffer("return_moments", SWARMGRAD_F64, true, groups * doubles_of<Moments>);
  int64_t features = 0;
  for (int g = 0; g < plan_.group_count; ++g) features += plan_.group[g].normalised;
  const size_t observation_moments_at =
      add_buffer("observation_moments", SWARMGRAD_F64, true, features * doubles_of<Moments>);
  const size_t environment_at = add_buffer(host::environment_parameters_name, SWARMGRAD_F64, true,
                                           static_cast<int64_t>(named_.parameters.size()));
  const size_t agent_return_at = add_buffer("agent_return", SWARMGRAD_F64, false, plan_.agent_count);
  const size_t gradient_at = add_buffer("gradient", SWARMGRAD_F32, false, parameters);
  const size_t panels_at = add_buffer("panels", SWARMGRAD_F32, false, panel_count_);
  const size_t block_gradient_at = add_buffer("block_gradient", SWARMGRAD_F32, false, plan_.block_limit * parameters);
  const size_t block_statistics_at =
      add_buffer("block_statistics", SWARMGRAD_F64, false, plan_.block_limit * statistics);
  const size_t empty_statistics_at =
      add_buffer("empty_statistics", SWARMGRAD_F64, false, plan_.block_limit * statistics);
  const size_t batch_statistics_at = add_buffer("batch_statistics", SWARMGRAD_F64, false, statistics);
  const size_t norms_at = add_buffer("norms", SWARMGRAD_F64, false, networks);
  const size_t normalisation_at =
      add_buffer("normalisation", SWARMGRAD_F32, false, features * floats_of<Normalisation>);
  const size_t rates_at = add_buffer("rates", SWARMGRAD_F64, false, log_iterations_ * doubles_of<Rates>);
  const size_t statistics_log_at = add_buffer("statistics_log", SWARMGRAD_F64, false, log_iterations_ * statistics);
  const size_t norm_log_at = add_buffer("norm_log", SWARMGRAD_F64, false, log_iterations_ * networks);
  const size_t factor_log_at = add_buffer("factor_log", SWARMGRAD_F64, false, log_iterations_ * groups);
  const size_t zero_at = add_buffer("evaluation_iteration", SWARMGRAD_I64, false, 1);
  const size_t groups_at = add_buffer("training_groups", SWARMGRAD_I64, false, words(group_bytes));
  const size_t pass_groups_at = add_buffer("pass_groups", SWARMGRAD_I64, false, words(group_bytes));
  const size_t rules_at = add_buffer("rules", SWARMGRAD_I64, false, groups * words(sizeof(Rule)));
  choose_wave();
  choose_kernels();
  const size_t scratch_at = add_buffer("scratch", SWARMGRAD_I64, false, words(scratch_bytes_));
  const size_t wave_at = add_buffer("wave", SWARMGRAD_I64, false, words(wave_bytes_));

  check_memory();
  memory_ = allocate_device(bytes_);
  take_pinned();
  parameters_ = at<float>(parameters_at);
  state_ = at<State>(state_at);
  first_moment_ = at<float>(first_at);
  second_moment_ = at<float>(second_at);
  products_ = at<double>(products_at);
  baseline_ = at<double>(baseline_at);
  return_moments_ = at<Moments>(moments_at);
  observation_moments_ = at<Moments>(observation_moments_at);
  normalisation_ = at<Normalisation>(normalisation_at);
  agent_return_ = at<double>(agent_return_at);
  gradient_ = at<float>(gradient_at);
  panels_ = at<float>(panels_at);
  block_gradient_ = at<float>(block_gradient_at);
  block_statistics_ = at<double>(block_statistics_at);
  empty_statistics_ = at<double>(empty_statistics_at);
  batch_statistics_ = at<double>(batch_statistics_at);
  norms_ = at<double>(norms_at);
  rates_ = at<Rates>(rates_at);
  statistics_log_ = at<double>(statistics_log_at);
  norm_log_ = at<double>(norm_log_at);
  factor_log_ = at<double>(factor_log_at);
  environment_parameters_ = at<double>(environment_at);
  evaluation_iteration_ = at<int64_t>(zero_at);
  training_groups_ = at<Group>(groups_at);
  pass_groups_ = at<Group>(pass_groups_at);
  rules_ = at<Rule>(rules_at);
  scratch_ = at<char>(scratch_at);
  wave_ = at<char>(wave_at);
  wave_first_.resize(static_cast<size_t>(wave_cohorts_) + 1);
  wave_length_.resize(static_cast<size_t>(wave_cohorts_ * cohort_size));
  wave_truncated_.resize(wave_length_.size());

  fill_memory();
  capture_graphs();
}

CudaEngine::~CudaEngine() {
  // A kernel still running would write into memory given back; the answer of a lost device helps nobody any more.
  if (cudaSetDevice(device_.index()) != cudaSuccess || cudaStreamSynchronize(stream_.get()) != cudaSuccess)
    static_cast<void>(cudaGetLastError());
}

// What the host needs of the environment besides the table: how much one episode's arrays take, and the text of its rules'
// fault, which only an episode under way tells.
void CudaEngine::plan_environment() {
  const host::EnvironmentTable &table = *plan_.environment;
  const size_t bytes = table.memory_bytes(host::EnvironmentObject(table, named_.parameters, nullptr).get());
  state_bytes_ = bytes / cohort_size;
  const host::Arena memory(bytes);
  host::EnvironmentObject object(table, named_.parameters, memory.base());
  table.reset(object.get(), {0, 1, 0, Stream::training, config_.seed});
  if (const char *text = table.problem(object.get()).text) rules_text_ = text;
}

// Cuts memory for so many cohorts into the arrays of a wave; returns how many bytes they take.
size_t CudaEngine::cut_wave(const WaveKind &kind, int64_t cohorts, char *base, Pass &pass) {
  Cut cut(base);
  const int64_t slots = cohorts * cohort_size;
  pass.length = cut.take<int32_t>(slots);
  pass.truncated = cut.take<uint8_t>(slots);
  pass.cohort_steps = cut.take<int32_t>(cohorts);
  pass.fault = cut.take<Fault>(slots);
  pass.cohort_statistics = cut.take<double>(cohorts * plan_.statistics_per_block);
  pass.cohort_first = kind.is_partitioned ? cut.take<int64_t>(cohorts + 1) : nullptr;
  for (int n = 0; n < plan_.network_count; ++n) {
    if (kind.network >= 0 && n != kind.network) continue;
    Group &group = groups_[static_cast<size_t>(n)];
    group.acting = kind.acting == nullptr || group.is_value != 0 ? SWARMGRAD_ACT_SAMPLED : kind.acting[n];
    const int64_t rows = slots * group.rows;
    group.reward = cut.take<float>(rows);
    group.unit_gradient = cut.take<float>(cohorts * group.segments * group.parameter_count);
    if (group.is_value != 0) {
      // It sees what the policy does, agent after agent; that they are neighbours makes joint rows of them.
      const Group &policy = groups_[static_cast<size_t>(n - plan_.group_count)];
      group.observation = kind.network < 0 ? policy.observation : cut.take<float>(rows * group.observation_size);
      group.last_observation = kind.network < 0 ? policy.last_observation : nullptr;
      group.output = kind.network < 0 ? cut.take<float>(rows + slots * group.agents) : nullptr;
      continue;
    }
    const bool is_training = kind.network < 0 && !kind.records;
    group.kept_hidden = is_training && stores_ ? group.features - group.observation_size + group.action_count : 0;
    group.observation = cut.take<float>(rows * group.observation_size);
    group.last_observation =
        plan_.values_last_state ? cut.take<float>(slots * group.agents * group.observation_size) : nullptr;
    group.hidden = cut.take<float>(rows * group.kept_hidden);
    group.action = cut.take<int32_t>(rows);
    group.alive = cut.take<uint8_t>(rows);
    // A given batch may have a mask where the environment has none, and none where it has one.
    const bool has_mask = kind.network >= 0 ? kind.has_mask : group.has_mask != 0;
    group.available = has_mask ? cut.take<uint16_t>(rows * group.action_count) : nullptr;
    group.entropy = cut.take<float>(rows);
    group.log_probability = kind.records ? cut.take<float>(rows) : nullptr;
    group.value = cut.take<double>(slots * std::max(plan_.horizon, group.agents));
    group.feature_sums = cut.take<double>(slots * 2 * group.normalised);
  }
  return cut.size();
}

// As many cohorts as the budget holds, spread evenly over the waves; at least one, and one row of what the calls with rows
// of their own take.
void CudaEngine::choose_wave() {
  const auto bytes_of = [&](int64_t cohorts) {
    Pass pass = {};
    size_t bytes = 0;
    for (const WaveKind &kind : {WaveKind{}, WaveKind{.records = true}, WaveKind{.is_partitioned = true}})
      bytes = std::max(bytes, cut_wave(kind, cohorts, nullptr, pass));
    for (int n = 0; n < plan_.network_count; ++n)
      bytes = std::max(bytes, cut_wave({.network = n, .has_mask = true}, cohorts, nullptr, pass));
    return bytes;
  };
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  const size_t left = bytes_ < free / 2 ? free / 2 - bytes_ : 0;
  const size_t budget =
      std::min(left, config_.stored_bytes > 0 ? static_cast<size_t>(config_.stored_bytes) : usual_wave_bytes);
  const int64_t cohorts = host::cohorts_of(config_.environments);
  // Stored activations must not make waves so small that they leave a device idle.
  stores_ = true;
  stores_ = bytes_of(std::min(cohorts, busy_cohorts)) <= budget;
  const int64_t fitting = std::clamp<int64_t>(static_cast<int64_t>(budget / bytes_of(1)), 1, cohorts);
  const int64_t waves = (cohorts - 1) / fitting + 1;
  wave_cohorts_ = (cohorts - 1) / waves + 1;

  float *forward[3];
  LogitArrays logits;
  wave_bytes_ = std::max(bytes_of(wave_cohorts_), cut_logits(widest_logits, 1, nullptr, logits));
  for (const Group &group : groups_) wave_bytes_ = std::max(wave_bytes_, cut_forward(group, 1, nullptr, forward));
}

// How every kernel is launched, and what scratch memory those need that keep something outside of shared memory.
void CudaEngine::choose_kernels() {
  const cudaDeviceProp &device = device_.properties();
  const SharedMemory memory = {device.sharedMemPerBlockOptin, device.sharedMemPerMultiprocessor,
                               device.reservedSharedMemPerBlock};
  const auto prepare = [&](const char *name, const void *handle, const Launch &launch) {
    Kernel kernel = {name, handle, std::min(launch.threads, device.maxThreadsPerBlock), launch.shared_bytes, 0};
    // Always the most: the attribute is the kernel's, and other networks and engines launch it too.
    cudaFuncAttributes attributes = {};
    check(cudaFuncGetAttributes(&attributes, handle), "cudaFuncGetAttributes");
    check(cudaFuncSetAttribute(handle, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(device.sharedMemPerBlockOptin - attributes.sharedSizeBytes)),
          "cudaFuncSetAttribute");
    int blocks = 0;
    check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, handle, kernel.threads, launch.shared_bytes),
          "cudaOccupancyMaxActiveBlocksPerMultiprocessor");
    kernel.most_blocks = int64_t{std::max(blocks, 1)} * device.multiProcessorCount;
    return kernel;
  };
  const auto keep_scratch = [&](const Kernel &kernel, const Launch &launch) {
    scratch_bytes_ = std::max(scratch_bytes_, static_cast<size_t>(kernel.most_blocks) * launch.scratch_bytes_per_block);
  };
  weigh_kernel_ = prepare("swarmgrad_weigh", swarmgrad_weigh_handle, {128, 0, 0});
  fold_kernel_ = prepare("swarmgrad_fold", swarmgrad_fold_handle, {256, 0, 0});
  reduce_kernel_ = prepare("swarmgrad_reduce", swarmgrad_reduce_handle, {256, 0, 0});
  measure_kernel_ = prepare("swarmgrad_measure", swarmgrad_measure_handle, {512, 0, 0});
  update_kernel_ = prepare("swarmgrad_update", swarmgrad_update_handle, {256, 0, 0});
  commit_kernel_ = prepare("swarmgrad_commit", swarmgrad_commit_handle, {256, 0, 0});
  pack_kernel_ = prepare("swarmgrad_pack", swarmgrad_pack_handle, {256, 0, 0});
  logits_kernel_ = prepare("swarmgrad_given_logits", swarmgrad_given_logits_handle, {256, 0, 0});
  fma_kernel_ = prepare("swarmgrad_fma_chains", swarmgrad_fma_chains_handle, {256, 0, 0});

  rollout_.pass.group_count = plan_.group_count;
  rollout_.pass.agent_count = plan_.agent_count;
  rollout_.pass.wave_cohorts = static_cast<int>(wave_cohorts_);
  choose_tiles(rollout_, groups_.data(), memory, device.multiProcessorCount);
  const Launch rollout = lay_out(rollout_, groups_.data(), state_bytes_, memory);
  rollout_.scratch_bytes_per_block = rollout.scratch_bytes_per_block;
  rollout_kernel_ = prepare("swarmgrad_rollout", rollout_code_.handle(), rollout);
  keep_scratch(rollout_kernel_, rollout);
  for (int n = 0; n < plan_.network_count; ++n) {
    const Group &group = groups_[static_cast<size_t>(n)];
    Differentiate differentiate = {};
    differentiate.network = n;
    const Launch gradient = lay_out(differentiate, group, memory);
    differentiate.scratch_bytes_per_block = gradient.scratch_bytes_per_block;
    const GradientKernel kernel = gradient_kernel(differentiate);
    gradient_kernels_.push_back(prepare(kernel.name, kernel.handle, gradient));
    differentiate_.push_back(differentiate);
    // A wide layer's counter is large: none for blocks that no unit needs.
    Kernel &prepared = gradient_kernels_.back();
    prepared.most_blocks = std::min(prepared.most_blocks, wave_cohorts_ * group.segments);
    keep_scratch(prepared, gradient);
    Forward forward = {};
    forward.network = n;
    const Launch rows = lay_out(forward, group, memory);
    forward.scratch_bytes_per_block = rows.scratch_bytes_per_block;
    forward_kernels_.push_back(prepare("swarmgrad_forward_rows", swarmgrad_forward_rows_handle, rows));
    forward_.push_back(forward);
    keep_scratch(forward_kernels_.back(), rows);
  }
}

void CudaEngine::check_memory() const {
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  if (bytes_ <= free) return;
  throw Failure(SWARMGRAD_OUT_OF_MEMORY,
                "the configuration needs " + std::to_string(bytes_) + " bytes, this device (" +
                    device_.properties().name + ") has " + std::to_string(free) + " of its " + std::to_string(total) +
                    " free; fewer environments, a shorter horizon or a smaller policy need less");
}

void CudaEngine::take_pinned() {
  size_t widest_row = 0;
  for (const Group &group : groups_)
    widest_row =
        std::max(widest_row, sizeof(float) * static_cast<size_t>(std::max(group.observation_size, group.action_count)));
  staging_bytes_ = std::max(usual_staging_bytes, widest_row);
  const auto cut = [&](char *base) {
    Cut memory(base);
    mailbox_ = memory.take<Mailbox>(1);
    host_rates_ = memory.take<Rates>(log_iterations_);
    host_statistics_ = memory.take<double>(log_iterations_ * plan_.statistics_per_block);
    host_norms_ = memory.take<double>(log_iterations_ * plan_.network_count);
    host_factors_ = memory.take<double>(log_iterations_ * plan_.group_count);
    host_groups_ = memory.take<Group>(plan_.network_count);
    host_rules_ = memory.take<Rule>(plan_.group_count);
    staging_ = memory.take<char>(static_cast<int64_t>(staging_bytes_));
    return memory.size();
  };
  pinned_ = allocate_pinned(cut(nullptr));
  cut(pinned_.get());
}

// Everything that a new engine's memory holds; the rest is written before it is read.
void CudaEngine::fill_memory() {
  const size_t fixed = static_cast<size_t>(reinterpret_cast<char *>(scratch_) - memory_.get());
  check(cudaMemsetAsync(memory_.get(), 0, fixed, stream_.get()), "cudaMemsetAsync");

  std::vector<float> parameters(static_cast<size_t>(plan_.parameter_count));
  initial_parameters(parameters.data());
  upload(parameters_, parameters.data(), parameters.size() * sizeof(float));
  const double products[2] = {1.0, 1.0};
  upload(products_, products, sizeof products);
  upload(environment_parameters_, named_.parameters.data(), named_.parameters.size() * sizeof(double));

  std::vector<double> empty;
  for (int64_t block = 0; block < plan_.block_limit; ++block)
    for (int g = 0; g < plan_.group_count; ++g)
      for (int64_t k = 0; k < host::statistics_of(plan_.group[g], plan_.horizon); ++k)
        empty.push_back(empty_statistic(k));
  upload(empty_statistics_, empty.data(), empty.size() * sizeof(double));

  Moments *observation_moments = observation_moments_;
  Normalisation *normalisation = normalisation_;
  for (int g = 0; g < plan_.group_count; ++g) {
    Rule &rule = host_rules_[g];
    rule.kind = config_.weight;
    rule.baseline = config_.baseline;
    rule.discount = config_.discount;
    rule.lambda = config_.lambda;
    rule.bootstraps = config_.bootstraps;
    rule.reward_scale = config_.reward_scale;
    rule.divisor = config_.agent_reduction == SWARMGRAD_MEAN ? plan_.group[g].agents : 1;
    rule.scales = config_.scale == SWARMGRAD_SCALE_RUNNING_DEVIATION;
    rule.agents_of_a_value = config_.weight == SWARMGRAD_OWN_RETURN ? plan_.group[g].agents : 1;
    rule.previous_baseline = baseline_ + int64_t{g} * plan_.horizon;
    rule.moments = return_moments_ + g;
    rule.observation_moments = observation_moments;
    groups_[static_cast<size_t>(g)].normalisation = normalisation;
    observation_moments += plan_.group[g].normalised;
    normalisation += plan_.group[g].normalised;
  }
  copy(rules_, host_rules_, sizeof(Rule) * static_cast<size_t>(plan_.group_count), cudaMemcpyHostToDevice);

  Control &control = mailbox_->begin.control;
  control.fault_environment = control.broken_network = UINT32_MAX;
  control.gradient_fault_network = control.update_fault_network = -1;

  cut_wave({}, wave_cohorts_, wave_, batch_);
  upload(training_groups_, groups_.data(), groups_.size() * sizeof(Group));
  rollout_.parameters = environment_parameters_;
  rollout_.scratch = scratch_;
  for (Differentiate &differentiate : differentiate_) differentiate.scratch = scratch_;
  for (Forward &forward : forward_) forward.scratch = scratch_;
  batch_.groups = training_groups_;
  batch_.rules = rules_;
  batch_.group_count = plan_.group_count;
  batch_.network_count = plan_.network_count;
  batch_.agent_count = plan_.agent_count;
  batch_.horizon = plan_.horizon;
  batch_.statistics_per_cohort = static_cast<int>(plan_.statistics_per_block);
  batch_.parameters = parameters_;
  batch_.panels = panels_;
  batch_.parameter_count = plan_.parameter_count;
  batch_.rates = rates_;
  batch_.launch_iteration = &state_->launch_iteration;
  batch_.seed = config_.seed;
  batch_.iteration = &state_->control.iteration;
  batch_.stream = Stream::training;
  batch_.learns = 1;
  set_episodes(batch_, config_.environments);
  batch_.control = &state_->control;
  batch_.shared = &mailbox_->shared;
}

void CudaEngine::capture_graphs() {
  batch_graph_ = capture(stream_.get(), [this] { enqueue_batch(); });
  iteration_graph_ = capture(stream_.get(), [this] {
    enqueue_batch();
    enqueue_step(true);
  });
  for (const bool commits : {false, true})
    step_graph_[commits] = capture(stream_.get(), [=, this] { enqueue_step(commits); });
  for (const cudaGraphExec_t graph :
       {batch_graph_.get(), iteration_graph_.get(), step_graph_[0].get(), step_graph_[1].get()})
    check(cudaGraphUpload(graph, stream_.get()), "cudaGraphUpload");
  synchronize();
}

void CudaEngine::describe_memory(swarmgrad_info &out) const {
  out.threads = 0;
  out.isa = isa_;
  out.replays = !stores_;
  out.bytes_per_cohort = static_cast<int64_t>(wave_bytes_) / wave_cohorts_;
  out.bytes_total = static_cast<int64_t>(bytes_);
}

// ---- calls and transfers -----------------------------------------------------------------------------------------

// Runs a call that uses the device. After a failure of CUDA's nothing of the call is left under way; where that cannot even
// be waited for, the device is lost, and so is the engine.
template <class Body>
void CudaEngine::on_device(const Body &body) {
  if (!lost_.empty()) throw Failure(SWARMGRAD_INTERNAL, "an earlier call lost the device, close the engine: " + lost_);
  try {
    device_.make_current();
    body();
  } catch (const CudaFailure &failure) {
    if (cudaStreamSynchronize(stream_.get()) == cudaSuccess) throw;
    static_cast<void>(cudaGetLastError());
    lost_ = failure.loss();
    throw Failure(SWARMGRAD_INTERNAL, lost_);
  }
}

void CudaEngine::copy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind) {
  if (bytes > 0) check(cudaMemcpyAsync(to, from, bytes, kind, stream_.get()), "cudaMemcpyAsync");
}

void CudaEngine::upload(void *to, const void *from, size_t bytes) {
  for (size_t at = 0; at < bytes; at += staging_bytes_) {
    const size_t count = std::min(staging_bytes_, bytes - at);
    std::memcpy(staging_, static_cast<const char *>(from) + at, count);
    copy(static_cast<char *>(to) + at, staging_, count, cudaMemcpyHostToDevice);
    synchronize();
  }
}

void CudaEngine::download(void *to, const void *from, size_t bytes) {
  for (size_t at = 0; at < bytes; at += staging_bytes_) {
    const size_t count = std::min(staging_bytes_, bytes - at);
    copy(staging_, static_cast<const char *>(from) + at, count, cudaMemcpyDeviceToHost);
    synchronize();
    std::memcpy(static_cast<char *>(to) + at, staging_, count);
  }
}

// Fills [row][width] from fill(row, T *to), piece by piece.
template <class T, class Fill>
void CudaEngine::upload_rows(T *to, int64_t rows, int64_t width, const Fill &fill) {
  T *values = reinterpret_cast<T *>(staging_);
  const int64_t piece = static_cast<int64_t>(staging_bytes_ / sizeof(T)) / width;
  for (int64_t first = 0; first < rows; first += piece) {
    const int64_t count = std::min(piece, rows - first);
    for (int64_t k = 0; k < count; ++k) fill(first + k, values + k * width);
    copy(to + first * width, values, static_cast<size_t>(count * width) * sizeof(T), cudaMemcpyHostToDevice);
    synchronize();
  }
}

// Fills the wave's [slot][row][width] from fill(episode, row, T *to); 0 where the episode has no such row.
template <class T, class Fill>
void CudaEngine::upload_cells(const Pass &pass, const Group &group, T *to, int64_t width, const Fill &fill) {
  upload_rows(to, int64_t{pass.wave_cohorts} * cohort_size * group.rows, width, [&](int64_t index, T *cell) {
    const int64_t slot = index / group.rows, row = index % group.rows;
    if (row < int64_t{wave_length_[static_cast<size_t>(slot)]} * group.agents)
      fill(episode_of(slot), row, cell);
    else
      std::fill_n(cell, width, T{});
  });
}

// visit(row, const T *from) for each row of [row][width], piece by piece.
template <class T, class Visit>
void CudaEngine::download_rows(const T *from, int64_t rows, int64_t width, const Visit &visit) {
  const T *values = reinterpret_cast<const T *>(staging_);
  const int64_t piece = static_cast<int64_t>(staging_bytes_ / sizeof(T)) / width;
  for (int64_t first = 0; first < rows; first += piece) {
    const int64_t count = std::min(piece, rows - first);
    copy(staging_, from + first * width, static_cast<size_t>(count * width) * sizeof(T), cudaMemcpyDeviceToHost);
    synchronize();
    for (int64_t k = 0; k < count; ++k) visit(first + k, values + k * width);
  }
}

// visit(episode, row, const T *from) for each row of the wave's [slot][row][width] that its episode has.
template <class T, class Visit>
void CudaEngine::download_cells(const Pass &pass, const Group &group, const T *from, int64_t width,
                                const Visit &visit) {
  download_rows(from, int64_t{pass.wave_cohorts} * cohort_size * group.rows, width,
                [&](int64_t index, const T *values) {
                  const int64_t slot = index / group.rows, row = index % group.rows;
                  if (row < int64_t{wave_length_[static_cast<size_t>(slot)]} * group.agents)
                    visit(episode_of(slot), row, values);
                });
}

// ---- a pass over episodes ----------------------------------------------------------------------------------------

template <class Arguments>
void CudaEngine::launch(const Kernel &kernel, int64_t blocks, const Arguments &arguments) {
  void *argument[] = {const_cast<Arguments *>(&arguments)};
  const auto grid = static_cast<unsigned>(std::clamp<int64_t>(blocks, 1, kernel.most_blocks));
  const cudaError_t answer = cudaLaunchKernel(kernel.handle, dim3(grid), dim3(static_cast<unsigned>(kernel.threads)),
                                              argument, kernel.shared_bytes, stream_.get());
  if (answer != cudaSuccess) check(answer, (std::string("cudaLaunchKernel of ") + kernel.name).c_str());
}

void CudaEngine::set_episodes(Pass &pass, int64_t episodes) const {
  pass.episodes = episodes;
  pass.cohorts = host::cohorts_of(episodes);
  pass.blocks = std::min(pass.cohorts, plan_.block_limit);
}

// Cuts the wave's memory for a pass of another kind than training's.
void CudaEngine::set_groups(const WaveKind &kind, Pass &pass) {
  cut_wave(kind, wave_cohorts_, wave_, pass);
  std::copy(groups_.begin(), groups_.end(), host_groups_);
  copy(pass_groups_, host_groups_, sizeof(Group) * groups_.size(), cudaMemcpyHostToDevice);
  pass.groups = pass_groups_;
}

// play() once for each wave of the pass.
template <class Play>
void CudaEngine::each_wave(Pass &pass, const Play &play) {
  for (int64_t first = 0; first < pass.cohorts; first += wave_cohorts_) {
    pass.first_cohort = first;
    pass.wave_cohorts = static_cast<int>(std::min(wave_cohorts_, pass.cohorts - first));
    play();
  }
}

// What the host must know of the wave under way to find its episodes: first_of(cohort), length_of(episode).
template <class First>
void CudaEngine::set_partition(const Pass &pass, const First &first_of) {
  for (int64_t c = 0; c <= pass.wave_cohorts; ++c)
    wave_first_[static_cast<size_t>(c)] = first_of(pass.first_cohort + c);
}
template <class Length>
void CudaEngine::set_lengths(const Pass &pass, const Length &length_of) {
  for (int64_t slot = 0; slot < int64_t{pass.wave_cohorts} * cohort_size; ++slot) {
    const int64_t episode = episode_of(slot);
    wave_length_[static_cast<size_t>(slot)] = episode < 0 ? 0 : length_of(episode);
  }
}

// The episode that a slot of the wave under way plays, or -1.
int64_t CudaEngine::episode_of(int64_t slot) const {
  const auto cohort = static_cast<size_t>(slot / cohort_size);
  const int64_t episode = wave_first_[cohort] + slot % cohort_size;
  return episode < wave_first_[cohort + 1] ? episode : -1;
}

// What kernels find of earlier calls is that all is well. Control::iteration is not touched.
void CudaEngine::begin_call() {
  const swarmgrad_rates configured = {0, 0, config_.entropy_coefficient};
  begin_call(&configured, 1);
}
void CudaEngine::begin_call(const swarmgrad_rates *rates, int iterations) {
  const auto bytes = static_cast<size_t>(iterations) * sizeof(Rates);
  std::memcpy(host_rates_, rates, bytes);
  copy(rates_, host_rates_, bytes, cudaMemcpyHostToDevice);
  copy(state_, &mailbox_->begin, offsetof(State, control) + offsetof(Control, iteration), cudaMemcpyHostToDevice);
}

// Waits for all that was put on the stream.
void CudaEngine::end_call() {
  copy(&mailbox_->end, state_, sizeof(State), cudaMemcpyDeviceToHost);
  synchronize();
}

void CudaEngine::throw_faults(const Pass &pass) {
  const Control &found = mailbox_->end.control;
  if (found.cancelled != 0) __atomic_store_n(&mailbox_->shared.cancel, 0, __ATOMIC_RELAXED);
  if (found.fault_environment != UINT32_MAX) throw_fault(find_fault(pass, found.fault_environment), found.iteration);
  if (found.gradient_fault_network >= 0) check_norm(found.gradient_fault_network, HUGE_VAL, found.iteration);
  if (found.update_fault_network >= 0) throw_update_fault(found.update_fault_network, found.iteration);
  if (found.cancelled != 0) throw_cancelled();
}

// The details of an environment's fault are still where its wave left them: later ones did nothing. Of a cohort the fault of
// the earliest row counts, as on the CPU, where its lanes go row by row together; one of no agent ends its step.
host::Fault CudaEngine::find_fault(const Pass &pass, uint32_t environment) {
  const int64_t episode = environment - pass.first_episode;
  int64_t slot = 0;
  if (pass.cohort_first != nullptr) {
    while (episode_of(slot) != episode) ++slot;
  } else {
    const int64_t cohort = ((episode + 1) * pass.cohorts - 1) / pass.episodes;
    slot = cohort % wave_cohorts_ * cohort_size + episode - part_begin(cohort, pass.episodes, pass.cohorts);
  }
  const int64_t lane = slot % cohort_size;
  copy(mailbox_->faults, pass.fault + slot - lane, sizeof mailbox_->faults, cudaMemcpyDeviceToHost);
  synchronize();
  int64_t first = lane;
  const auto row = [&](int64_t of) {
    return std::pair(mailbox_->faults[of].step, static_cast<uint32_t>(mailbox_->faults[of].agent));
  };
  for (int64_t other = lane + 1; other < cohort_size && pass.cohort_first == nullptr; ++other)
    if (mailbox_->faults[other].kind != Fault::none && row(other) < row(first)) first = other;
  const Fault &found = mailbox_->faults[first];
  host::Fault fault = {nullptr, SWARMGRAD_NUMERIC, environment + first - lane, found.agent, found.step, found.feature};
  switch (found.kind) {
    case Fault::observation:
      fault.what = host::observation_fault;
      break;
    case Fault::logits:
      fault.what = host::logits_fault;
      break;
    case Fault::rules:
      fault.what = rules_text_.c_str();
      fault.status = SWARMGRAD_ENVIRONMENT_FAILED;
      break;
    case Fault::reward:
      fault.what = host::reward_fault;
      break;
    case Fault::value:
      fault.what = host::value_fault;
      break;
    default:
      fault.what = host::weight_fault;
  }
  return fault;
}

void CudaEngine::enqueue_begin(const Pass &pass) {
  copy(&mailbox_->iteration_under_way, &state_->control.iteration, sizeof(int64_t), cudaMemcpyDeviceToHost);
  launch(pack_kernel_, panel_count_ / pack_kernel_.threads + 1, Pack{pass, panels_});
  const auto blocks = static_cast<size_t>(pass.blocks);
  if (pass.learns != 0)
    check(cudaMemsetAsync(block_gradient_, 0, blocks * static_cast<size_t>(plan_.parameter_count) * sizeof(float),
                          stream_.get()),
          "cudaMemsetAsync");
  copy(block_statistics_, empty_statistics_, blocks * static_cast<size_t>(plan_.statistics_per_block) * sizeof(double),
       cudaMemcpyDeviceToDevice);
}

void CudaEngine::enqueue_rollout(const Pass &pass) {
  rollout_.pass = pass;
  launch(rollout_kernel_, block_count(rollout_), rollout_);
}

// The played wave's weights, after the values that they are made of.
void CudaEngine::enqueue_weigh(const Pass &pass) {
  if (pass.learns != 0 && has_values()) enqueue_values(pass);
  launch(weigh_kernel_, pass.wave_cohorts, Weigh{pass, -1, 0});
}

void CudaEngine::enqueue_values(const Pass &pass) {
  for (int n = plan_.group_count; n < plan_.network_count; ++n) {
    Differentiate evaluate = differentiate_[static_cast<size_t>(n)];
    const Group &group = groups_[static_cast<size_t>(n)];
    evaluate.pass = pass;
    evaluate.evaluates = 1;
    launch(gradient_kernels_[static_cast<size_t>(n)], int64_t{pass.wave_cohorts} * (group.segments + 1), evaluate);
  }
}

void CudaEngine::enqueue_gradient(const Pass &pass, int network, bool is_given) {
  Differentiate &differentiate = differentiate_[static_cast<size_t>(network)];
  differentiate.pass = pass;
  differentiate.checks_logits = is_given;
  launch(gradient_kernels_[static_cast<size_t>(network)],
         int64_t{pass.wave_cohorts} * groups_[static_cast<size_t>(network)].segments, differentiate);
}

void CudaEngine::enqueue_fold(const Pass &pass, int network) {
  launch(fold_kernel_, pass.blocks * plan_.parameter_count / fold_kernel_.threads + 1,
         Fold{pass, network, block_gradient_, block_statistics_});
}

void CudaEngine::enqueue_reduce(const Pass &pass) {
  launch(reduce_kernel_, std::max(plan_.parameter_count, plan_.statistics_per_block) / reduce_kernel_.threads + 1,
         Reduce{pass, block_gradient_, block_statistics_, gradient_});
}

// A played wave's share of the gradient and the statistics.
void CudaEngine::enqueue_learning(const Pass &pass) {
  for (int n = 0; pass.learns != 0 && n < plan_.network_count; ++n) enqueue_gradient(pass, n, false);
  enqueue_fold(pass, -1);
}

void CudaEngine::enqueue_batch() {
  Pass pass = batch_;
  enqueue_begin(pass);
  each_wave(pass, [&] {
    enqueue_rollout(pass);
    enqueue_weigh(pass);
    enqueue_learning(pass);
  });
  enqueue_reduce(pass);
  enqueue_measure(pass, block_statistics_, gradient_, batch_statistics_);
}

void CudaEngine::enqueue_measure(const Pass &pass, const double *statistics, const float *gradient,
                                 double *batch_statistics) {
  Update update = new_update(pass);
  update.statistics = statistics;
  update.gradient = gradient;
  update.batch_statistics = batch_statistics;
  launch(measure_kernel_, 1, update);
}

// The optimizer, with the gradient last measured.
void CudaEngine::enqueue_step(bool commits) {
  Update update = new_update(batch_);
  update.gradient = gradient_;
  update.batch_statistics = batch_statistics_;
  update.commits_batch = commits;
  launch(update_kernel_, plan_.parameter_count / update_kernel_.threads + 1, update);
  launch(commit_kernel_, 1, update);
}

Update CudaEngine::new_update(const Pass &pass) const {
  Update update = {};
  update.pass = pass;
  update.norms = norms_;
  update.agent_return = agent_return_;
  update.statistics_log = statistics_log_;
  update.norm_log = norm_log_;
  update.factor_log = factor_log_;
  update.optimizer = {config_.optimizer, config_.gradient_clip, config_.adam_beta1, config_.adam_beta2,
                      config_.adam_epsilon};
  update.parameters = parameters_;
  update.first_moment = first_moment_;
  update.second_moment = second_moment_;
  update.products = products_;
  update.launch_iteration = &state_->launch_iteration;
  return update;
}

// Brings what `measure` wrote of the launch's first iterations to the host.
void CudaEngine::enqueue_logs(int iterations) {
  const auto count = static_cast<size_t>(iterations), networks = static_cast<size_t>(plan_.network_count),
             groups = static_cast<size_t>(plan_.group_count);
  copy(host_statistics_, statistics_log_, count * static_cast<size_t>(plan_.statistics_per_block) * sizeof(double),
       cudaMemcpyDeviceToHost);
  copy(host_norms_, norm_log_, count * networks * sizeof(double), cudaMemcpyDeviceToHost);
  copy(host_factors_, factor_log_, count * groups * sizeof(double), cudaMemcpyDeviceToHost);
}

void CudaEngine::describe_logged(const Pass &pass, int index, int64_t iteration, swarmgrad_statistics *out) const {
  describe({iteration, pass.episodes, pass.learns != 0, host_statistics_ + index * plan_.statistics_per_block,
            host_norms_ + index * plan_.network_count, host_factors_ + index * plan_.group_count},
           out);
}

// The end of a pass on its own.
void CudaEngine::end_pass(const Pass &pass, swarmgrad_statistics *statistics) {
  enqueue_logs(1);
  end_call();
  throw_faults(pass);
  describe_logged(pass, 0, mailbox_->end.control.iteration, statistics);
}

// ---- training ----------------------------------------------------------------------------------------------------

void CudaEngine::run_training(int iterations, const swarmgrad_rates *rates, swarmgrad_statistics *statistics) {
  on_device([&] {
    for (int done = 0; done < iterations;) {
      const int count = std::min(log_iterations_, iterations - done);
      begin_call(rates + done, count);
      for (int k = 0; k < count; ++k) launch(iteration_graph_);
      enqueue_logs(count);
      end_call();
      const int complete = mailbox_->end.launch_iteration;
      for (int k = 0; statistics != nullptr && k < complete; ++k)
        describe_logged(batch_, k, mailbox_->end.control.iteration - complete + k,
                        statistics + int64_t{done + k} * plan_.group_count);
      throw_faults(batch_);
      done += count;
    }
  });
}

void CudaEngine::run_gradient(float *out, swarmgrad_statistics *statistics) {
  on_device([&] {
    begin_call();
    launch(batch_graph_);
    end_pass(batch_, statistics);
    if (out != nullptr) download(out, gradient_, static_cast<size_t>(plan_.parameter_count) * sizeof(float));
  });
}

void CudaEngine::run_step(const float *gradient, const swarmgrad_rates &rates, bool commits) {
  on_device([&] {
    begin_call(&rates, 1);
    if (gradient != nullptr) {
      upload(gradient_, gradient, static_cast<size_t>(plan_.parameter_count) * sizeof(float));
      enqueue_measure(batch_, nullptr, gradient_, nullptr);
    }
    launch(step_graph_[commits]);
    end_call();
    throw_faults(batch_);
  });
}

void CudaEngine::run_evaluation(int64_t first_episode, int64_t episodes, const int32_t *acting,
                                swarmgrad_statistics *statistics) {
  on_device([&] {
    Pass pass = batch_;
    set_episodes(pass, episodes);
    pass.first_episode = first_episode;
    pass.stream = Stream::evaluation;
    pass.iteration = evaluation_iteration_;
    pass.learns = 0;
    set_groups({.acting = acting}, pass);
    begin_call();
    enqueue_begin(pass);
    int waves = 0;
    each_wave(pass, [&] {
      enqueue_rollout(pass);
      enqueue_weigh(pass);
      enqueue_learning(pass);
      if (++waves % waves_between_looks != 0) return;
      end_call();
      throw_faults(pass);
    });
    enqueue_reduce(pass);
    enqueue_measure(pass, block_statistics_, nullptr, nullptr);
    end_pass(pass, statistics);
  });
}

void CudaEngine::run_record(const swarmgrad_trajectories *trajectories, float *gradient,
                            swarmgrad_statistics *statistics) {
  on_device([&] {
    Pass pass = batch_;
    pass.stream = Stream::record;
    set_groups({.records = true}, pass);
    begin_call();
    enqueue_begin(pass);
    each_wave(pass, [&] {
      enqueue_rollout(pass);
      end_call();
      throw_faults(pass);
      set_partition(pass, [&](int64_t cohort) { return part_begin(cohort, pass.episodes, pass.cohorts); });
      const size_t slots = static_cast<size_t>(pass.wave_cohorts) * cohort_size;
      download(wave_length_.data(), pass.length, slots * sizeof(int32_t));
      download(wave_truncated_.data(), pass.truncated, slots);
      // Rewards first: weights take their place.
      for (int g = 0; g < plan_.group_count; ++g) write_episodes(pass, g, trajectories[g]);
      enqueue_weigh(pass);
      for (int g = 0; g < plan_.group_count; ++g) write_weights(pass, g, trajectories[g]);
      for (int g = 0; has_values() && g < plan_.group_count; ++g) write_values(pass, g, trajectories[g]);
      enqueue_learning(pass);
    });
    enqueue_reduce(pass);
    enqueue_measure(pass, block_statistics_, gradient_, nullptr);
    end_pass(pass, statistics);
    if (gradient != nullptr) download(gradient, gradient_, static_cast<size_t>(plan_.parameter_count) * sizeof(float));
  });
}

// The wave's rows to [row][..][environment]; what was not played is 0 already.
void CudaEngine::write_episodes(const Pass &pass, int g, const swarmgrad_trajectories &out) {
  const Group &group = groups_[static_cast<size_t>(g)];
  const auto write = [&](const auto *from, auto *to, int64_t width) {
    if (to == nullptr) return;
    download_cells(pass, group, from, width, [&](int64_t episode, int64_t row, const auto *values) {
      for (int64_t k = 0; k < width; ++k)
        to[(row * width + k) * pass.episodes + episode] = static_cast<std::remove_pointer_t<decltype(to)>>(values[k]);
    });
  };
  write(group.observation, out.observation, group.observation_size);
  write(group.action, out.action, 1);
  write(group.reward, out.reward, 1);
  write(group.log_probability, out.log_probability, 1);
  write(group.alive, out.alive, 1);
  if (group.has_mask != 0) write(group.available, out.mask, group.action_count);
  for (int64_t slot = 0; slot < int64_t{pass.wave_cohorts} * cohort_size; ++slot) {
    const int64_t episode = episode_of(slot);
    if (episode < 0) continue;
    if (out.episode_length != nullptr) out.episode_length[episode] = wave_length_[static_cast<size_t>(slot)];
    if (out.truncated != nullptr) out.truncated[episode] = wave_truncated_[static_cast<size_t>(slot)];
  }
}

void CudaEngine::write_weights(const Pass &pass, int g, const swarmgrad_trajectories &out) {
  if (out.weight == nullptr) return;
  const Group &group = groups_[static_cast<size_t>(g)];
  download_cells(pass, group, group.reward, 1, [&](int64_t episode, int64_t row, const float *weight) {
    out.weight[row * pass.episodes + episode] = *weight;
  });
}

// Of the states in which the episode goes on, and of the one where the horizon cut it.
void CudaEngine::write_values(const Pass &pass, int g, const swarmgrad_trajectories &out) {
  const Group &value = value_network(g);
  if (out.value_error != nullptr)
    download_cells(pass, value, value.reward, 1, [&](int64_t episode, int64_t row, const float *error) {
      out.value_error[row * pass.episodes + episode] = *error;
    });
  if (out.value == nullptr) return;
  const int64_t slots = int64_t{pass.wave_cohorts} * cohort_size, rows = value.rows + value.agents;
  download_rows(value.output, slots * rows, 1, [&](int64_t index, const float *output) {
    const int64_t slot = index / rows, row = index % rows, episode = episode_of(slot);
    const bool has_last = plan_.values_last_state && wave_truncated_[static_cast<size_t>(slot)] != 0;
    const int64_t states = wave_length_[static_cast<size_t>(slot)] + (has_last ? 1 : 0);
    if (episode >= 0 && row < states * value.agents) out.value[row * pass.episodes + episode] = *output;
  });
}

// ---- buffers and parts -------------------------------------------------------------------------------------------

void CudaEngine::read_buffer(const Buffer &buffer, void *values) {
  on_device([&] {
    download(values, memory_.get() + buffer.offset, static_cast<size_t>(buffer.count) * element_bytes(buffer.type));
  });
}

void CudaEngine::write_buffer(const Buffer &buffer, const void *values) {
  on_device([&] {
    upload(memory_.get() + buffer.offset, values, static_cast<size_t>(buffer.count) * element_bytes(buffer.type));
  });
}

void CudaEngine::run_forward(int network, int64_t rows, const float *observation, float *hidden, float *logit) {
  on_device([&] {
    const Group &group = groups_[static_cast<size_t>(network)];
    const int64_t inputs = group.observation_size, hiddens = group.features - inputs, actions = group.action_count;
    float *arrays[3];
    const int64_t most =
        rows_within(wave_bytes_, rows, [&](int64_t n) { return cut_forward(group, n, nullptr, arrays); });
    Forward &forward = forward_[static_cast<size_t>(network)];
    begin_call();
    enqueue_begin(batch_);
    for (int64_t first = 0; first < rows; first += most) {
      const int64_t count = std::min(most, rows - first);
      cut_forward(group, count, wave_, arrays);
      upload(arrays[0], observation + first * inputs, static_cast<size_t>(count * inputs) * sizeof(float));
      forward.pass = batch_;
      forward.rows = static_cast<int>(count);
      forward.observation = arrays[0];
      forward.hidden = hidden == nullptr ? nullptr : arrays[1];
      forward.logit = logit == nullptr ? nullptr : arrays[2];
      launch(forward_kernels_[static_cast<size_t>(network)], (count - 1) / forward.tile_rows + 1, forward);
      if (hidden != nullptr)
        download(hidden + first * hiddens, arrays[1], static_cast<size_t>(count * hiddens) * sizeof(float));
      if (logit != nullptr)
        download(logit + first * actions, arrays[2], static_cast<size_t>(count * actions) * sizeof(float));
    }
    synchronize();
  });
}

void CudaEngine::run_logits(const swarmgrad_logit_rows &rows) {
  on_device([&] {
    const int64_t actions = rows.action_count;
    LogitArrays arrays;
    const int64_t most = rows_within(wave_bytes_, rows.rows,
                                     [&](int64_t n) { return cut_logits(rows.action_count, n, nullptr, arrays); });
    for (int64_t first = 0; first < rows.rows; first += most) {
      const int64_t count = std::min(most, rows.rows - first);
      const size_t row_bytes = static_cast<size_t>(count) * sizeof(float);
      const size_t action_bytes = row_bytes * static_cast<size_t>(actions);
      cut_logits(rows.action_count, count, wave_, arrays);
      upload(arrays.logit, rows.logit + first * actions, action_bytes);
      if (rows.mask != nullptr)
        upload_rows(arrays.available, count, actions, [&](int64_t row, uint16_t *to) {
          for (int64_t a = 0; a < actions; ++a) to[a] = rows.mask[(first + row) * actions + a] != 0;
        });
      if (rows.weight != nullptr) upload(arrays.weight, rows.weight + first, row_bytes);
      if (rows.action != nullptr && rows.sample == 0) upload(arrays.action, rows.action + first, row_bytes);
      const LogitRows arguments = {rows.action_count,
                                   static_cast<int>(count),
                                   static_cast<int>(first),
                                   rows.sample,
                                   rows.iteration,
                                   config_.seed,
                                   static_cast<float>(rows.entropy_coefficient),
                                   arrays.logit,
                                   rows.mask == nullptr ? nullptr : arrays.available,
                                   rows.weight == nullptr ? nullptr : arrays.weight,
                                   rows.action == nullptr ? nullptr : arrays.action,
                                   rows.log_probability == nullptr ? nullptr : arrays.log_probability,
                                   rows.entropy == nullptr ? nullptr : arrays.entropy,
                                   rows.gradient == nullptr ? nullptr : arrays.gradient,
                                   arrays.exponential};
      launch(logits_kernel_, (count - 1) / logits_kernel_.threads + 1, arguments);
      if (rows.sample != 0) download(rows.action + first, arrays.action, row_bytes);
      if (rows.log_probability != nullptr)
        download(rows.log_probability + first * actions, arrays.log_probability, action_bytes);
      if (rows.entropy != nullptr) download(rows.entropy + first, arrays.entropy, row_bytes);
      if (rows.gradient != nullptr) download(rows.gradient + first * actions, arrays.gradient, action_bytes);
      synchronize();
    }
  });
}

void CudaEngine::run_weights(const swarmgrad_rewards &r) {
  on_device([&] {
    Pass pass = batch_;
    pass.episodes = r.environments;
    pass.cohorts = host::cohort_count(r);
    set_groups({.is_partitioned = true}, pass);
    auto *const cohort_first = const_cast<int64_t *>(pass.cohort_first);
    const Group &group = groups_[static_cast<size_t>(r.group)];
    begin_call();
    each_wave(pass, [&] {
      set_partition(pass, [&](int64_t cohort) { return host::cohort_begin(r, cohort); });
      upload(cohort_first, wave_first_.data(), static_cast<size_t>(pass.wave_cohorts + 1) * sizeof(int64_t));
      set_lengths(pass, [&](int64_t e) { return r.episode_length == nullptr ? r.steps : r.episode_length[e]; });
      upload(pass.length, wave_length_.data(), static_cast<size_t>(pass.wave_cohorts) * cohort_size * sizeof(int32_t));
      upload_cells(pass, group, group.reward, 1, [&](int64_t episode, int64_t row, float *reward) {
        *reward = r.reward[row * r.environments + episode];
      });
      upload_cells(pass, group, group.alive, 1, [&](int64_t episode, int64_t row, uint8_t *alive) {
        *alive = r.alive == nullptr || r.alive[row * r.environments + episode] != 0;
      });
      if (has_values()) upload_values(pass, r);
      Pass wave = pass;  // whose partition begins with its first cohort
      wave.cohort_first = cohort_first;
      wave.first_cohort = 0;
      launch(weigh_kernel_, wave.wave_cohorts, Weigh{wave, r.group, r.steps});
      end_call();
      throw_faults(wave);
      set_lengths(pass, [&](int64_t) { return r.steps; });  // the kernel has written the weights after an end, too
      download_cells(pass, group, group.reward, 1, [&](int64_t episode, int64_t row, const float *weight) {
        r.weight[row * r.environments + episode] = *weight;
      });
      if (has_values() && r.value_error != nullptr)
        download_cells(pass, value_network(r.group), value_network(r.group).reward, 1,
                       [&](int64_t episode, int64_t row, const float *error) {
                         r.value_error[row * r.environments + episode] = *error;
                       });
    });
  });
}

void CudaEngine::upload_values(const Pass &pass, const swarmgrad_rewards &r) {
  const Group &value = value_network(r.group);
  const int64_t slots = int64_t{pass.wave_cohorts} * cohort_size, rows = value.rows + value.agents;
  upload_rows(value.output, slots * rows, 1, [&](int64_t index, float *output) {
    const int64_t row = index % rows, episode = episode_of(index / rows);
    const bool is_given = r.value != nullptr && episode >= 0 && row < (r.steps + int64_t{1}) * value.agents;
    *output = is_given ? r.value[row * r.environments + episode] : 0.0f;
  });
  upload_rows(pass.truncated, slots, 1, [&](int64_t slot, uint8_t *truncated) {
    *truncated = r.truncated != nullptr && episode_of(slot) >= 0 && r.truncated[episode_of(slot)] != 0;
  });
}

void CudaEngine::run_gradient_of(const swarmgrad_batch &batch, float *gradient) {
  on_device([&] {
    Pass pass = batch_;
    set_episodes(pass, batch.environments);
    set_groups({.network = batch.network, .has_mask = batch.mask != nullptr}, pass);
    const Group &group = groups_[static_cast<size_t>(batch.network)];
    const auto lives = [&](int64_t cell) { return batch.alive == nullptr || batch.alive[cell] != 0; };
    begin_call();
    enqueue_begin(pass);
    each_wave(pass, [&] {
      set_partition(pass, [&](int64_t cohort) { return part_begin(cohort, pass.episodes, pass.cohorts); });
      set_lengths(pass, [&](int64_t) { return batch.steps; });
      upload(pass.length, wave_length_.data(), static_cast<size_t>(pass.wave_cohorts) * cohort_size * sizeof(int32_t));
      upload_rows(pass.cohort_steps, pass.wave_cohorts, 1, [&](int64_t, int32_t *steps) { *steps = batch.steps; });
      // A dead agent's cells are 0, whatever is given.
      const auto give = [&](auto *to, int64_t width, const auto &value) {
        upload_cells(pass, group, to, width, [&](int64_t episode, int64_t row, auto *cell) {
          const bool alive = lives(row * batch.environments + episode);
          for (int64_t k = 0; k < width; ++k)
            cell[k] = static_cast<std::remove_reference_t<decltype(*cell)>>(
                alive ? value((row * width + k) * batch.environments + episode) : 0);
        });
      };
      give(group.observation, group.observation_size, [&](int64_t at) { return batch.observation[at]; });
      give(group.reward, 1, [&](int64_t at) { return batch.weight[at]; });
      if (group.is_value == 0) {
        give(group.action, 1, [&](int64_t at) { return batch.action[at]; });
        give(group.alive, 1, [&](int64_t) { return 1; });
        if (batch.mask != nullptr)
          give(group.available, group.action_count, [&](int64_t at) { return batch.mask[at] != 0; });
      }
      static_assert(Fault::none == 0);
      check(cudaMemsetAsync(pass.fault, 0, static_cast<size_t>(pass.wave_cohorts) * cohort_size * sizeof(Fault),
                            stream_.get()),
            "cudaMemsetAsync");
      enqueue_gradient(pass, batch.network, true);
      enqueue_fold(pass, batch.network);
      end_call();
      throw_faults(pass);
    });
    enqueue_reduce(pass);
    download(gradient, gradient_ + group.parameter_offset, static_cast<size_t>(group.parameter_count) * sizeof(float));
  });
}

// ---- from any thread ---------------------------------------------------------------------------------------------

void CudaEngine::cancel() { __atomic_store_n(const_cast<int32_t *>(&mailbox_->shared.cancel), 1, __ATOMIC_RELAXED); }

host::Heartbeat CudaEngine::heartbeat() const {
  return {static_cast<int64_t>(__atomic_load_n(&mailbox_->shared.beats, __ATOMIC_RELAXED)),
          __atomic_load_n(&mailbox_->iteration_under_way, __ATOMIC_RELAXED)};
}

int64_t CudaEngine::progress() const {
  return static_cast<int64_t>(__atomic_load_n(&mailbox_->shared.cohorts, __ATOMIC_RELAXED));
}

// Chains as long as it takes for the launch itself not to count.
double CudaEngine::fma_peak() {
  constexpr float seconds = 0.02f;
  double peak = 0;
  on_device([&] {
    float elapsed = 0;
    for (FmaChains chains = {16, gradient_}; elapsed < seconds; chains.iterations *= 2) {
      check(cudaEventRecord(begin_.get(), stream_.get()), "cudaEventRecord");
      launch(fma_kernel_, fma_kernel_.most_blocks, chains);
      check(cudaEventRecord(end_.get(), stream_.get()), "cudaEventRecord");
      check(cudaEventSynchronize(end_.get()), "cudaEventSynchronize");
      float milliseconds = 0;
      check(cudaEventElapsedTime(&milliseconds, begin_.get(), end_.get()), "cudaEventElapsedTime");
      elapsed = milliseconds / 1e3f;
      const auto threads = static_cast<double>(fma_kernel_.most_blocks * fma_kernel_.threads);
      peak = 2.0 * FmaChains::count * static_cast<double>(chains.iterations) * threads / elapsed / 1e9;
    }
  });
  return peak;
}

}  // namespace swarmgrad::cuda
