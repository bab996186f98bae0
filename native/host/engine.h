// A training engine as the C functions see it: checks every argument, keeps the list of buffers and says what a batch was.
// Where the arithmetic runs is the business of the engine derived from it (cpu/cpu_engine.h, cuda/engine.h).
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "host/callbacks.h"
#include "host/catalogue.h"
#include "host/planner.h"

namespace swarmgrad::host {

struct Heartbeat {
  int64_t beats, iteration;
};

// A named array that the engine owns; all of its memory is made of them, so nothing that survives an iteration goes
// unlisted.
struct Buffer {
  const char *name;
  swarmgrad_type type;
  bool checkpointed;
  int64_t count;
  size_t offset;
};

// The sums of one batch, and what belongs to it: all that a description needs.
struct BatchSums {
  int64_t iteration, episodes;
  bool learns;
  const double *statistics;  // [statistics_per_block], over all blocks
  const double *norm;        // [network], of the gradient; with `learns` only
  const double *factor;      // [group], the constant that multiplied the weights; with `learns` only
};

class Engine {
 public:
  virtual ~Engine() = default;
  Engine(const Engine &) = delete;
  Engine &operator=(const Engine &) = delete;

  void info(swarmgrad_info &out) const;
  void group(int index, swarmgrad_group &out) const;

  void train(int iterations, const swarmgrad_rates *rates, swarmgrad_statistics *statistics);
  void gradient(float *out, swarmgrad_statistics *statistics);
  void step(const float *gradient, const swarmgrad_rates *rates);
  void record(const swarmgrad_trajectories *trajectories, float *gradient, swarmgrad_statistics *statistics);
  void evaluate(int64_t first_episode, int64_t episodes, const int32_t *acting, swarmgrad_statistics *statistics);

  void buffer(int index, swarmgrad_buffer_info &out) const;
  void read(int index, void *values, int64_t count);
  void write(int index, const void *values, int64_t count);

  void forward(int network, int64_t rows, const float *observation, float *hidden, float *logit);
  void logits(const swarmgrad_logit_rows &rows);
  void weights(const swarmgrad_rewards &rewards);
  void gradient_of(const swarmgrad_batch &batch, float *gradient);
  virtual double fma_peak() = 0;

  virtual void cancel() = 0;
  virtual Heartbeat heartbeat() const = 0;
  virtual int64_t progress() const = 0;

  std::atomic<bool> in_use{false};

 protected:
  explicit Engine(const swarmgrad_config &config);

  // What the derived engine does once the arguments are known to be good.
  virtual void describe_memory(swarmgrad_info &out) const = 0;  // threads, isa, replays, bytes
  virtual void run_training(int iterations, const swarmgrad_rates *rates, swarmgrad_statistics *statistics) = 0;
  // Leaves the gradient and the sums of the batch in the engine, for run_step.
  virtual void run_gradient(float *out, swarmgrad_statistics *statistics) = 0;
  // gradient: null for the one that run_gradient left; commits: with the baselines and moments of its batch.
  virtual void run_step(const float *gradient, const swarmgrad_rates &rates, bool commits) = 0;
  virtual void run_record(const swarmgrad_trajectories *trajectories, float *gradient,
                          swarmgrad_statistics *statistics) = 0;
  virtual void run_evaluation(int64_t first_episode, int64_t episodes, const int32_t *acting,
                              swarmgrad_statistics *statistics) = 0;
  virtual void read_buffer(const Buffer &buffer, void *values) = 0;
  // Of the environment's parameters, named_.parameters has the values already.
  virtual void write_buffer(const Buffer &buffer, const void *values) = 0;
  virtual void run_forward(int network, int64_t rows, const float *observation, float *hidden, float *logit) = 0;
  virtual void run_logits(const swarmgrad_logit_rows &rows) = 0;
  virtual void run_weights(const swarmgrad_rewards &rewards) = 0;
  virtual void run_gradient_of(const swarmgrad_batch &batch, float *gradient) = 0;

  size_t add_buffer(const char *name, swarmgrad_type type, bool checkpointed, int64_t count);
  // What the group's next weights are made of, but for what the derived engine keeps.
  GroupRule rule_of(int group, const Moments &returns) const;
  // The orthogonal initial parameters: [parameter_count].
  void initial_parameters(float *parameters) const;
  void describe(const BatchSums &sums, swarmgrad_statistics *out) const;
  [[noreturn]] void throw_fault(const Fault &fault, int64_t iteration) const;
  // Throws where a network's gradient norm is not finite.
  void check_norm(int network, double norm, int64_t iteration) const;
  [[noreturn]] void throw_update_fault(int network, int64_t iteration) const;
  [[noreturn]] static void throw_cancelled();

  static constexpr int widest_logits = 1024;  // actions that swarmgrad_logits takes

  const swarmgrad_config config_;  // its pointers are not to be followed
  int isa_ = 0;
  const Kernels *kernels_;
  std::unique_ptr<const CallbackTable> callbacks_;  // null where the environment is of the catalogue
  NamedEnvironment named_;                          // its parameters are those of the environment as it is now
  std::unique_ptr<PlanStorage> storage_;
  const Plan &plan_;
  size_t bytes_ = 0;
  std::vector<Buffer> buffers_;

 private:
  const Buffer &buffer_at(int index) const;
  void check_group(int group) const;
  void check_network(int network) const;
  void check_given(int64_t environments, int steps) const;
  void check_rates(const char *name, const swarmgrad_rates &rates) const;
  void set_environment_parameters(const double *values);
  std::string network_name(int network) const;

  bool has_gradient_ = false;  // the engine holds the gradient of a training batch, for step to apply
  bool has_batch_ = false;     // and the sums of that batch, for step to commit
};

size_t element_bytes(swarmgrad_type type);

// The buffer that a curriculum writes.
inline constexpr const char *environment_parameters_name = "environment_parameters";

// How many cohorts the caller of swarmgrad_weights, or else the engine's own partition, makes; and where one begins.
inline int64_t cohort_count(const swarmgrad_rewards &rewards) {
  return rewards.cohort_count > 0 ? rewards.cohort_count : cohorts_of(rewards.environments);
}
inline int64_t cohort_begin(const swarmgrad_rewards &rewards, int64_t cohort) {
  return rewards.cohort_count > 0 ? rewards.cohort_first[cohort]
                                  : part_begin(cohort, rewards.environments, cohorts_of(rewards.environments));
}

// Adjacent items first, then pairs of pairs: the tree in which blocks are summed.
template <class Combine>
void pairwise(int64_t count, Combine combine) {
  for (int64_t step = 1; step < count; step *= 2)
    for (int64_t k = 0; k + step < count; k += 2 * step) combine(k, k + step);
}

// The engine that this library is: defined once in each.
std::unique_ptr<Engine> make_engine(const swarmgrad_config &config);

// The devices that this library's engine can run on; throws UNSUPPORTED saying what was found where there is none.
int device_count();
void describe_device(int index, swarmgrad_device_info &out);
// Gives a user's environment its code for this library's device.
void load_device_code(int environment, const void *code, size_t bytes);

}  // namespace swarmgrad::host
