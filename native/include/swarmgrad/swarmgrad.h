/* The C ABI of swarmgrad: everything a program in another language needs, and nothing else.
 *
 * Every engine library (CPU, CUDA) implements exactly these functions. Plain C; no exception crosses the boundary.
 *
 * Conventions
 *   - Every function that can fail returns a swarmgrad_status. The text of the calling thread's last failure is
 *     swarmgrad_last_error(); it names the argument, the value found and what is allowed.
 *   - Structs that cross the boundary begin with `size`, set by the caller to sizeof(struct) as it was compiled:
 *     a mismatch is an error, never a misread. Statistics are only written, `size` included: a binding that cannot trust
 *     its compiler checks swarmgrad_struct_sizes.
 *   - Shapes stand beside each pointer, slowest index first: [step][agent][environment]. Arrays are dense.
 *   - A handle serves one thread at a time; a second one gets SWARMGRAD_BUSY. swarmgrad_cancel and swarmgrad_progress
 *     may be called from any thread while the handle is open.
 *   - All memory is taken in swarmgrad_create; no later call on an engine allocates, unless its comment says so.
 */
#ifndef SWARMGRAD_SWARMGRAD_H
#define SWARMGRAD_SWARMGRAD_H

#include <stddef.h>
#include <stdint.h>

#if defined(SWARMGRAD_BUILDING_LIBRARY)
#define SWARMGRAD_API __attribute__((visibility("default")))
#else
#define SWARMGRAD_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define SWARMGRAD_ABI_VERSION 4
#define SWARMGRAD_MAX_HIDDEN_LAYERS 4

typedef enum swarmgrad_status {
  SWARMGRAD_OK = 0,
  SWARMGRAD_INVALID_ARGUMENT = 1, /* an argument is outside what is allowed */
  SWARMGRAD_UNSUPPORTED = 2,      /* this machine or this library cannot do it */
  SWARMGRAD_OUT_OF_MEMORY = 3,
  SWARMGRAD_BUSY = 4,      /* another thread is inside this handle */
  SWARMGRAD_CANCELLED = 5, /* swarmgrad_cancel was called; parameters are those of the last complete iteration */
  SWARMGRAD_NUMERIC = 6,   /* NaN or infinity; the text names iteration, environment, agent and step */
  SWARMGRAD_INTERNAL = 7,
  SWARMGRAD_ENVIRONMENT_FAILED = 8 /* an environment's own rules broke down; the text says where and why */
} swarmgrad_status;

typedef enum swarmgrad_isa {
  SWARMGRAD_ISA_AUTO = 0,
  SWARMGRAD_ISA_AVX2 = 1, /* x86-64 with AVX2 and FMA */
  SWARMGRAD_ISA_AVX512 = 2,
  SWARMGRAD_ISA_NEON = 3 /* aarch64 */
} swarmgrad_isa;

typedef enum swarmgrad_activation { SWARMGRAD_TANH = 0, SWARMGRAD_RELU = 1 } swarmgrad_activation;

typedef enum swarmgrad_weight {
  SWARMGRAD_TOTAL_RETURN = 0,    /* sum_k discount^k r_k: the theorem, unbiased for the discounted return */
  SWARMGRAD_REWARD_TO_GO = 1,    /* sum_{k>=t} discount^(k-t) r_k: unbiased for discount 1 */
  SWARMGRAD_OWN_RETURN = 2,      /* sum_k discount^k r_k^i: biased unless agents are decoupled */
  SWARMGRAD_DISCOUNTED_STATE = 3 /* discount^t x reward-to-go: unbiased for the discounted return */
} swarmgrad_weight;

typedef enum swarmgrad_baseline {
  SWARMGRAD_BASELINE_NONE = 0,
  SWARMGRAD_LEAVE_ONE_OUT = 1,  /* mean over the other members of the cohort, per step for reward-to-go */
  SWARMGRAD_PREVIOUS_BATCH = 2, /* mean over the previous batch, per step for reward-to-go; 0 in the first */
  SWARMGRAD_LEARNED_VALUE = 3   /* that of the previous batch + running deviation of the return x a network's value of
                                   the state at that step */
} swarmgrad_baseline;

/* What a value network sees. */
typedef enum swarmgrad_value_input {
  SWARMGRAD_VALUE_JOINT = 0, /* the observations of all agents of the group, agent after agent: one value a step */
  SWARMGRAD_VALUE_OWN = 1    /* the agent's own observation: a value for each agent and step */
} swarmgrad_value_input;

typedef enum swarmgrad_agent_reduction { SWARMGRAD_SUM = 0, SWARMGRAD_MEAN = 1 } swarmgrad_agent_reduction;

/* A constant known before the batch, multiplied into the weight. */
typedef enum swarmgrad_scale {
  SWARMGRAD_SCALE_NONE = 0,
  SWARMGRAD_SCALE_RUNNING_DEVIATION = 1 /* 1 / standard deviation of the group's team return over earlier iterations */
} swarmgrad_scale;

/* Whose policy an agent plays. */
typedef enum swarmgrad_share {
  SWARMGRAD_SHARE_GROUPS = 0, /* each group of the environment has its own */
  SWARMGRAD_SHARE_ALL = 1     /* one group "all" of all agents, one team with one return; needs groups of one shape */
} swarmgrad_share;

typedef enum swarmgrad_optimizer { SWARMGRAD_SGD = 0, SWARMGRAD_ADAM = 1 } swarmgrad_optimizer;

typedef enum swarmgrad_acting {
  SWARMGRAD_ACT_SAMPLED = 0, /* draw from the policy */
  SWARMGRAD_ACT_GREEDY = 1,  /* most probable action, lowest index on a tie */
  SWARMGRAD_ACT_RANDOM = 2   /* uniform over the available actions; the policy is not evaluated */
} swarmgrad_acting;

/* One named number: an environment parameter. */
typedef struct swarmgrad_value {
  const char *name;
  double value;
} swarmgrad_value;

typedef struct swarmgrad_callbacks swarmgrad_callbacks;

/* Policy of one group. hidden_count 0 is the linear policy. */
typedef struct swarmgrad_policy {
  uint32_t size;
  int32_t activation;                               /* swarmgrad_activation */
  int32_t hidden_count;                             /* 0 to SWARMGRAD_MAX_HIDDEN_LAYERS */
  int32_t hidden_size[SWARMGRAD_MAX_HIDDEN_LAYERS]; /* 1 to 1024 each */
  int32_t reserved;
} swarmgrad_policy;

typedef struct swarmgrad_config {
  uint32_t size;
  uint32_t abi_version;                 /* SWARMGRAD_ABI_VERSION */
  const char *environment;              /* id, for example "simple_spread_v3" or "Foraging-8x8-2p-2f-v3" */
  const swarmgrad_value *parameters;    /* [parameter_count] environment parameters that differ from what the id says */
  const swarmgrad_policy *policies;     /* [policy_count] */
  const swarmgrad_callbacks *callbacks; /* null: `environment` is of the catalogue; else its name, without parameters */
  int32_t parameter_count;
  int32_t policy_count; /* 1 (the same shape for every group) or the environment's group count */
  int64_t environments; /* episodes per batch, 1 to 2^31 - 1 */
  uint64_t seed;
  double discount;            /* 0 to 1 */
  double entropy_coefficient; /* >= 0, multiplies the gradient of the summed entropy; swarmgrad_train has its own */
  double gradient_clip;       /* global norm per group, 0 = off */
  double adam_beta1, adam_beta2, adam_epsilon;
  int32_t horizon;         /* steps, 0 = the environment's own */
  int32_t weight;          /* swarmgrad_weight */
  int32_t baseline;        /* swarmgrad_baseline */
  int32_t agent_reduction; /* swarmgrad_agent_reduction; mean divides by the configured agent count */
  int32_t scale;           /* swarmgrad_scale */
  int32_t optimizer;       /* swarmgrad_optimizer */
  int32_t threads;         /* 0 = one per core this process may use */
  int32_t isa;             /* swarmgrad_isa */
  int32_t share;           /* swarmgrad_share */
  int32_t agent_index;     /* 1: observations end with the agent's index in its group, one-hot */
  int64_t stored_bytes;    /* a thread stores a cohort's activations of up to so many bytes, and replays longer episodes
                              segment by segment, with the same bits; 0 = 32 MiB; episodes of callbacks are always
                              stored. On a GPU: memory for the cohorts that it plays at once, 0 = up to 2 GiB */
  int32_t device;          /* index of swarmgrad_device, 0 the first */
  int32_t normalises; /* 1: policies and value networks see (observation - mean) / sqrt(variance + 1e-8), at most 10
                              in magnitude, with the moments of earlier iterations; the first sees it as it is */
  /* The learned-value baseline only: */
  const swarmgrad_policy *value_policies; /* [value_policy_count] hidden layers of the value networks */
  int32_t value_policy_count;             /* 1 (the same for every group) or the environment's group count; else 0 */
  int32_t value_input;                    /* swarmgrad_value_input */
  double lambda; /* 0 to 1; 1: returns. Below it the weight's and the network's aim is the lambda-return: biased; needs
                       reward-to-go and the joint input */
  int32_t bootstraps; /* 1: an episode that the horizon cut goes on with the network's value of its last state: biased;
                         needs reward-to-go and the joint input */
  int32_t reserved;
  double reward_scale; /* > 0; multiplies the weights, not the returns that are reported */
} swarmgrad_config;

/* What one iteration of swarmgrad_train takes from a schedule; each 0 to 3.4e38. */
typedef struct swarmgrad_rates {
  double learning_rate;       /* of the policies */
  double value_learning_rate; /* of the value networks */
  double entropy_coefficient;
} swarmgrad_rates;

/* What an open engine turned the configuration into. */
typedef struct swarmgrad_info {
  uint32_t size;
  int32_t group_count;
  int32_t agent_count; /* over all groups */
  int32_t horizon;
  int32_t threads;      /* of the CPU engine; 0 on a GPU */
  int32_t isa;          /* the one in use, never AUTO; on a GPU the host's, for simulators */
  int32_t replays;      /* 1: backward recomputes the forward pass, 0: it reads stored activations */
  int32_t buffer_count; /* for swarmgrad_buffer */
  int64_t cohort_count;
  int64_t parameter_count;  /* over all groups, policies first, then value networks */
  int64_t bytes_per_cohort; /* a worker's scratch for one cohort */
  int64_t bytes_total;      /* everything the engine holds */
  int64_t
      flop_per_agent_step; /* useful floating-point operations, averaged over the groups' agents: 2 x multiply-adds of
                                  forward, weight gradient, and input gradient but for the first layer */
} swarmgrad_info;

/* What an engine can run on. */
typedef struct swarmgrad_device_info {
  uint32_t size;
  int32_t index;
  int32_t compute_major, compute_minor;    /* compute capability; 0 for a CPU */
  int32_t multiprocessors;                 /* of a GPU, or the CPU's cores that this process may use */
  int32_t driver_version, runtime_version; /* as CUDA counts: 13000 is 13.0; 0 for a CPU */
  int32_t pci_domain, pci_bus, pci_slot;   /* by which other tools know the GPU, under whatever index; 0 for a CPU */
  int64_t memory_bytes, free_memory_bytes;
  int64_t shared_bytes_per_block; /* the most that a block may ask for; 0 for a CPU */
  char name[256];
} swarmgrad_device_info;

/* One agent group. Strings live as long as the handle they were read from. */
typedef struct swarmgrad_group {
  uint32_t size;
  int32_t first_agent; /* groups hold consecutive agents */
  int32_t agent_count;
  int32_t observation_size;
  int32_t action_count;
  int32_t has_mask;
  int32_t hidden_total; /* sum of hidden sizes; 0 on a simulator */
  int32_t reserved;
  int64_t parameter_offset; /* of this group inside the parameter buffer */
  int64_t parameter_count;  /* layer by layer: weight [output][input], then bias [output] */
  const char *name;
  /* The group's value network, a network of one output; all 0 where there is none. */
  int32_t value_agents; /* rows a step: 1 with the joint input, else agent_count */
  int32_t value_observation_size;
  int32_t value_hidden_total;
  int32_t reserved_value;
  int64_t value_parameter_offset;
  int64_t value_parameter_count;
} swarmgrad_group;

/* One batch as seen by one group. Returns are undiscounted team returns. */
typedef struct swarmgrad_statistics {
  uint32_t size;
  int32_t group;
  int64_t iteration; /* the iteration whose parameters made this batch */
  int64_t episodes;
  int64_t agent_steps; /* living agents acting */
  double team_return_mean, team_return_deviation, team_return_minimum, team_return_maximum;
  double agent_return_mean; /* team_return_mean / agents of the group */
  double episode_length_mean;
  double entropy_mean;  /* nats, per agent-step */
  double gradient_norm; /* of the group, before clipping; 0 where no gradient was asked for */
  double weight_variance;
  double effective_sample_size; /* (sum |w|)^2 / sum w^2 over agent-steps */
  double scale;                 /* the constant that multiplied the weights of this batch */
  double value_loss; /* mean square of (aim - value) over the value network's rows, in units of the running deviation */
  double value_gradient_norm; /* of the value network, before clipping */
} swarmgrad_statistics;

/* A named array of the engine. Everything that survives an iteration is listed. */
typedef enum swarmgrad_type { SWARMGRAD_F32 = 0, SWARMGRAD_F64 = 1, SWARMGRAD_I64 = 2 } swarmgrad_type;
typedef struct swarmgrad_buffer_info {
  uint32_t size;
  int32_t type;         /* swarmgrad_type */
  int32_t checkpointed; /* 1: a checkpoint must hold it; 0: scratch, recomputed by every iteration */
  int32_t group;        /* -1: the whole engine */
  int64_t count;        /* elements */
  const char *name;     /* for example "adam_first_moment" */
} swarmgrad_buffer_info;

/* Where swarmgrad_record writes; any pointer may be null. Rows of episodes shorter than the horizon are zero, alive 0. */
typedef struct swarmgrad_trajectories {
  uint32_t size;
  int32_t group;
  float *observation;      /* [step][agent][feature][environment], as the policy sees it */
  int32_t *action;         /* [step][agent][environment] */
  float *reward;           /* [step][agent][environment], dead agents' included */
  float *log_probability;  /* [step][agent][environment] of the action taken */
  float *weight;           /* [step][agent][environment], after the baseline, scale included */
  uint8_t *alive;          /* [step][agent][environment] */
  uint8_t *mask;           /* [step][agent][action][environment]; null or unused where the group has no mask */
  int32_t *episode_length; /* [environment] */
  uint8_t *truncated;      /* [environment] 1: the horizon ended the episode, not its rules */
  /* Null or unused without a value network; its agents are swarmgrad_group.value_agents. */
  float *value; /* [step + 1][value agent][environment], the network's output; of the last state where it is used */
  float *value_error; /* [step][value agent][environment], aim - output: the weight of its gradient */
} swarmgrad_trajectories;

/* A given batch of one network for swarmgrad_gradient_of: a group's policy or, where `network` is group_count + group, its
 * value network. Its agents and features are those of that network's rows; an action, a mask it has none. */
typedef struct swarmgrad_batch {
  uint32_t size;
  int32_t network;
  int64_t environments; /* 1 to 2^31 - 1, independent of the engine's configuration */
  int32_t steps;        /* 1 to the engine's horizon */
  int32_t reserved;
  const float *observation; /* [step][agent][feature][environment], as the network sees it */
  const int32_t *action;    /* [step][agent][environment] */
  const float *weight;      /* [step][agent][environment] of grad log pi(action), or of the value's gradient */
  const uint8_t *alive;     /* [step][agent][environment], null = all alive */
  const uint8_t *mask;      /* [step][agent][action][environment], null = every action available */
} swarmgrad_batch;

/* Given rewards of one group for swarmgrad_weights. */
typedef struct swarmgrad_rewards {
  uint32_t size;
  int32_t group;
  int64_t environments;
  int64_t cohort_count; /* 0: the engine's own partition of `environments` */
  int32_t steps;        /* 1 to the engine's horizon */
  int32_t reserved;
  const int64_t *cohort_first;   /* [cohort_count + 1] ascending, from 0 to environments, 1 to 16 members each */
  const float *reward;           /* [step][agent][environment] */
  const uint8_t *alive;          /* [step][agent][environment], null = all alive during the episode */
  const int32_t *episode_length; /* [environment], null = steps */
  const uint8_t *truncated;      /* [environment], null = none; see swarmgrad_trajectories */
  const float *value;            /* [step + 1][value agent][environment], null = 0 */
  float *weight;                 /* out: [step][agent][environment]; 0 where not alive */
  float *value_error;            /* out: [step][value agent][environment], or null */
} swarmgrad_rewards;

/* Rows of given logits of one group for swarmgrad_logits: the arithmetic between the last layer and the gradient. */
typedef struct swarmgrad_logit_rows {
  uint32_t size;
  int32_t action_count;
  int64_t rows;
  double entropy_coefficient;
  const float *logit;  /* [row][action] */
  const uint8_t *mask; /* [row][action], null = every action available */
  const float *weight; /* [row], null = 1 */
  int32_t *action;     /* [row]; in: the action taken; out where `sample` is 1 */
  int32_t sample;      /* 1: draw the actions, row r as environment r, agent 0, step 0 of `iteration` does */
  uint32_t iteration;
  float *log_probability; /* out [row][action], null = not wanted; -infinity where masked */
  float *entropy;         /* out [row], null = not wanted */
  float *gradient;        /* out [row][action], or null:
                             d(weight x log pi(action) + entropy_coefficient x entropy) / d logit */
} swarmgrad_logit_rows;

/* A catalogue entry. */
typedef struct swarmgrad_environment_info {
  uint32_t size;
  int32_t parameter_count;
  const char *id;         /* of a family: one usual member */
  const char *id_pattern; /* of a family: how its ids say parameters, {name} a value, [..] may be left out; else null */
  const char *summary;    /* one line */
  const char *description; /* several lines: groups, observation, actions, reward, source */
} swarmgrad_environment_info;

typedef struct swarmgrad_parameter_info {
  uint32_t size;
  int32_t is_integer;
  double default_value, minimum, maximum; /* inclusive */
  const char *name;
  const char *summary;
  const char *choices; /* null, or names of the values minimum, minimum + 1, ... separated by '|' */
} swarmgrad_parameter_info;

/* A named part of an environment's state or of a step's chance, an array [rows][columns] of float or integer. */
typedef struct swarmgrad_field {
  uint32_t size;
  int32_t is_integer;
  int32_t is_chance; /* 1: drawn at the beginning of a step: reads the last one's, sets the next one's; 0: state */
  int32_t rows;
  int32_t columns;
  int32_t reserved;
  const char *name;
} swarmgrad_field;

/* Up to 16 episodes side by side, of an environment of the caller's own. Bit e of a set, and element e of an array's last
 * index [16], belong to episode e, which plays environment first_environment + e. One cohort serves one thread at a time and
 * lives as long as its engine; its pointers never change. What is to be written, the engine has set before each call:
 * reward 0, done 0, every action available; and, before reset, every agent alive. */
typedef struct swarmgrad_cohort swarmgrad_cohort;
struct swarmgrad_cohort {
  uint32_t size;
  int32_t episodes; /* 1 to 16 */
  int32_t first_environment;
  uint32_t iteration;
  int32_t step;    /* of the episodes, 0 the first; 0 in reset */
  int32_t playing; /* bit e: the episode has not ended; what is written for the others has no effect */
  int32_t done;    /* out: bit e: the episode ends with this step */
  int32_t reserved;
  void *caller;          /* the caller's own; null at first */
  const int32_t *action; /* [agent][16]; 0 for a dead agent */
  float *reward;         /* out: [agent][16], a dead agent's counts for its team */
  float *observation;    /* out: [agent][feature][16], after reset and after the step */
  uint16_t *available;   /* out: [agent][action] sets, of groups with a mask only, likewise */
  uint16_t *alive;       /* out: [agent] sets, likewise */
  /* Writes words 4 block .. 4 block + 3 of the random bits that every episode draws in this call, [4][16], the same for a
   * seed, iteration, environment and step wherever they are played. Returns a swarmgrad_status; blocks are 0 to 65535. */
  int32_t (*draw)(const swarmgrad_cohort *cohort, int32_t block, int32_t *words);
};

/* An environment of the caller's own: shapes, and functions that play a cohort. Policy, sampling, weights and gradient are
 * the engine's. Its threads call the functions, each with cohorts of its own. A function returns 0, or anything else to stop
 * the run with SWARMGRAD_ENVIRONMENT_FAILED. It must not call the engine that calls it: that is SWARMGRAD_BUSY. */
struct swarmgrad_callbacks {
  uint32_t size;
  int32_t group_count;
  int32_t horizon; /* default steps of an episode */
  int32_t reserved;
  const swarmgrad_group *groups; /* [group_count] name, agent_count, observation_size, action_count, has_mask */
  void *context;
  int32_t (*reset)(void *context, swarmgrad_cohort *cohort); /* begins new episodes and observes them */
  int32_t (*step)(void *context, swarmgrad_cohort *cohort);  /* a step of the playing episodes, observed afterwards */
};

typedef struct swarmgrad_engine swarmgrad_engine;       /* trains */
typedef struct swarmgrad_simulator swarmgrad_simulator; /* one environment, for tests and tools */

/* ---- library ---------------------------------------------------------------------------------------------------- */

SWARMGRAD_API uint32_t swarmgrad_abi_version(void);
SWARMGRAD_API const char *swarmgrad_version(void);    /* for example "0.1.0" */
SWARMGRAD_API const char *swarmgrad_last_error(void); /* of the calling thread; "" if none */

/* sizeof of the structs above in the order of their definition (value, policy, config, rates, info, group, statistics,
 * buffer_info, trajectories, batch, rewards, logit_rows, environment_info, parameter_info, field, cohort, callbacks,
 * device_info), for bindings to check their layouts. Returns how many there are; writes at most `capacity`. */
SWARMGRAD_API int32_t swarmgrad_struct_sizes(int32_t *sizes, int32_t capacity);

/* 1 where this processor can run the instruction set and the library holds it. AUTO: 1 where any can. */
SWARMGRAD_API int32_t swarmgrad_isa_available(int32_t isa);

/* The devices of this library's engine: the CPU library has one, the CUDA library as many as CUDA shows to this process.
 * UNSUPPORTED where there is none; the text says what was found (no driver, one too old, no device) and what to do. */
SWARMGRAD_API swarmgrad_status swarmgrad_device_count(int32_t *count);
SWARMGRAD_API swarmgrad_status swarmgrad_device(int32_t index, swarmgrad_device_info *info);

SWARMGRAD_API int32_t swarmgrad_environment_count(void);
SWARMGRAD_API swarmgrad_status swarmgrad_environment(int32_t index, swarmgrad_environment_info *info);
SWARMGRAD_API swarmgrad_status swarmgrad_environment_parameter(int32_t index, int32_t parameter,
                                                               swarmgrad_parameter_info *info);
/* The catalogue entry that an id names, and its parameters as the id says or by default: at most `capacity` of them. */
SWARMGRAD_API swarmgrad_status swarmgrad_find_environment(const char *id, int32_t *index, double *parameters,
                                                          int32_t capacity);

/* Adds a user's environment to this process's catalogue: a library that swarmgrad_add_environment of CMake, or the Java
 * library, made of one header. It stays until the process ends and runs with the process's own rights. The same library
 * twice is the same entry. Any thread. Allocates. */
SWARMGRAD_API swarmgrad_status swarmgrad_load_environment(const char *library, int32_t *index);
/* Gives a loaded environment (its index in the catalogue) the code of its kernel for this library's device: PTX or a cubin
 * that defines `swarmgrad_rollout`, made of the same header. The CPU library needs none and answers UNSUPPORTED. */
SWARMGRAD_API swarmgrad_status swarmgrad_load_device_code(int32_t environment, const void *code, size_t bytes);

/* ---- engine: life ----------------------------------------------------------------------------------------------- */

SWARMGRAD_API swarmgrad_status swarmgrad_create(const swarmgrad_config *config, swarmgrad_engine **engine);
SWARMGRAD_API swarmgrad_status swarmgrad_destroy(swarmgrad_engine *engine); /* null is allowed; BUSY while in use */
SWARMGRAD_API swarmgrad_status swarmgrad_get_info(swarmgrad_engine *engine, swarmgrad_info *info);
SWARMGRAD_API swarmgrad_status swarmgrad_get_group(swarmgrad_engine *engine, int32_t group, swarmgrad_group *info);

/* ---- engine: training ------------------------------------------------------------------------------------------- */

/* `iterations` complete iterations: batch, gradient, optimizer. rates: [iterations].
 * statistics: [iterations][group], or null. */
SWARMGRAD_API swarmgrad_status swarmgrad_train(swarmgrad_engine *engine, int32_t iterations,
                                               const swarmgrad_rates *rates, swarmgrad_statistics *statistics);

/* One batch and its gradient (ascent direction of J, mean over episodes), nothing updated. The same call twice gives the
 * same answer. gradient: [parameter_count], or null. statistics: [group], or null. */
SWARMGRAD_API swarmgrad_status swarmgrad_gradient(swarmgrad_engine *engine, float *gradient,
                                                  swarmgrad_statistics *statistics);

/* Clips and applies a gradient, commits the baselines and moments of the batch that swarmgrad_gradient made last, and
 * advances the iteration. gradient: [parameter_count], or null for the one that swarmgrad_gradient left in the engine. Of
 * the rates, those of learning count. */
SWARMGRAD_API swarmgrad_status swarmgrad_step(swarmgrad_engine *engine, const float *gradient,
                                              const swarmgrad_rates *rates);

/* Like swarmgrad_gradient on a batch of its own random stream, with everything written down. trajectories: [group]. */
SWARMGRAD_API swarmgrad_status swarmgrad_record(swarmgrad_engine *engine, const swarmgrad_trajectories *trajectories,
                                                float *gradient, swarmgrad_statistics *statistics);

/* Plays episodes first_episode .. first_episode + episodes - 1 of the evaluation stream of the engine's seed.
 * acting: [group] swarmgrad_acting. statistics: [group]. */
SWARMGRAD_API swarmgrad_status swarmgrad_evaluate(swarmgrad_engine *engine, int64_t first_episode, int64_t episodes,
                                                  const int32_t *acting, swarmgrad_statistics *statistics);

/* Any thread. Cancel makes the running call, or else the next one that trains, records or evaluates, return
 * SWARMGRAD_CANCELLED at the next segment. Progress is the number of cohorts finished since creation. */
SWARMGRAD_API swarmgrad_status swarmgrad_cancel(swarmgrad_engine *engine);
SWARMGRAD_API swarmgrad_status swarmgrad_progress(swarmgrad_engine *engine, int64_t *cohorts);
/* Any thread. A number that changes at least once a step and segment of every cohort, and the iteration under way: where it
 * stands still during a call, an environment does not return. */
SWARMGRAD_API swarmgrad_status swarmgrad_heartbeat(swarmgrad_engine *engine, int64_t *beats, int64_t *iteration);

/* ---- engine: state ---------------------------------------------------------------------------------------------- */

/* Buffers by index, 0 to buffer_count - 1. "parameters" (f32) and "iteration" (i64, 1) always exist. "agent_return" (f64)
 * holds each agent's mean undiscounted return of the last batch. "environment_parameters" (f64) are the environment's, in
 * the catalogue's order: writing others changes the environment from the next batch on; they must leave every shape as it
 * is (groups, observations, actions, state, default horizon); it allocates. Writing checks for NaN and infinity. */
SWARMGRAD_API swarmgrad_status swarmgrad_buffer(swarmgrad_engine *engine, int32_t index, swarmgrad_buffer_info *info);
SWARMGRAD_API swarmgrad_status swarmgrad_read(swarmgrad_engine *engine, int32_t index, void *values, int64_t count);
SWARMGRAD_API swarmgrad_status swarmgrad_write(swarmgrad_engine *engine, int32_t index, const void *values,
                                               int64_t count);

/* ---- engine: the parts on their own, the same code that training uses -------------------------------------------- */

/* observation [row][feature], as the network sees it -> hidden [row][hidden_total] (layers one after the other), logit
 * [row][action], or the value [row]; either may be null. network: see swarmgrad_batch. */
SWARMGRAD_API swarmgrad_status swarmgrad_forward(swarmgrad_engine *engine, int32_t network, int64_t rows,
                                                 const float *observation, float *hidden, float *logit);
SWARMGRAD_API swarmgrad_status swarmgrad_logits(swarmgrad_engine *engine, const swarmgrad_logit_rows *rows);
SWARMGRAD_API swarmgrad_status swarmgrad_weights(swarmgrad_engine *engine, const swarmgrad_rewards *rewards);

/* gradient: [parameters of the network], mean over the batch's environments. Entropy term as configured. */
SWARMGRAD_API swarmgrad_status swarmgrad_gradient_of(swarmgrad_engine *engine, const swarmgrad_batch *batch,
                                                     float *gradient);

/* One repetition (some 20 ms) of independent fused multiply-adds on the engine's threads and instruction set. */
SWARMGRAD_API swarmgrad_status swarmgrad_fma_peak(swarmgrad_engine *engine, double *gflop_per_second);

/* ---- simulator: one environment --------------------------------------------------------------------------------- */

/* Environment and parameters as in swarmgrad_config. Allocates. */
SWARMGRAD_API swarmgrad_status swarmgrad_simulator_create(const char *environment, const swarmgrad_value *parameters,
                                                          int32_t parameter_count, uint64_t seed, int32_t isa,
                                                          swarmgrad_simulator **simulator);
SWARMGRAD_API swarmgrad_status swarmgrad_simulator_destroy(swarmgrad_simulator *simulator);
SWARMGRAD_API swarmgrad_status swarmgrad_simulator_shape(swarmgrad_simulator *simulator, int32_t *group_count,
                                                         int32_t *agent_count, int32_t *field_count, int32_t *horizon);
SWARMGRAD_API swarmgrad_status swarmgrad_simulator_group(swarmgrad_simulator *simulator, int32_t group,
                                                         swarmgrad_group *info);
SWARMGRAD_API swarmgrad_status swarmgrad_simulator_field(swarmgrad_simulator *simulator, int32_t field,
                                                         swarmgrad_field *info);

/* Starts the episode that environment `environment` plays in iteration `iteration` of training with this seed. */
SWARMGRAD_API swarmgrad_status swarmgrad_simulator_reset(swarmgrad_simulator *simulator, uint32_t environment,
                                                         uint32_t iteration);
SWARMGRAD_API swarmgrad_status swarmgrad_simulator_get(swarmgrad_simulator *simulator, int32_t field, double *values);
/* A chance field set here takes the place of what the next step draws; fields that are not set stay drawn. */
SWARMGRAD_API swarmgrad_status swarmgrad_simulator_set(swarmgrad_simulator *simulator, int32_t field,
                                                       const double *values);
/* observation: [feature]; mask: [action] or null (all 1 where the environment has none). */
SWARMGRAD_API swarmgrad_status swarmgrad_simulator_observe(swarmgrad_simulator *simulator, int32_t agent,
                                                           float *observation, uint8_t *mask);
/* action, reward, alive: [agent]; alive (after the step) and done may be null. */
SWARMGRAD_API swarmgrad_status swarmgrad_simulator_step(swarmgrad_simulator *simulator, const int32_t *action,
                                                        float *reward, uint8_t *alive, int32_t *done);

#ifdef __cplusplus
}
#endif

#endif
