// Arrays in the memory of the emulated device, and launches that must succeed; for tests of single kernels.
#pragma once

#include <cuda_runtime.h>
#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "cuda/emulation/control.h"

namespace swarmgrad_tests {

inline const std::vector<const char *> orders = {"forward", "reverse", "random:1", "random:2"};

inline void expect(cudaError_t error) {
  const std::string text = cudaGetErrorString(error), message = swarmgrad_emulation_message();
  INFO(text, " ", message);
  REQUIRE(error == cudaSuccess);
}

template <class T>
class Array {
 public:
  explicit Array(const std::vector<T> &values) : count_(values.size()) {
    expect(cudaMalloc(&address_, count_ * sizeof(T) + 16));
    write(values);
  }
  explicit Array(size_t count, T value = T()) : Array(std::vector<T>(count, value)) {}
  explicit Array(const T &value) : Array(std::vector<T>{value}) {}
  Array(const Array &) = delete;
  ~Array() { cudaFree(address_); }
  T *get() const { return address_; }
  void write(const std::vector<T> &values) {
    REQUIRE(values.size() == count_);
    expect(cudaMemcpy(address_, values.data(), count_ * sizeof(T), cudaMemcpyHostToDevice));
  }
  std::vector<T> values() const {
    std::vector<T> all(count_);
    expect(cudaMemcpy(all.data(), address_, count_ * sizeof(T), cudaMemcpyDeviceToHost));
    return all;
  }
  T value() const { return values().front(); }

 private:
  size_t count_;
  T *address_ = nullptr;
};

template <class Arguments>
void launch(const void *kernel, Arguments arguments, int blocks, int threads, size_t shared_bytes = 0) {
  void *pointers[] = {&arguments};
  expect(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)));
  expect(cudaLaunchKernel(kernel, static_cast<unsigned>(blocks), static_cast<unsigned>(threads), pointers, shared_bytes,
                          0));
  expect(cudaDeviceSynchronize());
}

// The sum of sixteen lanes in the order of core/lanes.h.
template <class T>
T tree_over_lanes(const T (&lane)[16]) {
  T sum[16];
  std::memcpy(sum, lane, sizeof sum);
  for (int half = 8; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) sum[k] += sum[k + half];
  return sum[0];
}

// The first index where bits differ, or -1.
template <class T>
int64_t first_difference(const std::vector<T> &a, const std::vector<T> &b) {
  REQUIRE(a.size() == b.size());
  for (size_t k = 0; k < a.size(); ++k)
    if (std::memcmp(&a[k], &b[k], sizeof(T)) != 0) return static_cast<int64_t>(k);
  return -1;
}

}  // namespace swarmgrad_tests
