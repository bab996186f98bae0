// Recorded batches of the engine against the plain double-precision judge: gradient, log-probabilities, weights and
// statistics over awkward sizes, and the bits of the stored, replayed and given paths against each other.
#include "reference.h"

using namespace swarmgrad_tests;

TEST_CASE("gradient, weights and statistics of awkward shapes") {
  const std::vector<int> networks[] = {{}, {1}, {3}, {5, 7}, {9, 17, 33}, {33, 1, 5, 3}};
  const int64_t environments[] = {1, 2, 15, 16, 17, 18, 33};
  const double agents[] = {1, 2, 3, 5, 10};
  const int weights[] = {SWARMGRAD_TOTAL_RETURN, SWARMGRAD_REWARD_TO_GO, SWARMGRAD_OWN_RETURN,
                         SWARMGRAD_DISCOUNTED_STATE};
  size_t turn = 0;
  for (const std::vector<int> &hidden : networks)
    for (const int activation : {SWARMGRAD_TANH, SWARMGRAD_RELU})
      for (const int horizon : {1, 25})
        for (int repetition = 0; repetition < 2; ++repetition, ++turn) {
          Setup setup;
          setup.parameters = {{"agents", agents[turn % 5]}};
          setup.hidden = hidden;
          setup.activation = activation;
          setup.environments = environments[turn % 7];
          setup.horizon = horizon;
          setup.weight = weights[turn / 2 % 4];
          setup.baseline = turn % 3 == 0 && setup.environments > 1 ? SWARMGRAD_LEAVE_ONE_OUT : SWARMGRAD_BASELINE_NONE;
          setup.agent_reduction = turn % 2 == 0 ? SWARMGRAD_SUM : SWARMGRAD_MEAN;
          setup.discount = turn % 4 == 1 ? 1 : 0.93;
          setup.entropy_coefficient = turn % 5 == 2 ? 0.3 : 0;
          setup.seed = turn;
          CAPTURE(turn);
          Engine engine(setup);
          engine.scramble_parameters();
          const Recording recording = engine.record();
          check_recording(engine, setup, recording);
          // The engine's own initial parameters, whose logits are nearly equal.
          if (repetition == 1) {
            const Engine fresh(setup);
            engine.write("parameters", fresh.parameters());
            check_recording(engine, setup, engine.record());
          }
        }
}

TEST_CASE("every environment: gradient, weights and statistics, and the bits of the given batch") {
  for (Setup setup : catalogue_setups()) {
    CAPTURE(std::string(setup.environment));
    if (setup.baseline == SWARMGRAD_PREVIOUS_BATCH) setup.baseline = SWARMGRAD_BASELINE_NONE;  // none was before
    Engine engine(setup);
    engine.scramble_parameters(0.2);
    const Recording recording = engine.record();
    check_recording(engine, setup, recording);
    for (int g = 0; g < engine.group_count(); ++g) {
      CAPTURE(g);
      const Batch &batch = recording.groups[static_cast<size_t>(g)];
      const float *gradient = recording.gradient.data() + engine.group(g).parameter_offset;
      CHECK(same_bits(engine.gradient_of(g, batch),
                      std::vector<float>(gradient, gradient + engine.group(g).parameter_count)));
      size_t wrong = 0;
      for (const float value : batch.observation) wrong += !std::isfinite(value);
      for (int step = 0; step < batch.steps; ++step)
        for (int agent = 0; agent < batch.agents; ++agent)
          for (int64_t e = 0; e < batch.environments; ++e) {
            const size_t cell = batch.cell(step, agent, e);
            const bool acts = batch.alive[cell] != 0;
            wrong += acts && batch.has_mask &&
                     batch.mask[batch.element(step, agent, batch.action[cell], batch.actions, e)] == 0;
            wrong += acts && step > 0 && batch.alive[batch.cell(step - 1, agent, e)] == 0;
          }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("episodes that end early, stored and replayed") {
  std::vector<float> stored;
  for (const bool replays : {false, true}) {
    Setup setup;
    setup.environment = "CartPole-v1";
    setup.hidden = {48, 33};
    setup.stored_bytes = replays ? 1 : 0;
    setup.environments = 18;
    setup.weight = SWARMGRAD_DISCOUNTED_STATE;
    setup.baseline = SWARMGRAD_LEAVE_ONE_OUT;
    setup.discount = 0.99;
    Engine engine(setup);
    REQUIRE(engine.info().replays == replays);
    engine.scramble_parameters(0.1);
    const Recording recording = engine.record();
    check_recording(engine, setup, recording);
    const Batch &batch = recording.groups[0];
    int shortest = batch.steps, longest = 0;
    for (const int length : batch.episode_length) {
      shortest = std::min(shortest, length);
      longest = std::max(longest, length);
    }
    CHECK(shortest >= 1);
    CHECK(shortest < longest);
    CHECK(longest < batch.steps);
    CHECK(same_bits(engine.gradient_of(0, batch), recording.gradient));
    if (replays)
      CHECK(same_bits(recording.gradient, stored));
    else
      stored = recording.gradient;
  }
}

TEST_CASE("a long episode is replayed segment by segment") {
  Setup setup;
  setup.hidden = {16};
  setup.horizon = 500;
  setup.environments = 17;
  setup.baseline = SWARMGRAD_LEAVE_ONE_OUT;
  Engine storing(setup);
  REQUIRE(storing.info().replays == 0);
  setup.stored_bytes = 1;
  Engine engine(setup);
  REQUIRE(engine.info().replays == 1);
  if (computes_on_cpu()) REQUIRE(engine.info().bytes_per_cohort < storing.info().bytes_per_cohort / 2);
  engine.scramble_parameters();
  storing.scramble_parameters();
  const Recording recording = engine.record();
  check_recording(engine, setup, recording);
  CHECK(same_bits(engine.gradient_of(0, recording.groups[0]), recording.gradient));
  CHECK(same_bits(storing.record().gradient, recording.gradient));
}

TEST_CASE("wide layers, whose products are cut to fit the caches") {
  Setup setup;
  setup.hidden = {257, 131};
  setup.environments = 3;
  setup.weight = SWARMGRAD_TOTAL_RETURN;
  Engine engine(setup);
  engine.scramble_parameters(0.2);
  const Recording recording = engine.record();
  check_recording(engine, setup, recording);
  CHECK(same_bits(engine.gradient_of(0, recording.groups[0]), recording.gradient));

  // More than 65536 parameters: fewer partial gradients, here fewer than cohorts.
  setup.parameters = {{"agents", 1}};
  setup.hidden = {300, 230};
  setup.environments = 260;
  setup.horizon = 1;
  Engine wide(setup);
  REQUIRE(wide.info().parameter_count > 65536);
  REQUIRE(wide.info().cohort_count == 17);
  wide.scramble_parameters(0.2);
  check_recording(wide, setup, wide.record());
}

TEST_CASE("a given batch has the bits of the recorded one") {
  struct Shape {
    std::vector<int> hidden;
    int horizon;
    double agents;
    bool replays;
  };
  // Segments that begin inside a step (agents that do not divide 64), wide layers, many agents.
  const Shape shapes[] = {{{}, 25, 3, false},       {{5}, 25, 10, false}, {{16, 16}, 40, 5, false},
                          {{128, 64}, 70, 3, true}, {{40}, 90, 7, true},  {{33, 9}, 3, 100, true},
                          {{9}, 2, 70, true}};
  for (const Shape &shape : shapes)
    for (const int64_t environments : {1, 16, 18}) {
      Setup setup;
      setup.parameters = {{"agents", shape.agents}};
      setup.hidden = shape.hidden;
      setup.horizon = shape.horizon;
      setup.environments = environments;
      setup.activation = environments == 16 ? SWARMGRAD_RELU : SWARMGRAD_TANH;
      setup.entropy_coefficient = 0.01;
      setup.stored_bytes = shape.replays ? 1 : 0;
      Engine engine(setup);
      CAPTURE(shape.agents);
      CAPTURE(environments);
      CHECK(engine.info().replays == shape.replays);
      engine.scramble_parameters(0.2);
      const Recording recording = engine.record();
      CHECK(same_bits(engine.gradient_of(0, recording.groups[0]), recording.gradient));
      // What a recording leaves behind is not in the way of the next one.
      CHECK(same_bits(engine.record().gradient, recording.gradient));
    }
}

TEST_CASE("hidden activations and logits of given observations") {
  Setup setup;
  setup.hidden = {17, 3};
  Engine engine(setup);
  engine.scramble_parameters();
  const std::vector<float> parameters = engine.parameters();
  constexpr int rows = 35, features = 18;
  std::vector<float> observation(rows * features), hidden(rows * 20), logit(rows * 5), again(rows * 5);
  for (size_t k = 0; k < observation.size(); ++k)
    observation[k] = static_cast<float>(std::sin(0.7 * static_cast<double>(k)));
  require_ok(swarmgrad_forward(engine.handle(), 0, rows, observation.data(), hidden.data(), logit.data()));
  require_ok(swarmgrad_forward(engine.handle(), 0, rows, observation.data(), nullptr, again.data()));
  CHECK(same_bits(logit, again));
  for (size_t row = 0; row < rows; ++row) {
    std::vector<double> x(observation.begin() + static_cast<ptrdiff_t>(row) * features,
                          observation.begin() + static_cast<ptrdiff_t>(row + 1) * features);
    size_t next = 0, unit = 0;
    for (const size_t width : {size_t{17}, size_t{3}, size_t{5}}) {
      std::vector<double> y(width);
      const float *weight = parameters.data() + next, *bias = weight + width * x.size();
      for (size_t o = 0; o < width; ++o) {
        y[o] = bias[o];
        for (size_t i = 0; i < x.size(); ++i) y[o] += weight[o * x.size() + i] * x[i];
        if (width == 5) {
          CHECK(logit[row * 5 + o] == doctest::Approx(y[o]).epsilon(2e-6));
        } else {
          y[o] = std::tanh(y[o]);
          CHECK(hidden[row * 20 + unit++] == doctest::Approx(y[o]).epsilon(2e-6));
        }
      }
      next += width * x.size() + width;
      x = y;
    }
  }
}
