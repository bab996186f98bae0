// Arguments of the kernels with which the emulation is tested. Not of the engine.
#pragma once

#include <stdint.h>

namespace swarmgrad::cuda {

// What a thread that a test wants to see fail does wrong.
enum class Mistake : int {
  none,
  early_end,        // thread 3 ends before a barrier that the others wait at
  other_barrier,    // threads from 16 on wait at another barrier
  missing_lane,     // lane 5 never reaches the __syncwarp of its warp
  foreign_mask,     // the mask leaves the calling lane out
  different_masks,  // two lanes of one collective name different lanes
  idle_source       // a shuffle reads a lane that does not take part
};

struct Probe {
  int32_t *out;  // [thread of the grid][...], as each kernel says
  int32_t *counter;
  float *number;
  double *large;
  unsigned long long *wide;
  Mistake mistake;
};

// Kernels that are right when `sound`, and lack one thing when not.
struct Planted {
  float *out;
  int32_t *counter;
  int sound;
};

}  // namespace swarmgrad::cuda
