// The networks of one cohort: panels of weights, where rows of features lie in a worker's memory, forward and backward.
#pragma once

#include "core/lanes.h"
#include "cpu/tiles.h"
#include "host/plan.h"

namespace swarmgrad::SWARMGRAD_TARGET {

using host::GroupPlan;
using host::Layer;
using host::Plan;

constexpr uint32_t all_lanes = 0xffffu;

// Weights in the order in which tiles read them:
// panels [output / tile][input][tile] of matrix(output, input) = weight[output x row_step + input x column_step].
inline void pack_matrix(const float *weight, int64_t row_step, int64_t column_step, int outputs, int inputs,
                        float *panels, int64_t share, int64_t shares) {
  const int count = (outputs + tile_outputs - 1) / tile_outputs;
  for (int panel = static_cast<int>(share); panel < count; panel += static_cast<int>(shares)) {
    float *to = panels + static_cast<ptrdiff_t>(panel) * tile_outputs * inputs;
    for (int k = 0; k < inputs; ++k)
      for (int o = 0; o < tile_outputs; ++o) {
        const int output = panel * tile_outputs + o;
        *to++ = output < outputs ? weight[output * row_step + k * column_step] : 0.0f;
      }
  }
}

inline void pack_panels(const Plan &plan, const float *parameters, float *panels, int64_t share, int64_t shares) {
  for (int g = 0; g < plan.network_count; ++g) {
    const GroupPlan &group = plan.group[g];
    for (int l = 0; l < group.layer_count; ++l) {
      const Layer &layer = group.layer[l];
      const float *weight = parameters + layer.weight;
      pack_matrix(weight, layer.inputs, 1, layer.outputs, layer.inputs, panels + layer.forward_panel, share, shares);
      if (layer.backward_panel >= 0)
        pack_matrix(weight, 1, layer.inputs, layer.inputs, layer.outputs, panels + layer.backward_panel, share, shares);
    }
  }
}

// One network's part of a worker's memory, for one cohort.
struct GroupMemory {
  const GroupPlan &plan;
  Vectors features, logits;
  uint16_t *available;  // null without a mask
  int32_t *action;
  float *reward;  // then, in its place, the weight
  uint16_t *alive;
  double *values;
  double *entropy;
  float *outputs;  // of a value network
  float *scratch;
  double *feature_sums;

  GroupMemory(const GroupPlan &group, char *memory, int64_t row_stride)
      : plan(group),
        features{reinterpret_cast<float *>(memory + group.features), row_stride},
        logits{reinterpret_cast<float *>(memory + group.logits), row_stride},
        available(reinterpret_cast<uint16_t *>(memory + group.available)),
        action(reinterpret_cast<int32_t *>(memory + group.action)),
        reward(reinterpret_cast<float *>(memory + group.reward)),
        alive(reinterpret_cast<uint16_t *>(memory + group.alive)),
        values(reinterpret_cast<double *>(memory + group.values)),
        entropy(reinterpret_cast<double *>(memory + group.entropy)),
        outputs(reinterpret_cast<float *>(memory + group.outputs)),
        scratch(reinterpret_cast<float *>(memory + group.scratch)),
        feature_sums(reinterpret_cast<double *>(memory + group.feature_sums)) {}

  // The mask of a stored row, or null where every action is available.
  const uint16_t *available_at(int64_t stored_row, bool has_mask) const {
    return has_mask ? available + stored_row * plan.action_count : nullptr;
  }
  // Features of a layer's output; the last layer's are the logits.
  Vectors output_of(int layer) const {
    return layer + 1 == plan.layer_count ? logits
                                         : features.from(static_cast<int>(plan.layer[layer + 1].input_feature));
  }
  Vectors input_of(int layer) const { return features.from(static_cast<int>(plan.layer[layer].input_feature)); }
};

// Features of the lanes that do not live are zeros.
inline void silence_dead(const GroupMemory &memory, int64_t row, int64_t stored) {
  if (memory.alive[row] == all_lanes) return;
  const Mask alive = mask_from_bits(memory.alive[row]);
  for (int f = 0; f < memory.plan.observation_size; ++f) {
    float *where = memory.features.at(f, stored);
    store(where, select(alive, Float::load(where), Float(0.0f)));
  }
}

// Stored rows begin .. end - 1: observation features -> hidden features -> logits.
inline void forward_rows(const GroupMemory &memory, const float *parameters, const float *panels, int64_t begin,
                         int64_t end) {
  const GroupPlan &group = memory.plan;
  for (int l = 0; l < group.layer_count; ++l) {
    const Layer &layer = group.layer[l];
    const float *panel = panels + layer.forward_panel, *bias = parameters + layer.bias;
    const Vectors in = memory.input_of(l), out = memory.output_of(l);
    if (l + 1 == group.layer_count)
      product<Finish::none>(panel, bias, layer.inputs, layer.outputs, in, out, begin, end);
    else if (group.activation == SWARMGRAD_TANH)
      product<Finish::tanh>(panel, bias, layer.inputs, layer.outputs, in, out, begin, end);
    else
      product<Finish::relu>(panel, bias, layer.inputs, layer.outputs, in, out, begin, end);
  }
}

// Stored rows 0 .. rows - 1, whose logits now hold their gradient: parameter gradients, last layer first. Each layer's
// input features are overwritten by their own gradient once nothing needs them.
inline void backward_rows(const GroupMemory &memory, const float *panels, int64_t first_row, int64_t rows,
                          float *gradient) {
  const GroupPlan &group = memory.plan;
  for (int l = group.layer_count - 1; l >= 0; --l) {
    const Layer &layer = group.layer[l];
    const Vectors whole_in = memory.input_of(l), whole_delta = memory.output_of(l);
    const Vectors in = {whole_in.at(0, first_row), whole_in.stride};
    const Vectors delta = {whole_delta.at(0, first_row), whole_delta.stride};
    outer_product(delta, layer.outputs, in, layer.inputs, rows, gradient + layer.weight);
    bias_gradient(delta, layer.outputs, rows, gradient + layer.bias);
    if (l == 0) break;
    const float *panel = panels + layer.backward_panel;
    if (group.activation == SWARMGRAD_TANH)
      product<Finish::tanh_slope>(panel, nullptr, layer.outputs, layer.inputs, delta, in, 0, rows);
    else
      product<Finish::relu_slope>(panel, nullptr, layer.outputs, layer.inputs, delta, in, 0, rows);
  }
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
