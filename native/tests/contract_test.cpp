// The engine on an environment that uses the whole contract: groups, masks, death, a joint rule with chance. The
// environment is in no shipped catalogue: this executable has kernels of its own.
#include "reference.h"

using namespace swarmgrad_tests;

namespace {

Setup contract_setup() {
  Setup setup;
  setup.environment = "contract";
  setup.hidden = {9};
  setup.environments = 35;
  setup.baseline = SWARMGRAD_LEAVE_ONE_OUT;
  setup.entropy_coefficient = 0.05;
  setup.discount = 0.97;
  return setup;
}

}  // namespace

TEST_CASE("the catalogue of this test holds the one environment") {
  REQUIRE(swarmgrad_environment_count() == 1);
  swarmgrad_environment_info info = {};
  info.size = sizeof info;
  require_ok(swarmgrad_environment(0, &info));
  CHECK(info.id == std::string("contract"));
}

TEST_CASE("groups have their own shapes and parameters") {
  const Engine engine(contract_setup());
  REQUIRE(engine.group_count() == 2);
  CHECK(engine.info().agent_count == 5);
  const swarmgrad_group &walker = engine.group(0), &carrier = engine.group(1);
  CHECK(walker.name == std::string("walker"));
  CHECK(walker.first_agent == 0);
  CHECK(walker.agent_count == 2);
  CHECK(walker.observation_size == 3);
  CHECK(walker.action_count == 4);
  CHECK(walker.has_mask == 0);
  CHECK(walker.parameter_offset == 0);
  CHECK(walker.parameter_count == 3 * 9 + 9 + 9 * 4 + 4);
  CHECK(carrier.name == std::string("carrier"));
  CHECK(carrier.first_agent == 2);
  CHECK(carrier.agent_count == 3);
  CHECK(carrier.observation_size == 5);
  CHECK(carrier.action_count == 3);
  CHECK(carrier.has_mask == 1);
  CHECK(carrier.parameter_offset == walker.parameter_count);
  CHECK(carrier.parameter_count == 5 * 9 + 9 + 9 * 3 + 3);
  CHECK(engine.info().parameter_count == walker.parameter_count + carrier.parameter_count);
}

TEST_CASE("gradient, weights and statistics with masks, death and early ends, stored and replayed") {
  for (const int activation : {SWARMGRAD_TANH, SWARMGRAD_RELU})
    for (const bool replays : {false, true})
      for (const int weight :
           {SWARMGRAD_TOTAL_RETURN, SWARMGRAD_REWARD_TO_GO, SWARMGRAD_OWN_RETURN, SWARMGRAD_DISCOUNTED_STATE}) {
        Setup setup = contract_setup();
        setup.activation = activation;
        setup.weight = weight;
        if (replays) {
          setup.hidden = {40, 17};
          setup.horizon = 150;
          setup.environments = 17;
          setup.parameters = {{"end_probability", 0.005}, {"energy", 20}};
        }
        CAPTURE(replays);
        CAPTURE(weight);
        Engine engine(setup);
        REQUIRE(engine.info().replays == replays);
        engine.scramble_parameters(0.4);
        const Recording recording = engine.record();
        check_recording(engine, setup, recording);

        int64_t forbidden = 0, dead = 0, dead_reward_errors = 0, whole = 0, taken_forbidden = 0;
        for (const Batch &batch : recording.groups) {
          for (int64_t e = 0; e < batch.environments; ++e) {
            const int length = batch.episode_length[static_cast<size_t>(e)];
            CHECK(length == recording.groups[0].episode_length[static_cast<size_t>(e)]);
            whole += length == batch.steps;
            for (int step = 0; step < length; ++step)
              for (int agent = 0; agent < batch.agents; ++agent) {
                const size_t cell = batch.cell(step, agent, e);
                if (batch.alive[cell] == 0) {
                  ++dead;
                  dead_reward_errors += batch.reward[cell] != -0.25f;
                  continue;
                }
                for (int a = 0; batch.has_mask && a < batch.actions; ++a) {
                  const bool open = batch.mask[batch.element(step, agent, a, batch.actions, e)] != 0;
                  forbidden += !open;
                  taken_forbidden += !open && batch.action[cell] == a;
                }
              }
          }
        }
        CHECK(forbidden > 100);
        CHECK(taken_forbidden == 0);
        CHECK(dead > 30);
        CHECK(dead_reward_errors == 0);  // and check_recording counts these rewards in the team's return
        CHECK(whole < 2 * setup.environments);

        for (int g = 0; g < 2; ++g) {
          const auto begin = recording.gradient.begin() + engine.group(g).parameter_offset;
          const std::vector<float> own(begin, begin + engine.group(g).parameter_count);
          CHECK(same_bits(engine.gradient_of(g, recording.groups[static_cast<size_t>(g)]), own));
        }
      }
}

TEST_CASE("what a dead agent's rows hold does not reach the gradient") {
  Engine engine(contract_setup());
  engine.scramble_parameters();
  const Recording recording = engine.record();
  for (int g = 0; g < 2; ++g) {
    Batch batch = recording.groups[static_cast<size_t>(g)];
    const std::vector<float> expected = engine.gradient_of(g, batch);
    for (size_t cell = 0; cell < batch.alive.size(); ++cell)
      if (batch.alive[cell] == 0) {
        batch.action[cell] = -5;
        batch.weight[cell] = NAN;
      }
    for (int step = 0; step < batch.steps; ++step)
      for (int agent = 0; agent < batch.agents; ++agent)
        for (int64_t e = 0; e < batch.environments; ++e)
          for (int f = 0; f < batch.features; ++f)
            if (batch.alive[batch.cell(step, agent, e)] == 0)
              batch.observation[batch.element(step, agent, f, batch.features, e)] = NAN;
    CHECK(same_bits(engine.gradient_of(g, batch), expected));
  }
}

TEST_CASE("rows after an episode's end are zero, masks included, whatever the others of its cohort do") {
  Engine engine(contract_setup());
  const Recording recording = engine.record();
  int64_t rows = 0, nonzero = 0;
  for (const Batch &batch : recording.groups)
    for (int64_t e = 0; e < batch.environments; ++e)
      for (int step = batch.episode_length[static_cast<size_t>(e)]; step < batch.steps; ++step)
        for (int agent = 0; agent < batch.agents; ++agent) {
          ++rows;
          for (int f = 0; f < batch.features; ++f)
            nonzero += batch.observation[batch.element(step, agent, f, batch.features, e)] != 0;
          for (int a = 0; batch.has_mask && a < batch.actions; ++a)
            nonzero += batch.mask[batch.element(step, agent, a, batch.actions, e)] != 0;
        }
  CHECK(rows > 50);
  CHECK(nonzero == 0);
}

TEST_CASE("an action that the mask forbids, and a mask that leaves none, are errors") {
  Engine engine(contract_setup());
  const Recording recording = engine.record();
  Batch batch = recording.groups[1];
  std::vector<float> gradient(static_cast<size_t>(engine.group(1).parameter_count));
  REQUIRE(batch.alive[0] != 0);
  batch.mask[batch.element(0, 0, batch.action[0], batch.actions, 0)] = 0;
  swarmgrad_batch given = batch.given(1);
  CHECK(swarmgrad_gradient_of(engine.handle(), &given, gradient.data()) == SWARMGRAD_INVALID_ARGUMENT);
  CHECK(std::string(swarmgrad_last_error()).find("which the mask forbids") != std::string::npos);
}

TEST_CASE("training with two groups is the same for all threads, instruction sets and after a restart") {
  Setup setup = contract_setup();
  setup.baseline = SWARMGRAD_PREVIOUS_BATCH;
  setup.scale = SWARMGRAD_SCALE_RUNNING_DEVIATION;
  setup.gradient_clip = 0.5;
  for (const int horizon : {20, 200}) {
    setup.horizon = horizon;
    setup.hidden = horizon == 20 ? std::vector<int>{9} : std::vector<int>{50};
    setup.isa = SWARMGRAD_ISA_AUTO;
    Engine expected(setup);
    REQUIRE(expected.info().replays == (horizon == 200));
    expected.train(2);
    const Snapshot middle = expected.checkpoint();
    expected.train(2);
    for (const int isa : available_isas())
      for (const int threads : {1, 3}) {
        setup.isa = isa;
        setup.threads = threads;
        Engine engine(setup);
        engine.train(4);
        CHECK(engine.checkpoint() == expected.checkpoint());
        Engine resumed(setup);
        resumed.restore(middle);
        resumed.train(2);
        CHECK(resumed.checkpoint() == expected.checkpoint());
      }
  }
}

TEST_CASE("random acting keeps to the mask; greedy acting takes the best available action") {
  Engine engine(contract_setup());
  std::vector<swarmgrad_statistics> statistics(2);
  for (const int acting : {SWARMGRAD_ACT_SAMPLED, SWARMGRAD_ACT_GREEDY, SWARMGRAD_ACT_RANDOM}) {
    require_ok(swarmgrad_evaluate(engine.handle(), 0, 100, acting, statistics.data()));
    CHECK(statistics[0].episode_length_mean == statistics[1].episode_length_mean);
    CHECK(statistics[0].team_return_mean != statistics[1].team_return_mean);
    CHECK(statistics[1].agent_steps > 0);
  }
}

TEST_CASE("a simulator shows groups, masks, integer fields and deaths") {
  Simulator simulator("contract", {{"end_probability", 0}, {"energy", 1}});
  REQUIRE(simulator.agents() == 5);
  CHECK(simulator.field(0).is_integer == 1);
  CHECK(simulator.field(3).is_integer == 0);
  simulator.set(0, {0, 1, 5, 2, 2});
  std::vector<float> observation(5);
  uint8_t mask[3];
  require_ok(swarmgrad_simulator_observe(simulator.handle(), 2, observation.data(), mask));
  CHECK(observation[0] == 1.0f);
  CHECK(observation[3] == -1.0f);
  CHECK(mask[0] == 1);
  CHECK(mask[1] == 0);  // at the last cell
  CHECK(mask[2] == 0);  // no energy to spare
  for (const std::vector<int32_t> &forbidden : {std::vector<int32_t>{0, 0, 1, 0, 0}, {0, 0, 2, 0, 0}}) {
    std::vector<float> reward(5);
    CHECK(swarmgrad_simulator_step(simulator.handle(), forbidden.data(), reward.data(), nullptr, nullptr) ==
          SWARMGRAD_INVALID_ARGUMENT);
    CHECK(std::string(swarmgrad_last_error()).find("action[2] is") == 0);
  }
  // Agents 3 and 4 share a cell and rest: one of them loses its last energy.
  const std::vector<float> reward = simulator.step({0, 0, 0, 0, 0});
  CHECK(simulator.alive[0] == 1);
  CHECK(simulator.alive[3] + simulator.alive[4] == 1);
  CHECK(reward[simulator.alive[3] == 0 ? 3 : 4] == -0.25f);
  CHECK(!simulator.done);
  // The mask does not bind the dead.
  simulator.step({0, 0, 0, simulator.alive[3] == 0 ? 2 : 0, simulator.alive[3] == 0 ? 0 : 2});
}
