// See rollout_kernels.h.
#include "cuda/rollout_kernels.h"

#include "cuda/kernel.h"

#define SWARMGRAD_CATALOGUE_ENTRY(name) SWARMGRAD_KERNEL_HANDLE(rollout_##name);
#include "catalogue.inc"
#undef SWARMGRAD_CATALOGUE_ENTRY

namespace swarmgrad::cuda {

const void *rollout_kernel(int index) {
  // Handles of other objects: their addresses are known here, their values once the library is loaded.
  static constexpr const void *const *handles[] = {
#define SWARMGRAD_CATALOGUE_ENTRY(name) &rollout_##name##_handle,
#include "catalogue.inc"
#undef SWARMGRAD_CATALOGUE_ENTRY
  };
  return *handles[index];
}

}  // namespace swarmgrad::cuda
