// Given logits alone: sampling, log-probabilities, entropy and the gradient, a thread a row; see swarmgrad_logit_rows. The
// formulas are core/policy.h's. Inside an episode and its gradient the same is done where the logits are made.
#include "core/policy.h"
#include "core/random.h"
#include "cuda/kernel.h"
#include "cuda/plan.h"

namespace swarmgrad::SWARMGRAD_TARGET {

using cuda::LogitRows;

SWARMGRAD_KERNEL(swarmgrad_given_logits, LogitRows, 256, 1) {
  const int actions = arguments.action_count;
  const int threads = static_cast<int>(gridDim.x * blockDim.x);
  for (int row = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); row < arguments.rows; row += threads) {
    const int64_t first = static_cast<int64_t>(row) * actions;
    const Logits policy(arguments.logit + first, 1, actions,
                        arguments.available == nullptr ? nullptr : arguments.available + first,
                        arguments.exponential + first);
    Int action = 0;
    if (arguments.sample) {
      const Block drawn = philox(counter(arguments.first_row + row, arguments.iteration, 0, 0, Purpose::act, 0),
                                 static_cast<uint32_t>(arguments.seed), static_cast<uint32_t>(arguments.seed >> 32));
      action = policy.sample(uniform(drawn.word[0]));
      arguments.action[row] = action.raw;
    } else if (arguments.action != nullptr) {
      action = arguments.action[row];
    }
    if (arguments.entropy != nullptr) arguments.entropy[row] = policy.entropy().raw;
    for (int a = 0; arguments.log_probability != nullptr && a < actions; ++a)
      arguments.log_probability[first + a] = policy.log_probability(a).raw;
    if (arguments.gradient != nullptr)
      policy.gradient(action, arguments.weight == nullptr ? 1.0f : arguments.weight[row], arguments.entropy_coefficient,
                      true, arguments.gradient + first);
  }
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
