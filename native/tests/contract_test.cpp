// The engine on an environment that uses the whole contract: groups, masks, death, a joint rule with chance. The
// environment is in no shipped catalogue: this executable has kernels of its own.
#include <algorithm>
#include <set>

#include "value_reference.h"

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

// Episodes so long that a cohort's are replayed.
void lengthen(Setup &setup) {
  setup.stored_bytes = 1;
  setup.horizon = 150;
  setup.environments = 17;
  setup.parameters = {{"end_probability", 0.005}, {"energy", 20}};
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
          lengthen(setup);
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
  setup.scale = SWARMGRAD_SCALE_RUNNING_DEVIATION;
  setup.gradient_clip = 0.5;
  for (const int horizon : {20, 200}) {
    setup.horizon = horizon;
    setup.baseline = horizon == 20 ? SWARMGRAD_PREVIOUS_BATCH : SWARMGRAD_LEARNED_VALUE;
    setup.normalises = horizon == 200;
    setup.hidden = horizon == 20 ? std::vector<int>{9} : std::vector<int>{50};
    setup.stored_bytes = horizon == 20 ? 0 : 1;
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

TEST_CASE("values and their errors with masks, death and early ends, stored and replayed") {
  int64_t cut = 0;
  for (const bool replays : {false, true})
    for (const int input : {SWARMGRAD_VALUE_JOINT, SWARMGRAD_VALUE_OWN})
      for (const int weight : {SWARMGRAD_REWARD_TO_GO, SWARMGRAD_OWN_RETURN, SWARMGRAD_DISCOUNTED_STATE}) {
        if (weight == SWARMGRAD_OWN_RETURN && input == SWARMGRAD_VALUE_JOINT) continue;
        Setup setup = contract_setup();
        setup.weight = weight;
        setup.value_input = input;
        setup.normalises = weight != SWARMGRAD_OWN_RETURN;
        setup.bootstraps = input == SWARMGRAD_VALUE_JOINT && weight == SWARMGRAD_REWARD_TO_GO;
        setup.lambda = setup.bootstraps ? 0.7 : 1;
        if (replays) lengthen(setup);
        CAPTURE(replays);
        CAPTURE(input);
        CAPTURE(weight);
        cut += check_learned_values(setup);
      }
  CHECK(cut > 30);
}

TEST_CASE("moments of observations leave the dead out, who observe zeros") {
  Setup setup = contract_setup();
  setup.parameters = {{"energy", 2}};
  check_normalisation(setup, {1, 0});
}

TEST_CASE("random acting keeps to the mask; greedy acting takes the best available action") {
  Engine engine(contract_setup());
  std::vector<swarmgrad_statistics> statistics(2);
  for (const int acting : {SWARMGRAD_ACT_SAMPLED, SWARMGRAD_ACT_GREEDY, SWARMGRAD_ACT_RANDOM}) {
    require_ok(engine.evaluate(0, 100, acting, statistics.data()));
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

TEST_CASE("recorded chance replays a step exactly") {
  Simulator played("contract"), replayed("contract");
  const int luck = played.find("luck"), end_luck = played.find("end_luck");
  CHECK(played.field(luck).is_chance == 1);
  CHECK(played.field(played.find("cell")).is_chance == 0);
  const std::vector<int32_t> action = {1, 3, 1, 0, 1};
  played.reset(0, 0);
  replayed.reset(0, 0);
  for (int step = 0; step < 12; ++step) {
    std::vector<int32_t> allowed = action;
    for (int agent = 2; agent < 5; ++agent)
      if (played.get(played.find("cell"))[static_cast<size_t>(agent)] == 5) allowed[static_cast<size_t>(agent)] = 0;
    played.step(allowed);
    replayed.set(luck, played.get(luck));
    replayed.set(end_luck, played.get(end_luck));
    replayed.step(allowed);
    for (int field = 0; field < played.field_count(); ++field) CHECK(played.get(field) == replayed.get(field));
  }
  // The other way round every fight is lost by the other agent.
  Simulator twin("contract", {{"end_probability", 0}});
  twin.reset(0, 0);
  for (int field = 0; field < twin.find("luck"); ++field) {
    std::vector<double> same = twin.get(field);
    std::fill(same.begin(), same.end(), field == twin.find("energy") ? 4 : 0);
    twin.set(field, same);
  }
  twin.set(luck, std::vector<double>(10, 0.75));
  twin.set(end_luck, {0.5});
  twin.step({0, 0, 0, 0, 0});
  CHECK(twin.get(twin.find("energy")) == std::vector<double>{4, 3, 2, 1, 0});

  // What is not given stays drawn, and what is given counts once.
  for (Simulator *simulator : {&played, &twin}) simulator->reset(7, 0);
  twin.set(luck, std::vector<double>(10, 0.75));
  played.step({0, 0, 0, 0, 0});
  twin.step({0, 0, 0, 0, 0});
  CHECK(twin.get(luck) == std::vector<double>(10, 0.75));
  CHECK(twin.get(end_luck) == played.get(end_luck));
  played.step({0, 0, 0, 0, 0});
  twin.step({0, 0, 0, 0, 0});
  CHECK(twin.get(luck) == played.get(luck));
}

TEST_CASE("rules that break down stop the run with their text, the environment and the step") {
  Setup setup = contract_setup();
  setup.parameters = {{"crowd_limit", 2}};
  for (const int threads : {1, 3}) {
    setup.threads = threads;
    Engine engine(setup);
    const Snapshot before = engine.checkpoint();
    const swarmgrad_rates rates = engine.rates_of(0.1);
    CHECK(swarmgrad_train(engine.handle(), 1, &rates, nullptr) == SWARMGRAD_ENVIRONMENT_FAILED);
    const std::string text = swarmgrad_last_error();
    CHECK(text.find("contract, iteration 0, environment ") == 0);
    CHECK(text.find(": a cell holds more agents than crowd_limit") != std::string::npos);
    CHECK(engine.checkpoint() == before);
  }
  Simulator simulator("contract", {{"crowd_limit", 1}, {"end_probability", 0}});
  int reported = 0;
  for (uint32_t environment = 0; environment < 20; ++environment) {
    const swarmgrad_status status = swarmgrad_simulator_reset(simulator.handle(), environment, 0);
    const std::vector<double> cell = simulator.get(simulator.find("cell"));
    const bool crowded = std::set<double>(cell.begin(), cell.end()).size() < cell.size();
    CHECK(status == (crowded ? SWARMGRAD_ENVIRONMENT_FAILED : SWARMGRAD_OK));
    reported += crowded;
  }
  CHECK(reported > 0);
}

TEST_CASE("groups of different shapes cannot share a policy") {
  Setup setup = contract_setup();
  setup.share = SWARMGRAD_SHARE_ALL;
  const Configuration configuration(setup);
  swarmgrad_engine *engine = nullptr;
  CHECK(swarmgrad_create(&configuration.config, &engine) == SWARMGRAD_INVALID_ARGUMENT);
  CHECK(std::string(swarmgrad_last_error()) ==
        "share is 1 (all), but group walker of contract has 3 features and 4 actions, group carrier 5 and 3 with a "
        "mask; allowed: 0 (groups), or groups of one shape");
}

TEST_CASE("an agent can observe its index") {
  Setup setup = contract_setup();
  setup.agent_index = true;
  for (const bool replays : {false, true}) {
    if (replays) {
      setup.hidden = {40, 17};
      setup.stored_bytes = 1;
      setup.horizon = 150;
      setup.parameters = {{"end_probability", 0.005}, {"energy", 20}};
    }
    Engine engine(setup);
    REQUIRE(engine.info().replays == replays);
    CHECK(engine.group(0).observation_size == 3 + 2);
    CHECK(engine.group(1).observation_size == 5 + 3);
    engine.scramble_parameters(0.4);
    const Recording recording = engine.record();
    check_recording(engine, setup, recording);
    for (const Batch &batch : recording.groups)
      for (int step = 0; step < batch.steps; ++step)
        for (int agent = 0; agent < batch.agents; ++agent)
          for (int64_t e = 0; e < batch.environments; ++e)
            for (int index = 0; index < batch.agents; ++index)
              if (batch.observation[batch.element(step, agent, batch.features - batch.agents + index, batch.features,
                                                  e)] !=
                  (index == agent && batch.alive[batch.cell(step, agent, e)] != 0 ? 1.0f : 0.0f))
                FAIL_CHECK("agent " << agent << ", step " << step << ", environment " << e << ", index " << index);
  }
}
