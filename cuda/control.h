// How kernels tell of faults, and which work is left after one; the data are in plan.h.
#pragma once

#include "cuda/kernel.h"
#include "cuda/plan.h"

namespace swarmgrad::cuda {

// Whether work on environments up to `environment` is of no use any more. After a fault it is of use still on environments
// before: so the lowest fault is found, whatever the order of the blocks.
__device__ inline bool is_over(const Pass &pass, uint32_t environment) {
  Control &control = *pass.control;
  // Other blocks may be writing: a plain load would be a race.
  return atomicMin(&control.fault_environment, UINT32_MAX) <= environment || atomicOr(&control.cancelled, 0) != 0 ||
         control.gradient_fault_network >= 0 || control.update_fault_network >= 0;
}

__device__ inline void report(const Pass &pass, int64_t slot, uint32_t environment, const Fault &fault) {
  pass.fault[slot] = fault;
  atomicMin(&pass.control->fault_environment, environment);
}

}  // namespace swarmgrad::cuda
