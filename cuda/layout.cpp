// See layout.h.
#include "cuda/layout.h"

#include <algorithm>

namespace swarmgrad::cuda {
namespace {

constexpr int warp = 32, most_threads = 256, fewest_threads = 64;

int padded(int count) { return (count + panel_width - 1) / panel_width * panel_width; }

// As many threads as the widest layer has tiles of 8 outputs x 4 rows, in squares of 2 x 2 (matrix.h); where those are more
// than a block may have, equally many in each turn.
int threads_for(const Group &group, int rows, int most) {
  int tiles = 1;
  for (int l = 0; l < group.layer_count; ++l)
    tiles = std::max(tiles, 4 * ((rows + 7) / 8) * ((group.layer[l].outputs + 15) / 16));
  const int turns = (tiles + most - 1) / most;
  const int threads = ((tiles + turns - 1) / turns + warp - 1) / warp * warp;
  return std::max(threads, fewest_threads);
}

bool fits(size_t bytes, size_t blocks, const SharedMemory &memory) {
  return bytes <= memory.block && blocks * (bytes + memory.reserved) <= memory.multiprocessor;
}

// Offsets that grow; every piece begins where 16-byte loads may.
size_t take(size_t &size, size_t bytes) {
  const size_t at = size;
  size += (bytes + 15) / 16 * 16;
  return at;
}

// Features first, then panels.
void place(Place &features, size_t feature_bytes, Place &panels, size_t panel_bytes, const SharedMemory &memory,
           Launch &launch) {
  const size_t blocks = fits(gradient_static_bytes + feature_bytes, 2, memory) ? 2 : 1;
  features.in_shared = fits(gradient_static_bytes + feature_bytes, blocks, memory);
  features.offset = take(features.in_shared ? launch.shared_bytes : launch.scratch_bytes_per_block, feature_bytes);
  panels = {};
  if (!features.in_shared || !fits(gradient_static_bytes + launch.shared_bytes + panel_bytes, blocks, memory)) return;
  panels.in_shared = 1;
  panels.offset = take(launch.shared_bytes, panel_bytes);
}

int64_t slot_count(const Rollout &rollout) { return int64_t{cohort_size} * rollout.pass.wave_cohorts; }

// Of the widest group: observation and hidden layers, logits, exponentials.
size_t feature_bytes(const Rollout &rollout, const Group *groups) {
  int features = 0;
  for (int g = 0; g < rollout.pass.group_count; ++g)
    features = std::max(features, groups[g].features + 2 * groups[g].action_count);
  return sizeof(float) * features * (size_t{1} * rollout.tile_rows + 4);
}

}  // namespace

void lay_panels(Group &group, int64_t &panels) {
  for (int l = 0; l < group.layer_count; ++l) {
    Layer &layer = group.layer[l];
    layer.padded_inputs = padded(layer.inputs);
    layer.padded_outputs = padded(layer.outputs);
    layer.forward_panel = panels;
    panels += (int64_t{1} + layer.inputs) * layer.padded_outputs;
  }
  group.layer[0].backward_panel = -1;
  for (int l = 1; l < group.layer_count; ++l) {
    Layer &layer = group.layer[l];
    layer.backward_panel = panels;
    panels += int64_t{1} * layer.outputs * layer.padded_inputs;
  }
}

Group group_of(const host::GroupPlan &plan, int64_t &panels) {
  Group group = {};
  group.is_value = plan.is_value;
  group.first_agent = plan.first_agent;
  group.agents = plan.agents;
  group.observation_size = plan.observation_size;
  group.action_count = plan.action_count;
  group.index_feature = plan.index_feature;
  group.normalised = plan.normalised;
  group.has_mask = plan.has_mask;
  group.activation = plan.activation;
  group.layer_count = plan.layer_count;
  for (int l = 0; l < plan.layer_count; ++l) {
    const host::Layer &layer = plan.layer[l];
    group.layer[l].inputs = layer.inputs;
    group.layer[l].outputs = layer.outputs;
    group.layer[l].weight = layer.weight;
    group.layer[l].bias = layer.bias;
    group.layer[l].input_feature = static_cast<int>(layer.input_feature);
  }
  lay_panels(group, panels);
  group.features = plan.observation_size + plan.hidden_total;
  group.parameter_offset = plan.parameter_offset;
  group.parameter_count = plan.parameter_count;
  group.rows = static_cast<int>(plan.rows);
  group.segments = static_cast<int>(plan.segments);
  for (int64_t s = 0; s < plan.segments; ++s)
    group.longest_segment = std::max(group.longest_segment,
                                     static_cast<int>(host::segment_begin(plan, s + 1) - host::segment_begin(plan, s)));
  group.statistics = static_cast<int>(plan.statistics);
  return group;
}

Launch lay_out(Differentiate &differentiate, const Group &group, const SharedMemory &memory) {
  Launch launch = {threads_for(group, group.longest_segment, gradient_threads), 0, 0};
  differentiate.row_stride = 4 * ((group.longest_segment + 3) / 4 | 1);
  differentiate.counter = take(launch.scratch_bytes_per_block, sizeof(float[4]) * group.parameter_count);
  const size_t feature_bytes =
      sizeof(float) * (group.features + 2 * size_t{1} * group.action_count) * differentiate.row_stride;
  place(differentiate.features, feature_bytes, differentiate.panels, sizeof(float) * panel_count(group), memory,
        launch);
  return launch;
}

Launch lay_out(Forward &forward, const Group &group, const SharedMemory &memory) {
  forward.tile_rows = 64;
  Launch launch = {threads_for(group, forward.tile_rows, most_threads), 0, 0};
  const size_t feature_bytes = sizeof(float) * (group.features + group.action_count) * (forward.tile_rows + 4);
  place(forward.features, feature_bytes, forward.panels, sizeof(float) * forward_panel_count(group), memory, launch);
  return launch;
}

void choose_tiles(Rollout &rollout, const Group *groups, const SharedMemory &memory, int multiprocessors) {
  constexpr int usual_rows = 64, most_rows = 128;
  int agents = 1;
  for (int g = 0; g < rollout.pass.group_count; ++g) agents = std::max(agents, groups[g].agents);
  rollout.episodes_per_block = static_cast<int>(
      std::clamp<int64_t>(slot_count(rollout) / (2 * multiprocessors), 1, std::max(usual_rows / agents, 1)));
  rollout.tile_rows = (std::min(rollout.episodes_per_block * agents, most_rows) + 7) / 8 * 8;
  if (rollout.tile_rows > usual_rows && !fits(feature_bytes(rollout, groups), 2, memory))
    rollout.tile_rows = usual_rows;
}

Launch lay_out(Rollout &rollout, const Group *groups, size_t state_bytes, const SharedMemory &memory) {
  // An odd number of words: what threads of neighbouring episodes read lies in different banks.
  rollout.state_bytes = sizeof(float) * (state_bytes / sizeof(float) | 1);
  Launch launch = {warp, 0, 0};
  size_t panel_bytes = 0;
  for (int g = 0; g < rollout.pass.group_count; ++g) {
    const int rows = std::min(rollout.episodes_per_block * groups[g].agents, most_threads);
    launch.threads = std::max(
        {launch.threads, (rows + warp - 1) / warp * warp, threads_for(groups[g], rollout.tile_rows, most_threads)});
    panel_bytes += sizeof(float) * forward_panel_count(groups[g]);
  }
  const size_t row_bytes = RowMemory::bytes(rollout.episodes_per_block, rollout.pass.agent_count, rollout.tile_rows);
  const size_t feature_size = feature_bytes(rollout, groups);
  const size_t all_state_bytes = rollout.state_bytes * rollout.episodes_per_block;
  const size_t blocks = fits(rollout_static_bytes + row_bytes + feature_size + all_state_bytes, 2, memory) ? 2 : 1;
  const auto place_in_shared = [&](Place &place, size_t bytes) {
    place = {fits(rollout_static_bytes + launch.shared_bytes + bytes, blocks, memory), 0};
    if (place.in_shared) place.offset = take(launch.shared_bytes, bytes);
    return place.in_shared != 0;
  };
  const auto place_somewhere = [&](Place &place, size_t bytes) {
    if (!place_in_shared(place, bytes)) place.offset = take(launch.scratch_bytes_per_block, bytes);
  };
  place_somewhere(rollout.row_memory, row_bytes);
  place_somewhere(rollout.features, feature_size);
  place_somewhere(rollout.state, all_state_bytes);
  rollout.panels = {};
  if (rollout.features.in_shared) place_in_shared(rollout.panels, panel_bytes);
  rollout.scratch_bytes_per_block = launch.scratch_bytes_per_block;
  return launch;
}

int64_t block_count(const Rollout &rollout) {
  return (slot_count(rollout) + rollout.episodes_per_block - 1) / rollout.episodes_per_block;
}

}  // namespace swarmgrad::cuda
