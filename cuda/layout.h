// Where the kernels of matrix products keep what they work on, and how many threads their blocks have: one rule from shapes
// and the device's limits, none of which changes a bit of any result. Host code; launches nothing.
//
// | operand                                              | grows with                   | kept in                           |
// | ---------------------------------------------------- | ---------------------------- | --------------------------------- |
// | features, logits, exponentials                       | rows x (features + 2 actions)| shared memory if they fit         |
// | panels (a group's weights in the order of tiles)     | parameters, about twice      | shared memory if they fit as well |
// | counter of partial sums (differentiate)              | 4 x parameters               | global memory, always             |
//
// `Fit` means: twice on a multiprocessor, since a single block leaves it idle at each barrier; where features alone are too
// large for that, once. What does not fit is read from global memory, which the first and second-level caches hold. The
// counter is read and written about once a lane, some 600 bytes an agent-step of mlp:64,64: a tenth of what an H100's
// second-level cache delivers, while in shared memory it would push the second block out.
//
// Bytes of simple_spread, N = 3, 25 steps (75 rows): features and panels of mlp:64,64 are 47 424 + 41 248, of mlp:256,256
// 164 160 + 558 112.
//
// | compute capability | a block, at most | a multiprocessor | mlp:64,64: features, panels | mlp:256,256: features, panels |
// | ------------------ | ---------------- | ---------------- | --------------------------- | ----------------------------- |
// | 7.5                |  64 KiB          |  64 KiB          | shared, global              | global, global                |
// | 8.0                | 163 KiB          | 164 KiB          | shared, global              | shared, global                |
// | 8.6, 8.9, 12.0     |  99 KiB          | 100 KiB          | shared, global              | global, global                |
// | 9.0, 10.0          | 227 KiB          | 228 KiB          | shared, shared              | shared, global                |
//
// A block of the rollout plays as many episodes as have 64 rows of the largest group, at least one; fewer where that would
// leave multiprocessors without two blocks. Its products go over all those rows at a time, of a larger team over 128 where
// their features fit twice, else over 64. Into shared memory go, in this order and as long as two blocks fit (one, where
// two cannot hold the first three): what is kept of episodes and rows, features with logits and exponentials, state, panels.
//
// | simple_spread, N = 3, 21 episodes, 64 rows | mlp:64,64, 128 threads | mlp:256,256, 256 threads | linear, 64 threads |
// | ------------------------------------------ | ---------------------- | ------------------------ | ------------------ |
// | bytes of features, of panels               | 42 432, 23 584         | 146 880, 290 848         | 7 616, 608         |
// | 7.5: features, panels; blocks              | shared, global; 1      | global, global; 4        | shared, shared; 4  |
// | 8.0                                        | shared, shared; 2      | shared, global; 1        | shared, shared; 11 |
// | 8.6, 8.9, 12.0                             | shared, global; 2      | global, global; 6        | shared, shared; 7  |
// | 9.0, 10.0                                  | shared, shared; 3      | shared, global; 1        | shared, shared; 16 |
//
// (Blocks that a multiprocessor's shared memory holds; where that would be more, its threads.)
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cuda/plan.h"
#include "host/plan.h"

namespace swarmgrad::cuda {

// Of one device, in bytes: cudaDevAttrMaxSharedMemoryPerBlockOptin, ...PerMultiprocessor, cudaDevAttrReservedSharedMemoryPerBlock.
struct SharedMemory {
  size_t block, multiprocessor, reserved;
};

struct Launch {
  int threads;
  size_t shared_bytes;  // dynamic
  size_t scratch_bytes_per_block;
};

// Gives a group's panels their places, from `panels` on, and its layers their padded sizes. Expects inputs and outputs.
void lay_panels(Group &group, int64_t &panels);

// The kernels' view of a planned group, its panels laid from `panels` on; the arrays of a wave are not set.
Group group_of(const host::GroupPlan &plan, int64_t &panels);

// Fill in what the host does not know: places, strides and tiles. The scratch itself, once for each block of the grid, is
// the caller's.
Launch lay_out(Differentiate &differentiate, const Group &group, const SharedMemory &memory);
Launch lay_out(Forward &forward, const Group &group, const SharedMemory &memory);
// Episodes and rows at a time, from the pass's counts and its groups in host memory.
void choose_tiles(Rollout &rollout, const Group *groups, const SharedMemory &memory, int multiprocessors);
// Expects them; state_bytes: of one episode, one value an element.
Launch lay_out(Rollout &rollout, const Group *groups, size_t state_bytes, const SharedMemory &memory);
// Blocks that have anything to play.
int64_t block_count(const Rollout &rollout);

}  // namespace swarmgrad::cuda
