// The elementary functions against libm in double precision and, bit for bit, against themselves with one lane.
//
// Two million bit patterns spread over all floats, and every pattern near a place where something changes. With
// SWARMGRAD_EXHAUSTIVE all 2^32.
#include "core/math.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "scalar_judge.h"

namespace lanes = swarmgrad::SWARMGRAD_TARGET;
using lanes::Float;
using lanes::lane_count;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr int block_size = 4096;

struct Function {
  std::string name;
  void (*ours)(const float *, float *, int);
  void (*judge)(const float *, float *, int);
  double (*reference)(double);
  double allowed_ulp;  // the largest error over all inputs, rounded up; docs/numerics.md states it
};

template <typename Body>
void for_packs(const float *input, float *output, int count, Body body) {
  for (int i = 0; i < count; i += lane_count) store(output + i, body(Float::load(input + i)));
}

// exp is 0 by definition where its value is below the smallest normal number.
double reference_exp(double x) {
  const double y = std::exp(x);
  return y < 0x1p-126 ? 0.0 : y;
}

const Function functions[] = {
    {"exp",
     [](const float *in, float *out, int count) { for_packs(in, out, count, [](Float x) { return lanes::exp(x); }); },
     scalar_judge::exp, reference_exp, 0.9},
    {"log",
     [](const float *in, float *out, int count) { for_packs(in, out, count, [](Float x) { return lanes::log(x); }); },
     scalar_judge::log, [](double x) { return std::log(x); }, 0.85},
    {"tanh",
     [](const float *in, float *out, int count) { for_packs(in, out, count, [](Float x) { return lanes::tanh(x); }); },
     scalar_judge::tanh, [](double x) { return std::tanh(x); }, 1.5},
    {"sin",
     [](const float *in, float *out, int count) { for_packs(in, out, count, [](Float x) { return lanes::sin(x); }); },
     scalar_judge::sin, [](double x) { return std::sin(x); }, 1.6},
    {"cos",
     [](const float *in, float *out, int count) { for_packs(in, out, count, [](Float x) { return lanes::cos(x); }); },
     scalar_judge::cos, [](double x) { return std::cos(x); }, 1.6},
};

float from_pattern(uint32_t pattern) {
  float value;
  std::memcpy(&value, &pattern, sizeof value);
  return value;
}

uint32_t pattern_of(float value) {
  uint32_t pattern;
  std::memcpy(&pattern, &value, sizeof pattern);
  return pattern;
}

// The distance of a float from an exact value, in units of the exact value's last place; infinite where one is not a
// number, infinite or of the other sign and the other is not.
double error_in_ulp(float found, double exact) {
  if (std::isnan(exact) || std::isnan(found)) return std::isnan(exact) == std::isnan(found) ? 0.0 : infinity;
  if (std::signbit(found) != std::signbit(exact)) return infinity;
  const float rounded = static_cast<float>(exact);
  if (std::isinf(rounded) || std::isinf(found) || exact == 0.0) return found == rounded ? 0.0 : infinity;
  int exponent;
  std::frexp(exact, &exponent);
  return std::fabs(found - exact) / std::ldexp(1.0, std::max(exponent, -125) - 24);
}

// What was worst among all inputs seen so far.
struct Worst {
  double ulp = 0.0;
  float at = 0.0f, found = 0.0f;
  uint64_t differing = 0;  // inputs whose bits differ from the judge's
  float first_differing = 0.0f;
};

void check_block(const Function &function, const float *input, Worst &worst) {
  float ours[block_size], judge[block_size];
  function.ours(input, ours, block_size);
  function.judge(input, judge, block_size);
  for (int i = 0; i < block_size; ++i) {
    const bool both_nan = std::isnan(ours[i]) && std::isnan(judge[i]);
    if (!both_nan && pattern_of(ours[i]) != pattern_of(judge[i]) && worst.differing++ == 0) {
      worst.first_differing = input[i];
    }
    const double ulp = error_in_ulp(ours[i], function.reference(input[i]));
    if (ulp > worst.ulp) {
      worst.ulp = ulp;
      worst.at = input[i];
      worst.found = ours[i];
    }
  }
}

void report(const Function &function, const Worst &worst) {
  MESSAGE(function.name << ": " << worst.ulp << " ulp at " << worst.at << " (pattern " << pattern_of(worst.at) << ")");
  CHECK_MESSAGE(worst.ulp <= function.allowed_ulp, function.name << "(" << worst.at << ") = " << worst.found);
  CHECK_MESSAGE(worst.differing == 0,
                function.name << ": " << worst.differing << " inputs, the first " << worst.first_differing);
}

void check_spread(const Function &function) {
#if defined(SWARMGRAD_EXHAUSTIVE)
  constexpr uint64_t stride = 1;
#else
  constexpr uint64_t stride = 2039;
#endif
  Worst worst;
  float input[block_size];
  for (uint64_t pattern = 0; pattern < uint64_t{1} << 32;) {
    for (int i = 0; i < block_size; ++i, pattern += stride) input[i] = from_pattern(static_cast<uint32_t>(pattern));
    check_block(function, input, worst);
  }
  report(function, worst);
}

// Values around which a branch, an interval or a special case begins, or where an angle nearly is a multiple of pi / 2.
const float places[] = {
    0.0f,          0x1p-149f,     0x1p-126f,    0x1p-25f,    0x1p-12f,      0.32f,        0.5f,          0.64f,
    0.70710678f,   1.0f,          1.28f,        1.41421356f, 1.92f,         3.2f,         4.48f,         7.04f,
    9.010914f,     9.59f,         87.336545f,   87.6831f,    88.0296f,      88.72284f,    103.97208f,    0.78539816f,
    1.57079633f,   3.14159265f,   4.71238898f,  6.28318531f, 355.0f,        710.0f,       32767.998f,    32768.0f,
    51471.855f,    102943.71f,    8388608.0f,   16777216.0f, 2147483648.0f, 4.2949673e9f, 1.6367234e10f, 5.3762825e14f,
    6.8676991e22f, 1.0597938e30f, 3.4028235e38f};

}  // namespace

TEST_CASE("at most 2 ulp, and the same bits with one lane: exp over all floats") { check_spread(functions[0]); }
TEST_CASE("at most 2 ulp, and the same bits with one lane: log over all floats") { check_spread(functions[1]); }
TEST_CASE("at most 2 ulp, and the same bits with one lane: tanh over all floats") { check_spread(functions[2]); }
TEST_CASE("at most 2 ulp, and the same bits with one lane: sin over all floats") { check_spread(functions[3]); }
TEST_CASE("at most 2 ulp, and the same bits with one lane: cos over all floats") { check_spread(functions[4]); }

TEST_CASE("at most 2 ulp, and the same bits with one lane: where something changes") {
  std::vector<float> inputs;
  for (float place : places) {
    const int64_t center = pattern_of(place);
    for (int64_t offset = -300; offset <= 300; ++offset) {
      const int64_t pattern = std::clamp<int64_t>(center + offset, 0, 0x7fffffff);
      inputs.push_back(from_pattern(static_cast<uint32_t>(pattern)));
      inputs.push_back(from_pattern(static_cast<uint32_t>(pattern) | 0x80000000u));
    }
  }
  // The float nearest to each multiple of pi / 2, small ones and huge ones, and its neighbours.
  for (double multiple = 1.0; multiple < 2e38; multiple = multiple < 20000.0 ? multiple + 1.0 : multiple * 1.00009) {
    const uint32_t nearest = pattern_of(static_cast<float>(std::floor(multiple) * 1.5707963267948966));
    for (uint32_t pattern = nearest - 1; pattern <= nearest + 1; ++pattern) inputs.push_back(from_pattern(pattern));
  }
  while (inputs.size() % block_size != 0) inputs.push_back(1.0f);
  for (const Function &function : functions) {
    Worst worst;
    for (std::size_t i = 0; i < inputs.size(); i += block_size) check_block(function, inputs.data() + i, worst);
    report(function, worst);
  }
}

TEST_CASE("lanes do not see each other") {
  // An angle that needs the long reduction, an infinity and a NaN beside ordinary values.
  const float values[] = {1e30f, 0.5f, INFINITY, -2.0f, NAN, 3.0f, -INFINITY};
  for (const Function &function : functions) {
    for (std::size_t rotation = 0; rotation < std::size(values); ++rotation) {
      float input[block_size], ours[block_size];
      for (std::size_t i = 0; i < block_size; ++i) input[i] = values[(i + rotation) % std::size(values)];
      function.ours(input, ours, block_size);
      for (int i = 0; i < block_size; ++i) {
        const double ulp = error_in_ulp(ours[i], function.reference(input[i]));
        if (ulp > function.allowed_ulp) FAIL_CHECK(function.name << "(" << input[i] << ") = " << ours[i]);
      }
    }
  }
}

TEST_CASE("special values") {
  const auto value = [](Float x) { return lane(x, lane_count - 1); };
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(value(lanes::exp(0.0f)) == 1.0f);
  CHECK(value(lanes::exp(inf)) == inf);
  CHECK(value(lanes::exp(89.0f)) == inf);
  CHECK(value(lanes::exp(-inf)) == 0.0f);
  CHECK(value(lanes::exp(-87.4f)) == 0.0f);
  CHECK(std::isnan(value(lanes::exp(nan))));
  CHECK(value(lanes::log(1.0f)) == 0.0f);
  CHECK(value(lanes::log(0.0f)) == -inf);
  CHECK(value(lanes::log(-0.0f)) == -inf);
  CHECK(value(lanes::log(inf)) == inf);
  CHECK(std::isnan(value(lanes::log(-1.0f))));
  CHECK(std::isnan(value(lanes::log(-inf))));
  CHECK(std::isnan(value(lanes::log(nan))));
  CHECK(value(lanes::tanh(inf)) == 1.0f);
  CHECK(value(lanes::tanh(-inf)) == -1.0f);
  CHECK(value(lanes::tanh(10.0f)) == 1.0f);
  CHECK(value(lanes::tanh(0x1p-149f)) == 0x1p-149f);
  CHECK(std::signbit(value(lanes::tanh(-0.0f))));
  CHECK(std::isnan(value(lanes::tanh(nan))));
  CHECK(value(lanes::tanh_derivative_from_output(1.0f)) == 0.0f);
  CHECK(value(lanes::tanh_derivative_from_output(0.1f)) == std::fma(-0.1f, 0.1f, 1.0f));
  CHECK(std::signbit(value(lanes::sin(-0.0f))));
  CHECK(value(lanes::cos(0.0f)) == 1.0f);
  for (float x : {inf, -inf, nan}) {
    CHECK(std::isnan(value(lanes::sin(x))));
    CHECK(std::isnan(value(lanes::cos(x))));
  }
}

TEST_CASE("tanh stays within -1 and 1") {
  for (uint32_t pattern = 0x40000000; pattern < 0x41200000; pattern += 7) {
    const float y = lane(lanes::tanh(from_pattern(pattern)), 0);
    if (!(y <= 1.0f)) FAIL_CHECK("tanh(" << from_pattern(pattern) << ") = " << y);
  }
}
