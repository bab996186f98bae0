// The emulation itself: barriers, exchanges, orders, streams, graphs, failures. If this holds, what it says of the engine's
// kernels counts.
#include <cuda_runtime.h>
#include <doctest/doctest.h>
#include <stdint.h>
#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cuda/emulation/control.h"
#include "cuda/kernel.h"
#include "cuda/tests/emulation_kernels.h"

SWARMGRAD_KERNEL_HANDLE(swarmgrad_test_mirror);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_test_lanes);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_test_atomics);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_test_fresh_memory);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_test_order);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_test_variables);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_test_mistakes);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_planted_barrier);

namespace {

using swarmgrad::cuda::Mistake;
using swarmgrad::cuda::Planted;
using swarmgrad::cuda::Probe;

const char *const orders[] = {"forward", "reverse", "random:1", "random:2", "random:3"};

// A device as new, with memory for one probe; checks that the test leaves nothing behind.
class Device {
 public:
  explicit Device(const char *order = "forward") {
    swarmgrad_emulation_reset();
    swarmgrad_emulation_set("order", order);
    before_ = swarmgrad_emulation_inventory();
    make(probe.out, 1024);
    make(probe.counter, 6);
    make(probe.number, 1);
    make(probe.large, 1);
    make(probe.wide, 1);
    probe.mistake = Mistake::none;
    REQUIRE(cudaDeviceSynchronize() == cudaSuccess);  // the zeros, which other streams do not wait for
  }
  ~Device() {
    for (void *address : made_) cudaFree(address);
    CHECK(swarmgrad_emulation_inventory().allocations == before_.allocations);
    CHECK(swarmgrad_emulation_inventory().bytes == before_.bytes);
    cudaDeviceReset();
    swarmgrad_emulation_reset();
  }

  cudaError_t launch(const void *handle, dim3 grid, dim3 block, size_t dynamic_shared = 0,
                     cudaStream_t stream = nullptr) {
    void *arguments[] = {&probe};
    return cudaLaunchKernel(handle, grid, block, arguments, dynamic_shared, stream);
  }

  template <class T>
  std::vector<T> read(const T *from, size_t count) {
    std::vector<T> values(count);
    REQUIRE(cudaMemcpy(values.data(), from, count * sizeof(T), cudaMemcpyDeviceToHost) == cudaSuccess);
    return values;
  }

  template <class T>
  void make(T *&address, size_t count) {
    REQUIRE(cudaMalloc(&address, count * sizeof(T)) == cudaSuccess);
    made_.push_back(address);
    REQUIRE(cudaMemset(address, 0, count * sizeof(T)) == cudaSuccess);
  }

  Probe probe = {};

 private:
  std::vector<void *> made_;
  struct swarmgrad_emulation_usage before_;
};

}  // namespace

TEST_CASE("a barrier holds in every order") {
  for (const char *order : orders) {
    CAPTURE(order);
    Device device(order);
    REQUIRE(device.launch(swarmgrad_test_mirror_handle, 3, 100, 100 * sizeof(int32_t)) == cudaSuccess);
    const std::vector<int32_t> out = device.read(device.probe.out, 300);
    for (int thread = 0; thread < 300; ++thread) CHECK(out[thread] == thread / 100 * 100 + 99 - thread % 100);
  }
}

TEST_CASE("shuffles and votes give what CUDA's do") {
  for (const char *order : orders) {
    CAPTURE(order);
    Device device(order);
    REQUIRE(device.launch(swarmgrad_test_lanes_handle, 1, 64) == cudaSuccess);
    const std::vector<int32_t> out = device.read(device.probe.out, 640);
    for (int thread = 0; thread < 64; ++thread) {
      CAPTURE(thread);
      const int lane = thread % 32, warp = 100 + thread / 32 * 32, own = 100 + thread;
      const int32_t *found = out.data() + 10 * thread;
      CHECK(found[0] == warp + 7 + (lane < 8 ? 7 : 0));
      CHECK(found[1] == warp + (lane + 1) % 32);
      CHECK(found[2] == warp + lane / 8 * 8 + 1);
      CHECK(found[3] == (lane % 16 < 3 ? own : own - 3));
      CHECK(found[4] == (lane % 16 > 12 ? own : own + 3));
      CHECK(found[5] == warp + (lane ^ 5));
      CHECK(found[6] == 0x49249249);
      CHECK(found[7] == 1);
      CHECK(found[8] == 1);
      CHECK(found[9] == 1);
    }
  }
}

TEST_CASE("atomics of every type miss no thread") {
  for (const char *order : orders) {
    CAPTURE(order);
    Device device(order);
    REQUIRE(device.launch(swarmgrad_test_atomics_handle, 5, 40) == cudaSuccess);
    std::vector<int32_t> came = device.read(device.probe.out, 200);
    std::sort(came.begin(), came.end());
    for (int thread = 0; thread < 200; ++thread) CHECK(came[thread] == thread);
    const std::vector<int32_t> counter = device.read(device.probe.counter, 6);
    CHECK(counter == std::vector<int32_t>{200, 0, 199, 0x7fffffff, 42, 17});
    CHECK(device.read(device.probe.number, 1)[0] == 100.0f);
    CHECK(device.read(device.probe.large, 1)[0] == 50.0);
    CHECK(device.read(device.probe.wide, 1)[0] == 200ull << 33);
  }
}

TEST_CASE("memory that nobody has written holds no number, in every block") {
  Device device;
  float *fresh;
  REQUIRE(cudaMalloc(&fresh, 4) == cudaSuccess);
  CHECK(std::isnan(device.read(fresh, 1)[0]));
  CHECK(cudaFree(fresh) == cudaSuccess);
  REQUIRE(cudaMallocHost(&fresh, 4) == cudaSuccess);
  CHECK(std::isnan(*fresh));
  CHECK(cudaFreeHost(fresh) == cudaSuccess);
  REQUIRE(device.launch(swarmgrad_test_fresh_memory_handle, 2, 32, 8) == cudaSuccess);
  CHECK(device.read(device.probe.out, 8) == std::vector<int32_t>{-1, -1, 1, 12, -1, -1, 1, 12});
}

TEST_CASE("one name of a shared variable in two instances of a template is two variables") {
  Device device("reverse");
  REQUIRE(device.launch(swarmgrad_test_variables_handle, 2, 64) == cudaSuccess);
  const std::vector<int32_t> out = device.read(device.probe.out, 128);
  for (int thread = 0; thread < 128; ++thread) CHECK(out[thread] == thread / 64 * 64);
}

TEST_CASE("blocks, warps and lanes run in the order asked for") {
  const auto run = [](const char *order) {
    Device device(order);
    REQUIRE(device.launch(swarmgrad_test_order_handle, 2, 64) == cudaSuccess);
    return device.read(device.probe.out, 128);
  };
  const std::vector<int32_t> forward = run("forward"), reverse = run("reverse"), random = run("random:7");
  for (int thread = 0; thread < 128; ++thread) {
    CHECK(forward[thread] == thread);
    CHECK(reverse[thread] == 127 - thread);
  }
  CHECK(random != forward);
  CHECK(random != reverse);
  CHECK(random == run("random:7"));
  CHECK(random != run("random:8"));
  // A block runs to its end before another begins, and so does a warp between barriers.
  CHECK(std::set<int32_t>(random.begin(), random.begin() + 64).size() == 64);
  const auto [first, last] = std::minmax_element(random.begin(), random.begin() + 32);
  CHECK(*last - *first == 31);
}

TEST_CASE("a thread that waits in vain is reported, and the device is lost") {
  struct {
    Mistake mistake;
    const char *message;
  } const cases[] = {
      {Mistake::early_end,
       "thread (0,0,0): deadlock: it waits at __syncthreads of emulation_kernels.cu:.*, which thread "
       "(3,0,0) never reaches: it has ended"},
      {Mistake::other_barrier, "it reaches __syncthreads of emulation_kernels.cu:"},
      {Mistake::missing_lane,
       "deadlock: it waits at __syncwarp of emulation_kernels.cu:.* with mask 0xffffffff, but thread "
       "(5,0,0), which the mask names, waits at __syncthreads"},
      {Mistake::foreign_mask, "with mask 0x00000002, which leaves the thread itself out (lane 0)"},
      {Mistake::different_masks,
       "with mask 0x00000003, but thread (1,0,0), which the mask names, waits at __syncwarp of "
       "emulation_kernels.cu:.* with mask 0x00000007"},
      {Mistake::idle_source, "its __shfl_sync of emulation_kernels.cu:.* reads lane 4, which does not take part"},
  };
  for (const auto &[mistake, message] : cases) {
    CAPTURE(message);
    Device device;
    device.probe.mistake = mistake;
    CHECK(device.launch(swarmgrad_test_mistakes_handle, 2, 64) == cudaSuccess);
    CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
    const std::string found = swarmgrad_emulation_message();
    CAPTURE(found);
    CHECK(found.starts_with("kernel swarmgrad_test_mistakes, block (0,0,0), thread ("));
    // Line numbers aside.
    size_t begin = 0;
    for (std::string rest = message; !rest.empty();) {
      const std::string part = rest.substr(0, rest.find(".*"));
      begin = found.find(part, begin);
      CHECK(begin != std::string::npos);
      rest.erase(0, part.size() + 2 < rest.size() ? part.size() + 2 : rest.size());
    }
    CHECK(cudaStreamSynchronize(nullptr) == cudaErrorLaunchFailure);
    CHECK(cudaGetLastError() == cudaErrorLaunchFailure);
    CHECK(cudaGetLastError() == cudaErrorLaunchFailure);
  }
}

TEST_CASE("after an error a new device works") {
  Device device;
  device.probe.mistake = Mistake::early_end;
  CHECK(device.launch(swarmgrad_test_mistakes_handle, 1, 64) == cudaSuccess);
  CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
  swarmgrad_emulation_reset();
  device.probe.mistake = Mistake::none;
  CHECK(device.launch(swarmgrad_test_mistakes_handle, 1, 64) == cudaSuccess);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
}

TEST_CASE("launches that CUDA refuses") {
  Device device;
  CHECK(device.launch(&device, 1, 32) == cudaErrorInvalidDeviceFunction);
  CHECK(device.launch(swarmgrad_test_order_handle, 0, 32) == cudaErrorInvalidConfiguration);
  CHECK(device.launch(swarmgrad_test_order_handle, 1, 1025) == cudaErrorInvalidConfiguration);
  CHECK(device.launch(swarmgrad_test_order_handle, 1, 65) == cudaErrorInvalidValue);
  CHECK(device.launch(swarmgrad_test_order_handle, 1, 32, 48 * 1024 + 1) == cudaErrorInvalidValue);
  const auto allow = [](int bytes) {
    return cudaFuncSetAttribute(swarmgrad_test_order_handle, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  };
  CHECK(allow(228 * 1024) == cudaErrorInvalidValue);
  CHECK(allow(227 * 1024) == cudaSuccess);
  CHECK(device.launch(swarmgrad_test_order_handle, 1, 32, 227 * 1024) == cudaSuccess);
  swarmgrad_emulation_set("threads", "32");
  CHECK(device.launch(swarmgrad_test_order_handle, 1, 33) == cudaErrorInvalidConfiguration);
  swarmgrad_emulation_set("architecture", "75");
  CHECK(allow(64 * 1024 + 1) == cudaErrorInvalidValue);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
}

TEST_CASE("fewer blocks than shared memory and threads allow, where a test wants it") {
  Device device;
  const auto resident = [](int threads, size_t dynamic_shared) {
    int blocks = -1;
    CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, swarmgrad_test_mirror_handle, threads,
                                                        dynamic_shared) == cudaSuccess);
    return blocks;
  };
  CHECK(resident(256, 0) == 8);
  CHECK(resident(32, 0) == 32);
  CHECK(resident(32, 37 * 1024) == 6);
  CHECK(resident(257, 0) == 0);
  swarmgrad_emulation_set("blocks", "2");
  CHECK(resident(256, 0) == 2);
}

TEST_CASE("work waits until the host waits for it") {
  Device device;
  cudaStream_t stream;
  REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  int32_t *host;
  REQUIRE(cudaMallocHost(&host, 64 * sizeof(int32_t)) == cudaSuccess);
  const auto start = [&] {
    host[63] = -5;
    CHECK(cudaMemsetAsync(device.probe.counter, 0, sizeof(int32_t), stream) == cudaSuccess);
    CHECK(device.launch(swarmgrad_test_order_handle, 1, 64, 0, stream) == cudaSuccess);
    CHECK(cudaMemcpyAsync(host, device.probe.out, 64 * sizeof(int32_t), cudaMemcpyDeviceToHost, stream) == cudaSuccess);
  };
  SUBCASE("for the stream") {
    start();
    CHECK(cudaMemcpy(host + 1, host, 4, cudaMemcpyHostToHost) == cudaSuccess);  // waits for no such stream
    CHECK(host[63] == -5);
    CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  }
  SUBCASE("for an event") {
    cudaEvent_t event;
    REQUIRE(cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess);
    start();
    CHECK(cudaEventRecord(event, stream) == cudaSuccess);
    CHECK(host[63] == -5);
    SUBCASE("on the host") { CHECK(cudaEventSynchronize(event) == cudaSuccess); }
    SUBCASE("in another stream") {
      cudaStream_t other;
      REQUIRE(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking) == cudaSuccess);
      CHECK(cudaStreamWaitEvent(other, event) == cudaSuccess);
      CHECK(host[63] == -5);
      CHECK(cudaStreamSynchronize(other) == cudaSuccess);
      CHECK(host[63] == 63);
      CHECK(cudaStreamDestroy(other) == cudaSuccess);
    }
    CHECK(cudaEventDestroy(event) == cudaSuccess);
  }
  SUBCASE("by asking again and again") {
    start();
    int asked = 1;
    while (cudaStreamQuery(stream) == cudaErrorNotReady) ++asked;
    CHECK(asked == 3);
  }
  SUBCASE("for the device") {
    start();
    CHECK(cudaDeviceSynchronize() == cudaSuccess);
  }
  SUBCASE("unless the streams are eager") {
    swarmgrad_emulation_set("streams", "eager");
    start();
  }
  CHECK(host[63] == 63);
  CHECK(cudaFreeHost(host) == cudaSuccess);
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}

TEST_CASE("a graph is the work that was captured, as often as it is launched") {
  Device device;
  cudaStream_t stream;
  REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  cudaGraph_t graph;
  cudaGraphExec_t executable;
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  CHECK(device.launch(swarmgrad_test_atomics_handle, 1, 10, 0, stream) == cudaSuccess);
  REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
  REQUIRE(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
  CHECK(cudaGraphDestroy(graph) == cudaSuccess);
  CHECK(device.read(device.probe.counter, 1)[0] == 0);
  for (int launch = 0; launch < 3; ++launch) CHECK(cudaGraphLaunch(executable, stream) == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(device.read(device.probe.counter, 1)[0] == 30);
  CHECK(cudaGraphExecDestroy(executable) == cudaSuccess);

  // Neither waiting nor taking memory can be captured.
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream) == cudaErrorStreamCaptureUnsupported);
  CHECK(device.launch(swarmgrad_test_atomics_handle, 1, 10, 0, stream) == cudaErrorStreamCaptureInvalidated);
  CHECK(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated);
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  void *memory;
  CHECK(cudaMalloc(&memory, 8) == cudaErrorStreamCaptureUnsupported);
  CHECK(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated);
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}

TEST_CASE("kernels of a library that comes as bytes") {
  Device device;
  FILE *file = fopen(SWARMGRAD_TEST_MODULE, "rb");
  REQUIRE(file != nullptr);
  std::vector<char> bytes(size_t{32} << 20);
  bytes.resize(fread(bytes.data(), 1, bytes.size(), file));
  fclose(file);
  const auto load = [](cudaLibrary_t *library, const void *code) {
    return cudaLibraryLoadData(library, code, nullptr, nullptr, 0, nullptr, nullptr, 0);
  };
  cudaLibrary_t library;
  cudaKernel_t kernel;
  CHECK(load(&library, "//\n// Generated by NVIDIA NVVM Compiler\n//") == cudaErrorInvalidKernelImage);
  REQUIRE(load(&library, bytes.data()) == cudaSuccess);
  CHECK(cudaLibraryGetKernel(&kernel, library, "swarmgrad_test_none") == cudaErrorSymbolNotFound);
  REQUIRE(cudaLibraryGetKernel(&kernel, library, "swarmgrad_test_order") == cudaSuccess);
  CHECK(static_cast<const void *>(kernel) != swarmgrad_test_order_handle);
  REQUIRE(device.launch(kernel, 2, 64) == cudaSuccess);
  CHECK(device.read(device.probe.out, 128)[127] == 127);
  CHECK(swarmgrad_emulation_inventory().libraries == 1);
  CHECK(cudaLibraryUnload(library) == cudaSuccess);
  CHECK(cudaLibraryUnload(library) == cudaErrorInvalidResourceHandle);
}

TEST_CASE("calls fail where a test wants them to") {
  Device device;
  void *memory[3] = {};
  swarmgrad_emulation_set("fail", "cudaMalloc:2,cudaLaunchKernel:2");
  CHECK(cudaMalloc(&memory[0], 100) == cudaSuccess);
  CHECK(cudaMalloc(&memory[1], 100) == cudaErrorMemoryAllocation);
  CHECK(cudaGetLastError() == cudaErrorMemoryAllocation);
  CHECK(cudaGetLastError() == cudaSuccess);
  CHECK(cudaMalloc(&memory[2], 100) == cudaSuccess);
  CHECK(device.launch(swarmgrad_test_order_handle, 1, 32) == cudaSuccess);
  CHECK(device.launch(swarmgrad_test_order_handle, 1, 32) == cudaErrorLaunchOutOfResources);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
  for (void *address : memory) CHECK(cudaFree(address) == cudaSuccess);

  swarmgrad_emulation_set("fail", "kernel:2");
  for (int launch = 0; launch < 3; ++launch) CHECK(device.launch(swarmgrad_test_order_handle, 1, 32) == cudaSuccess);
  CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
  swarmgrad_emulation_reset();
  swarmgrad_emulation_set("fail", "device:1");
  CHECK(device.launch(swarmgrad_test_order_handle, 1, 32) == cudaSuccess);
  CHECK(cudaDeviceSynchronize() == cudaErrorDevicesUnavailable);
  CHECK(cudaMalloc(&memory[0], 100) == cudaErrorDevicesUnavailable);
  CHECK(device.launch(swarmgrad_test_order_handle, 1, 32) == cudaErrorDevicesUnavailable);
}

TEST_CASE("a device with little memory, an old driver, no driver, no device") {
  Device device;
  size_t free, total;
  void *memory;
  swarmgrad_emulation_set("memory", "10000");
  CHECK(cudaMalloc(&memory, 6000) == cudaErrorMemoryAllocation);
  CHECK(cudaMalloc(&memory, 5000) == cudaSuccess);
  CHECK(cudaMemGetInfo(&free, &total) == cudaSuccess);
  CHECK(total == 10000);
  CHECK(free == 10000 - 5000 - 1024 * 4 - 6 * 4 - 4 - 8 - 8);
  CHECK(cudaFree(memory) == cudaSuccess);

  int count = -1, version = -1;
  swarmgrad_emulation_set("driver", "12040");
  CHECK(cudaGetDeviceCount(&count) == cudaErrorInsufficientDriver);
  CHECK(count == 0);
  CHECK(cudaDriverGetVersion(&version) == cudaSuccess);
  CHECK(version == 12040);
  swarmgrad_emulation_reset();
  swarmgrad_emulation_set("devices", "0");
  CHECK(cudaGetDeviceCount(&count) == cudaErrorNoDevice);
  CHECK(cudaSetDevice(0) == cudaErrorNoDevice);
  CHECK(std::string(cudaGetErrorName(cudaErrorNoDevice)) == "cudaErrorNoDevice");
  swarmgrad_emulation_reset();
  CHECK(cudaGetDeviceCount(&count) == cudaSuccess);
  CHECK(count == 1);
  CHECK(cudaSetDevice(1) == cudaErrorInvalidDevice);
}

TEST_CASE("copies that leave their memory or mistake its side are refused") {
  Device device;
  int32_t host[4] = {};
  CHECK(cudaMemcpy(device.probe.counter + 5, host, 8, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(cudaMemcpy(host, device.probe.counter, 8, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(cudaMemset(device.probe.counter, 0, 25) == cudaErrorInvalidValue);
  CHECK(cudaMemcpy(host, device.probe.counter, 16, cudaMemcpyDeviceToHost) == cudaSuccess);
  CHECK(cudaFree(host) == cudaErrorInvalidValue);
}

TEST_CASE("two threads of the host may use the device") {
  Device device;
  const auto work = [&](int *result) {
    cudaStream_t stream;
    *result = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    for (int turn = 0; turn < 20; ++turn) {
      *result |= device.launch(swarmgrad_test_atomics_handle, 1, 8, 0, stream);
      size_t free, total;
      *result |= cudaMemGetInfo(&free, &total);
      *result |= cudaStreamSynchronize(stream);
    }
    *result |= cudaStreamDestroy(stream);
  };
  int results[2];
  std::thread other(work, &results[1]);
  work(&results[0]);
  other.join();
  CHECK(results[0] == 0);
  CHECK(results[1] == 0);
  CHECK(device.read(device.probe.counter, 1)[0] == 2 * 20 * 8);
}

// The checks' own check: right in the order in which one thinks, wrong in another. The thread sanitizer, which needs no
// other order, would end the test: it has planted_barrier.
#if defined(__SANITIZE_THREAD__)
constexpr bool speaks_up = true;
#else
constexpr bool speaks_up = false;
#endif

TEST_CASE("a barrier that was removed gives wrong numbers in some order" * doctest::skip(speaks_up)) {
  const auto wrong = [](const char *order, int sound) {
    Device device(order);
    Planted planted = {};
    device.make(planted.out, 192);
    planted.sound = sound;
    void *arguments[] = {&planted};
    REQUIRE(cudaLaunchKernel(swarmgrad_planted_barrier_handle, 3, 64, arguments, 0, nullptr) == cudaSuccess);
    const std::vector<float> out = device.read(planted.out, 192);
    int count = 0;
    for (int thread = 0; thread < 192; ++thread) {
      const int k = thread % 64;
      count += !(out[thread] == static_cast<float>(k * (k + 1) / 2));
    }
    return count;
  };
  CHECK(wrong("forward", 0) == 0);
  for (const char *order : orders) {
    CAPTURE(order);
    CHECK(wrong(order, 1) == 0);
    if (std::string(order) != "forward") CHECK(wrong(order, 0) > 0);
  }
}
