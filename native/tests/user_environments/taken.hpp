// A user's environment whose id another one has.
#pragma once

#include "environments/cartpole.h"

namespace swarmgrad::SWARMGRAD_TARGET {

SWARMGRAD_ENVIRONMENT(CartPole);

}  // namespace swarmgrad::SWARMGRAD_TARGET
