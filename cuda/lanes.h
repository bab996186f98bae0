// The sixteen lanes of a cohort as half of a warp, a thread each; see core/weights.h for what is asked of them. All sixteen
// threads call every function together, but for write.
#pragma once

#include "core/lanes.h"
#include "cuda/kernel.h"
#include "cuda/plan.h"

namespace swarmgrad::SWARMGRAD_TARGET {

class ThreadLanes {
 public:
  __device__ ThreadLanes()
      : shift_(static_cast<int>(threadIdx.x) % 32 / cuda::cohort_size * cuda::cohort_size),
        threads_(0xffffu << shift_),
        lane_(static_cast<int>(threadIdx.x) % cuda::cohort_size) {}

  __device__ int index() const { return lane_; }
  // Pairs (i, i + 8), then (i, i + 4), (i, i + 2), (i, i + 1): all lanes have the sum.
  __device__ double sum(Double x) const {
    double total = x.raw;
    for (int distance = cuda::cohort_size / 2; distance > 0; distance /= 2)
      total += __shfl_xor_sync(threads_, total, distance, cuda::cohort_size);
    return total;
  }
  __device__ int maximum(int x) const {
    for (int distance = cuda::cohort_size / 2; distance > 0; distance /= 2) {
      const int other = __shfl_xor_sync(threads_, x, distance, cuda::cohort_size);
      x = x < other ? other : x;
    }
    return x;
  }
  __device__ double at(Double x, int lane) const { return __shfl_sync(threads_, x.raw, lane, cuda::cohort_size); }
  __device__ uint32_t bits(Mask m) const { return __ballot_sync(threads_, m.raw) >> shift_ & 0xffffu; }
  // What they have written is seen by the others afterwards.
  __device__ void meet() const { __syncwarp(threads_); }
  template <class T>
  __device__ void write(T *to, T value) const {
    if (lane_ == 0) *to = value;
  }

 private:
  int shift_;
  uint32_t threads_;
  int lane_;
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
