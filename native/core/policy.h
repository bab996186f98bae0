// From logits to actions and back: log-softmax, sampling, entropy and the REINFORCE gradient at the logits.
// The layers before the logits are matrix products and differ by device; this arithmetic is the same on all of them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/math.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// One row of logits (one agent at one step, a lane an environment), with the actions that its mask leaves.
class Logits {
 public:
  // logit: [action][lane], `stride` floats between actions. available: one bit per lane and action, null = all.
  // scratch: [action][lane], `scratch_stride` floats between actions, holds exp(z - max) as long as this object lives.
  SWARMGRAD_FUNCTION Logits(const float *logit, ptrdiff_t stride, int actions, const uint16_t *available,
                            float *scratch, ptrdiff_t scratch_stride = lane_count)
      : logit_(logit),
        stride_(stride),
        actions_(actions),
        available_(available),
        unnormalised_(scratch),
        scratch_stride_(scratch_stride) {
    maximum_ = -__builtin_inff();
    minimum_ = __builtin_inff();
    for (int k = 0; k < actions; ++k) {
      const Float z = Float::load(logit + k * stride);
      maximum_ = select(is_available(k) & (maximum_ < z), z, maximum_);
      minimum_ = select(is_available(k) & (z < minimum_), z, minimum_);
    }
    total_ = 0.0f;
    for (int k = 0; k < actions; ++k) {
      const Float weight = select(is_available(k), exp(shifted(k)), Float(0.0f));
      store(unnormalised_ + k * scratch_stride_, weight);
      total_ += weight;
    }
  }

  SWARMGRAD_FUNCTION Mask is_available(int action) const {
    return available_ == nullptr ? Mask(true) : mask_from_bits(available_[action]);
  }
  // exp(z - max): the probability up to the common factor `total`; 0 where masked.
  SWARMGRAD_FUNCTION Float unnormalised(int action) const {
    return Float::load(unnormalised_ + action * scratch_stride_);
  }
  // False where a logit is NaN or infinite, or no action is available. Minus infinity leaves no trace in the total.
  SWARMGRAD_FUNCTION Mask is_valid() const {
    return (total_ >= 1.0f) & (total_ < __builtin_inff()) & (minimum_ > -__builtin_inff());
  }

  // The first action whose running sum exceeds uniform x total, else the last action of nonzero weight.
  SWARMGRAD_FUNCTION Int sample(Float uniform) const {
    const Float threshold = uniform * total_;
    Float sum = 0.0f;
    Int chosen = 0;
    Mask found = false;
    for (int k = 0; k < actions_; ++k) {
      const Float weight = unnormalised(k);
      sum += weight;
      chosen = select((!found) & (weight > 0.0f), Int(k), chosen);
      found = found | (sum > threshold);
    }
    return chosen;
  }

  // The most probable action, the lowest index on a tie.
  SWARMGRAD_FUNCTION Int greedy() const {
    Int chosen = 0;
    Mask found = false;
    for (int k = 0; k < actions_; ++k) {
      const Mask best = is_available(k) & (Float::load(logit_ + k * stride_) == maximum_) & (!found);
      chosen = select(best, Int(k), chosen);
      found = found | best;
    }
    return chosen;
  }

  // log pi(action): z - max - log(total); -infinity where masked.
  SWARMGRAD_FUNCTION Float log_probability(int action) const {
    return select(is_available(action), shifted(action) - log(total_), Float(-__builtin_inff()));
  }
  SWARMGRAD_FUNCTION Float log_probability(Int action) const {
    Float chosen = 0.0f;
    for (int k = 0; k < actions_; ++k) chosen = select(action == k, shifted(k), chosen);
    return chosen - log(total_);
  }

  // - sum p log p in nats; terms with p = 0 count 0.
  SWARMGRAD_FUNCTION Float entropy() const {
    Float weighted = 0.0f;
    for (int k = 0; k < actions_; ++k) {
      const Float weight = unnormalised(k);
      weighted += select(weight > 0.0f, weight * shifted(k), Float(0.0f));
    }
    return log(total_) - weighted / total_;
  }

  // d (weight log pi(action) + coefficient entropy) / d logits: (1[k = action] - p_k) weight
  // - coefficient p_k (log p_k + entropy). Exactly 0 in lanes that are not alive. Written over `gradient`, which may be
  // the logits themselves.
  SWARMGRAD_FUNCTION void gradient(Int action, Float weight, float coefficient, Mask alive, float *gradient) const {
    const Float inverse_total = 1.0f / total_;
    const Float entropy_now = coefficient == 0.0f ? Float(0.0f) : entropy();
    const Float log_total = coefficient == 0.0f ? Float(0.0f) : log(total_);
    for (int k = 0; k < actions_; ++k) {
      const Float probability = unnormalised(k) * inverse_total;
      Float slope = (select(action == k, Float(1.0f), Float(0.0f)) - probability) * weight;
      if (coefficient != 0.0f) {
        const Float pull = probability * (shifted(k) - log_total + entropy_now);
        slope -= coefficient * select(probability > 0.0f, pull, Float(0.0f));
      }
      store(gradient + k * stride_, select(alive, slope, Float(0.0f)));
    }
  }

 private:
  SWARMGRAD_FUNCTION Float shifted(int action) const { return Float::load(logit_ + action * stride_) - maximum_; }

  const float *logit_;
  ptrdiff_t stride_;
  int actions_;
  const uint16_t *available_;
  float *unnormalised_;
  ptrdiff_t scratch_stride_;
  Float maximum_, minimum_, total_;
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
