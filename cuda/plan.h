// The contract between the CUDA engine's host code and its kernels: shapes, arrays and the one argument of every kernel.
// Plain data for g++, nvcc and NVRTC alike; holds no arithmetic but indices.
//
// One iteration, for each wave of cohorts that fits the memory:
//   rollout      episodes: observations, actions, rewards, entropies of every row          (one kernel an environment)
//   differentiate  with `evaluates`: the values of all rows' states, for each value network
//   weigh        a cohort: returns, baselines, weights (in place of the rewards), statistics
//   differentiate  a unit, which is a (network, cohort, segment): the forward pass or what is kept of it, its partial gradient
//   fold         units to cohorts to their blocks, in order
// before them once: pack (panels); after them once: reduce (blocks by a pairwise tree, gradient and statistics), measure
// (norms), update (optimizer), commit (baselines, moments, iteration, what the host reads).
//
// A *row* is (step, agent of the group), agent fastest. A *slot* is 16 x cohort of the wave + lane; lanes beyond a cohort's
// members are never played. Per-row arrays are [slot][row], rows = horizon x agents of the group; rows from length[slot] x
// agents on are not written, and whoever reads them takes zeros and a dead agent in their place.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/moments.h"
#include "core/optimizer.h"
#include "core/partition.h"
#include "core/purpose.h"
#include "core/statistic.h"

namespace swarmgrad::cuda {

using swarmgrad::part_begin;

constexpr int cohort_size = 16;
constexpr int max_layers = 5;

// One matrix of a policy. Panels are its weights again, in the order in which tiles read them, rows padded with zeros to
// whole tiles: forward [1 + input][padded_outputs], the biases first, backward [output][padded_inputs]. A group's panels
// follow each other: all forward ones, then all backward ones (layout.h: lay_panels).
struct Layer {
  int inputs, outputs;
  int padded_inputs, padded_outputs;      // to multiples of panel_width
  int64_t weight, bias;                   // offsets in the parameters: weight [output][input], bias [output]
  int64_t forward_panel, backward_panel;  // offsets in the panels; backward -1 for the first layer
  int input_feature;                      // the first of its inputs among the group's features
};
constexpr int panel_width = 8;
constexpr int max_blocks = 64;
constexpr int gradient_threads =
    192;                            // of differentiate's blocks, at most: two of them leave each thread 168 registers
constexpr int tanh_activation = 0;  // swarmgrad_activation
constexpr int acts_greedily = 1, acts_randomly = 2;  // swarmgrad_acting

// swarmgrad_rates
struct Rates {
  double learning_rate, value_learning_rate, entropy_coefficient;
};

// A network over an episode's rows: a group's policy or, after all of them, its value network, whose agents are its rows a
// step and whose one action is the value.
struct Group {
  int is_value;
  int acting;  // swarmgrad_acting
  int first_agent, agents;
  int observation_size, action_count;  // the observation with the agent's index
  int index_feature;                   // where the agent's index begins in the observation, one-hot; -1 where it is not
  int normalised;  // the first features of the observation, which running moments normalise; 0: none
  int has_mask;
  int activation;  // swarmgrad_activation
  int layer_count;
  Layer layer[max_layers];
  int features;     // observation and all hidden layers
  int kept_hidden;  // what the rollout keeps of a row beside its observation: all hidden features and logits, or 0
  int64_t parameter_offset, parameter_count;
  int rows, segments;   // of an episode
  int longest_segment;  // rows
  int statistics;       // offset in doubles into a cohort's or block's statistics, see core/statistic.h
  // Arrays of the wave, [slot] first.
  float *observation;  // [slot][row][observation_size], as the network sees it; 0 where not alive
  float *
      last_observation;  // [slot][agent][observation_size] likewise, of the state in which the horizon cut the episode;
                         // null where nobody asks
  float *hidden;         // [slot][row][kept_hidden]
  int32_t *action;       // [slot][row]; 0 where not alive
  float *reward;         // [slot][row], dead agents' included; weigh replaces it by the weight, 0 where not alive. Of a
                         // value network: aim - output, likewise
  float *output;         // [slot][rows + agents], with the state after the last step; of a value network only
  uint8_t *alive;        // [slot][row]
  uint16_t *available;   // [slot][row][action_count], 1 where available; only with a mask
  float *entropy;        // [slot][row], 0 where not alive
  float *log_probability;  // [slot][row] of the action taken, 0 where not alive; null but for records
  float *unit_gradient;    // [unit of the wave][parameter_count of the group]
  double *value;           // [slot][max(horizon, agents)], see core/weights.h
  double *feature_sums;    // [slot][2][normalised]: over living rows, each feature's sum, then those of their squares
  Normalisation *normalisation;  // [normalised], not of the wave: pack makes it
};

// What multiplies grad log pi for one group; see core/weights.h and core/moments.h. Constant: what changes from batch to
// batch, commit's to write, is behind the pointers.
struct Rule {
  int kind, baseline;
  double discount, lambda, reward_scale;
  int bootstraps;
  int divisor;                   // agents for the mean over agents, else 1
  int scales;                    // by the running deviation
  int agents_of_a_value;         // agents where each has a value of its own (own_return), else 1
  double *previous_baseline;     // [horizon]
  Moments *moments;              // of the team's return, over earlier batches
  Moments *observation_moments;  // [normalised]
};

// What went wrong first in an episode. The host turns it into a host::Fault.
struct Fault {
  enum Kind : int32_t {
    none,
    observation,  // not finite or not written
    logits,       // not finite, or no action available
    rules,        // the environment's own invalid()
    reward,
    weight,
    value
  };
  int32_t kind, agent, step, feature;  // agent over all groups; -1: of none
};

// Of the whole engine. Kernels of a pass begin with `if (halted(*pass.control)) return;`, so that after a fault or a cancel
// parameters stay those of the last complete iteration, and the wave's arrays those of the fault. A kernel whose own blocks
// set fault_environment or cancelled asks control.h instead, so that the fault found does not depend on their order.
struct Control {
  uint32_t
      fault_environment;  // the lowest with a fault, by atomicMin; UINT32_MAX: none; details in Pass::fault. The CPU
                          // engine reports its cohort's fault of the earliest step, of the lowest environment then
  int32_t cancelled;      // a kernel has seen Shared::cancel
  int32_t gradient_fault_network, update_fault_network;  // whose gradient or new parameters are not finite; -1: none
  uint32_t broken_network;  // the lowest whose new parameters are not finite, from update to commit; UINT32_MAX: none
  int64_t iteration;
};

// Pinned host memory that the device reads and writes while it runs.
struct Shared {
  volatile int32_t cancel;  // set by the host
  int32_t reserved;
  unsigned long long beats;    // atomicAdd_system: a block's steps, every 64 of them and at its end
  unsigned long long cohorts;  // atomicAdd_system: cohorts finished
};

// What the kernels of one pass over episodes share.
struct Pass {
  const Group *groups;  // [network_count], in device memory: the policies, then the value networks
  const Rule *rules;    // [group_count]
  int group_count, network_count, agent_count, horizon;
  int statistics_per_cohort;  // doubles, of all groups
  const float *parameters, *panels;
  int64_t parameter_count;
  const Rates *rates;               // [iteration of the launch]
  const int32_t *launch_iteration;  // which of them this is; the host sets it to 0 before
  uint64_t seed;
  const int64_t *iteration;  // in device memory: Control::iteration, or a zero for evaluation
  Stream stream;
  int learns;                         // weights and gradients, not only statistics
  int64_t first_episode;              // what environment number episode 0 has
  int64_t episodes, cohorts, blocks;  // of the whole pass
  const int64_t *cohort_first;        // [cohorts + 1] the first episode of each, or null for the engine's own partition
  int64_t first_cohort;               // of this wave
  int wave_cohorts;
  int32_t *length;            // [slot]: steps played
  uint8_t *truncated;         // [slot]: the horizon ended the episode, not its rules
  int32_t *cohort_steps;      // [cohort of the wave]: the longest of its episodes; weigh sets it
  Fault *fault;               // [slot]
  double *cohort_statistics;  // [cohort of the wave][statistics_per_cohort]
  Control *control;
  Shared *shared;
};

// Floats of a group's panels from layer[0].forward_panel on: the forward ones, and with them the backward ones.
SWARMGRAD_FUNCTION int64_t forward_panel_count(const Group &group) {
  const Layer &last = group.layer[group.layer_count - 1];
  return last.forward_panel + (int64_t{1} + last.inputs) * last.padded_outputs - group.layer[0].forward_panel;
}
SWARMGRAD_FUNCTION int64_t panel_count(const Group &group) {
  const Layer &last = group.layer[group.layer_count - 1];
  if (last.backward_panel < 0) return forward_panel_count(group);
  return last.backward_panel + int64_t{1} * last.outputs * last.padded_inputs - group.layer[0].forward_panel;
}
SWARMGRAD_FUNCTION int64_t segment_begin(const Group &group, int64_t segment) {
  return part_begin(segment, group.rows, group.segments);
}
SWARMGRAD_FUNCTION int64_t first_episode_of(const Pass &pass, int64_t cohort) {
  return pass.cohort_first != nullptr ? pass.cohort_first[cohort] : part_begin(cohort, pass.episodes, pass.cohorts);
}
SWARMGRAD_FUNCTION int members_of(const Pass &pass, int64_t cohort) {
  return static_cast<int>(first_episode_of(pass, cohort + 1) - first_episode_of(pass, cohort));
}
SWARMGRAD_FUNCTION bool halted(const Control &control) {
  return control.fault_environment != UINT32_MAX || control.cancelled != 0 || control.gradient_fault_network >= 0 ||
         control.update_fault_network >= 0;
}

// ---- arguments of the kernels --------------------------------------------------------------------------------------

// Where a block keeps what it works on: in its dynamic shared memory, or in `scratch`, bytes_per_block for each block of
// the grid. Both give the same bits. Offsets are from the beginning of the respective memory.
struct Place {
  int in_shared;
  size_t offset;
};

// A block plays `episodes_per_block` neighbouring slots at a time, then the next ones gridDim.x tiles on: any grid size
// gives the same bits. Matrix products go over at most `tile_rows` rows (agents of one group) at a time. Blocks are whole
// warps, at most 256 threads.
struct Rollout {
  Pass pass;
  const double *parameters;  // of the environment
  int episodes_per_block;
  int tile_rows;       // a multiple of 8; the row stride of features is tile_rows + 4
  size_t state_bytes;  // of one episode: state, chance and scratch arrays, one value an element, with padding
  Place state;         // [episode of the block][state_bytes]
  Place features;    // of the group at hand: [feature], then logits [action], then exponentials alike, [tile_rows + 4]
  Place row_memory;  // RowMemory
  Place panels;      // a copy of all groups' forward panels in shared memory, or none: in_shared 0 = read from L2
  char *scratch;
  size_t scratch_bytes_per_block;
};

// What a block's shared variables take beside its dynamic shared memory, at most, and what rounding adds.
constexpr size_t rollout_static_bytes = 2048;

// What a block of the rollout keeps of an episode.
struct Playing {
  unsigned long long fault;  // of this step, the first one: the lowest number, see rollout.h
  int32_t environment;
  int32_t plays;  // 0: it has ended, or there is none
};

// And of the rows: 8-byte aligned, [episodes of the block] unless said otherwise.
struct RowMemory {
  Playing *episode;
  int64_t *row;     // [tile_rows]: index among the wave's rows of the group at hand
  int32_t *list;    // the episodes that play, ascending
  int32_t *action;  // [..][agent]; -1 until it is chosen where the agent is not alive

  SWARMGRAD_FUNCTION RowMemory(char *memory, int episodes, int tile_rows) {
    episode = reinterpret_cast<Playing *>(memory);
    row = reinterpret_cast<int64_t *>(episode + episodes);
    list = reinterpret_cast<int32_t *>(row + tile_rows);
    action = list + episodes;
  }
  SWARMGRAD_FUNCTION static size_t bytes(int episodes, int agents, int tile_rows) {
    return static_cast<size_t>(episodes) * (sizeof(Playing) + (1 + static_cast<size_t>(agents)) * sizeof(int32_t)) +
           static_cast<size_t>(tile_rows) * sizeof(int64_t);
  }
};

struct Weigh {
  Pass pass;
  int group;  // -1: all; else the one whose rewards are given
  int steps;  // 0: each cohort's longest episode; else the steps of given rewards, whose lengths the host has set
};

// What the kernels of gradient.cu have in static shared memory, at most.
constexpr size_t gradient_static_bytes = 64;

// One network. Unit u is cohort u / segments of the wave, segment u % segments; a segment that begins after the cohort's last
// step has no rows and leaves its unit unwritten.
struct Differentiate {
  Pass pass;
  int network;
  int evaluates;      // a value network's outputs are wanted, not its gradient; also where the horizon cut the episode
  int checks_logits;  // a given batch's: logits that are not finite, or no available action, are a fault
  int row_stride;     // of features: at least longest_segment, 4 x an odd number
  Place features;     // [feature][row_stride], then logits [action][row_stride], then exponentials alike
  Place panels;       // in_shared: the group's panels are copied there first; else they are read from L2
  size_t counter;     // offset in scratch: partial sums of 1, 2, 4 and 8 lanes, [4][parameter_count of the group]
  char *scratch;
  size_t scratch_bytes_per_block;
};

// block_gradient += the wave's cohorts in order, each the sum of its segments in order; and the same for statistics.
struct Fold {
  Pass pass;
  int network;               // -1: all and the statistics; else the gradient of one alone
  float *block_gradient;     // [block][parameter_count], zeroed before the first wave
  double *block_statistics;  // [block][statistics_per_cohort], zeroed, minimum +inf, maximum -inf before the first wave
};

// Blocks, at most max_blocks, by a pairwise tree. Statistics in place: afterwards block 0 holds the sums.
struct Reduce {
  Pass pass;
  float *block_gradient;
  double *block_statistics;
  float *gradient;  // [parameter_count]: the sum / episodes
};

// The panels of all networks; and what observations are normalised with.
struct Pack {
  Pass pass;
  float *panels;
};

// Given observations through one network; see swarmgrad_forward. Rows are cut into tiles.
struct Forward {
  Pass pass;
  int network;
  int rows;
  const float *observation;  // [row][observation_size]
  float *hidden;             // [row][hidden_total] or null
  float *logit;              // [row][action_count] or null
  int tile_rows;             // as for Rollout
  Place features, panels;
  char *scratch;
  size_t scratch_bytes_per_block;
};

// See swarmgrad_logit_rows; every pointer in device memory, a thread a row.
struct LogitRows {
  int action_count, rows, first_row, sample;
  uint32_t iteration;
  uint64_t seed;
  float entropy_coefficient;
  const float *logit;
  const uint16_t *available;  // [row][action] or null
  const float *weight;        // or null
  int32_t *action;
  float *log_probability, *entropy, *gradient;  // or null
  float *exponential;                           // [row][action], scratch
};

// What follows a pass over episodes: the argument of three kernels.
//   measure  norms, agents' returns, logs; a gradient that is not finite ends the launch        (one block)
//   update   the optimizer                                                                      (any grid)
//   commit   what the next batch needs of this one; iteration, launch_iteration                 (one block)
// A gradient alone, as swarmgrad_step is given, is measured with null statistics. An evaluation has no gradient, and is
// only measured.
struct Update {
  Pass pass;
  const double *statistics;  // [statistics_per_cohort]: what Reduce left in block 0; or null
  const float *gradient;     // [parameter_count], or null
  double *norms;             // [network]
  double *agent_return;      // [agent]
  double *batch_statistics;  // [statistics_per_cohort]: of the training batch last measured; null in other passes
  // What the host reads after the launch: [iteration of the launch].
  double *statistics_log;  // [..][statistics_per_cohort]
  double *norm_log;        // [..][network]
  double *factor_log;      // [..][group], as used by this batch

  Optimizer optimizer;
  float *parameters, *first_moment, *second_moment;  // moments: Adam's only
  double *products;                                  // [2]: beta1^t, beta2^t

  int commits_batch;          // baselines and moments of batch_statistics
  int32_t *launch_iteration;  // the pass's, to count on
};

}  // namespace swarmgrad::cuda
