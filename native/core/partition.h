// How everything is cut into near-equal parts: episodes into cohorts, cohorts into blocks, rows into segments.
#pragma once

#include <stdint.h>

#include "core/target.h"

namespace swarmgrad {

// Item i of `parts` near-equal parts of `total` begins here. Episodes and rows are below 2^31, parts below 2^28: nothing
// overflows.
SWARMGRAD_FUNCTION constexpr int64_t part_begin(int64_t index, int64_t total, int64_t parts) {
  return index * total / parts;
}

}  // namespace swarmgrad
