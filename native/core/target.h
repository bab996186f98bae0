// What a translation unit's code is for: the namespace of everything compiled per instruction set or device, and how its
// functions are marked. Holds no arithmetic.
#pragma once

// Whether this is the code of a GPU: compiled by nvcc or NVRTC, or by a CPU's compiler that plays one in tests.
#if defined(__CUDACC__) || defined(SWARMGRAD_EMULATION)
#define SWARMGRAD_ON_DEVICE 1
#else
#define SWARMGRAD_ON_DEVICE 0
#endif

#if defined(__CUDACC__)
#define SWARMGRAD_FUNCTION __host__ __device__ __forceinline__
#else
#define SWARMGRAD_FUNCTION inline __attribute__((always_inline))
#endif

#if !defined(SWARMGRAD_TARGET)
#define SWARMGRAD_TARGET scalar
#endif
