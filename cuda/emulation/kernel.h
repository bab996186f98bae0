// The emulation's half of cuda/kernel.h and the words of CUDA C++ that kernels use: what nvcc gives them, for g++.
//
// Everything that the executor does for a thread goes through one pointer a shared object, which the launch sets. So the
// objects of kernels need no symbol of the runtime, and a library with a user's environment can be loaded anywhere.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cuda/emulation/vector_types.h"

namespace swarmgrad::emulation {

// Where in the source a thread waits.
struct Site {
  const char *file;
  int line;
};

enum class Collective : uint32_t { synchronize, shuffle, shuffle_up, shuffle_down, shuffle_xor, ballot };

// What the running thread of the running block sees.
struct Executor {
  const uint3 *thread_index;
  dim3 block_index, block_size, grid_size;
  char *dynamic_shared;
  // The block's variable of this key, made when its first thread asks for it.
  void *(*shared_variable)(const void *key, size_t size);
  bool (*is_shared)(const void *address);
  void (*block_barrier)(Site site);
  // Waits for the other lanes of the mask; a shuffle's answer is the value of the lane that it names, a ballot's the bits.
  uint64_t (*warp_collective)(Collective kind, uint32_t mask, uint64_t value, int argument, int width, Site site);
  void (*fence)();
  // Before and after an atomic operation: how the fences around it order memory.
  void (*before_atomic)(const volatile void *address);
  void (*after_atomic)(const volatile void *address);
};

// What cudaLaunchKernel's function pointer points to.
struct Kernel {
  static constexpr uint64_t expected_mark = 0x6c656e72656b6773;  // "sgkernel"
  uint64_t mark;
  const char *name;
  size_t argument_size;
  unsigned max_threads;  // of a block
  void (*run_thread)(const void *argument);
  Executor **executor;  // of the shared object that holds the kernel
};

#pragma GCC visibility push(hidden)
inline Executor *executor = nullptr;
#pragma GCC visibility pop

template <class T>
T &shared_variable(const void *key) {
  static_assert(alignof(T) <= 16, "shared variables are aligned to 16 bytes");
  return *static_cast<T *>(executor->shared_variable(key, sizeof(T)));
}

// A value of four or eight bytes in the place of another type's.
template <class To, class From>
__attribute__((always_inline)) inline To same_bits(From from) {
  static_assert(sizeof(From) <= 8 && sizeof(To) <= 8, "at most eight bytes pass between lanes or through an atomic");
  To to{};
  __builtin_memcpy(&to, &from, sizeof(From) < sizeof(To) ? sizeof(From) : sizeof(To));
  return to;
}

template <class T>
inline T exchange(Collective kind, uint32_t mask, T value, int argument, int width, Site site) {
  return same_bits<T>(executor->warp_collective(kind, mask, same_bits<uint64_t>(value), argument, width, site));
}

// Atomic operations order nothing by themselves, as on the device; fences do.
template <class T, class Change>
__attribute__((always_inline)) inline T atomic_change(T *address, Change change) {
  using Bits = decltype([] {
    if constexpr (sizeof(T) == 4)
      return uint32_t{};
    else
      return uint64_t{};
  }());
  static_assert(sizeof(T) == sizeof(Bits));
  Bits *const bits = reinterpret_cast<Bits *>(address);
  executor->before_atomic(address);
  Bits found = __atomic_load_n(bits, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(bits, &found, same_bits<Bits>(change(same_bits<T>(found))), false,
                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  executor->after_atomic(address);
  return same_bits<T>(found);
}

}  // namespace swarmgrad::emulation

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline  // a hint: obeyed to the letter it costs g++ minutes under a sanitizer
#define __launch_bounds__(...)
#define __grid_constant__
#define __shared__     \
  static_assert(false, \
                "the emulation cannot see shared variables that SWARMGRAD_SHARED of cuda/kernel.h did not declare");

#define threadIdx (*::swarmgrad::emulation::executor->thread_index)
#define blockIdx (::swarmgrad::emulation::executor->block_index)
#define blockDim (::swarmgrad::emulation::executor->block_size)
#define gridDim (::swarmgrad::emulation::executor->grid_size)
constexpr int warpSize = 32;

#define SWARMGRAD_KERNEL(NAME, ARGUMENTS, THREADS, ...)                                       \
  static void NAME##_thread(const ARGUMENTS &arguments);                                      \
  static constexpr ::swarmgrad::emulation::Kernel NAME##_kernel = {                           \
      ::swarmgrad::emulation::Kernel::expected_mark,                                          \
      #NAME,                                                                                  \
      sizeof(ARGUMENTS),                                                                      \
      THREADS,                                                                                \
      [](const void *argument) { NAME##_thread(*static_cast<const ARGUMENTS *>(argument)); }, \
      &::swarmgrad::emulation::executor};                                                     \
  extern "C" {                                                                                \
  extern __attribute__((visibility("default"))) const void *const NAME##_handle;              \
  const void *const NAME##_handle = &NAME##_kernel;                                           \
  }                                                                                           \
  static void NAME##_thread([[maybe_unused]] const ARGUMENTS &arguments)

#define SWARMGRAD_SHARED(TYPE, NAME, ...)      \
  typedef TYPE NAME##_shared_type __VA_ARGS__; \
  static const char NAME##_shared_key = 0;     \
  NAME##_shared_type &NAME = ::swarmgrad::emulation::shared_variable<NAME##_shared_type>(&NAME##_shared_key)

namespace swarmgrad::cuda {

inline char *dynamic_shared() { return emulation::executor->dynamic_shared; }

}  // namespace swarmgrad::cuda

#define SWARMGRAD_EMULATION_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(SWARMGRAD_EMULATION_HERE) { swarmgrad::emulation::executor->block_barrier({file, line}); }

inline void __syncwarp(unsigned mask = 0xffffffffu, SWARMGRAD_EMULATION_HERE) {
  swarmgrad::emulation::executor->warp_collective(swarmgrad::emulation::Collective::synchronize, mask, 0, 0, 32,
                                                  {file, line});
}

template <class T>
inline T __shfl_sync(unsigned mask, T value, int lane, int width = 32, SWARMGRAD_EMULATION_HERE) {
  return swarmgrad::emulation::exchange(swarmgrad::emulation::Collective::shuffle, mask, value, lane, width,
                                        {file, line});
}
template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, SWARMGRAD_EMULATION_HERE) {
  return swarmgrad::emulation::exchange(swarmgrad::emulation::Collective::shuffle_up, mask, value,
                                        static_cast<int>(delta), width, {file, line});
}
template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, SWARMGRAD_EMULATION_HERE) {
  return swarmgrad::emulation::exchange(swarmgrad::emulation::Collective::shuffle_down, mask, value,
                                        static_cast<int>(delta), width, {file, line});
}
template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32, SWARMGRAD_EMULATION_HERE) {
  return swarmgrad::emulation::exchange(swarmgrad::emulation::Collective::shuffle_xor, mask, value, lane_mask, width,
                                        {file, line});
}

inline unsigned __ballot_sync(unsigned mask, int predicate, SWARMGRAD_EMULATION_HERE) {
  return static_cast<unsigned>(swarmgrad::emulation::executor->warp_collective(
      swarmgrad::emulation::Collective::ballot, mask, predicate != 0, 0, 32, {file, line}));
}
inline int __any_sync(unsigned mask, int predicate, SWARMGRAD_EMULATION_HERE) {
  return __ballot_sync(mask, predicate, file, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, SWARMGRAD_EMULATION_HERE) {
  return __ballot_sync(mask, predicate == 0, file, line) == 0;
}

#undef SWARMGRAD_EMULATION_HERE

inline void __threadfence() { swarmgrad::emulation::executor->fence(); }
inline void __threadfence_block() { swarmgrad::emulation::executor->fence(); }
inline void __threadfence_system() { swarmgrad::emulation::executor->fence(); }

#define SWARMGRAD_EMULATION_ATOMIC(NAME, NEXT)                                                     \
  template <class T>                                                                               \
  inline T NAME(T *address, decltype(T{}) operand) {                                               \
    return swarmgrad::emulation::atomic_change(address, [operand](T found) -> T { return NEXT; }); \
  }                                                                                                \
  template <class T>                                                                               \
  inline T NAME##_system(T *address, decltype(T{}) operand) {                                      \
    return NAME(address, operand);                                                                 \
  }

SWARMGRAD_EMULATION_ATOMIC(atomicAdd, found + operand)
SWARMGRAD_EMULATION_ATOMIC(atomicSub, found - operand)
SWARMGRAD_EMULATION_ATOMIC(atomicMin, operand < found ? operand : found)
SWARMGRAD_EMULATION_ATOMIC(atomicMax, operand > found ? operand : found)
SWARMGRAD_EMULATION_ATOMIC(atomicExch, ((void)found, operand))
SWARMGRAD_EMULATION_ATOMIC(atomicAnd, found &operand)
SWARMGRAD_EMULATION_ATOMIC(atomicOr, found | operand)
SWARMGRAD_EMULATION_ATOMIC(atomicXor, found ^ operand)

#undef SWARMGRAD_EMULATION_ATOMIC

template <class T>
inline T atomicCAS(T *address, decltype(T{}) expected, decltype(T{}) desired) {
  return swarmgrad::emulation::atomic_change(address, [=](T found) { return found == expected ? desired : found; });
}
template <class T>
inline T atomicCAS_system(T *address, decltype(T{}) expected, decltype(T{}) desired) {
  return atomicCAS(address, expected, desired);
}

template <class T>
__forceinline__ T __ldg(const T *address) {
  return *address;
}
inline unsigned __isShared(const void *address) { return swarmgrad::emulation::executor->is_shared(address); }
inline unsigned __isGlobal(const void *address) { return !__isShared(address); }

__forceinline__ float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
__forceinline__ double __fma_rn(double a, double b, double c) { return __builtin_fma(a, b, c); }
__forceinline__ float __fsqrt_rn(float x) { return __builtin_sqrtf(x); }
__forceinline__ double __dsqrt_rn(double x) { return __builtin_sqrt(x); }
__forceinline__ int __float_as_int(float x) { return swarmgrad::emulation::same_bits<int>(x); }
__forceinline__ unsigned __float_as_uint(float x) { return swarmgrad::emulation::same_bits<unsigned>(x); }
__forceinline__ float __int_as_float(int x) { return swarmgrad::emulation::same_bits<float>(x); }
__forceinline__ float __uint_as_float(unsigned x) { return swarmgrad::emulation::same_bits<float>(x); }
__forceinline__ long long __double_as_longlong(double x) { return swarmgrad::emulation::same_bits<long long>(x); }
__forceinline__ double __longlong_as_double(long long x) { return swarmgrad::emulation::same_bits<double>(x); }
__forceinline__ unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<uint64_t>(a) * b >> 32);
}
__forceinline__ int __popc(unsigned x) { return __builtin_popcount(x); }
__forceinline__ int __ffs(int x) { return __builtin_ffs(x); }
__forceinline__ int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
__forceinline__ unsigned __brev(unsigned x) {
  unsigned reversed = 0;
  for (int bit = 0; bit < 32; ++bit) reversed |= (x >> bit & 1u) << (31 - bit);
  return reversed;
}
