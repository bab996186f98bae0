// The CUDA engine's host side where things go wrong: every call of the runtime fails once, the device is lost, memory is
// short, drivers are old or missing. Errors name call, code and remedy, nothing leaks, and whatever can go on does. Runs
// under emulation, whose runtime fails on demand and counts what is alive.
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>

#include "cuda/emulation/control.h"
#include "tests/engine_fixture.h"

using namespace swarmgrad_tests;

namespace {

// Two waves, so that there is something between them.
Setup small_setup() {
  Setup setup;
  setup.hidden = {4};
  setup.environments = 33;
  setup.horizon = 3;
  setup.baseline = SWARMGRAD_LEARNED_VALUE;
  setup.value_hidden = {3};
  setup.normalises = setup.bootstraps = true;
  setup.scale = SWARMGRAD_SCALE_RUNNING_DEVIATION;
  setup.stored_bytes = 1;
  return setup;
}

struct Emulation {
  Emulation() {
    swarmgrad_emulation_reset();
    set("multiprocessors", "2");
  }
  ~Emulation() { swarmgrad_emulation_reset(); }
  Emulation(const Emulation &) = delete;
  Emulation &operator=(const Emulation &) = delete;
  void set(const char *name, const std::string &value) const { swarmgrad_emulation_set(name, value.c_str()); }
};

// What an engine holds of the runtime.
std::vector<unsigned long long> alive() {
  const swarmgrad_emulation_usage usage = swarmgrad_emulation_inventory();
  return {usage.allocations, usage.bytes, usage.streams, usage.events, usage.graphs, usage.libraries};
}

struct Answer {
  swarmgrad_status status = SWARMGRAD_OK;
  std::string text;
};
Answer answer_of(swarmgrad_status status) { return {status, swarmgrad_last_error()}; }

void check_text(const Answer &answer, const std::vector<std::string> &wanted) {
  CAPTURE(answer.text);
  for (const std::string &part : wanted) {
    CAPTURE(part);
    CHECK(answer.text.find(part) != std::string::npos);
  }
}

// Every function that uses the device, with an engine of small_setup().
struct Calls {
  explicit Calls(const Recording &given) : recording(given) {
    const swarmgrad_batch whole = recording.groups[0].given(0);
    batch = whole;
    rewards.size = sizeof rewards;
    rewards.environments = batch.environments;
    rewards.steps = batch.steps;
    rewards.reward = recording.groups[0].reward.data();
    weight.resize(recording.groups[0].reward.size());
    rewards.weight = weight.data();
    rewards.value = recording.groups[0].value.data();
    value_error.resize(recording.groups[0].value_error.size());
    rewards.value_error = value_error.data();
    rows.size = sizeof rows;
    rows.action_count = 5;
    rows.rows = 3;
    rows.logit = logit;
    rows.entropy = entropy;
    trajectory.size = sizeof trajectory;
    trajectory.observation = recording.groups[0].observation.data();
    trajectory.value = recording.groups[0].value.data();
    trajectory.value_error = recording.groups[0].value_error.data();
    gradient.resize(recording.gradient.size());
  }
  std::vector<std::pair<const char *, std::function<swarmgrad_status(swarmgrad_engine *)>>> all() {
    return {
        {"gradient", [this](auto *e) { return swarmgrad_gradient(e, gradient.data(), statistics); }},
        {"step", [this](auto *e) { return swarmgrad_step(e, gradient.data(), rates); }},
        {"train", [this](auto *e) { return swarmgrad_train(e, 2, rates, statistics); }},
        {"record", [this](auto *e) { return swarmgrad_record(e, &trajectory, nullptr, nullptr); }},
        {"evaluate", [this](auto *e) { return swarmgrad_evaluate(e, 0, 40, &sampled, statistics); }},
        {"read",
         [this](auto *e) { return swarmgrad_read(e, 0, gradient.data(), static_cast<int64_t>(gradient.size())); }},
        {"write",
         [this](auto *e) { return swarmgrad_write(e, 0, gradient.data(), static_cast<int64_t>(gradient.size())); }},
        {"forward", [this](auto *e) { return swarmgrad_forward(e, 0, 3, batch.observation, nullptr, hidden); }},
        {"logits", [this](auto *e) { return swarmgrad_logits(e, &rows); }},
        {"weights", [this](auto *e) { return swarmgrad_weights(e, &rewards); }},
        {"gradient_of", [this](auto *e) { return swarmgrad_gradient_of(e, &batch, gradient.data()); }},
        {"fma_peak", [this](auto *e) { return swarmgrad_fma_peak(e, &peak); }},
    };
  }

  Recording recording;
  swarmgrad_batch batch = {};
  swarmgrad_rewards rewards = {};
  swarmgrad_logit_rows rows = {};
  swarmgrad_trajectories trajectory = {};
  swarmgrad_statistics statistics[2] = {};
  std::vector<float> gradient, weight, value_error;
  const int32_t sampled = SWARMGRAD_ACT_SAMPLED;
  swarmgrad_rates rates[2] = {{0.1, 0.1, 0}, {0.1, 0.1, 0}};
  double peak = 0;
  float logit[15] = {}, entropy[3] = {}, hidden[15] = {};
};

// The checkpoint of an undisturbed engine after so many iterations of training.
const Snapshot &expected_after(int64_t iterations) {
  static std::vector<Snapshot> snapshots;
  while (static_cast<int64_t>(snapshots.size()) <= iterations) {
    Engine engine(small_setup());
    engine.train(static_cast<int>(snapshots.size()), 0.1);
    snapshots.push_back(engine.checkpoint());
  }
  return snapshots[static_cast<size_t>(iterations)];
}

Snapshot checkpoint_of(swarmgrad_engine *engine) {
  swarmgrad_info info = {};
  info.size = sizeof info;
  require_ok(swarmgrad_get_info(engine, &info));
  Snapshot snapshot;
  for (int k = 0; k < info.buffer_count; ++k) {
    swarmgrad_buffer_info buffer = {};
    buffer.size = sizeof buffer;
    require_ok(swarmgrad_buffer(engine, k, &buffer));
    if (buffer.checkpointed == 0) continue;
    std::vector<char> bytes(static_cast<size_t>(buffer.count) * (buffer.type == SWARMGRAD_F32 ? 4 : 8));
    require_ok(swarmgrad_read(engine, k, bytes.data(), buffer.count));
    snapshot.emplace_back(buffer.name, bytes);
  }
  return snapshot;
}

int64_t iteration_of(const Snapshot &snapshot) {
  for (const auto &[name, bytes] : snapshot)
    if (name == "iteration") {
      int64_t value = 0;
      std::memcpy(&value, bytes.data(), sizeof value);
      return value;
    }
  return -1;
}

// A new engine is as good as one before anything failed.
void check_next_engine() {
  Engine engine(small_setup());
  engine.train(2, 0.1);
  CHECK(engine.checkpoint() == expected_after(2));
}

}  // namespace

TEST_CASE("whichever call fails while an engine is made, nothing leaks and the next engine works") {
  const Emulation emulation;
  const Setup setup = small_setup();
  const Configuration configuration(setup);
  expected_after(2);
  const std::vector<unsigned long long> before = alive();
  int failures = 0;
  for (const std::string call :
       {"cudaGetDeviceCount", "cudaSetDevice", "cudaGetDeviceProperties", "cudaStreamCreateWithFlags",
        "cudaEventCreateWithFlags", "cudaMemGetInfo", "cudaFuncGetAttributes", "cudaFuncSetAttribute",
        "cudaOccupancyMaxActiveBlocksPerMultiprocessor", "cudaMalloc", "cudaHostAlloc", "cudaMemcpyAsync",
        "cudaMemsetAsync", "cudaStreamSynchronize", "cudaStreamBeginCapture", "cudaLaunchKernel",
        "cudaStreamEndCapture", "cudaGraphInstantiate", "cudaGraphUpload"}) {
    CAPTURE(call);
    int number = 1;
    for (;; ++number) {
      CAPTURE(number);
      emulation.set("fail", call + ":" + std::to_string(number));
      swarmgrad_engine *engine = nullptr;
      const Answer answer = answer_of(swarmgrad_create(&configuration.config, &engine));
      emulation.set("fail", "");
      if (answer.status == SWARMGRAD_OK) {
        CHECK(swarmgrad_destroy(engine) == SWARMGRAD_OK);
        CHECK(alive() == before);
        break;
      }
      ++failures;
      CHECK(engine == nullptr);
      check_text(answer, {call, " answered ", ", cudaError", "engine"});
      const bool wants_memory =
          answer.text.find("cudaErrorMemoryAllocation, out of memory: fewer") != std::string::npos;
      CHECK(answer.status == (wants_memory ? SWARMGRAD_OUT_OF_MEMORY : SWARMGRAD_INTERNAL));
      CHECK((wants_memory || call.find("lloc") == std::string::npos));
      CHECK(alive() == before);
    }
    CHECK(number > 1);  // the call is made at all
    check_next_engine();
  }
  MESSAGE(failures << " failures while an engine is made");
}

TEST_CASE("whichever call fails in an open engine, it goes on from its last complete iteration") {
  const Emulation emulation;
  const Setup setup = small_setup();
  Calls calls(Engine(setup).record());
  const std::vector<unsigned long long> before = alive();
  const Configuration configuration(setup);
  int failures = 0;
  std::map<std::string, int> failures_of;
  for (const std::string call :
       {"cudaSetDevice", "cudaMemcpyAsync", "cudaMemsetAsync", "cudaLaunchKernel", "cudaGraphLaunch",
        "cudaStreamSynchronize", "cudaEventRecord", "cudaEventSynchronize", "cudaEventElapsedTime"})
    for (const auto &[called, use] : calls.all()) {
      const std::string name = called;
      CAPTURE(call);
      CAPTURE(name);
      for (int number = 1;; ++number) {
        CAPTURE(number);
        swarmgrad_engine *engine = nullptr;
        require_ok(swarmgrad_create(&configuration.config, &engine));
        require_ok(swarmgrad_train(engine, 1, calls.rates, nullptr));
        if (name == "step" || name == "write") require_ok(swarmgrad_gradient(engine, calls.gradient.data(), nullptr));
        emulation.set("fail", call + ":" + std::to_string(number));
        const Answer answer = answer_of(use(engine));
        emulation.set("fail", "");
        if (answer.status != SWARMGRAD_OK) {
          ++failures;
          ++failures_of[call];
          CHECK(answer.status == SWARMGRAD_INTERNAL);
          check_text(answer, {call, " answered ", ", cudaError", "engine"});
          if (name != "write") {
            const Snapshot found = checkpoint_of(engine);
            const int64_t iteration = iteration_of(found);
            CHECK(iteration >= 1);
            CHECK(found == expected_after(iteration));
            require_ok(swarmgrad_train(engine, 1, calls.rates, nullptr));
            CHECK(checkpoint_of(engine) == expected_after(iteration + 1));
          }
        }
        CHECK(swarmgrad_destroy(engine) == SWARMGRAD_OK);
        CHECK(alive() == before);
        if (answer.status == SWARMGRAD_OK) break;
      }
    }
  for (const auto &[call, count] : failures_of) CHECK(count > 0);
  MESSAGE(failures << " failures in open engines, of " << failures_of.size() << " functions");
}

TEST_CASE("a kernel that fails, or a device that is lost, ends the engine and not the process") {
  const Emulation emulation;
  const Setup setup = small_setup();
  Calls calls(Engine(setup).record());
  const std::vector<unsigned long long> before = alive();
  const Configuration configuration(setup);
  int failures = 0;
  for (const std::string what : {"kernel", "device"})
    for (const auto &[called, use] : calls.all())
      for (int number = 1;; ++number) {
        CAPTURE(what);
        CAPTURE(number);
        swarmgrad_engine *engine = nullptr, *other = nullptr;
        require_ok(swarmgrad_create(&configuration.config, &engine));
        require_ok(swarmgrad_create(&configuration.config, &other));
        require_ok(swarmgrad_gradient(engine, nullptr, nullptr));
        const std::string name = called;
        CAPTURE(name);
        emulation.set("fail", what + ":" + std::to_string(number));
        const Answer answer = answer_of(use(engine));
        emulation.set("fail", "");
        if (answer.status != SWARMGRAD_OK) {
          ++failures;
          CHECK(answer.status == SWARMGRAD_INTERNAL);
          // Found by the first call that waited for it.
          check_text(answer, {" answered ", "the device is lost to this process", "checkpoint"});
          for (const auto &[later_name, later] : calls.all()) {
            CAPTURE(std::string(later_name));
            const Answer again = answer_of(later(engine));
            CHECK(again.status == SWARMGRAD_INTERNAL);
            check_text(again, {"an earlier call lost the device, close the engine: ", answer.text});
          }
          // The others of the device learn of it by themselves, and so does a new one while they are open.
          CHECK(swarmgrad_gradient(other, nullptr, nullptr) == SWARMGRAD_INTERNAL);
          swarmgrad_engine *early = nullptr;
          CHECK(swarmgrad_create(&configuration.config, &early) != SWARMGRAD_OK);
          CHECK(early == nullptr);
        }
        CHECK(swarmgrad_destroy(engine) == SWARMGRAD_OK);
        CHECK(swarmgrad_destroy(other) == SWARMGRAD_OK);
        CHECK(alive() == before);
        if (answer.status == SWARMGRAD_OK) break;
        // Once all are closed the device is reset, as far as this process is concerned.
        check_next_engine();
      }
  MESSAGE(failures << " losses of the device");
}

TEST_CASE("no driver, an old one, no device, another device") {
  const Emulation emulation;
  const Setup setup = small_setup();
  const auto expect = [&](swarmgrad_status status, const std::vector<std::string> &wanted) {
    const Configuration configuration(setup);
    swarmgrad_engine *engine = nullptr;
    const Answer answer = answer_of(swarmgrad_create(&configuration.config, &engine));
    CHECK(answer.status == status);
    CHECK(engine == nullptr);
    check_text(answer, wanted);
    int32_t count = -1;
    const Answer counted = answer_of(swarmgrad_device_count(&count));
    CHECK(counted.status == status);
    CHECK(count == 0);
    check_text(counted, wanted);
  };
  emulation.set("driver", "0");
  expect(SWARMGRAD_UNSUPPORTED, {"cudaGetDeviceCount answered 35, cudaErrorInsufficientDriver",
                                 "no NVIDIA driver is installed", "install a driver", "choose the CPU engine"});
  emulation.set("driver", "12040");
  expect(SWARMGRAD_UNSUPPORTED,
         {"cudaGetDeviceCount answered 35, cudaErrorInsufficientDriver",
          "the NVIDIA driver supports CUDA 12.4 and this library needs 13.0", "choose the CPU engine"});
  emulation.set("driver", "13000");
  emulation.set("devices", "0");
  expect(SWARMGRAD_UNSUPPORTED,
         {"cudaGetDeviceCount answered 100, cudaErrorNoDevice", "CUDA_VISIBLE_DEVICES", "nvidia-smi"});
  emulation.set("devices", "1");

  Configuration configuration(setup);
  for (const int device : {-1, 1}) {
    configuration.config.device = device;
    swarmgrad_engine *engine = nullptr;
    const Answer answer = answer_of(swarmgrad_create(&configuration.config, &engine));
    CHECK(answer.status == SWARMGRAD_INVALID_ARGUMENT);
    check_text(answer, {"device is " + std::to_string(device), "allowed: 0 to 0"});
  }
  check_next_engine();
}

TEST_CASE("a configuration larger than the device says how much it needs, before anything is taken") {
  const Emulation emulation;
  Setup setup = small_setup();
  setup.hidden = {1024, 1024};
  const std::vector<unsigned long long> before = alive();
  emulation.set("memory", "10000000");
  const Configuration configuration(setup);
  emulation.set("fail", "cudaMalloc:1");
  swarmgrad_engine *engine = nullptr;
  const Answer answer = answer_of(swarmgrad_create(&configuration.config, &engine));
  CHECK(answer.status == SWARMGRAD_OUT_OF_MEMORY);
  check_text(answer, {"the configuration needs ", " bytes, this device (", ") has 10000000 of its 10000000 free",
                      "fewer environments, a shorter horizon or a smaller policy"});
  CHECK(alive() == before);
}

TEST_CASE("waves of any size give the same bits, and use what the budget leaves") {
  const Emulation emulation;
  Setup setup = small_setup();
  setup.environments = 100;
  int64_t bytes = 0;
  Snapshot expected;
  for (const int64_t budget : {int64_t{0}, int64_t{1}, int64_t{60000}, int64_t{100000}}) {
    CAPTURE(budget);
    setup.stored_bytes = budget;
    Engine engine(setup);
    CHECK((budget == 0 || engine.info().bytes_total < bytes));
    if (budget == 0) bytes = engine.info().bytes_total;
    std::vector<swarmgrad_statistics> statistics(3);
    const std::vector<swarmgrad_rates> rates(3, engine.rates_of(0.1));
    require_ok(swarmgrad_train(engine.handle(), 3, rates.data(), statistics.data()));
    if (budget == 0) expected = engine.checkpoint();
    CHECK(engine.checkpoint() == expected);
  }
}

TEST_CASE("the first faulty environment is found in whichever wave it plays") {
  const Emulation emulation;
  Setup setup = small_setup();
  setup.hidden = {};
  setup.environments = 100;
  setup.scale = SWARMGRAD_SCALE_NONE;
  int late = 0;
  // A logit overflows where an observation is large enough: the smaller the weight, the later the first such episode.
  for (double weight = 3.3e38; weight > 1.2e38; weight *= 0.97) {
    CAPTURE(weight);
    std::vector<std::string> texts;
    for (const int64_t budget : {0, 1, 60000}) {
      setup.stored_bytes = budget;
      Engine engine(setup);
      std::vector<float> parameters(engine.parameters().size());
      parameters[4] = static_cast<float>(weight);  // of the first action on the first landmark
      engine.write("parameters", parameters);
      const swarmgrad_status status = swarmgrad_gradient(engine.handle(), nullptr, nullptr);
      texts.push_back(status == SWARMGRAD_OK ? "" : swarmgrad_last_error());
      // And the next call finds nothing left of it.
      engine.write("parameters", std::vector<float>(parameters.size()));
      require_ok(swarmgrad_gradient(engine.handle(), nullptr, nullptr));
    }
    CAPTURE(texts[0]);
    CHECK(texts[1] == texts[0]);
    CHECK(texts[2] == texts[0]);
    const size_t at = texts[0].find("environment ");
    if (at != std::string::npos && std::atoi(texts[0].c_str() + at + 12) >= 16) ++late;
  }
  CHECK(late > 0);
}

TEST_CASE("a user's environment runs with the code that was given for it, and says what it lacks") {
  const Emulation emulation;
  const auto load_code = [](int32_t index, const char *path) {
    std::ifstream file(path, std::ios::binary);
    const std::string code{std::istreambuf_iterator<char>(file), {}};
    return answer_of(swarmgrad_load_device_code(index, code.data(), code.size()));
  };
  int32_t index = -1;
  require_ok(swarmgrad_load_environment(SWARMGRAD_COPY_LIBRARY, &index));
  Setup setup = small_setup();
  setup.environment = "copy";
  const Configuration configuration(setup);
  const std::vector<unsigned long long> before = alive();
  swarmgrad_engine *engine = nullptr;
  Answer answer = answer_of(swarmgrad_create(&configuration.config, &engine));
  CHECK(answer.status == SWARMGRAD_UNSUPPORTED);
  check_text(answer, {"environment copy has no code", "swarmgrad_load_device_code"});

  answer = load_code(0, SWARMGRAD_COPY_CODE);
  CHECK(answer.status == SWARMGRAD_INVALID_ARGUMENT);
  check_text(answer, {"environment is 0, whose code this library has"});

  for (const char *call : {"cudaLibraryLoadData", "cudaLibraryGetKernel"}) {
    REQUIRE(load_code(index, SWARMGRAD_COPY_CODE).status == SWARMGRAD_OK);
    emulation.set("fail", std::string(call) + ":1");
    answer = answer_of(swarmgrad_create(&configuration.config, &engine));
    emulation.set("fail", "");
    CHECK(answer.status != SWARMGRAD_OK);
    check_text(answer, {call, " answered "});
    CHECK(alive() == before);
  }
  {
    Engine copy(setup);
    setup.environment = "CartPole-v1";
    Engine original(setup);
    copy.train(3);
    original.train(3);
    CHECK(copy.checkpoint() == original.checkpoint());
  }
  CHECK(alive() == before);
}

TEST_CASE("callbacks run on the CPU engine, and say so") {
  const Emulation emulation;
  swarmgrad_group group = {};
  group.size = sizeof group;
  group.agent_count = group.observation_size = 1;
  group.action_count = 2;
  group.name = "agent";
  const auto nothing = [](void *, swarmgrad_cohort *) { return 0; };
  const swarmgrad_callbacks callbacks = {sizeof callbacks, 1, 5, 0, &group, nullptr, nothing, nothing};
  Setup setup;
  setup.environment = "mine";
  setup.callbacks = &callbacks;
  const Configuration configuration(setup);
  swarmgrad_engine *engine = nullptr;
  const Answer answer = answer_of(swarmgrad_create(&configuration.config, &engine));
  CHECK(answer.status == SWARMGRAD_UNSUPPORTED);
  check_text(answer, {"mine", "callbacks", "CPU engine"});
}

TEST_CASE("a long training is launched without waiting for each iteration") {
  const Emulation emulation;
  Engine engine(small_setup());
  const swarmgrad_emulation_usage before = swarmgrad_emulation_inventory();
  engine.train(60, 0.01);
  const swarmgrad_emulation_usage after = swarmgrad_emulation_inventory();
  CHECK(after.graph_launches - before.graph_launches == 60);
  CHECK(after.synchronizations - before.synchronizations == 1);
}
