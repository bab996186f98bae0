// The rollout kernel of a user's header: mistakes that the device sees are found where the CPU engine finds them.
#include "cuda/kernel.h"
#include "cuda/tests/rollout_fixture.h"

SWARMGRAD_KERNEL_HANDLE(swarmgrad_rollout);

using namespace swarmgrad_tests;

TEST_CASE("a user's mistakes are found, agent by agent") {
  int32_t index = -1;
  require_ok(swarmgrad_load_environment(SWARMGRAD_FAULTY, &index));
  enum Mistake { forgotten_feature = 5, nan_feature = 6, forgotten_action = 9, forgotten_state = 10 };
  for (const Mistake mistake : {forgotten_feature, nan_feature, forgotten_action, forgotten_state}) {
    CAPTURE(mistake);
    Setup setup;
    setup.environment = "faulty";
    setup.parameters = {{"mistake", static_cast<double>(mistake)}};
    setup.environments = 20;
    setup.hidden = {4};
    Engine engine(setup);
    std::vector<float> gradient(static_cast<size_t>(engine.info().parameter_count));
    REQUIRE(swarmgrad_gradient(engine.handle(), gradient.data(), nullptr) == SWARMGRAD_NUMERIC);
    const std::string text = swarmgrad_last_error();
    DeviceRollout device(setup, engine.parameters(), swarmgrad::Stream::training, SWARMGRAD_ACT_SAMPLED,
                         swarmgrad_rollout_handle);
    for (const Shape &shape : shapes) {
      device.play(shape);
      check_same_fault(device, text);
    }
  }
}

TEST_CASE("a user's header without mistakes gives the CPU engine's bits") {
  int32_t index = -1;
  require_ok(swarmgrad_load_environment(SWARMGRAD_FAULTY, &index));
  Setup setup;
  setup.environment = "faulty";
  setup.environments = 20;
  setup.hidden = {4};
  check_same_episodes(setup, shapes, swarmgrad_rollout_handle);
}
