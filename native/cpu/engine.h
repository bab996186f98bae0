// One training engine on the CPU: owns all memory and threads, schedules cohorts, reduces in the fixed order, and updates
// the parameters. The arithmetic of a cohort is in kernels.cpp; the C functions in abi.cpp.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "cpu/callbacks.h"
#include "cpu/catalogue.h"
#include "cpu/planner.h"
#include "cpu/thread_pool.h"

namespace swarmgrad::cpu {

// Zeroed memory from the system, on large pages where there are any.
class Arena {
 public:
  explicit Arena(size_t bytes);
  ~Arena();
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;
  char *base() const { return base_; }

 private:
  char *base_;
  size_t bytes_;
};

// Of one worker, on a cache line of its own.
struct alignas(cache_line) Beats {
  std::atomic<int64_t> count{0};
};

struct Heartbeat {
  int64_t beats, iteration;
};

// A named array; all of the engine's memory is made of them, so nothing that survives an iteration goes unlisted.
struct Buffer {
  const char *name;
  swarmgrad_type type;
  bool checkpointed;
  int64_t count;
  size_t offset;
};

class Engine {
 public:
  explicit Engine(const swarmgrad_config &config);

  void info(swarmgrad_info &out) const;
  void group(int index, swarmgrad_group &out) const;

  void train(int iterations, const double *learning_rate, swarmgrad_statistics *statistics);
  void gradient(float *out, swarmgrad_statistics *statistics);
  void step(const float *gradient, double learning_rate);
  void record(const swarmgrad_trajectories *trajectories, float *gradient, swarmgrad_statistics *statistics);
  void evaluate(int64_t first_episode, int64_t episodes, int acting, swarmgrad_statistics *statistics);

  void buffer(int index, swarmgrad_buffer_info &out) const;
  void read(int index, void *values, int64_t count) const;
  void write(int index, const void *values, int64_t count);

  void forward(int group, int64_t rows, const float *observation, float *hidden, float *logit);
  void logits(const swarmgrad_logit_rows &rows);
  void weights(const swarmgrad_rewards &rewards);
  void gradient_of(const swarmgrad_batch &batch, float *gradient);
  double fma_peak();

  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  Heartbeat heartbeat() const;
  int64_t progress() const { return cohorts_finished_.load(std::memory_order_relaxed); }

  std::atomic<bool> in_use{false};

 private:
  template <class T>
  T *at(size_t offset) const {
    return reinterpret_cast<T *>(arena_->base() + offset);
  }
  size_t add_buffer(const char *name, swarmgrad_type type, bool checkpointed, int64_t count);
  void initialise_parameters();
  void set_rules();
  Pass new_pass(int64_t episodes);
  void run(Pass &pass);
  void throw_fault() const;
  void pack();
  void reduce_statistics(const Pass &pass);
  void reduce_gradient(const Pass &pass, int64_t begin, int64_t end, float *out);
  void compute_gradient();
  void measure_norms(const float *gradient);
  void commit_batch();
  void describe(const Pass &pass, swarmgrad_statistics *out) const;
  const Buffer &buffer_at(int index) const;
  void check_group(int group) const;
  void check_given(int group, int64_t environments, int steps) const;

  swarmgrad_config config_;
  int isa_ = 0;
  const Kernels *kernels_;
  std::unique_ptr<const CallbackTable> callbacks_;  // null where the environment is of the catalogue
  NamedEnvironment named_;
  std::unique_ptr<PlanStorage> storage_;
  const Plan &plan_;
  size_t bytes_ = 0;
  std::unique_ptr<Arena> arena_;
  std::vector<Buffer> buffers_;
  std::vector<Worker> workers_;
  std::unique_ptr<Beats[]> beats_;  // [worker]
  std::vector<GroupRule> rules_;
  std::vector<double> norms_;  // [group], of the gradient last measured
  std::unique_ptr<ThreadPool> pool_;

  float *parameters_, *panels_, *gradient_, *first_moment_, *second_moment_, *block_gradient_;
  double *products_, *baseline_, *moments_, *agent_return_, *block_statistics_, *batch_statistics_;
  int64_t *iteration_;
  char *logit_scratch_;

  bool panels_are_current_ = false;
  bool has_gradient_ = false;  // gradient_ is that of a training batch, for step to apply
  bool has_batch_ = false;     // batch_statistics_ are those of a training batch, for step to commit
  std::atomic<bool> cancelled_{false};
  std::atomic<int64_t> cohorts_finished_{0}, next_block_{0}, iteration_under_way_{0};
};

}  // namespace swarmgrad::cpu
