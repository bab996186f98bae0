// An environment of the catalogue as a user's own, under another id: both must compute the same bits.
#pragma once

#include "environments/cartpole.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct Copy : CartPole {
  static constexpr const char *id = "copy";
  using CartPole::CartPole;
};

SWARMGRAD_ENVIRONMENT(Copy);

}  // namespace swarmgrad::SWARMGRAD_TARGET
