// See layout.h.
#include "cuda/layout.h"

#include <algorithm>

namespace swarmgrad::cuda {
namespace {

constexpr int warp = 32, most_threads = 256, fewest_threads = 64;

int padded(int count) { return (count + panel_width - 1) / panel_width * panel_width; }

// As many threads as the widest layer has tiles of 8 outputs x 4 rows, in squares of 2 x 2 (matrix.h); where those are more
// than a block may have, equally many in each turn.
int threads_for(const Group &group, int rows) {
  int tiles = 1;
  for (int l = 0; l < group.layer_count; ++l)
    tiles = std::max(tiles, 4 * ((rows + 7) / 8) * ((group.layer[l].outputs + 15) / 16));
  const int turns = (tiles + most_threads - 1) / most_threads;
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
  const size_t blocks = fits(feature_bytes, 2, memory) ? 2 : 1;
  features.in_shared = fits(feature_bytes, blocks, memory);
  features.offset = take(features.in_shared ? launch.shared_bytes : launch.scratch_bytes_per_block, feature_bytes);
  panels = {};
  if (!features.in_shared || !fits(launch.shared_bytes + panel_bytes, blocks, memory)) return;
  panels.in_shared = 1;
  panels.offset = take(launch.shared_bytes, panel_bytes);
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

Launch lay_out(Differentiate &differentiate, const Group &group, const SharedMemory &memory) {
  Launch launch = {threads_for(group, group.longest_segment), 0, 0};
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
  Launch launch = {threads_for(group, forward.tile_rows), 0, 0};
  const size_t feature_bytes = sizeof(float) * (group.features + group.action_count) * (forward.tile_rows + 4);
  place(forward.features, feature_bytes, forward.panels, sizeof(float) * forward_panel_count(group), memory, launch);
  return launch;
}

}  // namespace swarmgrad::cuda
