// Zeroed memory from the system, on large pages where there are any.
#pragma once

#include <cstddef>

namespace swarmgrad::host {

// Bytes that this process may use: the machine's, or its control group's where that is less.
size_t available_memory();

class Arena {
 public:
  explicit Arena(size_t bytes);
  ~Arena();
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;
  char *base() const { return base_; }

 private:
  char *base_;
  size_t bytes_;
};

}  // namespace swarmgrad::host
