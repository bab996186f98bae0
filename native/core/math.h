// exp, log, tanh, sin and cos from correctly rounded operations alone, hence the same bits on every target; no libm.
#pragma once

#include "lanes.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// Adding and subtracting 1.5 x 2^23 rounds |x| < 2^22 to the nearest integer, which is left in the low bits of the sum.
constexpr float rounding_shift = 0x1.8p23f;

// exp(x) = 2^n exp(r), |r| <= ln(2) / 2.
SWARMGRAD_FUNCTION Float exp(Float x) {
  const Float shifted = fma(x, Float(0x1.715476p+0f), Float(rounding_shift));
  const Float n = shifted - Float(rounding_shift);
  const Float r = fnma(n, Float(-0x1.05c61p-29f), fnma(n, Float(0x1.62e43p-1f), x));
  Float p = fma(Float(1.9875691500e-4f), r, Float(1.3981999507e-3f));
  p = fma(p, r, Float(8.3334519073e-3f));
  p = fma(p, r, Float(4.1665795894e-2f));
  p = fma(p, r, Float(1.6666665459e-1f));
  p = fma(p, r, Float(5.0000001201e-1f));
  p = fma(p * r, r, r) + Float(1.0f);
  const Float scaled = as_float(as_int(p) + shift_left<23>(as_int(shifted)));
  const Float infinity = __builtin_inff();
  const Float finite_or_above = select(x <= Float(0x1.62e42ep+6f), scaled, x + infinity);  // NaN stays NaN
  return select(x < Float(-0x1.5d589ep+6f), Float(0.0f), finite_or_above);
}

// log(x) = k ln(2) + log(1 + f), 1 + f between sqrt(1/2) and sqrt(2).
SWARMGRAD_FUNCTION Float log(Float x) {
  const Mask subnormal = x < Float(0x1p-126f);
  const Int pattern = as_int(select(subnormal, x * Float(0x1p23f), x));
  const Int k = shift_right_arithmetic<23>(pattern - Int(0x3f3504f3));
  const Float f = as_float(pattern - shift_left<23>(k)) - Float(1.0f);
  const Float exponent = to_float(k) - select(subnormal, Float(23.0f), Float(0.0f));
  Float p = fma(Float(7.0376836292e-2f), f, Float(-1.1514610310e-1f));
  p = fma(p, f, Float(1.1676998740e-1f));
  p = fma(p, f, Float(-1.2420140846e-1f));
  p = fma(p, f, Float(1.4249322787e-1f));
  p = fma(p, f, Float(-1.6668057665e-1f));
  p = fma(p, f, Float(2.0000714765e-1f));
  p = fma(p, f, Float(-2.4999993993e-1f));
  p = fma(p, f, Float(3.3333331174e-1f));
  p = fma(p, f, Float(-0.5f));
  const Float low = fma(f * f, p, exponent * Float(-0x1.bd0106p-13f));
  const Float finite = fma(exponent, Float(0x1.63p-1f), low + f);
  const Float infinity = __builtin_inff();
  const Float positive = select(x < infinity, finite, x);  // +inf and NaN are themselves
  const Float not_negative = select(x == Float(0.0f), -infinity, positive);
  return select(x < Float(0.0f), Float(__builtin_nanf("")), not_negative);
}

SWARMGRAD_FUNCTION Float tanh(Float x) {
  const Float u = abs(x);
  const Float square = x * x;
  Float p = fma(Float(-5.70498872745e-3f), square, Float(2.06390887954e-2f));
  p = fma(p, square, Float(-5.37397155531e-2f));
  p = fma(p, square, Float(1.33314422036e-1f));
  p = fma(p, square, Float(-3.33332819422e-1f));
  const Float near_zero = fma(p * square, x, x);
  const Float far = Float(1.0f) - Float(2.0f) / (exp(u + u) + Float(1.0f));
  const Float signed_far = as_float(as_int(far) | (as_int(x) & Int(INT32_MIN)));
  return select(u < Float(0.625f), near_zero, signed_far);
}

SWARMGRAD_FUNCTION Float tanh_derivative_from_output(Float h) { return fnma(h, h, Float(1.0f)); }

// An angle as quadrant x pi/2 + rest, |rest| <= pi/4 (a little more where rounding decides).
struct ReducedAngle {
  Int quadrant;  // modulo 4
  Float rest;
};

// For |x| < 2^15: pi/2 in three parts. The first step is exact: what it leaves is below 1 and a multiple of 2^-24.
SWARMGRAD_FUNCTION ReducedAngle reduce_small_angle(Float x) {
  const Float shifted = fma(x, Float(0x1.45f306p-1f), Float(rounding_shift));
  const Float n = shifted - Float(rounding_shift);
  Float rest = fnma(n, Float(0x1.921fb6p+0f), x);
  rest = fnma(n, Float(-0x1.777a5cp-25f), rest);
  rest = fnma(n, Float(-0x1.ee59dap-50f), rest);
  return {as_int(shifted), rest};
}

// Payne and Hanek: of 2/pi only 96 bits matter, those that are worth less than 4 quadrants and more than rounding.
SWARMGRAD_FUNCTION ReducedAngle reduce_large_angle(Float x) {
  static constexpr int32_t two_over_pi[8] = {0,
                                             static_cast<int32_t>(0xa2f9836e),
                                             static_cast<int32_t>(0x4e441529),
                                             static_cast<int32_t>(0xfc2757d1),
                                             static_cast<int32_t>(0xf534ddc0),
                                             static_cast<int32_t>(0xdb629599),
                                             static_cast<int32_t>(0x3c439041),
                                             static_cast<int32_t>(0xfe5163ab)};
  const Int pattern = as_int(x);
  const Int mantissa = (pattern & Int(0x007fffff)) | Int(0x00800000);
  const Int offset = (shift_right<23>(pattern) & Int(0xff)) - Int(150 + 2 - 32);
  const Int first = shift_right<5>(offset), shift = offset & Int(31);
  const Int t0 = lookup(two_over_pi, first), t1 = lookup(two_over_pi, first + Int(1)),
            t2 = lookup(two_over_pi, first + Int(2)), t3 = lookup(two_over_pi, first + Int(3));
  const Int rest_shift = Int(31) - shift;
  const Int w0 = shift_left(t0, shift) | shift_right(shift_right<1>(t1), rest_shift);
  const Int w1 = shift_left(t1, shift) | shift_right(shift_right<1>(t2), rest_shift);
  const Int w2 = shift_left(t2, shift) | shift_right(shift_right<1>(t3), rest_shift);
  Int high1, low1, high2, low2;
  multiply_wide(mantissa, w2, high2, low2);
  multiply_wide(mantissa, w1, high1, low1);
  // In units of 2^-62 quadrants, modulo 4 quadrants: high x 2^32 + low (the product's last word does not matter).
  const Int low = low1 + high2;
  const Int sign = INT32_MIN;
  const Int carry = select((low ^ sign) < (high2 ^ sign), Int(1), Int(0));
  const Int high = mantissa * w0 + high1 + carry;
  const Int quadrant = shift_right<30>(high + Int(1 << 29));
  const Double quadrants = fma(to_double(high - shift_left<30>(quadrant)), Double(0x1p32),
                               fma(to_double(shift_right<16>(low)), Double(0x1p16), to_double(low & Int(0xffff))));
  const Float rest = narrow(quadrants * Double(0x1.921fb54442d18p-62));
  const Mask negative = x < Float(0.0f);
  return {select(negative, -quadrant, quadrant), select(negative, -rest, rest)};
}

SWARMGRAD_FUNCTION ReducedAngle reduce_angle(Float x) {
  ReducedAngle angle = reduce_small_angle(x);
  const Mask large = abs(x) >= Float(0x1p15f);
  if (any(large)) {
    const ReducedAngle other = reduce_large_angle(x);
    angle.quadrant = select(large, other.quadrant, angle.quadrant);
    angle.rest = select(large, other.rest, angle.rest);
    angle.rest = select(abs(x) < Float(__builtin_inff()), angle.rest, x - x);  // NaN for infinities and NaN
  }
  return angle;
}

// The sine of an angle whose quadrant has been advanced by one is its cosine.
SWARMGRAD_FUNCTION Float sine_of(ReducedAngle angle) {
  const Float r = angle.rest, square = r * r;
  Float s = fma(Float(-1.9515295891e-4f), square, Float(8.3321608736e-3f));
  s = fma(s, square, Float(-1.6666654611e-1f));
  s = fma(s * square, r, r);
  Float c = fma(Float(2.443315711809948e-5f), square, Float(-1.388731625493765e-3f));
  c = fma(c, square, Float(4.166664568298827e-2f));
  c = fma(c, square, Float(-0.5f));
  c = fma(c, square, Float(1.0f));
  const Float magnitude = select((angle.quadrant & Int(1)) == Int(0), s, c);
  return as_float(as_int(magnitude) ^ shift_left<30>(angle.quadrant & Int(2)));
}

SWARMGRAD_FUNCTION Float sin(Float x) { return sine_of(reduce_angle(x)); }

SWARMGRAD_FUNCTION Float cos(Float x) {
  ReducedAngle angle = reduce_angle(x);
  angle.quadrant += Int(1);
  return sine_of(angle);
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
