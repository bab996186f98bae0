// What one batch leaves to the next: the baselines, and the running moments of a group's team return and of its features
// with the constants made of them. Plain numbers, in double.
#pragma once

#include "core/target.h"

namespace swarmgrad {

// Of all earlier batches, over episodes or over living rows.
struct Moments {
  double count, mean, squares;  // squares: the sum of squared deviations from the mean
};

// Chan, Golub, LeVeque: merging (count, mean, sum of squared deviations). sum, square_sum: over the `count` of a batch.
SWARMGRAD_FUNCTION void merge(Moments &moments, double count, double sum, double square_sum) {
  if (!(count > 0)) return;
  const double mean = sum / count, batch_squares = square_sum - count * mean * mean;
  const double total = moments.count + count, difference = mean - moments.mean;
  moments.squares +=
      (0.0 < batch_squares ? batch_squares : 0.0) + difference * difference * moments.count * count / total;
  moments.mean += difference * count / total;
  moments.count = total;
}

// Of the team's return; 1 where there is none yet. Returns that are all equal leave a deviation of rounding errors.
SWARMGRAD_FUNCTION double running_deviation(const Moments &moments) {
  const double deviation = moments.count > 0 ? __builtin_sqrt(moments.squares / moments.count) : 0.0;
  const double magnitude = moments.mean < 0 ? -moments.mean : moments.mean;
  return deviation > 1e-12 * magnitude ? deviation : 1.0;
}

// The scale of a group's weights, known before the batch. divisor: its agents for the mean over agents, else 1.
SWARMGRAD_FUNCTION double weight_factor(int divisor, bool by_deviation, const Moments &moments, double reward_scale) {
  const double factor = reward_scale / divisor;
  return by_deviation ? factor * (1.0 / running_deviation(moments)) : factor;
}

// What a policy sees of a feature: (observation - mean) x inverse, at most `limit` in magnitude.
struct Normalisation {
  float mean, inverse, limit;
};
SWARMGRAD_FUNCTION Normalisation normalisation(const Moments &moments) {
  if (!(moments.count > 0)) return {0.0f, 1.0f, 3.40282347e38f};  // the largest float limits nothing
  return {static_cast<float>(moments.mean),
          static_cast<float>(1.0 / __builtin_sqrt(moments.squares / moments.count + 1e-8)), 10.0f};
}

// A value that is not finite stays so, to be found.
template <class Float>
SWARMGRAD_FUNCTION Float normalised(Float value, const Normalisation &by) {
  const Float scaled = (value - Float(by.mean)) * Float(by.inverse);
  const Float limit = by.limit, least = -by.limit;
  const Float limited = select(limit < scaled, limit, select(scaled < least, least, scaled));
  return select(value - value == Float(0.0f), limited, value);
}

// The mean value of a step, or of an episode: the baseline of the next batch. agents: of whom the values are, where each
// agent has its own, else 1.
SWARMGRAD_FUNCTION double mean_value(double value_sum, double episodes, int agents) {
  return value_sum / (episodes * agents);
}

}  // namespace swarmgrad
