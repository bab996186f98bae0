// See runtime.h.
#include "cuda/runtime.h"

#include <cstring>
#include <map>
#include <mutex>

namespace swarmgrad::cuda {
namespace {

swarmgrad_status status_of(cudaError_t answer) {
  switch (answer) {
    case cudaErrorMemoryAllocation:
      return SWARMGRAD_OUT_OF_MEMORY;
    case cudaErrorInitializationError:
    case cudaErrorInsufficientDriver:
    case cudaErrorDevicesUnavailable:
    case cudaErrorNoDevice:
    case cudaErrorInvalidKernelImage:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidPtx:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorSystemDriverMismatch:
      return SWARMGRAD_UNSUPPORTED;
    default:
      return SWARMGRAD_INTERNAL;
  }
}

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// What of a driver there is.
std::string driver_found() {
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) static_cast<void>(cudaGetLastError());
  return driver == 0 ? "no NVIDIA driver is installed"
                     : "the NVIDIA driver supports CUDA " + version_text(driver) + " and this library needs " +
                           version_text(CUDART_VERSION);
}

std::string remedy(cudaError_t answer) {
  switch (answer) {
    case cudaErrorMemoryAllocation:
      return "fewer environments, a shorter horizon or a smaller policy need less, and other engines or programs may hold the "
             "device's memory";
    case cudaErrorInsufficientDriver:
      return driver_found() + "; install a driver for CUDA " + version_text(CUDART_VERSION) +
             " or newer, or choose the CPU engine";
    case cudaErrorNoDevice:
      return "the driver shows no device to this process: look at nvidia-smi and CUDA_VISIBLE_DEVICES, or choose the CPU "
             "engine";
    case cudaErrorDevicesUnavailable:
      return "another process has the device to itself: look at nvidia-smi, or choose another device";
    case cudaErrorInitializationError:
    case cudaErrorSystemDriverMismatch:
      return "the driver does not start: nvidia-smi says more, and a reboot after an update of the driver helps";
    case cudaErrorInvalidKernelImage:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidPtx:
    case cudaErrorUnsupportedPtxVersion:
      return "the code was not made for this device or driver: compute capability 7.5 is the least that swarmgrad is "
             "built for, and PTX needs a driver as new as the compiler that made it";
    default:
      return "go on with a new engine, from a checkpoint where there is one";
  }
}

// Engines of this process on each device.
struct Uses {
  std::mutex mutex;
  std::map<int, int> count;
};
Uses &uses() {
  static Uses all;
  return all;
}

}  // namespace

CudaFailure::CudaFailure(cudaError_t answer, const char *call)
    : CudaFailure(answer, std::string(call) + " answered " + std::to_string(answer) + ", " + cudaGetErrorName(answer) +
                              ", " + cudaGetErrorString(answer) + ": ") {}

CudaFailure::CudaFailure(cudaError_t answer, const std::string &fact)
    : Failure(status_of(answer), fact + remedy(answer)),
      loss_(
          fact +
          "the device is lost to this process: close its engines, or start a new process, and go on from a checkpoint; "
          "compute-sanitizer names a faulty kernel, dmesg a faulty device") {}

DeviceMemory allocate_device(size_t bytes) {
  void *memory = nullptr;
  check(cudaMalloc(&memory, bytes), "cudaMalloc");
  return DeviceMemory(static_cast<char *>(memory));
}

PinnedMemory allocate_pinned(size_t bytes) {
  void *memory = nullptr;
  check(cudaHostAlloc(&memory, bytes, cudaHostAllocMapped), "cudaHostAlloc");
  std::memset(memory, 0, bytes);
  return PinnedMemory(static_cast<char *>(memory));
}

StreamHandle create_stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  return StreamHandle(stream);
}

Event create_event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDefault), "cudaEventCreateWithFlags");
  return Event(event);
}

DeviceUse::DeviceUse(int device) : device_(device) {
  const std::lock_guard<std::mutex> lock(uses().mutex);
  make_current();
  check(cudaGetDeviceProperties(&properties_, device), "cudaGetDeviceProperties");
  ++uses().count[device];
}

DeviceUse::~DeviceUse() {
  const std::lock_guard<std::mutex> lock(uses().mutex);
  if (--uses().count[device_] > 0) return;
  if (cudaSetDevice(device_) == cudaSuccess && cudaDeviceSynchronize() == cudaSuccess) return;
  static_cast<void>(cudaDeviceReset());
  static_cast<void>(cudaGetLastError());
}

}  // namespace swarmgrad::cuda
