// Sums over units, cohorts and blocks in the order that native/host and DESIGN fix, and a policy's panels. What is summed
// comes from gradient.cu and weigh.
//
//   block = sum of its cohorts ascending, cohort = sum of its segments ascending
//   total = pairwise tree over blocks, adjacent ones first, an odd one waiting for its level's end
//
// A thread owns a parameter (or a statistic) and follows it through the whole order, so that nothing here needs a barrier,
// and neighbouring threads read neighbouring numbers.
#include "core/statistic.h"
#include "cuda/kernel.h"
#include "cuda/plan.h"

namespace swarmgrad::cuda {
namespace {

__device__ __forceinline__ int64_t first_thread() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ int64_t thread_count() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

// A block's cohorts in the wave: first .. last - 1 of the wave, none where they are not ascending.
__device__ __forceinline__ void wave_part(const Pass &pass, int64_t block, int64_t &first, int64_t &last) {
  first = part_begin(block, pass.cohorts, pass.blocks) - pass.first_cohort;
  last = part_begin(block + 1, pass.cohorts, pass.blocks) - pass.first_cohort;
  if (first < 0) first = 0;
  if (last > pass.wave_cohorts) last = pass.wave_cohorts;
}

// Segments that have rows; the others' units were not written. segment_begin(s), s x rows / segments rounded down, is below
// the rows played exactly where s is below played x segments / rows.
__device__ __forceinline__ int64_t segments_played(const Group &group, int64_t steps) {
  return (steps * group.agents * group.segments + group.rows - 1) / group.rows;
}

__device__ __forceinline__ void fold_gradient(const Fold &fold, int network) {
  const Pass &pass = fold.pass;
  const Group &group = pass.groups[network];
  const int64_t count = group.parameter_count;
  for (int64_t index = first_thread(); index < pass.blocks * count; index += thread_count()) {
    const int64_t block = index / count, parameter = index % count;
    int64_t cohort, last;
    wave_part(pass, block, cohort, last);
    if (cohort >= last) continue;
    float *where = fold.block_gradient + block * pass.parameter_count + group.parameter_offset + parameter;
    float sum = *where;
    for (; cohort < last; ++cohort) {
      const float *unit = group.unit_gradient + cohort * group.segments * count + parameter;
      const int64_t segments = segments_played(group, pass.cohort_steps[cohort]);
      float cohort_sum = *unit;  // an episode has a step, so the first segment has rows
      for (int64_t segment = 1; segment < segments; ++segment) cohort_sum += unit[segment * count];
      sum += cohort_sum;
    }
    *where = sum;
  }
}

// Statistics are those of each group in turn; `index` is counted from its group's first.
__device__ __forceinline__ int64_t index_in_group(const Pass &pass, int64_t index) {
  int g = pass.group_count - 1;
  while (pass.groups[g].statistics > index) --g;
  return index - pass.groups[g].statistics;
}

__device__ __forceinline__ void fold_statistics(const Fold &fold) {
  const Pass &pass = fold.pass;
  const int64_t count = pass.statistics_per_cohort;
  for (int64_t index = first_thread(); index < pass.blocks * count; index += thread_count()) {
    const int64_t block = index / count, statistic = index % count;
    const int64_t which = index_in_group(pass, statistic);
    int64_t cohort, last;
    wave_part(pass, block, cohort, last);
    double *where = fold.block_statistics + index;
    double sum = *where;
    for (; cohort < last; ++cohort)
      sum = merge_statistic(which, sum, pass.cohort_statistics[cohort * count + statistic]);
    *where = sum;
  }
}

// The tree over column[0], column[stride], ...: eight blocks at a time in registers, then the eights. Both are whole
// subtrees, since an odd block waits at the end of its level.
template <class T, class Merge>
__device__ __forceinline__ T tree(const T *column, int64_t stride, int count, Merge merge) {
  T eights[max_blocks / 8];
#pragma unroll
  for (int eight = 0; eight < max_blocks / 8; ++eight) {
    T value[8];
#pragma unroll
    for (int k = 0; k < 8; ++k) value[k] = 8 * eight + k < count ? column[(8 * eight + k) * stride] : T();
#pragma unroll
    for (int step = 1; step < 8; step *= 2)
#pragma unroll
      for (int k = 0; k < 8; k += 2 * step)
        if (8 * eight + k + step < count) value[k] = merge(value[k], value[k + step]);
    eights[eight] = value[0];
  }
#pragma unroll
  for (int step = 1; step < max_blocks / 8; step *= 2)
#pragma unroll
    for (int k = 0; k < max_blocks / 8; k += 2 * step)
      if (8 * (k + step) < count) eights[k] = merge(eights[k], eights[k + step]);
  return eights[0];
}

// Layer's panels, forward with the biases first.
__device__ __forceinline__ void pack_layer(const Layer &layer, const float *parameters, float *panels) {
  const float *weight = parameters + layer.weight, *bias = parameters + layer.bias;
  const int64_t forward = (int64_t{1} + layer.inputs) * layer.padded_outputs;
  for (int64_t index = first_thread(); index < forward; index += thread_count()) {
    const int64_t input = index / layer.padded_outputs - 1, output = index % layer.padded_outputs;
    panels[layer.forward_panel + index] = output >= layer.outputs ? 0.0f
                                          : input < 0             ? bias[output]
                                                                  : weight[output * layer.inputs + input];
  }
  const int64_t backward = layer.backward_panel < 0 ? 0 : int64_t{1} * layer.outputs * layer.padded_inputs;
  for (int64_t index = first_thread(); index < backward; index += thread_count()) {
    const int64_t output = index / layer.padded_inputs, input = index % layer.padded_inputs;
    panels[layer.backward_panel + index] = input < layer.inputs ? weight[output * layer.inputs + input] : 0.0f;
  }
}

}  // namespace

SWARMGRAD_KERNEL(swarmgrad_fold, Fold, 256) {
  const Pass &pass = arguments.pass;
  if (halted(*pass.control)) return;
  if (arguments.network < 0) fold_statistics(arguments);
  if (pass.learns == 0) return;
  if (arguments.network >= 0) {
    fold_gradient(arguments, arguments.network);
    return;
  }
  for (int network = 0; network < pass.network_count; ++network) fold_gradient(arguments, network);
}

// Room for one block is enough: each thread has the loads of all blocks' sums in flight, in registers.
SWARMGRAD_KERNEL(swarmgrad_reduce, Reduce, 256, 1) {
  const Pass &pass = arguments.pass;
  if (halted(*pass.control)) return;
  const int blocks = static_cast<int>(pass.blocks);
  const int64_t parameters = pass.learns != 0 ? pass.parameter_count : 0;
  for (int64_t index = first_thread(); index < parameters; index += thread_count()) {
    const float sum =
        tree(arguments.block_gradient + index, pass.parameter_count, blocks, [](float a, float b) { return a + b; });
    arguments.gradient[index] = static_cast<float>(static_cast<double>(sum) / static_cast<double>(pass.episodes));
  }
  for (int64_t index = first_thread(); index < pass.statistics_per_cohort; index += thread_count()) {
    const int64_t which = index_in_group(pass, index);
    double *column = arguments.block_statistics + index;
    *column = tree(column, pass.statistics_per_cohort, blocks,
                   [which](double a, double b) { return merge_statistic(which, a, b); });
  }
}

SWARMGRAD_KERNEL(swarmgrad_pack, Pack, 256) {
  const Pass &pass = arguments.pass;
  for (int n = 0; n < pass.network_count; ++n)
    for (int l = 0; l < pass.groups[n].layer_count; ++l)
      pack_layer(pass.groups[n].layer[l], pass.parameters, arguments.panels);
  for (int g = 0; g < pass.group_count; ++g)
    for (int64_t f = first_thread(); f < pass.groups[g].normalised; f += thread_count())
      pass.groups[g].normalisation[f] = normalisation(pass.rules[g].observation_moments[f]);
}

}  // namespace swarmgrad::cuda
