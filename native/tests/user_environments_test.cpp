// Users' environments, loaded as libraries: the bits of the catalogue, errors with a place, and refusals at the border.
#include "engine_fixture.h"

using namespace swarmgrad_tests;

namespace {

std::string library(const char *name) { return std::string(SWARMGRAD_USER_ENVIRONMENTS "/lib") + name + ".so"; }

int32_t load(const char *name) {
  int32_t index = -1;
  require_ok(swarmgrad_load_environment(library(name).c_str(), &index));
  return index;
}

void refuses(const std::string &path, const std::string &text) {
  int32_t index = -1;
  const int32_t before = swarmgrad_environment_count();
  CHECK(swarmgrad_load_environment(path.c_str(), &index) == SWARMGRAD_INVALID_ARGUMENT);
  CHECK_MESSAGE(std::string(swarmgrad_last_error()).find(text) != std::string::npos, swarmgrad_last_error());
  CHECK(swarmgrad_environment_count() == before);
}

Setup faulty(double mistake) {
  Setup setup;
  setup.environment = "faulty";
  setup.parameters = {{"mistake", mistake}};
  setup.environments = 20;
  setup.hidden = {4};
  return setup;
}

}  // namespace

TEST_CASE("an environment loaded twice is one entry of the catalogue") {
  const int32_t before = swarmgrad_environment_count();
  const int32_t index = load("copy");
  CHECK(index >= before - 1);
  CHECK(load("copy") == index);
  swarmgrad_environment_info info = {};
  info.size = sizeof info;
  require_ok(swarmgrad_environment(index, &info));
  CHECK(info.id == std::string("copy"));
}

TEST_CASE("a user's environment computes the bits of the catalogue's") {
  load("copy");
  for (const int isa : {SWARMGRAD_ISA_AVX2, SWARMGRAD_ISA_AVX512, SWARMGRAD_ISA_NEON}) {
    if (swarmgrad_isa_available(isa) == 0) continue;
    Setup setup;
    setup.environments = 33;
    setup.isa = isa;
    setup.environment = "CartPole-v1";
    Engine expected(setup);
    setup.environment = "copy";
    Engine found(setup);
    expected.train(3);
    found.train(3);
    CHECK(same_bits(found.parameters(), expected.parameters()));
  }
}

TEST_CASE("mistakes are named with their place, and harm nothing else") {
  load("faulty");
  struct Case {
    double mistake;
    const char *text;
  };
  for (
      const Case &each : std::initializer_list<Case>{
          {1, "faulty, iteration 0, environment 0, step 0: resolve() uses index 4 of value; allowed: 0 to 3"},
          {2, "faulty, iteration 0, environment 0, step 0: resolve() uses index -1 of value; allowed: 0 to 3"},
          {3, "faulty, iteration 0, environment 0, step 0: resolve() uses index 4 of count; allowed: 0 to 3"},
          {4, "step 0: observe(agent 2) uses index 3 of the observation; allowed: 0 to 2"},
          {5, "agent 3, step 0, feature 2: the observation is not finite, or was not written"},
          {6, "agent 1, step 3, feature 1: the observation is not finite"},
          {7, "agent 2, step 2: the reward is not finite"},
          {8, "step 0: available(agent 3) uses index 2 of the actions; allowed: 0 to 1"},
          {9, "agent 1, step 0: the logits are not finite, or no action is available"},
          {10, "agent 2, step 0, feature 0: the observation is not finite, or was not written"},
          {15,
           "at its start: reset() uses index 0 of an array that neither state(), chance() nor scratch() visits; allowed: "
           "none"}}) {
    CAPTURE(each.mistake);
    for (const bool normalises : {false, true}) {
      Setup setup = faulty(each.mistake);
      setup.normalises = normalises;
      Engine engine(setup);
      const swarmgrad_rates rates = engine.rates_of(0.01);
      CHECK(swarmgrad_train(engine.handle(), 1, &rates, nullptr) != SWARMGRAD_OK);
      CHECK_MESSAGE(std::string(swarmgrad_last_error()).find(each.text) != std::string::npos, swarmgrad_last_error());
    }
  }
  Engine engine(faulty(0));
  engine.train(2);
}

TEST_CASE("shapes that make no sense are refused with the parameters that make them") {
  load("faulty");
  const auto refused = [](double mistake, const char *text) {
    swarmgrad_simulator *simulator = nullptr;
    const swarmgrad_value value = {"mistake", mistake};
    CHECK(swarmgrad_simulator_create("faulty", &value, 1, 1, SWARMGRAD_ISA_AUTO, &simulator) ==
          SWARMGRAD_INVALID_ARGUMENT);
    CHECK_MESSAGE(std::string(swarmgrad_last_error()).find(text) != std::string::npos, swarmgrad_last_error());
  };
  refused(11, "environment faulty: group first has agents -1; allowed: 1 to");
  refused(12, "environment faulty: group first has observation_size 0; allowed: 1 to");
  refused(13, "environment faulty: two are called group 'first'");
  refused(14, "environment faulty: array spare has -1 rows and 1 columns; allowed:");
}

TEST_CASE("libraries that are no environments, or not of this process, are refused") {
  refuses("/does/not/exist.so", "cannot be loaded");
  refuses("", "library is ''; allowed: a path");
  refuses(library("malformed"), "two are called parameter 'size'");
  refuses(library("taken"), "the id 'CartPole-v1' is that of another environment of this process");
}

TEST_CASE("the heartbeat moves with the steps") {
  load("faulty");
  Engine engine(faulty(0));
  int64_t before = -1, after = -1, iteration = -1;
  require_ok(swarmgrad_heartbeat(engine.handle(), &before, &iteration));
  engine.train(3);
  require_ok(swarmgrad_heartbeat(engine.handle(), &after, &iteration));
  // Two cohorts, six steps and at least one segment a group, three times.
  CHECK(after - before >= 3 * 2 * (6 + 2));
  CHECK(iteration == 2);
}
