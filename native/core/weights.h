// What multiplies grad log pi: returns, baselines and scale, for one cohort of episodes, in double.
// The definitions are the project's own table (docs/estimator.md); every engine and `swarmgrad verify` use this code.
#pragma once

#include <stddef.h>

#include "core/lanes.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// What to multiply with, fixed before the batch.
struct WeightRule {
  enum Kind { total_return, reward_to_go, own_return, discounted_state };
  enum Baseline { none, leave_one_out, previous_batch };
  Kind kind;
  Baseline baseline;
  double discount;
  double factor;  // scale x (1 / agents for the mean over agents)

  // Whether the value, and with it the baseline, is one number a step (else one an episode).
  SWARMGRAD_FUNCTION bool is_per_step() const { return kind == reward_to_go || kind == discounted_state; }
};

// The rewards of one cohort and what is made of them. Lanes outside `members` are padding.
struct CohortReturns {
  int steps, agents;
  Mask members;
  const float *reward;              // [step][agent][lane]; exactly 0 after the episode's end
  const double *previous_baseline;  // [step], of the batch before
  double *value;                    // out: [step][lane], or [agent][lane] for own_return, before the baseline

  SWARMGRAD_FUNCTION Double team_reward(int step) const {
    Double sum = 0.0;
    for (int agent = 0; agent < agents; ++agent) sum = sum + own_reward(step, agent);
    return sum;
  }
  SWARMGRAD_FUNCTION Double own_reward(int step, int agent) const {
    return widen(Float::load(reward + (step * static_cast<ptrdiff_t>(agents) + agent) * lane_count));
  }
};

// Fills `value`: reward-to-go kinds [step], total_return [0], own_return [agent].
SWARMGRAD_FUNCTION void compute_values(const WeightRule &rule, const CohortReturns &cohort) {
  const Double discount = rule.discount;
  if (rule.kind == WeightRule::own_return) {
    for (int agent = 0; agent < cohort.agents; ++agent) {
      Double value = 0.0;
      for (int step = cohort.steps - 1; step >= 0; --step) value = cohort.own_reward(step, agent) + discount * value;
      store(cohort.value + agent * lane_count, value);
    }
    return;
  }
  Double value = 0.0;
  for (int step = cohort.steps - 1; step >= 0; --step) {
    value = cohort.team_reward(step) + discount * value;
    if (rule.is_per_step()) store(cohort.value + step * lane_count, value);
  }
  if (rule.kind == WeightRule::total_return) store(cohort.value, value);
  if (rule.kind == WeightRule::discounted_state) {
    double power = 1.0;
    for (int step = 0; step < cohort.steps; ++step) {
      double *where = cohort.value + step * lane_count;
      store(where, Double(power) * Double::load(where));
      power *= rule.discount;
    }
  }
}

// The weight of one row: (value - baseline) x factor, rounded to single precision once.
SWARMGRAD_FUNCTION Float row_weight(const WeightRule &rule, const CohortReturns &cohort, int step, int agent,
                                    int member_count) {
  const int index = rule.is_per_step() ? step : rule.kind == WeightRule::own_return ? agent : 0;
  const Double own = Double::load(cohort.value + index * lane_count);
  Double baseline = 0.0;
  if (rule.baseline == WeightRule::leave_one_out) {
    const Double sum = lane_sum(select(cohort.members, own, Double(0.0)));
    baseline = (sum - own) / Double(static_cast<double>(member_count - 1));
  } else if (rule.baseline == WeightRule::previous_batch) {
    baseline = cohort.previous_baseline[rule.is_per_step() ? step : 0];
  }
  return narrow((own - baseline) * Double(rule.factor));
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
