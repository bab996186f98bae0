// The argument of swarmgrad_fma_chains, which measures the device's peak of fused multiply-adds.
#pragma once

#include <stdint.h>

namespace swarmgrad::cuda {

struct FmaChains {
  static constexpr int count = 8;  // independent chains of a thread, more than the latency needs
  int64_t iterations;              // links of each
  float *sink;                     // never written, but the compiler does not know
};

}  // namespace swarmgrad::cuda
