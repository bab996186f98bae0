// The lane types with a single lane: what a CUDA thread computes with, and the judge of the vector versions.
#pragma once

#include <stdint.h>

namespace swarmgrad::SWARMGRAD_TARGET {

constexpr int lane_count = 1;

struct Mask {
  bool raw;
  Mask() = default;
  SWARMGRAD_FUNCTION Mask(bool value) : raw(value) {}
};

struct Float {
  float raw;
  Float() = default;
  SWARMGRAD_FUNCTION Float(float value) : raw(value) {}
  SWARMGRAD_FUNCTION static Float load(const float *where) { return *where; }
};

struct Int {
  int32_t raw;
  Int() = default;
  SWARMGRAD_FUNCTION Int(int32_t value) : raw(value) {}
  SWARMGRAD_FUNCTION static Int load(const int32_t *where) { return *where; }
};

struct Double {
  double raw;
  Double() = default;
  SWARMGRAD_FUNCTION Double(double value) : raw(value) {}
  SWARMGRAD_FUNCTION static Double load(const double *where) { return *where; }
};

SWARMGRAD_FUNCTION void store(float *where, Float value) { *where = value.raw; }
SWARMGRAD_FUNCTION void store(int32_t *where, Int value) { *where = value.raw; }
SWARMGRAD_FUNCTION void store(double *where, Double value) { *where = value.raw; }

// Mask

SWARMGRAD_FUNCTION Mask operator&(Mask a, Mask b) { return a.raw && b.raw; }
SWARMGRAD_FUNCTION Mask operator|(Mask a, Mask b) { return a.raw || b.raw; }
SWARMGRAD_FUNCTION Mask operator^(Mask a, Mask b) { return a.raw != b.raw; }
SWARMGRAD_FUNCTION Mask operator!(Mask a) { return !a.raw; }
SWARMGRAD_FUNCTION bool any(Mask m) { return m.raw; }
SWARMGRAD_FUNCTION bool all(Mask m) { return m.raw; }
SWARMGRAD_FUNCTION bool none(Mask m) { return !m.raw; }
SWARMGRAD_FUNCTION uint32_t bits(Mask m) { return m.raw ? 1u : 0u; }
SWARMGRAD_FUNCTION Mask mask_from_bits(uint32_t pattern) { return (pattern & 1u) != 0; }
SWARMGRAD_FUNCTION Mask select(Mask m, Mask a, Mask b) { return m.raw ? a.raw : b.raw; }

// Float

SWARMGRAD_FUNCTION Float operator+(Float a, Float b) { return a.raw + b.raw; }
SWARMGRAD_FUNCTION Float operator-(Float a, Float b) { return a.raw - b.raw; }
SWARMGRAD_FUNCTION Float operator*(Float a, Float b) { return a.raw * b.raw; }
SWARMGRAD_FUNCTION Float operator/(Float a, Float b) { return a.raw / b.raw; }
SWARMGRAD_FUNCTION Float operator-(Float a) { return -a.raw; }
SWARMGRAD_FUNCTION Mask operator<(Float a, Float b) { return a.raw < b.raw; }
SWARMGRAD_FUNCTION Mask operator<=(Float a, Float b) { return a.raw <= b.raw; }
SWARMGRAD_FUNCTION Mask operator>(Float a, Float b) { return a.raw > b.raw; }
SWARMGRAD_FUNCTION Mask operator>=(Float a, Float b) { return a.raw >= b.raw; }
SWARMGRAD_FUNCTION Mask operator==(Float a, Float b) { return a.raw == b.raw; }
SWARMGRAD_FUNCTION Mask operator!=(Float a, Float b) { return a.raw != b.raw; }

SWARMGRAD_FUNCTION Float fma(Float a, Float b, Float c) {
#if defined(__CUDA_ARCH__)
  return __fmaf_rn(a.raw, b.raw, c.raw);
#else
  return __builtin_fmaf(a.raw, b.raw, c.raw);
#endif
}
SWARMGRAD_FUNCTION Float fnma(Float a, Float b, Float c) { return fma(-a, b, c); }

SWARMGRAD_FUNCTION Float sqrt(Float x) {
#if defined(__CUDA_ARCH__)
  return __fsqrt_rn(x.raw);
#else
  return __builtin_sqrtf(x.raw);
#endif
}

SWARMGRAD_FUNCTION Int as_int(Float x) {
#if defined(__CUDA_ARCH__)
  return __float_as_int(x.raw);
#else
  int32_t pattern;
  __builtin_memcpy(&pattern, &x.raw, sizeof pattern);
  return pattern;
#endif
}

SWARMGRAD_FUNCTION Float as_float(Int x) {
#if defined(__CUDA_ARCH__)
  return __int_as_float(x.raw);
#else
  float value;
  __builtin_memcpy(&value, &x.raw, sizeof value);
  return value;
#endif
}

SWARMGRAD_FUNCTION Float abs(Float x) { return as_float(as_int(x).raw & 0x7fffffff); }
SWARMGRAD_FUNCTION Float select(Mask m, Float a, Float b) { return m.raw ? a.raw : b.raw; }
SWARMGRAD_FUNCTION Float minimum(Float a, Float b) { return a.raw < b.raw ? a.raw : b.raw; }
SWARMGRAD_FUNCTION Float maximum(Float a, Float b) { return a.raw < b.raw ? b.raw : a.raw; }
SWARMGRAD_FUNCTION Float to_float(Int x) { return static_cast<float>(x.raw); }
SWARMGRAD_FUNCTION Int truncate(Float x) { return static_cast<int32_t>(x.raw); }
SWARMGRAD_FUNCTION float lane(Float x, int) { return x.raw; }
SWARMGRAD_FUNCTION Float set_lane(Float, int, float value) { return value; }
SWARMGRAD_FUNCTION float lane_sum(Float x) { return x.raw; }
SWARMGRAD_FUNCTION Float lane_sums(const Float v[lane_count]) { return v[0]; }
SWARMGRAD_FUNCTION Float lookup(const float (&table)[8], Int index) { return table[index.raw & 7]; }

// Int

SWARMGRAD_FUNCTION Int wrap(uint32_t value) { return static_cast<int32_t>(value); }
SWARMGRAD_FUNCTION uint32_t unsigned_value(Int x) { return static_cast<uint32_t>(x.raw); }
SWARMGRAD_FUNCTION Int operator+(Int a, Int b) { return wrap(unsigned_value(a) + unsigned_value(b)); }
SWARMGRAD_FUNCTION Int operator-(Int a, Int b) { return wrap(unsigned_value(a) - unsigned_value(b)); }
SWARMGRAD_FUNCTION Int operator*(Int a, Int b) { return wrap(unsigned_value(a) * unsigned_value(b)); }
SWARMGRAD_FUNCTION Int operator-(Int a) { return Int(0) - a; }
SWARMGRAD_FUNCTION Int operator&(Int a, Int b) { return a.raw & b.raw; }
SWARMGRAD_FUNCTION Int operator|(Int a, Int b) { return a.raw | b.raw; }
SWARMGRAD_FUNCTION Int operator^(Int a, Int b) { return a.raw ^ b.raw; }
SWARMGRAD_FUNCTION Int operator~(Int a) { return ~a.raw; }
SWARMGRAD_FUNCTION Mask operator<(Int a, Int b) { return a.raw < b.raw; }
SWARMGRAD_FUNCTION Mask operator<=(Int a, Int b) { return a.raw <= b.raw; }
SWARMGRAD_FUNCTION Mask operator>(Int a, Int b) { return a.raw > b.raw; }
SWARMGRAD_FUNCTION Mask operator>=(Int a, Int b) { return a.raw >= b.raw; }
SWARMGRAD_FUNCTION Mask operator==(Int a, Int b) { return a.raw == b.raw; }
SWARMGRAD_FUNCTION Mask operator!=(Int a, Int b) { return a.raw != b.raw; }

template <int count>
SWARMGRAD_FUNCTION Int shift_left(Int x) {
  return wrap(unsigned_value(x) << count);
}
template <int count>
SWARMGRAD_FUNCTION Int shift_right(Int x) {
  return wrap(unsigned_value(x) >> count);
}
template <int count>
SWARMGRAD_FUNCTION Int shift_right_arithmetic(Int x) {
  return x.raw >> count;
}

SWARMGRAD_FUNCTION Int shift_left(Int x, Int count) { return wrap(unsigned_value(x) << count.raw); }
SWARMGRAD_FUNCTION Int shift_right(Int x, Int count) { return wrap(unsigned_value(x) >> count.raw); }
SWARMGRAD_FUNCTION Int select(Mask m, Int a, Int b) { return m.raw ? a.raw : b.raw; }
SWARMGRAD_FUNCTION Int minimum(Int a, Int b) { return a.raw < b.raw ? a.raw : b.raw; }
SWARMGRAD_FUNCTION Int maximum(Int a, Int b) { return a.raw < b.raw ? b.raw : a.raw; }
SWARMGRAD_FUNCTION void multiply_wide(Int a, Int b, Int &high, Int &low) {
  const uint64_t product = static_cast<uint64_t>(unsigned_value(a)) * unsigned_value(b);
  high = wrap(static_cast<uint32_t>(product >> 32));
  low = wrap(static_cast<uint32_t>(product));
}
SWARMGRAD_FUNCTION Int lookup(const int32_t (&table)[8], Int index) { return table[index.raw & 7]; }
SWARMGRAD_FUNCTION int32_t lane(Int x, int) { return x.raw; }
SWARMGRAD_FUNCTION Int set_lane(Int, int, int32_t value) { return value; }
SWARMGRAD_FUNCTION Int lane_index() { return 0; }

// Double

SWARMGRAD_FUNCTION Double widen(Float x) { return static_cast<double>(x.raw); }
SWARMGRAD_FUNCTION Float narrow(Double x) { return static_cast<float>(x.raw); }
SWARMGRAD_FUNCTION Double to_double(Int x) { return static_cast<double>(x.raw); }
SWARMGRAD_FUNCTION Double operator+(Double a, Double b) { return a.raw + b.raw; }
SWARMGRAD_FUNCTION Double operator-(Double a, Double b) { return a.raw - b.raw; }
SWARMGRAD_FUNCTION Double operator*(Double a, Double b) { return a.raw * b.raw; }
SWARMGRAD_FUNCTION Double operator/(Double a, Double b) { return a.raw / b.raw; }
SWARMGRAD_FUNCTION Double operator-(Double a) { return -a.raw; }
SWARMGRAD_FUNCTION Mask operator<(Double a, Double b) { return a.raw < b.raw; }
SWARMGRAD_FUNCTION Mask operator<=(Double a, Double b) { return a.raw <= b.raw; }
SWARMGRAD_FUNCTION Mask operator>(Double a, Double b) { return a.raw > b.raw; }
SWARMGRAD_FUNCTION Mask operator>=(Double a, Double b) { return a.raw >= b.raw; }
SWARMGRAD_FUNCTION Mask operator==(Double a, Double b) { return a.raw == b.raw; }
SWARMGRAD_FUNCTION Mask operator!=(Double a, Double b) { return a.raw != b.raw; }

SWARMGRAD_FUNCTION Double fma(Double a, Double b, Double c) {
#if defined(__CUDA_ARCH__)
  return __fma_rn(a.raw, b.raw, c.raw);
#else
  return __builtin_fma(a.raw, b.raw, c.raw);
#endif
}
SWARMGRAD_FUNCTION Double fnma(Double a, Double b, Double c) { return fma(-a, b, c); }

SWARMGRAD_FUNCTION Double sqrt(Double x) {
#if defined(__CUDA_ARCH__)
  return __dsqrt_rn(x.raw);
#else
  return __builtin_sqrt(x.raw);
#endif
}

SWARMGRAD_FUNCTION Double select(Mask m, Double a, Double b) { return m.raw ? a.raw : b.raw; }
SWARMGRAD_FUNCTION Double minimum(Double a, Double b) { return a.raw < b.raw ? a.raw : b.raw; }
SWARMGRAD_FUNCTION Double maximum(Double a, Double b) { return a.raw < b.raw ? b.raw : a.raw; }
SWARMGRAD_FUNCTION double lane(Double x, int) { return x.raw; }
SWARMGRAD_FUNCTION Double set_lane(Double, int, double value) { return value; }
SWARMGRAD_FUNCTION double lane_sum(Double x) { return x.raw; }

}  // namespace swarmgrad::SWARMGRAD_TARGET
