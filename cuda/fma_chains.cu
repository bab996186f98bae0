// Independent chains of fused multiply-adds and nothing else: the peak against which kernels are measured.
#include "core/lanes.h"
#include "cuda/fma_chains.h"
#include "cuda/kernel.h"

SWARMGRAD_KERNEL(swarmgrad_fma_chains, swarmgrad::cuda::FmaChains, 256, 1) {
  using swarmgrad::SWARMGRAD_TARGET::Float;
  constexpr int count = swarmgrad::cuda::FmaChains::count;
  const Float factor = 0.999f, term = 0.001f;
  Float chain[count];
  for (int k = 0; k < count; ++k) chain[k] = static_cast<float>(k) + static_cast<float>(threadIdx.x);
  for (int64_t n = 0; n < arguments.iterations; ++n)
    for (int k = 0; k < count; ++k) chain[k] = fma(chain[k], factor, term);
  Float sum = 0.0f;
  for (int k = 0; k < count; ++k) sum = sum + chain[k];
  if (sum.raw < 0.0f) *arguments.sink = sum.raw;
}
