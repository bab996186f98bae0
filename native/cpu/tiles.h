// Matrix products on lanes: a vector is one feature of 16 environments, so nothing is ever transposed.
// The order of arithmetic is fixed by the design, not by the tile shape: one fma chain per output, inputs ascending;
// tiles only choose which chains run side by side.
#pragma once

#include "core/math.h"
#include "host/plan.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// Tile shapes: as many accumulators as the registers hold beside the operands. Gradient tiles cover 16 sums, which one
// transposing lane tree finishes together; they pass over the lanes a register at a time.
#if defined(SWARMGRAD_LANES_AVX512)
constexpr int tile_outputs = 8, tile_rows = 3;  // 24 of 32 registers
constexpr int gradient_outputs = 4, gradient_inputs = 4;
#elif defined(SWARMGRAD_LANES_AVX2)
constexpr int tile_outputs = 4, tile_rows = 1;  // 8 of 16 registers
constexpr int gradient_outputs = 4, gradient_inputs = 2;
#else
constexpr int tile_outputs = 4, tile_rows = 1;  // 16 of 32 registers
constexpr int gradient_outputs = 4, gradient_inputs = 4;
#endif
constexpr int gradient_passes = 16 / (gradient_outputs * gradient_inputs);

// A matrix of vectors: element (feature, row) at base + (feature x stride + row) x lane_count.
struct Vectors {
  float *base;
  ptrdiff_t stride;  // packs between features

  SWARMGRAD_FUNCTION float *at(int feature, int64_t row) const { return base + (feature * stride + row) * lane_count; }
  SWARMGRAD_FUNCTION Vectors from(int feature) const { return {at(feature, 0), stride}; }
};

// acc[o][r] = start[o] + sum over k ascending of panel[k][o] x in[k][row + r].
template <int O, int R>
SWARMGRAD_FUNCTION void multiply_tile(const float *panel, const float *start, int inputs, Vectors in, int64_t row,
                                      Float (&acc)[O][R]) {
#pragma GCC unroll 8
  for (int o = 0; o < O; ++o)
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r) acc[o][r] = Float(start == nullptr ? 0.0f : start[o]);
  const float *x = in.at(0, row);
  const ptrdiff_t step = in.stride * lane_count;
  for (int k = 0; k < inputs; ++k, x += step, panel += tile_outputs) {
    Float value[R];
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r) value[r] = Float::load(x + r * lane_count);
#pragma GCC unroll 8
    for (int o = 0; o < O; ++o) {
      const Float weight = panel[o];
#pragma GCC unroll 3
      for (int r = 0; r < R; ++r) acc[o][r] = fma(weight, value[r], acc[o][r]);
    }
  }
}

// What happens to a finished sum: nothing (logits), the activation, or (backward) the activation's slope at the stored
// output, which the gradient then replaces.
enum class Finish { none, tanh, relu, tanh_slope, relu_slope };

// tanh is not finished here but by a pass of its own, below.
template <Finish F>
SWARMGRAD_FUNCTION Float finish(Float sum, const float *where) {
  if constexpr (F == Finish::relu) return select(sum > 0.0f, sum, Float(0.0f));
  if constexpr (F == Finish::tanh_slope) return sum * tanh_derivative_from_output(Float::load(where));
  if constexpr (F == Finish::relu_slope) return select(Float::load(where) > 0.0f, sum, Float(0.0f));
  return sum;
}

template <int O, int R, Finish F>
SWARMGRAD_FUNCTION void product_tile(const float *panel, const float *start, int inputs, Vectors in, Vectors out,
                                     int64_t row) {
  Float acc[O][R];
  multiply_tile<O, R>(panel, start, inputs, in, row, acc);
#pragma GCC unroll 8
  for (int o = 0; o < O; ++o)
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r) {
      float *where = out.at(o, row + r);
      store(where, finish<F>(acc[o][r], where));
    }
}

template <int O, Finish F>
inline void product_rows(const float *panel, const float *start, int inputs, Vectors in, Vectors out, int64_t begin,
                         int64_t end) {
  int64_t row = begin;
  for (; row + tile_rows <= end; row += tile_rows) product_tile<O, tile_rows, F>(panel, start, inputs, in, out, row);
  if constexpr (tile_rows > 2)
    if (row + 2 <= end) {
      product_tile<O, 2, F>(panel, start, inputs, in, out, row);
      row += 2;
    }
  for (; row < end; ++row) product_tile<O, 1, F>(panel, start, inputs, in, out, row);
}

template <int O, Finish F>
inline void product_rest(int outputs, const float *panel, const float *start, int inputs, Vectors in, Vectors out,
                         int64_t begin, int64_t end) {
  if constexpr (O > 0) {
    if (outputs == O)
      product_rows<O, F>(panel, start, inputs, in, out, begin, end);
    else
      product_rest<O - 1, F>(outputs, panel, start, inputs, in, out, begin, end);
  }
}

// Replaces sums by their tanh. Never inlined: its tables, kept in registers across a product's loops, would make those
// read every operand from memory (measured: half the speed on AVX2).
__attribute__((noinline)) inline void apply_tanh(int outputs, Vectors out, int64_t begin, int64_t end) {
  for (int o = 0; o < outputs; ++o) {
    float *where = out.at(o, begin);
    for (int64_t row = begin; row < end; ++row, where += lane_count) store(where, tanh(Float::load(where)));
  }
}

// out[o][row] = finish(start[o] + sum_k W[o][k] in[k][row]) for rows begin .. end - 1. panels: [output / tile][input][tile].
// Rows are taken in chunks whose inputs stay in the cache while all panels pass over them.
template <Finish F>
inline void product(const float *panels, const float *start, int inputs, int outputs, Vectors in, Vectors out,
                    int64_t begin, int64_t end) {
  constexpr int64_t resident_bytes = 256 * 1024;
  int64_t chunk = resident_bytes / (static_cast<int64_t>(inputs) * 64) / tile_rows * tile_rows;
  if (chunk < 4 * tile_rows) chunk = 4 * tile_rows;
  for (int64_t row = begin; row < end; row += chunk) {
    const int64_t stop = row + chunk < end ? row + chunk : end;
    for (int o = 0; o < outputs; o += tile_outputs) {
      const float *panel = panels + static_cast<ptrdiff_t>(o) * inputs;
      const float *bias = start == nullptr ? nullptr : start + o;
      if (o + tile_outputs <= outputs)
        product_rows<tile_outputs, F>(panel, bias, inputs, in, out.from(o), row, stop);
      else
        product_rest<tile_outputs - 1, F>(outputs - o, panel, bias, inputs, in, out.from(o), row, stop);
      if constexpr (F == Finish::tanh)
        apply_tanh(outputs - o < tile_outputs ? outputs - o : tile_outputs, out.from(o), row, stop);
    }
  }
}

// sums[o][i][lane] = the chain over rows of delta[o][row] x in[i][row], from 0.
template <int O, int I>
SWARMGRAD_FUNCTION void outer_tile(Vectors delta, Vectors in, int64_t rows, float *sums) {
#pragma GCC unroll 4
  for (int part = 0; part < lane_count; part += part_lanes) {
    Part sum[O][I];
#pragma GCC unroll 8
    for (int o = 0; o < O; ++o)
#pragma GCC unroll 8
      for (int i = 0; i < I; ++i) sum[o][i] = 0.0f;
    const float *d = delta.base + part, *x = in.base + part;
    for (int64_t row = 0; row < rows; ++row, d += lane_count, x += lane_count) {
      Part value[I];
#pragma GCC unroll 8
      for (int i = 0; i < I; ++i) value[i] = Part::load(x + i * in.stride * lane_count);
#pragma GCC unroll 8
      for (int o = 0; o < O; ++o) {
        const Part slope = Part::load(d + o * delta.stride * lane_count);
#pragma GCC unroll 8
        for (int i = 0; i < I; ++i) sum[o][i] = fma(slope, value[i], sum[o][i]);
      }
    }
#pragma GCC unroll 8
    for (int o = 0; o < O; ++o)
#pragma GCC unroll 8
      for (int i = 0; i < I; ++i) store(sums + (o * I + i) * lane_count + part, sum[o][i]);
  }
}

// gradient[o][i] = lane tree of the chain over rows of delta[o] x in[i], for all outputs and inputs.
// A last, incomplete block moves back over its neighbour: it computes a few sums twice, with the same bits. Inputs are
// taken in groups that fit the second-level cache, so that wide layers read them once for many outputs.
inline void outer_product(Vectors delta, int outputs, Vectors in, int inputs, int64_t rows, float *gradient) {
  constexpr int O = gradient_outputs, I = gradient_inputs, wide = I * gradient_passes;
  alignas(64) float sums[16 * lane_count];  // [pass][output][input][lane]
  if (outputs < O || inputs < wide) {
    for (int o = 0; o < outputs; ++o)
      for (int i = 0; i < inputs; ++i) {
        outer_tile<1, 1>(delta.from(o), in.from(i), rows, sums);
        gradient[static_cast<ptrdiff_t>(o) * inputs + i] = lane_sum(Float::load(sums));
      }
    return;
  }
  constexpr int64_t resident_bytes = 256 * 1024;
  int group = static_cast<int>(resident_bytes / (rows * 64)) / wide * wide;
  if (group < wide) group = wide;
  for (int first = 0; first < inputs; first += group) {
    const int last = first + group < inputs ? first + group : inputs;
    for (int o_begin = 0; o_begin < outputs; o_begin += O) {
      const int o = o_begin + O <= outputs ? o_begin : outputs - O;
      for (int i_begin = first; i_begin < last; i_begin += wide) {
        const int i = i_begin + wide <= inputs ? i_begin : inputs - wide;
        for (int pass = 0; pass < gradient_passes; ++pass)
          outer_tile<O, I>(delta.from(o), in.from(i + pass * I), rows, sums + pass * O * I * lane_count);
        Float chains[16];
        for (int k = 0; k < 16; ++k) chains[k] = Float::load(sums + k * lane_count);
        float total[16];
        store(total, lane_sums(chains));
        for (int pass = 0; pass < gradient_passes; ++pass)
          for (int a = 0; a < O; ++a)
            for (int b = 0; b < I; ++b)
              gradient[static_cast<ptrdiff_t>(o + a) * inputs + i + pass * I + b] = total[(pass * O + a) * I + b];
      }
    }
  }
}

// gradient[o] = lane tree of the chain over rows of delta[o].
inline void bias_gradient(Vectors delta, int outputs, int64_t rows, float *gradient) {
  constexpr int O = 8;
  int o = 0;
  for (; o + O <= outputs; o += O) {
    Float sum[O];
    for (int a = 0; a < O; ++a) sum[a] = 0.0f;
    for (int64_t row = 0; row < rows; ++row)
#pragma GCC unroll 8
      for (int a = 0; a < O; ++a) sum[a] += Float::load(delta.at(o + a, row));
    for (int a = 0; a < O; ++a) gradient[o + a] = lane_sum(sum[a]);
  }
  for (; o < outputs; ++o) {
    Float sum = 0.0f;
    for (int64_t row = 0; row < rows; ++row) sum += Float::load(delta.at(o, row));
    gradient[o] = lane_sum(sum);
  }
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
