// Sums over what the blocks of cohorts have left, in an order that no number of threads changes.
#pragma once

#include "core/lanes.h"
#include "host/plan.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// Adjacent blocks first, then pairs of pairs; an odd one waits for its level's end.
inline void reduce_gradient(float *blocks, int64_t stride, int64_t count, double divisor, float *gradient,
                            host::Range range) {
  constexpr int64_t chunk = 1024;
  for (int64_t begin = range.begin; begin < range.end; begin += chunk) {
    const int64_t end = begin + chunk < range.end ? begin + chunk : range.end;
    for (int64_t step = 1; step < count; step *= 2)
      for (int64_t b = 0; b + step < count; b += 2 * step) {
        float *to = blocks + b * stride;
        const float *from = blocks + (b + step) * stride;
        for (int64_t p = begin; p < end; ++p) to[p] += from[p];
      }
    for (int64_t p = begin; p < end; ++p) gradient[p] = static_cast<float>(static_cast<double>(blocks[p]) / divisor);
  }
}

inline double sum_of_squares(const float *values, int64_t count) {
  Double sum = 0.0;
  int64_t k = 0;
  for (; k + lane_count <= count; k += lane_count) {
    const Double value = widen(Float::load(values + k));
    sum += value * value;
  }
  float rest[lane_count] = {};
  for (int64_t r = 0; k + r < count; ++r) rest[r] = values[k + r];
  const Double value = widen(Float::load(rest));
  return lane_sum(sum + value * value);
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
