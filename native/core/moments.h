// What one batch leaves to the weights of the next: the baselines, and the running moments of a group's team return with
// the constant factor made of them. Plain numbers, in double.
#pragma once

#include "core/target.h"

namespace swarmgrad {

// Over all episodes of earlier batches.
struct ReturnMoments {
  double count, mean, squares;  // squares: the sum of squared deviations from the mean
};

// Chan, Golub, LeVeque: merging (count, mean, sum of squared deviations). sum, square_sum: of the batch's returns.
SWARMGRAD_FUNCTION void merge(ReturnMoments &moments, double episodes, double sum, double square_sum) {
  const double mean = sum / episodes, batch_squares = square_sum - episodes * mean * mean;
  const double total = moments.count + episodes, difference = mean - moments.mean;
  moments.squares +=
      (0.0 < batch_squares ? batch_squares : 0.0) + difference * difference * moments.count * episodes / total;
  moments.mean += difference * episodes / total;
  moments.count = total;
}

// The scale of a group's weights, known before the batch. divisor: its agents for the mean over agents, else 1.
SWARMGRAD_FUNCTION double weight_factor(int divisor, bool by_deviation, const ReturnMoments &moments) {
  const double factor = 1.0 / divisor;
  const double deviation = moments.count > 0 ? __builtin_sqrt(moments.squares / moments.count) : 0.0;
  const double magnitude = moments.mean < 0 ? -moments.mean : moments.mean;
  // Returns that are all equal leave a deviation of rounding errors.
  return by_deviation && deviation > 1e-12 * magnitude ? factor * (1.0 / deviation) : factor;
}

// The mean value of a step, or of an episode: the baseline of the next batch. agents: of whom the values are, where each
// agent has its own, else 1.
SWARMGRAD_FUNCTION double mean_value(double value_sum, double episodes, int agents) {
  return value_sum / (episodes * agents);
}

}  // namespace swarmgrad
