// The matrix kernels piece by piece, against plain loops in the CPU's order, bit for bit: products, outer products with
// their tree over lanes, whole units of the gradient, sums over units and blocks, panels. Awkward sizes, every memory path,
// block sizes from one warp up, every order of threads.
#include <cuda_runtime.h>
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/policy.h"
#include "core/statistic.h"
#include "cuda/emulation/control.h"
#include "cuda/layout.h"
#include "cuda/tests/matrix_kernels.h"

SWARMGRAD_KERNEL_HANDLE(swarmgrad_differentiate);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_forward_rows);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_fold);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_reduce);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_pack);

namespace {

namespace cuda = swarmgrad::cuda;
using namespace swarmgrad::SWARMGRAD_TARGET;

const std::vector<const char *> orders = {"forward", "reverse", "random:1", "random:2"};

void expect(cudaError_t error) {
  INFO(cudaGetErrorString(error), " ", swarmgrad_emulation_message());
  REQUIRE(error == cudaSuccess);
}

// An array in device memory.
template <class T>
class Array {
 public:
  explicit Array(const std::vector<T> &values) : count_(values.size()) {
    expect(cudaMalloc(&address_, count_ * sizeof(T) + 16));
    expect(cudaMemcpy(address_, values.data(), count_ * sizeof(T), cudaMemcpyHostToDevice));
  }
  explicit Array(size_t count, T value = T()) : Array(std::vector<T>(count, value)) {}
  explicit Array(const T &value) : Array(std::vector<T>{value}) {}
  Array(const Array &) = delete;
  ~Array() { cudaFree(address_); }
  T *get() const { return address_; }
  std::vector<T> values() const {
    std::vector<T> all(count_);
    expect(cudaMemcpy(all.data(), address_, count_ * sizeof(T), cudaMemcpyDeviceToHost));
    return all;
  }

 private:
  size_t count_;
  T *address_ = nullptr;
};

template <class Arguments>
void launch(const void *kernel, Arguments arguments, int blocks, int threads, size_t shared_bytes) {
  void *pointers[] = {&arguments};
  expect(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)));
  expect(cudaLaunchKernel(kernel, static_cast<unsigned>(blocks), static_cast<unsigned>(threads), pointers, shared_bytes,
                          0));
  expect(cudaDeviceSynchronize());
}

std::mt19937 &generator() {
  static std::mt19937 it(7);
  return it;
}
std::vector<float> random_floats(size_t count, float scale = 1.0f) {
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> values(count);
  for (float &value : values) value = normal(generator());
  return values;
}
int random_below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(generator()); }

// The first index where bits differ, or -1.
template <class T>
int64_t first_difference(const std::vector<T> &a, const std::vector<T> &b) {
  REQUIRE(a.size() == b.size());
  for (size_t k = 0; k < a.size(); ++k)
    if (std::memcmp(&a[k], &b[k], sizeof(T)) != 0) return static_cast<int64_t>(k);
  return -1;
}

int stride_for(int rows) { return 4 * ((rows + 3) / 4 | 1); }
int padded(int count) { return (count + 7) / 8 * 8; }

float tree_over_lanes(const float (&lane)[16]) {
  float sum[16];
  std::memcpy(sum, lane, sizeof sum);
  for (int half = 8; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) sum[k] += sum[k + half];
  return sum[0];
}

// ---- products --------------------------------------------------------------------------------------------------------

float finished(int finish, float sum, float stored) {
  switch (finish) {
    case 1:
      return tanh(Float(sum)).raw;
    case 2:
      return sum > 0.0f ? sum : 0.0f;
    case 3:
      return sum * std::fma(-stored, stored, 1.0f);
    case 4:
      return stored > 0.0f ? sum : 0.0f;
    default:
      return sum;
  }
}

void check_product(int inputs, int outputs, int rows, int finish, bool has_bias) {
  swarmgrad_tests::Product p = {};
  p.panel_stride = padded(outputs);
  p.has_bias = has_bias ? 1 : 0;
  p.inputs = inputs;
  p.outputs = outputs;
  p.rows = rows;
  p.stride = stride_for(rows);
  p.finish = finish;
  const size_t stride = static_cast<size_t>(p.stride);
  const std::vector<float> in = random_floats(static_cast<size_t>(inputs) * stride);
  const std::vector<float> before = random_floats(static_cast<size_t>(outputs) * stride);
  std::vector<float> panel = random_floats(static_cast<size_t>((p.has_bias + inputs) * p.panel_stride), 0.5f);
  std::vector<float> expected;
  const float *weights = panel.data() + p.has_bias * p.panel_stride;
  for (int o = 0; o < outputs; ++o)
    for (int row = 0; row < rows; ++row) {
      float sum = has_bias ? panel[static_cast<size_t>(o)] : 0.0f;
      for (int k = 0; k < inputs; ++k) sum = std::fma(weights[k * p.panel_stride + o], in[k * stride + row], sum);
      expected.push_back(finished(finish, sum, before[o * stride + row]));
    }
  const Array<float> device_in(in), device_panel(panel);
  p.in = device_in.get();
  p.panel = device_panel.get();
  for (int path = 0; path < 3; ++path)
    for (const int threads : {32, 96, 256})
      for (const char *order : orders) {
        swarmgrad_emulation_set("order", order);
        const Array<float> out(before);
        p.out = out.get();
        p.features_in_shared = path > 0;
        p.panels_in_shared = path > 1;
        const size_t floats = (inputs + outputs) * stride + panel.size();
        launch(swarmgrad_test_product_handle, p, 1, threads, floats * sizeof(float));
        const std::vector<float> all = out.values();
        std::vector<float> found;
        for (int o = 0; o < outputs; ++o)
          for (int row = 0; row < rows; ++row) found.push_back(all[o * stride + row]);
        INFO(inputs, " inputs, ", outputs, " outputs, ", rows, " rows, finish ", finish, ", path ", path, ", ", threads,
             " threads, ", order);
        CHECK(first_difference(expected, found) == -1);
      }
  swarmgrad_emulation_set("order", nullptr);
}

TEST_CASE("a product has the bits of one chain per output") {
  struct Shape {
    int inputs, outputs, rows;
  };
  int finish = 0;
  for (const Shape &s : {Shape{1, 1, 1}, {1, 8, 4}, {3, 5, 7}, {18, 9, 75}, {7, 64, 33}, {5, 70, 130}, {16, 17, 2}}) {
    check_product(s.inputs, s.outputs, s.rows, finish % 5, finish % 2 == 0);
    ++finish;
    check_product(s.inputs, s.outputs, s.rows, finish % 5, finish % 2 == 0);
    finish += 2;
  }
}

// ---- outer products and the tree over lanes --------------------------------------------------------------------------

void check_outer_product(int inputs, int outputs, int rows) {
  swarmgrad_tests::OuterProduct p = {};
  p.inputs = inputs;
  p.outputs = outputs;
  p.rows = rows;
  p.stride = stride_for(rows);
  const size_t stride = static_cast<size_t>(p.stride);
  const std::vector<float> delta = random_floats(16 * static_cast<size_t>(outputs) * stride);
  const std::vector<float> in = random_floats(16 * static_cast<size_t>(inputs) * stride);
  std::vector<float> expected;
  for (int o = 0; o < outputs; ++o)
    for (int i = 0; i <= inputs; ++i) {
      if (i == inputs) continue;
      float lane[16] = {};
      for (int l = 0; l < 16; ++l)
        for (int row = 0; row < rows; ++row)
          lane[l] = std::fma(delta[(l * outputs + o) * stride + row], in[(l * inputs + i) * stride + row], lane[l]);
      expected.push_back(tree_over_lanes(lane));
    }
  for (int o = 0; o < outputs; ++o) {
    float lane[16] = {};
    for (int l = 0; l < 16; ++l)
      for (int row = 0; row < rows; ++row) lane[l] += delta[(l * outputs + o) * stride + row];
    expected.push_back(tree_over_lanes(lane));
  }
  const Array<float> device_delta(delta), device_in(in);
  p.delta = device_delta.get();
  p.in = device_in.get();
  for (const bool shared : {false, true})
    for (const int threads : {32, 160, 256})
      for (const char *order : orders) {
        swarmgrad_emulation_set("order", order);
        const float poison = std::numeric_limits<float>::quiet_NaN();
        const Array<float> levels(4 * expected.size(), poison), result(expected.size(), poison);
        p.levels = levels.get();
        p.result = result.get();
        p.features_in_shared = shared ? 1 : 0;
        launch(swarmgrad_test_outer_product_handle, p, 1, threads, (inputs + outputs) * stride * sizeof(float));
        INFO(inputs, " inputs, ", outputs, " outputs, ", rows, " rows, shared ", shared, ", ", threads, " threads, ",
             order);
        CHECK(first_difference(expected, result.values()) == -1);
      }
  swarmgrad_emulation_set("order", nullptr);
}

TEST_CASE("an outer product has the bits of one chain per lane and the tree over lanes") {
  check_outer_product(1, 1, 1);
  check_outer_product(4, 8, 4);
  check_outer_product(5, 3, 6);
  check_outer_product(18, 9, 75);
  check_outer_product(33, 17, 13);
  check_outer_product(7, 70, 130);
}

}  // namespace
