// Counter-based random numbers (Philox4x32-10): every draw is a function of seed and counter; nothing is stored.
#pragma once

#include "lanes.h"
#include "purpose.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// The purpose (act, reset or environment) within a stream.
SWARMGRAD_FUNCTION constexpr Purpose in_stream(Purpose purpose, Stream stream) {
  return static_cast<Purpose>(static_cast<uint32_t>(purpose) + static_cast<uint32_t>(stream));
}

// Philox's 128 bits, least significant word first: a counter on the way in, random bits on the way out.
struct Block {
  Int word[4];
};

// The environment of every lane of a cohort; lanes beyond its members repeat the last one.
SWARMGRAD_FUNCTION Int environments_of_lanes(int32_t first, int members) {
  const Int lane = lane_index(), last = members - 1;
  return Int(first) + select(lane < last, lane, last);
}

// The counter: environment, iteration, step, and agent (12 bits, 0..4095) | purpose (4) | draw (16, 0..65535).
SWARMGRAD_FUNCTION Block counter(Int environment, uint32_t iteration, uint32_t step, int agent, Purpose purpose,
                                 int draw) {
  const uint32_t last =
      static_cast<uint32_t>(agent) << 20 | static_cast<uint32_t>(purpose) << 16 | static_cast<uint32_t>(draw);
  return {{environment, Int(static_cast<int32_t>(iteration)), Int(static_cast<int32_t>(step)),
           Int(static_cast<int32_t>(last))}};
}

// Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3" (2011). The keys are the seed's low and
// high 32 bits.
SWARMGRAD_FUNCTION Block philox(Block counter, uint32_t key0, uint32_t key1) {
  const Int multiplier0 = static_cast<int32_t>(0xd2511f53), multiplier1 = static_cast<int32_t>(0xcd9e8d57);
  const Int golden_ratio = static_cast<int32_t>(0x9e3779b9), square_root_of_3 = static_cast<int32_t>(0xbb67ae85);
  Int left = static_cast<int32_t>(key0), right = static_cast<int32_t>(key1);
  Int a = counter.word[0], b = counter.word[1], c = counter.word[2], d = counter.word[3];
  for (int round = 0; round < 10; ++round) {
    Int high0, low0, high1, low1;
    multiply_wide(a, multiplier0, high0, low0);
    multiply_wide(c, multiplier1, high1, low1);
    a = high1 ^ b ^ left;
    b = low1;
    c = high0 ^ d ^ right;
    d = low0;
    left += golden_ratio;
    right += square_root_of_3;
  }
  return {{a, b, c, d}};
}

// In [0, 1), a multiple of 2^-24: every value is exact.
SWARMGRAD_FUNCTION Float uniform(Int bits) { return to_float(shift_right<8>(bits)) * Float(0x1p-24f); }

}  // namespace swarmgrad::SWARMGRAD_TARGET
