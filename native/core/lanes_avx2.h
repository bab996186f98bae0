// The lane types on AVX2 and FMA: two registers of eight floats hold a cohort.
#pragma once

#include <immintrin.h>
#include <stdint.h>

namespace swarmgrad::SWARMGRAD_TARGET {

constexpr int lane_count = 16;

// Every type is a pair: lanes 0..7 in `low`, 8..15 in `high` (Double: four quarters).
struct Mask {
  __m256 low, high;  // all bits of a lane set, or none
  Mask() = default;
  SWARMGRAD_FUNCTION Mask(bool value) : low(_mm256_castsi256_ps(_mm256_set1_epi32(value ? -1 : 0))), high(low) {}
  SWARMGRAD_FUNCTION Mask(__m256 first, __m256 second) : low(first), high(second) {}
  SWARMGRAD_FUNCTION Mask(__m256i first, __m256i second)
      : low(_mm256_castsi256_ps(first)), high(_mm256_castsi256_ps(second)) {}
};

struct Float {
  __m256 low, high;
  Float() = default;
  SWARMGRAD_FUNCTION Float(float value) : low(_mm256_set1_ps(value)), high(low) {}
  SWARMGRAD_FUNCTION Float(__m256 first, __m256 second) : low(first), high(second) {}
  SWARMGRAD_FUNCTION static Float load(const float *where) {
    return {_mm256_loadu_ps(where), _mm256_loadu_ps(where + 8)};
  }
};

struct Int {
  __m256i low, high;
  Int() = default;
  SWARMGRAD_FUNCTION Int(int32_t value) : low(_mm256_set1_epi32(value)), high(low) {}
  SWARMGRAD_FUNCTION Int(__m256i first, __m256i second) : low(first), high(second) {}
  SWARMGRAD_FUNCTION static Int load(const int32_t *where) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i_u *>(where)),
            _mm256_loadu_si256(reinterpret_cast<const __m256i_u *>(where + 8))};
  }
};

struct Double {
  __m256d quarter[4];
  Double() = default;
  SWARMGRAD_FUNCTION Double(double value) : Double(_mm256_set1_pd(value)) {}
  SWARMGRAD_FUNCTION explicit Double(__m256d all) : quarter{all, all, all, all} {}
  SWARMGRAD_FUNCTION Double(__m256d a, __m256d b, __m256d c, __m256d d) : quarter{a, b, c, d} {}
  SWARMGRAD_FUNCTION static Double load(const double *where) {
    return {_mm256_loadu_pd(where), _mm256_loadu_pd(where + 4), _mm256_loadu_pd(where + 8),
            _mm256_loadu_pd(where + 12)};
  }
};

SWARMGRAD_FUNCTION void store(float *where, Float value) {
  _mm256_storeu_ps(where, value.low);
  _mm256_storeu_ps(where + 8, value.high);
}
SWARMGRAD_FUNCTION void store(int32_t *where, Int value) {
  _mm256_storeu_si256(reinterpret_cast<__m256i_u *>(where), value.low);
  _mm256_storeu_si256(reinterpret_cast<__m256i_u *>(where + 8), value.high);
}
SWARMGRAD_FUNCTION void store(double *where, Double value) {
  _mm256_storeu_pd(where, value.quarter[0]);
  _mm256_storeu_pd(where + 4, value.quarter[1]);
  _mm256_storeu_pd(where + 8, value.quarter[2]);
  _mm256_storeu_pd(where + 12, value.quarter[3]);
}

// Mask

SWARMGRAD_FUNCTION Mask operator&(Mask a, Mask b) {
  return {_mm256_and_ps(a.low, b.low), _mm256_and_ps(a.high, b.high)};
}
SWARMGRAD_FUNCTION Mask operator|(Mask a, Mask b) { return {_mm256_or_ps(a.low, b.low), _mm256_or_ps(a.high, b.high)}; }
SWARMGRAD_FUNCTION Mask operator^(Mask a, Mask b) {
  return {_mm256_xor_ps(a.low, b.low), _mm256_xor_ps(a.high, b.high)};
}
SWARMGRAD_FUNCTION Mask operator!(Mask a) { return a ^ Mask(true); }
SWARMGRAD_FUNCTION uint32_t bits(Mask m) {
  return static_cast<uint32_t>(_mm256_movemask_ps(m.low)) | static_cast<uint32_t>(_mm256_movemask_ps(m.high)) << 8;
}
SWARMGRAD_FUNCTION bool any(Mask m) { return _mm256_movemask_ps(_mm256_or_ps(m.low, m.high)) != 0; }
SWARMGRAD_FUNCTION bool all(Mask m) { return _mm256_movemask_ps(_mm256_and_ps(m.low, m.high)) == 0xff; }
SWARMGRAD_FUNCTION bool none(Mask m) { return !any(m); }
SWARMGRAD_FUNCTION Mask mask_from_bits(uint32_t pattern) {
  const __m256i all = _mm256_set1_epi32(static_cast<int32_t>(pattern));
  const __m256i low = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128), high = _mm256_slli_epi32(low, 8);
  return {_mm256_cmpeq_epi32(_mm256_and_si256(all, low), low), _mm256_cmpeq_epi32(_mm256_and_si256(all, high), high)};
}
SWARMGRAD_FUNCTION Mask select(Mask m, Mask a, Mask b) {
  return {_mm256_blendv_ps(b.low, a.low, m.low), _mm256_blendv_ps(b.high, a.high, m.high)};
}

// Float

SWARMGRAD_FUNCTION Float operator+(Float a, Float b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
SWARMGRAD_FUNCTION Float operator-(Float a, Float b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
SWARMGRAD_FUNCTION Float operator*(Float a, Float b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
SWARMGRAD_FUNCTION Float operator/(Float a, Float b) {
  return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
SWARMGRAD_FUNCTION Float operator-(Float a) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_xor_ps(a.low, sign), _mm256_xor_ps(a.high, sign)};
}

template <int predicate>
SWARMGRAD_FUNCTION Mask compare(Float a, Float b) {
  return {_mm256_cmp_ps(a.low, b.low, predicate), _mm256_cmp_ps(a.high, b.high, predicate)};
}
SWARMGRAD_FUNCTION Mask operator<(Float a, Float b) { return compare<_CMP_LT_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator<=(Float a, Float b) { return compare<_CMP_LE_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator>(Float a, Float b) { return compare<_CMP_GT_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator>=(Float a, Float b) { return compare<_CMP_GE_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator==(Float a, Float b) { return compare<_CMP_EQ_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator!=(Float a, Float b) { return compare<_CMP_NEQ_UQ>(a, b); }

SWARMGRAD_FUNCTION Float fma(Float a, Float b, Float c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
SWARMGRAD_FUNCTION Float fnma(Float a, Float b, Float c) {
  return {_mm256_fnmadd_ps(a.low, b.low, c.low), _mm256_fnmadd_ps(a.high, b.high, c.high)};
}
SWARMGRAD_FUNCTION Float sqrt(Float x) { return {_mm256_sqrt_ps(x.low), _mm256_sqrt_ps(x.high)}; }
SWARMGRAD_FUNCTION Int as_int(Float x) { return {_mm256_castps_si256(x.low), _mm256_castps_si256(x.high)}; }
SWARMGRAD_FUNCTION Float as_float(Int x) { return {_mm256_castsi256_ps(x.low), _mm256_castsi256_ps(x.high)}; }
SWARMGRAD_FUNCTION Float abs(Float x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, x.low), _mm256_andnot_ps(sign, x.high)};
}
SWARMGRAD_FUNCTION Float select(Mask m, Float a, Float b) {
  return {_mm256_blendv_ps(b.low, a.low, m.low), _mm256_blendv_ps(b.high, a.high, m.high)};
}
// The instructions' own rules for NaN and zeros are exactly ours, with max's operands exchanged.
SWARMGRAD_FUNCTION Float minimum(Float a, Float b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
SWARMGRAD_FUNCTION Float maximum(Float a, Float b) {
  return {_mm256_max_ps(b.low, a.low), _mm256_max_ps(b.high, a.high)};
}
SWARMGRAD_FUNCTION Float to_float(Int x) { return {_mm256_cvtepi32_ps(x.low), _mm256_cvtepi32_ps(x.high)}; }
SWARMGRAD_FUNCTION Int truncate(Float x) { return {_mm256_cvttps_epi32(x.low), _mm256_cvttps_epi32(x.high)}; }
SWARMGRAD_FUNCTION float lane(Float x, int i) {
  return _mm256_cvtss_f32(_mm256_permutevar8x32_ps(i < 8 ? x.low : x.high, _mm256_set1_epi32(i)));
}
SWARMGRAD_FUNCTION Float set_lane(Float x, int i, float value) {
  return select(mask_from_bits(1u << i), Float(value), x);
}
SWARMGRAD_FUNCTION Float lookup(const float (&table)[8], Int index) {
  const __m256 eight = _mm256_loadu_ps(table);
  return {_mm256_permutevar8x32_ps(eight, index.low), _mm256_permutevar8x32_ps(eight, index.high)};
}

SWARMGRAD_FUNCTION float lane_sum(Float x) {
  const __m256 eight = _mm256_add_ps(x.low, x.high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

// Eight of the sums. Each stage halves two vectors at once: one shuffle gathers the left summands of both, one the
// right. The pairing (by bits 2, 0, 1 of the vector's number) is what makes the sums come out in order.
SWARMGRAD_FUNCTION __m256 eight_lane_sums(const Float *v) {
  __m256 fours[4], twos[2];
  for (int i = 0; i < 4; ++i) {
    const __m256 a = _mm256_add_ps(v[i].low, v[i].high), b = _mm256_add_ps(v[i + 4].low, v[i + 4].high);
    fours[i] = _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
  }
  for (int i = 0; i < 2; ++i) {
    const __m256 a = fours[2 * i], b = fours[2 * i + 1];
    twos[i] = _mm256_add_ps(_mm256_shuffle_ps(a, b, 0x44), _mm256_shuffle_ps(a, b, 0xee));
  }
  return _mm256_add_ps(_mm256_shuffle_ps(twos[0], twos[1], 0x88), _mm256_shuffle_ps(twos[0], twos[1], 0xdd));
}
SWARMGRAD_FUNCTION Float lane_sums(const Float v[lane_count]) { return {eight_lane_sums(v), eight_lane_sums(v + 8)}; }

// Int

SWARMGRAD_FUNCTION Int operator+(Int a, Int b) {
  return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
}
SWARMGRAD_FUNCTION Int operator-(Int a, Int b) {
  return {_mm256_sub_epi32(a.low, b.low), _mm256_sub_epi32(a.high, b.high)};
}
SWARMGRAD_FUNCTION Int operator*(Int a, Int b) {
  return {_mm256_mullo_epi32(a.low, b.low), _mm256_mullo_epi32(a.high, b.high)};
}
SWARMGRAD_FUNCTION Int operator-(Int a) { return Int(0) - a; }
SWARMGRAD_FUNCTION Int operator&(Int a, Int b) {
  return {_mm256_and_si256(a.low, b.low), _mm256_and_si256(a.high, b.high)};
}
SWARMGRAD_FUNCTION Int operator|(Int a, Int b) {
  return {_mm256_or_si256(a.low, b.low), _mm256_or_si256(a.high, b.high)};
}
SWARMGRAD_FUNCTION Int operator^(Int a, Int b) {
  return {_mm256_xor_si256(a.low, b.low), _mm256_xor_si256(a.high, b.high)};
}
SWARMGRAD_FUNCTION Int operator~(Int a) { return a ^ Int(-1); }
SWARMGRAD_FUNCTION Mask operator>(Int a, Int b) {
  return {_mm256_cmpgt_epi32(a.low, b.low), _mm256_cmpgt_epi32(a.high, b.high)};
}
SWARMGRAD_FUNCTION Mask operator<(Int a, Int b) { return b > a; }
SWARMGRAD_FUNCTION Mask operator<=(Int a, Int b) { return !(a > b); }
SWARMGRAD_FUNCTION Mask operator>=(Int a, Int b) { return !(b > a); }
SWARMGRAD_FUNCTION Mask operator==(Int a, Int b) {
  return {_mm256_cmpeq_epi32(a.low, b.low), _mm256_cmpeq_epi32(a.high, b.high)};
}
SWARMGRAD_FUNCTION Mask operator!=(Int a, Int b) { return !(a == b); }

template <int count>
SWARMGRAD_FUNCTION Int shift_left(Int x) {
  return {_mm256_slli_epi32(x.low, count), _mm256_slli_epi32(x.high, count)};
}
template <int count>
SWARMGRAD_FUNCTION Int shift_right(Int x) {
  return {_mm256_srli_epi32(x.low, count), _mm256_srli_epi32(x.high, count)};
}
template <int count>
SWARMGRAD_FUNCTION Int shift_right_arithmetic(Int x) {
  return {_mm256_srai_epi32(x.low, count), _mm256_srai_epi32(x.high, count)};
}
SWARMGRAD_FUNCTION Int shift_left(Int x, Int count) {
  return {_mm256_sllv_epi32(x.low, count.low), _mm256_sllv_epi32(x.high, count.high)};
}
SWARMGRAD_FUNCTION Int shift_right(Int x, Int count) {
  return {_mm256_srlv_epi32(x.low, count.low), _mm256_srlv_epi32(x.high, count.high)};
}

SWARMGRAD_FUNCTION Int select(Mask m, Int a, Int b) { return as_int(select(m, as_float(a), as_float(b))); }
SWARMGRAD_FUNCTION Int minimum(Int a, Int b) {
  return {_mm256_min_epi32(a.low, b.low), _mm256_min_epi32(a.high, b.high)};
}
SWARMGRAD_FUNCTION Int maximum(Int a, Int b) {
  return {_mm256_max_epi32(a.low, b.low), _mm256_max_epi32(a.high, b.high)};
}

// The multiplier takes even lanes only: odd lanes are moved down, multiplied, and merged with the even products.
SWARMGRAD_FUNCTION void multiply_wide(__m256i a, __m256i b, __m256i &high, __m256i &low) {
  const __m256i even = _mm256_mul_epu32(a, b);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
  high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
  low = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}
SWARMGRAD_FUNCTION void multiply_wide(Int a, Int b, Int &high, Int &low) {
  Int upper, lower;
  multiply_wide(a.low, b.low, upper.low, lower.low);
  multiply_wide(a.high, b.high, upper.high, lower.high);
  high = upper;
  low = lower;
}

SWARMGRAD_FUNCTION int32_t lane(Int x, int i) {
  return _mm256_cvtsi256_si32(_mm256_permutevar8x32_epi32(i < 8 ? x.low : x.high, _mm256_set1_epi32(i)));
}
SWARMGRAD_FUNCTION Int set_lane(Int x, int i, int32_t value) { return select(mask_from_bits(1u << i), Int(value), x); }
SWARMGRAD_FUNCTION Int lane_index() {
  return {_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15)};
}
SWARMGRAD_FUNCTION Int lookup(const int32_t (&table)[8], Int index) {
  const __m256i eight = _mm256_loadu_si256(reinterpret_cast<const __m256i_u *>(table));
  return {_mm256_permutevar8x32_epi32(eight, index.low), _mm256_permutevar8x32_epi32(eight, index.high)};
}

// Double

SWARMGRAD_FUNCTION Double widen(Float x) {
  return {_mm256_cvtps_pd(_mm256_castps256_ps128(x.low)), _mm256_cvtps_pd(_mm256_extractf128_ps(x.low, 1)),
          _mm256_cvtps_pd(_mm256_castps256_ps128(x.high)), _mm256_cvtps_pd(_mm256_extractf128_ps(x.high, 1))};
}
SWARMGRAD_FUNCTION Float narrow(Double x) {
  return {_mm256_set_m128(_mm256_cvtpd_ps(x.quarter[1]), _mm256_cvtpd_ps(x.quarter[0])),
          _mm256_set_m128(_mm256_cvtpd_ps(x.quarter[3]), _mm256_cvtpd_ps(x.quarter[2]))};
}
SWARMGRAD_FUNCTION Double to_double(Int x) {
  return {_mm256_cvtepi32_pd(_mm256_castsi256_si128(x.low)), _mm256_cvtepi32_pd(_mm256_extracti128_si256(x.low, 1)),
          _mm256_cvtepi32_pd(_mm256_castsi256_si128(x.high)), _mm256_cvtepi32_pd(_mm256_extracti128_si256(x.high, 1))};
}
SWARMGRAD_FUNCTION Double operator+(Double a, Double b) {
  return {_mm256_add_pd(a.quarter[0], b.quarter[0]), _mm256_add_pd(a.quarter[1], b.quarter[1]),
          _mm256_add_pd(a.quarter[2], b.quarter[2]), _mm256_add_pd(a.quarter[3], b.quarter[3])};
}
SWARMGRAD_FUNCTION Double operator-(Double a, Double b) {
  return {_mm256_sub_pd(a.quarter[0], b.quarter[0]), _mm256_sub_pd(a.quarter[1], b.quarter[1]),
          _mm256_sub_pd(a.quarter[2], b.quarter[2]), _mm256_sub_pd(a.quarter[3], b.quarter[3])};
}
SWARMGRAD_FUNCTION Double operator*(Double a, Double b) {
  return {_mm256_mul_pd(a.quarter[0], b.quarter[0]), _mm256_mul_pd(a.quarter[1], b.quarter[1]),
          _mm256_mul_pd(a.quarter[2], b.quarter[2]), _mm256_mul_pd(a.quarter[3], b.quarter[3])};
}
SWARMGRAD_FUNCTION Double operator/(Double a, Double b) {
  return {_mm256_div_pd(a.quarter[0], b.quarter[0]), _mm256_div_pd(a.quarter[1], b.quarter[1]),
          _mm256_div_pd(a.quarter[2], b.quarter[2]), _mm256_div_pd(a.quarter[3], b.quarter[3])};
}
SWARMGRAD_FUNCTION Double operator-(Double a) {
  const __m256d sign = _mm256_set1_pd(-0.0);
  return {_mm256_xor_pd(a.quarter[0], sign), _mm256_xor_pd(a.quarter[1], sign), _mm256_xor_pd(a.quarter[2], sign),
          _mm256_xor_pd(a.quarter[3], sign)};
}

// The even floats of two registers of double-width masks are the single-width mask, but for the order of their halves.
SWARMGRAD_FUNCTION __m256 narrow_mask(__m256d first, __m256d second) {
  const __m256 even = _mm256_shuffle_ps(_mm256_castpd_ps(first), _mm256_castpd_ps(second), 0x88);
  return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(even), 0xd8));
}
template <int predicate>
SWARMGRAD_FUNCTION Mask compare(Double a, Double b) {
  return {narrow_mask(_mm256_cmp_pd(a.quarter[0], b.quarter[0], predicate),
                      _mm256_cmp_pd(a.quarter[1], b.quarter[1], predicate)),
          narrow_mask(_mm256_cmp_pd(a.quarter[2], b.quarter[2], predicate),
                      _mm256_cmp_pd(a.quarter[3], b.quarter[3], predicate))};
}
SWARMGRAD_FUNCTION Mask operator<(Double a, Double b) { return compare<_CMP_LT_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator<=(Double a, Double b) { return compare<_CMP_LE_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator>(Double a, Double b) { return compare<_CMP_GT_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator>=(Double a, Double b) { return compare<_CMP_GE_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator==(Double a, Double b) { return compare<_CMP_EQ_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator!=(Double a, Double b) { return compare<_CMP_NEQ_UQ>(a, b); }

SWARMGRAD_FUNCTION Double fma(Double a, Double b, Double c) {
  return {_mm256_fmadd_pd(a.quarter[0], b.quarter[0], c.quarter[0]),
          _mm256_fmadd_pd(a.quarter[1], b.quarter[1], c.quarter[1]),
          _mm256_fmadd_pd(a.quarter[2], b.quarter[2], c.quarter[2]),
          _mm256_fmadd_pd(a.quarter[3], b.quarter[3], c.quarter[3])};
}
SWARMGRAD_FUNCTION Double fnma(Double a, Double b, Double c) {
  return {_mm256_fnmadd_pd(a.quarter[0], b.quarter[0], c.quarter[0]),
          _mm256_fnmadd_pd(a.quarter[1], b.quarter[1], c.quarter[1]),
          _mm256_fnmadd_pd(a.quarter[2], b.quarter[2], c.quarter[2]),
          _mm256_fnmadd_pd(a.quarter[3], b.quarter[3], c.quarter[3])};
}
SWARMGRAD_FUNCTION Double sqrt(Double x) {
  return {_mm256_sqrt_pd(x.quarter[0]), _mm256_sqrt_pd(x.quarter[1]), _mm256_sqrt_pd(x.quarter[2]),
          _mm256_sqrt_pd(x.quarter[3])};
}
// Four lanes of a mask at double width.
SWARMGRAD_FUNCTION __m256d widen_mask(__m128 four) {
  return _mm256_castsi256_pd(_mm256_cvtepi32_epi64(_mm_castps_si128(four)));
}
SWARMGRAD_FUNCTION Double select(Mask m, Double a, Double b) {
  return {_mm256_blendv_pd(b.quarter[0], a.quarter[0], widen_mask(_mm256_castps256_ps128(m.low))),
          _mm256_blendv_pd(b.quarter[1], a.quarter[1], widen_mask(_mm256_extractf128_ps(m.low, 1))),
          _mm256_blendv_pd(b.quarter[2], a.quarter[2], widen_mask(_mm256_castps256_ps128(m.high))),
          _mm256_blendv_pd(b.quarter[3], a.quarter[3], widen_mask(_mm256_extractf128_ps(m.high, 1)))};
}
SWARMGRAD_FUNCTION Double minimum(Double a, Double b) {
  return {_mm256_min_pd(a.quarter[0], b.quarter[0]), _mm256_min_pd(a.quarter[1], b.quarter[1]),
          _mm256_min_pd(a.quarter[2], b.quarter[2]), _mm256_min_pd(a.quarter[3], b.quarter[3])};
}
SWARMGRAD_FUNCTION Double maximum(Double a, Double b) {
  return {_mm256_max_pd(b.quarter[0], a.quarter[0]), _mm256_max_pd(b.quarter[1], a.quarter[1]),
          _mm256_max_pd(b.quarter[2], a.quarter[2]), _mm256_max_pd(b.quarter[3], a.quarter[3])};
}
SWARMGRAD_FUNCTION double lane(Double x, int i) {
  double lanes[16];
  store(lanes, x);
  return lanes[i];
}
SWARMGRAD_FUNCTION Double set_lane(Double x, int i, double value) {
  return select(mask_from_bits(1u << i), Double(value), x);
}
SWARMGRAD_FUNCTION double lane_sum(Double x) {
  const __m256d four =
      _mm256_add_pd(_mm256_add_pd(x.quarter[0], x.quarter[2]), _mm256_add_pd(x.quarter[1], x.quarter[3]));
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

// What one register holds of a Float. Matrix tiles count registers, not lanes.
struct Part {
  __m256 raw;
  Part() = default;
  SWARMGRAD_FUNCTION Part(float value) : raw(_mm256_set1_ps(value)) {}
  SWARMGRAD_FUNCTION Part(__m256 value) : raw(value) {}
  SWARMGRAD_FUNCTION static Part load(const float *where) { return _mm256_loadu_ps(where); }
};
constexpr int part_lanes = 8;
SWARMGRAD_FUNCTION void store(float *where, Part value) { _mm256_storeu_ps(where, value.raw); }
SWARMGRAD_FUNCTION Part fma(Part a, Part b, Part c) { return _mm256_fmadd_ps(a.raw, b.raw, c.raw); }

}  // namespace swarmgrad::SWARMGRAD_TARGET
