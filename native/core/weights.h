// What multiplies grad log pi: returns, baselines and scale, for one cohort of episodes, in double; and the cohort's sums.
// The definitions are the project's own table (docs/estimator.md); every engine and `swarmgrad verify` use this code.
//
// How the sixteen lanes of a cohort meet is the engine's: a CPU's pack holds them all, a GPU's thread one of them. `Lanes` is
//   double sum(Double)            over the lanes, in the tree of lane_sum
//   double at(Double, int lane)   that lane's
//   uint32_t bits(Mask)           lane 0 lowest
//   void write(double *, double)  a result, once for the cohort
#pragma once

#include <stddef.h>

#include "core/lanes.h"
#include "core/statistic.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// What to multiply with, fixed before the batch.
struct WeightRule {
  enum Kind { total_return, reward_to_go, own_return, discounted_state };
  enum Baseline { none, leave_one_out, previous_batch, learned_value };
  Kind kind;
  Baseline baseline;
  double discount;
  double factor;     // scale x (1 / agents for the mean over agents) x reward scale
  double deviation;  // learned_value: what one unit of the network's output is worth
  double lambda;     // below 1, or where bootstraps: the network's values stand in for rewards to come; biased
  bool bootstraps;

  // Whether values of states enter returns, not only the baseline.
  SWARMGRAD_FUNCTION bool predicts_returns() const { return lambda < 1 || bootstraps; }
  // Whether the value, and with it the baseline, is one number a step (else one an episode).
  SWARMGRAD_FUNCTION bool is_per_step() const { return kind == reward_to_go || kind == discounted_state; }
  // Where the value of an agent's row lies, and the baseline of the batch before.
  SWARMGRAD_FUNCTION int value_index(int step, int agent) const {
    return is_per_step() ? step : kind == own_return ? agent : 0;
  }
  SWARMGRAD_FUNCTION int baseline_index(int step) const { return is_per_step() ? step : 0; }
};

// The rewards of one cohort and what is made of them. Lanes outside `members` are padding.
struct CohortReturns {
  int steps, agents, member_count;
  Mask members;
  float *reward;                    // [step][agent][lane]; exactly 0 after the episode's end
  const double *previous_baseline;  // [step], of the batch before
  double *value;                    // out: [step][lane], or [agent][lane] for own_return, before the baseline
  // learned_value only:
  Int length;                // steps of the lane's episode
  Mask truncated;            // it ended with the horizon, not by the environment's rules
  int value_agents;          // rows a step of the value network: 1 for the joint input, else agents
  const float *state_value;  // [step + 1][value agent][lane]: its outputs; the last one's is read where bootstraps
  float *value_error;        // out: [step][value agent][lane], aim - output, 0 where not alive

  SWARMGRAD_FUNCTION Double team_reward(int step) const {
    Double sum = 0.0;
    for (int agent = 0; agent < agents; ++agent) sum = sum + own_reward(step, agent);
    return sum;
  }
  SWARMGRAD_FUNCTION Double own_reward(int step, int agent) const {
    return widen(Float::load(reward + (step * static_cast<ptrdiff_t>(agents) + agent) * lane_count));
  }
  SWARMGRAD_FUNCTION Double output(int step, int agent) const {
    const int value_agent = value_agents == 1 ? 0 : agent;
    return widen(Float::load(state_value + (step * static_cast<ptrdiff_t>(value_agents) + value_agent) * lane_count));
  }
};

// What an agent's state at a step was expected to be worth: the mean of the batch before, and what the network adds to it.
SWARMGRAD_FUNCTION Double expected_value(const WeightRule &rule, const CohortReturns &cohort, int step, int agent) {
  return Double(cohort.previous_baseline[rule.baseline_index(step)]) +
         Double(rule.deviation) * cohort.output(step, agent);
}

// Of the return from the step after `step` on, what enters that of `step`: lambda-returns (Sutton and Barto 2018, equation
// 12.2, recursively), and after an episode that the horizon cut the value of its last state (Pardo et al. 2018), which
// takes the previous mean of the step before.
SWARMGRAD_FUNCTION Double predicted_return(const WeightRule &rule, const CohortReturns &cohort, int step, Double next) {
  const Double added = Double(rule.deviation) * cohort.output(step + 1, 0);
  const Mask goes_on = Int(step + 1) < cohort.length, is_cut = cohort.truncated & (cohort.length == Int(step + 1));
  const Double at_next = step + 1 < cohort.steps ? Double(cohort.previous_baseline[step + 1]) + added : added;
  const Double at_end = rule.bootstraps ? Double(cohort.previous_baseline[step]) + added : Double(0.0);
  const Double mixed = Double(1.0 - rule.lambda) * at_next + Double(rule.lambda) * next;
  return select(goes_on, mixed, select(is_cut, at_end, Double(0.0)));
}

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
    if (rule.predicts_returns()) value = predicted_return(rule, cohort, step, value);
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
template <class Lanes>
SWARMGRAD_FUNCTION Float row_weight(const WeightRule &rule, const CohortReturns &cohort, int step, int agent,
                                    const Lanes &lanes) {
  const Double own = Double::load(cohort.value + rule.value_index(step, agent) * lane_count);
  Double baseline = 0.0;
  if (rule.baseline == WeightRule::leave_one_out) {
    const Double sum = lanes.sum(select(cohort.members, own, Double(0.0)));
    baseline = (sum - own) / Double(static_cast<double>(cohort.member_count - 1));
  } else if (rule.baseline == WeightRule::previous_batch) {
    baseline = cohort.previous_baseline[rule.baseline_index(step)];
  } else if (rule.baseline == WeightRule::learned_value) {
    baseline = expected_value(rule, cohort, step, agent);
  }
  return narrow((own - baseline) * Double(rule.factor));
}

// No row may weigh more: a sum of rows that overflows would say no longer where it came from.
constexpr float largest_weight = 1e30f;

// The row and the lanes in which something was first found not to be finite, or too large.
struct RowFault {
  uint32_t lanes;  // 0: nothing was
  int agent, step;
};

// Replaces rewards by weights, 0 where not alive. alive: [step][agent], one bit per lane.
template <class Lanes, class Alive>
SWARMGRAD_FUNCTION RowFault weigh_rows(const WeightRule &rule, const CohortReturns &cohort, const Alive *alive,
                                       const Lanes &lanes) {
  compute_values(rule, cohort);
  for (int step = 0; step < cohort.steps; ++step) {
    Float weight = 0.0f;
    for (int agent = 0; agent < cohort.agents; ++agent) {
      const ptrdiff_t row = step * static_cast<ptrdiff_t>(cohort.agents) + agent;
      if (agent == 0 || rule.kind == WeightRule::own_return ||
          (rule.baseline == WeightRule::learned_value && cohort.value_agents > 1)) {
        weight = row_weight(rule, cohort, step, agent, lanes);
        const uint32_t broken = lanes.bits(cohort.members & !(abs(weight) < largest_weight));
        if (broken != 0) return {broken, agent, step};
      }
      store(cohort.reward + row * lane_count, select(mask_from_bits(alive[row]), weight, Float(0.0f)));
    }
  }
  return {0, 0, 0};
}

// After weigh_rows: how far the value network's outputs are from what they aim at. statistics: null where nobody asks.
template <class Lanes, class Alive>
SWARMGRAD_FUNCTION RowFault compute_value_errors(const WeightRule &rule, const CohortReturns &cohort,
                                                 const Alive *alive, const Lanes &lanes, double *statistics) {
  Double squares = 0.0, rows = 0.0;
  for (int step = 0; step < cohort.steps; ++step) {
    const ptrdiff_t first_row = step * static_cast<ptrdiff_t>(cohort.agents);
    uint32_t anyone = 0;
    for (int agent = 0; agent < cohort.agents; ++agent) anyone |= alive[first_row + agent];
    for (int k = 0; k < cohort.value_agents; ++k) {
      const Double aim = (Double::load(cohort.value + rule.value_index(step, k) * lane_count) -
                          Double(cohort.previous_baseline[rule.baseline_index(step)])) /
                         Double(rule.deviation);
      const Float error = narrow(aim - cohort.output(step, k));
      const Mask lives = mask_from_bits(cohort.value_agents == 1 ? anyone : uint32_t{alive[first_row + k]});
      const uint32_t broken = lanes.bits(cohort.members & lives & !(abs(error) < largest_weight));
      if (broken != 0) return {broken, k, step};
      const Float kept = select(lives, error, Float(0.0f));
      store(cohort.value_error + (step * static_cast<ptrdiff_t>(cohort.value_agents) + k) * lane_count, kept);
      squares += widen(kept) * widen(kept);
      rows += select(lives, Double(1.0), Double(0.0));
    }
  }
  if (statistics != nullptr) {
    lanes.write(statistics + value_error_square_sum, lanes.sum(squares));
    lanes.write(statistics + value_row_count, lanes.sum(rows));
  }
  return {0, 0, 0};
}

// ---- sums over the cohort; statistics: [statistics_of_group], see core/statistic.h ---------------------------------

// The first reward that is not finite in one of the lanes, else the end of their episodes.
template <class Lanes>
SWARMGRAD_FUNCTION RowFault find_reward_fault(const CohortReturns &cohort, uint32_t within, const Lanes &lanes) {
  for (int step = 0; step < cohort.steps; ++step)
    for (int agent = 0; agent < cohort.agents; ++agent) {
      const ptrdiff_t row = step * static_cast<ptrdiff_t>(cohort.agents) + agent;
      const Float reward = Float::load(cohort.reward + row * lane_count);
      const uint32_t broken = lanes.bits(!(reward - reward == 0.0f)) & within;
      if (broken != 0) return {broken, agent, step};
    }
  return {within, 0, cohort.steps - 1};
}

// Undiscounted returns, of the agents and of the team.
template <class Lanes>
SWARMGRAD_FUNCTION RowFault sum_returns(const CohortReturns &cohort, const Lanes &lanes, double *statistics) {
  Double team = 0.0;
  for (int agent = 0; agent < cohort.agents; ++agent) {
    Double own = 0.0;
    for (int step = 0; step < cohort.steps; ++step) own += cohort.own_reward(step, agent);
    own = select(cohort.members, own, Double(0.0));
    lanes.write(statistics + agent_return_at(agent), lanes.sum(own));
    team += own;
  }
  const uint32_t broken = lanes.bits(cohort.members & !(team - team == Double(0.0)));
  if (broken != 0) return find_reward_fault(cohort, broken, lanes);
  double minimum = empty_statistic(return_minimum), maximum = empty_statistic(return_maximum);
  for (int lane = 0; lane < cohort.member_count; ++lane) {
    const double value = lanes.at(team, lane);
    minimum = merge_statistic(return_minimum, minimum, value);
    maximum = merge_statistic(return_maximum, maximum, value);
  }
  lanes.write(statistics + return_sum, lanes.sum(team));
  lanes.write(statistics + return_square_sum, lanes.sum(team * team));
  lanes.write(statistics + return_minimum, minimum);
  lanes.write(statistics + return_maximum, maximum);
  return {0, 0, 0};
}

// After weigh_rows: the weights, and the values of which the next batch's baseline is made.
template <class Lanes>
SWARMGRAD_FUNCTION void sum_weights(const WeightRule &rule, const CohortReturns &cohort, const Lanes &lanes,
                                    double *statistics) {
  Double sum = 0.0, squares = 0.0, magnitude = 0.0;
  for (ptrdiff_t row = 0; row < cohort.steps * static_cast<ptrdiff_t>(cohort.agents); ++row) {
    const Float weight = Float::load(cohort.reward + row * lane_count);
    const Double wide = widen(weight);
    sum += wide;
    squares += wide * wide;
    magnitude += widen(abs(weight));
  }
  lanes.write(statistics + weight_sum, lanes.sum(sum));
  lanes.write(statistics + weight_square_sum, lanes.sum(squares));
  lanes.write(statistics + weight_magnitude_sum, lanes.sum(magnitude));

  const int count = rule.is_per_step() ? cohort.steps : rule.kind == WeightRule::own_return ? cohort.agents : 1;
  Double total = 0.0;
  for (int k = 0; k < count; ++k) {
    const Double value = select(cohort.members, Double::load(cohort.value + k * lane_count), Double(0.0));
    total = rule.is_per_step() ? value : total + value;
    if (rule.is_per_step() || k + 1 == count)
      lanes.write(statistics + value_sum_at(cohort.agents, rule.baseline_index(k)), lanes.sum(total));
  }
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
