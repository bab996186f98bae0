// The engine on the CPU: owns all memory and threads, schedules cohorts, reduces in the fixed order, and updates the
// parameters. The arithmetic of a cohort is in cohort.h.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "core/moments.h"
#include "cpu/thread_pool.h"
#include "host/arena.h"
#include "host/engine.h"

namespace swarmgrad::cpu {

// Of one worker, on a cache line of its own.
struct alignas(host::cache_line) Beats {
  std::atomic<int64_t> count{0};
};

class CpuEngine final : public host::Engine {
 public:
  explicit CpuEngine(const swarmgrad_config &config);

  double fma_peak() override;
  void cancel() override { cancelled_.store(true, std::memory_order_relaxed); }
  host::Heartbeat heartbeat() const override;
  int64_t progress() const override { return cohorts_finished_.load(std::memory_order_relaxed); }

 private:
  void describe_memory(swarmgrad_info &out) const override;
  void run_training(int iterations, const swarmgrad_rates *rates, swarmgrad_statistics *statistics) override;
  void run_gradient(float *out, swarmgrad_statistics *statistics) override;
  void run_step(const float *gradient, const swarmgrad_rates &rates, bool commits) override;
  void run_record(const swarmgrad_trajectories *trajectories, float *gradient,
                  swarmgrad_statistics *statistics) override;
  void run_evaluation(int64_t first_episode, int64_t episodes, const int32_t *acting,
                      swarmgrad_statistics *statistics) override;
  void read_buffer(const host::Buffer &buffer, void *values) override;
  void write_buffer(const host::Buffer &buffer, const void *values) override;
  void run_forward(int network, int64_t rows, const float *observation, float *hidden, float *logit) override;
  void run_logits(const swarmgrad_logit_rows &rows) override;
  void run_weights(const swarmgrad_rewards &rewards) override;
  void run_gradient_of(const swarmgrad_batch &batch, float *gradient) override;

  template <class T>
  T *at(size_t offset) const {
    return reinterpret_cast<T *>(arena_->base() + offset);
  }
  void construct_environments();
  void set_rules();
  host::Pass new_pass(int64_t episodes);
  void make_gradient(double entropy_coefficient, swarmgrad_statistics *statistics);
  void run(host::Pass &pass);
  void throw_first_fault() const;
  void pack();
  void reduce_statistics(const host::Pass &pass);
  void reduce_gradient(const host::Pass &pass, int64_t begin, int64_t end, float *out);
  void measure_norms(const float *gradient);
  void commit_batch();
  void describe_batch(const host::Pass &pass, swarmgrad_statistics *out) const;

  std::unique_ptr<host::Arena> arena_;
  std::vector<host::Worker> workers_;
  std::unique_ptr<Beats[]> beats_;  // [worker]
  std::vector<host::GroupRule> rules_;
  std::vector<Normalisation> normalisation_;  // [feature of all groups], of the rules last set
  std::vector<int32_t> sampled_;              // [group] how training acts
  std::vector<double> norms_;                 // [network], of the gradient last measured
  std::vector<double> factors_;               // [group], of the rules last set
  std::unique_ptr<ThreadPool> pool_;

  float *parameters_, *panels_, *gradient_, *first_moment_, *second_moment_, *block_gradient_;
  double *products_, *baseline_, *agent_return_, *block_statistics_, *batch_statistics_, *environment_parameters_;
  Moments *return_moments_;       // [group]
  Moments *observation_moments_;  // [feature of all groups]
  int64_t *iteration_;
  char *logit_scratch_;

  bool panels_are_current_ = false;
  std::atomic<bool> cancelled_{false};
  std::atomic<int64_t> cohorts_finished_{0}, next_block_{0}, iteration_under_way_{0};
};

}  // namespace swarmgrad::cpu
