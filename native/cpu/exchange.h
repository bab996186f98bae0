// Batches that a caller gives and records that it takes: [..][environment], beside rows of lanes.
#pragma once

#include "core/policy.h"
#include "cpu/networks.h"
#include "swarmgrad/swarmgrad.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// The environments of one cohort.
struct Columns {
  int64_t first;
  int members;
};

inline void load_batch(const swarmgrad_batch &batch, Columns columns, const GroupMemory &memory) {
  const int64_t rows = static_cast<int64_t>(batch.steps) * memory.plan.agents;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = row * batch.environments + columns.first;
    uint32_t alive = 0;
    for (int lane = 0; lane < host::cohort_size; ++lane) {
      const bool lives = lane < columns.members && (batch.alive == nullptr || batch.alive[at + lane] != 0);
      memory.action[row * lane_count + lane] = lives && batch.action != nullptr ? batch.action[at + lane] : 0;
      memory.reward[row * lane_count + lane] = lives ? batch.weight[at + lane] : 0.0f;
      alive |= static_cast<uint32_t>(lives) << lane;
    }
    memory.alive[row] = static_cast<uint16_t>(alive);
  }
}

inline void load_rewards(const swarmgrad_rewards &rewards, Columns columns, const GroupMemory &memory,
                         int32_t *length) {
  for (int lane = 0; lane < host::cohort_size; ++lane)
    length[lane] = lane >= columns.members             ? 0
                   : rewards.episode_length == nullptr ? rewards.steps
                                                       : rewards.episode_length[columns.first + lane];
  for (int step = 0; step < rewards.steps; ++step)
    for (int agent = 0; agent < memory.plan.agents; ++agent) {
      const int64_t row = static_cast<int64_t>(step) * memory.plan.agents + agent;
      const int64_t at = row * rewards.environments + columns.first;
      uint32_t alive = 0;
      for (int lane = 0; lane < host::cohort_size; ++lane) {
        const bool plays = step < length[lane];
        const bool lives = plays && (rewards.alive == nullptr || rewards.alive[at + lane] != 0);
        memory.reward[row * lane_count + lane] = plays ? rewards.reward[at + lane] : 0.0f;
        alive |= static_cast<uint32_t>(lives) << lane;
      }
      memory.alive[row] = static_cast<uint16_t>(alive);
    }
}

inline void load_values(const swarmgrad_rewards &rewards, Columns columns, const GroupMemory &value) {
  for (int64_t row = 0; row < (rewards.steps + int64_t{1}) * value.plan.agents; ++row)
    for (int lane = 0; lane < host::cohort_size; ++lane)
      value.outputs[row * lane_count + lane] = lane < columns.members && rewards.value != nullptr
                                                   ? rewards.value[row * rewards.environments + columns.first + lane]
                                                   : 0.0f;
}

// Of the lanes, lane 0 lowest.
inline uint32_t load_truncated(const swarmgrad_rewards &rewards, Columns columns) {
  uint32_t truncated = 0;
  for (int lane = 0; rewards.truncated != nullptr && lane < columns.members; ++lane)
    truncated |= static_cast<uint32_t>(rewards.truncated[columns.first + lane] != 0) << lane;
  return truncated;
}

inline void load_row(const swarmgrad_batch &batch, Columns columns, const GroupMemory &memory, int step, int agent,
                     int64_t row, int64_t stored) {
  const GroupPlan &group = memory.plan;
  const int64_t given_row = static_cast<int64_t>(step) * group.agents + agent;
  for (int f = 0; f < group.observation_size; ++f) {
    const float *from =
        batch.observation + (given_row * group.observation_size + f) * batch.environments + columns.first;
    float *to = memory.features.at(f, stored);
    for (int lane = 0; lane < host::cohort_size; ++lane) to[lane] = lane < columns.members ? from[lane] : 0.0f;
  }
  silence_dead(memory, row, stored);
  if (batch.mask == nullptr) return;
  for (int a = 0; a < group.action_count; ++a) {
    const uint8_t *from = batch.mask + (given_row * group.action_count + a) * batch.environments + columns.first;
    uint32_t available = 0;
    for (int lane = 0; lane < columns.members; ++lane) available |= static_cast<uint32_t>(from[lane] != 0) << lane;
    memory.available[stored * group.action_count + a] = static_cast<uint16_t>(available);
  }
}

inline void write_action(const swarmgrad_trajectories &out, Columns columns, int64_t environments,
                         const GroupMemory &memory, const Logits &logits, Int action, int64_t row, int64_t stored) {
  const GroupPlan &group = memory.plan;
  const Float log_probability = logits.log_probability(action);
  for (int lane = 0; lane < columns.members; ++lane) {
    const int64_t at = row * environments + columns.first + lane;
    const bool lives = (memory.alive[row] >> lane & 1) != 0;
    if (out.action != nullptr) out.action[at] = memory.action[row * lane_count + lane];
    if (out.alive != nullptr) out.alive[at] = lives;
    if (out.log_probability != nullptr)
      out.log_probability[at] = lives ? SWARMGRAD_TARGET::lane(log_probability, lane) : 0.0f;
    for (int f = 0; out.observation != nullptr && f < group.observation_size; ++f)
      out.observation[(row * group.observation_size + f) * environments + columns.first + lane] =
          memory.features.at(f, stored)[lane];
    for (int a = 0; out.mask != nullptr && group.has_mask && a < group.action_count; ++a)
      out.mask[(row * group.action_count + a) * environments + columns.first + lane] =
          lives && (memory.available[stored * group.action_count + a] >> lane & 1) != 0;
  }
}

inline void write_rows(const GroupMemory &memory, int steps, Columns columns, int64_t environments, float *to) {
  for (int64_t row = 0; to != nullptr && row < static_cast<int64_t>(steps) * memory.plan.agents; ++row)
    for (int lane = 0; lane < columns.members; ++lane)
      to[row * environments + columns.first + lane] = memory.reward[row * lane_count + lane];
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
