// See matrix_kernels.h.
#include "cuda/outer_product.h"
#include "cuda/tests/matrix_kernels.h"

namespace swarmgrad::SWARMGRAD_TARGET {
namespace {

using swarmgrad_tests::OuterProduct;
using swarmgrad_tests::Product;

__device__ void copy(const float *from, int count, float *to) {
  for (int k = static_cast<int>(threadIdx.x); k < count; k += static_cast<int>(blockDim.x)) to[k] = from[k];
}

template <bool features_in_shared, bool panels_in_shared>
__device__ void run(const Product &p) {
  float *shared = reinterpret_cast<float *>(cuda::dynamic_shared());
  const float *panel = p.panel;
  Rows in = {const_cast<float *>(p.in), p.stride}, out = {p.out, p.stride};
  if constexpr (features_in_shared) {
    in.base = shared;
    out.base = in.from(p.inputs).base;
    shared = out.from(p.outputs).base;
    copy(p.in, p.inputs * p.stride, in.base);
    copy(p.out, p.outputs * p.stride, out.base);
  }
  if constexpr (panels_in_shared) {
    copy_panels(p.panel, (p.has_bias + p.inputs) * p.panel_stride, shared);
    panel = shared;
  }
  __syncthreads();
  product<features_in_shared, panels_in_shared>(panel, p.panel_stride, p.has_bias != 0, p.inputs, p.outputs, in, out,
                                                p.rows, static_cast<Finish>(p.finish));
  __syncthreads();
  if constexpr (features_in_shared) copy(out.base, p.outputs * p.stride, p.out);
}

template <bool features_in_shared>
__device__ void run(const OuterProduct &p) {
  float *shared = reinterpret_cast<float *>(cuda::dynamic_shared());
  const int64_t weights = static_cast<int64_t>(p.outputs) * p.inputs;
  for (int turn = 0; turn < cuda::cohort_size; ++turn) {
    const int lane = lane_of_turn(turn);
    Rows delta = {const_cast<float *>(p.delta) + static_cast<ptrdiff_t>(lane) * p.outputs * p.stride, p.stride};
    Rows in = {const_cast<float *>(p.in) + static_cast<ptrdiff_t>(lane) * p.inputs * p.stride, p.stride};
    if constexpr (features_in_shared) {
      copy(delta.base, p.outputs * p.stride, shared);
      copy(in.base, p.inputs * p.stride, shared + p.outputs * p.stride);
      delta.base = shared;
      in.base = shared + p.outputs * p.stride;
    }
    __syncthreads();
    outer_product<features_in_shared>(delta, p.outputs, in, p.inputs, p.rows,
                                      {p.levels, p.result, weights + p.outputs, turn}, 0, weights);
    __syncthreads();
  }
}

}  // namespace

SWARMGRAD_KERNEL(swarmgrad_test_product, Product, 256) {
  if (arguments.panels_in_shared != 0)
    run<true, true>(arguments);
  else if (arguments.features_in_shared != 0)
    run<true, false>(arguments);
  else
    run<false, false>(arguments);
}

SWARMGRAD_KERNEL(swarmgrad_test_outer_product, OuterProduct, 256) {
  if (arguments.features_in_shared != 0)
    run<true>(arguments);
  else
    run<false>(arguments);
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
