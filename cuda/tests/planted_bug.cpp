// planted_bug NAME sound|broken: runs the test kernel swarmgrad_planted_NAME under emulation in forward order, checks its
// values and exits with 1 if they are wrong. A sanitizer is expected to speak up about a broken one, though its values may
// be right: that is how the checks are checked.
#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vector>

#include "cuda/kernel.h"
#include "cuda/tests/emulation_kernels.h"

SWARMGRAD_KERNEL_HANDLE(swarmgrad_planted_barrier);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_planted_syncwarp);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_planted_atomic);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_planted_block_atomic);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_planted_fence);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_planted_overrun);

namespace {

constexpr int block_count = 3, thread_count = 64;

struct Bug {
  const char *name;
  const void *handle;
  bool (*right)(const std::vector<float> &out, int counter);
};

constexpr auto any = [](const std::vector<float> &, int) { return true; };

const Bug bugs[] = {
    {"barrier", swarmgrad_planted_barrier_handle,
     [](const std::vector<float> &out, int) { return out[63] == 63 * 32; }},
    {"syncwarp", swarmgrad_planted_syncwarp_handle,
     [](const std::vector<float> &out, int) { return out[0] == -1 && out[33] == 32 && out[64 + 63] == 62; }},
    {"atomic", swarmgrad_planted_atomic_handle,
     [](const std::vector<float> &, int counter) { return counter == block_count * thread_count; }},
    {"block_atomic", swarmgrad_planted_block_atomic_handle,
     [](const std::vector<float> &, int counter) { return counter == block_count; }},
    {"fence", swarmgrad_planted_fence_handle, [](const std::vector<float> &out, int) { return out[0] == block_count; }},
    {"overrun", swarmgrad_planted_overrun_handle, any},
};

void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  fprintf(stderr, "%s\n", cudaGetErrorString(error));
  exit(2);
}

}  // namespace

int main(int count, char **words) {
  const Bug *bug = nullptr;
  for (const Bug &each : bugs)
    if (count == 3 && strcmp(words[1], each.name) == 0) bug = &each;
  if (bug == nullptr || (strcmp(words[2], "sound") != 0 && strcmp(words[2], "broken") != 0)) {
    fprintf(stderr, "usage: planted_bug NAME sound|broken, where NAME is one of");
    for (const Bug &each : bugs) fprintf(stderr, " %s", each.name);
    fprintf(stderr, "\n");
    return 2;
  }
  std::vector<float> out(block_count * thread_count);
  int counter = 0;
  swarmgrad::cuda::Planted planted = {nullptr, nullptr, strcmp(words[2], "sound") == 0};
  check(cudaMalloc(&planted.out, out.size() * sizeof out[0]));
  check(cudaMalloc(&planted.counter, sizeof counter));
  check(cudaMemset(planted.counter, 0, sizeof counter));
  void *arguments[] = {&planted};
  check(cudaLaunchKernel(bug->handle, block_count, thread_count, arguments, 0, nullptr));
  check(cudaMemcpy(out.data(), planted.out, out.size() * sizeof out[0], cudaMemcpyDeviceToHost));
  check(cudaMemcpy(&counter, planted.counter, sizeof counter, cudaMemcpyDeviceToHost));
  check(cudaFree(planted.counter));
  check(cudaFree(planted.out));
  const bool right = bug->right(out, counter);
  printf("%s %s: the values are %s\n", words[1], words[2], right ? "right" : "wrong");
  return right ? 0 : 1;
}
