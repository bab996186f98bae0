// A user's environment that declares one parameter twice.
#pragma once

#include "environments/cartpole.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct Malformed : CartPole {
  static constexpr const char *id = "malformed";
  static constexpr Parameter parameters[] = {
      {"size", 1, 0, 2, true, "one"},
      {"size", 1, 0, 2, true, "the same again"},
  };
  using CartPole::CartPole;
};

SWARMGRAD_ENVIRONMENT(Malformed);

}  // namespace swarmgrad::SWARMGRAD_TARGET
