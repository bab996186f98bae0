// Value networks, lambda-returns, bootstrapping and normalised observations against the plain judge over awkward shapes;
// what a batch is corrected with comes from before it; equal bits stored, replayed, and for every thread and instruction set.
#include "value_reference.h"

using namespace swarmgrad_tests;

namespace {

Setup learning_setup() {
  Setup setup;
  setup.baseline = SWARMGRAD_LEARNED_VALUE;
  setup.value_hidden = {7, 5};
  setup.scale = SWARMGRAD_SCALE_RUNNING_DEVIATION;
  setup.entropy_coefficient = 0.02;
  return setup;
}

}  // namespace

TEST_CASE("values and hidden activations of given observations") {
  for (const int input : {SWARMGRAD_VALUE_JOINT, SWARMGRAD_VALUE_OWN}) {
    Setup setup = learning_setup();
    setup.value_input = input;
    Engine engine(setup);
    engine.scramble_parameters();
    const swarmgrad_group &group = engine.group(0);
    const int features = input == SWARMGRAD_VALUE_JOINT ? 54 : 18;
    REQUIRE(group.value_observation_size == features);
    REQUIRE(group.value_agents == (input == SWARMGRAD_VALUE_JOINT ? 1 : 3));
    REQUIRE(group.value_hidden_total == 12);
    REQUIRE(group.value_parameter_offset == group.parameter_count);
    REQUIRE(engine.info().parameter_count == group.parameter_count + group.value_parameter_count);
    PlainNetwork network(engine, 1, {features, 7, 5, 1}, setup.activation, group.value_parameter_offset);
    REQUIRE(network.parameter_count() == static_cast<size_t>(group.value_parameter_count));

    constexpr size_t rows = 35;
    const auto width = static_cast<size_t>(features);
    std::vector<float> observation(rows * width), hidden(rows * 12), value(rows), again(rows);
    for (size_t k = 0; k < observation.size(); ++k)
      observation[k] = static_cast<float>(std::sin(0.7 * static_cast<double>(k)));
    require_ok(swarmgrad_forward(engine.handle(), 1, rows, observation.data(), hidden.data(), value.data()));
    require_ok(swarmgrad_forward(engine.handle(), 1, rows, observation.data(), nullptr, again.data()));
    CHECK(same_bits(value, again));
    for (size_t row = 0; row < rows; ++row) {
      const auto begin = observation.begin() + static_cast<ptrdiff_t>(row * width);
      const PlainNetwork::Activations x = network.forward(std::vector<float>(begin, begin + features));
      for (size_t k = 0; k < 12; ++k)
        CHECK(hidden[row * 12 + k] == doctest::Approx(k < 7 ? x[1][k] : x[2][k - 7]).epsilon(2e-6));
      CHECK(value[row] == doctest::Approx(x[3][0]).epsilon(2e-6));
    }
  }
}

TEST_CASE("values, errors, weights and gradients of awkward shapes") {
  struct Kind {
    int weight, input;
    double lambda;
    bool bootstraps;
  };
  const Kind kinds[] = {{SWARMGRAD_REWARD_TO_GO, SWARMGRAD_VALUE_JOINT, 1, false},
                        {SWARMGRAD_REWARD_TO_GO, SWARMGRAD_VALUE_JOINT, 0.8, false},
                        {SWARMGRAD_REWARD_TO_GO, SWARMGRAD_VALUE_JOINT, 1, true},
                        {SWARMGRAD_REWARD_TO_GO, SWARMGRAD_VALUE_JOINT, 0, true},
                        {SWARMGRAD_REWARD_TO_GO, SWARMGRAD_VALUE_OWN, 1, false},
                        {SWARMGRAD_TOTAL_RETURN, SWARMGRAD_VALUE_JOINT, 1, false},
                        {SWARMGRAD_DISCOUNTED_STATE, SWARMGRAD_VALUE_OWN, 1, false},
                        {SWARMGRAD_OWN_RETURN, SWARMGRAD_VALUE_OWN, 1, false}};
  const int64_t environments[] = {1, 2, 15, 16, 17, 18, 33};
  const double agents[] = {1, 2, 3, 5};
  size_t turn = 0;
  int64_t cut = 0;
  for (const Kind &kind : kinds)
    for (const bool replays : {false, true})
      for (const int horizon : {1, 25, 140}) {
        if (replays && horizon < 140) continue;  // one segment
        ++turn;
        Setup setup = learning_setup();
        setup.environments = environments[turn % 7];
        // Any number of agents, two groups, early ends.
        setup.environment = turn % 3 == 0 ? "simple_spread_v3" : turn % 3 == 1 ? "simple_tag_v3" : "CartPole-v1";
        if (turn % 3 == 0) setup.parameters = {{"agents", agents[turn / 3 % 4]}};
        setup.horizon = horizon;
        setup.stored_bytes = replays ? 1 : 0;
        setup.activation = turn % 2 == 0 ? SWARMGRAD_RELU : SWARMGRAD_TANH;
        setup.value_hidden = turn % 5 == 0 ? std::vector<int>{} : std::vector<int>{7, 5};
        setup.agent_reduction = turn / 2 % 2 == 0 ? SWARMGRAD_SUM : SWARMGRAD_MEAN;
        setup.scale = turn / 3 % 2 == 1 ? SWARMGRAD_SCALE_NONE : SWARMGRAD_SCALE_RUNNING_DEVIATION;
        setup.reward_scale = turn % 4 == 0 ? 1 : 0.25;
        setup.normalises = turn % 5 < 2;
        setup.agent_index = turn % 7 == 3;
        setup.discount = 0.95;
        setup.weight = kind.weight;
        setup.value_input = kind.input;
        setup.lambda = kind.lambda;
        setup.bootstraps = kind.bootstraps;
        CAPTURE(turn);
        CAPTURE(std::string(setup.environment));
        const int64_t found = check_learned_values(setup);
        if (setup.environment != std::string("CartPole-v1"))
          CHECK(found == setup.environments * Engine(setup).group_count());
        if (setup.bootstraps) cut += found;
      }
  CHECK(cut > 0);
}

TEST_CASE("learning with values has the same bits stored and replayed, for all threads and instruction sets") {
  for (const char *environment : {"simple_spread_v3", "simple_tag_v3", "CartPole-v1"})
    for (const int input : {SWARMGRAD_VALUE_JOINT, SWARMGRAD_VALUE_OWN}) {
      Setup setup = learning_setup();
      setup.environment = environment;
      setup.environments = 35;
      setup.horizon = 150;
      setup.normalises = true;
      setup.value_input = input;
      setup.lambda = input == SWARMGRAD_VALUE_JOINT ? 0.9 : 1;
      setup.bootstraps = input == SWARMGRAD_VALUE_JOINT;
      setup.stored_bytes = INT64_MAX;
      CAPTURE(std::string(environment));
      CAPTURE(input);
      Engine expected(setup);
      REQUIRE(expected.info().replays == 0);
      expected.train(3);
      const Snapshot snapshot = expected.checkpoint();
      for (const int isa : available_isas())
        for (const int threads : {1, 2, 3}) {
          setup.isa = isa;
          setup.threads = threads;
          setup.stored_bytes = threads == 2 ? INT64_MAX : 1;
          Engine engine(setup);
          REQUIRE(engine.info().replays == (threads != 2));
          engine.train(3);
          CHECK(engine.checkpoint() == snapshot);
        }
    }
}

TEST_CASE("values that do not learn are the baseline of the previous batch, to the bit") {
  for (const char *environment : {"simple_spread_v3", "simple_tag_v3", "CartPole-v1"})
    for (const int weight :
         {SWARMGRAD_TOTAL_RETURN, SWARMGRAD_REWARD_TO_GO, SWARMGRAD_OWN_RETURN, SWARMGRAD_DISCOUNTED_STATE}) {
      Setup setup = learning_setup();
      setup.environment = environment;
      setup.horizon = 30;
      setup.gradient_clip = 0.5;
      setup.weight = weight;
      setup.value_input = SWARMGRAD_VALUE_OWN;
      Engine still(setup), learning(setup);
      setup.baseline = SWARMGRAD_PREVIOUS_BATCH;
      Engine previous(setup);
      const auto policies = static_cast<size_t>(previous.info().parameter_count);
      const auto policy_of = [&](const Engine &engine) {
        std::vector<float> parameters = engine.parameters();
        parameters.resize(policies);
        return parameters;
      };
      const std::vector<float> start = still.parameters();
      CHECK(same_bits(policy_of(still), previous.parameters()));
      for (int iteration = 0; iteration < 3; ++iteration) {
        const swarmgrad_rates only_policies = {0.05, 0, 0.02}, both = {0.05, 0.05, 0.02};
        require_ok(swarmgrad_train(previous.handle(), 1, &only_policies, nullptr));
        require_ok(swarmgrad_train(still.handle(), 1, &only_policies, nullptr));
        require_ok(swarmgrad_train(learning.handle(), 1, &both, nullptr));
        CHECK(same_bits(policy_of(still), previous.parameters()));
        // What the first batch teaches the values corrects the second, not the first.
        const bool is_first = iteration == 0;
        CHECK(same_bits(policy_of(learning), previous.parameters()) == is_first);
      }
      const std::vector<float> end = still.parameters();
      CHECK(std::equal(start.begin() + static_cast<ptrdiff_t>(policies), start.end(),
                       end.begin() + static_cast<ptrdiff_t>(policies)));
    }
}

TEST_CASE("each iteration has its own entropy coefficient") {
  Setup setup;
  setup.entropy_coefficient = 0.3;
  Engine scheduled(setup);
  const std::vector<double> coefficients = {0.5, 0, 0.1};
  std::vector<swarmgrad_rates> rates;
  for (const double coefficient : coefficients) rates.push_back({0.05, 0, coefficient});
  require_ok(swarmgrad_train(scheduled.handle(), 3, rates.data(), nullptr));
  Snapshot snapshot = Engine(setup).checkpoint();
  for (const double coefficient : coefficients) {
    setup.entropy_coefficient = coefficient;
    Engine engine(setup);
    engine.restore(snapshot);
    engine.gradient();
    const swarmgrad_rates step = {0.05, 0, 0};
    require_ok(swarmgrad_step(engine.handle(), nullptr, &step));
    snapshot = engine.checkpoint();
  }
  CHECK(snapshot == scheduled.checkpoint());
}

TEST_CASE("observations are normalised with the moments of earlier iterations") {
  Setup setup;
  setup.seed = 5;
  check_normalisation(setup, {1});
  setup.agent_index = true;
  setup.environments = 3;
  check_normalisation(setup, {2}, true);
  setup.environment = "simple_tag_v3";
  setup.horizon = 9;
  check_normalisation(setup, {1, 3});
}

TEST_CASE("rows of a value network that are not finite are refused, but for the dead") {
  Engine engine(learning_setup());
  engine.scramble_parameters();
  Batch rows = value_rows(engine, 0, engine.record().groups[0]);
  const size_t broken = rows.element(3, 0, 7, rows.features, 16);
  rows.observation[broken] = NAN;
  const swarmgrad_batch given = rows.given(1);
  std::vector<float> gradient(static_cast<size_t>(engine.group(0).value_parameter_count));
  CHECK(swarmgrad_gradient_of(engine.handle(), &given, gradient.data()) == SWARMGRAD_INVALID_ARGUMENT);
  CHECK(std::string(swarmgrad_last_error()).find("observation[" + std::to_string(broken) + "] is nan") == 0);
  rows.alive[rows.cell(3, 0, 16)] = 0;
  require_ok(swarmgrad_gradient_of(engine.handle(), &given, gradient.data()));
  for (const float value : gradient) CHECK(std::isfinite(value));
}

TEST_CASE("values and updates of value networks that explode are named") {
  Setup setup = learning_setup();
  setup.optimizer = SWARMGRAD_SGD;
  Engine engine(setup);
  const std::vector<float> good = engine.parameters();
  std::vector<float> huge = good;
  huge.back() = 3e38f;  // the value's bias
  engine.write("parameters", huge);
  const Snapshot before = engine.checkpoint();
  const swarmgrad_rates rates = engine.rates_of(0.01), enormous = {0, 3e38, 0};
  CHECK(swarmgrad_train(engine.handle(), 1, &rates, nullptr) == SWARMGRAD_NUMERIC);
  CHECK(std::string(swarmgrad_last_error())
            .find("simple_spread_v3, iteration 0, environment 0, agent 0, step 0: the weight is not finite") == 0);
  CHECK(engine.checkpoint() == before);

  engine.write("parameters", good);
  std::vector<float> gradient(good.size(), 0.0f);
  gradient.back() = NAN;
  CHECK(swarmgrad_step(engine.handle(), gradient.data(), &rates) == SWARMGRAD_NUMERIC);
  CHECK(std::string(swarmgrad_last_error()).find("iteration 0, group agent, value network: the gradient") == 0);
  CHECK(same_bits(engine.parameters(), good));
  gradient.back() = 2;
  CHECK(swarmgrad_step(engine.handle(), gradient.data(), &enormous) == SWARMGRAD_NUMERIC);
  CHECK(std::string(swarmgrad_last_error()).find("iteration 0, group agent, value network: the update") == 0);
}
