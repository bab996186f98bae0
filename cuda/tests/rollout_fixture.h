// A rollout kernel driven by hand, without the host engine: one wave of all episodes, arrays in plain memory that the
// emulated device shares, and the comparison with what the CPU engine recorded.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "cuda/emulation/control.h"
#include "cuda/layout.h"
#include "cuda/rollout_kernels.h"
#include "host/catalogue.h"
#include "host/planner.h"
#include "tests/engine_fixture.h"

namespace swarmgrad_tests {

namespace cuda = swarmgrad::cuda;
namespace host = swarmgrad::host;

// What may differ without any effect on the results.
struct Shape {
  int threads = 0;   // 0: as laid out
  int episodes = 0;  // of a block; 0: as laid out
  int tile_rows = 0;
  int grid = 0;  // 0: a block for each tile
  bool shared = true;
  const char *order = "forward";
};

class DeviceRollout {
 public:
  struct Rows {
    std::vector<float> observation, reward, entropy, log_probability;
    std::vector<int32_t> action;
    std::vector<uint8_t> alive;
    std::vector<uint16_t> available;
  };

  // kernel: null for the catalogue's.
  DeviceRollout(const Setup &setup, const std::vector<float> &parameters, swarmgrad::Stream stream, int acting,
                const void *kernel = nullptr)
      : configuration_(setup),
        named_(host::find_environment(setup.environment, setup.parameters.data(),
                                      static_cast<int>(setup.parameters.size()))),
        kernel_(kernel != nullptr ? kernel : cuda::rollout_kernel(named_.index)),
        environment_parameters_(named_.parameters),
        parameters_(parameters) {
    const host::EnvironmentTable &table = host::environment_at(named_.index);
    storage_ = host::make_plan(configuration_.config, table, named_.parameters);
    host::EnvironmentObject object(table, named_.parameters, nullptr);
    state_bytes_ = table.memory_bytes(object.get()) / host::cohort_size;
    const host::Plan &plan = storage_->plan;
    rules_.resize(static_cast<size_t>(plan.group_count));
    pass_.group_count = pass_.network_count = plan.group_count;
    pass_.agent_count = plan.agent_count;
    pass_.horizon = plan.horizon;
    pass_.parameter_count = plan.parameter_count;
    pass_.seed = setup.seed;
    pass_.stream = stream;
    pass_.learns = 1;
    pass_.episodes = setup.environments;
    pass_.cohorts = pass_.wave_cohorts = static_cast<int>(host::cohorts_of(setup.environments));
    pass_.blocks = 1;
    make_groups(plan, acting);
  }

  // Plays all episodes; garbage in every array before, so that a row left unwritten shows.
  void play(const Shape &shape) {
    const size_t slots = static_cast<size_t>(pass_.wave_cohorts) * cuda::cohort_size;
    length_.assign(slots, -7);
    truncated_.assign(slots, 77);
    fault_.assign(slots, {});
    control_ = {};
    control_.fault_environment = UINT32_MAX;
    control_.gradient_fault_network = control_.update_fault_network = -1;
    shared_ = {};
    shared_.cancel = cancel;
    rows_.assign(groups_.size(), {});
    for (size_t g = 0; g < groups_.size(); ++g) point_to_rows(groups_[g], rows_[g], slots);
    pass_.groups = groups_.data();
    pass_.rules = rules_.data();
    pass_.parameters = parameters_.data();
    pass_.panels = panels_.data();
    pass_.iteration = &control_.iteration;
    pass_.length = length_.data();
    pass_.truncated = truncated_.data();
    pass_.fault = fault_.data();
    pass_.control = &control_;
    pass_.shared = &shared_;

    cuda::Rollout rollout = {};
    rollout.pass = pass_;
    rollout.parameters = environment_parameters_.data();
    const cuda::SharedMemory memory = shape.shared ? cuda::SharedMemory{232448, 233472, 1024} : cuda::SharedMemory{};
    cuda::choose_tiles(rollout, groups_.data(), memory, 1);
    if (shape.episodes != 0) rollout.episodes_per_block = shape.episodes;
    if (shape.tile_rows != 0) rollout.tile_rows = shape.tile_rows;
    cuda::Launch launch = cuda::lay_out(rollout, groups_.data(), state_bytes_, memory);
    if (shape.threads != 0) launch.threads = shape.threads;
    const auto blocks = static_cast<unsigned>(shape.grid != 0 ? shape.grid : cuda::block_count(rollout));
    std::vector<double> scratch(launch.scratch_bytes_per_block * blocks / sizeof(double) + 2, -7e300);
    rollout.scratch = reinterpret_cast<char *>((reinterpret_cast<uintptr_t>(scratch.data()) + 15) / 16 * 16);
    swarmgrad_emulation_set("order", shape.order);
    void *argument[] = {&rollout};
    REQUIRE(cudaFuncSetAttribute(kernel_, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 static_cast<int>(launch.shared_bytes)) == cudaSuccess);
    REQUIRE(cudaLaunchKernel(kernel_, blocks, static_cast<unsigned>(launch.threads), argument, launch.shared_bytes,
                             nullptr) == cudaSuccess);
    REQUIRE_MESSAGE(cudaDeviceSynchronize() == cudaSuccess, swarmgrad_emulation_message());
  }

  const cuda::Control &control() const { return control_; }
  const cuda::Shared &shared() const { return shared_; }
  const cuda::Group &group(int g) const { return groups_[static_cast<size_t>(g)]; }
  const Rows &rows(int g) const { return rows_[static_cast<size_t>(g)]; }
  int group_count() const { return pass_.group_count; }
  size_t slot_of(int64_t episode) const {
    for (int64_t cohort = 0;; ++cohort)
      if (episode < cuda::first_episode_of(pass_, cohort + 1))
        return static_cast<size_t>(cohort * cuda::cohort_size + episode - cuda::first_episode_of(pass_, cohort));
  }
  int32_t length(int64_t episode) const { return length_[slot_of(episode)]; }
  const cuda::Fault &fault(int64_t episode) const { return fault_[slot_of(episode)]; }
  // Whose fault is reported: of the lowest cohort that has one, the earliest, as the CPU engine does.
  int64_t reported_episode() const {
    const int64_t lowest = control_.fault_environment;
    int64_t cohort = 0;
    while (cuda::first_episode_of(pass_, cohort + 1) <= lowest) ++cohort;
    int64_t first = lowest;
    for (int64_t e = lowest; e < cuda::first_episode_of(pass_, cohort + 1); ++e)
      if (fault(e).kind != cuda::Fault::none && fault(e).step < fault(first).step) first = e;
    return first;
  }
  std::vector<float> &panels() { return panels_; }

  int cancel = 0;

 private:
  void make_groups(const host::Plan &plan, int acting) {
    int64_t panels = 0;
    for (int g = 0; g < plan.group_count; ++g) groups_.push_back(cuda::group_of(plan.group[g], panels));
    for (cuda::Group &group : groups_) group.acting = acting;
    panels_.assign(static_cast<size_t>(panels), 0.0f);
    for (const cuda::Group &group : groups_)
      for (int l = 0; l < group.layer_count; ++l) {
        const cuda::Layer &layer = group.layer[l];
        float *panel = panels_.data() + layer.forward_panel;
        for (int o = 0; o < layer.outputs; ++o) {
          panel[o] = parameters_[static_cast<size_t>(layer.bias + o)];
          for (int i = 0; i < layer.inputs; ++i)
            panel[(1 + i) * layer.padded_outputs + o] =
                parameters_[static_cast<size_t>(layer.weight + int64_t{o} * layer.inputs + i)];
        }
      }
  }

  static void point_to_rows(cuda::Group &group, Rows &rows, size_t slots) {
    const size_t count = slots * static_cast<size_t>(group.rows);
    rows.observation.assign(count * static_cast<size_t>(group.observation_size), -7);
    rows.action.assign(count, -7);
    for (std::vector<float> *values : {&rows.reward, &rows.entropy, &rows.log_probability}) values->assign(count, -7);
    rows.alive.assign(count, 77);
    if (group.has_mask != 0) rows.available.assign(count * static_cast<size_t>(group.action_count), 77);
    group.observation = rows.observation.data();
    group.action = rows.action.data();
    group.reward = rows.reward.data();
    group.alive = rows.alive.data();
    group.available = group.has_mask != 0 ? rows.available.data() : nullptr;
    group.entropy = rows.entropy.data();
    group.log_probability = rows.log_probability.data();
  }

  Configuration configuration_;
  host::NamedEnvironment named_;
  const void *kernel_;
  std::vector<double> environment_parameters_;
  std::vector<float> parameters_, panels_;
  std::unique_ptr<host::PlanStorage> storage_;
  size_t state_bytes_ = 0;
  std::vector<cuda::Group> groups_;
  std::vector<cuda::Rule> rules_;
  std::vector<Rows> rows_;
  std::vector<int32_t> length_;
  std::vector<uint8_t> truncated_;
  std::vector<cuda::Fault> fault_;
  cuda::Control control_ = {};
  cuda::Shared shared_ = {};
  cuda::Pass pass_ = {};
};

// The entropy of every cell's logits, by the CPU engine's parts.
inline std::vector<float> entropies(const Engine &engine, int g, const Batch &batch) {
  const size_t cells = batch.reward.size(), actions = static_cast<size_t>(batch.actions),
               features = static_cast<size_t>(batch.features), environments = static_cast<size_t>(batch.environments);
  std::vector<float> observation(cells * features), logit(cells * actions), entropy(cells);
  std::vector<uint8_t> mask(batch.has_mask ? cells * actions : 0);
  for (size_t cell = 0; cell < cells; ++cell) {
    const size_t row = cell / environments, e = cell % environments;
    for (size_t f = 0; f < features; ++f)
      observation[cell * features + f] = batch.observation[(row * features + f) * environments + e];
    for (size_t a = 0; a < actions && batch.has_mask; ++a)
      mask[cell * actions + a] = batch.alive[cell] == 0 || batch.mask[(row * actions + a) * environments + e] != 0;
  }
  const auto rows = static_cast<int64_t>(cells);
  require_ok(swarmgrad_forward(engine.handle(), g, rows, observation.data(), nullptr, logit.data()));
  std::vector<int32_t> action(cells, 0);
  swarmgrad_logit_rows given = {};
  given.size = sizeof given;
  given.action_count = batch.actions;
  given.rows = rows;
  given.logit = logit.data();
  given.mask = batch.has_mask ? mask.data() : nullptr;
  given.action = action.data();
  given.entropy = entropy.data();
  require_ok(swarmgrad_logits(engine.handle(), &given));
  for (size_t cell = 0; cell < cells; ++cell)
    if (batch.alive[cell] == 0) entropy[cell] = 0;
  return entropy;
}

// Every recorded number against the device's, in bits; rows that did not happen are left as they were.
inline void check_same_rows(const Engine &engine, const Recording &recording, const DeviceRollout &device) {
  for (int g = 0; g < device.group_count(); ++g) {
    const Batch &batch = recording.groups[static_cast<size_t>(g)];
    const DeviceRollout::Rows &rows = device.rows(g);
    const std::vector<float> entropy = entropies(engine, g, batch);
    const auto features = static_cast<size_t>(batch.features), actions = static_cast<size_t>(batch.actions);
    int64_t disagreements = 0;
    for (int64_t e = 0; e < batch.environments; ++e) {
      CHECK_MESSAGE(device.length(e) == batch.episode_length[static_cast<size_t>(e)], "length of episode " << e);
      for (int step = 0; step < batch.steps; ++step)
        for (int agent = 0; agent < batch.agents; ++agent) {
          const size_t row = device.slot_of(e) * static_cast<size_t>(device.group(g).rows) +
                             static_cast<size_t>(step * batch.agents + agent);
          const size_t cell = batch.cell(step, agent, e);
          const auto agree = [&]<class T>(const char *what, T found, T expected, size_t k = 0) {
            if (step >= device.length(e)) expected = static_cast<T>(sizeof(T) == 4 ? -7 : 77);
            if (std::memcmp(&found, &expected, sizeof(T)) != 0 && disagreements++ == 0)
              FAIL_CHECK(what << " of group " << g << ", episode " << e << ", step " << step << ", agent " << agent
                              << ", element " << k << ": found " << +found << ", expected " << +expected);
          };
          for (size_t f = 0; f < features; ++f)
            agree("observation", rows.observation[row * features + f],
                  batch.observation[batch.element(step, agent, static_cast<int>(f), batch.features, e)], f);
          for (size_t a = 0; a < actions && batch.has_mask; ++a)
            agree("mask", rows.available[row * actions + a],
                  uint16_t{batch.mask[batch.element(step, agent, static_cast<int>(a), batch.actions, e)]}, a);
          agree("alive", rows.alive[row], batch.alive[cell]);
          agree("action", rows.action[row], batch.action[cell]);
          agree("reward", rows.reward[row], batch.reward[cell]);
          agree("log-probability", rows.log_probability[row], batch.log_probability[cell]);
          agree("entropy", rows.entropy[row], entropy[cell]);
        }
    }
    CHECK(disagreements == 0);
  }
}

// The fault that the device found against the CPU engine's message.
inline void check_same_fault(const DeviceRollout &device, const std::string &text) {
  REQUIRE(device.control().fault_environment != UINT32_MAX);
  const int64_t episode = device.reported_episode();
  const cuda::Fault &fault = device.fault(episode);
  std::string place = "environment " + std::to_string(episode);
  if (fault.agent >= 0) place += ", agent " + std::to_string(fault.agent);
  place += fault.step < 0 ? ", at its start" : ", step " + std::to_string(fault.step);
  if (fault.feature >= 0) place += ", feature " + std::to_string(fault.feature);
  CHECK_MESSAGE(text.find(place + ":") != std::string::npos, text << " does not name " << place);
}

inline const std::vector<Shape> shapes = {
    {},
    {.order = "reverse"},
    {.threads = 32, .episodes = 7, .tile_rows = 8, .grid = 2, .order = "random:1"},
    {.threads = 96, .episodes = 3, .tile_rows = 16, .grid = 1, .shared = false, .order = "random:2"},
    {.threads = 256, .episodes = 40, .tile_rows = 64, .shared = false, .order = "reverse"},
};

// The record of one engine against a rollout of every shape.
inline void check_same_episodes(const Setup &setup, const std::vector<Shape> &played, const void *kernel = nullptr) {
  CAPTURE(setup.environment);
  Engine engine(setup);
  engine.scramble_parameters();
  const Recording recording = engine.record();
  DeviceRollout device(setup, engine.parameters(), swarmgrad::Stream::record, SWARMGRAD_ACT_SAMPLED, kernel);
  for (const Shape &shape : played) {
    CAPTURE(shape.threads);
    CAPTURE(shape.episodes);
    CAPTURE(shape.tile_rows);
    CAPTURE(shape.grid);
    CAPTURE(shape.shared);
    CAPTURE(shape.order);
    device.play(shape);
    CHECK(device.control().fault_environment == UINT32_MAX);
    check_same_rows(engine, recording, device);
  }
}

}  // namespace swarmgrad_tests
