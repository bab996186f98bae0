// The shapes and memory layout of an engine, worked out once from the configuration; plain data, free of any
// instruction set, shared by the generic code and the code compiled per instruction set.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <atomic>

#include "core/moments.h"
#include "core/optimizer.h"
#include "core/partition.h"
#include "core/purpose.h"
#include "core/statistic.h"
#include "swarmgrad/swarmgrad.h"

namespace swarmgrad::host {

inline constexpr int cohort_size = 16;
inline constexpr int max_layers = SWARMGRAD_MAX_HIDDEN_LAYERS + 1;
inline constexpr size_t cache_line = 64;

// One matrix of a policy. Panels are its weights again, in the order in which tiles read them.
struct Layer {
  int inputs, outputs;
  int64_t weight, bias;                   // offsets in the parameters: weight [output][input], bias [output]
  int64_t forward_panel, backward_panel;  // offsets in the panels; backward -1 for the first layer
  int64_t input_feature;                  // first feature of its input in the worker's features
};

// A network over an episode's rows: a group's policy, or its value network, whose agents are its rows a step and whose one
// action is the value.
struct GroupPlan {
  const char *name;
  bool is_value;
  int first_agent, agents, observation_size, action_count;
  int index_feature;  // where the agent's index begins in the observation, one-hot; -1 where it is not observed
  int normalised;     // the first features of the observation, which running moments normalise; 0: none
  bool has_mask;
  int activation;
  int layer_count;
  Layer layer[max_layers];
  int hidden_total;
  int64_t parameter_offset, parameter_count;
  int64_t rows;         // horizon x agents
  int64_t segments;     // of an episode's rows; see segment_begin
  int64_t stored_rows;  // rows that a worker's features and logits hold at once
  int64_t row_stride;   // of features and logits, in packs of 16 lanes; odd, so that features spread over cache sets
  // A worker's memory, offsets in bytes.
  size_t features;      // f32 [observation, then hidden layers][row_stride][lane]
  size_t logits;        // f32 [action][row_stride][lane], then their gradient
  size_t available;     // u16 [stored_rows][action], only with a mask
  size_t action;        // i32 [rows][lane]
  size_t reward;        // f32 [rows][lane]; of a value network: aim - output
  size_t alive;         // u16 [rows], and of the state after the last step
  size_t outputs;       // f32 [rows + agents][lane], of a value network only, likewise
  size_t values;        // f64 [max(horizon, agents)][lane]
  size_t entropy;       // f64 [lane]: sum over the episode's rows
  size_t scratch;       // f32 [action][lane]
  size_t feature_sums;  // f64 [2][normalised][lane]: over living rows, the sum and that of the squares
  size_t statistics;    // offset in doubles into a cohort's or block's statistics, see core/statistic.h
};

using swarmgrad::part_begin;

// Cohorts that an engine's own partition makes of so many episodes.
inline int64_t cohorts_of(int64_t episodes) { return (episodes + cohort_size - 1) / cohort_size; }

// Statistics of a policy's group, see core/statistic.h.
inline int64_t statistics_of(const GroupPlan &group, int horizon) {
  return statistics_of_group(group.agents, horizon, group.normalised);
}

struct EnvironmentTable;

struct Plan {
  const EnvironmentTable *environment;
  int horizon;
  int group_count, agent_count;
  int network_count;       // group_count, or twice that where groups have value networks
  bool values_last_state;  // the value network is asked for the state after the last step
  const GroupPlan *group;  // [network_count]: the policies, then the value networks
  int64_t parameter_count, panel_count;
  int64_t block_limit;
  bool replays;
  const int *snapshot_of_step;  // [horizon]: which snapshot holds the state at the step's start, -1 for none
  int snapshot_count;
  int64_t statistics_per_block;  // doubles, of all groups; a cohort has as many
  int64_t flop_per_agent_step;   // useful floating-point operations, mean over agents
  // A worker's memory, offsets in bytes.
  size_t environment_object, environment_memory, snapshots, cohort_gradient, cohort_statistics, lengths, actions,
      rewards, worker_bytes;
  size_t environment_state_bytes;  // the part of the memory that a snapshot copies
};

// The first row of a segment. Rows are (step, agent), agent fastest.
inline int64_t segment_begin(const GroupPlan &group, int64_t segment) {
  return part_begin(segment, group.rows, group.segments);
}

// What multiplies grad log pi for one group; see core/weights.h.
struct GroupRule {
  int kind, baseline;
  double discount, factor;
  double deviation, lambda;
  bool bootstraps;
  const double *previous_baseline;     // [horizon]
  const Normalisation *normalisation;  // [normalised]
};

// A NaN, an infinity or a rule that broke down: where it was found first.
inline constexpr const char *observation_fault = "the observation is not finite, or was not written";
inline constexpr const char *logits_fault = "the logits are not finite, or no action is available";
inline constexpr const char *reward_fault = "the reward is not finite";
inline constexpr const char *weight_fault = "the weight is not finite, or beyond 1e30";
inline constexpr const char *value_fault = "the value network's error is not finite, or beyond 1e30";
struct Fault {
  const char *what;  // null: none; one of the above, or what the environment says of its rules
  swarmgrad_status status;
  int64_t environment;
  int agent, step;   // -1: of no agent; at the episode's start
  int feature = -1;  // of the observation, or -1
};

// One pass over episodes: training, evaluation, a record, or a given batch.
struct Pass {
  const Plan *plan;
  const float *parameters, *panels;
  const GroupRule *rule;  // [group]
  double entropy_coefficient;
  uint64_t seed;
  uint32_t iteration;
  Stream stream;
  const int32_t *acting;  // [group] swarmgrad_acting
  bool learns;            // weights and gradient, not only statistics
  int64_t first_episode, episodes, cohorts, blocks;
  const swarmgrad_trajectories *trajectories;  // [group] or null
  const swarmgrad_batch *given;                // or null: the environment makes the episodes
  float *block_gradient;                       // [block][parameter]
  double *block_statistics;                    // [block][statistics_per_block]
  const std::atomic<bool> *cancelled;
  std::atomic<int64_t> *cohorts_finished;
};

struct Worker {
  char *memory;  // plan->worker_bytes, aligned to a cache line
  Fault fault;
  // Steps and segments done; read by other threads to see whether anything moves.
  std::atomic<int64_t> *beats;
  void beat() { beats->store(beats->load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
};

// How an environment of the catalogue looks to the engine: functions over one cohort of 16 lanes.
struct EnvironmentContext {
  int32_t first_environment;
  int members;
  uint32_t iteration;
  Stream stream;
  uint64_t seed;
};

// What an environment says has gone wrong, and in which lanes.
struct Problem {
  const char *text;  // null: nothing
  uint32_t lanes;
};

struct GroupShape {
  const char *name;
  int agents, observation_size, action_count;
  bool has_mask;
};

struct FieldShape {
  const char *name;
  int rows, columns;
  bool is_integer, is_chance;
  size_t offset;  // in the memory, in bytes; slots of 64 bytes
};

struct ParameterShape {
  const char *name;
  double default_value, minimum, maximum;
  bool is_integer;
  const char *summary;
  const char *choices;
};

struct EnvironmentTable {
  const char *id, *summary, *description;
  const char *id_pattern;  // null: only `id` itself
  bool is_checked;         // indices are: problem() says what was wrong, and observations deserve a look
  int parameter_count;
  ParameterShape (*parameter)(int index);
  size_t object_bytes;
  // Builds the object in `object` and binds it to `memory` (null: only to ask for shapes).
  void (*construct)(const EnvironmentTable &table, const double *parameters, void *object, void *memory);
  int (*horizon)(const void *object);
  int (*group_count)(const void *object);
  GroupShape (*group)(const void *object, int index);
  int (*field_count)(void *object);              // state and chance
  int (*array_count)(void *object);              // the fields, then scratch
  FieldShape (*field)(void *object, int index);  // of any array
  size_t (*state_bytes)(void *object);
  size_t (*memory_bytes)(void *object);  // state, chance, scratch
  void (*reset)(void *object, const EnvironmentContext &context);
  // Rows of agents first_agent .. first_agent + count - 1: observation [feature][agent][lane], feature_stride in floats;
  // available [agent][action] or null.
  void (*observe)(void *object, int first_agent, int count, float *observation, ptrdiff_t feature_stride,
                  uint16_t *available, int action_count);
  void (*draw)(void *object, const EnvironmentContext &context, int step);  // the step's chance, before `step`
  // action and reward [agent][lane]; alive [agent] bits after the step; returns the bits of finished lanes.
  uint32_t (*step)(void *object, const int32_t *action, float *reward);
  uint32_t (*alive)(void *object, int agent);
  Problem (*problem)(void *object);  // after reset and step, and where indices are checked also after observe
  bool is_replayable;                // whether a copy of the memory brings a state back
};

// What a library of a user's environment exports as swarmgrad_environment_<isa>.
struct ExportedEnvironment {
  uint32_t abi_version;
  uint32_t layout[6];  // sizes of what crosses the boundary
  const EnvironmentTable *table;
};
inline constexpr ExportedEnvironment exported(const EnvironmentTable *table) {
  return {SWARMGRAD_ABI_VERSION,
          {sizeof(EnvironmentTable), sizeof(EnvironmentContext), sizeof(GroupShape), sizeof(FieldShape),
           sizeof(ParameterShape), sizeof(Problem)},
          table};
}

// A slice of an operation over many independent elements.
struct Range {
  int64_t begin, end;
};

// The code of one instruction set.
struct Kernels {
  const EnvironmentTable *const *environments;  // the catalogue
  int environment_count;
  void (*pack_panels)(const Plan &plan, const float *parameters, float *panels, int64_t share, int64_t shares);
  void (*run_block)(const Pass &pass, Worker &worker, int64_t block);
  // gradient[range] = pairwise tree over blocks / divisor; clobbers the blocks.
  void (*reduce_gradient)(float *blocks, int64_t stride, int64_t count, double divisor, float *gradient, Range range);
  double (*sum_of_squares)(const float *values, int64_t count);
  void (*optimize)(const OptimizerStep &step, float *parameters, float *first_moment, float *second_moment,
                   const float *gradient, Range range);
  void (*forward)(const Pass &pass, Worker &worker, int group, int64_t rows, const float *observation, float *hidden,
                  float *logit);
  void (*logits)(const swarmgrad_logit_rows &rows, uint64_t seed, char *scratch);
  void (*weights)(const Pass &pass, Worker &worker, const swarmgrad_rewards &rewards, int64_t first, int64_t members);
  // Orthogonal weights [output][input] x gain; scratch holds 16 x (rows x columns) bytes, see initialise() there.
  void (*initialise)(float *weight, int outputs, int inputs, float gain, uint32_t group, uint32_t layer, uint64_t seed,
                     double *scratch);
  // Words 4 block .. 4 block + 3 of what the lanes' rules draw: [word][lane].
  void (*draw)(const EnvironmentContext &context, uint32_t step, Purpose purpose, int block, int32_t *words);
  double (*fma_chain)(int64_t iterations, float *sink);  // returns the floating-point operations done
};

}  // namespace swarmgrad::host
