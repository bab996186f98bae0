// What follows a pass over episodes: norms, the optimizer's step, and what the next batch needs of this one; the gradient is
// other kernels'. The formulas are core/optimizer.h's and core/moments.h's. See cuda/plan.h: Update.
#include "core/moments.h"
#include "core/optimizer.h"
#include "cuda/control.h"
#include "cuda/lanes.h"

namespace swarmgrad::SWARMGRAD_TARGET {
namespace {

using cuda::Control;
using cuda::Group;
using cuda::Pass;
using cuda::Update;

// In sixteen chains, one a lane, as the CPU does it. The chains are short of work, not the loads: these are asked for
// before the sums that wait for each other.
__device__ double sum_of_squares(const float *values, int64_t count, const ThreadLanes &lanes) {
  double sum = 0.0;
  const int64_t whole = (count + cuda::cohort_size - 1) / cuda::cohort_size;
#if defined(__CUDACC__)
#pragma unroll 8
#endif
  for (int64_t k = 0; k < whole; ++k) {
    const int64_t p = k * cuda::cohort_size + lanes.index();
    const double value = p < count ? static_cast<double>(values[p]) : 0.0;
    sum += value * value;
  }
  return lanes.sum(sum);
}

__device__ void log_batch(const Update &update) {
  const Pass &pass = update.pass;
  const int64_t row = *update.launch_iteration, count = pass.statistics_per_cohort;
  for (int64_t k = threadIdx.x; k < count; k += blockDim.x) {
    update.statistics_log[row * count + k] = update.statistics[k];
    if (update.batch_statistics != nullptr) update.batch_statistics[k] = update.statistics[k];
  }
  for (int g = 0; g < pass.group_count; ++g) {
    const Group &group = pass.groups[g];
    for (int agent = static_cast<int>(threadIdx.x); agent < group.agents; agent += static_cast<int>(blockDim.x))
      update.agent_return[group.first_agent + agent] =
          update.statistics[group.statistics + agent_return_at(agent)] / static_cast<double>(pass.episodes);
  }
  for (int g = static_cast<int>(threadIdx.x); g < pass.group_count; g += static_cast<int>(blockDim.x))
    update.factor_log[row * pass.group_count + g] =
        weight_factor(pass.rules[g].divisor, pass.rules[g].scales, *pass.rules[g].moments, pass.rules[g].reward_scale);
}

}  // namespace

// One block.
SWARMGRAD_KERNEL(swarmgrad_measure, Update, 512, 1) {
  const Pass &pass = arguments.pass;
  Control &control = *pass.control;
  if (cuda::halted(control)) return;
  if (arguments.statistics != nullptr) log_batch(arguments);
  if (arguments.gradient == nullptr) return;
  const ThreadLanes lanes;
  const int networks_at_once = static_cast<int>(blockDim.x) / cuda::cohort_size;
  for (int g = static_cast<int>(threadIdx.x) / cuda::cohort_size; g < pass.network_count; g += networks_at_once) {
    const Group &group = pass.groups[g];
    const double squares = sum_of_squares(arguments.gradient + group.parameter_offset, group.parameter_count, lanes);
    lanes.write(arguments.norms + g, __builtin_sqrt(squares));
  }
  __syncthreads();  // thread 0 reads the norms of others; and `halted` was asked by all before it is set
  if (threadIdx.x != 0) return;
  for (int g = 0; g < pass.network_count; ++g) {
    const double norm = arguments.norms[g];
    if (arguments.statistics != nullptr)
      arguments.norm_log[*arguments.launch_iteration * pass.network_count + g] = norm;
    if (!(norm < __builtin_inf()) && control.gradient_fault_network < 0) control.gradient_fault_network = g;
  }
}

// A thread a parameter, any grid.
SWARMGRAD_KERNEL(swarmgrad_update, Update, 256) {
  const Pass &pass = arguments.pass;
  if (cuda::halted(*pass.control)) return;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t threads = static_cast<int64_t>(gridDim.x) * blockDim.x;
  const cuda::Rates &rates = pass.rates[*arguments.launch_iteration];
  for (int g = 0; g < pass.network_count; ++g) {
    const Group &group = pass.groups[g];
    const double rate = group.is_value != 0 ? rates.value_learning_rate : rates.learning_rate;
    const OptimizerStep step =
        optimizer_step(arguments.optimizer, rate, arguments.norms[g], arguments.products[0] * arguments.optimizer.beta1,
                       arguments.products[1] * arguments.optimizer.beta2);
    for (int64_t k = first; k < group.parameter_count; k += threads) {
      const int64_t p = group.parameter_offset + k;
      float parameter = arguments.parameters[p];
      if (step.kind == Optimizer::sgd)
        sgd_step(step, arguments.gradient[p], parameter);
      else
        adam_step(step, arguments.gradient[p], parameter, arguments.first_moment[p], arguments.second_moment[p]);
      arguments.parameters[p] = parameter;
      if (!(parameter - parameter == 0.0f)) atomicMin(&pass.control->broken_network, static_cast<uint32_t>(g));
    }
  }
}

// One block.
SWARMGRAD_KERNEL(swarmgrad_commit, Update, 256) {
  const Pass &pass = arguments.pass;
  Control &control = *pass.control;
  if (cuda::halted(control)) return;
  const double episodes = static_cast<double>(pass.episodes);
  for (int g = 0; arguments.commits_batch && g < pass.group_count; ++g) {
    const Group &group = pass.groups[g];
    const cuda::Rule &rule = pass.rules[g];
    const double *sum = arguments.batch_statistics + group.statistics;
    for (int step = static_cast<int>(threadIdx.x); step < pass.horizon; step += static_cast<int>(blockDim.x))
      rule.previous_baseline[step] =
          mean_value(sum[value_sum_at(group.agents, step)], episodes, rule.agents_of_a_value);
    if (threadIdx.x == 0) merge(*rule.moments, episodes, sum[return_sum], sum[return_square_sum]);
    const double *features = sum + feature_sums_at(group.agents, pass.horizon);
    for (int f = static_cast<int>(threadIdx.x); f < group.normalised; f += static_cast<int>(blockDim.x))
      merge(rule.observation_moments[f], sum[agent_step_count], features[f], features[group.normalised + f]);
  }
  __syncthreads();  // all have asked whether the launch is halted before that is changed
  if (threadIdx.x != 0) return;
  arguments.products[0] *= arguments.optimizer.beta1;
  arguments.products[1] *= arguments.optimizer.beta2;
  if (control.broken_network != UINT32_MAX) {
    control.update_fault_network = static_cast<int32_t>(control.broken_network);
    return;
  }
  ++control.iteration;
  ++*arguments.launch_iteration;
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
