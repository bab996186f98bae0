// Chooses the sixteen-lane (or one-value) number types of this translation unit's instruction set; holds no arithmetic.
//
// One lane is one environment. Everything lives in namespace swarmgrad::SWARMGRAD_TARGET, so that objects compiled for
// different instruction sets never share a symbol. The four implementations offer the same types (Float, Int, Mask,
// Double) and functions, and agree bit for bit; only the sign and payload of a NaN are left open.
//
// Rules every implementation keeps:
//   - all functions are always inlined, all types trivially copyable;
//   - comparisons are IEEE's: false where an operand is NaN, except !=, which is true;
//   - minimum(a, b) is select(a < b, a, b), maximum(a, b) is select(a < b, b, a): the answer is b (a) if either is NaN;
//   - fma(a, b, c) is a * b + c and fnma(a, b, c) is c - a * b, each with one rounding;
//   - Int wraps modulo 2^32, comparisons and conversions of Int are signed;
//   - truncate(Float) is defined for |x| < 2^31 only: callers clamp first;
//   - lane_sum adds lanes (i, i + 8), then (i, i + 4), (i, i + 2), (i, i + 1);
//     lane j of lane_sums(v) is lane_sum(v[j]), bit for bit;
//   - shift_left(x, count) and shift_right(x, count), logical, are defined for counts 0..31;
//   - lookup(table, index) is table[index & 7] in every lane.
#pragma once

#include "target.h"

#if defined(SWARMGRAD_LANES_AVX512)
#include "lanes_avx512.h"
#elif defined(SWARMGRAD_LANES_AVX2)
#include "lanes_avx2.h"
#elif defined(SWARMGRAD_LANES_NEON)
#include "lanes_neon.h"
#else
#include "lanes_scalar.h"
#endif

namespace swarmgrad::SWARMGRAD_TARGET {

SWARMGRAD_FUNCTION Float &operator+=(Float &a, Float b) { return a = a + b; }
SWARMGRAD_FUNCTION Float &operator-=(Float &a, Float b) { return a = a - b; }
SWARMGRAD_FUNCTION Float &operator*=(Float &a, Float b) { return a = a * b; }
SWARMGRAD_FUNCTION Float &operator/=(Float &a, Float b) { return a = a / b; }
SWARMGRAD_FUNCTION Int &operator+=(Int &a, Int b) { return a = a + b; }
SWARMGRAD_FUNCTION Int &operator-=(Int &a, Int b) { return a = a - b; }
SWARMGRAD_FUNCTION Int &operator&=(Int &a, Int b) { return a = a & b; }
SWARMGRAD_FUNCTION Int &operator|=(Int &a, Int b) { return a = a | b; }
SWARMGRAD_FUNCTION Int &operator^=(Int &a, Int b) { return a = a ^ b; }
SWARMGRAD_FUNCTION Mask &operator&=(Mask &a, Mask b) { return a = a & b; }
SWARMGRAD_FUNCTION Mask &operator|=(Mask &a, Mask b) { return a = a | b; }
SWARMGRAD_FUNCTION Mask &operator^=(Mask &a, Mask b) { return a = a ^ b; }
SWARMGRAD_FUNCTION Double &operator+=(Double &a, Double b) { return a = a + b; }
SWARMGRAD_FUNCTION Double &operator-=(Double &a, Double b) { return a = a - b; }
SWARMGRAD_FUNCTION Double &operator*=(Double &a, Double b) { return a = a * b; }
SWARMGRAD_FUNCTION Double &operator/=(Double &a, Double b) { return a = a / b; }

// Tables of eight entries that are looked up together. A vector of lanes looks them up one by one, within a register. A
// single lane reads its entries of four tables side by side: on a GPU that is one load for four, and eight lanes with
// different indices read from different banks.
template <int count>
struct Tables {
  static_assert(count % 4 == 0);
  alignas(32) float table[count][8];
  alignas(32) float side_by_side[count / 4][8][4];

  SWARMGRAD_FUNCTION constexpr explicit Tables(const float (&tables)[count][8]) : table(), side_by_side() {
    for (int k = 0; k < count; ++k)
      for (int index = 0; index < 8; ++index) table[k][index] = side_by_side[k / 4][index][k % 4] = tables[k][index];
  }
};
template <int count>
SWARMGRAD_FUNCTION Float lookup(const Tables<count> &tables, int table, Int index) {
  if constexpr (lane_count == 1)
    return tables.side_by_side[table / 4][lane(index, 0) & 7][table % 4];
  else
    return lookup(tables.table[table], index);
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
