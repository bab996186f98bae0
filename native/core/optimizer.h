// One step of the optimizer for one parameter, and the numbers that all parameters of a group share in it. Plain numbers:
// engines loop over parameters as suits them.
#pragma once

#include "core/target.h"

namespace swarmgrad {

struct Optimizer {
  enum Kind { sgd, adam };  // swarmgrad_optimizer
  int kind;
  double gradient_clip;  // the largest norm of a group's gradient; 0: any
  double beta1, beta2, epsilon;
};

// What one step does to the parameters of one group.
struct OptimizerStep {
  int kind;
  float learning_rate, gradient_factor;
  float beta1, beta2, first_correction, second_correction, epsilon;
};

// norm: of the group's gradient; product1, product2: beta1^t, beta2^t, this step included.
SWARMGRAD_FUNCTION OptimizerStep optimizer_step(const Optimizer &optimizer, double learning_rate, double norm,
                                                double product1, double product2) {
  const bool clips = optimizer.gradient_clip > 0 && norm > optimizer.gradient_clip;
  return {optimizer.kind,
          static_cast<float>(learning_rate),
          clips ? static_cast<float>(optimizer.gradient_clip / norm) : 1.0f,
          static_cast<float>(optimizer.beta1),
          static_cast<float>(optimizer.beta2),
          static_cast<float>(1.0 - product1),
          static_cast<float>(1.0 - product2),
          static_cast<float>(optimizer.epsilon)};
}

// Ascends: the gradient is of what is to grow.
SWARMGRAD_FUNCTION void sgd_step(const OptimizerStep &step, float gradient, float &parameter) {
  parameter += step.learning_rate * (gradient * step.gradient_factor);
}

// Kingma and Ba 2015, algorithm 1.
SWARMGRAD_FUNCTION void adam_step(const OptimizerStep &step, float gradient, float &parameter, float &first_moment,
                                  float &second_moment) {
  const float g = gradient * step.gradient_factor;
  first_moment = step.beta1 * first_moment + (1.0f - step.beta1) * g;
  second_moment = step.beta2 * second_moment + (1.0f - step.beta2) * (g * g);
  const float mean = first_moment / step.first_correction;
  const float deviation = __builtin_sqrtf(second_moment / step.second_correction) + step.epsilon;
  parameter += step.learning_rate * (mean / deviation);
}

}  // namespace swarmgrad
