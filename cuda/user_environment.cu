// The rollout kernel of a user's own environment, swarmgrad_rollout. The user's header comes before this file, by the
// compiler's option -include; compiled to PTX where it is first used.
#include "cuda/rollout.h"

SWARMGRAD_KERNEL(swarmgrad_rollout, swarmgrad::cuda::Rollout, 256, 2) {
  swarmgrad::SWARMGRAD_TARGET::rollout<swarmgrad::SWARMGRAD_TARGET::UserEnvironment, true>(arguments);
}
