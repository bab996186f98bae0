// The CUDA runtime that host code meets under emulation: memory, streams, events, graphs, libraries and failures on demand.
//
// Work given to a stream is only written down; it is done when the host waits for it, so that a wait that is missing shows.
// Checks are as strict as the toolkit's documentation allows.
#include <cuda_runtime.h>
#include <dlfcn.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuda/emulation/control.h"
#include "cuda/emulation/executor.h"

namespace swarmgrad::emulation {

namespace {

using Operation = std::function<cudaError_t()>;

struct Capture {
  std::vector<Operation> operations;
  bool valid = true;
};

// What is left to do in a stream. Outlives the handle where an event points to it.
struct Queue {
  std::deque<Operation> operations;
  uint64_t given = 0, finished = 0;  // operations, ever
};

}  // namespace

}  // namespace swarmgrad::emulation

using swarmgrad::emulation::Capture;
using swarmgrad::emulation::Operation;
using swarmgrad::emulation::Queue;

struct CUstream_st {
  std::shared_ptr<Queue> queue = std::make_shared<Queue>();
  bool blocking = true;
  std::unique_ptr<Capture> capture;
  cudaStreamCaptureMode capture_mode = cudaStreamCaptureModeGlobal;
};

struct CUevent_st {
  std::shared_ptr<Queue> queue;  // null: never recorded
  uint64_t ticket = 0;           // finished when so many operations of the queue are
  std::shared_ptr<std::chrono::steady_clock::time_point> time;
};

struct CUgraph_st {
  std::vector<Operation> operations;
};

struct CUgraphExec_st {
  std::shared_ptr<const std::vector<Operation>> operations;
};

struct CUlib_st {
  void *object;
};

namespace swarmgrad::emulation {

namespace {

struct Error {
  cudaError_t code;
  const char *name, *text;
};
constexpr Error errors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInitializationError, "cudaErrorInitializationError", "initialization error"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorDevicesUnavailable, "cudaErrorDevicesUnavailable", "CUDA-capable device(s) is/are busy or unavailable"},
    {cudaErrorInvalidDeviceFunction, "cudaErrorInvalidDeviceFunction", "invalid device function"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidKernelImage, "cudaErrorInvalidKernelImage", "device kernel image is invalid"},
    {cudaErrorNoKernelImageForDevice, "cudaErrorNoKernelImageForDevice",
     "no kernel image is available for execution on the device"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorSymbolNotFound, "cudaErrorSymbolNotFound", "named symbol not found"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorIllegalAddress, "cudaErrorIllegalAddress", "an illegal memory access was encountered"},
    {cudaErrorLaunchOutOfResources, "cudaErrorLaunchOutOfResources", "too many resources requested for launch"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorUnknown, "cudaErrorUnknown", "unknown error"},
};

const Error *find_error(cudaError_t code) {
  for (const Error &error : errors)
    if (error.code == code) return &error;
  return nullptr;
}

// Figures of the devices that the engine knows, as their documentation has them.
struct Architecture {
  int number;
  int multiprocessors;
  size_t shared_per_block, shared_per_multiprocessor;
  int threads_per_multiprocessor, blocks_per_multiprocessor;
};
constexpr Architecture architectures[] = {
    {75, 40, 64 << 10, 64 << 10, 1024, 16},    {80, 108, 163 << 10, 164 << 10, 2048, 32},
    {86, 84, 99 << 10, 100 << 10, 1536, 16},   {89, 128, 99 << 10, 100 << 10, 1536, 24},
    {90, 132, 227 << 10, 228 << 10, 2048, 32}, {100, 148, 227 << 10, 228 << 10, 2048, 32},
    {120, 170, 99 << 10, 100 << 10, 1536, 24},
};
constexpr size_t usual_dynamic_shared = 48 << 10;  // without an attribute that asks for more
constexpr size_t reserved_shared = 1 << 10;        // of every block, by the driver
constexpr int max_threads = 1024;                  // of a block
constexpr int runtime_version = CUDART_VERSION;

struct Failure {
  std::string call;
  unsigned long long number;
};

struct Settings {
  Order order;
  bool eager = false;
  int devices = 1, driver = runtime_version, multiprocessors = 0, blocks = 0, threads = max_threads;
  const Architecture *architecture = nullptr;
  unsigned long long memory = 0;
  std::vector<Failure> failures;
};

// Resident on a multiprocessor.
int most_blocks(const Settings &settings) {
  return settings.blocks > 0 ? settings.blocks : settings.architecture->blocks_per_multiprocessor;
}

[[noreturn]] void refuse(const char *setting, const std::string &value, const char *allowed) {
  fprintf(stderr, "swarmgrad emulation: setting %s is \"%s\"; allowed: %s\n", setting, value.c_str(), allowed);
  abort();
}

unsigned long long number_of(const char *setting, const std::string &value) {
  char *end = nullptr;
  const unsigned long long number = strtoull(value.c_str(), &end, 10);
  if (value.empty() || *end != '\0') refuse(setting, value, "a whole number");
  return number;
}

struct Allocation {
  size_t size;
  bool device;
};

class Runtime {
 public:
  // `execution` is held by whoever runs work, `state` for a moment by everyone; in this order.
  std::recursive_mutex execution;
  std::recursive_mutex state;

  Settings settings;
  std::map<char *, Allocation> allocations;
  std::set<cudaStream_t> streams;
  std::set<cudaEvent_t> events;
  std::set<cudaGraph_t> graphs;
  std::set<cudaGraphExec_t> executables;
  std::set<cudaLibrary_t> libraries;
  std::map<const Kernel *, size_t> dynamic_shared;  // where an attribute allows more than is usual
  CUstream_st default_stream;
  cudaError_t lost = cudaSuccess;  // the error after which every call fails
  std::string message;
  struct swarmgrad_emulation_usage usage = {};

  Runtime() { reset(); }

  void reset() {
    for (const char *setting : {"order", "streams", "devices", "driver", "architecture", "multiprocessors", "blocks",
                                "threads", "memory", "fail"})
      set(setting, nullptr);
    lost = cudaSuccess;
    message.clear();
  }

  void set(const char *setting, const char *given) {
    std::string variable = std::string("SWARMGRAD_EMULATION_") + setting;
    for (char &letter : variable)
      if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    const char *chosen = given != nullptr ? given : getenv(variable.c_str());
    const std::string value = chosen != nullptr ? chosen : "", name = setting;
    const bool usual = chosen == nullptr;
    if (name == "order") {
      const bool random = value.starts_with("random:");
      if (!usual && !random && value != "forward" && value != "reverse")
        refuse(setting, value, "forward, reverse, random:SEED");
      settings.order.kind = random ? Order::random : value == "reverse" ? Order::reverse : Order::forward;
      settings.order.seed = random ? number_of(setting, value.substr(7)) : 0;
    } else if (name == "streams") {
      if (!usual && value != "lazy" && value != "eager") refuse(setting, value, "lazy, eager");
      settings.eager = value == "eager";
    } else if (name == "devices") {
      if (!usual && value != "0" && value != "1") refuse(setting, value, "0, 1");
      settings.devices = value == "0" ? 0 : 1;
    } else if (name == "driver") {
      settings.driver = usual ? runtime_version : static_cast<int>(number_of(setting, value));
    } else if (name == "architecture") {
      const unsigned long long number = usual ? 90 : number_of(setting, value);
      settings.architecture = nullptr;
      for (const Architecture &architecture : architectures)
        if (static_cast<unsigned long long>(architecture.number) == number) settings.architecture = &architecture;
      if (settings.architecture == nullptr) refuse(setting, value, "75, 80, 86, 89, 90, 100, 120");
    } else if (name == "multiprocessors") {
      settings.multiprocessors = usual ? 0 : static_cast<int>(number_of(setting, value));
    } else if (name == "blocks") {
      settings.blocks = usual ? 0 : static_cast<int>(number_of(setting, value));
    } else if (name == "threads") {
      const unsigned long long number = usual ? max_threads : number_of(setting, value);
      if (number < 32 || number > max_threads || number % 32 != 0) refuse(setting, value, "32, 64, 96 ... 1024");
      settings.threads = static_cast<int>(number);
    } else if (name == "memory") {
      settings.memory = usual ? 1ull << 30 : number_of(setting, value);
    } else if (name == "fail") {
      settings.failures.clear();
      for (size_t begin = 0; begin < value.size();) {
        const size_t comma = std::min(value.find(',', begin), value.size());
        const std::string item = value.substr(begin, comma - begin);
        const size_t colon = item.find(':');
        if (colon == std::string::npos) refuse(setting, value, "CALL:NUMBER, separated by commas");
        settings.failures.push_back({item.substr(0, colon), number_of(setting, item.substr(colon + 1))});
        begin = comma + 1;
      }
    } else {
      refuse(setting, value, "a setting of cuda/emulation/control.h");
    }
  }

  // Whether this is the call that a test wants to fail.
  bool fails(const char *call) {
    for (Failure &failure : settings.failures)
      if (failure.call == call && failure.number > 0 && --failure.number == 0) return true;
    return false;
  }

  const Allocation *allocation_of(const void *address, size_t size) const {
    char *const begin = static_cast<char *>(const_cast<void *>(address));
    auto next = allocations.upper_bound(begin);
    if (next == allocations.begin()) return nullptr;
    const auto &[start, allocation] = *std::prev(next);
    return begin + size <= start + allocation.size ? &allocation : nullptr;
  }

  // The byte after an allocation is another's.
  bool inside_allocation(const void *address) const { return allocation_of(address, 1) != nullptr; }

  size_t device_bytes() const {
    size_t bytes = 0;
    for (const auto &[address, allocation] : allocations)
      if (allocation.device) bytes += allocation.size;
    return bytes;
  }

  CUstream_st *find_stream(cudaStream_t stream) {
    if (stream == nullptr) return &default_stream;
    return streams.contains(stream) ? stream : nullptr;
  }

  // Does one operation of the queue.
  void step(Queue &queue) {
    Operation operation;
    {
      const std::lock_guard lock(state);
      operation = std::move(queue.operations.front());
      queue.operations.pop_front();
    }
    const cudaError_t result = lost == cudaSuccess ? operation() : cudaSuccess;
    const std::lock_guard lock(state);
    if (lost == cudaSuccess) lost = result;
    ++queue.finished;
  }

  void finish(Queue &queue, uint64_t ticket) {
    const std::lock_guard running(execution);
    while (queue.finished < ticket) step(queue);
  }
  void finish(CUstream_st &stream) {
    uint64_t ticket;
    {
      const std::lock_guard lock(state);
      ticket = stream.queue->given;
    }
    finish(*stream.queue, ticket);
  }
  // The default stream and all that it waits for, or every stream. Another thread may destroy a stream meanwhile: its queue
  // stays.
  void finish_all(bool also_non_blocking) {
    std::vector<std::pair<std::shared_ptr<Queue>, uint64_t>> waiting;
    {
      const std::lock_guard lock(state);
      for (const CUstream_st *stream : streams)
        if (also_non_blocking || stream->blocking) waiting.emplace_back(stream->queue, stream->queue->given);
    }
    for (const auto &[queue, ticket] : waiting) finish(*queue, ticket);
    finish(default_stream);
  }

  bool capturing_globally() const {
    for (const CUstream_st *stream : streams)
      if (stream->capture != nullptr && stream->capture_mode == cudaStreamCaptureModeGlobal) return true;
    return false;
  }
  void spoil_captures() {
    for (CUstream_st *stream : streams)
      if (stream->capture != nullptr) stream->capture->valid = false;
  }

  cudaError_t give(CUstream_st &stream, Operation operation) {
    bool now;
    {
      const std::lock_guard lock(state);
      if (stream.capture != nullptr) {
        stream.capture->operations.push_back(std::move(operation));
        return cudaSuccess;
      }
      stream.queue->operations.push_back(std::move(operation));
      ++stream.queue->given;
      now = settings.eager;
    }
    if (now) finish(stream);
    return cudaSuccess;
  }

  cudaError_t allocate(void **address, size_t size, bool device) {
    if (address == nullptr) return cudaErrorInvalidValue;
    *address = nullptr;
    if (size == 0) return cudaSuccess;
    if (device && size > settings.memory - std::min<unsigned long long>(settings.memory, device_bytes()))
      return cudaErrorMemoryAllocation;
    void *memory = nullptr;
    if (posix_memalign(&memory, 256, size) != 0) return cudaErrorMemoryAllocation;
    memset(memory, 0xff, size);
    allocations[static_cast<char *>(memory)] = {size, device};
    *address = memory;
    return cudaSuccess;
  }

  cudaError_t release(void *address, bool device) {
    if (address == nullptr) return cudaSuccess;
    const std::lock_guard lock(state);
    const auto found = allocations.find(static_cast<char *>(address));
    if (found == allocations.end() || found->second.device != device) return cudaErrorInvalidValue;
    allocations.erase(found);
    free(address);
    return cudaSuccess;
  }

  // What the range of a copy's one side must be: device memory or not.
  bool side_fits(const void *address, size_t size, bool device) const {
    const Allocation *allocation = allocation_of(address, size);
    if (device) return allocation != nullptr && allocation->device;
    return allocation != nullptr ? !allocation->device : !inside_allocation(address) || size == 0;
  }

  cudaError_t check_copy(const void *to, const void *from, size_t size, cudaMemcpyKind kind) const {
    const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    if (size == 0 || kind == cudaMemcpyDefault) return cudaSuccess;
    return side_fits(to, size, to_device) && side_fits(from, size, from_device) ? cudaSuccess : cudaErrorInvalidValue;
  }

  cudaError_t run_kernel(const Launch &launch) {
    bool loses, breaks;
    {
      const std::lock_guard lock(state);
      ++usage.kernels;
      loses = fails("device");
      breaks = fails("kernel");
    }
    if (loses) return cudaErrorDevicesUnavailable;
    if (breaks) return cudaErrorLaunchFailure;
    const std::string error = run(launch, settings.order);
    if (error.empty()) return cudaSuccess;
    fprintf(stderr, "swarmgrad emulation: %s\n", error.c_str());
    const std::lock_guard lock(state);
    message = error;
    return cudaErrorLaunchFailure;
  }
};

Runtime &runtime() {
  static Runtime *const instance = new Runtime;  // never destroyed: other destructors may still call
  return *instance;
}

thread_local cudaError_t last_error = cudaSuccess;

cudaError_t answer(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

// Whether `call` can be done at all: there is a device, it is not lost, no test wants the call to fail.
cudaError_t enter(const char *call, cudaError_t failure = cudaErrorUnknown) {
  Runtime &device = runtime();
  const std::lock_guard lock(device.state);
  if (device.settings.driver < runtime_version) return cudaErrorInsufficientDriver;
  if (device.settings.devices == 0) return cudaErrorNoDevice;
  if (device.fails(call)) return failure;
  return device.lost;
}

// The same for calls that a capture elsewhere forbids.
cudaError_t enter_unsafe(const char *call, cudaError_t failure = cudaErrorUnknown) {
  const cudaError_t error = enter(call, failure);
  Runtime &device = runtime();
  const std::lock_guard lock(device.state);
  if (error != cudaSuccess || !device.capturing_globally()) return error;
  device.spoil_captures();
  return cudaErrorStreamCaptureUnsupported;
}

// What a wait found out about the work that it waited for.
cudaError_t outcome() {
  const std::lock_guard lock(runtime().state);
  return runtime().lost;
}

const Kernel *kernel_of(const void *handle) {
  const Kernel *kernel = static_cast<const Kernel *>(handle);
  return kernel != nullptr && kernel->mark == Kernel::expected_mark ? kernel : nullptr;
}

size_t allowed_dynamic_shared(const Kernel *kernel) {
  const auto found = runtime().dynamic_shared.find(kernel);
  return found != runtime().dynamic_shared.end() ? found->second : usual_dynamic_shared;
}

cudaError_t check_launch(const Kernel *kernel, dim3 grid, dim3 block, size_t dynamic_shared) {
  if (kernel == nullptr) return cudaErrorInvalidDeviceFunction;
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535 ||
      threads == 0 || block.z > 64 || threads > static_cast<uint64_t>(runtime().settings.threads))
    return cudaErrorInvalidConfiguration;
  if (threads > kernel->max_threads || dynamic_shared > allowed_dynamic_shared(kernel)) return cudaErrorInvalidValue;
  return cudaSuccess;
}

// The stream, or why nothing can be given to it.
cudaError_t find_open_stream(cudaStream_t handle, CUstream_st *&stream) {
  stream = runtime().find_stream(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (stream->capture != nullptr && !stream->capture->valid) return cudaErrorStreamCaptureInvalidated;
  return cudaSuccess;
}

cudaError_t give(cudaStream_t handle, Operation operation) {
  CUstream_st *stream;
  {
    const std::lock_guard lock(runtime().state);
    if (const cudaError_t error = find_open_stream(handle, stream); error != cudaSuccess) return error;
  }
  return runtime().give(*stream, std::move(operation));
}

// A stream that the host may wait for.
cudaError_t find_finished_stream(cudaStream_t handle, CUstream_st *&stream) {
  const std::lock_guard lock(runtime().state);
  stream = runtime().find_stream(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (stream->capture == nullptr) return cudaSuccess;
  stream->capture->valid = false;
  return cudaErrorStreamCaptureUnsupported;
}

// Does one more operation of the queue, since a host that only asks must see progress; whether all are done.
cudaError_t poll(Queue &queue, uint64_t ticket) {
  const auto finished = [&] {
    const std::lock_guard lock(runtime().state);
    return queue.finished >= ticket;
  };
  if (!finished())
    if (const std::unique_lock running(runtime().execution, std::try_to_lock); running.owns_lock() && !finished())
      runtime().step(queue);
  return finished() ? outcome() : cudaErrorNotReady;
}

}  // namespace

}  // namespace swarmgrad::emulation

using namespace swarmgrad::emulation;

extern "C" {

void swarmgrad_emulation_set(const char *setting, const char *value) {
  const std::lock_guard lock(runtime().state);
  runtime().set(setting, value);
}

void swarmgrad_emulation_reset(void) {
  const std::lock_guard lock(runtime().state);
  runtime().reset();
  last_error = cudaSuccess;
}

struct swarmgrad_emulation_usage swarmgrad_emulation_inventory(void) {
  Runtime &device = runtime();
  const std::lock_guard lock(device.state);
  struct swarmgrad_emulation_usage usage = device.usage;
  usage.allocations = device.allocations.size();
  for (const auto &[address, allocation] : device.allocations) usage.bytes += allocation.size;
  usage.streams = device.streams.size();
  usage.events = device.events.size();
  usage.graphs = device.graphs.size() + device.executables.size();
  usage.libraries = device.libraries.size();
  return usage;
}

const char *swarmgrad_emulation_message(void) { return runtime().message.c_str(); }

cudaError_t cudaGetLastError(void) {
  const cudaError_t error = cudaPeekAtLastError();
  last_error = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError(void) {
  const cudaError_t lost = outcome();
  return lost != cudaSuccess ? lost : last_error;
}

const char *cudaGetErrorName(cudaError_t error) {
  const Error *found = find_error(error);
  return found != nullptr ? found->name : "unrecognized error code";
}

const char *cudaGetErrorString(cudaError_t error) {
  const Error *found = find_error(error);
  return found != nullptr ? found->text : "unrecognized error code";
}

cudaError_t cudaDriverGetVersion(int *version) {
  const std::lock_guard lock(runtime().state);
  *version = runtime().settings.driver;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version) {
  *version = runtime_version;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count) {
  const cudaError_t error = enter("cudaGetDeviceCount");
  *count = error == cudaSuccess ? 1 : 0;
  return answer(error);
}

cudaError_t cudaGetDevice(int *device) {
  *device = 0;
  return answer(enter("cudaGetDevice"));
}

cudaError_t cudaSetDevice(int device) {
  const cudaError_t error = enter("cudaSetDevice");
  return answer(error != cudaSuccess ? error : device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}

cudaError_t cudaInitDevice(int device, unsigned, unsigned) { return cudaSetDevice(device); }

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties, int device) {
  const cudaError_t error = enter("cudaGetDeviceProperties");
  if (error != cudaSuccess) return answer(error);
  if (device != 0) return answer(cudaErrorInvalidDevice);
  const std::lock_guard lock(runtime().state);
  const Settings &settings = runtime().settings;
  const Architecture &architecture = *settings.architecture;
  *properties = {};
  snprintf(properties->name, sizeof properties->name, "swarmgrad emulation of sm_%d", architecture.number);
  memcpy(properties->uuid.bytes, "swarmgrad device", sizeof properties->uuid.bytes);
  properties->totalGlobalMem = settings.memory;
  properties->sharedMemPerBlock = usual_dynamic_shared;
  properties->regsPerBlock = properties->regsPerMultiprocessor = 65536;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = settings.threads;
  properties->major = architecture.number / 10;
  properties->minor = architecture.number % 10;
  properties->multiProcessorCount =
      settings.multiprocessors > 0 ? settings.multiprocessors : architecture.multiprocessors;
  properties->canMapHostMemory = properties->unifiedAddressing = 1;
  properties->pciBusID = 1;
  properties->memoryBusWidth = 5120;
  properties->l2CacheSize = 50 << 20;
  properties->maxThreadsPerMultiProcessor = architecture.threads_per_multiprocessor;
  properties->sharedMemPerMultiprocessor = architecture.shared_per_multiprocessor;
  properties->sharedMemPerBlockOptin = architecture.shared_per_block;
  properties->maxBlocksPerMultiProcessor = most_blocks(settings);
  properties->reservedSharedMemPerBlock = reserved_shared;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device) {
  cudaDeviceProp properties;
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, device); error != cudaSuccess) return error;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = properties.maxThreadsPerBlock;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = static_cast<int>(properties.sharedMemPerBlock);
      break;
    case cudaDevAttrWarpSize:
      *value = properties.warpSize;
      break;
    case cudaDevAttrClockRate:
    case cudaDevAttrMemoryClockRate:
      *value = 1000000;
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = properties.multiProcessorCount;
      break;
    case cudaDevAttrGlobalMemoryBusWidth:
      *value = properties.memoryBusWidth;
      break;
    case cudaDevAttrL2CacheSize:
      *value = properties.l2CacheSize;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = properties.maxThreadsPerMultiProcessor;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = properties.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = properties.minor;
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(properties.sharedMemPerMultiprocessor);
      break;
    case cudaDevAttrMaxRegistersPerMultiprocessor:
      *value = properties.regsPerMultiprocessor;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(properties.sharedMemPerBlockOptin);
      break;
    default:
      return answer(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char *text, int size, int device) {
  if (const cudaError_t error = enter("cudaDeviceGetPCIBusId"); error != cudaSuccess) return answer(error);
  if (device != 0) return answer(cudaErrorInvalidDevice);
  snprintf(text, static_cast<size_t>(size), "0000:01:00.0");
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize(void) {
  if (const cudaError_t error = enter_unsafe("cudaDeviceSynchronize"); error != cudaSuccess) return answer(error);
  runtime().finish_all(true);
  return answer(outcome());
}

cudaError_t cudaDeviceReset(void) {
  Runtime &device = runtime();
  if (outcome() == cudaSuccess) {
    if (const cudaError_t error = enter("cudaDeviceReset"); error != cudaSuccess) return answer(error);
    device.finish_all(true);
  }
  const std::lock_guard running(device.execution);
  const std::lock_guard lock(device.state);
  for (const auto &[address, allocation] : device.allocations) free(address);
  for (cudaStream_t stream : device.streams) delete stream;
  for (cudaEvent_t event : device.events) delete event;
  for (cudaGraph_t graph : device.graphs) delete graph;
  for (cudaGraphExec_t executable : device.executables) delete executable;
  for (cudaLibrary_t library : device.libraries) {
    dlclose(library->object);
    delete library;
  }
  device.allocations.clear();
  device.streams.clear();
  device.events.clear();
  device.graphs.clear();
  device.executables.clear();
  device.libraries.clear();
  device.dynamic_shared.clear();
  device.default_stream.queue = std::make_shared<Queue>();
  device.lost = cudaSuccess;
  last_error = cudaSuccess;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *free, size_t *total) {
  if (const cudaError_t error = enter("cudaMemGetInfo"); error != cudaSuccess) return answer(error);
  const std::lock_guard lock(runtime().state);
  *total = runtime().settings.memory;
  *free = *total - std::min(*total, runtime().device_bytes());
  return cudaSuccess;
}

cudaError_t cudaMalloc(void **address, size_t size) {
  const cudaError_t error = enter_unsafe("cudaMalloc", cudaErrorMemoryAllocation);
  const std::lock_guard lock(runtime().state);
  return answer(error != cudaSuccess ? error : runtime().allocate(address, size, true));
}

// Like cudaFreeHost, it waits for all work; and it frees even where the device is lost.
cudaError_t cudaFree(void *address) {
  const cudaError_t error = enter_unsafe("cudaFree");
  runtime().finish_all(true);
  const cudaError_t freed = runtime().release(address, true);
  return answer(error != cudaSuccess ? error : freed != cudaSuccess ? freed : outcome());
}

cudaError_t cudaHostAlloc(void **address, size_t size, unsigned flags) {
  if ((flags & ~7u) != 0) return answer(cudaErrorInvalidValue);
  const cudaError_t error = enter_unsafe("cudaHostAlloc", cudaErrorMemoryAllocation);
  const std::lock_guard lock(runtime().state);
  return answer(error != cudaSuccess ? error : runtime().allocate(address, size, false));
}

cudaError_t cudaMallocHost(void **address, size_t size) {
  const cudaError_t error = enter_unsafe("cudaMallocHost", cudaErrorMemoryAllocation);
  const std::lock_guard lock(runtime().state);
  return answer(error != cudaSuccess ? error : runtime().allocate(address, size, false));
}

cudaError_t cudaHostGetDevicePointer(void **device, void *host, unsigned) {
  if (const cudaError_t error = enter("cudaHostGetDevicePointer"); error != cudaSuccess) return answer(error);
  const std::lock_guard lock(runtime().state);
  const Allocation *allocation = runtime().allocation_of(host, 0);
  if (allocation == nullptr || allocation->device) return answer(cudaErrorInvalidValue);
  *device = host;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void *address) {
  const cudaError_t error = enter_unsafe("cudaFreeHost");
  runtime().finish_all(true);
  const cudaError_t freed = runtime().release(address, false);
  return answer(error != cudaSuccess ? error : freed != cudaSuccess ? freed : outcome());
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t size, enum cudaMemcpyKind kind) {
  if (const cudaError_t error = enter_unsafe("cudaMemcpy"); error != cudaSuccess) return answer(error);
  {
    const std::lock_guard lock(runtime().state);
    if (const cudaError_t error = runtime().check_copy(to, from, size, kind); error != cudaSuccess)
      return answer(error);
  }
  runtime().finish_all(false);
  if (const cudaError_t error = outcome(); error != cudaSuccess) return answer(error);
  if (size > 0) memcpy(to, from, size);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t size, enum cudaMemcpyKind kind, cudaStream_t stream) {
  if (const cudaError_t error = enter("cudaMemcpyAsync"); error != cudaSuccess) return answer(error);
  Runtime &device = runtime();
  CUstream_st *target;
  bool from_pageable, to_pageable;
  {
    const std::lock_guard lock(device.state);
    if (const cudaError_t error = find_open_stream(stream, target); error != cudaSuccess) return answer(error);
    if (const cudaError_t error = device.check_copy(to, from, size, kind); error != cudaSuccess) return answer(error);
    from_pageable = !device.inside_allocation(from) && target->capture == nullptr;
    to_pageable = !device.inside_allocation(to) && target->capture == nullptr;
  }
  if (from_pageable) {
    // The real runtime has read pageable memory, too, when it returns.
    const char *bytes = static_cast<const char *>(from);
    return answer(device.give(*target, [to, copy = std::vector<char>(bytes, bytes + size)] {
      memcpy(to, copy.data(), copy.size());
      return cudaSuccess;
    }));
  }
  device.give(*target, [to, from, size] {
    memcpy(to, from, size);
    return cudaSuccess;
  });
  if (!to_pageable) return cudaSuccess;
  device.finish(*target);
  return answer(outcome());
}

cudaError_t cudaMemset(void *address, int value, size_t size) {
  if (const cudaError_t error = enter_unsafe("cudaMemset"); error != cudaSuccess) return answer(error);
  return cudaMemsetAsync(address, value, size, nullptr);
}

cudaError_t cudaMemsetAsync(void *address, int value, size_t size, cudaStream_t stream) {
  if (const cudaError_t error = enter("cudaMemsetAsync"); error != cudaSuccess) return answer(error);
  {
    const std::lock_guard lock(runtime().state);
    if (size > 0 && runtime().allocation_of(address, size) == nullptr) return answer(cudaErrorInvalidValue);
  }
  return answer(give(stream, [address, value, size] {
    if (size > 0) memset(address, value, size);
    return cudaSuccess;
  }));
}

cudaError_t cudaStreamCreate(cudaStream_t *stream) { return cudaStreamCreateWithFlags(stream, cudaStreamDefault); }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags) {
  if (const cudaError_t error = enter("cudaStreamCreateWithFlags", cudaErrorMemoryAllocation); error != cudaSuccess)
    return answer(error);
  if ((flags & ~cudaStreamNonBlocking) != 0) return answer(cudaErrorInvalidValue);
  const std::lock_guard lock(runtime().state);
  *stream = new CUstream_st;
  (*stream)->blocking = flags != cudaStreamNonBlocking;
  runtime().streams.insert(*stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const cudaError_t error = enter("cudaStreamDestroy");
  {
    const std::lock_guard lock(runtime().state);
    if (!runtime().streams.contains(stream)) return answer(cudaErrorInvalidResourceHandle);
  }
  runtime().finish(*stream);
  const std::lock_guard lock(runtime().state);
  runtime().streams.erase(stream);
  delete stream;
  return answer(error);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (const cudaError_t error = enter("cudaStreamSynchronize"); error != cudaSuccess) return answer(error);
  CUstream_st *waited;
  if (const cudaError_t error = find_finished_stream(stream, waited); error != cudaSuccess) return answer(error);
  {
    const std::lock_guard lock(runtime().state);
    ++runtime().usage.synchronizations;
  }
  if (stream == nullptr)
    runtime().finish_all(false);
  else
    runtime().finish(*waited);
  return answer(outcome());
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (const cudaError_t error = enter("cudaStreamQuery"); error != cudaSuccess) return answer(error);
  CUstream_st *waited;
  if (const cudaError_t error = find_finished_stream(stream, waited); error != cudaSuccess) return answer(error);
  uint64_t given;
  {
    const std::lock_guard lock(runtime().state);
    given = waited->queue->given;
  }
  return answer(poll(*waited->queue, given));
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (const cudaError_t error = enter("cudaStreamWaitEvent"); error != cudaSuccess) return answer(error);
  std::shared_ptr<Queue> queue;
  uint64_t ticket;
  {
    const std::lock_guard lock(runtime().state);
    if (!runtime().events.contains(event)) return answer(cudaErrorInvalidResourceHandle);
    if (event->queue == nullptr) return cudaSuccess;
    queue = event->queue;
    ticket = event->ticket;
  }
  return answer(give(stream, [queue, ticket] {
    runtime().finish(*queue, ticket);
    return cudaSuccess;
  }));
}

cudaError_t cudaEventCreate(cudaEvent_t *event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned) {
  if (const cudaError_t error = enter("cudaEventCreateWithFlags", cudaErrorMemoryAllocation); error != cudaSuccess)
    return answer(error);
  const std::lock_guard lock(runtime().state);
  *event = new CUevent_st;
  runtime().events.insert(*event);
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const cudaError_t error = enter("cudaEventDestroy");
  const std::lock_guard lock(runtime().state);
  if (runtime().events.erase(event) == 0) return answer(cudaErrorInvalidResourceHandle);
  delete event;
  return answer(error);
}

// Not in a capture, which the engine has no events in.
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (const cudaError_t error = enter("cudaEventRecord"); error != cudaSuccess) return answer(error);
  CUstream_st *target;
  auto time = std::make_shared<std::chrono::steady_clock::time_point>();
  {
    const std::lock_guard lock(runtime().state);
    if (!runtime().events.contains(event)) return answer(cudaErrorInvalidResourceHandle);
    if (const cudaError_t error = find_open_stream(stream, target); error != cudaSuccess) return answer(error);
    if (target->capture != nullptr) return answer(cudaErrorStreamCaptureUnsupported);
    event->queue = target->queue;
    event->ticket = target->queue->given + 1;
    event->time = time;
  }
  return answer(runtime().give(*target, [time] {
    *time = std::chrono::steady_clock::now();
    return cudaSuccess;
  }));
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (const cudaError_t error = enter("cudaEventSynchronize"); error != cudaSuccess) return answer(error);
  std::shared_ptr<Queue> queue;
  uint64_t ticket;
  {
    const std::lock_guard lock(runtime().state);
    if (!runtime().events.contains(event)) return answer(cudaErrorInvalidResourceHandle);
    ++runtime().usage.synchronizations;
    queue = event->queue;
    ticket = event->ticket;
  }
  if (queue != nullptr) runtime().finish(*queue, ticket);
  return answer(outcome());
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (const cudaError_t error = enter("cudaEventQuery"); error != cudaSuccess) return answer(error);
  std::shared_ptr<Queue> queue;
  uint64_t ticket;
  {
    const std::lock_guard lock(runtime().state);
    if (!runtime().events.contains(event)) return answer(cudaErrorInvalidResourceHandle);
    queue = event->queue;
    ticket = event->ticket;
  }
  return answer(queue != nullptr ? poll(*queue, ticket) : cudaSuccess);
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  if (const cudaError_t error = enter("cudaEventElapsedTime"); error != cudaSuccess) return answer(error);
  const std::lock_guard lock(runtime().state);
  for (cudaEvent_t event : {begin, end}) {
    if (!runtime().events.contains(event) || event->queue == nullptr) return answer(cudaErrorInvalidResourceHandle);
    if (event->queue->finished < event->ticket) return answer(cudaErrorNotReady);
  }
  *milliseconds = std::chrono::duration<float, std::milli>(*end->time - *begin->time).count();
  return cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void *handle, dim3 grid, dim3 block, void **arguments, size_t dynamic_shared,
                             cudaStream_t stream) {
  if (const cudaError_t error = enter("cudaLaunchKernel", cudaErrorLaunchOutOfResources); error != cudaSuccess)
    return answer(error);
  const Kernel *kernel = kernel_of(handle);
  {
    const std::lock_guard lock(runtime().state);
    if (const cudaError_t error = check_launch(kernel, grid, block, dynamic_shared); error != cudaSuccess)
      return answer(error);
  }
  const char *argument = static_cast<const char *>(arguments[0]);
  return answer(give(stream, [launch = Launch{kernel, grid, block, dynamic_shared,
                                              std::vector<char>(argument, argument + kernel->argument_size)}] {
    return runtime().run_kernel(launch);
  }));
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void *data) {
  if (const cudaError_t error = enter("cudaLaunchHostFunc"); error != cudaSuccess) return answer(error);
  return answer(give(stream, [function, data] {
    function(data);
    return cudaSuccess;
  }));
}

cudaError_t cudaFuncSetAttribute(const void *handle, enum cudaFuncAttribute attribute, int value) {
  if (const cudaError_t error = enter("cudaFuncSetAttribute"); error != cudaSuccess) return answer(error);
  const Kernel *kernel = kernel_of(handle);
  if (kernel == nullptr) return answer(cudaErrorInvalidDeviceFunction);
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  const std::lock_guard lock(runtime().state);
  const size_t limit = runtime().settings.architecture->shared_per_block;
  if (value < 0 || static_cast<size_t>(value) > limit) return answer(cudaErrorInvalidValue);
  runtime().dynamic_shared[kernel] = static_cast<size_t>(value);
  return cudaSuccess;
}

// Figures that only a compiler knows are 0.
cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *attributes, const void *handle) {
  if (const cudaError_t error = enter("cudaFuncGetAttributes"); error != cudaSuccess) return answer(error);
  const Kernel *kernel = kernel_of(handle);
  if (kernel == nullptr) return answer(cudaErrorInvalidDeviceFunction);
  const std::lock_guard lock(runtime().state);
  *attributes = {};
  attributes->maxThreadsPerBlock = static_cast<int>(kernel->max_threads);
  attributes->ptxVersion = attributes->binaryVersion = runtime().settings.architecture->number;
  attributes->maxDynamicSharedSizeBytes = static_cast<int>(allowed_dynamic_shared(kernel));
  return cudaSuccess;
}

// By threads and shared memory; the emulation knows of no registers.
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *handle, int block_size,
                                                          size_t dynamic_shared) {
  if (const cudaError_t error = enter("cudaOccupancyMaxActiveBlocksPerMultiprocessor"); error != cudaSuccess)
    return answer(error);
  const Kernel *kernel = kernel_of(handle);
  if (kernel == nullptr) return answer(cudaErrorInvalidDeviceFunction);
  const std::lock_guard lock(runtime().state);
  const Architecture &architecture = *runtime().settings.architecture;
  *blocks = 0;
  if (block_size <= 0) return answer(cudaErrorInvalidValue);
  if (static_cast<unsigned>(block_size) > kernel->max_threads || dynamic_shared > allowed_dynamic_shared(kernel))
    return cudaSuccess;
  const int warps = (block_size + 31) / 32;
  const size_t by_shared = architecture.shared_per_multiprocessor / (dynamic_shared + reserved_shared);
  *blocks = std::min({architecture.threads_per_multiprocessor / 32 / warps, static_cast<int>(by_shared),
                      most_blocks(runtime().settings)});
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode) {
  if (const cudaError_t error = enter("cudaStreamBeginCapture"); error != cudaSuccess) return answer(error);
  const std::lock_guard lock(runtime().state);
  if (stream == nullptr) return answer(cudaErrorStreamCaptureUnsupported);
  if (!runtime().streams.contains(stream)) return answer(cudaErrorInvalidResourceHandle);
  if (stream->capture != nullptr) return answer(cudaErrorIllegalState);
  stream->capture = std::make_unique<Capture>();
  stream->capture_mode = mode;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph) {
  const cudaError_t error = enter("cudaStreamEndCapture");
  const std::lock_guard lock(runtime().state);
  *graph = nullptr;
  if (!runtime().streams.contains(stream)) return answer(cudaErrorInvalidResourceHandle);
  if (stream->capture == nullptr) return answer(cudaErrorIllegalState);
  const std::unique_ptr<Capture> capture = std::move(stream->capture);
  if (error != cudaSuccess) return answer(error);
  if (!capture->valid) return answer(cudaErrorStreamCaptureInvalidated);
  *graph = new CUgraph_st{std::move(capture->operations)};
  runtime().graphs.insert(*graph);
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const cudaError_t error = enter("cudaGraphDestroy");
  const std::lock_guard lock(runtime().state);
  if (runtime().graphs.erase(graph) == 0) return answer(cudaErrorInvalidValue);
  delete graph;
  return answer(error);
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *executable, cudaGraph_t graph, unsigned long long) {
  if (const cudaError_t error = enter("cudaGraphInstantiate", cudaErrorMemoryAllocation); error != cudaSuccess)
    return answer(error);
  const std::lock_guard lock(runtime().state);
  if (!runtime().graphs.contains(graph)) return answer(cudaErrorInvalidValue);
  *executable = new CUgraphExec_st{std::make_shared<std::vector<Operation>>(graph->operations)};
  runtime().executables.insert(*executable);
  return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t executable, cudaStream_t) {
  if (const cudaError_t error = enter("cudaGraphUpload", cudaErrorMemoryAllocation); error != cudaSuccess)
    return answer(error);
  const std::lock_guard lock(runtime().state);
  return answer(runtime().executables.contains(executable) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (const cudaError_t error = enter("cudaGraphLaunch"); error != cudaSuccess) return answer(error);
  std::shared_ptr<const std::vector<Operation>> operations;
  {
    const std::lock_guard lock(runtime().state);
    if (!runtime().executables.contains(executable)) return answer(cudaErrorInvalidValue);
    ++runtime().usage.graph_launches;
    operations = executable->operations;
  }
  return answer(give(stream, [operations] {
    for (const Operation &operation : *operations)
      if (const cudaError_t error = operation(); error != cudaSuccess) return error;
    return cudaSuccess;
  }));
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  const cudaError_t error = enter("cudaGraphExecDestroy");
  const std::lock_guard lock(runtime().state);
  if (runtime().executables.erase(executable) == 0) return answer(cudaErrorInvalidValue);
  delete executable;
  return answer(error);
}

cudaError_t cudaLibraryLoadData(cudaLibrary_t *library, const void *code, enum cudaJitOption *, void **, unsigned,
                                enum cudaLibraryOption *, void **, unsigned) {
  if (const cudaError_t error = enter("cudaLibraryLoadData", cudaErrorMemoryAllocation); error != cudaSuccess)
    return answer(error);
  const Elf64_Ehdr *header = static_cast<const Elf64_Ehdr *>(code);
  if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return answer(cudaErrorInvalidKernelImage);
  // A linker writes the table of sections last, so a shared object ends with it.
  const size_t size = header->e_shoff + size_t{header->e_shnum} * header->e_shentsize;
  const int file = memfd_create("swarmgrad-emulated-kernels", MFD_CLOEXEC);
  const bool written = file >= 0 && write(file, code, size) == static_cast<ssize_t>(size);
  void *const object =
      written ? dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (file >= 0) close(file);
  if (object == nullptr) {
    fprintf(stderr, "swarmgrad emulation: %s\n", written ? dlerror() : "no memory for a library");
    return answer(cudaErrorInvalidKernelImage);
  }
  const std::lock_guard lock(runtime().state);
  *library = new CUlib_st{object};
  runtime().libraries.insert(*library);
  return cudaSuccess;
}

cudaError_t cudaLibraryGetKernel(cudaKernel_t *kernel, cudaLibrary_t library, const char *name) {
  if (const cudaError_t error = enter("cudaLibraryGetKernel"); error != cudaSuccess) return answer(error);
  const std::lock_guard lock(runtime().state);
  if (!runtime().libraries.contains(library)) return answer(cudaErrorInvalidResourceHandle);
  void *const symbol = dlsym(library->object, (std::string(name) + "_handle").c_str());
  if (symbol == nullptr) return answer(cudaErrorSymbolNotFound);
  *kernel = *static_cast<cudaKernel_t *>(symbol);
  return cudaSuccess;
}

cudaError_t cudaLibraryUnload(cudaLibrary_t library) {
  const cudaError_t error = enter("cudaLibraryUnload");
  runtime().finish_all(true);
  const std::lock_guard lock(runtime().state);
  if (runtime().libraries.erase(library) == 0) return answer(cudaErrorInvalidResourceHandle);
  dlclose(library->object);
  delete library;
  return answer(error);
}

}  // extern "C"
