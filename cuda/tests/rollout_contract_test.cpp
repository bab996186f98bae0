// The rollout kernel of an environment that uses the whole contract: groups, masks, death, a joint rule with chance, early
// ends. The environment is in no shipped catalogue: this executable has a catalogue of its own.
#include "cuda/tests/rollout_fixture.h"

using namespace swarmgrad_tests;

namespace {

Setup contract_setup() {
  Setup setup;
  setup.environment = "contract";
  setup.hidden = {9};
  setup.environments = 35;
  return setup;
}

}  // namespace

TEST_CASE("groups, masks, death, chance and early ends give the CPU engine's bits") {
  Setup setup = contract_setup();
  check_same_episodes(setup, shapes);
  setup.parameters = {{"end_probability", 0.2}, {"energy", 1}};
  setup.agent_index = true;
  check_same_episodes(setup, shapes);
}

TEST_CASE("episodes end where their rules break down, the others play on") {
  for (const double crowd_limit : {2, 3}) {
    CAPTURE(crowd_limit);
    Setup setup = contract_setup();
    setup.parameters = {{"crowd_limit", crowd_limit}, {"energy", 1000}};
    Engine engine(setup);
    engine.scramble_parameters();
    std::vector<float> gradient(static_cast<size_t>(engine.info().parameter_count));
    REQUIRE(swarmgrad_gradient(engine.handle(), gradient.data(), nullptr) == SWARMGRAD_ENVIRONMENT_FAILED);
    const std::string text = swarmgrad_last_error();
    DeviceRollout device(setup, engine.parameters(), swarmgrad::Stream::training, SWARMGRAD_ACT_SAMPLED);
    for (const Shape &shape : shapes) {
      device.play(shape);
      check_same_fault(device, text);
      CHECK(device.length(device.reported_episode()) == device.fault(device.reported_episode()).step + 1);
    }
  }
}
