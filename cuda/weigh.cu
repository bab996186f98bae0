// Weights of a wave's episodes, in place of their rewards, and the sums that describe each cohort; gradients are other
// kernels'. The formulas are core/weights.h's, with a thread for each lane: the sums over a cohort are the CPU's tree.
//
//   weight[step][agent] = (value - baseline) x factor
//
// Why fused: rewards are read where they lie, a cohort's half warp needs no shared memory and no barrier of the block.
#include "core/weights.h"
#include "cuda/control.h"
#include "cuda/lanes.h"

namespace swarmgrad::SWARMGRAD_TARGET {
namespace {

using cuda::Fault;
using cuda::Group;
using cuda::Pass;
using cuda::Rule;
using cuda::Weigh;

class CohortOfWave {
 public:
  __device__ CohortOfWave(const Weigh &arguments, int cohort, const ThreadLanes &lanes)
      : pass_(arguments.pass),
        lanes_(lanes),
        is_given_(arguments.steps > 0),
        group_(arguments.group),
        cohort_(cohort),
        members_(cuda::members_of(pass_, pass_.first_cohort + cohort)),
        length_(lanes.index() < members_ ? pass_.length[slot()] : 0),
        steps_(is_given_ ? arguments.steps : lanes.maximum(length_)) {}

  __device__ void weigh() const {
    const bool asks = lanes_.index() == 0;
    if (lanes_.bits(asks && cuda::is_over(pass_, environment(members_ - 1))) != 0) return;
    lanes_.write(pass_.cohort_steps + cohort_, steps_);
    for (int g = 0; g < pass_.group_count; ++g)
      if ((group_ < 0 || g == group_) && !weigh_group(g)) return;
    if (!is_given_ && asks) atomicAdd_system(&pass_.shared->cohorts, 1ull);
  }

 private:
  __device__ int64_t slot() const { return static_cast<int64_t>(cohort_) * cuda::cohort_size + lanes_.index(); }
  __device__ uint32_t environment(int lane) const {
    return static_cast<uint32_t>(pass_.first_episode + cuda::first_episode_of(pass_, pass_.first_cohort + cohort_) +
                                 lane);
  }
  // False where a fault was found.
  __device__ bool weigh_group(int g) const {
    const Group &group = pass_.groups[g];
    const Rule &rule = pass_.rules[g];
    const int most = pass_.horizon < group.agents ? group.agents : pass_.horizon;
    const bool is_member = lanes_.index() < members_;
    CohortReturns returns = {steps_,
                             group.agents,
                             members_,
                             is_member,
                             group.reward + slot() * group.rows,
                             rule.previous_baseline,
                             group.value + slot() * most,
                             length_,
                             false,
                             0,
                             nullptr,
                             nullptr};
    if (pass_.network_count > pass_.group_count) {
      const Group &value = pass_.groups[pass_.group_count + g];
      returns.truncated = is_member && pass_.truncated[slot()] != 0;
      returns.value_agents = value.agents;
      returns.state_value = value.output + slot() * (value.rows + value.agents);
      returns.value_error = value.reward + slot() * value.rows;
    }
    uint8_t *alive = group.alive + slot() * group.rows;
    for (int row = length_ * group.agents; row < steps_ * group.agents; ++row) {
      returns.reward[row] = 0.0f;
      alive[row] = 0;
    }
    double *statistics =
        pass_.cohort_statistics + static_cast<int64_t>(cohort_) * pass_.statistics_per_cohort + group.statistics;
    if (!is_given_ && !describe(group, returns, alive, statistics)) return false;
    if (!pass_.learns) return true;
    const WeightRule weight_rule = {static_cast<WeightRule::Kind>(rule.kind),
                                    static_cast<WeightRule::Baseline>(rule.baseline),
                                    rule.discount,
                                    weight_factor(rule.divisor, rule.scales, *rule.moments, rule.reward_scale),
                                    running_deviation(*rule.moments),
                                    rule.lambda,
                                    rule.bootstraps != 0};
    if (!holds(weigh_rows(weight_rule, returns, alive, lanes_), group, Fault::weight)) return false;
    if (returns.value_agents > 0 &&
        !holds(compute_value_errors(weight_rule, returns, alive, lanes_, is_given_ ? nullptr : statistics), group,
               Fault::value))
      return false;
    if (!is_given_) sum_weights(weight_rule, returns, lanes_, statistics);
    return true;
  }

  // Returns, lengths, entropies and features; all other sums are 0.
  __device__ bool describe(const Group &group, const CohortReturns &returns, const uint8_t *alive,
                           double *statistics) const {
    for (int64_t k = lanes_.index(); k < statistics_of_group(group.agents, pass_.horizon, group.normalised);
         k += cuda::cohort_size)
      statistics[k] = 0.0;
    lanes_.meet();  // lane 0 writes over what others have cleared
    if (!holds(sum_returns(returns, lanes_, statistics), group, Fault::reward)) return false;
    const float *entropies = group.entropy + slot() * group.rows;
    Double entropy = 0.0;
    int agent_steps = 0;
    for (int row = 0; row < length_ * group.agents; ++row) {
      entropy += widen(entropies[row]);
      agent_steps += alive[row];
    }
    lanes_.write(statistics + length_sum, lanes_.sum(static_cast<double>(length_)));
    lanes_.write(statistics + agent_step_count, lanes_.sum(static_cast<double>(agent_steps)));
    lanes_.write(statistics + entropy_sum, lanes_.sum(entropy));
    const double *feature_sum = group.feature_sums + slot() * 2 * group.normalised;
    double *features = statistics + feature_sums_at(group.agents, pass_.horizon);
    for (int f = 0; f < 2 * group.normalised; ++f)
      lanes_.write(features + f, lanes_.sum(lanes_.index() < members_ ? feature_sum[f] : 0.0));
    return true;
  }

  __device__ bool holds(const RowFault &found, const Group &group, Fault::Kind kind) const {
    if (found.lanes == 0) return true;
    const int lane = __ffs(static_cast<int>(found.lanes)) - 1;
    if (lane == lanes_.index())
      cuda::report(pass_, slot(), environment(lane), {kind, group.first_agent + found.agent, found.step, -1});
    return false;
  }

  const Pass &pass_;
  const ThreadLanes &lanes_;
  bool is_given_;
  int group_, cohort_, members_, length_, steps_;
};

}  // namespace

// Blocks of whole cohorts, any grid.
SWARMGRAD_KERNEL(swarmgrad_weigh, Weigh, 128, 1) {
  const ThreadLanes lanes;
  const int cohorts_per_block = static_cast<int>(blockDim.x) / cuda::cohort_size;
  const int first =
      static_cast<int>(blockIdx.x) * cohorts_per_block + static_cast<int>(threadIdx.x) / cuda::cohort_size;
  for (int cohort = first; cohort < arguments.pass.wave_cohorts;
       cohort += static_cast<int>(gridDim.x) * cohorts_per_block)
    CohortOfWave(arguments, cohort, lanes).weigh();
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
