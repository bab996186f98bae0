// The matrix kernels piece by piece, against plain loops in the CPU's order, bit for bit: products, outer products with
// their tree over lanes, whole units of the gradient, sums over units and blocks, panels. Awkward sizes, every memory path,
// block sizes from one warp up, every order of threads.
#include <algorithm>
#include <climits>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/policy.h"
#include "core/statistic.h"
#include "cuda/gradient.h"
#include "cuda/layout.h"
#include "cuda/tests/device_memory.h"
#include "cuda/tests/matrix_kernels.h"

SWARMGRAD_KERNEL_HANDLE(swarmgrad_fold);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_reduce);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_pack);

namespace {

namespace cuda = swarmgrad::cuda;
using namespace swarmgrad::SWARMGRAD_TARGET;

using swarmgrad_tests::Array;
using swarmgrad_tests::expect;
using swarmgrad_tests::first_difference;
using swarmgrad_tests::launch;
using swarmgrad_tests::orders;
using swarmgrad_tests::tree_over_lanes;

std::mt19937 &generator() {
  static std::mt19937 it(7);
  return it;
}
std::vector<float> random_floats(size_t count, float scale = 1.0f) {
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> values(count);
  for (float &value : values) value = normal(generator());
  return values;
}
int random_below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(generator()); }
constexpr float poison = std::numeric_limits<float>::quiet_NaN();

int stride_for(int rows) { return 4 * ((rows + 3) / 4 | 1); }
int padded(int count) { return (count + 7) / 8 * 8; }

// ---- products --------------------------------------------------------------------------------------------------------

float finished(int finish, float sum, float stored) {
  switch (finish) {
    case 1:
      return tanh(Float(sum)).raw;
    case 2:
      return sum > 0.0f ? sum : 0.0f;
    case 3:
      return sum * std::fma(-stored, stored, 1.0f);
    case 4:
      return stored > 0.0f ? sum : 0.0f;
    default:
      return sum;
  }
}

void check_product(int inputs, int outputs, int rows, int finish, bool has_bias) {
  swarmgrad_tests::Product p = {};
  p.panel_stride = padded(outputs);
  p.has_bias = has_bias ? 1 : 0;
  p.inputs = inputs;
  p.outputs = outputs;
  p.rows = rows;
  p.stride = stride_for(rows);
  p.finish = finish;
  const size_t stride = static_cast<size_t>(p.stride);
  const std::vector<float> in = random_floats(static_cast<size_t>(inputs) * stride);
  const std::vector<float> before = random_floats(static_cast<size_t>(outputs) * stride);
  std::vector<float> panel = random_floats(static_cast<size_t>((p.has_bias + inputs) * p.panel_stride), 0.5f);
  std::vector<float> expected;
  const float *weights = panel.data() + p.has_bias * p.panel_stride;
  for (int o = 0; o < outputs; ++o)
    for (int row = 0; row < rows; ++row) {
      float sum = has_bias ? panel[static_cast<size_t>(o)] : 0.0f;
      for (int k = 0; k < inputs; ++k) sum = std::fma(weights[k * p.panel_stride + o], in[k * stride + row], sum);
      expected.push_back(finished(finish, sum, before[o * stride + row]));
    }
  const Array<float> device_in(in), device_panel(panel);
  p.in = device_in.get();
  p.panel = device_panel.get();
  for (int path = 0; path < 3; ++path)
    for (const int threads : {32, 96, 256})
      for (const char *order : orders) {
        swarmgrad_emulation_set("order", order);
        const Array<float> out(before);
        p.out = out.get();
        p.features_in_shared = path > 0;
        p.panels_in_shared = path > 1;
        const size_t floats = (inputs + outputs) * stride + panel.size();
        launch(swarmgrad_test_product_handle, p, 1, threads, floats * sizeof(float));
        const std::vector<float> all = out.values();
        std::vector<float> found;
        for (int o = 0; o < outputs; ++o)
          for (int row = 0; row < rows; ++row) found.push_back(all[o * stride + row]);
        INFO(inputs, " inputs, ", outputs, " outputs, ", rows, " rows, finish ", finish, ", path ", path, ", ", threads,
             " threads, ", order);
        CHECK(first_difference(expected, found) == -1);
      }
  swarmgrad_emulation_set("order", nullptr);
}

TEST_CASE("a product has the bits of one chain per output") {
  struct Shape {
    int inputs, outputs, rows;
  };
  int finish = 0;
  for (const Shape &s : {Shape{1, 1, 1}, {1, 8, 4}, {3, 5, 7}, {18, 9, 75}, {7, 64, 33}, {5, 70, 130}, {16, 17, 2}}) {
    check_product(s.inputs, s.outputs, s.rows, finish % 5, finish % 2 == 0);
    ++finish;
    check_product(s.inputs, s.outputs, s.rows, finish % 5, finish % 2 == 0);
    finish += 2;
  }
}

// ---- outer products and the tree over lanes --------------------------------------------------------------------------

void check_outer_product(int inputs, int outputs, int rows) {
  swarmgrad_tests::OuterProduct p = {};
  p.inputs = inputs;
  p.outputs = outputs;
  p.rows = rows;
  p.stride = stride_for(rows);
  const size_t stride = static_cast<size_t>(p.stride);
  const std::vector<float> delta = random_floats(16 * static_cast<size_t>(outputs) * stride);
  const std::vector<float> in = random_floats(16 * static_cast<size_t>(inputs) * stride);
  std::vector<float> expected;
  for (int o = 0; o < outputs; ++o)
    for (int i = 0; i < inputs; ++i) {
      float lane[16] = {};
      for (int l = 0; l < 16; ++l)
        for (int row = 0; row < rows; ++row)
          lane[l] = std::fma(delta[(l * outputs + o) * stride + row], in[(l * inputs + i) * stride + row], lane[l]);
      expected.push_back(tree_over_lanes(lane));
    }
  for (int o = 0; o < outputs; ++o) {
    float lane[16] = {};
    for (int l = 0; l < 16; ++l)
      for (int row = 0; row < rows; ++row) lane[l] += delta[(l * outputs + o) * stride + row];
    expected.push_back(tree_over_lanes(lane));
  }
  const Array<float> device_delta(delta), device_in(in);
  p.delta = device_delta.get();
  p.in = device_in.get();
  for (const bool shared : {false, true})
    for (const int threads : {32, 160, 256})
      for (const char *order : orders) {
        swarmgrad_emulation_set("order", order);
        const Array<float> levels(4 * expected.size(), poison), result(expected.size(), poison);
        p.levels = levels.get();
        p.result = result.get();
        p.features_in_shared = shared ? 1 : 0;
        launch(swarmgrad_test_outer_product_handle, p, 1, threads, (inputs + outputs) * stride * sizeof(float));
        INFO(inputs, " inputs, ", outputs, " outputs, ", rows, " rows, shared ", shared, ", ", threads, " threads, ",
             order);
        CHECK(first_difference(expected, result.values()) == -1);
      }
  swarmgrad_emulation_set("order", nullptr);
}

TEST_CASE("an outer product has the bits of one chain per lane and the tree over lanes") {
  check_outer_product(1, 1, 1);
  check_outer_product(4, 8, 4);
  check_outer_product(5, 3, 6);
  check_outer_product(18, 9, 75);
  check_outer_product(33, 17, 13);
  check_outer_product(7, 70, 130);
}

// ---- a wave of episodes: units of the gradient, their sums, panels -----------------------------------------------------

// Episodes that a rollout might have kept, for one group: every lane of a cohort of its own length, rows that were not
// written poisoned.
struct Wave {
  struct Shape {
    std::vector<int> layers;  // observation, hidden layers, actions
    int agents, horizon, activation;
    bool has_mask;
    float entropy_coefficient;
    int64_t episodes, blocks;
    bool is_value = false;
  };
  explicit Wave(const Shape &shape);

  int64_t cohorts() const { return (episodes + 15) / 16; }
  int members(int64_t cohort) const {
    return static_cast<int>((cohort + 1) * episodes / cohorts() - cohort * episodes / cohorts());
  }
  int64_t begin(int64_t segment) const { return cuda::segment_begin(group, segment); }
  std::vector<float> logits_of(const float *row, std::vector<float> &features) const;
  // [slot][rows + agents], by plain loops; the state after the last step sees last_observation where truncated.
  std::vector<float> outputs() const;
  // A segment's gradient by plain loops; empty where the cohort has no rows in it.
  std::vector<float> unit(int64_t cohort, int64_t segment) const;
  std::vector<float> lane_chains(int64_t slot, bool plays, int64_t first, int64_t last) const;

  int64_t episodes, blocks;
  cuda::Group group = {};
  float entropy_coefficient;
  int64_t panels = 0;
  std::vector<float> parameters, observation, last_observation, weight;
  std::vector<uint8_t> truncated;
  std::vector<int32_t> action, length, cohort_steps;
  std::vector<uint8_t> alive;
  std::vector<uint16_t> available;
};

Wave::Wave(const Shape &shape)
    : episodes(shape.episodes), blocks(shape.blocks), entropy_coefficient(shape.entropy_coefficient) {
  group.is_value = shape.is_value;
  group.agents = shape.agents;
  group.first_agent = 2;
  group.observation_size = shape.layers.front();
  group.action_count = shape.layers.back();
  group.index_feature = -1;
  group.has_mask = shape.has_mask ? 1 : 0;
  group.activation = shape.activation;
  group.layer_count = static_cast<int>(shape.layers.size()) - 1;
  group.parameter_offset = 3;  // as if another group's came first
  int64_t at = group.parameter_offset;
  for (int l = 0; l < group.layer_count; ++l) {
    cuda::Layer &layer = group.layer[l];
    layer.inputs = shape.layers[static_cast<size_t>(l)];
    layer.outputs = shape.layers[static_cast<size_t>(l) + 1];
    layer.input_feature = group.features;
    group.features += layer.inputs;
    layer.weight = at;
    layer.bias = at + int64_t{1} * layer.inputs * layer.outputs;
    at = layer.bias + layer.outputs;
  }
  group.parameter_count = at - group.parameter_offset;
  cuda::lay_panels(group, panels);
  group.rows = shape.horizon * shape.agents;
  group.segments = std::max(1, group.rows / 64);
  for (int s = 0; s < group.segments; ++s)
    group.longest_segment = std::max(group.longest_segment, static_cast<int>(begin(s + 1) - begin(s)));

  parameters = random_floats(static_cast<size_t>(at), 0.4f);
  const size_t rows = static_cast<size_t>(cohorts() * 16 * group.rows);
  observation.assign(rows * static_cast<size_t>(group.observation_size), poison);
  weight.assign(rows, poison);
  last_observation = random_floats(static_cast<size_t>(cohorts() * 16 * group.agents * group.observation_size));
  action.assign(rows, INT32_MAX);
  alive.assign(rows, 255);
  available.assign(rows * static_cast<size_t>(group.action_count), 0);
  for (int64_t cohort = 0; cohort < cohorts(); ++cohort) {
    cohort_steps.push_back(0);
    for (int lane = 0; lane < 16; ++lane) {
      const bool plays = lane < members(cohort);
      // The first cohort's episodes all end early, others reach the horizon.
      const int longest = cohort == 0 ? (shape.horizon + 1) / 2 : shape.horizon;
      length.push_back(plays ? lane == 0 ? longest : 1 + random_below(longest) : INT32_MAX);
      truncated.push_back(plays && length.back() == shape.horizon && lane != 1);
      if (!plays) continue;
      cohort_steps.back() = std::max(cohort_steps.back(), length.back());
      for (int row = 0; row < length.back() * group.agents; ++row) {
        const size_t k = static_cast<size_t>((cohort * 16 + lane) * group.rows + row);
        alive[k] = random_below(8) != 0;
        action[k] = alive[k] ? random_below(group.action_count) : 0;
        weight[k] = alive[k] ? random_floats(1)[0] : 0.0f;
        const std::vector<float> seen =
            random_floats(static_cast<size_t>(group.observation_size), alive[k] ? 1.0f : 0.0f);
        std::copy(seen.begin(), seen.end(), observation.begin() + static_cast<ptrdiff_t>(k) * group.observation_size);
        for (int a = 0; a < group.action_count; ++a)
          available[k * static_cast<size_t>(group.action_count) + static_cast<size_t>(a)] =
              a == action[k] || random_below(3) != 0;
      }
    }
  }
}

std::vector<float> Wave::logits_of(const float *row, std::vector<float> &features) const {
  features.assign(row, row + group.observation_size);
  std::vector<float> in = features, out;
  for (int l = 0; l < group.layer_count; ++l) {
    const cuda::Layer &layer = group.layer[l];
    out.clear();
    for (int o = 0; o < layer.outputs; ++o) {
      float sum = parameters[static_cast<size_t>(layer.bias + o)];
      for (int i = 0; i < layer.inputs; ++i)
        sum = std::fma(parameters[static_cast<size_t>(layer.weight + o * layer.inputs + i)], in[static_cast<size_t>(i)],
                       sum);
      out.push_back(finished(l + 1 == group.layer_count ? 0 : 1 + group.activation, sum, 0.0f));
    }
    if (l + 1 < group.layer_count) features.insert(features.end(), out.begin(), out.end());
    in = out;
  }
  return out;
}

std::vector<float> Wave::lane_chains(int64_t slot, bool plays, int64_t first, int64_t last) const {
  std::vector<float> chain(static_cast<size_t>(group.parameter_count));
  const std::vector<float> nothing(static_cast<size_t>(group.observation_size));
  for (int64_t row = first; row < last; ++row) {
    const size_t k = static_cast<size_t>(slot * group.rows + row);
    const bool written = plays && row < int64_t{1} * length[static_cast<size_t>(slot)] * group.agents;
    const bool lives = written && alive[k] != 0;
    std::vector<float> features;
    const ptrdiff_t at = static_cast<ptrdiff_t>(k) * group.observation_size;
    std::vector<float> delta = logits_of(written ? observation.data() + at : nothing.data(), features);
    std::vector<float> exponentials(delta.size());
    if (group.is_value != 0) {
      delta = {written ? weight[k] : 0.0f};
    } else {
      const Logits logits(delta.data(), 1, group.action_count,
                          lives && group.has_mask != 0 ? &available[k * delta.size()] : nullptr, exponentials.data());
      logits.gradient(lives ? action[k] : 0, lives ? weight[k] : 0.0f, entropy_coefficient, lives, delta.data());
    }
    for (int l = group.layer_count - 1; l >= 0; --l) {
      const cuda::Layer &layer = group.layer[l];
      float *in = features.data() + layer.input_feature;
      float *of_weight = chain.data() + (layer.weight - group.parameter_offset);
      float *of_bias = chain.data() + (layer.bias - group.parameter_offset);
      for (int o = 0; o < layer.outputs; ++o) {
        of_bias[o] += delta[static_cast<size_t>(o)];
        for (int i = 0; i < layer.inputs; ++i)
          of_weight[o * layer.inputs + i] =
              std::fma(delta[static_cast<size_t>(o)], in[i], of_weight[o * layer.inputs + i]);
      }
      if (l == 0) break;
      std::vector<float> slopes;
      for (int i = 0; i < layer.inputs; ++i) {
        float sum = 0.0f;
        for (int o = 0; o < layer.outputs; ++o)
          sum = std::fma(parameters[static_cast<size_t>(layer.weight + o * layer.inputs + i)],
                         delta[static_cast<size_t>(o)], sum);
        slopes.push_back(finished(3 + group.activation, sum, in[i]));
      }
      delta = slopes;
    }
  }
  return chain;
}

std::vector<float> Wave::outputs() const {
  std::vector<float> values, features;
  const std::vector<float> nothing(static_cast<size_t>(group.observation_size));
  for (int64_t slot = 0; slot < cohorts() * 16; ++slot) {
    const size_t cohort = static_cast<size_t>(slot / 16), lane = static_cast<size_t>(slot);
    const bool plays = slot % 16 < members(slot / 16);
    for (int row = 0; row < group.rows + group.agents; ++row) {
      const bool is_last = row >= group.rows;
      const int played = cohort_steps[cohort] * group.agents;
      if (!plays || (is_last ? played < group.rows : row >= played)) {
        values.push_back(poison);  // left unwritten
        continue;
      }
      const float *seen = nothing.data();
      if (!is_last && row < length[lane] * group.agents)
        seen = observation.data() + (slot * group.rows + row) * group.observation_size;
      if (is_last && truncated[lane] != 0)
        seen = last_observation.data() + (slot * group.agents + row - group.rows) * group.observation_size;
      values.push_back(logits_of(seen, features)[0]);
    }
  }
  return values;
}

std::vector<float> Wave::unit(int64_t cohort, int64_t segment) const {
  const int64_t played = int64_t{1} * cohort_steps[static_cast<size_t>(cohort)] * group.agents;
  const int64_t first = begin(segment), last = std::min(begin(segment + 1), played);
  if (first >= last) return {};
  std::vector<std::vector<float>> lanes;
  for (int lane = 0; lane < 16; ++lane)
    lanes.push_back(lane_chains(cohort * 16 + lane, lane < members(cohort), first, last));
  std::vector<float> sums;
  for (size_t p = 0; p < lanes[0].size(); ++p) {
    float lane[16];
    for (size_t l = 0; l < 16; ++l) lane[l] = lanes[l][p];
    sums.push_back(tree_over_lanes(lane));
  }
  return sums;
}

// The wave in device memory, and the arguments that all kernels share.
struct DeviceWave {
  explicit DeviceWave(const Wave &wave)
      : parameters(wave.parameters),
        panels(static_cast<size_t>(wave.panels), poison),
        observation(wave.observation),
        last_observation(wave.last_observation),
        weight(wave.weight),
        unit_gradient(static_cast<size_t>(wave.cohorts() * wave.group.segments * wave.group.parameter_count), poison),
        output(static_cast<size_t>(wave.cohorts() * 16 * (wave.group.rows + wave.group.agents)), poison),
        action(wave.action),
        length(wave.length),
        cohort_steps(wave.cohort_steps),
        alive(wave.alive),
        truncated(wave.truncated),
        available(wave.available),
        group([&] {
          cuda::Group all = wave.group;
          all.observation = observation.get();
          all.last_observation = all.is_value != 0 ? last_observation.get() : nullptr;
          all.output = output.get();
          all.action = action.get();
          all.reward = weight.get();
          all.alive = alive.get();
          all.available = all.has_mask != 0 ? available.get() : nullptr;
          all.unit_gradient = unit_gradient.get();
          return all;
        }()),
        control([] {
          cuda::Control none = {};
          none.fault_environment = UINT32_MAX;
          none.gradient_fault_network = none.update_fault_network = -1;
          return none;
        }()),
        shared(1),
        rates(cuda::Rates{0, 0, wave.entropy_coefficient}),
        launch_iteration(int32_t{0}) {
    pass.groups = group.get();
    pass.group_count = pass.network_count = 1;
    pass.agent_count = wave.group.agents;
    pass.parameters = parameters.get();
    pass.panels = panels.get();
    pass.parameter_count = wave.group.parameter_offset + wave.group.parameter_count;
    pass.rates = rates.get();
    pass.launch_iteration = launch_iteration.get();
    pass.learns = 1;
    pass.episodes = wave.episodes;
    pass.cohorts = wave.cohorts();
    pass.blocks = wave.blocks;
    pass.wave_cohorts = static_cast<int>(wave.cohorts());
    pass.length = length.get();
    pass.truncated = truncated.get();
    pass.cohort_steps = cohort_steps.get();
    pass.control = control.get();
    pass.shared = shared.get();
  }
  Array<float> parameters, panels, observation, last_observation, weight, unit_gradient, output;
  Array<int32_t> action, length, cohort_steps;
  Array<uint8_t> alive, truncated;
  Array<uint16_t> available;
  Array<cuda::Group> group;
  Array<cuda::Control> control;
  Array<cuda::Shared> shared;
  Array<cuda::Rates> rates;
  Array<int32_t> launch_iteration;
  cuda::Pass pass = {};
};

void pack(const DeviceWave &wave) { launch(swarmgrad_pack_handle, cuda::Pack{wave.pass, wave.panels.get()}, 2, 96, 0); }

// A device whose shared memory leaves this path.
cuda::SharedMemory memory_of(int path, const cuda::Group &group) {
  cuda::Differentiate differentiate;
  const cuda::Launch roomy = cuda::lay_out(differentiate, group, {1 << 20, 3 << 20, 0});
  const size_t panels = static_cast<size_t>(cuda::panel_count(group)) * sizeof(float);
  const size_t bytes = path == 0 ? 0 : path == 1 ? roomy.shared_bytes - panels : roomy.shared_bytes;
  return {bytes + cuda::gradient_static_bytes, 2 * (bytes + cuda::gradient_static_bytes), 0};
}

void check_units(const Wave::Shape &shape) {
  const Wave wave(shape);
  const DeviceWave device(wave);
  pack(device);
  std::vector<float> expected;
  for (int64_t c = 0; c < wave.cohorts(); ++c)
    for (int64_t s = 0; s < wave.group.segments; ++s) {
      std::vector<float> unit = wave.unit(c, s);
      unit.resize(static_cast<size_t>(wave.group.parameter_count), poison);  // left unwritten
      expected.insert(expected.end(), unit.begin(), unit.end());
    }
  const std::vector<const char *> kernels = {"swarmgrad_differentiate_global", "swarmgrad_differentiate_streamed",
                                             "swarmgrad_differentiate_shared"};
  for (int path = 0; path < 3; ++path) {
    cuda::Differentiate differentiate = {};
    differentiate.pass = device.pass;
    const cuda::Launch laid = cuda::lay_out(differentiate, wave.group, memory_of(path, wave.group));
    CHECK(cuda::gradient_kernel(differentiate).name == std::string(kernels[static_cast<size_t>(path)]));
    for (const auto &[blocks, threads] : {std::pair{1, laid.threads}, {3, 32}, {5, 192}})
      for (const char *order : orders) {
        swarmgrad_emulation_set("order", order);
        const Array<float> units(expected.size(), poison);
        expect(cudaMemcpy(device.unit_gradient.get(), units.get(), expected.size() * sizeof(float),
                          cudaMemcpyDeviceToDevice));
        const Array<char> scratch(static_cast<size_t>(blocks) * laid.scratch_bytes_per_block, char{-1});
        differentiate.scratch = scratch.get();
        differentiate.scratch_bytes_per_block = laid.scratch_bytes_per_block;
        launch(cuda::gradient_kernel(differentiate).handle, differentiate, blocks, threads, laid.shared_bytes);
        INFO("path ", path, ", ", blocks, " blocks of ", threads, ", ", order);
        CHECK(first_difference(expected, device.unit_gradient.values()) == -1);
      }
    swarmgrad_emulation_set("order", nullptr);
  }
}

TEST_CASE("a unit's gradient has the bits of plain loops over lanes, rows and layers") {
  check_units({{3, 4}, 1, 1, 0, false, 0.0f, 1, 1});
  check_units({{5, 9, 7, 3}, 2, 3, 1, true, 0.01f, 18, 1});
  check_units({{6, 17, 5}, 3, 46, 0, false, 0.02f, 33, 2});
}

TEST_CASE("a value network's gradient is that of its errors, its outputs those of all rows and of the last state") {
  const Wave::Shape shape = {{6, 9, 1}, 2, 66, 0, false, 0.3f, 18, 1, true};
  check_units(shape);
  const Wave wave(shape);
  const std::vector<float> expected = wave.outputs();
  for (int path = 0; path < 3; ++path)
    for (const char *order : orders) {
      const DeviceWave device(wave);
      pack(device);
      swarmgrad_emulation_set("order", order);
      cuda::Differentiate evaluate = {};
      evaluate.pass = device.pass;
      evaluate.pass.cohort_steps = nullptr;  // weigh has yet to tell
      evaluate.evaluates = 1;
      const cuda::Launch laid = cuda::lay_out(evaluate, wave.group, memory_of(path, wave.group));
      const Array<char> scratch(3 * laid.scratch_bytes_per_block, char{-1});
      evaluate.scratch = scratch.get();
      evaluate.scratch_bytes_per_block = laid.scratch_bytes_per_block;
      launch(cuda::gradient_kernel(evaluate).handle, evaluate, 3, laid.threads, laid.shared_bytes);
      swarmgrad_emulation_set("order", nullptr);
      INFO("path ", path, ", ", order);
      CHECK(first_difference(expected, device.output.values()) == -1);
    }
}

TEST_CASE("a forward pass over given rows has the bits of plain loops, whatever is asked for") {
  const Wave wave({{5, 9, 7, 3}, 1, 1, 0, false, 0.0f, 1, 1});
  const DeviceWave device(wave);
  pack(device);
  const int rows = 70, hidden = 16;
  const std::vector<float> observation = random_floats(size_t{5} * rows);
  std::vector<float> expected_hidden, expected_logits;
  for (int row = 0; row < rows; ++row) {
    std::vector<float> features;
    const std::vector<float> logits = wave.logits_of(observation.data() + 5 * row, features);
    expected_logits.insert(expected_logits.end(), logits.begin(), logits.end());
    expected_hidden.insert(expected_hidden.end(), features.begin() + 5, features.end());
  }
  const Array<float> given(observation);
  for (const size_t bytes : {size_t{0}, size_t{6600}, size_t{1} << 16})
    for (const bool wants_hidden : {false, true}) {
      cuda::Forward forward = {};
      forward.pass = device.pass;
      forward.rows = rows;
      forward.observation = given.get();
      const Array<float> out(size_t{hidden} * rows, poison), logit(size_t{3} * rows, poison);
      forward.hidden = wants_hidden ? out.get() : nullptr;
      forward.logit = logit.get();
      const cuda::Launch laid = cuda::lay_out(forward, wave.group, {bytes, bytes, 0});
      const Array<char> scratch(3 * laid.scratch_bytes_per_block, char{-1});
      forward.scratch = scratch.get();
      forward.scratch_bytes_per_block = laid.scratch_bytes_per_block;
      launch(swarmgrad_forward_rows_handle, forward, 3, laid.threads, laid.shared_bytes);
      INFO(bytes, " bytes of shared memory");
      CHECK(first_difference(expected_logits, logit.values()) == -1);
      if (wants_hidden) CHECK(first_difference(expected_hidden, out.values()) == -1);
    }
}

TEST_CASE("units become cohorts, blocks and the total in the fixed order") {
  for (const auto &[episodes, blocks] :
       {std::pair<int64_t, int64_t>{33, 1}, {33, 3}, {160, 7}, {1024, 64}, {1000, 62}, {592, 37}}) {
    const Wave wave({{2, 3}, 2, 70, 0, false, 0.0f, episodes, blocks});
    const DeviceWave device(wave);
    const cuda::Group &group = wave.group;
    const int statistics = static_cast<int>(swarmgrad::statistics_of_group(group.agents, 70, 0));
    const size_t parameters = static_cast<size_t>(device.pass.parameter_count);
    const std::vector<float> units = random_floats(device.unit_gradient.values().size());
    expect(cudaMemcpy(device.unit_gradient.get(), units.data(), units.size() * sizeof(float), cudaMemcpyHostToDevice));
    std::vector<double> of_cohorts;
    for (int64_t k = 0; k < wave.cohorts() * statistics; ++k) of_cohorts.push_back(random_floats(1)[0]);

    std::vector<float> sums(static_cast<size_t>(blocks) * parameters);
    std::vector<double> statistic_sums;
    for (int64_t b = 0; b < blocks; ++b) {
      for (int k = 0; k < statistics; ++k) statistic_sums.push_back(swarmgrad::empty_statistic(k));
      for (int64_t c = swarmgrad::part_begin(b, wave.cohorts(), blocks);
           c < swarmgrad::part_begin(b + 1, wave.cohorts(), blocks); ++c) {
        for (int64_t p = 0; p < group.parameter_count; ++p) {
          float cohort = 0.0f;
          for (int64_t s = 0; s < group.segments; ++s) {
            if (wave.begin(s) >= int64_t{1} * wave.cohort_steps[static_cast<size_t>(c)] * group.agents) break;
            const float unit = units[static_cast<size_t>((c * group.segments + s) * group.parameter_count + p)];
            cohort = s == 0 ? unit : cohort + unit;
          }
          sums[static_cast<size_t>(b) * parameters + static_cast<size_t>(group.parameter_offset + p)] += cohort;
        }
        swarmgrad::merge_statistics(statistics, statistic_sums.data() + b * statistics,
                                    of_cohorts.data() + c * statistics);
      }
    }
    const Array<float> block_gradient(sums.size(), 0.0f), gradient(parameters, poison);
    std::vector<double> empty;
    for (int64_t k = 0; k < blocks * statistics; ++k) empty.push_back(swarmgrad::empty_statistic(k % statistics));
    const Array<double> cohort_statistics(of_cohorts), block_statistics(empty);
    // Two waves, and a grid that does not divide anything.
    cuda::Pass pass = device.pass;
    pass.statistics_per_cohort = statistics;
    const int first_wave = static_cast<int>(wave.cohorts() / 2);
    for (const int from : {0, first_wave}) {
      pass.first_cohort = from;
      pass.wave_cohorts = from == 0 ? first_wave : static_cast<int>(wave.cohorts()) - first_wave;
      cuda::Group shifted = device.group.values()[0];
      shifted.unit_gradient += int64_t{from} * group.segments * group.parameter_count;
      const Array<cuda::Group> of_wave(shifted);
      pass.groups = of_wave.get();
      pass.cohort_steps = device.cohort_steps.get() + from;
      pass.cohort_statistics = cohort_statistics.get() + int64_t{from} * statistics;
      launch(swarmgrad_fold_handle, cuda::Fold{pass, -1, block_gradient.get(), block_statistics.get()}, 3, 64, 0);
    }
    INFO(episodes, " episodes, ", blocks, " blocks");
    CHECK(first_difference(sums, block_gradient.values()) == -1);
    CHECK(first_difference(statistic_sums, block_statistics.values()) == -1);

    for (int64_t step = 1; step < blocks; step *= 2)
      for (int64_t b = 0; b + step < blocks; b += 2 * step) {
        for (size_t p = 0; p < parameters; ++p)
          sums[static_cast<size_t>(b) * parameters + p] += sums[static_cast<size_t>(b + step) * parameters + p];
        swarmgrad::merge_statistics(statistics, statistic_sums.data() + b * statistics,
                                    statistic_sums.data() + (b + step) * statistics);
      }
    std::vector<float> total;
    for (size_t p = 0; p < parameters; ++p)
      total.push_back(static_cast<float>(static_cast<double>(sums[p]) / static_cast<double>(episodes)));
    pass.groups = device.group.get();
    launch(swarmgrad_reduce_handle, cuda::Reduce{pass, block_gradient.get(), block_statistics.get(), gradient.get()}, 2,
           96, 0);
    CHECK(first_difference(total, gradient.values()) == -1);
    statistic_sums.resize(static_cast<size_t>(statistics));
    std::vector<double> found = block_statistics.values();
    found.resize(static_cast<size_t>(statistics));
    CHECK(first_difference(statistic_sums, found) == -1);
  }
}

}  // namespace
