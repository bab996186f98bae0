// Compiles the elementary functions with one lane; links into the tests of every instruction set.
#include "scalar_judge.h"

#include "core/math.h"

namespace lanes = swarmgrad::SWARMGRAD_TARGET;
using lanes::Float;

static_assert(lanes::lane_count == 1);

namespace scalar_judge {

void exp(const float *input, float *output, int count) {
  for (int i = 0; i < count; ++i) store(output + i, lanes::exp(Float(input[i])));
}
void log(const float *input, float *output, int count) {
  for (int i = 0; i < count; ++i) store(output + i, lanes::log(Float(input[i])));
}
void tanh(const float *input, float *output, int count) {
  for (int i = 0; i < count; ++i) store(output + i, lanes::tanh(Float(input[i])));
}
void sin(const float *input, float *output, int count) {
  for (int i = 0; i < count; ++i) store(output + i, lanes::sin(Float(input[i])));
}
void cos(const float *input, float *output, int count) {
  for (int i = 0; i < count; ++i) store(output + i, lanes::cos(Float(input[i])));
}

}  // namespace scalar_judge
