// Lets each named call of the CUDA runtime fail once, at its first, second, third time and so on, in a process of its own: the
// error must name the call, device memory must come back, the failed engine must close and the next one work. For any runtime
// that reads an environment variable holding CALL:NUMBER; under emulation host_path_test asks more.
//
// Usage: failing_calls LIBRARY VARIABLE CALL...
#define DOCTEST_CONFIG_IMPLEMENT
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "tests/engine_fixture.h"

namespace {

struct Functions {
  decltype(&swarmgrad_create) create;
  decltype(&swarmgrad_destroy) destroy;
  decltype(&swarmgrad_train) train;
  decltype(&swarmgrad_evaluate) evaluate;
  decltype(&swarmgrad_device) device;
  decltype(&swarmgrad_last_error) last_error;

  explicit Functions(const char *path) {
    void *const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(dlerror());
    const auto find = [&](auto &function, const char *name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      if (function == nullptr) throw std::runtime_error(dlerror());
    };
    find(create, "swarmgrad_create");
    find(destroy, "swarmgrad_destroy");
    find(train, "swarmgrad_train");
    find(evaluate, "swarmgrad_evaluate");
    find(device, "swarmgrad_device");
    find(last_error, "swarmgrad_last_error");
  }
};

enum Outcome { passed, failed_well, failed_badly };

int64_t free_memory(const Functions &functions) {
  swarmgrad_device_info info = {};
  info.size = sizeof info;
  if (functions.device(0, &info) != SWARMGRAD_OK) throw std::runtime_error(functions.last_error());
  return info.free_memory_bytes;
}

// An engine's life; the error that ended it, or "".
std::string live(const Functions &functions) {
  swarmgrad_tests::Setup setup;
  setup.hidden = {};
  setup.environments = 17;
  setup.horizon = 2;
  const swarmgrad_tests::Configuration configuration(setup);
  swarmgrad_engine *engine = nullptr;
  std::string error;
  const swarmgrad_rates rates[] = {{0.1, 0, 0}, {0.1, 0, 0}};
  const int32_t sampled = SWARMGRAD_ACT_SAMPLED;
  swarmgrad_statistics statistics = {};
  if (functions.create(&configuration.config, &engine) != SWARMGRAD_OK ||
      functions.train(engine, 2, rates, nullptr) != SWARMGRAD_OK ||
      functions.evaluate(engine, 0, 16, &sampled, &statistics) != SWARMGRAD_OK)
    error = functions.last_error();
  if (functions.destroy(engine) != SWARMGRAD_OK) throw std::runtime_error("the engine does not close");
  return error;
}

Outcome try_once(const Functions &functions, const std::string &call) {
  const int64_t before = free_memory(functions);
  const std::string error = live(functions);
  if (error.empty()) return passed;
  const auto complain = [&](const char *what) {
    std::printf("%s: %s\n", what, error.c_str());
    return failed_badly;
  };
  if (error.find(call) != 0 || error.find(" answered ") == std::string::npos) return complain("not the call's error");
  if (free_memory(functions) != before) return complain("device memory is lost after");
  if (const std::string next = live(functions); !next.empty()) {
    std::printf("the next engine does not work: %s\n", next.c_str());
    return complain("after");
  }
  return failed_well;
}

}  // namespace

int main(int count, char **arguments) {
  if (count < 4) {
    std::fprintf(stderr, "usage: failing_calls LIBRARY VARIABLE CALL...\n");
    return 2;
  }
  int failures = 0;
  for (int k = 3; k < count; ++k) {
    const std::string call = arguments[k];
    for (int number = 1;; ++number) {
      std::fflush(stdout);
      const pid_t child = fork();
      if (child == 0) {
        // Before the runtime is loaded: some read it only then.
        setenv(arguments[2], (call + ":" + std::to_string(number)).c_str(), 1);
        Outcome outcome = failed_badly;
        try {
          outcome = try_once(Functions(arguments[1]), call);
        } catch (const std::exception &exception) {
          std::printf("%s\n", exception.what());
        }
        std::fflush(stdout);
        _exit(outcome);
      }
      int status = 0;
      if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) >= failed_badly) {
        std::printf("%s, the %d. time: badly\n", call.c_str(), number);
        return 1;
      }
      if (WEXITSTATUS(status) == failed_well) {
        ++failures;
        continue;
      }
      if (number == 1) {
        std::printf("%s does not fail: VARIABLE is not what the runtime reads, or the call is not made\n",
                    call.c_str());
        return 1;
      }
      break;
    }
  }
  std::printf("%d failures, each with its error, without a leak, and the next engine works\n", failures);
  return 0;
}
