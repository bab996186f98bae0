// What the CUDA engine should reach on devices by their figures: the tables of docs/roofline.md. Counts instructions and bytes
// of a training iteration of simple_spread with the engine's own layout (layout.cpp) and the threads that budgets.txt
// guarantees a multiprocessor. Predicts; measures nothing.
//
//   roofline check cuda/budgets.txt docs/roofline.md     fails where the tables of the second are not what they should be
//   roofline write cuda/budgets.txt docs/roofline.md     puts them there, each in place of the one with the same first line
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda/layout.h"

namespace {

using namespace swarmgrad::cuda;

std::string output;

__attribute__((format(printf, 1, 2))) void print(const char *format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  output += line;
}

// ---- devices -----------------------------------------------------------------------------------------------------

// Of one multiprocessor and cycle where nothing else is said. Sources: docs/roofline.md.
struct Device {
  const char *name;
  int architecture, multiprocessors;
  double clock_ghz;                  // the highest
  int fma_lanes;                     // float
  int load_bytes;                    // of shared memory and first-level cache
  double l2_gb_s, l2_mb, dram_gb_s;  // of the device
  int shared_kib, shared_kib_per_block, threads, blocks;

  double fma_peak() const { return multiprocessors * clock_ghz * 1e9 * fma_lanes; }
  SharedMemory shared_memory() const {
    return {size_t{1024} * static_cast<size_t>(shared_kib_per_block), size_t{1024} * static_cast<size_t>(shared_kib),
            architecture >= 80 ? size_t{1024} : size_t{0}};
  }
};
constexpr Device devices[] = {
    {"T4", 75, 40, 1.59, 64, 64, 1270, 4, 320, 64, 64, 1024, 16},
    {"A100 SXM 80 GB", 80, 108, 1.41, 64, 128, 7219, 40, 2039, 164, 163, 2048, 32},
    {"H100 SXM", 90, 132, 1.98, 128, 128, 8986, 50, 3350, 228, 227, 2048, 32},
    {"B200", 100, 148, 1.965, 128, 128, 8986, 126, 7700, 228, 227, 2048, 32},
};
constexpr double issues_per_cycle = 4;   // of a multiprocessor
constexpr double launch_seconds = 2e-6;  // from one kernel of a graph to the next that waits for it

// ---- what is trained ---------------------------------------------------------------------------------------------

constexpr int agents = 3, steps = 25, observations = 18, actions = 5;
constexpr size_t state_bytes = 25 * sizeof(float);  // positions, velocities, landmarks, forces, coverage

struct Shape {
  const char *name;
  std::vector<int> hidden;
};

Group make_group(const Shape &shape) {
  Group group = {};
  group.agents = agents;
  group.observation_size = observations;
  group.action_count = actions;
  group.rows = agents * steps;
  group.segments = std::max(1, group.rows / 64);
  for (int s = 0; s < group.segments; ++s)
    group.longest_segment =
        std::max(group.longest_segment, static_cast<int>(segment_begin(group, s + 1) - segment_begin(group, s)));
  group.features = observations;
  int inputs = observations;
  for (size_t l = 0; l <= shape.hidden.size(); ++l) {
    Layer &layer = group.layer[group.layer_count++];
    layer.inputs = inputs;
    layer.outputs = l < shape.hidden.size() ? shape.hidden[l] : actions;
    layer.input_feature = group.features - inputs;
    if (l < shape.hidden.size()) group.features += layer.outputs;
    group.parameter_count += int64_t{1} * (layer.inputs + 1) * layer.outputs;
    inputs = layer.outputs;
  }
  int64_t panels = 0;
  lay_panels(group, panels);
  return group;
}

// ---- costs -------------------------------------------------------------------------------------------------------

// Instructions are those of a warp; a pass is one turn of the path to shared memory and first-level cache, 128 bytes.
struct Cost {
  double fma = 0, instructions = 0, passes = 0, l2_bytes = 0, dram_bytes = 0;
  double scratch_bytes = 0;  // of l2_bytes, what a block keeps in memory of its own

  Cost &operator+=(const Cost &other) {
    fma += other.fma;
    instructions += other.instructions;
    passes += other.passes;
    l2_bytes += other.l2_bytes;
    dram_bytes += other.dram_bytes;
    scratch_bytes += other.scratch_bytes;
    return *this;
  }
  Cost operator*(double factor) const {
    return {fma * factor,      instructions * factor, passes * factor,
            l2_bytes * factor, dram_bytes * factor,   scratch_bytes * factor};
  }
};

// What the inner loops are made of, in ptxas's machine code for sm_90, and what their loads cost: matrix.h's squares of
// threads let shared memory serve a 16-byte load in two passes, 4-byte loads take one.
struct Loop {
  int fma, instructions, passes;
};
constexpr Loop bias_chain = {0, 6, 4};           // four rows
constexpr Loop hyperbolic_tangent = {8, 20, 8};  // of a value: two loads of 16 bytes
constexpr Loop slope_of_output = {1, 3, 1};      // of a value: the stored output is read
constexpr int store_passes = 8;                  // of 16 bytes a thread
// What else a warp of rows costs, counted by a PTX interpreter on the linear policy: observation, random numbers, sampling,
// rules and book-keeping of a step; and loss, gradient at the logits and book-keeping of a segment's lane.
constexpr Loop step_of_rows = {75, 2240, 400};
constexpr Loop logits_of_rows = {60, 1100, 150};
constexpr double levels_per_lane = 31.0 / 16;  // of the counter that a lane's sums meet, the last included

// How the products are done; the defaults are the engine's.
struct Design {
  const char *name = "as built";
  bool stores = true;                  // the rollout keeps hidden features and logits, differentiate reads them
  int rows = 4;                        // of a tile
  Loop product = {128, 151, 24};       // four inputs of 8 outputs x 4 rows
  Loop narrow_product = {16, 35, 12};  // four inputs of 1 output x 4 rows
  Loop outer = {128, 148, 24};         // four rows of 8 outputs x 4 inputs
  Loop outer_rest = {32, 59, 12};      // one row
  bool middle_tiles = true;            // 4 outputs x 4 inputs where wide ones are too few
  Loop middle_outer = {64, 78, 16};
  Loop middle_outer_rest = {16, 35, 8};
  Loop narrow_outer = {16, 26, 10};     // four rows of 1 output x 4 inputs
  Loop narrow_outer_rest = {4, 22, 5};  // one row
  Loop counter = {0, 7, 2};             // a parameter's sum at one level
};

Cost loops(const Loop &loop, double warps) {
  return {loop.fma * warps, loop.instructions * warps, loop.passes * warps};
}

int ceiling(int value, int unit) { return (value + unit - 1) / unit; }

// matrix.h: Tiles.
int tile_count(int across, int down) { return 4 * ceiling(across, 2) * ceiling(down, 2); }
int warps_of(int threads) { return ceiling(threads, 32); }

enum class Finish { none, tanh, slope };

Cost product(const Design &design, int rows, int inputs, int outputs, Finish finish, int threads) {
  const int row_tiles = ceiling(rows, design.rows), wide = tile_count(row_tiles, ceiling(outputs, 8));
  const bool is_wide = 2 * wide > threads * 4 / design.rows;
  const int warps = warps_of(is_wide ? wide : tile_count(row_tiles, outputs)), height = is_wide ? 8 : 1;
  const int height_rows = height * design.rows;
  Cost cost = loops(is_wide ? design.product : design.narrow_product, warps * inputs / 4.0);
  cost += loops({0, 30 + 6 * height_rows / 4, 8 + store_passes * height_rows / 4}, warps);
  if (finish == Finish::tanh) cost += loops(hyperbolic_tangent, height_rows * warps);
  if (finish == Finish::slope) cost += loops(slope_of_output, height_rows * warps);
  return cost;
}

Cost outer_product(const Design &design, int rows, int outputs, int inputs, int threads) {
  const int across = ceiling(inputs, 4);
  const auto fills = [&](int height) { return 2 * tile_count(across, ceiling(outputs, height)) > threads; };
  const int height = fills(8) ? 8 : design.middle_tiles && fills(4) ? 4 : 1;
  const int warps = warps_of(tile_count(across, ceiling(outputs, height)));
  const Loop &loop = height == 8 ? design.outer : height == 4 ? design.middle_outer : design.narrow_outer;
  const Loop &rest = height == 8   ? design.outer_rest
                     : height == 4 ? design.middle_outer_rest
                                   : design.narrow_outer_rest;
  Cost cost = loops(loop, warps * (rows / 4));
  cost += loops(rest, warps * (rows % 4));
  cost += loops(design.counter, warps * height * 4 * levels_per_lane);
  cost += loops(bias_chain, warps_of(outputs) * rows / 4.0);
  cost.scratch_bytes = 4.0 * (inputs + 1) * outputs * levels_per_lane;
  cost.l2_bytes = cost.scratch_bytes;
  return cost;
}

Cost forward(const Design &design, const Group &group, int rows, int threads, bool panels_in_shared) {
  Cost cost;
  for (int l = 0; l < group.layer_count; ++l)
    cost += product(design, rows, group.layer[l].inputs, group.layer[l].outputs,
                    l + 1 < group.layer_count ? Finish::tanh : Finish::none, threads);
  if (!panels_in_shared) cost.l2_bytes += 4.0 * static_cast<double>(forward_panel_count(group));
  return cost;
}

double useful_fma(const Group &group) {
  double count = 0;
  for (int l = 0; l < group.layer_count; ++l)
    count += (l == 0 ? 2.0 : 3.0) * group.layer[l].inputs * group.layer[l].outputs;
  return count;
}

// ---- kernels on a device -----------------------------------------------------------------------------------------

// Threads that a multiprocessor holds at least, as far as registers decide: [kernel].
using Budgets = std::map<std::string, int>;

struct Residency {
  int by_registers, by_shared, by_threads;
  int blocks() const { return std::min(by_registers, std::min(by_shared, by_threads)); }
};
Residency residency(const Device &device, int budget, int threads, size_t shared_bytes) {
  const SharedMemory memory = device.shared_memory();
  return {budget / threads, static_cast<int>(memory.multiprocessor / (shared_bytes + memory.reserved + 256)),
          std::min(device.threads / threads, device.blocks)};
}

struct Kernel {
  const char *name;
  Launch launch;
  Residency resident;
  Cost cost;          // of an agent-step
  double filled = 1;  // of the places for blocks, over all turns
};

struct Model {
  const Device &device;
  Group group;
  int64_t episodes, cohorts;
  double agent_steps;
  Kernel rollout, differentiate, others;
  bool panels_in_shared, features_in_shared;
};

double fill(int64_t blocks, const Device &device, const Residency &resident) {
  const int64_t places = int64_t{1} * device.multiprocessors * resident.blocks();
  return static_cast<double>(blocks) / static_cast<double>((blocks + places - 1) / places * places);
}

Model make_model(const Device &device, const Shape &shape, int64_t episodes, const Design &design,
                 const Budgets &budgets) {
  Model model = {
      device, make_group(shape), episodes, (episodes + 15) / 16, 1.0 * agents * steps * episodes, {}, {}, {}, false,
      false};
  Group &group = model.group;
  const SharedMemory memory = device.shared_memory();

  Rollout rollout = {};
  rollout.pass.group_count = 1;
  rollout.pass.agent_count = agents;
  rollout.pass.wave_cohorts = static_cast<int>(model.cohorts);
  choose_tiles(rollout, &group, memory, device.multiprocessors);
  model.rollout = {"rollout", lay_out(rollout, &group, state_bytes, memory), {}, {}, 1};
  model.rollout.resident =
      residency(device, budgets.at("rollout_*"), model.rollout.launch.threads, model.rollout.launch.shared_bytes);
  model.rollout.filled = fill(block_count(rollout), device, model.rollout.resident);
  const int rows = rollout.episodes_per_block * agents, row_warps = warps_of(rows);
  Cost played = forward(design, group, rows, model.rollout.launch.threads, rollout.panels.in_shared != 0);
  played += loops(step_of_rows, row_warps);
  model.rollout.cost = played * (1.0 / rows);
  const double kept = 4.0 * (observations + (design.stores ? group.features - observations + actions : 0));
  const double rest = 4 + 4 + 4 + 1;  // action, reward, entropy, alive
  model.rollout.cost.dram_bytes = kept + rest;
  model.rollout.cost += loops({0, 9, 6}, kept / 4 / 32);

  Differentiate differentiate = {};
  model.differentiate = {"differentiate", lay_out(differentiate, group, memory), {}, {}, 1};
  model.panels_in_shared = differentiate.panels.in_shared != 0;
  model.features_in_shared = differentiate.features.in_shared != 0;
  model.differentiate.resident = residency(device, budgets.at("swarmgrad_differentiate_*"),
                                           model.differentiate.launch.threads, model.differentiate.launch.shared_bytes);
  model.differentiate.filled = fill(model.cohorts * group.segments, device, model.differentiate.resident);
  const int segment = group.longest_segment, threads = model.differentiate.launch.threads;
  Cost lane = loops({0, 9, 6}, ceiling(segment, 4) * 4 * kept / 4 / 32);
  if (!design.stores) lane += forward(design, group, segment, threads, model.panels_in_shared);
  lane += loops(logits_of_rows, warps_of(segment));
  for (int l = group.layer_count - 1; l >= 0; --l) {
    const Layer &layer = group.layer[l];
    lane += outer_product(design, segment, layer.outputs, layer.inputs, threads);
    if (l > 0) lane += product(design, segment, layer.outputs, layer.inputs, Finish::slope, threads);
  }
  // A tile reads its operands wherever they are; squares of threads share them.
  for (int l = 0; l < group.layer_count && !model.features_in_shared; ++l) {
    const Layer &layer = group.layer[l];
    const double forward_reads = design.stores ? 0 : 1.0 * layer.inputs * ceiling(layer.outputs, 16);
    const double backward_reads = l == 0 ? 0 : 1.0 * layer.outputs * ceiling(layer.inputs, 16);
    const double outer_reads =
        1.0 * layer.inputs * ceiling(layer.outputs, 8) + 1.0 * layer.outputs * ceiling(layer.inputs, 8);
    const double bytes = 4.0 * segment * (forward_reads + backward_reads + outer_reads);
    lane.l2_bytes += bytes;
    lane.scratch_bytes += bytes;
  }
  if (!model.panels_in_shared)
    lane.l2_bytes += 4.0 * static_cast<double>(panel_count(group) - forward_panel_count(group));
  model.differentiate.cost = lane * (1.0 / segment);
  const double unit_bytes = 4.0 * static_cast<double>(group.parameter_count) / (16.0 * segment);
  model.differentiate.cost.dram_bytes = kept + 4 + 4 + 1 + unit_bytes;
  // What the second-level cache cannot hold of the blocks' own memory goes to the device's.
  const double scratch = static_cast<double>(model.differentiate.launch.scratch_bytes_per_block) *
                         model.differentiate.resident.blocks() * device.multiprocessors;
  model.differentiate.cost.dram_bytes +=
      model.differentiate.cost.scratch_bytes * std::max(0.0, 1 - 1e6 * device.l2_mb / scratch);

  // weigh reads rewards, alive and entropies, and writes weights; fold reads units.
  model.others = {"weigh, fold, reduce, update", {}, {}, {}, 1};
  model.others.cost.dram_bytes = 4 + 4 + 1 + 4 + unit_bytes;
  model.others.cost.instructions = 6 * 12.0 / 16;
  return model;
}

// ---- predictions -------------------------------------------------------------------------------------------------

struct Time {
  double arithmetic, issue, loads, l2, dram;  // seconds of an agent-step on the whole device

  double most() const { return std::max({arithmetic, issue, loads, l2, dram}); }
  double all() const { return std::max(arithmetic, issue) + loads + std::max(l2, dram); }
  const char *binds() const {
    return most() == arithmetic ? "multiply-adds"
           : most() == issue    ? "issue"
           : most() == loads    ? "load path"
           : most() == l2       ? "L2"
                                : "memory";
  }
};

Time time_of(const Device &device, const Cost &cost) {
  const double cycles = device.multiprocessors * device.clock_ghz * 1e9;
  return {cost.fma * 32 / device.fma_lanes / cycles, cost.instructions / issues_per_cycle / cycles,
          cost.passes * 128 / device.load_bytes / cycles, cost.l2_bytes / device.l2_gb_s / 1e9,
          cost.dram_bytes / device.dram_gb_s / 1e9};
}

// What does not grow with the batch: launches, and the chains that one thread follows. weigh: six passes over a lane's rows,
// some 60 cycles each step; measure: a sixteenth of the parameters, 24 cycles each.
double fixed_seconds(const Model &model) {
  const double cycle = 1e-9 / model.device.clock_ghz;
  const double weigh = 6.0 * agents * steps * 60 * cycle;
  const double measure = static_cast<double>(model.group.parameter_count) / 16 * 24 * cycle;
  return 9 * launch_seconds + weigh + measure;
}

struct Prediction {
  double low, high;  // agent-steps/s
};
Prediction predict(const Model &model) {
  double least = 0, most = 0;
  for (const Kernel *kernel : {&model.rollout, &model.differentiate, &model.others}) {
    const Time time = time_of(model.device, kernel->cost);
    least += time.most() / kernel->filled;
    most += time.all() / kernel->filled;
  }
  const double fixed = fixed_seconds(model) / model.agent_steps;
  return {1 / (most + fixed), 1 / (least + fixed)};
}

std::string rate(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value >= 100e6 ? "%.0f" : value >= 10e6 ? "%.1f" : "%.2f", value / 1e6);
  return text;
}

// ---- input and tables --------------------------------------------------------------------------------------------

std::string contents(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Budgets read_budgets(const std::string &path) {
  Budgets budgets;
  std::istringstream lines(contents(path));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string kernel;
    int stack = 0, shared = 0, threads = 0;
    if (words >> kernel >> stack >> shared >> threads) budgets[kernel] = threads;
  }
  for (const char *kernel : {"rollout_*", "swarmgrad_differentiate_*"})
    if (budgets.count(kernel) == 0) throw std::runtime_error(path + " has no line for " + kernel);
  return budgets;
}

const Shape shapes[] = {{"linear", {}}, {"mlp:64,64", {64, 64}}, {"mlp:256,256", {256, 256}}};
const Design as_built;
constexpr int64_t usual_episodes = 16384;

void print_devices() {
  print(
      "| device | multiprocessors | GHz | float multiply-adds a cycle | 10^12 multiply-adds/s | load path, bytes a cycle | L2, TB/s (MB) | "
      "memory, TB/s | shared memory, KiB (a block) |\n| --- | --: | --: | --: | --: | --: | --: | --: | --: |\n");
  for (const Device &device : devices)
    print("| %s | %d | %.3g | %d | %.1f | %d | %.1f (%.0f) | %.2f | %d (%d) |\n", device.name, device.multiprocessors,
          device.clock_ghz, device.fma_lanes, device.fma_peak() / 1e12, device.load_bytes, device.l2_gb_s / 1e3,
          device.l2_mb, device.dram_gb_s / 1e3, device.shared_kib, device.shared_kib_per_block);
}

void print_work(const Budgets &budgets) {
  const Device &device = devices[2];
  print(
      "\n| an agent-step on %s | | multiply-adds needed | done | instructions / 32 threads | passes of the load path | L2, bytes | "
      "memory, bytes |\n| --- | --- | --: | --: | --: | --: | --: | --: |\n",
      device.name);
  for (const Shape &shape : shapes) {
    const Model model = make_model(device, shape, usual_episodes, as_built, budgets);
    double forward_fma = 0;
    for (int l = 0; l < model.group.layer_count; ++l)
      forward_fma += 1.0 * model.group.layer[l].inputs * model.group.layer[l].outputs;
    const double needed[] = {forward_fma, useful_fma(model.group) - forward_fma, 0};
    const Kernel *kernels[] = {&model.rollout, &model.differentiate, &model.others};
    for (int k = 0; k < 3; ++k) {
      const Cost &cost = kernels[k]->cost;
      print("| %s | %s | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f |\n", k == 0 ? shape.name : "", kernels[k]->name,
            needed[k], 32 * cost.fma, cost.instructions, cost.passes, cost.l2_bytes, cost.dram_bytes);
    }
  }
}

void print_occupancy(const Budgets &budgets) {
  print(
      "\n| differentiate | | threads | shared memory, bytes | panels in | blocks by registers, at least | by shared memory | by threads | warps of a "
      "multiprocessor |\n| --- | --- | --: | --: | --- | --: | --: | --: | --: |\n");
  for (const Shape &shape : shapes)
    for (const Device &device : devices) {
      const Model model = make_model(device, shape, usual_episodes, as_built, budgets);
      const Kernel &kernel = model.differentiate;
      print("| %s | %s | %d | %zu | %s | %d | %d | %d | %d |\n", &device == devices ? shape.name : "", device.name,
            kernel.launch.threads, kernel.launch.shared_bytes,
            model.panels_in_shared     ? "shared memory"
            : model.features_in_shared ? "L1, L2"
                                       : "L1, L2; features too",
            kernel.resident.by_registers, kernel.resident.by_shared, kernel.resident.by_threads,
            kernel.resident.blocks() * warps_of(kernel.launch.threads));
    }
}

void print_predictions(const Budgets &budgets) {
  print(
      "\n| predicted, million agent-steps/s | | 4096 episodes | 16 384 | 65 536 | useful multiply-adds : peak | binds rollout | binds "
      "differentiate | fixed, microseconds |\n| --- | --- | --: | --: | --: | --: | --- | --- | --: |\n");
  for (const Shape &shape : shapes)
    for (const Device &device : devices) {
      print("| %s | %s |", &device == devices ? shape.name : "", device.name);
      for (const int64_t episodes : {int64_t{4096}, int64_t{16384}, int64_t{65536}}) {
        const Prediction prediction = predict(make_model(device, shape, episodes, as_built, budgets));
        print(" %s to %s |", rate(prediction.low).c_str(), rate(prediction.high).c_str());
      }
      const Model model = make_model(device, shape, 65536, as_built, budgets);
      const Prediction prediction = predict(model);
      const double share = useful_fma(model.group) / device.fma_peak();
      print(" %.2f to %.2f | %s | %s | %.0f |\n", prediction.low * share, prediction.high * share,
            time_of(device, model.rollout.cost).binds(), time_of(device, model.differentiate.cost).binds(),
            1e6 * fixed_seconds(model));
    }
}

void print_designs(const Budgets &budgets) {
  Design recomputed, larger, row, neighbours, narrow;
  recomputed.name = "hidden features and logits recomputed";
  recomputed.stores = false;
  narrow.name = "narrow layers' weight gradients by tiles of 1 output x 4 inputs alone";
  narrow.middle_tiles = false;
  larger.name = "tiles of 8 outputs x 8 rows";
  larger.rows = 8;
  larger.product = {256, 282, 32};
  row.name = "a thread works out its own row, 8 outputs at a time";
  row.rows = 1;
  row.product = {32, 50, 20};
  neighbours.name = "neighbouring threads take neighbouring rows, not squares";
  neighbours.product = {128, 151, 48};
  neighbours.outer = {128, 148, 48};
  const Design designs[] = {as_built, recomputed, narrow, larger, row, neighbours};
  print("\n| mlp:64,64, 65 536 episodes, predicted, million agent-steps/s |");
  for (const Device &device : devices) print(" %s |", device.name);
  print("\n| --- |");
  for (size_t k = 0; k < std::size(devices); ++k) print(" --: |");
  print("\n");
  for (const Design &design : designs) {
    print("| %s |", design.name);
    for (const Device &device : devices) {
      const Prediction prediction = predict(make_model(device, shapes[1], 65536, design, budgets));
      print(" %s to %s |", rate(prediction.low).c_str(), rate(prediction.high).c_str());
    }
    print("\n");
  }
}

// The document with `output`'s tables in place of its own.
std::string with_tables(std::string document) {
  std::istringstream lines(output + "\n");
  std::string head, table;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) {
      if (table.empty()) head = line;
      table += line + "\n";
      continue;
    }
    if (table.empty()) continue;
    const size_t begin = document.find(head + "\n");
    if (begin == std::string::npos) throw std::runtime_error("no table of the document begins with\n" + head);
    document.replace(begin, document.find("\n\n", begin) + 1 - begin, table);
    table.clear();
  }
  return document;
}

}  // namespace

int main(int count, char **words) try {
  const std::string task = count == 4 ? words[1] : "";
  if (task != "check" && task != "write")
    throw std::runtime_error("usage: roofline check|write cuda/budgets.txt docs/roofline.md");
  const Budgets budgets = read_budgets(words[2]);
  print_devices();
  print_work(budgets);
  print_occupancy(budgets);
  print_predictions(budgets);
  print_designs(budgets);
  const std::string document = contents(words[3]), updated = with_tables(document);
  if (task == "write") {
    std::ofstream(words[3], std::ios::binary) << updated;
  } else if (updated != document) {
    std::printf("%s is not of these kernels and this layout; the target roofline_tables writes it anew\n", words[3]);
    return 1;
  }
  return 0;
} catch (const std::exception &failure) {
  std::fprintf(stderr, "roofline: %s\n", failure.what());
  return 1;
}
