// Runs a kernel's grid, one block after the other, each thread of a block a fiber. Knows nothing of streams and memory.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <string>
#include <vector>

#include "cuda/emulation/kernel.h"

namespace swarmgrad::emulation {

// In which order blocks, the warps of a block between two barriers, and the lanes of a warp between two of its own run.
// Each warp runs as far as it can. What a kernel computes must not depend on it.
struct Order {
  enum Kind { forward, reverse, random };
  Kind kind = forward;
  uint64_t seed = 0;
};

struct Launch {
  const Kernel *kernel;
  dim3 grid, block;
  size_t dynamic_shared;
  std::vector<char> argument;
};

// Plays the launch to its end, in which case the answer is empty, or to its first error, which the answer says: threads
// that wait for each other, a barrier that not all of a block reach, a lane that a mask leaves out. One call at a time.
std::string run(const Launch &launch, Order &order);

}  // namespace swarmgrad::emulation
