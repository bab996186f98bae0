// The rollout kernels of the catalogue, for host code; compiled from environment.cu.in, one unit an environment.
#pragma once

namespace swarmgrad::cuda {

// The handle for cudaLaunchKernel of the shipped environment `index`, in the catalogue's order.
const void *rollout_kernel(int index);

}  // namespace swarmgrad::cuda
