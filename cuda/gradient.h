// The kernels of gradient.cu by memory path; see layout.h for which operands lie where. One kernel a path, since together
// they need registers that each alone does without.
#pragma once

#include "cuda/kernel.h"
#include "cuda/plan.h"

SWARMGRAD_KERNEL_HANDLE(swarmgrad_differentiate_shared);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_differentiate_streamed);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_differentiate_global);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_forward_rows);

namespace swarmgrad::cuda {

struct GradientKernel {
  const char *name;
  const void *handle;
};

inline GradientKernel gradient_kernel(const Differentiate &differentiate) {
  if (differentiate.panels.in_shared != 0)
    return {"swarmgrad_differentiate_shared", swarmgrad_differentiate_shared_handle};
  if (differentiate.features.in_shared != 0)
    return {"swarmgrad_differentiate_streamed", swarmgrad_differentiate_streamed_handle};
  return {"swarmgrad_differentiate_global", swarmgrad_differentiate_global_handle};
}

}  // namespace swarmgrad::cuda
