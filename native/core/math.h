// exp, log, tanh, sin and cos from correctly rounded operations alone, hence the same bits on every target; no libm.
#pragma once

#include "lanes.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// Adding and subtracting 1.5 x 2^23 rounds |x| < 2^22 to the nearest integer, which is left in the low bits of the sum.
constexpr float rounding_shift = 0x1.8p23f;

// exp(x) = 2^n exp(r), |r| <= ln(2) / 2; the polynomial minimises the relative error (Lawson's iteration, coefficients
// rounded one after the other), 1 and 1 being kept. Where 2^n does not fit the exponent the answer is selected instead.
SWARMGRAD_FUNCTION Float exp(Float x) {
  const Float shifted = fma(x, Float(0x1.715476p+0f), Float(rounding_shift));
  const Float n = shifted - Float(rounding_shift);
  const Float r = fnma(n, Float(-0x1.05c61p-29f), fnma(n, Float(0x1.62e43p-1f), x));
  Float p = fma(Float(0x1.6a4b36p-10f), r, Float(0x1.12398ep-7f));
  p = fma(p, r, Float(0x1.5558b2p-5f));
  p = fma(p, r, Float(0x1.555492p-3f));
  p = fma(p, r, Float(0x1.fffffcp-2f));
  p = fma(p, r, Float(1.0f));
  p = fma(p, r, Float(1.0f));
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

// A polynomial of degree 6 on each of eight intervals of |x|, whose ends are where 25/8 |x| + 2 is 2, 3, 4, 6, 8, 12, 16,
// 24, 32: exponent and first mantissa bit of that sum number the interval, and its coefficients are looked up within a
// register. No division; what remains is fewer instructions than a quotient of polynomials of this accuracy.
//
// The coefficients, in powers of t = |x| - center, minimise the largest error in ulps (Lawson's iteration, each
// coefficient rounded to float before the later ones are fitted). The centers are floats whose tanh is within 1/1000 ulp
// of a float; the first is 0, with tanh(t) = t (1 + ...), so tiny arguments, subnormals and -0 are their own results.
// The last interval's polynomial ends in exactly 1, which the clamp extends to infinity; NaN passes the clamp.
SWARMGRAD_FUNCTION Float tanh(Float x) {
  static constexpr float polynomials[8][8] = {
      // centers, then a0 to a6
      {0.0f, 0x1.ece58p-2f, 0x1.eb7cep-1f, 0x1.99dcdp+0f, 0x1.474f4p+1f, 0x1.ebc4ep+1f, 0x1.708f98p+2f, 0x1.0a2b24p+3f},
      {0.0f, 0x1.ca0e2p-2f, 0x1.7d0e2ep-1f, 0x1.d7f928p-1f, 0x1.f9e1bep-1f, 0x1.ff876cp-1f, 0x1.fffd64p-1f,
       0x1.fffffcp-1f},
      {0x1p+0f, 0x1.998d3p-1f, 0x1.c8cceep-2f, 0x1.33b24ap-3f, 0x1.853b92p-6f, 0x1.e221f8p-10f, 0x1.502872p-15f,
       0x1.019c32p-22f},
      {-0x1.c39d7p-19f, -0x1.6e669cp-2f, -0x1.53f9b4p-2f, -0x1.1ba434p-3f, -0x1.808fccp-6f, -0x1.e1ae44p-10f,
       -0x1.4fa012p-15f, -0x1.0150ep-22f},
      {-0x1.552d4p-2f, -0x1.b499d6p-4f, 0x1.92d802p-4f, 0x1.3deb4ap-4f, 0x1.f421cap-7f, 0x1.3fa7c6p-10f,
       0x1.a716b8p-16f, 0x1.449742p-23f},
      {-0x1.29653cp-9f, 0x1.55ed92p-3f, 0x1.33ae52p-5f, -0x1.9fc36cp-6f, -0x1.dcca1ap-8f, -0x1.3e8d84p-11f,
       -0x1.aa02e2p-17f, -0x1.45e9d2p-24f},
      {0x1.2f7fdp-3f, -0x1.4b723cp-6f, -0x1.984394p-5f, 0x1.372224p-12f, 0x1.5e50c4p-9f, 0x1.0e5c06p-12f,
       0x1.cfa848p-18f, 0x1.62d752p-25f},
      {-0x1.7245dcp-5f, -0x1.bbc542p-5f, 0x1.0892f4p-6f, 0x1.3d6f28p-8f, -0x1.57f4acp-11f, -0x1.621bfcp-14f,
       -0x1.305e98p-19f, -0x1.d5d01p-27f},
  };
  const Float u = minimum(Float(9.59f), abs(x));
  const Int interval = shift_right<22>(as_int(fma(u, Float(3.125f), Float(2.0f))));
  static constexpr Tables<8> tables(polynomials);
  const Float t = u - lookup(tables, 0, interval);
  Float p = fma(lookup(tables, 7, interval), t, lookup(tables, 6, interval));
  p = fma(p, t, lookup(tables, 5, interval));
  p = fma(p, t, lookup(tables, 4, interval));
  p = fma(p, t, lookup(tables, 3, interval));
  p = fma(p, t, lookup(tables, 2, interval));
  p = fma(p, t, lookup(tables, 1, interval));
  return as_float(as_int(p) | (as_int(x) & Int(INT32_MIN)));
}

// 1 - tanh(x)^2 from h = tanh(x).
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

SWARMGRAD_FUNCTION Float sin(Float x) {
  return select(x == Float(0.0f), x, sine_of(reduce_angle(x)));  // sums on the way would lose the sign of -0
}

SWARMGRAD_FUNCTION Float cos(Float x) {
  ReducedAngle angle = reduce_angle(x);
  angle.quadrant += Int(1);
  return sine_of(angle);
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
