// Which devices there are, and the code of users' environments for them; host/engine.h has the functions for the ABI.
#pragma once

#include "cuda/runtime.h"

namespace swarmgrad::cuda {

// The device that the configuration asks for; throws where there is none, or the environment is not one for a GPU.
int checked_device(const swarmgrad_config &config);

// The rollout kernel of an environment of the catalogue on the current device.
class RolloutCode {
 public:
  RolloutCode(int environment, const char *id);
  const void *handle() const { return handle_; }

 private:
  Library library_;  // of a user's environment; else null
  const void *handle_;
};

}  // namespace swarmgrad::cuda
