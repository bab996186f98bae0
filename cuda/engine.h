// The engine on a GPU: owns device memory, a stream and graphs, cuts batches into waves of cohorts that fit, launches the
// kernels and turns what they found into statistics and faults. What a kernel computes is the kernels' own business.
#pragma once

#include <string>
#include <vector>

#include "cuda/devices.h"
#include "cuda/layout.h"
#include "cuda/plan.h"
#include "cuda/runtime.h"
#include "host/engine.h"

namespace swarmgrad::cuda {

// A kernel as the engine launches it: at most as many blocks as the device runs at once.
struct Kernel {
  const char *name = nullptr;
  const void *handle = nullptr;
  int threads = 0;
  size_t shared_bytes = 0;  // dynamic
  int64_t most_blocks = 0;
};

class CudaEngine final : public host::Engine {
 public:
  explicit CudaEngine(const swarmgrad_config &config);
  ~CudaEngine() override;

  double fma_peak() override;
  void cancel() override;
  host::Heartbeat heartbeat() const override;
  int64_t progress() const override;

 private:
  // What of a launch changes while it runs. Lies where buffer "iteration" does.
  struct State {
    int32_t launch_iteration;
    Control control;
  };
  // Where host and device meet: pinned memory.
  struct Mailbox {
    Shared shared;
    int64_t iteration_under_way;
    State begin, end;  // as a call sets the state, and as it finds it at its end
    Fault faults[cohort_size];
  };
  // How a wave's memory is cut: into the arrays of every network, or of one whose batch or rewards are given.
  struct WaveKind {
    int network = -1;  // -1: all
    bool records = false, has_mask = false, is_partitioned = false;
    const int32_t *acting = nullptr;  // [group]; null: sampled
  };

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

  // -- creation
  void plan_environment();
  size_t cut_wave(const WaveKind &kind, int64_t cohorts, char *base, Pass &pass);
  void choose_wave();
  void choose_kernels();
  void check_memory() const;
  void take_pinned();
  void fill_memory();
  void capture_graphs();

  // -- calls and transfers
  template <class Body>
  void on_device(const Body &body);
  template <class T>
  T *at(size_t offset) const {
    return reinterpret_cast<T *>(memory_.get() + offset);
  }
  void synchronize() { check(cudaStreamSynchronize(stream_.get()), "cudaStreamSynchronize"); }
  void copy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind);
  void upload(void *to, const void *from, size_t bytes);
  void download(void *to, const void *from, size_t bytes);
  template <class T, class Fill>
  void upload_rows(T *to, int64_t rows, int64_t width, const Fill &fill);
  template <class T, class Fill>
  void upload_cells(const Pass &pass, const Group &group, T *to, int64_t width, const Fill &fill);
  template <class T, class Visit>
  void download_rows(const T *from, int64_t rows, int64_t width, const Visit &visit);
  template <class T, class Visit>
  void download_cells(const Pass &pass, const Group &group, const T *from, int64_t width, const Visit &visit);
  template <class Arguments>
  void launch(const Kernel &kernel, int64_t blocks, const Arguments &arguments);
  void launch(const ExecutableGraph &graph) { check(cudaGraphLaunch(graph.get(), stream_.get()), "cudaGraphLaunch"); }

  // -- a pass over episodes
  void begin_call();
  void begin_call(const swarmgrad_rates *rates, int iterations);
  void end_call();
  void throw_faults(const Pass &pass);
  host::Fault find_fault(const Pass &pass, uint32_t environment);
  void set_episodes(Pass &pass, int64_t episodes) const;
  void set_groups(const WaveKind &kind, Pass &pass);
  template <class Play>
  void each_wave(Pass &pass, const Play &play);
  template <class First>
  void set_partition(const Pass &pass, const First &first_of);
  template <class Length>
  void set_lengths(const Pass &pass, const Length &length_of);
  int64_t episode_of(int64_t slot) const;
  void enqueue_begin(const Pass &pass);
  void enqueue_rollout(const Pass &pass);
  void enqueue_weigh(const Pass &pass);
  void enqueue_values(const Pass &pass);
  void enqueue_gradient(const Pass &pass, int network, bool is_given);
  void enqueue_fold(const Pass &pass, int network);
  void enqueue_reduce(const Pass &pass);
  void enqueue_learning(const Pass &pass);
  void enqueue_measure(const Pass &pass, const double *statistics, const float *gradient, double *batch_statistics);
  void enqueue_batch();
  void enqueue_step(bool commits);
  Update new_update(const Pass &pass) const;
  void enqueue_logs(int iterations);
  void describe_logged(const Pass &pass, int index, int64_t iteration, swarmgrad_statistics *out) const;
  void end_pass(const Pass &pass, swarmgrad_statistics *statistics);
  void write_episodes(const Pass &pass, int group, const swarmgrad_trajectories &out);
  void write_weights(const Pass &pass, int group, const swarmgrad_trajectories &out);
  void write_values(const Pass &pass, int group, const swarmgrad_trajectories &out);
  bool has_values() const { return plan_.network_count > plan_.group_count; }
  const Group &value_network(int group) const { return groups_[static_cast<size_t>(plan_.group_count + group)]; }
  void upload_values(const Pass &pass, const swarmgrad_rewards &rewards);

  // Made in this order and given back in the other: the device outlives what was made on it.
  DeviceUse device_;
  RolloutCode rollout_code_;
  StreamHandle stream_;
  Event begin_, end_;
  DeviceMemory memory_;
  PinnedMemory pinned_;
  ExecutableGraph batch_graph_, iteration_graph_, step_graph_[2];

  std::vector<Group> groups_;         // [network] shapes, and the arrays of the wave as last cut
  std::vector<int64_t> wave_first_;   // [cohort of the wave + 1]: the first episode of each of the wave under way
  std::vector<int32_t> wave_length_;  // [slot]
  std::vector<uint8_t> wave_truncated_;
  int64_t panel_count_ = 0, wave_cohorts_ = 0;
  bool stores_ = false;  // the rollout keeps hidden features and logits, and the gradient reads them
  size_t state_bytes_ = 0, wave_bytes_ = 0, staging_bytes_ = 0, scratch_bytes_ = 0;
  int log_iterations_ = 0;  // that a launch can hold
  std::string rules_text_;  // what the environment says where its rules break down
  std::string lost_;        // what the device answered when it was lost

  // Kernels, and what of their arguments is the same for every pass.
  Kernel rollout_kernel_, weigh_kernel_, fold_kernel_, reduce_kernel_, measure_kernel_, update_kernel_, commit_kernel_,
      pack_kernel_, logits_kernel_, fma_kernel_;
  std::vector<Kernel> gradient_kernels_, forward_kernels_;  // [network]
  Pass batch_ = {};                                         // of training
  Rollout rollout_ = {};
  std::vector<Differentiate> differentiate_;  // [network]
  std::vector<Forward> forward_;              // [network]

  // In device memory; shapes are those of the kernels' arguments (plan.h).
  float *parameters_, *first_moment_, *second_moment_, *gradient_, *panels_, *block_gradient_;
  double *products_, *baseline_, *agent_return_, *block_statistics_, *batch_statistics_;
  double *empty_statistics_;  // what a pass's block_statistics begin with
  Moments *return_moments_, *observation_moments_;
  Normalisation *normalisation_;
  Rates *rates_;
  double *norms_, *statistics_log_, *norm_log_, *factor_log_, *environment_parameters_;
  State *state_;
  int64_t *evaluation_iteration_;  // 0
  Group *training_groups_, *pass_groups_;
  Rule *rules_;
  char *wave_, *scratch_;

  // In pinned memory; the host's side of the logs holds a launch.
  Mailbox *mailbox_;
  Rates *host_rates_;
  double *host_statistics_, *host_norms_, *host_factors_;
  Group *host_groups_;
  Rule *host_rules_;
  char *staging_;
};

}  // namespace swarmgrad::cuda
