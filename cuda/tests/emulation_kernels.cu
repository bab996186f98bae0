// Kernels with which the emulation is tested: one for each thing that it promises. Not of the engine.
#include "cuda/kernel.h"
#include "cuda/tests/emulation_kernels.h"

namespace swarmgrad::cuda {

namespace {

__device__ __forceinline__ int thread() { return static_cast<int>(threadIdx.x); }
__device__ __forceinline__ int thread_of_grid() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

// One variable for each element type, though both have one name.
template <class T>
__device__ T first_of_block(T value) {
  SWARMGRAD_SHARED(T, first);
  if (thread() == 0) first = value;
  __syncthreads();
  return first;
}

}  // namespace

// out: the threads of a block in reverse, three barriers later.
SWARMGRAD_KERNEL(swarmgrad_test_mirror, Probe, 256) {
  int32_t *mirror = reinterpret_cast<int32_t *>(dynamic_shared());
  const int last = static_cast<int>(blockDim.x) - 1;
  for (int turn = 0; turn < 3; ++turn) {
    if (turn == 0)
      mirror[thread()] = thread_of_grid();
    else
      mirror[thread()] = arguments.out[thread_of_grid()];
    __syncthreads();  // all of this turn's values are there
    arguments.out[thread_of_grid()] = mirror[last - thread()];
    __syncthreads();  // and read, before the next turn's replace them
  }
}

// out: [thread][10], what each shuffle and vote gives.
SWARMGRAD_KERNEL(swarmgrad_test_lanes, Probe, 64) {
  int32_t *out = arguments.out + 10 * thread_of_grid();
  const int value = 100 + thread(), lane = thread() % 32;
  const unsigned all = 0xffffffffu;
  out[0] = __shfl_sync(all, value, 7);
  out[1] = __shfl_sync(all, value, lane + 1);
  out[2] = __shfl_sync(all, value, 9, 8);
  out[3] = __shfl_up_sync(all, value, 3, 16);
  out[4] = __shfl_down_sync(all, value, 3, 16);
  out[5] = __shfl_xor_sync(all, value, 5);
  out[6] = static_cast<int32_t>(__ballot_sync(all, lane % 3 == 0));
  out[7] = __any_sync(all, lane == 31) + 2 * __any_sync(all, 0);
  out[8] = __all_sync(all, lane < 32) + 2 * __all_sync(all, lane != 4);
  const double large = __shfl_xor_sync(all, 0.5 + value, 1);
  out[9] = large == 0.5 + (100 + (thread() ^ 1));
  if (lane < 8) {
    __syncwarp(0xff);
    out[0] += __shfl_sync(0xff, lane, 7);
  }
}

// out: [thread of the grid]: how many came before it. counter: [6].
SWARMGRAD_KERNEL(swarmgrad_test_atomics, Probe, 64) {
  const int own = thread_of_grid();
  arguments.out[own] = atomicAdd(arguments.counter, 1);
  atomicMin(arguments.counter + 1, own);
  atomicMax(arguments.counter + 2, own);
  atomicOr(arguments.counter + 3, 1 << own % 31);
  atomicCAS(arguments.counter + 4, 0, 42);
  atomicExch(arguments.counter + 5, 17);
  atomicAdd(arguments.number, 0.5f);
  atomicAdd(arguments.large, 0.25);
  atomicAdd_system(arguments.wide, 1ull << 33);
}

// out: [block][4]: the bits of memory that nobody has written. Then writes it.
SWARMGRAD_KERNEL(swarmgrad_test_fresh_memory, Probe, 32) {
  SWARMGRAD_SHARED(int32_t, variable, [3]);
  int32_t *dynamic = reinterpret_cast<int32_t *>(dynamic_shared());
  if (thread() == 0) {
    int32_t *out = arguments.out + 4 * blockIdx.x;
    out[0] = variable[2];
    out[1] = dynamic[1];
    out[2] = __isShared(variable) && __isShared(dynamic + 1) && !__isShared(out);
    out[3] = sizeof variable;
    variable[2] = dynamic[1] = 1;
  }
}

// out: [thread of the grid]: its place in the order of execution after the barrier.
SWARMGRAD_KERNEL(swarmgrad_test_order, Probe, 64) {
  __syncthreads();
  arguments.out[thread_of_grid()] = atomicAdd(arguments.counter, 1);
}

// out: [thread of the grid]: the first thread of its block, twice.
SWARMGRAD_KERNEL(swarmgrad_test_variables, Probe, 64) {
  const int whole = first_of_block(thread_of_grid());
  const float real = first_of_block(static_cast<float>(thread_of_grid()));
  arguments.out[thread_of_grid()] = whole == static_cast<int>(real) ? whole : -1;
}

SWARMGRAD_KERNEL(swarmgrad_test_mistakes, Probe, 64) {
  const int lane = thread() % 32;
  const Mistake mistake = arguments.mistake;
  if (mistake == Mistake::early_end) {
    if (thread() == 3) return;
    __syncthreads();
  }
  if (mistake == Mistake::other_barrier) {
    if (thread() < 16)
      __syncthreads();
    else
      __syncthreads();
  }
  if (mistake == Mistake::missing_lane && lane != 5) __syncwarp();
  if (mistake == Mistake::foreign_mask) __syncwarp(1u << (lane + 1) % 32);
  if (mistake == Mistake::different_masks && lane < 2) __syncwarp(lane == 0 ? 3 : 7);
  if (mistake == Mistake::idle_source && lane < 4) __shfl_sync(15, lane, 4);
  __syncthreads();
  arguments.out[thread_of_grid()] = 1;
}

// ---- planted bugs --------------------------------------------------------------------------------------------------

// out: [thread of the grid] the sum over its block. Unsound: no barrier between writing and reading.
SWARMGRAD_KERNEL(swarmgrad_planted_barrier, Planted, 64) {
  SWARMGRAD_SHARED(float, value, [64]);
  value[thread()] = static_cast<float>(thread());
  if (arguments.sound) __syncthreads();  // every value is there
  float sum = 0;
  for (int k = 0; k <= thread(); ++k) sum += value[k];
  arguments.out[thread_of_grid()] = sum;
}

// out: [thread of the grid] its left neighbour in the warp. Unsound: no __syncwarp between writing and reading.
SWARMGRAD_KERNEL(swarmgrad_planted_syncwarp, Planted, 64) {
  SWARMGRAD_SHARED(float, value, [64]);
  value[thread()] = static_cast<float>(thread());
  if (arguments.sound) __syncwarp();  // the neighbour's value is there
  arguments.out[thread_of_grid()] = thread() % 32 == 0 ? -1.0f : value[thread() - 1];
}

// counter: how many threads there are. Unsound: no atomic.
SWARMGRAD_KERNEL(swarmgrad_planted_atomic, Planted, 64) {
  if (arguments.sound)
    atomicAdd(arguments.counter, 1);
  else
    *arguments.counter += 1;
}

// counter: how many blocks there are. Unsound: no atomic, which only shows between blocks.
SWARMGRAD_KERNEL(swarmgrad_planted_block_atomic, Planted, 64) {
  if (thread() > 0) return;
  if (arguments.sound)
    atomicAdd(arguments.counter, 1);
  else
    *arguments.counter += 1;
}

// out[0]: the sum of what all blocks wrote, by the block that counts last. Unsound: no fence before counting.
SWARMGRAD_KERNEL(swarmgrad_planted_fence, Planted, 64) {
  const int blocks = static_cast<int>(gridDim.x);
  if (thread() > 0) return;
  arguments.out[1 + blockIdx.x] = 1.0f;
  if (arguments.sound) __threadfence();  // what was written is there for whoever sees the count
  const bool last = atomicAdd(arguments.counter, 1) == blocks - 1;
  __threadfence();
  if (!last) return;
  float sum = 0;
  for (int block = 0; block < blocks; ++block) sum += arguments.out[1 + block];
  arguments.out[0] = sum;
}

// out: [thread of the grid] zero. Unsound: one element too many.
SWARMGRAD_KERNEL(swarmgrad_planted_overrun, Planted, 64) {
  SWARMGRAD_SHARED(float, value, [64]);
  float *first = value;
  first[thread() + (arguments.sound ? 0 : 1)] = 0.0f;
  __syncthreads();
  arguments.out[thread_of_grid()] = value[0];
}

}  // namespace swarmgrad::cuda
