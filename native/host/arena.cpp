// See arena.h.
#include "host/arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "host/failure.h"

namespace swarmgrad::host {

size_t available_memory() {
  const size_t machine = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  unsigned long long limit = machine;
  if (std::FILE *file = std::fopen("/sys/fs/cgroup/memory.max", "r")) {
    if (std::fscanf(file, "%llu", &limit) != 1) limit = machine;  // "max"
    std::fclose(file);
  }
  return std::min<size_t>(machine, limit);
}

Arena::Arena(size_t bytes) : bytes_(bytes) {
  const size_t available = available_memory();
  void *memory =
      bytes > available ? MAP_FAILED : mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    throw Failure(SWARMGRAD_OUT_OF_MEMORY, "the configuration needs " + std::to_string(bytes) +
                                               " bytes, this machine has " + std::to_string(available) +
                                               "; fewer threads, a shorter horizon or a smaller policy need less");
  madvise(memory, bytes, MADV_HUGEPAGE);
  base_ = static_cast<char *>(memory);
}

Arena::~Arena() { munmap(base_, bytes_); }

}  // namespace swarmgrad::host
