// See devices.h.
#include "cuda/devices.h"

#include <cstdio>
#include <map>
#include <memory>
#include <mutex>

#include "cuda/engine.h"
#include "cuda/rollout_kernels.h"
#include "host/environment_library.h"

namespace swarmgrad::cuda {
namespace {

// Device code of users' environments, by their index in the catalogue.
struct Codes {
  std::mutex mutex;
  std::map<int, std::shared_ptr<const std::string>> of_environment;
};
Codes &codes() {
  static Codes all;
  return all;
}

int shipped_count() { return host::environment_count() - host::loaded_environment_count(); }

}  // namespace

int checked_device(const swarmgrad_config &config) {
  if (config.callbacks != nullptr)
    throw host::Failure(SWARMGRAD_UNSUPPORTED,
                        std::string("environment ") + config.environment +
                            " is stepped by callbacks, which run on the CPU engine only; a header can run on both");
  const int count = host::device_count();
  if (config.device < 0 || config.device >= count)
    host::reject("device is %d; allowed: 0 to %d", config.device, count - 1);
  return config.device;
}

RolloutCode::RolloutCode(int environment, const char *id) {
  if (environment < shipped_count()) {
    handle_ = rollout_kernel(environment);
    return;
  }
  std::shared_ptr<const std::string> code;
  {
    const std::lock_guard<std::mutex> lock(codes().mutex);
    code = codes().of_environment[environment];
  }
  if (code == nullptr)
    throw host::Failure(SWARMGRAD_UNSUPPORTED,
                        std::string("environment ") + id +
                            " has no code for a GPU in this process; give it with swarmgrad_load_device_code, made of "
                            "the same header");
  cudaLibrary_t library = nullptr;
  check(cudaLibraryLoadData(&library, code->c_str(), nullptr, nullptr, 0, nullptr, nullptr, 0), "cudaLibraryLoadData");
  library_.reset(library);
  cudaKernel_t kernel = nullptr;
  check(cudaLibraryGetKernel(&kernel, library, "swarmgrad_rollout"), "cudaLibraryGetKernel of swarmgrad_rollout");
  handle_ = kernel;
}

}  // namespace swarmgrad::cuda

namespace swarmgrad::host {

using cuda::check;

std::unique_ptr<Engine> make_engine(const swarmgrad_config &config) {
  return std::make_unique<cuda::CudaEngine>(config);
}

int device_count() {
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  if (count == 0) throw cuda::CudaFailure(cudaErrorNoDevice, "cudaGetDeviceCount");
  return count;
}

void describe_device(int index, swarmgrad_device_info &out) {
  cudaDeviceProp properties = {};
  size_t free = 0, total = 0;
  int driver = 0, runtime = 0;
  check(cudaSetDevice(index), "cudaSetDevice");
  check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  out = {};
  out.size = sizeof out;
  out.index = index;
  out.compute_major = properties.major;
  out.compute_minor = properties.minor;
  out.multiprocessors = properties.multiProcessorCount;
  out.driver_version = driver;
  out.runtime_version = runtime;
  out.pci_domain = properties.pciDomainID;
  out.pci_bus = properties.pciBusID;
  out.pci_slot = properties.pciDeviceID;
  out.memory_bytes = static_cast<int64_t>(total);
  out.free_memory_bytes = static_cast<int64_t>(free);
  out.shared_bytes_per_block = static_cast<int64_t>(properties.sharedMemPerBlockOptin);
  std::snprintf(out.name, sizeof out.name, "%s", properties.name);
}

// Kept until the process ends; engines load it when they are created, on their device.
void load_device_code(int environment, const void *code, size_t bytes) {
  if (environment < cuda::shipped_count())
    reject("environment is %d, whose code this library has; allowed: those of swarmgrad_load_environment, from %d on",
           environment, cuda::shipped_count());
  auto copy = std::make_shared<const std::string>(static_cast<const char *>(code), bytes);
  const std::lock_guard<std::mutex> lock(cuda::codes().mutex);
  cuda::codes().of_environment[environment] = std::move(copy);
}

}  // namespace swarmgrad::host
