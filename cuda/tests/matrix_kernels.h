// Kernels around single pieces of cuda/matrix.h and cuda/outer_product.h, for tests: one block, operands from global memory
// or from copies in shared memory.
#pragma once

#include "cuda/kernel.h"
#include "cuda/plan.h"

namespace swarmgrad_tests {

// out[o][row] from in [input][stride] and panel [input][panel_stride]; `finish` is Finish's number.
struct Product {
  const float *panel;
  int panel_stride, has_bias, inputs, outputs, rows, stride, finish;
  int features_in_shared, panels_in_shared;
  const float *in;
  float *out;
};

// result: the weights [o][i], then the biases [o], of sixteen lanes' delta [lane][o][stride] and in [lane][i][stride].
struct OuterProduct {
  int inputs, outputs, rows, stride, features_in_shared;
  const float *delta, *in;
  float *levels;  // [4][outputs x inputs + outputs]
  float *result;
};

}  // namespace swarmgrad_tests

SWARMGRAD_KERNEL_HANDLE(swarmgrad_test_product);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_test_outer_product);
