// The purposes and streams of random numbers: plain numbers, free of any instruction set.
#pragma once

#include <stdint.h>

namespace swarmgrad {

// What a draw is for: a field of the counter, so that two uses never see the same number.
enum class Purpose : uint32_t {
  act = 0,             // sampling an agent's action
  reset = 1,           // an episode's initial state
  environment = 2,     // chance inside an environment's step
  initialisation = 15  // initial parameters
};

// Evaluation and records (batch dumps) have purposes of their own: what they draw neither repeats nor disturbs training.
enum class Stream : uint32_t { training = 0, evaluation = 4, record = 8 };

}  // namespace swarmgrad
