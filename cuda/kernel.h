// How a kernel is written so that nvcc, NVRTC and the emulation all compile it, and how host code names it.
//
// A kernel takes exactly one struct, read as `arguments`:
//
//   SWARMGRAD_KERNEL(swarmgrad_fold, FoldArguments, 256) {   // at most 256 threads a block
//     SWARMGRAD_SHARED(float, tile, [32][33]);               // float tile[32][33], one a block
//     float *rest = reinterpret_cast<float *>(swarmgrad::cuda::dynamic_shared());
//     ...
//   }
//
// A further number is how many such blocks a multiprocessor is to hold at least. Where none is given ptxas guesses, and may
// spill registers for it: 1 keeps it from that.
//
// Its name is a C name, so that it can be looked up in PTX. Host sources, compiled without nvcc, launch it by its handle:
//
//   SWARMGRAD_KERNEL_HANDLE(swarmgrad_fold);
//   void *argument[] = {&fold};
//   cudaLaunchKernel(swarmgrad_fold_handle, grid, 256, argument, dynamic_bytes, stream);
#pragma once

#define SWARMGRAD_KERNEL_HANDLE(NAME)     \
  extern "C" {                            \
  extern const void *const NAME##_handle; \
  }                                       \
  static_assert(true)

#if defined(__CUDACC__)

#define SWARMGRAD_KERNEL_HEAD(NAME, ARGUMENTS, ...) \
  extern "C" __global__ void __launch_bounds__(__VA_ARGS__) NAME(const __grid_constant__ ARGUMENTS arguments)

#if defined(__CUDACC_RTC__)
#define SWARMGRAD_KERNEL(NAME, ARGUMENTS, ...) SWARMGRAD_KERNEL_HEAD(NAME, ARGUMENTS, __VA_ARGS__)
#else
#define SWARMGRAD_KERNEL(NAME, ARGUMENTS, ...)                             \
  SWARMGRAD_KERNEL_HEAD(NAME, ARGUMENTS, __VA_ARGS__);                     \
  SWARMGRAD_KERNEL_HANDLE(NAME);                                           \
  const void *const NAME##_handle = reinterpret_cast<const void *>(&NAME); \
  SWARMGRAD_KERNEL_HEAD(NAME, ARGUMENTS, __VA_ARGS__)
#endif

// A variable of the block: SWARMGRAD_SHARED(element, name, [extent]...), without extents for a single element.
#define SWARMGRAD_SHARED(TYPE, NAME, ...) __shared__ TYPE NAME __VA_ARGS__

namespace swarmgrad::cuda {

// The block's dynamic shared memory, as many bytes as the launch says, 16-byte aligned.
__device__ __forceinline__ char *dynamic_shared() {
  extern __shared__ int4 swarmgrad_dynamic_shared[];
  return reinterpret_cast<char *>(swarmgrad_dynamic_shared);
}

}  // namespace swarmgrad::cuda

#elif defined(SWARMGRAD_EMULATION)
#include "cuda/emulation/kernel.h"
#endif
