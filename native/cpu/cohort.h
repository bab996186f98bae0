// One cohort of sixteen episodes from reset to gradient: reset, [observe, logits, sample, step] x horizon, weights, backward,
// and the sums over the cohort. The formulas are in core/.
#pragma once

#include <atomic>

#include "core/moments.h"
#include "core/policy.h"
#include "core/random.h"
#include "core/weights.h"
#include "cpu/exchange.h"
#include "cpu/networks.h"
#include "host/plan.h"

namespace swarmgrad::SWARMGRAD_TARGET {

using host::Pass;
using host::Worker;

// The lanes of a cohort in one pack; see core/weights.h.
struct PackLanes {
  static double sum(Double x) { return lane_sum(x); }
  static double at(Double x, int index) { return SWARMGRAD_TARGET::lane(x, index); }
  static uint32_t bits(Mask m) { return SWARMGRAD_TARGET::bits(m); }
  static void write(double *to, double value) { *to = value; }
};

class Cohort {
 public:
  Cohort(const Pass &pass, Worker &worker, int64_t first, int64_t members)
      : pass_(pass),
        plan_(*pass.plan),
        worker_(worker),
        first_(first),
        members_(static_cast<int>(members)),
        member_bits_(all_lanes >> (host::cohort_size - members_)),
        context_{static_cast<int32_t>(pass.first_episode + first), members_, pass.iteration, pass.stream, pass.seed},
        object_(worker.memory + plan_.environment_object),
        length_(reinterpret_cast<int32_t *>(worker.memory + plan_.lengths)) {}

  // Plays the episodes and adds what they give. False where the pass was cancelled or a fault was found.
  bool play(float *block_gradient, double *block_statistics) {
    if (!roll_out()) return false;
    double *statistics = reinterpret_cast<double *>(worker_.memory + plan_.cohort_statistics);
    for (int64_t k = 0; k < plan_.statistics_per_block; ++k) statistics[k] = 0.0;
    for (int g = 0; g < plan_.group_count; ++g) {
      const GroupMemory memory = group_memory(g);
      double *own = statistics + memory.plan.statistics;
      if (!describe(g, memory, own)) return false;
      if (pass_.trajectories != nullptr) record(memory, pass_.trajectories[g].reward);
      if (!pass_.learns) continue;
      if (has_values() && !evaluate_states(g)) return false;
      if (!make_weights(g, memory, own)) return false;
      sum_weights(rule_of(g), returns_of(g, memory), PackLanes(), own);
      if (pass_.trajectories != nullptr) record(memory, pass_.trajectories[g].weight);
      if (pass_.trajectories != nullptr && has_values()) record_values(g);
      if (!add_gradient(g, memory, block_gradient)) return false;
      if (has_values() && !add_gradient(value_network(g), value_memory(g), block_gradient)) return false;
    }
    for (int g = 0; g < plan_.group_count; ++g)
      merge_statistics(host::statistics_of(plan_.group[g], plan_.horizon), block_statistics + plan_.group[g].statistics,
                       statistics + plan_.group[g].statistics);
    return true;
  }

  // The gradient of the given batch's episodes.
  bool differentiate_given(float *block_gradient) {
    const GroupMemory memory = group_memory(pass_.given->network);
    steps_ = pass_.given->steps;
    load_batch(*pass_.given, columns(), memory);
    return add_gradient(pass_.given->network, memory, block_gradient);
  }

  // The weights of given rewards.
  void weigh_given(const swarmgrad_rewards &rewards) {
    const GroupMemory memory = group_memory(rewards.group);
    steps_ = rewards.steps;
    load_rewards(rewards, columns(), memory, length_);
    if (has_values()) {
      load_values(rewards, columns(), value_memory(rewards.group));
      truncated_ = load_truncated(rewards, columns());
    }
    if (!make_weights(rewards.group, memory, nullptr)) return;
    record(memory, rewards.weight);
    if (has_values()) record(value_memory(rewards.group), rewards.value_error);
  }

 private:
  // Rows that nobody will read again take each other's place, close together: an episode's would leave the cache.
  bool keeps_rows() const { return pass_.learns && !plan_.replays; }
  static int chunk_of(const GroupPlan &group) {
    return group.agents < group.stored_rows ? group.agents : static_cast<int>(group.stored_rows);
  }
  GroupMemory group_memory(int g) const {
    const GroupPlan &group = plan_.group[g];
    return GroupMemory(group, worker_.memory, pass_.learns ? group.row_stride : chunk_of(group) | 1);
  }
  Columns columns() const { return {first_, members_}; }
  bool has_values() const { return plan_.network_count > plan_.group_count; }
  int value_network(int g) const { return plan_.group_count + g; }
  GroupMemory value_memory(int g) const {
    const GroupPlan &value = plan_.group[value_network(g)];
    return GroupMemory(value, worker_.memory, value.row_stride);
  }
  bool cancelled() const { return pass_.cancelled->load(std::memory_order_relaxed); }
  bool fault(const char *what, uint32_t lanes, int agent, int step) {
    worker_.fault = {what, SWARMGRAD_NUMERIC, pass_.first_episode + first_ + __builtin_ctz(lanes), agent, step, -1};
    return false;
  }
  // Whether the environment's rules still hold in the lanes that play.
  bool rules_hold(uint32_t finished, int step) {
    const host::Problem problem = plan_.environment->problem(object_);
    const uint32_t lanes = problem.lanes & ~finished;
    if (lanes == 0) return true;
    fault(problem.text, lanes, -1, step);
    worker_.fault.status = SWARMGRAD_ENVIRONMENT_FAILED;
    return false;
  }
  bool has_mask(const GroupPlan &group) const {
    return pass_.given != nullptr ? pass_.given->mask != nullptr : group.has_mask;
  }

  // -- rollout

  bool roll_out() {
    plan_.environment->reset(object_, context_);
    for (int lane = 0; lane < host::cohort_size; ++lane) length_[lane] = 0;
    for (int g = 0; g < plan_.group_count; ++g) {
      const GroupMemory memory = group_memory(g);
      store(memory.entropy, Double(0.0));
      for (int f = 0; f < 2 * memory.plan.normalised; ++f) store(memory.feature_sums + f * lane_count, Double(0.0));
    }
    uint32_t finished = all_lanes & ~member_bits_;
    if (!rules_hold(finished, -1)) return false;
    for (int step = 0; step < plan_.horizon && finished != all_lanes; ++step) {
      if (cancelled()) return false;
      if (pass_.learns && plan_.replays && plan_.snapshot_of_step[step] >= 0) save_state(plan_.snapshot_of_step[step]);
      for (int g = 0; g < plan_.group_count; ++g)
        if (!act(g, step, finished)) return false;
      const uint32_t ended = advance(step, finished);
      if (!rules_hold(finished, step)) return false;
      worker_.beat();
      finished = ended;
      steps_ = step + 1;
    }
    truncated_ = member_bits_ & ~finished;
    for (int g = 0; pass_.learns && plan_.values_last_state && g < plan_.group_count; ++g) evaluate_last_state(g);
    for (int g = 0; pass_.trajectories != nullptr && g < plan_.group_count; ++g) record_ends(pass_.trajectories[g]);
    return true;
  }

  // Observes, evaluates the policy and samples for every agent of a group.
  bool act(int g, int step, uint32_t finished) {
    const GroupMemory memory = group_memory(g);
    const GroupPlan &group = memory.plan;
    const int64_t step_row = static_cast<int64_t>(step) * group.agents;
    const int chunk = chunk_of(group);
    for (int first = 0; first < group.agents; first += chunk) {
      const int count = first + chunk < group.agents ? chunk : group.agents - first;
      const int64_t row = step_row + first, stored = keeps_rows() ? row : 0;
      for (int k = 0; k < count; ++k)
        memory.alive[row + k] =
            static_cast<uint16_t>(plan_.environment->alive(object_, group.first_agent + first + k) & ~finished);
      // Also where nothing looks at it: a random rollout is worth timing because it does what a policy's would.
      observe(g, memory, first, count, row, stored, pass_.learns);
      if (plan_.environment->is_checked &&
          !(rules_hold(finished, step) && observations_hold(memory, first, count, step, stored)))
        return false;
      if (pass_.acting[g] == SWARMGRAD_ACT_RANDOM && !group.has_mask) {
        for (int k = 0; k < count; ++k) choose_uniformly(memory, step, first + k, row + k);
        continue;
      }
      if (pass_.acting[g] == SWARMGRAD_ACT_RANDOM) {
        for (int k = 0; k < count; ++k)
          for (int a = 0; a < group.action_count; ++a) store(memory.logits.at(a, stored + k), Float(0.0f));
      } else {
        forward_rows(memory, pass_.parameters, pass_.panels, stored, stored + count);
      }
      for (int k = 0; k < count; ++k)
        if (!choose(g, memory, step, first + k, row + k, stored + k)) return false;
    }
    return true;
  }

  // Whether the rows that observe() has just filled are finite; a lane that is not alive holds zeros by now.
  bool observations_hold(const GroupMemory &memory, int first_agent, int count, int step, int64_t stored) {
    for (int k = 0; k < count; ++k)
      if (find_observation_fault(memory, first_agent + k, step, stored + k)) return false;
    return true;
  }
  bool find_observation_fault(const GroupMemory &memory, int agent, int step, int64_t stored) {
    for (int f = 0; f < memory.plan.observation_size; ++f) {
      const Float value = Float::load(memory.features.at(f, stored));
      const Mask broken = !(value - value == 0.0f);
      if (none(broken)) continue;
      fault(host::observation_fault, bits(broken), memory.plan.first_agent + agent, step);
      worker_.fault.feature = f;
      return true;
    }
    return false;
  }

  // Fills stored rows of observation and mask; a lane that is not alive observes zeros. counts: in the feature sums.
  void observe(int g, const GroupMemory &memory, int first_agent, int count, int64_t row, int64_t stored, bool counts) {
    const GroupPlan &group = memory.plan;
    plan_.environment->observe(object_, group.first_agent + first_agent, count, memory.features.at(0, stored),
                               memory.features.stride * lane_count,
                               group.has_mask ? memory.available + stored * group.action_count : nullptr,
                               group.action_count);
    for (int k = 0; k < count && group.index_feature >= 0; ++k)
      for (int index = 0; index < group.agents; ++index)
        store(memory.features.at(group.index_feature + index, stored + k),
              Float(index == first_agent + k ? 1.0f : 0.0f));
    for (int k = 0; k < count; ++k) silence_dead(memory, row + k, stored + k);
    for (int k = 0; k < count && group.normalised > 0; ++k)
      normalise(memory, pass_.rule[g].normalisation, row + k, stored + k, counts);
  }
  void normalise(const GroupMemory &memory, const Normalisation *normalisation, int64_t row, int64_t stored,
                 bool counts) const {
    const Mask alive = mask_from_bits(memory.alive[row]);
    for (int f = 0; f < memory.plan.normalised; ++f) {
      float *where = memory.features.at(f, stored);
      const Float value = Float::load(where);
      if (counts) {
        double *sum = memory.feature_sums + f * lane_count;
        double *square_sum = sum + memory.plan.normalised * lane_count;
        store(sum, Double::load(sum) + widen(value));
        store(square_sum, Double::load(square_sum) + widen(value) * widen(value));
      }
      store(where, select(alive, normalised(value, normalisation[f]), Float(0.0f)));
    }
  }

  // The action that equal logits would give: with n actions, sampling takes the first k for which k + 1 > uniform x n.
  void choose_uniformly(const GroupMemory &memory, int step, int agent, int64_t row) {
    const GroupPlan &group = memory.plan;
    const Float count = static_cast<float>(group.action_count);
    const Int action = truncate(uniform(action_bits(step, group.first_agent + agent)) * count);
    store(memory.action + row * lane_count, select(mask_from_bits(memory.alive[row]), action, Int(0)));
  }

  bool choose(int g, const GroupMemory &memory, int step, int agent, int64_t row, int64_t stored) {
    const GroupPlan &group = memory.plan;
    const Logits logits(memory.logits.at(0, stored), memory.logits.stride * lane_count, group.action_count,
                        memory.available_at(stored, group.has_mask), memory.scratch);
    const Mask alive = mask_from_bits(memory.alive[row]);
    const Mask broken = alive & !logits.is_valid();
    if (any(broken))
      return !find_observation_fault(memory, agent, step, stored) &&
             fault(host::logits_fault, bits(broken), group.first_agent + agent, step);
    Int action = 0;
    if (pass_.acting[g] == SWARMGRAD_ACT_GREEDY)
      action = logits.greedy();
    else
      action = logits.sample(uniform(action_bits(step, group.first_agent + agent)));
    action = select(alive, action, Int(0));
    store(memory.action + row * lane_count, action);
    if (pass_.acting[g] != SWARMGRAD_ACT_RANDOM)
      store(memory.entropy, Double::load(memory.entropy) + widen(select(alive, logits.entropy(), Float(0.0f))));
    if (pass_.trajectories != nullptr)
      write_action(pass_.trajectories[g], columns(), pass_.episodes, memory, logits, action, row, stored);
    return true;
  }

  // Four agents share one block of random words: agent i takes word i mod 4 of the block of agent i - i mod 4.
  Int action_bits(int step, int agent) {
    if (step != drawn_step_ || agent / 4 != drawn_agent_) {
      const Int environment = environments_of_lanes(context_.first_environment, members_);
      const Purpose purpose = in_stream(Purpose::act, pass_.stream);
      drawn_ = philox(counter(environment, pass_.iteration, static_cast<uint32_t>(step), agent - agent % 4, purpose, 0),
                      static_cast<uint32_t>(pass_.seed), static_cast<uint32_t>(pass_.seed >> 32));
      drawn_step_ = step;
      drawn_agent_ = agent / 4;
    }
    return drawn_.word[agent % 4];
  }

  // Steps the environment with the stored actions; finished lanes keep the state they ended in and earn nothing.
  uint32_t advance(int step, uint32_t finished) {
    int32_t *action = reinterpret_cast<int32_t *>(worker_.memory + plan_.actions);
    float *reward = reinterpret_cast<float *>(worker_.memory + plan_.rewards);
    gather_actions(step, action);
    const uint32_t before = finished;
    const uint32_t ended = step_environment(step, finished, action, reward);
    for (int g = 0; g < plan_.group_count; ++g) {
      const GroupMemory memory = group_memory(g);
      for (int k = 0; k < memory.plan.agents; ++k) {
        const Float earned = Float::load(reward + (memory.plan.first_agent + k) * lane_count);
        const int64_t row = static_cast<int64_t>(step) * memory.plan.agents + k;
        store(memory.reward + row * lane_count, select(mask_from_bits(before), Float(0.0f), earned));
      }
    }
    store(length_, Int::load(length_) + select(mask_from_bits(before), Int(0), Int(1)));
    return finished | ended;
  }
  void gather_actions(int step, int32_t *action) const {
    for (int g = 0; g < plan_.group_count; ++g) {
      const GroupMemory memory = group_memory(g);
      const int32_t *from = memory.action + static_cast<int64_t>(step) * memory.plan.agents * lane_count;
      int32_t *to = action + memory.plan.first_agent * lane_count;
      for (int k = 0; k < memory.plan.agents * lane_count; ++k) to[k] = from[k];
    }
  }
  uint32_t step_environment(int step, uint32_t finished, const int32_t *action, float *reward) {
    char *state = worker_.memory + plan_.environment_memory;
    char *kept =
        worker_.memory + plan_.snapshots + static_cast<size_t>(plan_.snapshot_count) * plan_.environment_state_bytes;
    const bool freezes = (finished & member_bits_) != 0;
    if (freezes) copy_slots(state, kept);
    plan_.environment->draw(object_, context_, step);
    const uint32_t ended = plan_.environment->step(object_, action, reward);
    if (freezes) {
      const Mask frozen = mask_from_bits(finished);
      for (size_t at = 0; at < plan_.environment_state_bytes; at += host::cache_line) {
        int32_t *slot = reinterpret_cast<int32_t *>(state + at);
        store(slot, select(frozen, Int::load(reinterpret_cast<const int32_t *>(kept + at)), Int::load(slot)));
      }
    }
    return ended;
  }
  void copy_slots(const char *from, char *to) const {
    for (size_t at = 0; at < plan_.environment_state_bytes; at += host::cache_line)
      store(reinterpret_cast<int32_t *>(to + at), Int::load(reinterpret_cast<const int32_t *>(from + at)));
  }
  char *snapshot(int index) const {
    return worker_.memory + plan_.snapshots + static_cast<size_t>(index) * plan_.environment_state_bytes;
  }
  void save_state(int index) const { copy_slots(worker_.memory + plan_.environment_memory, snapshot(index)); }

  // -- statistics and weights

  bool holds(const RowFault &found, const GroupMemory &memory, const char *what) {
    return found.lanes == 0 || fault(what, found.lanes, memory.plan.first_agent + found.agent, found.step);
  }

  // Returns, lengths and entropies.
  bool describe(int g, const GroupMemory &memory, double *statistics) {
    const RowFault broken = sum_returns(returns_of(g, memory), PackLanes(), statistics);
    if (!holds(broken, memory, host::reward_fault)) return false;
    double length = 0, agent_steps = 0;
    for (int lane = 0; lane < members_; ++lane) length += length_[lane];
    for (int64_t row = 0; row < static_cast<int64_t>(steps_) * memory.plan.agents; ++row)
      agent_steps += __builtin_popcount(memory.alive[row]);
    statistics[length_sum] = length;
    statistics[agent_step_count] = agent_steps;
    statistics[entropy_sum] = lane_sum(Double::load(memory.entropy));
    double *features = statistics + feature_sums_at(memory.plan.agents, plan_.horizon);
    for (int f = 0; f < 2 * memory.plan.normalised; ++f)
      features[f] = lane_sum(Double::load(memory.feature_sums + f * lane_count));
    return true;
  }

  WeightRule rule_of(int g) const {
    const host::GroupRule &rule = pass_.rule[g];
    return {static_cast<WeightRule::Kind>(rule.kind),
            static_cast<WeightRule::Baseline>(rule.baseline),
            rule.discount,
            rule.factor,
            rule.deviation,
            rule.lambda,
            rule.bootstraps};
  }
  CohortReturns returns_of(int g, const GroupMemory &memory) const {
    CohortReturns returns = {steps_,
                             memory.plan.agents,
                             members_,
                             mask_from_bits(member_bits_),
                             memory.reward,
                             pass_.rule[g].previous_baseline,
                             memory.values,
                             Int::load(length_),
                             mask_from_bits(truncated_),
                             0,
                             nullptr,
                             nullptr};
    if (!has_values()) return returns;
    const GroupMemory value = value_memory(g);
    returns.value_agents = value.plan.agents;
    returns.state_value = value.outputs;
    returns.value_error = value.reward;
    return returns;
  }
  bool make_weights(int g, const GroupMemory &memory, double *statistics) {
    const WeightRule rule = rule_of(g);
    const CohortReturns returns = returns_of(g, memory);
    if (!holds(weigh_rows(rule, returns, memory.alive, PackLanes()), memory, host::weight_fault)) return false;
    return !has_values() ||
           holds(compute_value_errors(rule, returns, memory.alive, PackLanes(), statistics), memory, host::value_fault);
  }

  // -- values of states

  // Copies what `count` agents observe, in stored rows, to where the value network sees it.
  static void gather(const GroupMemory &policy, int64_t stored, int first_agent, int count, const GroupMemory &value,
                     int64_t value_row) {
    const int features = policy.plan.observation_size;
    const bool is_joint = value.plan.agents == 1;
    for (int k = 0; k < count; ++k)
      for (int f = 0; f < features; ++f)
        store(is_joint ? value.features.at((first_agent + k) * features + f, value_row)
                       : value.features.at(f, value_row + k),
              Float::load(policy.features.at(f, stored + k)));
  }
  // What agents observe at a step, stored or observed again, for value rows begin .. end - 1 of that step.
  void restore_state(int g, int step, int64_t begin, int64_t end, const GroupMemory &value, int64_t value_row) {
    const GroupMemory policy = group_memory(g);
    const bool is_joint = value.plan.agents == 1, observes = plan_.replays || step == plan_.horizon;
    const int64_t step_row = static_cast<int64_t>(step) * policy.plan.agents;
    const int from = is_joint ? 0 : static_cast<int>(begin - step_row);
    const int to = is_joint ? policy.plan.agents : static_cast<int>(end - step_row);
    for (int first = from; first < to; first += chunk_of(policy.plan)) {
      const int count = first + chunk_of(policy.plan) < to ? chunk_of(policy.plan) : to - first;
      const int64_t stored = plan_.replays ? 0 : step_row + first;
      if (observes) observe(g, policy, first, count, step_row + first, stored, false);
      gather(policy, stored, first, count, value, is_joint ? value_row : value_row + first - from);
    }
  }
  // Of the segment's rows, in stored rows 0 ..: observations and hidden features, and the values in the logits' place.
  void restore_values(int g, const GroupMemory &value, int64_t begin, int64_t end) {
    const int agents = value.plan.agents;
    const int first_step = static_cast<int>(begin / agents), last_step = static_cast<int>((end - 1) / agents);
    if (plan_.replays)
      copy_slots(snapshot(plan_.snapshot_of_step[first_step]), worker_.memory + plan_.environment_memory);
    for (int step = first_step; step <= last_step; ++step) {
      const int64_t step_row = static_cast<int64_t>(step) * agents;
      const int64_t from = begin > step_row ? begin : step_row;
      const int64_t to = end < step_row + agents ? end : step_row + agents;
      restore_state(g, step, from, to, value, from - begin);
      if (plan_.replays && step < last_step) replay_step(step);
    }
    forward_rows(value, pass_.parameters, pass_.panels, 0, end - begin);
  }
  bool evaluate_states(int g) {
    const GroupMemory value = value_memory(g);
    const int64_t rows = static_cast<int64_t>(steps_) * value.plan.agents;
    for (int64_t s = 0; s < value.plan.segments; ++s) {
      const int64_t begin = host::segment_begin(value.plan, s);
      const int64_t end = host::segment_begin(value.plan, s + 1) < rows ? host::segment_begin(value.plan, s + 1) : rows;
      if (begin >= end) break;
      if (cancelled()) return false;
      restore_values(g, value, begin, end);
      keep_values(value, begin, end - begin);
      worker_.beat();
    }
    return true;
  }
  static void keep_values(const GroupMemory &value, int64_t row, int64_t count) {
    for (int64_t k = 0; k < count; ++k)
      store(value.outputs + (row + k) * lane_count, Float::load(value.logits.at(0, k)));
  }
  // The environment is where the episodes ended; lanes that the horizon did not cut see zeros.
  void evaluate_last_state(int g) {
    const GroupMemory policy = group_memory(g), value = value_memory(g);
    const int64_t policy_row = static_cast<int64_t>(plan_.horizon) * policy.plan.agents;
    for (int k = 0; k < policy.plan.agents; ++k)
      policy.alive[policy_row + k] =
          static_cast<uint16_t>(plan_.environment->alive(object_, policy.plan.first_agent + k) & truncated_);
    restore_state(g, plan_.horizon, value.plan.rows, value.plan.rows + value.plan.agents, value, 0);
    forward_rows(value, pass_.parameters, pass_.panels, 0, value.plan.agents);
    keep_values(value, value.plan.rows, value.plan.agents);
  }

  // -- gradient

  bool add_gradient(int network, const GroupMemory &memory, float *block_gradient) {
    const GroupPlan &group = memory.plan;
    float *cohort = reinterpret_cast<float *>(worker_.memory + plan_.cohort_gradient);
    float *segment = cohort + plan_.parameter_count;
    const int64_t rows = static_cast<int64_t>(steps_) * group.agents;
    bool first = true;
    for (int64_t s = 0; s < group.segments; ++s) {
      const int64_t begin = host::segment_begin(group, s);
      const int64_t end = host::segment_begin(group, s + 1) < rows ? host::segment_begin(group, s + 1) : rows;
      if (begin >= end) break;
      if (cancelled()) return false;
      const bool restores = plan_.replays || group.is_value || pass_.given != nullptr;
      if (restores) restore_rows(network, memory, begin, end);
      const int64_t stored = restores ? 0 : begin;
      for (int64_t row = begin; row < end; ++row) {
        const int64_t at = stored + row - begin;
        float *logit = memory.logits.at(0, at);
        if (group.is_value) {
          store(logit, Float::load(memory.reward + row * lane_count));
          continue;
        }
        const Logits logits(logit, memory.logits.stride * lane_count, group.action_count,
                            memory.available_at(at, has_mask(group)), memory.scratch);
        const Mask alive = mask_from_bits(memory.alive[row]);
        if (pass_.given != nullptr && any(alive & !logits.is_valid()))
          return fault(host::logits_fault, bits(alive & !logits.is_valid()),
                       group.first_agent + static_cast<int>(row % group.agents), static_cast<int>(row / group.agents));
        logits.gradient(Int::load(memory.action + row * lane_count), Float::load(memory.reward + row * lane_count),
                        static_cast<float>(pass_.entropy_coefficient), alive, logit);
      }
      worker_.beat();
      float *out = first ? cohort : segment;
      backward_rows(memory, pass_.panels, stored, end - begin, out);
      if (!first)
        for (int64_t p = group.parameter_offset; p < group.parameter_offset + group.parameter_count; ++p)
          cohort[p] += segment[p];
      first = false;
    }
    if (!first)
      for (int64_t p = group.parameter_offset; p < group.parameter_offset + group.parameter_count; ++p)
        block_gradient[p] += cohort[p];
    return true;
  }

  // Brings rows begin .. end - 1 back into stored rows 0 ..: replayed from a snapshot, or copied from a given batch.
  void restore_rows(int network, const GroupMemory &memory, int64_t begin, int64_t end) {
    const GroupPlan &group = memory.plan;
    if (group.is_value && pass_.given == nullptr) {
      // What evaluate_states left is still there where the episode is one segment.
      if (group.segments > 1) restore_values(network - plan_.group_count, memory, begin, end);
      return;
    }
    const int first_step = static_cast<int>(begin / group.agents),
              last_step = static_cast<int>((end - 1) / group.agents);
    if (pass_.given == nullptr)
      copy_slots(snapshot(plan_.snapshot_of_step[first_step]), worker_.memory + plan_.environment_memory);
    for (int step = first_step; step <= last_step; ++step) {
      const int64_t step_row = static_cast<int64_t>(step) * group.agents;
      const int64_t from = begin > step_row ? begin : step_row;
      const int64_t to = end < step_row + group.agents ? end : step_row + group.agents;
      const int agent = static_cast<int>(from - step_row), count = static_cast<int>(to - from);
      if (pass_.given != nullptr) {
        for (int k = 0; k < count; ++k)
          load_row(*pass_.given, columns(), memory, step, agent + k, from + k, from + k - begin);
        continue;
      }
      observe(network, memory, agent, count, from, from - begin, false);
      if (step < last_step) replay_step(step);
    }
    forward_rows(memory, pass_.parameters, pass_.panels, 0, end - begin);
  }
  void replay_step(int step) {
    int32_t *action = reinterpret_cast<int32_t *>(worker_.memory + plan_.actions);
    float *reward = reinterpret_cast<float *>(worker_.memory + plan_.rewards);
    gather_actions(step, action);
    uint32_t finished = all_lanes & ~member_bits_;
    for (int lane = 0; lane < members_; ++lane)
      if (length_[lane] <= step) finished |= 1u << lane;
    step_environment(step, finished, action, reward);
  }

  // -- records

  void record(const GroupMemory &memory, float *to) const { write_rows(memory, steps_, columns(), pass_.episodes, to); }
  void record_ends(const swarmgrad_trajectories &out) const {
    for (int lane = 0; lane < members_; ++lane) {
      if (out.episode_length != nullptr) out.episode_length[first_ + lane] = length_[lane];
      if (out.truncated != nullptr) out.truncated[first_ + lane] = (truncated_ >> lane & 1) != 0;
    }
  }
  // Of the states in which the episode goes on, and of the one where the horizon cut it.
  void record_values(int g) const {
    const swarmgrad_trajectories &out = pass_.trajectories[g];
    const GroupMemory value = value_memory(g);
    record(value, out.value_error);
    for (int lane = 0; out.value != nullptr && lane < members_; ++lane) {
      const bool has_last = plan_.values_last_state && (truncated_ >> lane & 1) != 0;
      const int64_t states = length_[lane] + (has_last ? 1 : 0);
      for (int64_t row = 0; row < states * value.plan.agents; ++row)
        out.value[row * pass_.episodes + first_ + lane] = value.outputs[row * lane_count + lane];
    }
  }

  const Pass &pass_;
  const Plan &plan_;
  Worker &worker_;
  int64_t first_;
  int members_;
  uint32_t member_bits_;
  host::EnvironmentContext context_;
  void *object_;
  int32_t *length_;
  int steps_ = 0;
  uint32_t truncated_ = 0;  // lanes whose episode the horizon cut
  Block drawn_;
  int drawn_step_ = -1, drawn_agent_ = -1;
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
