// Weight and bias gradients of one thread block, and the tree over a cohort's sixteen lanes without sixteen accumulators.
// Products that keep their rows are in matrix.h, the kernel is in gradient.cu.
//
//   gradient[o][i] = tree over lanes of the chain over rows ascending of delta[o][row] x in[i][row]
//
// A block takes the lanes one after the other, in bit-reversed order, and adds each lane's chains to a binary counter: the
// partial sum of lanes 0 and 8, waiting for 4 and 12, waiting for 2, 10, 6 and 14, ... Carries are exactly the tree of
// core/lanes.h, (i, i + 8), (i, i + 4), (i, i + 2), (i, i + 1). A thread meets only sums that it has written itself: the
// counter needs no barrier.
#pragma once

#include "cuda/matrix.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// The lane whose turn it is: 0 8 4 12 2 10 6 14 1 9 5 13 3 11 7 15.
__device__ __forceinline__ int lane_of_turn(int turn) {
  return (turn & 1) << 3 | (turn & 2) << 1 | (turn & 4) >> 1 | (turn & 8) >> 3;
}

// Where one turn's sums go. Element k of a level, as of the result, belongs to parameter k.
struct Counter {
  float *levels;  // [4][count]
  float *result;  // [count], after the last turn
  int64_t count;
  int turn;

  // How many levels the turn carries over: the ones at the end of its number.
  __device__ __forceinline__ int carries() const { return __ffs(~turn) - 1; }
  __device__ __forceinline__ float *level(int index) const { return levels + index * count; }
  __device__ __forceinline__ float *target() const { return turn == cuda::cohort_size - 1 ? result : level(carries()); }
};

// One thread's tile: outputs `output`, `output` + output_step, ... (at most O of them) by four inputs likewise. The chain
// over rows is read four rows at a time; rows that do not fill a four come one by one, since no other row may enter.
template <int O, bool features_in_shared>
__device__ __forceinline__ void outer_tile(Rows delta, int outputs, int output, int output_step, Rows in, int inputs,
                                           int input, int input_step, int rows, const Counter &counter,
                                           int64_t weight) {
  assume_shared<features_in_shared>(delta.base);
  assume_shared<features_in_shared>(in.base);
  const float *slope[O], *value[4];
  float sum[O][4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int at = input + i * input_step;
    value[i] = in.from(at < inputs ? at : inputs - 1).base;
  }
#pragma unroll
  for (int o = 0; o < O; ++o) {
    const int at = output + o * output_step;
    slope[o] = delta.from(at < outputs ? at : outputs - 1).base;
#pragma unroll
    for (int i = 0; i < 4; ++i) sum[o][i] = 0.0f;
  }
  int left = rows;
#pragma unroll(features_in_shared ? 2 : 1)
  for (; left >= 4; left -= 4) {
    float x[4][4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      load4(value[i], x[i]);
      value[i] += 4;
    }
#pragma unroll
    for (int o = 0; o < O; ++o) {
      float d[4];
      load4(slope[o], d);
      slope[o] += 4;
#pragma unroll
      for (int r = 0; r < 4; ++r)
#pragma unroll
        for (int i = 0; i < 4; ++i) sum[o][i] = fma(Float(d[r]), Float(x[i][r]), Float(sum[o][i])).raw;
    }
  }
#pragma unroll 1
  for (int row = 0; row < left; ++row)
#pragma unroll
    for (int o = 0; o < O; ++o)
#pragma unroll
      for (int i = 0; i < 4; ++i) sum[o][i] = fma(Float(slope[o][row]), Float(value[i][row]), Float(sum[o][i])).raw;

  // Of the sums' parameters; the last tiles reach beyond the layer.
  const auto each = [&](float *level, const auto &visit) {
    float *where = level + weight + static_cast<int64_t>(output) * inputs + input;
#pragma unroll
    for (int o = 0; o < O; ++o, where += static_cast<int64_t>(output_step) * inputs)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        if (output + o * output_step < outputs && input + i * input_step < inputs)
          visit(where[i * input_step], sum[o][i]);
  };
#pragma unroll 1
  for (int level = 0; level < counter.carries(); ++level)
    each(counter.level(level), [](float &kept, float &own) { own = kept + own; });
  each(counter.target(), [](float &kept, float &own) { kept = own; });
}

template <bool features_in_shared>
__device__ __forceinline__ void bias_chain(const float *delta, int rows, const Counter &counter, int64_t bias) {
  assume_shared<features_in_shared>(delta);
  float sum = 0.0f;
  int row = 0;
  for (; row + 4 <= rows; row += 4) {
    float d[4];
    load4(delta + row, d);
#pragma unroll
    for (int r = 0; r < 4; ++r) sum += d[r];
  }
  for (; row < rows; ++row) sum += delta[row];
  const int carries = counter.carries();
  for (int level = 0; level < carries; ++level) sum = counter.level(level)[bias] + sum;
  counter.target()[bias] = sum;
}

template <int O, bool features_in_shared>
__device__ __forceinline__ void outer_tiles(const Tiles &tiles, Rows delta, int outputs, Rows in, int inputs, int rows,
                                            const Counter &counter, int64_t weight, int64_t bias) {
  // Threads that no tile needs take the biases.
  const int tasks = tiles.count() + outputs;
  for (int task = static_cast<int>(threadIdx.x); task < tasks; task += static_cast<int>(blockDim.x)) {
    if (task >= tiles.count()) {
      const int output = task - tiles.count();
      bias_chain<features_in_shared>(delta.from(output).base, rows, counter, bias + output);
      continue;
    }
    const int input = tiles.across_of(task), output = tiles.down_of(task);
    if (input < tiles.across && output < tiles.down)
      outer_tile<O, features_in_shared>(delta, outputs, output, tiles.down, in, inputs, input, tiles.across, rows,
                                        counter, weight);
  }
}

// One layer's share of one lane: weight[o][i] and bias[o] at their offsets in the counter, from delta [output][row] and
// in [input][row]. The caller has waited at a barrier since either was written, and waits at one before either changes.
// A tile's inputs lie as many features apart as there are tiles, so that neighbouring threads read neighbouring features,
// which begin in different banks, and meet neighbouring parameters.
template <bool features_in_shared>
__device__ __forceinline__ void outer_product(Rows delta, int outputs, Rows in, int inputs, int rows,
                                              const Counter &counter, int64_t weight, int64_t bias) {
  // The widest tiles that leave half of the block something to do. Addresses in global memory take twice the registers.
  const Tiles eights = {(inputs + 3) / 4, (outputs + 7) / 8}, fours = {eights.across, (outputs + 3) / 4};
  if (features_in_shared && eights.fill_block())
    outer_tiles<8, features_in_shared>(eights, delta, outputs, in, inputs, rows, counter, weight, bias);
  else if (fours.fill_block())
    outer_tiles<4, features_in_shared>(fours, delta, outputs, in, inputs, rows, counter, weight, bias);
  else
    outer_tiles<1, features_in_shared>({eights.across, outputs}, delta, outputs, in, inputs, rows, counter, weight,
                                       bias);
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
