// Every operation of the lane types against a plain loop over lanes, on values chosen to be awkward.
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "core/environment.h"
#include "core/floating_point_mode.h"

namespace lanes = swarmgrad::SWARMGRAD_TARGET;
using lanes::Double;
using lanes::Float;
using lanes::Int;
using lanes::lane_count;
using lanes::Mask;

static_assert(sizeof(Float) == lane_count * sizeof(float));
static_assert(sizeof(Int) == lane_count * sizeof(int32_t));
static_assert(sizeof(Double) == lane_count * sizeof(double));
static_assert(std::is_trivially_copyable_v<Float> && std::is_trivially_copyable_v<Int> &&
              std::is_trivially_copyable_v<Double> && std::is_trivially_copyable_v<Mask>);

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr uint32_t all_lanes = (1u << lane_count) - 1u;

const std::vector<float> floats = {0.0f,        -0.0f,         1.0f,      -1.0f,         1.5f,           -2.75f,
                                   3e-39f,      -3e-39f,       0x1p-149f, -0x1p-149f,    0x1p-126f,      0x1p-25f,
                                   16777217.0f, 0.1f,          -0.3f,     3.4028235e38f, -3.4028235e38f, infinity,
                                   -infinity,   std::nanf(""), -7.5e8f,   1.0000001f,    2147483000.0f,  123456.789f};
const std::vector<double> doubles = {0.0,
                                     -0.0,
                                     1.0,
                                     -1.5,
                                     1e-310,
                                     -5e-324,
                                     0.1,
                                     -1e300,
                                     1.7e308,
                                     infinity,
                                     -infinity,
                                     std::nan(""),
                                     1.00000005960464477539,
                                     1e-45};
const std::vector<int32_t> ints = {
    0,     1,     -1,         2,           -2,       7,         INT32_MAX, INT32_MIN, INT32_MIN + 1,
    65535, 65536, 0x12345678, -0x12345678, 16777217, -16777217, 1000000007};

// Equal in every bit, or both NaN.
bool same(float a, float b) { return (a != a && b != b) || std::memcmp(&a, &b, sizeof a) == 0; }
bool same(double a, double b) { return (a != a && b != b) || std::memcmp(&a, &b, sizeof a) == 0; }
bool same(int32_t a, int32_t b) { return a == b; }

template <typename Scalar>
struct Pack;
template <>
struct Pack<float> {
  using type = Float;
};
template <>
struct Pack<double> {
  using type = Double;
};
template <>
struct Pack<int32_t> {
  using type = Int;
};

// Lane i takes element (first + i x stride) of the values, around and around, so that neighbours differ.
template <typename Scalar>
struct Sample {
  Scalar lane[lane_count];
  Sample(const std::vector<Scalar> &values, std::size_t first, std::size_t stride) {
    for (std::size_t i = 0; i < lane_count; ++i) lane[i] = values[(first + i * stride) % values.size()];
  }
  typename Pack<Scalar>::type pack() const { return Pack<Scalar>::type::load(lane); }
};

template <typename Value, typename Scalar>
void expect_lanes(const std::string &name, Value found, const Scalar *expected) {
  Scalar lane[lane_count];
  store(lane, found);
  for (int i = 0; i < lane_count; ++i) {
    if (!same(lane[i], expected[i])) {
      FAIL_CHECK(name << ", lane " << i << ": expected " << expected[i] << ", found " << lane[i]);
    }
  }
}

void expect_mask(const std::string &name, Mask found, const bool *expected) {
  uint32_t pattern = 0;
  for (int i = 0; i < lane_count; ++i) pattern |= (expected[i] ? 1u : 0u) << i;
  if (bits(found) != pattern) FAIL_CHECK(name << ": expected lanes " << pattern << ", found " << bits(found));
}

// One argument: `vector` of a pack must be `plain` of each of its lanes.
template <typename Scalar, typename Vector, typename Plain>
void unary(const std::string &name, const std::vector<Scalar> &values, Vector vector, Plain plain) {
  for (std::size_t first = 0; first < values.size(); ++first) {
    const Sample<Scalar> x(values, first, 1);
    using Result = decltype(plain(x.lane[0]));
    Result expected[lane_count];
    for (int i = 0; i < lane_count; ++i) expected[i] = plain(x.lane[i]);
    expect_lanes(name, vector(x.pack()), expected);
  }
}

// Two arguments, all pairs: the second argument's lanes run at another stride.
template <typename Scalar, typename Vector, typename Plain>
void binary(const std::string &name, const std::vector<Scalar> &values, Vector vector, Plain plain) {
  for (std::size_t first = 0; first < values.size(); ++first) {
    for (std::size_t second = 0; second < values.size(); ++second) {
      const Sample<Scalar> x(values, first, 1), y(values, second, 3);
      using Result = decltype(plain(x.lane[0], y.lane[0]));
      Result expected[lane_count];
      for (int i = 0; i < lane_count; ++i) expected[i] = plain(x.lane[i], y.lane[i]);
      if constexpr (std::is_same_v<Result, bool>) {
        expect_mask(name, vector(x.pack(), y.pack()), expected);
      } else {
        expect_lanes(name, vector(x.pack(), y.pack()), expected);
      }
    }
  }
}

template <typename Scalar>
void comparisons(const std::string &type, const std::vector<Scalar> &values) {
  binary(
      type + " <", values, [](auto a, auto b) { return a < b; }, [](Scalar a, Scalar b) { return a < b; });
  binary(
      type + " <=", values, [](auto a, auto b) { return a <= b; }, [](Scalar a, Scalar b) { return a <= b; });
  binary(
      type + " >", values, [](auto a, auto b) { return a > b; }, [](Scalar a, Scalar b) { return a > b; });
  binary(
      type + " >=", values, [](auto a, auto b) { return a >= b; }, [](Scalar a, Scalar b) { return a >= b; });
  binary(
      type + " ==", values, [](auto a, auto b) { return a == b; }, [](Scalar a, Scalar b) { return a == b; });
  binary(
      type + " !=", values, [](auto a, auto b) { return a != b; }, [](Scalar a, Scalar b) { return a != b; });
  binary(
      type + " minimum", values, [](auto a, auto b) { return minimum(a, b); },
      [](Scalar a, Scalar b) { return a < b ? a : b; });
  binary(
      type + " maximum", values, [](auto a, auto b) { return maximum(a, b); },
      [](Scalar a, Scalar b) { return a < b ? b : a; });
  binary(
      type + " select", values, [](auto a, auto b) { return select(a < b, b - a, a); },
      [](Scalar a, Scalar b) {
        if constexpr (std::is_same_v<Scalar, int32_t>) {
          return a < b ? static_cast<int32_t>(static_cast<uint32_t>(b) - static_cast<uint32_t>(a)) : a;
        } else {
          return a < b ? b - a : a;
        }
      });
}

template <typename Scalar>
void arithmetic(const std::string &type, const std::vector<Scalar> &values) {
  binary(
      type + " +", values, [](auto a, auto b) { return a + b; }, [](Scalar a, Scalar b) { return a + b; });
  binary(
      type + " -", values, [](auto a, auto b) { return a - b; }, [](Scalar a, Scalar b) { return a - b; });
  binary(
      type + " *", values, [](auto a, auto b) { return a * b; }, [](Scalar a, Scalar b) { return a * b; });
  binary(
      type + " /", values, [](auto a, auto b) { return a / b; }, [](Scalar a, Scalar b) { return a / b; });
  binary(
      type + " +=", values, [](auto a, auto b) { return a += b; }, [](Scalar a, Scalar b) { return a + b; });
  binary(
      type + " -=", values, [](auto a, auto b) { return a -= b; }, [](Scalar a, Scalar b) { return a - b; });
  binary(
      type + " *=", values, [](auto a, auto b) { return a *= b; }, [](Scalar a, Scalar b) { return a * b; });
  binary(
      type + " /=", values, [](auto a, auto b) { return a /= b; }, [](Scalar a, Scalar b) { return a / b; });
  unary(
      type + " negation", values, [](auto a) { return -a; }, [](Scalar a) { return -a; });
  unary(
      type + " sqrt", values, [](auto a) { return sqrt(a); }, [](Scalar a) { return std::sqrt(a); });
  for (Scalar c : values) {
    using Value = typename Pack<Scalar>::type;
    binary(
        type + " fma", values, [c](auto a, auto b) { return fma(a, b, Value(c)); },
        [c](Scalar a, Scalar b) { return std::fma(a, b, c); });
    binary(
        type + " fnma", values, [c](auto a, auto b) { return fnma(a, b, Value(c)); },
        [c](Scalar a, Scalar b) { return std::fma(-a, b, c); });
  }
}

// The tree every implementation must follow: (i, i + 8), (i, i + 4), (i, i + 2), (i, i + 1).
template <typename Scalar>
Scalar tree_sum(const Scalar *lane) {
  Scalar sum[lane_count];
  for (int i = 0; i < lane_count; ++i) sum[i] = lane[i];
  for (int width = lane_count / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) sum[i] = sum[i] + sum[i + width];
  }
  return sum[0];
}

// Numbers of very different size, so that another order of summation gives other bits.
float scattered(int i) {
  return std::ldexp(static_cast<float>((i * 2654435761u) % 1000003u) - 500000.0f, (i * 7) % 23);
}

}  // namespace

TEST_CASE("Float arithmetic and comparisons") {
  arithmetic<float>("Float", floats);
  comparisons<float>("Float", floats);
  unary(
      "Float abs", floats, [](Float a) { return abs(a); }, [](float a) { return std::fabs(a); });
}

TEST_CASE("Double arithmetic and comparisons") {
  arithmetic<double>("Double", doubles);
  comparisons<double>("Double", doubles);
}

TEST_CASE("Int arithmetic wraps, comparisons are signed") {
  using u = uint32_t;
  const auto wrapped = [](u value) { return static_cast<int32_t>(value); };
  binary(
      "Int +", ints, [](Int a, Int b) { return a + b; }, [&](int32_t a, int32_t b) { return wrapped(u(a) + u(b)); });
  binary(
      "Int -", ints, [](Int a, Int b) { return a - b; }, [&](int32_t a, int32_t b) { return wrapped(u(a) - u(b)); });
  binary(
      "Int *", ints, [](Int a, Int b) { return a * b; }, [&](int32_t a, int32_t b) { return wrapped(u(a) * u(b)); });
  binary(
      "Int +=", ints, [](Int a, Int b) { return a += b; }, [&](int32_t a, int32_t b) { return wrapped(u(a) + u(b)); });
  binary(
      "Int -=", ints, [](Int a, Int b) { return a -= b; }, [&](int32_t a, int32_t b) { return wrapped(u(a) - u(b)); });
  binary(
      "Int &", ints, [](Int a, Int b) { return a & b; }, [](int32_t a, int32_t b) { return a & b; });
  binary(
      "Int |", ints, [](Int a, Int b) { return a | b; }, [](int32_t a, int32_t b) { return a | b; });
  binary(
      "Int ^", ints, [](Int a, Int b) { return a ^ b; }, [](int32_t a, int32_t b) { return a ^ b; });
  binary(
      "Int &=", ints, [](Int a, Int b) { return a &= b; }, [](int32_t a, int32_t b) { return a & b; });
  binary(
      "Int |=", ints, [](Int a, Int b) { return a |= b; }, [](int32_t a, int32_t b) { return a | b; });
  binary(
      "Int ^=", ints, [](Int a, Int b) { return a ^= b; }, [](int32_t a, int32_t b) { return a ^ b; });
  unary(
      "Int ~", ints, [](Int a) { return ~a; }, [](int32_t a) { return ~a; });
  unary(
      "Int negation", ints, [](Int a) { return -a; }, [&](int32_t a) { return wrapped(0u - u(a)); });
  comparisons<int32_t>("Int", ints);
  binary(
      "multiply_wide, high", ints,
      [](Int a, Int b) {
        Int high, low;
        multiply_wide(a, b, high, low);
        return high;
      },
      [&](int32_t a, int32_t b) { return wrapped(u((uint64_t(u(a)) * u(b)) >> 32)); });
  binary(
      "multiply_wide, low, the arguments overwritten", ints,
      [](Int a, Int b) {
        multiply_wide(a, b, a, b);
        return b;
      },
      [&](int32_t a, int32_t b) { return wrapped(u(a) * u(b)); });
}

TEST_CASE("Int shifts") {
  using u = uint32_t;
  const auto wrapped = [](u value) { return static_cast<int32_t>(value); };
  const auto by = [&]<int count>() {
    const std::string name = "shift by " + std::to_string(count);
    unary(
        "left " + name, ints, [](Int a) { return lanes::shift_left<count>(a); },
        [&](int32_t a) { return wrapped(u(a) << count); });
    unary(
        "right " + name, ints, [](Int a) { return lanes::shift_right<count>(a); },
        [&](int32_t a) { return wrapped(u(a) >> count); });
    unary(
        "arithmetic right " + name, ints, [](Int a) { return lanes::shift_right_arithmetic<count>(a); },
        [](int32_t a) { return a >> count; });
    unary(
        "variable left " + name, ints, [](Int a) { return shift_left(a, Int(count)); },
        [&](int32_t a) { return wrapped(u(a) << count); });
    unary(
        "variable right " + name, ints, [](Int a) { return shift_right(a, Int(count)); },
        [&](int32_t a) { return wrapped(u(a) >> count); });
  };
  by.template operator()<0>();
  by.template operator()<1>();
  by.template operator()<8>();
  by.template operator()<23>();
  by.template operator()<31>();
  binary(
      "shifts by lane", ints, [](Int a, Int b) { return shift_left(a, b & Int(31)) ^ shift_right(a, b & Int(31)); },
      [&](int32_t a, int32_t b) { return wrapped((u(a) << (b & 31)) ^ (u(a) >> (b & 31))); });
}

TEST_CASE("conversions") {
  unary(
      "as_int", floats, [](Float a) { return select(a == a, as_int(a), Int(0)); },
      [](float a) {
        int32_t pattern;
        std::memcpy(&pattern, &a, sizeof a);
        return a == a ? pattern : 0;
      });
  unary(
      "as_float", ints, [](Int a) { return as_float(a); },
      [](int32_t a) {
        float value;
        std::memcpy(&value, &a, sizeof a);
        return value;
      });
  unary(
      "to_float", ints, [](Int a) { return to_float(a); }, [](int32_t a) { return static_cast<float>(a); });
  unary(
      "to_double", ints, [](Int a) { return to_double(a); }, [](int32_t a) { return static_cast<double>(a); });
  unary(
      "widen", floats, [](Float a) { return widen(a); }, [](float a) { return static_cast<double>(a); });
  unary(
      "narrow", doubles, [](Double a) { return narrow(a); }, [](double a) { return static_cast<float>(a); });
  const auto clamped = [](float a) { return a > -2e9f ? (a < 2e9f ? a : 2e9f) : -2e9f; };
  unary(
      "truncate", floats,
      [](Float a) { return truncate(select(a > Float(-2e9f), select(a < Float(2e9f), a, Float(2e9f)), Float(-2e9f))); },
      [&](float a) { return static_cast<int32_t>(clamped(a)); });
}

TEST_CASE("masks are sets of lanes") {
  for (uint32_t a = 0; a <= all_lanes; a = a * 3 + 1) {
    for (uint32_t b = 1; b <= all_lanes; b = b * 5 + 2) {
      const uint32_t other = b & all_lanes;
      const Mask x = lanes::mask_from_bits(a), y = lanes::mask_from_bits(other);
      CHECK(bits(x) == a);
      CHECK(bits(x & y) == (a & other));
      CHECK(bits(x | y) == (a | other));
      CHECK(bits(x ^ y) == (a ^ other));
      CHECK(bits(!x) == (~a & all_lanes));
      CHECK(bits(select(x, y, !y)) == ((a & other) | (~a & ~other & all_lanes)));
      Mask z = x;
      CHECK(bits(z &= y) == (a & other));
      CHECK(bits(z |= x) == a);
      CHECK(bits(z ^= y) == (a ^ other));
      CHECK(any(x) == (a != 0));
      CHECK(none(x) == (a == 0));
      CHECK(all(x) == (a == all_lanes));
    }
  }
  CHECK(all(lanes::mask_from_bits(all_lanes)));
  CHECK(all(Mask(true)));
  CHECK(none(Mask(false)));
  for (int i = 0; i < lane_count; ++i) CHECK(bits(lanes::mask_from_bits(1u << i)) == 1u << i);
}

TEST_CASE("single lanes") {
  const Sample<float> x(floats, 0, 1);
  const Sample<int32_t> n(ints, 0, 1);
  const Sample<double> d(doubles, 0, 1);
  int32_t index[lane_count];
  store(index, lanes::lane_index());
  for (int i = 0; i < lane_count; ++i) {
    CHECK(index[i] == i);
    CHECK(same(lane(x.pack(), i), x.lane[i]));
    CHECK(same(lane(n.pack(), i), n.lane[i]));
    CHECK(same(lane(d.pack(), i), d.lane[i]));
    Sample<float> changed_float = x;
    changed_float.lane[i] = 42.0f;
    expect_lanes("set_lane of Float", set_lane(x.pack(), i, 42.0f), changed_float.lane);
    Sample<int32_t> changed_int = n;
    changed_int.lane[i] = -42;
    expect_lanes("set_lane of Int", set_lane(n.pack(), i, -42), changed_int.lane);
    Sample<double> changed_double = d;
    changed_double.lane[i] = 42.0;
    expect_lanes("set_lane of Double", set_lane(d.pack(), i, 42.0), changed_double.lane);
  }
}

TEST_CASE("lookup takes the low three bits of the index") {
  static constexpr float letters[8] = {1.0f, -2.0f, 3e-39f, -0.0f, 5.5f, -6.25f, 7e30f, 8.0f};
  static constexpr int32_t numbers[8] = {1, -2, 3, INT32_MIN, 5, INT32_MAX, 7, -8};
  unary(
      "lookup of Float", ints, [](Int i) { return lookup(letters, i); }, [](int32_t i) { return letters[i & 7]; });
  unary(
      "lookup of Int", ints, [](Int i) { return lookup(numbers, i); }, [](int32_t i) { return numbers[i & 7]; });
}

TEST_CASE("gather and scatter take a slot of every lane's own") {
  constexpr int slots = 5;
  Float singles[slots];
  Int wholes[slots];
  lanes::Array<Float> single;
  lanes::Array<Int> whole;
  single.bind(singles);
  whole.bind(wholes);
  const auto before = [](int slot, int lane) { return slot * 100 + lane; };
  for (int trial = 0; trial < 20; ++trial) {
    int32_t index[lane_count], number[lane_count];
    float value[lane_count], expected_float[lane_count];
    int32_t expected_int[lane_count];
    for (int k = 0; k < slots; ++k) {
      for (int i = 0; i < lane_count; ++i) number[i] = before(k, i);
      whole[k] = Int::load(number);
      single[k] = to_float(whole[k]);
    }
    for (int i = 0; i < lane_count; ++i) {
      index[i] = (i * i + 3 * trial) % slots;
      number[i] = -i - 1;
      value[i] = floats[static_cast<std::size_t>(i + trial) % floats.size()];
      expected_int[i] = before(index[i], i);
      expected_float[i] = static_cast<float>(expected_int[i]);
    }
    expect_lanes("gather of Float", gather(single, Int::load(index)), expected_float);
    expect_lanes("gather of Int", gather(whole, Int::load(index)), expected_int);
    scatter(single, Int::load(index), Float::load(value));
    const uint32_t where = 0x5a3cu >> trial % 8 & all_lanes;
    scatter(whole, Int::load(index), Int::load(number), lanes::mask_from_bits(where));
    for (int k = 0; k < slots; ++k) {
      for (int i = 0; i < lane_count; ++i) {
        expected_int[i] = index[i] == k && (where >> i & 1u) != 0u ? number[i] : before(k, i);
        expected_float[i] = index[i] == k ? value[i] : static_cast<float>(before(k, i));
      }
      expect_lanes("scatter of Float", single[k], expected_float);
      expect_lanes("scatter of Int", whole[k], expected_int);
    }
  }
}

TEST_CASE("lane sums follow the tree") {
  float single[lane_count * lane_count];
  double twice[lane_count];
  for (int trial = 0; trial < 100; ++trial) {
    for (int i = 0; i < lane_count * lane_count; ++i) single[i] = scattered(i + 1000 * trial);
    Float rows[lane_count];
    float expected[lane_count];
    for (int j = 0; j < lane_count; ++j) {
      rows[j] = Float::load(single + j * lane_count);
      expected[j] = tree_sum(single + j * lane_count);
      CHECK(same(lane_sum(rows[j]), expected[j]));
    }
    expect_lanes("lane_sums", lane_sums(rows), expected);
    for (int i = 0; i < lane_count; ++i) twice[i] = static_cast<double>(scattered(i + 1000 * trial)) / 3.0;
    CHECK(same(lane_sum(Double::load(twice)), tree_sum(twice)));
  }
}

TEST_CASE("the floating-point mode is ours inside the guard and the caller's after it") {
  // A host's mode: towards plus infinity, subnormals flushed. Volatile keeps each operation in its mode.
#if defined(__x86_64__)
  const auto read = [] { return __builtin_ia32_stmxcsr(); };
  const auto write = [](uint32_t value) { __builtin_ia32_ldmxcsr(value); };
  const uint32_t host = 0x1f80 | 0x8040 | 0x4000;
#else
  const auto read = [] {
    uint64_t value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  };
  const auto write = [](uint64_t value) { __asm__ volatile("msr fpcr, %0" : : "r"(value) : "memory"); };
  const uint64_t host = 1u << 24 | 1u << 22;
#endif
  const auto before = read();
  volatile float smallest_normal = 0x1p-126f, half = 0.5f, one = 1.0f, tiny = 0x1p-30f;
  write(host);
  volatile float subnormal, rounded;
  {
    const swarmgrad::FloatingPointMode mode;
    subnormal = smallest_normal * half;
    rounded = one + tiny;
  }
  const auto after = read();
  const volatile float flushed = smallest_normal * half, upwards = one + tiny;
  write(before);
  CHECK(subnormal == 0x1p-127f);
  CHECK(rounded == 1.0f);
  CHECK((after & host) == host);
  CHECK(flushed == 0.0f);
  CHECK(upwards > 1.0f);
}
