// Matrix products of one thread block: a policy's forward pass and its transpose over a dense batch of rows, written once
// for the rollout, forward and gradient kernels. Weight gradients are in outer_product.h, launches elsewhere.
//
//   out[o][row] = finish(start[o] + sum over k ascending of panel[k][o] x in[k][row])
//
// one chain of fused multiply-adds per output, as on the CPU (native/cpu/tiles.h): tiles choose which chains run side by
// side, never their order, so every block size, tile shape and memory path gives the same bits.
//
// A thread that computed single outputs would load two operands for each fma and be bound by shared memory. It owns a tile
// of 8 outputs x 4 rows instead: 32 independent chains, fed by three 16-byte loads a step. Where that leaves most of the
// block idle (few actions, few rows), tiles are 1 output x 4 rows: more loads, but eight times the threads.
#pragma once

#include "core/math.h"
#include "cuda/kernel.h"
#include "cuda/plan.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// Element (feature, row) is base[feature x stride + row]; base is 16-byte aligned. The stride is 4 x an odd number: a
// quarter of a warp (8 threads) reads 16 bytes each, either of neighbouring rows, which are contiguous, or of
// neighbouring features, which then begin in 8 different groups of 4 banks. An even number of fours would put every second
// feature into the same banks.
struct Rows {
  float *base;
  int stride;

  __device__ __forceinline__ Rows from(int feature) const {
    return {base + static_cast<ptrdiff_t>(feature) * stride, stride};
  }
};

// Which tile a thread takes: squares of 2 x 2 tiles, bit 0 of the thread along one side and bit 1 along the other, squares
// along `across` first. Then for each 16-byte load every thread shares its address with its neighbour (thread ^ 1) or its
// next but one (thread ^ 2), and shared memory serves a warp in two turns instead of four: with three loads for 32
// multiply-adds that is 6 of its cycles beside 8 of arithmetic, not 12
// (forums.developer.nvidia.com/t/unexpected-shared-memory-bank-conflict/77228).
struct Tiles {
  int across, down;

  __device__ __forceinline__ int squares_across() const { return (across + 1) / 2; }
  __device__ __forceinline__ int count() const { return 4 * squares_across() * ((down + 1) / 2); }  // those outside too
  __device__ __forceinline__ int across_of(int index) const { return index / 4 % squares_across() * 2 + index % 2; }
  __device__ __forceinline__ int down_of(int index) const { return index / 4 / squares_across() * 2 + index / 2 % 2; }
  __device__ __forceinline__ bool fill_block() const { return 2 * count() > static_cast<int>(blockDim.x); }
};

// Calls visit(row, feature) for all of so many rows and features, a warp for 8 features of 4 rows at a time: of an array
// [row][feature] those are whole sectors of memory, of Rows all different banks.
template <class Visit>
__device__ __forceinline__ void each_element(int rows, int features, const Visit &visit) {
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  for (int row = 4 * warp + lane % 4; row < rows; row += static_cast<int>(blockDim.x) / 8)
    for (int feature = lane / 4; feature < features; feature += 8) visit(row, feature);
}

// A group's panels as the block reads them: the pass's own, or its copy in shared memory that begins with panel `first`.
struct Panels {
  const float *base;
  int64_t first;

  __device__ __forceinline__ const float *at(int64_t panel) const { return base + (panel - first); }
};

// What happens to a finished sum: nothing (logits), the activation, or (backward) the activation's slope at the stored
// output, which the gradient then replaces.
enum class Finish { none, tanh, relu, tanh_slope, relu_slope };

// Lets the compiler use the instructions of shared or of global memory, which are faster than those that find out where a
// pointer leads. A promise: what is not in shared memory is in global memory.
template <bool in_shared>
__device__ __forceinline__ void assume_shared([[maybe_unused]] const void *where) {
#if defined(__CUDA_ARCH__)
  __builtin_assume(in_shared ? __isShared(where) : __isGlobal(where));
#endif
}

__device__ __forceinline__ void load4(const float *from, float (&to)[4]) {
  const float4 value = *reinterpret_cast<const float4 *>(from);
  to[0] = value.x;
  to[1] = value.y;
  to[2] = value.z;
  to[3] = value.w;
}
__device__ __forceinline__ void store4(float *to, const float (&from)[4]) {
  *reinterpret_cast<float4 *>(to) = make_float4(from[0], from[1], from[2], from[3]);
}

// `where`: the four rows of the output's feature.
__device__ __forceinline__ void finish_rows(Finish finish, float (&sum)[4], float *where) {
  float stored[4] = {};
  if (finish == Finish::tanh_slope || finish == Finish::relu_slope) load4(where, stored);
#pragma unroll
  for (int r = 0; r < 4; ++r) {
    const Float value = sum[r], output = stored[r];
    if (finish == Finish::tanh) sum[r] = tanh(value).raw;
    if (finish == Finish::relu) sum[r] = select(value > Float(0.0f), value, Float(0.0f)).raw;
    if (finish == Finish::tanh_slope) sum[r] = (value * tanh_derivative_from_output(output)).raw;
    if (finish == Finish::relu_slope) sum[r] = select(output > Float(0.0f), value, Float(0.0f)).raw;
  }
  store4(where, sum);
}

// One thread's tile: `outputs` outputs of a panel, at most O, and four rows. Operands of four inputs are under way at a
// time, but of two where panels are in global memory: addresses are twice as wide there, and registers those of two blocks.
template <int O, bool features_in_shared, bool panels_in_shared>
__device__ __forceinline__ void product_tile(const float *panel, int panel_stride, bool has_bias, int inputs,
                                             int outputs, const float *in, float *out, int stride, Finish finish) {
  assume_shared<panels_in_shared>(panel);
  assume_shared<features_in_shared>(in);
  assume_shared<features_in_shared>(out);
  float sum[O][4];
#pragma unroll
  for (int o = 0; o < O; ++o)
#pragma unroll
    for (int r = 0; r < 4; ++r) sum[o][r] = has_bias ? panel[o] : 0.0f;
  if (has_bias) panel += panel_stride;
#pragma unroll(panels_in_shared ? 4 : 2)
  for (int k = 0; k < inputs; ++k, in += stride, panel += panel_stride) {
    float value[4], weight[O];
    load4(in, value);
    if constexpr (O == 1) {
      weight[0] = panel[0];
    } else {
#pragma unroll
      for (int o = 0; o < O; o += 4) load4(panel + o, reinterpret_cast<float(&)[4]>(weight[o]));
    }
#pragma unroll
    for (int o = 0; o < O; ++o)
#pragma unroll
      for (int r = 0; r < 4; ++r) sum[o][r] = fma(Float(weight[o]), Float(value[r]), Float(sum[o][r])).raw;
  }
  // tanh is long: side by side for all outputs it would be most of every kernel's code, and of the time to compile it. Its
  // sums are stored as they are and finished in a loop.
  const bool is_tanh = finish == Finish::tanh;
#pragma unroll
  for (int o = 0; o < O; ++o)
    if (o < outputs) finish_rows(is_tanh ? Finish::none : finish, sum[o], out + static_cast<ptrdiff_t>(o) * stride);
#pragma unroll 2
  for (int o = 0; is_tanh && o < O && o < outputs; ++o) {
    float *where = out + static_cast<ptrdiff_t>(o) * stride;
    float value[4];
    load4(where, value);
    finish_rows(Finish::tanh, value, where);
  }
}

template <int O, bool features_in_shared, bool panels_in_shared>
__device__ __forceinline__ void product_tiles(const Tiles &tiles, const float *panel, int panel_stride, bool has_bias,
                                              int inputs, int outputs, Rows in, Rows out, Finish finish) {
  for (int index = static_cast<int>(threadIdx.x); index < tiles.count(); index += static_cast<int>(blockDim.x)) {
    const int row = 4 * tiles.across_of(index), output = O * tiles.down_of(index);
    if (row < 4 * tiles.across && output < outputs)
      product_tile<O, features_in_shared, panels_in_shared>(panel + output, panel_stride, has_bias, inputs,
                                                            outputs - output, in.base + row,
                                                            out.from(output).base + row, in.stride, finish);
  }
}

// The whole product for rows 0 .. rows - 1. `panel` is [input][panel_stride], after a row of biases where has_bias, padded
// to whole tiles of outputs. Rows up to the next multiple of 4 are written too, with whatever follows from their inputs.
// Whoever reads `out` in another thread waits at a barrier first.
template <bool features_in_shared, bool panels_in_shared>
__device__ __forceinline__ void product(const float *panel, int panel_stride, bool has_bias, int inputs, int outputs,
                                        Rows in, Rows out, int rows, Finish finish) {
  constexpr int wide = cuda::panel_width;
  const Tiles tiles = {(rows + 3) / 4, (outputs + wide - 1) / wide};
  if (tiles.fill_block())
    product_tiles<wide, features_in_shared, panels_in_shared>(tiles, panel, panel_stride, has_bias, inputs, outputs, in,
                                                              out, finish);
  else
    product_tiles<1, features_in_shared, panels_in_shared>({tiles.across, outputs}, panel, panel_stride, has_bias,
                                                           inputs, outputs, in, out, finish);
}

// Observation features -> hidden features -> logits, for rows 0 .. rows - 1. The caller has waited at a barrier since the
// observations were written; afterwards the block may read the logits.
template <bool features_in_shared, bool panels_in_shared>
__device__ __forceinline__ void forward(const cuda::Group &group, Panels panels, Rows features, Rows logits, int rows) {
  for (int l = 0; l < group.layer_count; ++l) {
    const cuda::Layer &layer = group.layer[l];
    const bool last = l + 1 == group.layer_count;
    product<features_in_shared, panels_in_shared>(panels.at(layer.forward_panel), layer.padded_outputs, true,
                                                  layer.inputs, layer.outputs, features.from(layer.input_feature),
                                                  last ? logits : features.from(group.layer[l + 1].input_feature), rows,
                                                  last                                        ? Finish::none
                                                  : group.activation == cuda::tanh_activation ? Finish::tanh
                                                                                              : Finish::relu);
    __syncthreads();  // the next layer's tiles read outputs of all threads
  }
}

// Copies panels into shared memory; the caller waits at a barrier before the block reads them. Whole tiles: counts are
// multiples of 4.
__device__ __forceinline__ void copy_panels(const float *from, int64_t count, float *to) {
  for (int64_t k = 4 * static_cast<int64_t>(threadIdx.x); k < count; k += 4 * static_cast<int64_t>(blockDim.x))
    *reinterpret_cast<float4 *>(to + k) = *reinterpret_cast<const float4 *>(from + k);
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
