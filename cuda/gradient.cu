// The gradient of a wave of episodes that the rollout has kept, one kernel launch a group; and the policy's forward pass
// over given observations. Weights are weigh's, sums over units fold's (reduction.cu).
//
//   unit(cohort, segment) = tree over 16 lanes of the chain over the segment's rows of
//                           d(weight log pi + coefficient entropy) / d parameters
//
// Why fused: a segment's features (64 to 127 rows) live in a block's shared memory from the observations to the last weight
// gradient; only observations are read and only the unit's sum is written. Activations are recomputed, not stored: a quarter
// of the multiply-adds for 1 KiB of memory traffic an agent-step less.
#include "core/policy.h"
#include "cuda/control.h"
#include "cuda/matrix.h"
#include "cuda/outer_product.h"

namespace swarmgrad::SWARMGRAD_TARGET {
namespace {

template <bool in_shared>
__device__ __forceinline__ float *floats_at(const cuda::Place &place, char *scratch) {
  return reinterpret_cast<float *>((in_shared ? cuda::dynamic_shared() : scratch) + place.offset);
}

// The panels that a block reads; in shared memory they are a copy, complete after the next barrier.
template <bool in_shared>
__device__ __forceinline__ Panels take_panels(const cuda::Place &place, const cuda::Pass &pass,
                                              const cuda::Group &group, int64_t count) {
  if constexpr (!in_shared) return {pass.panels, 0};
  const int64_t first = group.layer[0].forward_panel;
  float *copy = floats_at<true>(place, nullptr);
  copy_panels(pass.panels + first, count, copy);
  return {copy, first};
}

// Observations [row][feature] of `written` rows become features [feature][row]; rows up to the next multiple of 4 from
// `rows` are zeros beyond them.
template <bool in_shared>
__device__ __forceinline__ void load_rows(const float *observation, int size, int written, int rows, Rows features) {
  assume_shared<in_shared>(features.base);
  const int threads = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
  const int row_step = threads / size, feature_step = threads % size, end = (rows + 3) / 4 * 4;
  int row = thread / size, feature = thread % size;
  for (int index = thread; row < end; index += threads) {
    features.base[feature * features.stride + row] = row < written ? __ldg(observation + index) : 0.0f;
    row += row_step;
    feature += feature_step;
    if (feature >= size) {
      feature -= size;
      ++row;
    }
  }
}

// What a block's threads tell each other besides features.
struct Common {
  int stops;       // thread 0 has seen a reason to leave
  int broken_row;  // the lane's first row whose logits are not valid
};

template <bool features_in_shared, bool panels_in_shared>
class Gradient {
 public:
  __device__ __forceinline__ Gradient(const cuda::Differentiate &arguments, Common &common)
      : arguments_(arguments),
        pass_(arguments.pass),
        group_(arguments.pass.groups[arguments.group]),
        common_(common),
        scratch_(arguments.scratch + blockIdx.x * arguments.scratch_bytes_per_block),
        features_{floats_at<features_in_shared>(arguments.features, scratch_), arguments.row_stride},
        logits_(features_.from(group_.features)),
        exponentials_(logits_.from(group_.action_count)),
        panels_(take_panels<panels_in_shared>(arguments.panels, pass_, group_, cuda::panel_count(group_))) {}

  // Units in any order; but a given batch's faults are kept per slot, the first row's, so there one block takes all
  // segments of a cohort, one after the other.
  __device__ __forceinline__ void run() {
    const int64_t units = static_cast<int64_t>(pass_.wave_cohorts) * group_.segments;
    const int64_t turn = arguments_.checks_logits != 0 ? group_.segments : 1;
    for (int64_t first = blockIdx.x * turn; first < units; first += gridDim.x * turn)
      for (int64_t unit = first; unit < first + turn; ++unit) {
        if (stops(unit)) return;
        differentiate(unit);
      }
  }

 private:
  __device__ __forceinline__ uint32_t environment(int64_t cohort, int lane) const {
    return static_cast<uint32_t>(pass_.first_episode + cuda::first_episode_of(pass_, pass_.first_cohort + cohort) +
                                 lane);
  }

  // Whether nobody wants this unit; the same answer for all threads, since barriers follow.
  __device__ __forceinline__ bool stops(int64_t unit) {
    __syncthreads();  // all have read the answer before
    if (threadIdx.x == 0) {
      if (pass_.shared->cancel != 0) atomicExch(&pass_.control->cancelled, 1);
      common_.stops = cuda::is_over(pass_, environment(unit / group_.segments, 0));
      atomicAdd_system(&pass_.shared->beats, 1ull);
    }
    __syncthreads();  // the answer is there
    return common_.stops != 0;
  }

  __device__ __forceinline__ void differentiate(int64_t unit) {
    const int64_t cohort = unit / group_.segments, segment = unit % group_.segments;
    const int played = pass_.cohort_steps[cohort] * group_.agents;
    const int begin = static_cast<int>(cuda::segment_begin(group_, segment));
    const int next = static_cast<int>(cuda::segment_begin(group_, segment + 1));
    const int rows = (next < played ? next : played) - begin;
    if (segment == 0) reported_ = 0;
    if (rows <= 0) return;
    const int members = cuda::members_of(pass_, pass_.first_cohort + cohort);
    Counter counter = {reinterpret_cast<float *>(scratch_ + arguments_.counter),
                       group_.unit_gradient + unit * group_.parameter_count, group_.parameter_count, 0};
    for (; counter.turn < cuda::cohort_size; ++counter.turn) {
      const int lane = lane_of_turn(counter.turn);
      const int64_t slot = cuda::cohort_size * cohort + lane;
      const int length = lane < members ? pass_.length[slot] * group_.agents - begin : 0;
      const int written = length < rows ? length : rows;
      const int64_t first = slot * group_.rows + begin;
      if (arguments_.checks_logits != 0 && threadIdx.x == 0) common_.broken_row = rows;
      load_rows<features_in_shared>(group_.observation + first * group_.observation_size, group_.observation_size,
                                    written, rows, features_);
      __syncthreads();  // the first layer's tiles read what all threads have loaded
      forward<features_in_shared, panels_in_shared>(group_, panels_, features_, logits_, rows);
      differentiate_logits(first, written, rows);
      __syncthreads();  // outer products read the gradient of all rows
      if (arguments_.checks_logits != 0) report(cohort, lane, begin, rows);
      differentiate_layers(rows, counter);
      __syncthreads();  // the next lane's observations replace what outer products still read
    }
  }

  __device__ __forceinline__ void differentiate_logits(int64_t first, int written, int rows) {
    assume_shared<features_in_shared>(logits_.base);
    assume_shared<features_in_shared>(exponentials_.base);
    for (int row = static_cast<int>(threadIdx.x); row < rows; row += static_cast<int>(blockDim.x)) {
      const int64_t at = first + row;
      const bool alive = row < written && group_.alive[at] != 0;
      float *logit = logits_.base + row;
      const uint16_t *available =
          alive && group_.available != nullptr ? group_.available + at * group_.action_count : nullptr;
      const Logits logits(logit, logits_.stride, group_.action_count, available, exponentials_.base + row,
                          exponentials_.stride);
      if (arguments_.checks_logits != 0 && alive && !logits.is_valid().raw) atomicMin(&common_.broken_row, row);
      logits.gradient(alive ? group_.action[at] : 0, alive ? group_.reward[at] : 0.0f, pass_.entropy_coefficient, alive,
                      logit);
    }
  }

  // The first fault of a slot stays: segments and rows come in ascending order.
  __device__ __forceinline__ void report(int64_t cohort, int lane, int begin, int rows) {
    if (threadIdx.x != 0 || common_.broken_row >= rows || (reported_ >> lane & 1u) != 0) return;
    reported_ |= 1u << lane;
    const int row = begin + common_.broken_row;
    cuda::report(pass_, cuda::cohort_size * cohort + lane, environment(cohort, lane),
                 {cuda::Fault::logits, group_.first_agent + row % group_.agents, row / group_.agents, -1});
  }

  // Last layer first. A layer's inputs are overwritten by their own gradient once nothing needs them.
  __device__ __forceinline__ void differentiate_layers(int rows, const Counter &counter) {
    Rows delta = logits_;
    for (int l = group_.layer_count - 1; l >= 0; --l) {
      const cuda::Layer &layer = group_.layer[l];
      const Rows in = features_.from(layer.input_feature);
      outer_product<features_in_shared>(delta, layer.outputs, in, layer.inputs, rows, counter,
                                        layer.weight - group_.parameter_offset, layer.bias - group_.parameter_offset);
      if (l == 0) break;
      __syncthreads();  // the product replaces inputs that other threads' outer products read
      product<features_in_shared, panels_in_shared>(
          panels_.at(layer.backward_panel), layer.padded_inputs, false, layer.outputs, layer.inputs, delta, in, rows,
          group_.activation == cuda::tanh_activation ? Finish::tanh_slope : Finish::relu_slope);
      __syncthreads();  // the layer before reads the gradient of all its outputs
      delta = in;
    }
  }

  const cuda::Differentiate &arguments_;
  const cuda::Pass &pass_;
  const cuda::Group &group_;
  Common &common_;
  char *scratch_;
  Rows features_, logits_, exponentials_;
  Panels panels_;
  uint32_t reported_ = 0;  // of the cohort: lanes whose fault thread 0 has told
};

template <bool features_in_shared, bool panels_in_shared>
__device__ __forceinline__ void forward_rows(const cuda::Forward &arguments) {
  const cuda::Pass &pass = arguments.pass;
  const cuda::Group &group = pass.groups[arguments.group];
  char *scratch = arguments.scratch + blockIdx.x * arguments.scratch_bytes_per_block;
  const Rows features = {floats_at<features_in_shared>(arguments.features, scratch), arguments.tile_rows + 4};
  const Rows logits = features.from(group.features);
  const Panels panels = take_panels<panels_in_shared>(arguments.panels, pass, group, cuda::forward_panel_count(group));
  const int threads = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
  const int hidden = group.features - group.observation_size;
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * arguments.tile_rows; first < arguments.rows;
       first += static_cast<int64_t>(gridDim.x) * arguments.tile_rows) {
    const int rows =
        static_cast<int>(arguments.rows - first < arguments.tile_rows ? arguments.rows - first : arguments.tile_rows);
    load_rows<features_in_shared>(arguments.observation + first * group.observation_size, group.observation_size, rows,
                                  rows, features);
    __syncthreads();  // the first layer's tiles read what all threads have loaded
    forward<features_in_shared, panels_in_shared>(group, panels, features, logits, rows);
    for (int k = thread; arguments.hidden != nullptr && k < rows * hidden; k += threads)
      arguments.hidden[first * hidden + k] = features.from(group.observation_size + k % hidden).base[k / hidden];
    for (int k = thread; arguments.logit != nullptr && k < rows * group.action_count; k += threads)
      arguments.logit[first * group.action_count + k] =
          logits.from(k % group.action_count).base[k / group.action_count];
    __syncthreads();  // the next rows replace what other threads still read
  }
}

}  // namespace

SWARMGRAD_KERNEL(swarmgrad_differentiate, cuda::Differentiate, 256) {
  SWARMGRAD_SHARED(Common, common);
  if (arguments.panels.in_shared != 0)
    Gradient<true, true>(arguments, common).run();
  else if (arguments.features.in_shared != 0)
    Gradient<true, false>(arguments, common).run();
  else
    Gradient<false, false>(arguments, common).run();
}

SWARMGRAD_KERNEL(swarmgrad_forward_rows, cuda::Forward, 256, 2) {
  if (arguments.panels.in_shared != 0)
    forward_rows<true, true>(arguments);
  else if (arguments.features.in_shared != 0)
    forward_rows<true, false>(arguments);
  else
    forward_rows<false, false>(arguments);
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
