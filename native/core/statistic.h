// The sums over episodes that describe a batch: which there are, where each is kept, and how those of two parts of the
// batch become those of both. Plain numbers, free of any instruction set.
#pragma once

#include <stdint.h>

#include "core/target.h"

namespace swarmgrad {

// Of one group, in doubles; then the return of each of its agents, the value (core/weights.h) of each step, and over living
// rows each normalised feature's sum, then those of their squares.
enum Statistic {
  return_sum,
  return_square_sum,
  return_minimum,
  return_maximum,
  length_sum,
  agent_step_count,
  entropy_sum,
  weight_sum,
  weight_square_sum,
  weight_magnitude_sum,
  value_error_square_sum,
  value_row_count,
  statistic_count
};

// normalised: features of the observation that running moments are kept of, or 0.
SWARMGRAD_FUNCTION int64_t statistics_of_group(int agents, int horizon, int normalised) {
  return statistic_count + int64_t{agents} + horizon + 2 * int64_t{normalised};
}
SWARMGRAD_FUNCTION int64_t agent_return_at(int agent) { return statistic_count + int64_t{agent}; }
SWARMGRAD_FUNCTION int64_t value_sum_at(int agents, int step) { return statistic_count + int64_t{agents} + step; }
SWARMGRAD_FUNCTION int64_t feature_sums_at(int agents, int horizon) {
  return statistic_count + int64_t{agents} + horizon;
}

// Of no episodes.
SWARMGRAD_FUNCTION double empty_statistic(int64_t index) {
  return index == return_minimum ? __builtin_inf() : index == return_maximum ? -__builtin_inf() : 0.0;
}
// Of the episodes of both; the first of equals where that shows.
SWARMGRAD_FUNCTION double merge_statistic(int64_t index, double first, double second) {
  if (index == return_minimum) return second < first ? second : first;
  if (index == return_maximum) return first < second ? second : first;
  return first + second;
}
// count: statistics_of_group.
SWARMGRAD_FUNCTION void merge_statistics(int64_t count, double *to, const double *from) {
  for (int64_t k = 0; k < count; ++k) to[k] = merge_statistic(k, to[k], from[k]);
}

}  // namespace swarmgrad
