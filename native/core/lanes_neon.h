// The lane types on NEON (aarch64): four registers of four floats hold a cohort.
#pragma once

#include <arm_neon.h>
#include <stdint.h>

namespace swarmgrad::SWARMGRAD_TARGET {

constexpr int lane_count = 16;

// Lanes 4i..4i+3 are part[i] (Double: lanes 2i, 2i+1).
struct Mask {
  uint32x4_t part[4];  // all bits of a lane set, or none
  Mask() = default;
  SWARMGRAD_FUNCTION Mask(bool value) : Mask(vdupq_n_u32(value ? 0xffffffffu : 0u)) {}
  SWARMGRAD_FUNCTION explicit Mask(uint32x4_t all) : part{all, all, all, all} {}
  SWARMGRAD_FUNCTION Mask(uint32x4_t a, uint32x4_t b, uint32x4_t c, uint32x4_t d) : part{a, b, c, d} {}
};

struct Float {
  float32x4_t part[4];
  Float() = default;
  SWARMGRAD_FUNCTION Float(float value) : Float(vdupq_n_f32(value)) {}
  SWARMGRAD_FUNCTION explicit Float(float32x4_t all) : part{all, all, all, all} {}
  SWARMGRAD_FUNCTION Float(float32x4_t a, float32x4_t b, float32x4_t c, float32x4_t d) : part{a, b, c, d} {}
  SWARMGRAD_FUNCTION static Float load(const float *where) {
    return {vld1q_f32(where), vld1q_f32(where + 4), vld1q_f32(where + 8), vld1q_f32(where + 12)};
  }
};

struct Int {
  int32x4_t part[4];
  Int() = default;
  SWARMGRAD_FUNCTION Int(int32_t value) : Int(vdupq_n_s32(value)) {}
  SWARMGRAD_FUNCTION explicit Int(int32x4_t all) : part{all, all, all, all} {}
  SWARMGRAD_FUNCTION Int(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d) : part{a, b, c, d} {}
  SWARMGRAD_FUNCTION static Int load(const int32_t *where) {
    return {vld1q_s32(where), vld1q_s32(where + 4), vld1q_s32(where + 8), vld1q_s32(where + 12)};
  }
};

struct Double {
  float64x2_t part[8];
  Double() = default;
  SWARMGRAD_FUNCTION Double(double value) : Double(vdupq_n_f64(value)) {}
  SWARMGRAD_FUNCTION explicit Double(float64x2_t all) : part{all, all, all, all, all, all, all, all} {}
  SWARMGRAD_FUNCTION Double(float64x2_t a, float64x2_t b, float64x2_t c, float64x2_t d, float64x2_t e, float64x2_t f,
                            float64x2_t g, float64x2_t h)
      : part{a, b, c, d, e, f, g, h} {}
  SWARMGRAD_FUNCTION static Double load(const double *where) {
    return {vld1q_f64(where),     vld1q_f64(where + 2),  vld1q_f64(where + 4),  vld1q_f64(where + 6),
            vld1q_f64(where + 8), vld1q_f64(where + 10), vld1q_f64(where + 12), vld1q_f64(where + 14)};
  }
};

SWARMGRAD_FUNCTION void store(float *where, Float value) {
  vst1q_f32(where, value.part[0]);
  vst1q_f32(where + 4, value.part[1]);
  vst1q_f32(where + 8, value.part[2]);
  vst1q_f32(where + 12, value.part[3]);
}
SWARMGRAD_FUNCTION void store(int32_t *where, Int value) {
  vst1q_s32(where, value.part[0]);
  vst1q_s32(where + 4, value.part[1]);
  vst1q_s32(where + 8, value.part[2]);
  vst1q_s32(where + 12, value.part[3]);
}
SWARMGRAD_FUNCTION void store(double *where, Double value) {
  vst1q_f64(where, value.part[0]);
  vst1q_f64(where + 2, value.part[1]);
  vst1q_f64(where + 4, value.part[2]);
  vst1q_f64(where + 6, value.part[3]);
  vst1q_f64(where + 8, value.part[4]);
  vst1q_f64(where + 10, value.part[5]);
  vst1q_f64(where + 12, value.part[6]);
  vst1q_f64(where + 14, value.part[7]);
}

// Mask

SWARMGRAD_FUNCTION Mask operator&(Mask a, Mask b) {
  return {vandq_u32(a.part[0], b.part[0]), vandq_u32(a.part[1], b.part[1]), vandq_u32(a.part[2], b.part[2]),
          vandq_u32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Mask operator|(Mask a, Mask b) {
  return {vorrq_u32(a.part[0], b.part[0]), vorrq_u32(a.part[1], b.part[1]), vorrq_u32(a.part[2], b.part[2]),
          vorrq_u32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Mask operator^(Mask a, Mask b) {
  return {veorq_u32(a.part[0], b.part[0]), veorq_u32(a.part[1], b.part[1]), veorq_u32(a.part[2], b.part[2]),
          veorq_u32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Mask operator!(Mask a) {
  return {vmvnq_u32(a.part[0]), vmvnq_u32(a.part[1]), vmvnq_u32(a.part[2]), vmvnq_u32(a.part[3])};
}
SWARMGRAD_FUNCTION uint32_t bits(Mask m) {
  static constexpr uint32_t weight[4] = {1, 2, 4, 8};
  const uint32x4_t weights = vld1q_u32(weight);
  return vaddvq_u32(vandq_u32(m.part[0], weights)) | vaddvq_u32(vandq_u32(m.part[1], weights)) << 4 |
         vaddvq_u32(vandq_u32(m.part[2], weights)) << 8 | vaddvq_u32(vandq_u32(m.part[3], weights)) << 12;
}
SWARMGRAD_FUNCTION bool any(Mask m) {
  return vmaxvq_u32(vorrq_u32(vorrq_u32(m.part[0], m.part[1]), vorrq_u32(m.part[2], m.part[3]))) != 0;
}
SWARMGRAD_FUNCTION bool all(Mask m) {
  return vminvq_u32(vandq_u32(vandq_u32(m.part[0], m.part[1]), vandq_u32(m.part[2], m.part[3]))) != 0;
}
SWARMGRAD_FUNCTION bool none(Mask m) { return !any(m); }
SWARMGRAD_FUNCTION Mask mask_from_bits(uint32_t pattern) {
  static constexpr uint32_t weight[4] = {1, 2, 4, 8};
  const uint32x4_t weights = vld1q_u32(weight), all = vdupq_n_u32(pattern);
  return {vtstq_u32(all, weights), vtstq_u32(all, vshlq_n_u32(weights, 4)), vtstq_u32(all, vshlq_n_u32(weights, 8)),
          vtstq_u32(all, vshlq_n_u32(weights, 12))};
}
SWARMGRAD_FUNCTION Mask select(Mask m, Mask a, Mask b) {
  return {vbslq_u32(m.part[0], a.part[0], b.part[0]), vbslq_u32(m.part[1], a.part[1], b.part[1]),
          vbslq_u32(m.part[2], a.part[2], b.part[2]), vbslq_u32(m.part[3], a.part[3], b.part[3])};
}

// Float

SWARMGRAD_FUNCTION Float operator+(Float a, Float b) {
  return {vaddq_f32(a.part[0], b.part[0]), vaddq_f32(a.part[1], b.part[1]), vaddq_f32(a.part[2], b.part[2]),
          vaddq_f32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Float operator-(Float a, Float b) {
  return {vsubq_f32(a.part[0], b.part[0]), vsubq_f32(a.part[1], b.part[1]), vsubq_f32(a.part[2], b.part[2]),
          vsubq_f32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Float operator*(Float a, Float b) {
  return {vmulq_f32(a.part[0], b.part[0]), vmulq_f32(a.part[1], b.part[1]), vmulq_f32(a.part[2], b.part[2]),
          vmulq_f32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Float operator/(Float a, Float b) {
  return {vdivq_f32(a.part[0], b.part[0]), vdivq_f32(a.part[1], b.part[1]), vdivq_f32(a.part[2], b.part[2]),
          vdivq_f32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Float operator-(Float a) {
  return {vnegq_f32(a.part[0]), vnegq_f32(a.part[1]), vnegq_f32(a.part[2]), vnegq_f32(a.part[3])};
}
SWARMGRAD_FUNCTION Mask operator<(Float a, Float b) {
  return {vcltq_f32(a.part[0], b.part[0]), vcltq_f32(a.part[1], b.part[1]), vcltq_f32(a.part[2], b.part[2]),
          vcltq_f32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Mask operator<=(Float a, Float b) {
  return {vcleq_f32(a.part[0], b.part[0]), vcleq_f32(a.part[1], b.part[1]), vcleq_f32(a.part[2], b.part[2]),
          vcleq_f32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Mask operator>(Float a, Float b) {
  return {vcgtq_f32(a.part[0], b.part[0]), vcgtq_f32(a.part[1], b.part[1]), vcgtq_f32(a.part[2], b.part[2]),
          vcgtq_f32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Mask operator>=(Float a, Float b) {
  return {vcgeq_f32(a.part[0], b.part[0]), vcgeq_f32(a.part[1], b.part[1]), vcgeq_f32(a.part[2], b.part[2]),
          vcgeq_f32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Mask operator==(Float a, Float b) {
  return {vceqq_f32(a.part[0], b.part[0]), vceqq_f32(a.part[1], b.part[1]), vceqq_f32(a.part[2], b.part[2]),
          vceqq_f32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Mask operator!=(Float a, Float b) { return !(a == b); }

SWARMGRAD_FUNCTION Float fma(Float a, Float b, Float c) {
  return {vfmaq_f32(c.part[0], a.part[0], b.part[0]), vfmaq_f32(c.part[1], a.part[1], b.part[1]),
          vfmaq_f32(c.part[2], a.part[2], b.part[2]), vfmaq_f32(c.part[3], a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Float fnma(Float a, Float b, Float c) {
  return {vfmsq_f32(c.part[0], a.part[0], b.part[0]), vfmsq_f32(c.part[1], a.part[1], b.part[1]),
          vfmsq_f32(c.part[2], a.part[2], b.part[2]), vfmsq_f32(c.part[3], a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Float sqrt(Float x) {
  return {vsqrtq_f32(x.part[0]), vsqrtq_f32(x.part[1]), vsqrtq_f32(x.part[2]), vsqrtq_f32(x.part[3])};
}
SWARMGRAD_FUNCTION Int as_int(Float x) {
  return {vreinterpretq_s32_f32(x.part[0]), vreinterpretq_s32_f32(x.part[1]), vreinterpretq_s32_f32(x.part[2]),
          vreinterpretq_s32_f32(x.part[3])};
}
SWARMGRAD_FUNCTION Float as_float(Int x) {
  return {vreinterpretq_f32_s32(x.part[0]), vreinterpretq_f32_s32(x.part[1]), vreinterpretq_f32_s32(x.part[2]),
          vreinterpretq_f32_s32(x.part[3])};
}
SWARMGRAD_FUNCTION Float abs(Float x) {
  return {vabsq_f32(x.part[0]), vabsq_f32(x.part[1]), vabsq_f32(x.part[2]), vabsq_f32(x.part[3])};
}
SWARMGRAD_FUNCTION Float select(Mask m, Float a, Float b) {
  return {vbslq_f32(m.part[0], a.part[0], b.part[0]), vbslq_f32(m.part[1], a.part[1], b.part[1]),
          vbslq_f32(m.part[2], a.part[2], b.part[2]), vbslq_f32(m.part[3], a.part[3], b.part[3])};
}
// Not the instructions of that name: they treat NaN and zeros differently.
SWARMGRAD_FUNCTION Float minimum(Float a, Float b) { return select(a < b, a, b); }
SWARMGRAD_FUNCTION Float maximum(Float a, Float b) { return select(a < b, b, a); }
SWARMGRAD_FUNCTION Float to_float(Int x) {
  return {vcvtq_f32_s32(x.part[0]), vcvtq_f32_s32(x.part[1]), vcvtq_f32_s32(x.part[2]), vcvtq_f32_s32(x.part[3])};
}
SWARMGRAD_FUNCTION Int truncate(Float x) {
  return {vcvtq_s32_f32(x.part[0]), vcvtq_s32_f32(x.part[1]), vcvtq_s32_f32(x.part[2]), vcvtq_s32_f32(x.part[3])};
}
SWARMGRAD_FUNCTION float lane(Float x, int i) {
  float lanes[16];
  store(lanes, x);
  return lanes[i];
}
SWARMGRAD_FUNCTION Float set_lane(Float x, int i, float value) {
  return select(mask_from_bits(1u << i), Float(value), x);
}

SWARMGRAD_FUNCTION float32x4_t four_sums(Float x) {
  return vaddq_f32(vaddq_f32(x.part[0], x.part[2]), vaddq_f32(x.part[1], x.part[3]));
}
SWARMGRAD_FUNCTION float lane_sum(Float x) {
  const float32x4_t four = four_sums(x);
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
// The sums of four vectors: the halves of two are gathered side by side, then neighbours are added.
SWARMGRAD_FUNCTION float32x4_t two_sums(Float a, Float b) {
  const float32x4_t x = four_sums(a), y = four_sums(b);
  return vaddq_f32(vcombine_f32(vget_low_f32(x), vget_low_f32(y)), vcombine_f32(vget_high_f32(x), vget_high_f32(y)));
}
SWARMGRAD_FUNCTION float32x4_t four_lane_sums(const Float *v) {
  return vpaddq_f32(two_sums(v[0], v[1]), two_sums(v[2], v[3]));
}
SWARMGRAD_FUNCTION Float lane_sums(const Float v[lane_count]) {
  return {four_lane_sums(v), four_lane_sums(v + 4), four_lane_sums(v + 8), four_lane_sums(v + 12)};
}

// Int

SWARMGRAD_FUNCTION Int operator+(Int a, Int b) {
  return {vaddq_s32(a.part[0], b.part[0]), vaddq_s32(a.part[1], b.part[1]), vaddq_s32(a.part[2], b.part[2]),
          vaddq_s32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Int operator-(Int a, Int b) {
  return {vsubq_s32(a.part[0], b.part[0]), vsubq_s32(a.part[1], b.part[1]), vsubq_s32(a.part[2], b.part[2]),
          vsubq_s32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Int operator*(Int a, Int b) {
  return {vmulq_s32(a.part[0], b.part[0]), vmulq_s32(a.part[1], b.part[1]), vmulq_s32(a.part[2], b.part[2]),
          vmulq_s32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Int operator-(Int a) {
  return {vnegq_s32(a.part[0]), vnegq_s32(a.part[1]), vnegq_s32(a.part[2]), vnegq_s32(a.part[3])};
}
SWARMGRAD_FUNCTION Int operator&(Int a, Int b) {
  return {vandq_s32(a.part[0], b.part[0]), vandq_s32(a.part[1], b.part[1]), vandq_s32(a.part[2], b.part[2]),
          vandq_s32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Int operator|(Int a, Int b) {
  return {vorrq_s32(a.part[0], b.part[0]), vorrq_s32(a.part[1], b.part[1]), vorrq_s32(a.part[2], b.part[2]),
          vorrq_s32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Int operator^(Int a, Int b) {
  return {veorq_s32(a.part[0], b.part[0]), veorq_s32(a.part[1], b.part[1]), veorq_s32(a.part[2], b.part[2]),
          veorq_s32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Int operator~(Int a) {
  return {vmvnq_s32(a.part[0]), vmvnq_s32(a.part[1]), vmvnq_s32(a.part[2]), vmvnq_s32(a.part[3])};
}
SWARMGRAD_FUNCTION Mask operator<(Int a, Int b) {
  return {vcltq_s32(a.part[0], b.part[0]), vcltq_s32(a.part[1], b.part[1]), vcltq_s32(a.part[2], b.part[2]),
          vcltq_s32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Mask operator<=(Int a, Int b) {
  return {vcleq_s32(a.part[0], b.part[0]), vcleq_s32(a.part[1], b.part[1]), vcleq_s32(a.part[2], b.part[2]),
          vcleq_s32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Mask operator>(Int a, Int b) {
  return {vcgtq_s32(a.part[0], b.part[0]), vcgtq_s32(a.part[1], b.part[1]), vcgtq_s32(a.part[2], b.part[2]),
          vcgtq_s32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Mask operator>=(Int a, Int b) {
  return {vcgeq_s32(a.part[0], b.part[0]), vcgeq_s32(a.part[1], b.part[1]), vcgeq_s32(a.part[2], b.part[2]),
          vcgeq_s32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Mask operator==(Int a, Int b) {
  return {vceqq_s32(a.part[0], b.part[0]), vceqq_s32(a.part[1], b.part[1]), vceqq_s32(a.part[2], b.part[2]),
          vceqq_s32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Mask operator!=(Int a, Int b) { return !(a == b); }

// Shifts by a negative count go right; they also allow a count of 0, which the immediate forms do not.
SWARMGRAD_FUNCTION Int shift_left(Int x, Int count) {
  return {vshlq_s32(x.part[0], count.part[0]), vshlq_s32(x.part[1], count.part[1]), vshlq_s32(x.part[2], count.part[2]),
          vshlq_s32(x.part[3], count.part[3])};
}
SWARMGRAD_FUNCTION int32x4_t shift_right(int32x4_t x, int32x4_t count) {
  return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(x), vnegq_s32(count)));
}
SWARMGRAD_FUNCTION Int shift_right(Int x, Int count) {
  return {shift_right(x.part[0], count.part[0]), shift_right(x.part[1], count.part[1]),
          shift_right(x.part[2], count.part[2]), shift_right(x.part[3], count.part[3])};
}
template <int count>
SWARMGRAD_FUNCTION Int shift_left(Int x) {
  return shift_left(x, Int(count));
}
template <int count>
SWARMGRAD_FUNCTION Int shift_right(Int x) {
  return shift_right(x, Int(count));
}
template <int count>
SWARMGRAD_FUNCTION Int shift_right_arithmetic(Int x) {
  return shift_left(x, Int(-count));
}

SWARMGRAD_FUNCTION Int select(Mask m, Int a, Int b) {
  return {vbslq_s32(m.part[0], a.part[0], b.part[0]), vbslq_s32(m.part[1], a.part[1], b.part[1]),
          vbslq_s32(m.part[2], a.part[2], b.part[2]), vbslq_s32(m.part[3], a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Int minimum(Int a, Int b) {
  return {vminq_s32(a.part[0], b.part[0]), vminq_s32(a.part[1], b.part[1]), vminq_s32(a.part[2], b.part[2]),
          vminq_s32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION Int maximum(Int a, Int b) {
  return {vmaxq_s32(a.part[0], b.part[0]), vmaxq_s32(a.part[1], b.part[1]), vmaxq_s32(a.part[2], b.part[2]),
          vmaxq_s32(a.part[3], b.part[3])};
}
SWARMGRAD_FUNCTION void multiply_wide(int32x4_t a, int32x4_t b, int32x4_t &high, int32x4_t &low) {
  const uint32x4_t x = vreinterpretq_u32_s32(a), y = vreinterpretq_u32_s32(b);
  const int32x4_t first = vreinterpretq_s32_u64(vmull_u32(vget_low_u32(x), vget_low_u32(y)));
  const int32x4_t second = vreinterpretq_s32_u64(vmull_high_u32(x, y));
  low = vuzp1q_s32(first, second);
  high = vuzp2q_s32(first, second);
}
SWARMGRAD_FUNCTION void multiply_wide(Int a, Int b, Int &high, Int &low) {
  Int upper, lower;
  multiply_wide(a.part[0], b.part[0], upper.part[0], lower.part[0]);
  multiply_wide(a.part[1], b.part[1], upper.part[1], lower.part[1]);
  multiply_wide(a.part[2], b.part[2], upper.part[2], lower.part[2]);
  multiply_wide(a.part[3], b.part[3], upper.part[3], lower.part[3]);
  high = upper;
  low = lower;
}
SWARMGRAD_FUNCTION int32_t lane(Int x, int i) {
  int32_t lanes[16];
  store(lanes, x);
  return lanes[i];
}
SWARMGRAD_FUNCTION Int set_lane(Int x, int i, int32_t value) { return select(mask_from_bits(1u << i), Int(value), x); }
SWARMGRAD_FUNCTION Int lane_index() {
  static constexpr int32_t index[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return Int::load(index);
}

// Table lookup goes by bytes: lane index i becomes the byte indices 4i, 4i + 1, 4i + 2, 4i + 3.
SWARMGRAD_FUNCTION int32x4_t lookup(uint8x16x2_t table, int32x4_t index) {
  const int32x4_t within = vandq_s32(index, vdupq_n_s32(7));
  const int32x4_t bytes = vmlaq_s32(vdupq_n_s32(0x03020100), within, vdupq_n_s32(0x04040404));
  return vreinterpretq_s32_u8(vqtbl2q_u8(table, vreinterpretq_u8_s32(bytes)));
}
SWARMGRAD_FUNCTION Int lookup(const int32_t (&table)[8], Int index) {
  const uint8x16x2_t eight = {{vreinterpretq_u8_s32(vld1q_s32(table)), vreinterpretq_u8_s32(vld1q_s32(table + 4))}};
  return {lookup(eight, index.part[0]), lookup(eight, index.part[1]), lookup(eight, index.part[2]),
          lookup(eight, index.part[3])};
}
SWARMGRAD_FUNCTION Float lookup(const float (&table)[8], Int index) {
  const uint8x16x2_t eight = {{vreinterpretq_u8_f32(vld1q_f32(table)), vreinterpretq_u8_f32(vld1q_f32(table + 4))}};
  return as_float(Int(lookup(eight, index.part[0]), lookup(eight, index.part[1]), lookup(eight, index.part[2]),
                      lookup(eight, index.part[3])));
}

// Double

SWARMGRAD_FUNCTION Double widen(Float x) {
  return {vcvt_f64_f32(vget_low_f32(x.part[0])), vcvt_high_f64_f32(x.part[0]),
          vcvt_f64_f32(vget_low_f32(x.part[1])), vcvt_high_f64_f32(x.part[1]),
          vcvt_f64_f32(vget_low_f32(x.part[2])), vcvt_high_f64_f32(x.part[2]),
          vcvt_f64_f32(vget_low_f32(x.part[3])), vcvt_high_f64_f32(x.part[3])};
}
SWARMGRAD_FUNCTION Float narrow(Double x) {
  return {vcvt_high_f32_f64(vcvt_f32_f64(x.part[0]), x.part[1]), vcvt_high_f32_f64(vcvt_f32_f64(x.part[2]), x.part[3]),
          vcvt_high_f32_f64(vcvt_f32_f64(x.part[4]), x.part[5]), vcvt_high_f32_f64(vcvt_f32_f64(x.part[6]), x.part[7])};
}
SWARMGRAD_FUNCTION Double to_double(Int x) {
  return {vcvtq_f64_s64(vmovl_s32(vget_low_s32(x.part[0]))), vcvtq_f64_s64(vmovl_high_s32(x.part[0])),
          vcvtq_f64_s64(vmovl_s32(vget_low_s32(x.part[1]))), vcvtq_f64_s64(vmovl_high_s32(x.part[1])),
          vcvtq_f64_s64(vmovl_s32(vget_low_s32(x.part[2]))), vcvtq_f64_s64(vmovl_high_s32(x.part[2])),
          vcvtq_f64_s64(vmovl_s32(vget_low_s32(x.part[3]))), vcvtq_f64_s64(vmovl_high_s32(x.part[3]))};
}
SWARMGRAD_FUNCTION Double operator+(Double a, Double b) {
  return {vaddq_f64(a.part[0], b.part[0]), vaddq_f64(a.part[1], b.part[1]), vaddq_f64(a.part[2], b.part[2]),
          vaddq_f64(a.part[3], b.part[3]), vaddq_f64(a.part[4], b.part[4]), vaddq_f64(a.part[5], b.part[5]),
          vaddq_f64(a.part[6], b.part[6]), vaddq_f64(a.part[7], b.part[7])};
}
SWARMGRAD_FUNCTION Double operator-(Double a, Double b) {
  return {vsubq_f64(a.part[0], b.part[0]), vsubq_f64(a.part[1], b.part[1]), vsubq_f64(a.part[2], b.part[2]),
          vsubq_f64(a.part[3], b.part[3]), vsubq_f64(a.part[4], b.part[4]), vsubq_f64(a.part[5], b.part[5]),
          vsubq_f64(a.part[6], b.part[6]), vsubq_f64(a.part[7], b.part[7])};
}
SWARMGRAD_FUNCTION Double operator*(Double a, Double b) {
  return {vmulq_f64(a.part[0], b.part[0]), vmulq_f64(a.part[1], b.part[1]), vmulq_f64(a.part[2], b.part[2]),
          vmulq_f64(a.part[3], b.part[3]), vmulq_f64(a.part[4], b.part[4]), vmulq_f64(a.part[5], b.part[5]),
          vmulq_f64(a.part[6], b.part[6]), vmulq_f64(a.part[7], b.part[7])};
}
SWARMGRAD_FUNCTION Double operator/(Double a, Double b) {
  return {vdivq_f64(a.part[0], b.part[0]), vdivq_f64(a.part[1], b.part[1]), vdivq_f64(a.part[2], b.part[2]),
          vdivq_f64(a.part[3], b.part[3]), vdivq_f64(a.part[4], b.part[4]), vdivq_f64(a.part[5], b.part[5]),
          vdivq_f64(a.part[6], b.part[6]), vdivq_f64(a.part[7], b.part[7])};
}
SWARMGRAD_FUNCTION Double operator-(Double a) {
  return {vnegq_f64(a.part[0]), vnegq_f64(a.part[1]), vnegq_f64(a.part[2]), vnegq_f64(a.part[3]),
          vnegq_f64(a.part[4]), vnegq_f64(a.part[5]), vnegq_f64(a.part[6]), vnegq_f64(a.part[7])};
}

SWARMGRAD_FUNCTION Mask operator<(Double a, Double b) {
  return {vuzp1q_u32(vreinterpretq_u32_u64(vcltq_f64(a.part[0], b.part[0])),
                     vreinterpretq_u32_u64(vcltq_f64(a.part[1], b.part[1]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vcltq_f64(a.part[2], b.part[2])),
                     vreinterpretq_u32_u64(vcltq_f64(a.part[3], b.part[3]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vcltq_f64(a.part[4], b.part[4])),
                     vreinterpretq_u32_u64(vcltq_f64(a.part[5], b.part[5]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vcltq_f64(a.part[6], b.part[6])),
                     vreinterpretq_u32_u64(vcltq_f64(a.part[7], b.part[7])))};
}
SWARMGRAD_FUNCTION Mask operator<=(Double a, Double b) {
  return {vuzp1q_u32(vreinterpretq_u32_u64(vcleq_f64(a.part[0], b.part[0])),
                     vreinterpretq_u32_u64(vcleq_f64(a.part[1], b.part[1]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vcleq_f64(a.part[2], b.part[2])),
                     vreinterpretq_u32_u64(vcleq_f64(a.part[3], b.part[3]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vcleq_f64(a.part[4], b.part[4])),
                     vreinterpretq_u32_u64(vcleq_f64(a.part[5], b.part[5]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vcleq_f64(a.part[6], b.part[6])),
                     vreinterpretq_u32_u64(vcleq_f64(a.part[7], b.part[7])))};
}
SWARMGRAD_FUNCTION Mask operator>(Double a, Double b) {
  return {vuzp1q_u32(vreinterpretq_u32_u64(vcgtq_f64(a.part[0], b.part[0])),
                     vreinterpretq_u32_u64(vcgtq_f64(a.part[1], b.part[1]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vcgtq_f64(a.part[2], b.part[2])),
                     vreinterpretq_u32_u64(vcgtq_f64(a.part[3], b.part[3]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vcgtq_f64(a.part[4], b.part[4])),
                     vreinterpretq_u32_u64(vcgtq_f64(a.part[5], b.part[5]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vcgtq_f64(a.part[6], b.part[6])),
                     vreinterpretq_u32_u64(vcgtq_f64(a.part[7], b.part[7])))};
}
SWARMGRAD_FUNCTION Mask operator>=(Double a, Double b) {
  return {vuzp1q_u32(vreinterpretq_u32_u64(vcgeq_f64(a.part[0], b.part[0])),
                     vreinterpretq_u32_u64(vcgeq_f64(a.part[1], b.part[1]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vcgeq_f64(a.part[2], b.part[2])),
                     vreinterpretq_u32_u64(vcgeq_f64(a.part[3], b.part[3]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vcgeq_f64(a.part[4], b.part[4])),
                     vreinterpretq_u32_u64(vcgeq_f64(a.part[5], b.part[5]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vcgeq_f64(a.part[6], b.part[6])),
                     vreinterpretq_u32_u64(vcgeq_f64(a.part[7], b.part[7])))};
}
SWARMGRAD_FUNCTION Mask operator==(Double a, Double b) {
  return {vuzp1q_u32(vreinterpretq_u32_u64(vceqq_f64(a.part[0], b.part[0])),
                     vreinterpretq_u32_u64(vceqq_f64(a.part[1], b.part[1]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vceqq_f64(a.part[2], b.part[2])),
                     vreinterpretq_u32_u64(vceqq_f64(a.part[3], b.part[3]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vceqq_f64(a.part[4], b.part[4])),
                     vreinterpretq_u32_u64(vceqq_f64(a.part[5], b.part[5]))),
          vuzp1q_u32(vreinterpretq_u32_u64(vceqq_f64(a.part[6], b.part[6])),
                     vreinterpretq_u32_u64(vceqq_f64(a.part[7], b.part[7])))};
}
SWARMGRAD_FUNCTION Mask operator!=(Double a, Double b) { return !(a == b); }

SWARMGRAD_FUNCTION Double fma(Double a, Double b, Double c) {
  return {vfmaq_f64(c.part[0], a.part[0], b.part[0]), vfmaq_f64(c.part[1], a.part[1], b.part[1]),
          vfmaq_f64(c.part[2], a.part[2], b.part[2]), vfmaq_f64(c.part[3], a.part[3], b.part[3]),
          vfmaq_f64(c.part[4], a.part[4], b.part[4]), vfmaq_f64(c.part[5], a.part[5], b.part[5]),
          vfmaq_f64(c.part[6], a.part[6], b.part[6]), vfmaq_f64(c.part[7], a.part[7], b.part[7])};
}
SWARMGRAD_FUNCTION Double fnma(Double a, Double b, Double c) {
  return {vfmsq_f64(c.part[0], a.part[0], b.part[0]), vfmsq_f64(c.part[1], a.part[1], b.part[1]),
          vfmsq_f64(c.part[2], a.part[2], b.part[2]), vfmsq_f64(c.part[3], a.part[3], b.part[3]),
          vfmsq_f64(c.part[4], a.part[4], b.part[4]), vfmsq_f64(c.part[5], a.part[5], b.part[5]),
          vfmsq_f64(c.part[6], a.part[6], b.part[6]), vfmsq_f64(c.part[7], a.part[7], b.part[7])};
}
SWARMGRAD_FUNCTION Double sqrt(Double x) {
  return {vsqrtq_f64(x.part[0]), vsqrtq_f64(x.part[1]), vsqrtq_f64(x.part[2]), vsqrtq_f64(x.part[3]),
          vsqrtq_f64(x.part[4]), vsqrtq_f64(x.part[5]), vsqrtq_f64(x.part[6]), vsqrtq_f64(x.part[7])};
}
SWARMGRAD_FUNCTION Double select(Mask m, Double a, Double b) {
  return {vbslq_f64(vreinterpretq_u64_u32(vzip1q_u32(m.part[0], m.part[0])), a.part[0], b.part[0]),
          vbslq_f64(vreinterpretq_u64_u32(vzip2q_u32(m.part[0], m.part[0])), a.part[1], b.part[1]),
          vbslq_f64(vreinterpretq_u64_u32(vzip1q_u32(m.part[1], m.part[1])), a.part[2], b.part[2]),
          vbslq_f64(vreinterpretq_u64_u32(vzip2q_u32(m.part[1], m.part[1])), a.part[3], b.part[3]),
          vbslq_f64(vreinterpretq_u64_u32(vzip1q_u32(m.part[2], m.part[2])), a.part[4], b.part[4]),
          vbslq_f64(vreinterpretq_u64_u32(vzip2q_u32(m.part[2], m.part[2])), a.part[5], b.part[5]),
          vbslq_f64(vreinterpretq_u64_u32(vzip1q_u32(m.part[3], m.part[3])), a.part[6], b.part[6]),
          vbslq_f64(vreinterpretq_u64_u32(vzip2q_u32(m.part[3], m.part[3])), a.part[7], b.part[7])};
}
SWARMGRAD_FUNCTION Double minimum(Double a, Double b) { return select(a < b, a, b); }
SWARMGRAD_FUNCTION Double maximum(Double a, Double b) { return select(a < b, b, a); }
SWARMGRAD_FUNCTION double lane(Double x, int i) {
  double lanes[16];
  store(lanes, x);
  return lanes[i];
}
SWARMGRAD_FUNCTION Double set_lane(Double x, int i, double value) {
  return select(mask_from_bits(1u << i), Double(value), x);
}
SWARMGRAD_FUNCTION double lane_sum(Double x) {
  const float64x2_t first = vaddq_f64(vaddq_f64(x.part[0], x.part[4]), vaddq_f64(x.part[2], x.part[6]));
  const float64x2_t second = vaddq_f64(vaddq_f64(x.part[1], x.part[5]), vaddq_f64(x.part[3], x.part[7]));
  const float64x2_t two = vaddq_f64(first, second);
  return vgetq_lane_f64(two, 0) + vgetq_lane_f64(two, 1);
}

// What one register holds of a Float. Matrix tiles count registers, not lanes.
struct Part {
  float32x4_t raw;
  Part() = default;
  SWARMGRAD_FUNCTION Part(float value) : raw(vdupq_n_f32(value)) {}
  SWARMGRAD_FUNCTION Part(float32x4_t value) : raw(value) {}
  SWARMGRAD_FUNCTION static Part load(const float *where) { return vld1q_f32(where); }
};
constexpr int part_lanes = 4;
SWARMGRAD_FUNCTION void store(float *where, Part value) { vst1q_f32(where, value.raw); }
SWARMGRAD_FUNCTION Part fma(Part a, Part b, Part c) { return vfmaq_f32(c.raw, a.raw, b.raw); }

}  // namespace swarmgrad::SWARMGRAD_TARGET
