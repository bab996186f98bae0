// Checks of every index that an environment uses, where SWARMGRAD_CHECKED is defined (users' own headers); nothing at all
// in other builds. Neither device code nor the catalogue is checked.
#pragma once

#include <stdint.h>

#include "core/lanes.h"

namespace swarmgrad::SWARMGRAD_TARGET {

#if defined(SWARMGRAD_CHECKED)

// The first index out of range that one environment object used. Access goes to a spare slot, so nothing else is harmed.
struct Access {
  struct Place {
    const char *function = "";
    int agent = -1;  // -1: of no agent
    const char *array = nullptr;
    int index = 0, size = 0;
  };
  Place now, first;  // where the environment is; where it went wrong: array is null while it has not
  alignas(Float) char spare[sizeof(Float)];
  static inline thread_local Access *playing = nullptr;  // for what no access was bound to: an Array nobody visits

  SWARMGRAD_FUNCTION void enter(const char *function, int agent = -1) {
    now.function = function;
    now.agent = agent;
    playing = this;
  }
  __attribute__((noinline)) void *refuse(const char *array, int index, int size) {
    if (first.array == nullptr) first = {now.function, now.agent, array, index, size};
    return spare;
  }
};

// What something with an index is called and how many elements it has.
class Bounds {
 public:
  Bounds() = default;
  Bounds(const char *name, int size, Access *access) : name_(name), size_(size), access_(access) {}
  SWARMGRAD_FUNCTION bool hold(int index) const { return static_cast<unsigned>(index) < static_cast<unsigned>(size_); }
  SWARMGRAD_FUNCTION void *refuse(int index) const {
    return (access_ != nullptr ? access_ : Access::playing)->refuse(name_, index, size_);
  }

 private:
  const char *name_ = "an array that neither state(), chance() nor scratch() visits";
  int size_ = 0;
  Access *access_ = nullptr;
};

#else

struct Access {
  SWARMGRAD_FUNCTION void enter(const char *, int = -1) {}
};

class Bounds {
 public:
  Bounds() = default;
  SWARMGRAD_FUNCTION Bounds(const char *, int, Access *) {}
  SWARMGRAD_FUNCTION bool hold(int) const { return true; }
  SWARMGRAD_FUNCTION void *refuse(int) const { return nullptr; }
};

#endif

}  // namespace swarmgrad::SWARMGRAD_TARGET
