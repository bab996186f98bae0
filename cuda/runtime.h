// The CUDA runtime as the engine's host code uses it: every answer checked, every resource with an owner. Knows no engine.
#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <string>

#include "host/failure.h"

namespace swarmgrad::cuda {

// An answer of the CUDA runtime other than success; the text names call, code and remedy.
class CudaFailure : public host::Failure {
 public:
  CudaFailure(cudaError_t answer, const char *call);
  // The same, once nothing works any more.
  const std::string &loss() const { return loss_; }

 private:
  CudaFailure(cudaError_t answer, const std::string &fact);
  std::string loss_;
};

inline void check(cudaError_t answer, const char *call) {
  if (answer == cudaSuccess) return;
  // Where the error is not of the context itself, the next call must not find it again.
  static_cast<void>(cudaGetLastError());
  throw CudaFailure(answer, call);
}

// Resources give themselves back; what the runtime answers then is of no use to anyone, and must not be left behind.
template <auto release>
struct Release {
  template <class T>
  void operator()(T *resource) const {
    if (release(resource) != cudaSuccess) static_cast<void>(cudaGetLastError());
  }
};
using DeviceMemory = std::unique_ptr<char, Release<cudaFree>>;
using PinnedMemory = std::unique_ptr<char, Release<cudaFreeHost>>;
using StreamHandle = std::unique_ptr<CUstream_st, Release<cudaStreamDestroy>>;
using Event = std::unique_ptr<CUevent_st, Release<cudaEventDestroy>>;
using Graph = std::unique_ptr<CUgraph_st, Release<cudaGraphDestroy>>;
using ExecutableGraph = std::unique_ptr<CUgraphExec_st, Release<cudaGraphExecDestroy>>;
using Library = std::unique_ptr<CUlib_st, Release<cudaLibraryUnload>>;

DeviceMemory allocate_device(size_t bytes);
PinnedMemory allocate_pinned(size_t bytes);  // zeroed; the device sees it at the same address
StreamHandle create_stream();
Event create_event();

// What `enqueue` puts on the stream, as one graph.
template <class Enqueue>
ExecutableGraph capture(cudaStream_t stream, const Enqueue &enqueue) {
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  cudaGraph_t graph = nullptr;
  try {
    enqueue();
  } catch (...) {
    // A stream that still captures could not even be synchronised.
    if (cudaStreamEndCapture(stream, &graph) != cudaSuccess) static_cast<void>(cudaGetLastError());
    const Graph owned(graph);
    throw;
  }
  check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
  const Graph owned(graph);
  cudaGraphExec_t executable = nullptr;
  check(cudaGraphInstantiate(&executable, graph, 0), "cudaGraphInstantiate");
  return ExecutableGraph(executable);
}

// A device in use: the calling thread's current one. When the last engine of the process on a device closes after the
// device was lost, the device is reset, so that later engines have a chance.
class DeviceUse {
 public:
  explicit DeviceUse(int device);
  ~DeviceUse();
  DeviceUse(const DeviceUse &) = delete;
  DeviceUse &operator=(const DeviceUse &) = delete;

  int index() const { return device_; }
  const cudaDeviceProp &properties() const { return properties_; }
  void make_current() const { check(cudaSetDevice(device_), "cudaSetDevice"); }

 private:
  int device_;
  cudaDeviceProp properties_ = {};
};

}  // namespace swarmgrad::cuda
