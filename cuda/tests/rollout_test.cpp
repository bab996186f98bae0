// The rollout kernels under emulation against the CPU engine's record: every environment of the catalogue bit for bit,
// whatever the block size, the tiles, the grid, the memory and the order of threads. Weights and gradients are elsewhere.
#include <cmath>

#include "cuda/tests/rollout_fixture.h"

using namespace swarmgrad_tests;

TEST_CASE("every environment of the catalogue plays the CPU engine's episodes") {
  const std::vector<Setup> setups = catalogue_setups();
  for (size_t k = 0; k < setups.size(); ++k) {
    Shape shape = shapes[k % shapes.size()];
    check_same_episodes(setups[k], {{}, {.order = "reverse"}, shape});
  }
}

TEST_CASE("any block, grid, tile, memory and order give the same bits") {
  for (const char *environment : {"simple_spread_v3", "simple_tag_v3", "CartPole-v1", "smax_2s3z"}) {
    Setup setup;
    setup.environment = environment;
    setup.hidden = {12, 9};
    setup.environments = 37;
    setup.horizon = 30;
    check_same_episodes(setup, shapes);
  }
}

TEST_CASE("policies of every kind, and an observation that ends with the agent's index") {
  for (const std::vector<int> &hidden : std::vector<std::vector<int>>{{}, {24}, {5, 6, 7, 8}})
    for (const int activation : {SWARMGRAD_TANH, SWARMGRAD_RELU}) {
      Setup setup;
      setup.hidden = hidden;
      setup.activation = activation;
      setup.agent_index = true;
      setup.horizon = 5;
      check_same_episodes(setup, {{}, {.tile_rows = 8, .shared = false, .order = "random:3"}});
    }
}

TEST_CASE("one policy for all groups") {
  Setup setup;
  setup.environment = "stag_hunt";
  setup.parameters = {{"rounds", 8}, {"players", 3}};
  setup.share = SWARMGRAD_SHARE_ALL;
  check_same_episodes(setup, shapes);
}

TEST_CASE("a crowd of more agents than the block has threads") {
  Setup setup;
  setup.environment = "crowd";
  setup.parameters = {{"agents", 150}};
  setup.environments = 3;
  setup.horizon = 4;
  check_same_episodes(setup,
                      {{.order = "reverse"}, {.threads = 64, .tile_rows = 24, .shared = false, .order = "random:4"}});
}

TEST_CASE("a small batch is spread over the multiprocessors, a large one fills its blocks") {
  cuda::Group group = {};
  group.agents = 3;
  group.features = 18 + 64 + 64;
  group.action_count = 5;
  const cuda::SharedMemory memory = {232448, 233472, 1024};
  cuda::Rollout rollout = {};
  rollout.pass.group_count = 1;
  for (const auto &[cohorts, episodes] : std::vector<std::pair<int, int>>{{1, 1}, {64, 3}, {1024, 21}, {65536, 21}}) {
    rollout.pass.wave_cohorts = cohorts;
    cuda::choose_tiles(rollout, &group, memory, 132);
    CHECK(rollout.episodes_per_block == episodes);
    CHECK(rollout.tile_rows == (3 * episodes + 7) / 8 * 8);
  }
}

TEST_CASE("greedy and random acting give the CPU engine's returns and lengths") {
  for (const char *environment : {"simple_spread_v3", "smax_3m", "CartPole-v1"})
    for (const int acting : {SWARMGRAD_ACT_GREEDY, SWARMGRAD_ACT_RANDOM}) {
      CAPTURE(environment);
      CAPTURE(acting);
      Setup setup;
      setup.environment = environment;
      setup.horizon = 30;
      Engine engine(setup);
      engine.scramble_parameters();
      swarmgrad_statistics statistics = {};
      require_ok(engine.evaluate(0, setup.environments, acting, &statistics));
      DeviceRollout device(setup, engine.parameters(), swarmgrad::Stream::evaluation, acting);
      device.play({.threads = 32, .tile_rows = 8, .order = "random:5"});
      const cuda::Group &group = device.group(0);
      double least = INFINITY, most = -INFINITY, length = 0;
      int64_t agent_steps = 0;
      for (int64_t e = 0; e < setup.environments; ++e) {
        const size_t first = device.slot_of(e) * static_cast<size_t>(group.rows);
        double team = 0;
        for (int agent = 0; agent < group.agents; ++agent) {
          double own = 0;
          for (int step = 0; step < device.length(e); ++step) {
            const size_t row = first + static_cast<size_t>(step * group.agents + agent);
            own += static_cast<double>(device.rows(0).reward[row]);
            agent_steps += device.rows(0).alive[row];
          }
          team += own;
        }
        least = std::min(least, team);
        most = std::max(most, team);
        length += device.length(e);
      }
      CHECK(least == statistics.team_return_minimum);
      CHECK(most == statistics.team_return_maximum);
      CHECK(length / static_cast<double>(setup.environments) == statistics.episode_length_mean);
      CHECK(agent_steps == statistics.agent_steps);
    }
}

TEST_CASE(
    "a parameter that is not a number is found in the lowest environment, at the first step, in the first agent") {
  Setup setup;
  setup.environments = 70;
  Engine engine(setup);
  engine.scramble_parameters();
  DeviceRollout device(setup, engine.parameters(), swarmgrad::Stream::record, SWARMGRAD_ACT_SAMPLED);
  device.panels()[0] = NAN;
  for (const Shape &shape : shapes) {
    device.play(shape);
    REQUIRE(device.control().fault_environment == 0);
    CHECK(device.fault(0).kind == cuda::Fault::logits);
    CHECK(device.fault(0).agent == 0);
    CHECK(device.fault(0).step == 0);
    CHECK(device.fault(0).feature == -1);
  }
}

TEST_CASE("rules that break down end the episode that they break down in") {
  Setup setup;
  setup.environment = "crowd";
  setup.parameters = {{"agents", 12}, {"cell_capacity", 3}};
  setup.environments = 20;
  Engine engine(setup);
  std::vector<float> gradient(static_cast<size_t>(engine.info().parameter_count));
  DeviceRollout device(setup, engine.parameters(), swarmgrad::Stream::training, SWARMGRAD_ACT_SAMPLED);
  CHECK(swarmgrad_gradient(engine.handle(), gradient.data(), nullptr) == SWARMGRAD_ENVIRONMENT_FAILED);
  const std::string text = swarmgrad_last_error();
  for (const Shape &shape : shapes) {
    device.play(shape);
    check_same_fault(device, text);
  }
}

TEST_CASE("a block that is told to cancel leaves, and says so") {
  DeviceRollout device({}, Engine(Setup{}).parameters(), swarmgrad::Stream::training, SWARMGRAD_ACT_SAMPLED);
  device.play({.episodes = 16});
  CHECK(device.control().cancelled == 0);
  CHECK(device.shared().beats == 2 * 25);
  device.cancel = 1;
  device.play({});
  CHECK(device.control().cancelled == 1);
  CHECK(device.shared().beats == 0);
}
