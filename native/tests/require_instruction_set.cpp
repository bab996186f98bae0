// Ends a test that was compiled for one instruction set before its first wide instruction where the processor lacks it.
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace {

bool processor_has(const char *instruction_set) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (std::strcmp(instruction_set, "avx2") == 0) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  }
  if (std::strcmp(instruction_set, "avx512") == 0) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  }
#endif
  return std::strcmp(instruction_set, "scalar") == 0 || std::strcmp(instruction_set, "neon") == 0;
}

// Priority 101 is the first open to programs: doctest registers its cases later, in code of the wide translation unit.
__attribute__((constructor(101))) void require() {
  if (!processor_has(SWARMGRAD_REQUIRED)) {
    std::printf("skipped: this processor has no %s\n", SWARMGRAD_REQUIRED);
    std::fflush(stdout);
    _exit(SWARMGRAD_SKIPPED);
  }
}

}  // namespace
