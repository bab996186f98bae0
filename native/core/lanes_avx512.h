// The lane types on AVX-512 (F, DQ, BW, VL): one register holds sixteen floats, so a cohort.
#pragma once

#include <stdint.h>

// g++'s own AVX-512 intrinsics pass a deliberately undefined register and are warned about it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

namespace swarmgrad::SWARMGRAD_TARGET {

constexpr int lane_count = 16;

struct Mask {
  __mmask16 raw;
  Mask() = default;
  SWARMGRAD_FUNCTION Mask(bool value) : raw(value ? 0xffff : 0) {}
  SWARMGRAD_FUNCTION static Mask of(unsigned pattern) {
    Mask m;
    m.raw = static_cast<__mmask16>(pattern);
    return m;
  }
};

struct Float {
  __m512 raw;
  Float() = default;
  SWARMGRAD_FUNCTION Float(float value) : raw(_mm512_set1_ps(value)) {}
  SWARMGRAD_FUNCTION Float(__m512 value) : raw(value) {}
  SWARMGRAD_FUNCTION static Float load(const float *where) { return _mm512_loadu_ps(where); }
};

struct Int {
  __m512i raw;
  Int() = default;
  SWARMGRAD_FUNCTION Int(int32_t value) : raw(_mm512_set1_epi32(value)) {}
  SWARMGRAD_FUNCTION Int(__m512i value) : raw(value) {}
  SWARMGRAD_FUNCTION static Int load(const int32_t *where) { return _mm512_loadu_si512(where); }
};

struct Double {
  __m512d low, high;  // lanes 0..7 and 8..15
  Double() = default;
  SWARMGRAD_FUNCTION Double(double value) : low(_mm512_set1_pd(value)), high(_mm512_set1_pd(value)) {}
  SWARMGRAD_FUNCTION Double(__m512d first, __m512d second) : low(first), high(second) {}
  SWARMGRAD_FUNCTION static Double load(const double *where) {
    return {_mm512_loadu_pd(where), _mm512_loadu_pd(where + 8)};
  }
};

SWARMGRAD_FUNCTION void store(float *where, Float value) { _mm512_storeu_ps(where, value.raw); }
SWARMGRAD_FUNCTION void store(int32_t *where, Int value) { _mm512_storeu_si512(where, value.raw); }
SWARMGRAD_FUNCTION void store(double *where, Double value) {
  _mm512_storeu_pd(where, value.low);
  _mm512_storeu_pd(where + 8, value.high);
}

// Mask

SWARMGRAD_FUNCTION Mask operator&(Mask a, Mask b) { return Mask::of(a.raw & b.raw); }
SWARMGRAD_FUNCTION Mask operator|(Mask a, Mask b) { return Mask::of(a.raw | b.raw); }
SWARMGRAD_FUNCTION Mask operator^(Mask a, Mask b) { return Mask::of(a.raw ^ b.raw); }
SWARMGRAD_FUNCTION Mask operator!(Mask a) { return Mask::of(a.raw ^ 0xffffu); }
SWARMGRAD_FUNCTION bool any(Mask m) { return m.raw != 0; }
SWARMGRAD_FUNCTION bool all(Mask m) { return m.raw == 0xffff; }
SWARMGRAD_FUNCTION bool none(Mask m) { return m.raw == 0; }
SWARMGRAD_FUNCTION uint32_t bits(Mask m) { return m.raw; }
SWARMGRAD_FUNCTION Mask mask_from_bits(uint32_t pattern) { return Mask::of(pattern); }
SWARMGRAD_FUNCTION Mask select(Mask m, Mask a, Mask b) {
  return Mask::of((m.raw & a.raw) | (static_cast<unsigned>(b.raw) & ~static_cast<unsigned>(m.raw)));
}

// Float

SWARMGRAD_FUNCTION Float operator+(Float a, Float b) { return _mm512_add_ps(a.raw, b.raw); }
SWARMGRAD_FUNCTION Float operator-(Float a, Float b) { return _mm512_sub_ps(a.raw, b.raw); }
SWARMGRAD_FUNCTION Float operator*(Float a, Float b) { return _mm512_mul_ps(a.raw, b.raw); }
SWARMGRAD_FUNCTION Float operator/(Float a, Float b) { return _mm512_div_ps(a.raw, b.raw); }
SWARMGRAD_FUNCTION Float operator-(Float a) { return _mm512_xor_ps(a.raw, _mm512_set1_ps(-0.0f)); }
SWARMGRAD_FUNCTION Mask operator<(Float a, Float b) { return Mask::of(_mm512_cmp_ps_mask(a.raw, b.raw, _CMP_LT_OQ)); }
SWARMGRAD_FUNCTION Mask operator<=(Float a, Float b) { return Mask::of(_mm512_cmp_ps_mask(a.raw, b.raw, _CMP_LE_OQ)); }
SWARMGRAD_FUNCTION Mask operator>(Float a, Float b) { return Mask::of(_mm512_cmp_ps_mask(a.raw, b.raw, _CMP_GT_OQ)); }
SWARMGRAD_FUNCTION Mask operator>=(Float a, Float b) { return Mask::of(_mm512_cmp_ps_mask(a.raw, b.raw, _CMP_GE_OQ)); }
SWARMGRAD_FUNCTION Mask operator==(Float a, Float b) { return Mask::of(_mm512_cmp_ps_mask(a.raw, b.raw, _CMP_EQ_OQ)); }
SWARMGRAD_FUNCTION Mask operator!=(Float a, Float b) { return Mask::of(_mm512_cmp_ps_mask(a.raw, b.raw, _CMP_NEQ_UQ)); }
SWARMGRAD_FUNCTION Float fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a.raw, b.raw, c.raw); }
SWARMGRAD_FUNCTION Float fnma(Float a, Float b, Float c) { return _mm512_fnmadd_ps(a.raw, b.raw, c.raw); }
SWARMGRAD_FUNCTION Float sqrt(Float x) { return _mm512_sqrt_ps(x.raw); }
SWARMGRAD_FUNCTION Int as_int(Float x) { return _mm512_castps_si512(x.raw); }
SWARMGRAD_FUNCTION Float as_float(Int x) { return _mm512_castsi512_ps(x.raw); }
SWARMGRAD_FUNCTION Float abs(Float x) { return _mm512_abs_ps(x.raw); }
SWARMGRAD_FUNCTION Float select(Mask m, Float a, Float b) { return _mm512_mask_blend_ps(m.raw, b.raw, a.raw); }
// The instructions' own rules for NaN and zeros are exactly ours, with max's operands exchanged.
SWARMGRAD_FUNCTION Float minimum(Float a, Float b) { return _mm512_min_ps(a.raw, b.raw); }
SWARMGRAD_FUNCTION Float maximum(Float a, Float b) { return _mm512_max_ps(b.raw, a.raw); }
SWARMGRAD_FUNCTION Float to_float(Int x) { return _mm512_cvtepi32_ps(x.raw); }
SWARMGRAD_FUNCTION Int truncate(Float x) { return _mm512_cvttps_epi32(x.raw); }
SWARMGRAD_FUNCTION float lane(Float x, int i) {
  return _mm512_cvtss_f32(_mm512_permutexvar_ps(_mm512_set1_epi32(i), x.raw));
}
SWARMGRAD_FUNCTION Float set_lane(Float x, int i, float value) {
  return _mm512_mask_broadcastss_ps(x.raw, static_cast<__mmask16>(1u << i), _mm_set_ss(value));
}
SWARMGRAD_FUNCTION Float lookup(const float (&table)[8], Int index) {
  return _mm512_permutexvar_ps(index.raw, _mm512_broadcast_f32x8(_mm256_loadu_ps(table)));
}

SWARMGRAD_FUNCTION float lane_sum(Float x) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x.raw), _mm512_extractf32x8_ps(x.raw, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

// Each stage halves two vectors at once: one shuffle gathers the left summands of both, one the right. The pairing
// (by bits 2, 3, 0, 1 of the vector's number) is what makes the sums come out in order.
SWARMGRAD_FUNCTION Float lane_sums(const Float v[lane_count]) {
  __m512 eights[8], fours[4], twos[2];
  for (int i = 0; i < 8; ++i) {
    const int j = (i & 3) | ((i & 4) << 1);
    const __m512 a = v[j].raw, b = v[j + 4].raw;
    eights[i] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
  }
  for (int i = 0; i < 4; ++i) {
    const __m512 a = eights[i], b = eights[i + 4];
    fours[i] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
  }
  for (int i = 0; i < 2; ++i) {
    const __m512 a = fours[2 * i], b = fours[2 * i + 1];
    twos[i] = _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee));
  }
  return _mm512_add_ps(_mm512_shuffle_ps(twos[0], twos[1], 0x88), _mm512_shuffle_ps(twos[0], twos[1], 0xdd));
}

// Int

SWARMGRAD_FUNCTION Int operator+(Int a, Int b) { return _mm512_add_epi32(a.raw, b.raw); }
SWARMGRAD_FUNCTION Int operator-(Int a, Int b) { return _mm512_sub_epi32(a.raw, b.raw); }
SWARMGRAD_FUNCTION Int operator*(Int a, Int b) { return _mm512_mullo_epi32(a.raw, b.raw); }
SWARMGRAD_FUNCTION Int operator-(Int a) { return _mm512_sub_epi32(_mm512_setzero_si512(), a.raw); }
SWARMGRAD_FUNCTION Int operator&(Int a, Int b) { return _mm512_and_si512(a.raw, b.raw); }
SWARMGRAD_FUNCTION Int operator|(Int a, Int b) { return _mm512_or_si512(a.raw, b.raw); }
SWARMGRAD_FUNCTION Int operator^(Int a, Int b) { return _mm512_xor_si512(a.raw, b.raw); }
SWARMGRAD_FUNCTION Int operator~(Int a) { return _mm512_xor_si512(a.raw, _mm512_set1_epi32(-1)); }
SWARMGRAD_FUNCTION Mask operator<(Int a, Int b) { return Mask::of(_mm512_cmplt_epi32_mask(a.raw, b.raw)); }
SWARMGRAD_FUNCTION Mask operator<=(Int a, Int b) { return Mask::of(_mm512_cmple_epi32_mask(a.raw, b.raw)); }
SWARMGRAD_FUNCTION Mask operator>(Int a, Int b) { return Mask::of(_mm512_cmpgt_epi32_mask(a.raw, b.raw)); }
SWARMGRAD_FUNCTION Mask operator>=(Int a, Int b) { return Mask::of(_mm512_cmpge_epi32_mask(a.raw, b.raw)); }
SWARMGRAD_FUNCTION Mask operator==(Int a, Int b) { return Mask::of(_mm512_cmpeq_epi32_mask(a.raw, b.raw)); }
SWARMGRAD_FUNCTION Mask operator!=(Int a, Int b) { return Mask::of(_mm512_cmpneq_epi32_mask(a.raw, b.raw)); }

template <int count>
SWARMGRAD_FUNCTION Int shift_left(Int x) {
  return _mm512_slli_epi32(x.raw, count);
}
template <int count>
SWARMGRAD_FUNCTION Int shift_right(Int x) {
  return _mm512_srli_epi32(x.raw, count);
}
template <int count>
SWARMGRAD_FUNCTION Int shift_right_arithmetic(Int x) {
  return _mm512_srai_epi32(x.raw, count);
}

SWARMGRAD_FUNCTION Int shift_left(Int x, Int count) { return _mm512_sllv_epi32(x.raw, count.raw); }
SWARMGRAD_FUNCTION Int shift_right(Int x, Int count) { return _mm512_srlv_epi32(x.raw, count.raw); }
SWARMGRAD_FUNCTION Int select(Mask m, Int a, Int b) { return _mm512_mask_blend_epi32(m.raw, b.raw, a.raw); }
SWARMGRAD_FUNCTION Int minimum(Int a, Int b) { return _mm512_min_epi32(a.raw, b.raw); }
SWARMGRAD_FUNCTION Int maximum(Int a, Int b) { return _mm512_max_epi32(a.raw, b.raw); }

// The multiplier takes even lanes only: odd lanes are moved down, multiplied, and merged with the even products.
SWARMGRAD_FUNCTION void multiply_wide(Int a, Int b, Int &high, Int &low) {
  const __m512i even = _mm512_mul_epu32(a.raw, b.raw);
  const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a.raw, 32), _mm512_srli_epi64(b.raw, 32));
  high = _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
  low = _mm512_mask_shuffle_epi32(even, 0xaaaa, odd, _MM_PERM_CCAA);
}

SWARMGRAD_FUNCTION Int lookup(const int32_t (&table)[8], Int index) {
  const __m256i eight = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(table));
  return _mm512_permutexvar_epi32(index.raw, _mm512_broadcast_i32x8(eight));
}
SWARMGRAD_FUNCTION int32_t lane(Int x, int i) {
  return _mm512_cvtsi512_si32(_mm512_permutexvar_epi32(_mm512_set1_epi32(i), x.raw));
}
SWARMGRAD_FUNCTION Int set_lane(Int x, int i, int32_t value) {
  return _mm512_mask_set1_epi32(x.raw, static_cast<__mmask16>(1u << i), value);
}
SWARMGRAD_FUNCTION Int lane_index() { return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }

// Double

SWARMGRAD_FUNCTION Double widen(Float x) {
  return {_mm512_cvtps_pd(_mm512_castps512_ps256(x.raw)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(x.raw, 1))};
}
SWARMGRAD_FUNCTION Float narrow(Double x) {
  return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(x.low)), _mm512_cvtpd_ps(x.high), 1);
}
SWARMGRAD_FUNCTION Double to_double(Int x) {
  return {_mm512_cvtepi32_pd(_mm512_castsi512_si256(x.raw)), _mm512_cvtepi32_pd(_mm512_extracti32x8_epi32(x.raw, 1))};
}
SWARMGRAD_FUNCTION Double operator+(Double a, Double b) {
  return {_mm512_add_pd(a.low, b.low), _mm512_add_pd(a.high, b.high)};
}
SWARMGRAD_FUNCTION Double operator-(Double a, Double b) {
  return {_mm512_sub_pd(a.low, b.low), _mm512_sub_pd(a.high, b.high)};
}
SWARMGRAD_FUNCTION Double operator*(Double a, Double b) {
  return {_mm512_mul_pd(a.low, b.low), _mm512_mul_pd(a.high, b.high)};
}
SWARMGRAD_FUNCTION Double operator/(Double a, Double b) {
  return {_mm512_div_pd(a.low, b.low), _mm512_div_pd(a.high, b.high)};
}
SWARMGRAD_FUNCTION Double operator-(Double a) {
  return {_mm512_xor_pd(a.low, _mm512_set1_pd(-0.0)), _mm512_xor_pd(a.high, _mm512_set1_pd(-0.0))};
}

template <int predicate>
SWARMGRAD_FUNCTION Mask compare(Double a, Double b) {
  return Mask::of(static_cast<unsigned>(_mm512_cmp_pd_mask(a.low, b.low, predicate)) |
                  static_cast<unsigned>(_mm512_cmp_pd_mask(a.high, b.high, predicate)) << 8);
}
SWARMGRAD_FUNCTION Mask operator<(Double a, Double b) { return compare<_CMP_LT_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator<=(Double a, Double b) { return compare<_CMP_LE_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator>(Double a, Double b) { return compare<_CMP_GT_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator>=(Double a, Double b) { return compare<_CMP_GE_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator==(Double a, Double b) { return compare<_CMP_EQ_OQ>(a, b); }
SWARMGRAD_FUNCTION Mask operator!=(Double a, Double b) { return compare<_CMP_NEQ_UQ>(a, b); }

SWARMGRAD_FUNCTION Double fma(Double a, Double b, Double c) {
  return {_mm512_fmadd_pd(a.low, b.low, c.low), _mm512_fmadd_pd(a.high, b.high, c.high)};
}
SWARMGRAD_FUNCTION Double fnma(Double a, Double b, Double c) {
  return {_mm512_fnmadd_pd(a.low, b.low, c.low), _mm512_fnmadd_pd(a.high, b.high, c.high)};
}
SWARMGRAD_FUNCTION Double sqrt(Double x) { return {_mm512_sqrt_pd(x.low), _mm512_sqrt_pd(x.high)}; }
SWARMGRAD_FUNCTION Double select(Mask m, Double a, Double b) {
  return {_mm512_mask_blend_pd(static_cast<__mmask8>(m.raw), b.low, a.low),
          _mm512_mask_blend_pd(static_cast<__mmask8>(m.raw >> 8), b.high, a.high)};
}
SWARMGRAD_FUNCTION Double minimum(Double a, Double b) {
  return {_mm512_min_pd(a.low, b.low), _mm512_min_pd(a.high, b.high)};
}
SWARMGRAD_FUNCTION Double maximum(Double a, Double b) {
  return {_mm512_max_pd(b.low, a.low), _mm512_max_pd(b.high, a.high)};
}
SWARMGRAD_FUNCTION double lane(Double x, int i) {
  return _mm512_cvtsd_f64(_mm512_permutexvar_pd(_mm512_set1_epi64(i & 7), i < 8 ? x.low : x.high));
}
SWARMGRAD_FUNCTION Double set_lane(Double x, int i, double value) {
  return select(Mask::of(1u << i), Double(value), x);
}
SWARMGRAD_FUNCTION double lane_sum(Double x) {
  const __m512d eight = _mm512_add_pd(x.low, x.high);
  const __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(eight), _mm512_extractf64x4_pd(eight, 1));
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

// What one register holds of a Float: here all of it. Matrix tiles count registers, not lanes.
using Part = Float;
constexpr int part_lanes = 16;

}  // namespace swarmgrad::SWARMGRAD_TARGET
