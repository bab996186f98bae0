// The gradient of a wave of episodes that the rollout has kept, one kernel launch a network; before it, of a value network,
// its outputs; and a network's forward pass over given observations. Weights are weigh's, sums over units fold's
// (reduction.cu).
//
//   unit(cohort, segment) = tree over 16 lanes of the chain over the segment's rows of
//                           d(weight log pi + coefficient entropy) / d parameters, or of a value network
//                           d(error value) / d parameters
//
// Why fused: a segment's features (64 to 127 rows) live in a block's shared memory from the observations to the last weight
// gradient; only the rollout's rows are read and only the unit's sum is written. Hidden features and logits are among those
// rows, or recomputed where they would take too much memory (docs/roofline.md); the bits are the same.
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

// The panels that a block reads, its copy where they are in shared memory.
template <bool in_shared>
__device__ __forceinline__ Panels panels_of(const cuda::Place &place, const cuda::Pass &pass,
                                            const cuda::Group &group) {
  if constexpr (in_shared) return {floats_at<true>(place, nullptr), group.layer[0].forward_panel};
  return {pass.panels, 0};
}

// Makes that copy; the caller waits at a barrier before the block reads it.
template <bool in_shared>
__device__ __forceinline__ void take_panels(const cuda::Place &place, const cuda::Pass &pass, const cuda::Group &group,
                                            int64_t count) {
  if constexpr (in_shared)
    copy_panels(pass.panels + group.layer[0].forward_panel, count, floats_at<true>(place, nullptr));
}

// [row][size] of `written` rows become features [feature][row]; rows up to the next multiple of 4 from `rows` are zeros
// beyond them.
template <bool in_shared>
__device__ __forceinline__ void load_rows(const float *from, int size, int written, int rows, Rows features) {
  assume_shared<in_shared>(features.base);
  each_element((rows + 3) / 4 * 4, size, [=](int row, int feature) {
    features.base[feature * features.stride + row] = row < written ? __ldg(from + row * size + feature) : 0.0f;
  });
}

// What all threads of a block share besides features. Thread 0 writes it; kept here rather than by every thread, it leaves
// the registers to the tiles.
struct Common {
  int stops;       // there is a reason to leave
  int broken_row;  // the lane's first row whose logits are not valid
  // Of the unit.
  int cohort, begin, rows, members;
  uint32_t reported;  // lanes of the cohort whose fault is known
  float entropy_coefficient;
  Counter counter;
};
static_assert(sizeof(Common) <= cuda::gradient_static_bytes);

template <bool features_in_shared, bool panels_in_shared>
class Gradient {
 public:
  __device__ __forceinline__ Gradient(const cuda::Differentiate &arguments, Common &common)
      : arguments_(arguments),
        pass_(arguments.pass),
        group_(arguments.pass.groups[arguments.network]),
        common_(common) {}

  // Units in any order; but a given batch's faults are kept per slot, the first row's, so there one block takes all
  // segments of a cohort, one after the other.
  __device__ __forceinline__ void run() {
    take_panels<panels_in_shared>(arguments_.panels, pass_, group_, cuda::panel_count(group_));
    const int64_t units = int64_t{1} * pass_.wave_cohorts * parts();
    const int64_t turn = arguments_.checks_logits != 0 ? group_.segments : 1;
    for (int64_t first = blockIdx.x * turn; first < units; first += gridDim.x * turn)
      for (int64_t unit = first; unit < first + turn; ++unit) {
        __syncthreads();  // all have read what follows for the unit before
        if (threadIdx.x == 0) begin(unit);
        __syncthreads();  // it is there
        if (common_.stops != 0) return;
        if (common_.rows <= 0) continue;
        if (arguments_.evaluates != 0)
          evaluate();
        else
          differentiate();
      }
  }

 private:
  __device__ __forceinline__ char *scratch() const {
    return arguments_.scratch + blockIdx.x * arguments_.scratch_bytes_per_block;
  }
  __device__ __forceinline__ Rows features() const {
    return {floats_at<features_in_shared>(arguments_.features, scratch()), arguments_.row_stride};
  }
  __device__ __forceinline__ Panels panels() const {
    return panels_of<panels_in_shared>(arguments_.panels, pass_, group_);
  }
  __device__ __forceinline__ Rows logits() const { return features().from(group_.features); }
  __device__ __forceinline__ uint32_t environment(int lane) const {
    return static_cast<uint32_t>(pass_.first_episode +
                                 cuda::first_episode_of(pass_, pass_.first_cohort + common_.cohort) + lane);
  }
  __device__ __forceinline__ int64_t slot(int lane) const {
    return static_cast<int64_t>(cuda::cohort_size) * common_.cohort + lane;
  }
  // Of a cohort: its segments, and where values are wanted the state in which the horizon cut its episodes.
  __device__ __forceinline__ int parts() const {
    return group_.segments + (arguments_.evaluates != 0 && group_.last_observation != nullptr ? 1 : 0);
  }
  __device__ __forceinline__ bool is_last_state() const { return common_.begin == group_.rows; }

  // Rows of the segment that the lane has played.
  __device__ __forceinline__ int written(int lane) const {
    if (is_last_state()) return lane < common_.members && pass_.truncated[slot(lane)] != 0 ? common_.rows : 0;
    const int left = lane < common_.members ? pass_.length[slot(lane)] * group_.agents - common_.begin : 0;
    return left < common_.rows ? left : common_.rows;
  }

  // Whether hidden features and logits need not be worked out. Where the lane ended early they must: rows that it has not
  // played have those of an observation of zeros.
  __device__ __forceinline__ bool is_stored(int lane) const {
    return group_.kept_hidden > 0 && written(lane) == common_.rows;
  }

  // Thread 0: what the unit is, and whether somebody wants it. Of a played cohort nobody does where any of its episodes had
  // a fault; a given one's faults are found here, lane by lane.
  __device__ __forceinline__ void begin(int64_t unit) {
    const int64_t segment = unit % parts();
    common_.cohort = static_cast<int>(unit / parts());
    common_.members = cuda::members_of(pass_, pass_.first_cohort + common_.cohort);
    if (pass_.shared->cancel != 0) atomicExch(&pass_.control->cancelled, 1);
    atomicAdd_system(&pass_.shared->beats, 1ull);
    common_.stops = cuda::is_over(pass_, environment(arguments_.checks_logits != 0 ? 0 : common_.members - 1));
    if (common_.stops != 0) return;
    common_.begin = static_cast<int>(cuda::segment_begin(group_, segment));
    const int next = static_cast<int>(cuda::segment_begin(group_, segment + 1));
    const int played = steps() * group_.agents;
    common_.rows = (next < played ? next : played) - common_.begin;
    if (is_last_state()) common_.rows = played == group_.rows ? group_.agents : 0;
    common_.counter = {reinterpret_cast<float *>(scratch() + arguments_.counter),
                       group_.unit_gradient + unit * group_.parameter_count, group_.parameter_count, 0};
    if (segment == 0) common_.reported = 0;
    common_.entropy_coefficient = static_cast<float>(pass_.rates[*pass_.launch_iteration].entropy_coefficient);
  }

  // Thread 0: the cohort's longest episode, which weigh has yet to tell where values are wanted.
  __device__ __forceinline__ int steps() const {
    if (arguments_.evaluates == 0) return pass_.cohort_steps[common_.cohort];
    int longest = 0;
    for (int lane = 0; lane < common_.members; ++lane)
      longest = longest < pass_.length[slot(lane)] ? pass_.length[slot(lane)] : longest;
    return longest;
  }

  // A lane that has ended has the value of an observation of zeros.
  __device__ __forceinline__ void evaluate() {
    for (int lane = 0; lane < common_.members; ++lane) {
      load(lane);
      __syncthreads();  // the first layer's tiles read what all threads have loaded
      forward<features_in_shared, panels_in_shared>(group_, panels(), features(), logits(), common_.rows);
      float *output = group_.output + slot(lane) * (group_.rows + group_.agents) + common_.begin;
      for (int row = static_cast<int>(threadIdx.x); row < common_.rows; row += static_cast<int>(blockDim.x))
        output[row] = logits().base[row];
      __syncthreads();  // the next lane's observations and values replace what is still read
    }
  }

  __device__ __forceinline__ void differentiate() {
    for (int turn = 0; turn < cuda::cohort_size; ++turn) {
      const int lane = lane_of_turn(turn);
      if (threadIdx.x == 0) {
        common_.counter.turn = turn;
        common_.broken_row = common_.rows;
      }
      load(lane);
      __syncthreads();  // the first layer's tiles read what all threads have loaded
      if (!is_stored(lane))
        forward<features_in_shared, panels_in_shared>(group_, panels(), features(), logits(), common_.rows);
      differentiate_logits(lane);
      __syncthreads();  // outer products read the gradient of all rows
      if (arguments_.checks_logits != 0 && threadIdx.x == 0) report(lane);
      differentiate_layers();
      __syncthreads();  // the next lane's observations replace what outer products still read
    }
  }

  __device__ __forceinline__ void load(int lane) const {
    const int64_t first = slot(lane) * group_.rows + common_.begin;
    const float *observation = is_last_state()
                                   ? group_.last_observation + slot(lane) * group_.agents * group_.observation_size
                                   : group_.observation + first * group_.observation_size;
    load_rows<features_in_shared>(observation, group_.observation_size, written(lane), common_.rows, features());
    if (is_stored(lane))
      load_rows<features_in_shared>(group_.hidden + first * group_.kept_hidden, group_.kept_hidden, written(lane),
                                    common_.rows, features().from(group_.observation_size));
  }

  __device__ __forceinline__ void differentiate_logits(int lane) {
    const Rows slopes = logits(), exponentials = slopes.from(group_.action_count);
    assume_shared<features_in_shared>(slopes.base);
    assume_shared<features_in_shared>(exponentials.base);
    const int64_t first = slot(lane) * group_.rows + common_.begin;
    const int alive_rows = written(lane);
    for (int row = static_cast<int>(threadIdx.x); row < common_.rows; row += static_cast<int>(blockDim.x)) {
      const int64_t at = first + row;
      if (group_.is_value != 0) {
        slopes.base[row] = row < alive_rows ? group_.reward[at] : 0.0f;
        continue;
      }
      const bool alive = row < alive_rows && group_.alive[at] != 0;
      const uint16_t *available =
          alive && group_.available != nullptr ? group_.available + at * group_.action_count : nullptr;
      const Logits logits(slopes.base + row, slopes.stride, group_.action_count, available, exponentials.base + row,
                          exponentials.stride);
      if (arguments_.checks_logits != 0 && alive && !logits.is_valid().raw) atomicMin(&common_.broken_row, row);
      logits.gradient(alive ? group_.action[at] : 0, alive ? group_.reward[at] : 0.0f, common_.entropy_coefficient,
                      alive, slopes.base + row);
    }
  }

  // The first fault of a slot stays: segments and rows come in ascending order.
  __device__ __forceinline__ void report(int lane) {
    if (common_.broken_row >= common_.rows || (common_.reported >> lane & 1u) != 0) return;
    common_.reported |= 1u << lane;
    const int row = common_.begin + common_.broken_row;
    cuda::report(pass_, slot(lane), environment(lane),
                 {cuda::Fault::logits, group_.first_agent + row % group_.agents, row / group_.agents, -1});
  }

  // Last layer first. A layer's inputs are overwritten by their own gradient once nothing needs them.
  __device__ __forceinline__ void differentiate_layers() {
    Rows delta = logits();
    for (int l = group_.layer_count - 1; l >= 0; --l) {
      const cuda::Layer &layer = group_.layer[l];
      const Rows in = features().from(layer.input_feature);
      outer_product<features_in_shared>(delta, layer.outputs, in, layer.inputs, common_.rows, common_.counter,
                                        layer.weight - group_.parameter_offset, layer.bias - group_.parameter_offset);
      if (l == 0) break;
      __syncthreads();  // the product replaces inputs that other threads' outer products read
      product<features_in_shared, panels_in_shared>(
          panels().at(layer.backward_panel), layer.padded_inputs, false, layer.outputs, layer.inputs, delta, in,
          common_.rows, group_.activation == cuda::tanh_activation ? Finish::tanh_slope : Finish::relu_slope);
      __syncthreads();  // the layer before reads the gradient of all its outputs
      delta = in;
    }
  }

  const cuda::Differentiate &arguments_;
  const cuda::Pass &pass_;
  const cuda::Group &group_;
  Common &common_;
};

template <bool features_in_shared, bool panels_in_shared>
__device__ __forceinline__ void forward_rows(const cuda::Forward &arguments) {
  const cuda::Pass &pass = arguments.pass;
  const cuda::Group &group = pass.groups[arguments.network];
  char *scratch = arguments.scratch + blockIdx.x * arguments.scratch_bytes_per_block;
  const Rows features = {floats_at<features_in_shared>(arguments.features, scratch), arguments.tile_rows + 4};
  const Rows logits = features.from(group.features);
  const Panels panels = panels_of<panels_in_shared>(arguments.panels, pass, group);
  take_panels<panels_in_shared>(arguments.panels, pass, group, cuda::forward_panel_count(group));
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

// Features and panels in shared memory.
SWARMGRAD_KERNEL(swarmgrad_differentiate_shared, cuda::Differentiate, cuda::gradient_threads, 2) {
  SWARMGRAD_SHARED(Common, common);
  Gradient<true, true>(arguments, common).run();
}

// Features in shared memory, panels streamed from the second-level cache.
SWARMGRAD_KERNEL(swarmgrad_differentiate_streamed, cuda::Differentiate, cuda::gradient_threads, 2) {
  SWARMGRAD_SHARED(Common, common);
  Gradient<true, false>(arguments, common).run();
}

// Neither.
SWARMGRAD_KERNEL(swarmgrad_differentiate_global, cuda::Differentiate, cuda::gradient_threads, 2) {
  SWARMGRAD_SHARED(Common, common);
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
