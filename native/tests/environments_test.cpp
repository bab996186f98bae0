// The environments through simulators and records: rules against plain rewritings, starting states, early ends.
#include <cmath>
#include <map>
#include <set>

#include "engine_fixture.h"

using namespace swarmgrad_tests;

namespace {

// The mean team return of each group in one training batch. Of two available actions the one further from `first`, going
// round, is always taken: its logit is higher by 200 or more, and exp(-200) is 0.
std::vector<double> certain_returns(const Setup &setup, int first, int64_t iteration) {
  Engine engine(setup);
  std::vector<float> values(static_cast<size_t>(engine.info().parameter_count), 0.0f);
  for (int g = 0; g < engine.group_count(); ++g) {
    const swarmgrad_group &group = engine.group(g);
    float *bias = values.data() + group.parameter_offset + group.observation_size * group.action_count;
    for (int a = 0; a < group.action_count; ++a)
      bias[a] = 200.0f * static_cast<float>((a + first) % group.action_count);
  }
  engine.write("parameters", values);
  engine.write("iteration", std::vector<int64_t>{iteration});
  std::vector<swarmgrad_statistics> statistics;
  engine.gradient(&statistics);
  std::vector<double> returns;
  for (const swarmgrad_statistics &s : statistics) returns.push_back(s.team_return_mean);
  return returns;
}

std::vector<double> simulated_returns(const Setup &setup, int first, int64_t iteration) {
  Simulator simulator(setup.environment, setup.parameters, setup.seed);
  std::vector<swarmgrad_group> groups;
  for (int g = 0; g < simulator.group_count(); ++g) groups.push_back(simulator.group(g));
  std::vector<double> sums(groups.size(), 0.0);
  for (int64_t e = 0; e < setup.environments; ++e) {
    simulator.reset(static_cast<uint32_t>(e), static_cast<uint32_t>(iteration));
    for (int step = 0; step < setup.horizon; ++step) {
      std::vector<int32_t> actions;
      for (const swarmgrad_group &group : groups)
        for (int agent = 0; agent < group.agent_count; ++agent) {
          std::vector<float> observation(static_cast<size_t>(group.observation_size));
          std::vector<uint8_t> mask(static_cast<size_t>(group.action_count));
          require_ok(swarmgrad_simulator_observe(simulator.handle(), group.first_agent + agent, observation.data(),
                                                 mask.data()));
          const bool lives = step == 0 || simulator.alive[static_cast<size_t>(group.first_agent + agent)] != 0;
          int best = -1;
          for (int a = 0; lives && a < group.action_count; ++a)
            if (mask[static_cast<size_t>(a)] != 0 &&
                (best < 0 || (a + first) % group.action_count > (best + first) % group.action_count))
              best = a;
          actions.push_back(best < 0 ? 0 : best);
        }
      const std::vector<float> reward = simulator.step(actions);
      for (size_t g = 0; g < groups.size(); ++g)
        for (int agent = 0; agent < groups[g].agent_count; ++agent)
          sums[g] += reward[static_cast<size_t>(groups[g].first_agent + agent)];
      if (simulator.done) break;
    }
  }
  for (double &sum : sums) sum /= static_cast<double>(setup.environments);
  return sums;
}

}  // namespace

TEST_CASE("a simulator plays the episodes of training, in every environment") {
  for (Setup setup : catalogue_setups()) {
    setup.hidden = {};
    for (const int first : {0, 2}) {
      CAPTURE(std::string(setup.environment));
      CAPTURE(first);
      const std::vector<double> expected = simulated_returns(setup, first, 3);
      const std::vector<double> found = certain_returns(setup, first, 3);
      REQUIRE(found.size() == expected.size());
      for (size_t g = 0; g < found.size(); ++g) CHECK(found[g] == doctest::Approx(expected[g]).epsilon(1e-12));
    }
  }
  Setup setup = catalogue_setups().front();
  CHECK(simulated_returns(setup, 1, 0) != simulated_returns(setup, 1, 1));
}

TEST_CASE("meeting: every transition and reward of the three rules") {
  for (int rule = 0; rule < 3; ++rule) {
    Simulator simulator("meeting", {{"reward", static_cast<double>(rule)}});
    for (int own = 0; own < 3; ++own)
      for (int other = 0; other < 3; ++other)
        for (int a = 0; a < 3; ++a)
          for (int b = 0; b < 3; ++b) {
            simulator.set(0, {static_cast<double>(own), static_cast<double>(other)});
            std::vector<float> observation(9);
            require_ok(swarmgrad_simulator_observe(simulator.handle(), 0, observation.data(), nullptr));
            for (int k = 0; k < 9; ++k)
              CHECK(observation[static_cast<size_t>(k)] == (k == own * 3 + other ? 1.0f : 0.0f));
            const std::vector<float> reward = simulator.step({a, b});
            const int cell[2] = {std::min(2, std::max(0, own + a - 1)), std::min(2, std::max(0, other + b - 1))};
            const int action[2] = {a, b};
            CHECK(simulator.get(0) == std::vector<double>{static_cast<double>(cell[0]), static_cast<double>(cell[1])});
            CHECK(!simulator.done);
            for (size_t i = 0; i < 2; ++i) {
              const size_t j = 1 - i;
              const double meet = cell[0] == cell[1] ? 1 : 0;
              const double expected = rule == 0   ? meet + (action[j] == 2 ? 0.7 : 0) - (cell[j] == 0 ? 0.3 : 0)
                                      : rule == 1 ? meet - 0.1 * ((a != 1) + (b != 1))
                                                  : 0.5 * cell[i] - (action[i] == 0 ? 0.2 : 0);
              CHECK(reward[i] == doctest::Approx(expected).epsilon(1e-6));
            }
          }
  }
}

TEST_CASE("meeting: start states by their probabilities") {
  Simulator simulator("meeting");
  constexpr int resets = 20000;
  std::map<std::vector<double>, int> count;
  for (uint32_t e = 0; e < resets; ++e) {
    simulator.reset(e, 7);
    ++count[simulator.get(0)];
  }
  const std::map<std::vector<double>, double> probability = {{{0, 2}, 0.5}, {{0, 1}, 0.3}, {{2, 1}, 0.2}};
  REQUIRE(count.size() == 3);
  double chi_square = 0;
  for (const auto &[cells, p] : probability) {
    const double expected = p * resets, difference = count[cells] - expected;
    chi_square += difference * difference / expected;
  }
  CHECK(chi_square < 13.8);  // 2 degrees of freedom: one in a thousand
}

TEST_CASE("simple_spread: starts are uniform and at rest") {
  Simulator simulator("simple_spread_v3", {{"agents", 5}});
  int buckets[10] = {};
  for (uint32_t e = 0; e < 2000; ++e) {
    simulator.reset(e, 0);
    for (const int field : {0, 2})
      for (const double value : simulator.get(field)) {
        REQUIRE(value >= -1);
        REQUIRE(value < 1);
        ++buckets[static_cast<int>((value + 1) * 5)];
      }
    for (const double value : simulator.get(1)) REQUIRE(value == 0);
  }
  double chi_square = 0;
  for (const int count : buckets) chi_square += (count - 4000.0) * (count - 4000.0) / 4000.0;
  CHECK(chi_square < 27.9);  // 9 degrees of freedom: one in a thousand
}

TEST_CASE("simple_spread: agents at the same point give numbers and exert no force on each other") {
  Simulator simulator("simple_spread_v3", {{"agents", 3}, {"local_ratio", 0.5}});
  simulator.set(0, {0.25, 0.5, 0.25, 0.5, 5, 5});
  simulator.set(1, {0, 0, 0, 0, 0, 0});
  const std::vector<float> reward = simulator.step({0, 0, 0});
  for (const float value : reward) CHECK(std::isfinite(value));
  for (const double value : simulator.get(1)) CHECK(value == 0);
  CHECK(simulator.get(0) == std::vector<double>{0.25, 0.5, 0.25, 0.5, 5, 5});
  CHECK(reward[0] == reward[1]);
  CHECK(reward[0] == doctest::Approx(reward[2] - 0.5));  // they collide, the third does not
  // Close to each other they part.
  simulator.set(0, {0.25, 0.5, 0.2500001, 0.5, 5, 5});
  simulator.step({0, 0, 0});
  CHECK(simulator.get(1)[0] < 0);
  CHECK(simulator.get(1)[2] > 0);
}

TEST_CASE("simple_spread: one agent alone") {
  Simulator simulator("simple_spread_v3", {{"agents", 1}});
  simulator.set(0, {0, 0});
  simulator.set(1, {1, 0});
  simulator.set(2, {3, 4});
  std::vector<float> observation(6);
  require_ok(swarmgrad_simulator_observe(simulator.handle(), 0, observation.data(), nullptr));
  CHECK(observation == std::vector<float>{1, 0, 0, 0, 3, 4});
  const std::vector<float> reward = simulator.step({4});
  CHECK(simulator.get(0)[0] == doctest::Approx(0.1));
  CHECK(simulator.get(1)[0] == doctest::Approx(0.75));
  CHECK(simulator.get(1)[1] == doctest::Approx(0.5));
  CHECK(reward[0] == doctest::Approx(-0.5 * std::hypot(2.9, 4.0)));
}

TEST_CASE("CartPole: ends where the rules say, and the ended episode stays silent") {
  Setup setup;
  setup.environment = "CartPole-v1";
  setup.environments = 40;
  Engine engine(setup);
  const Recording recording = engine.record();
  const Batch &batch = recording.groups[0];
  std::set<int32_t> lengths;
  for (int64_t e = 0; e < batch.environments; ++e) {
    const int length = batch.episode_length[static_cast<size_t>(e)];
    lengths.insert(length);
    REQUIRE(length >= 1);
    REQUIRE(length <= 500);
    // The recorded actions, replayed by the simulator from the recorded first observation, end at the same step.
    Simulator simulator("CartPole-v1");
    std::vector<double> start;
    for (int f = 0; f < 4; ++f) start.push_back(batch.observation[batch.element(0, 0, f, 4, e)]);
    for (const double value : start) CHECK(std::abs(value) <= 0.05);
    simulator.set(0, start);
    int disagreements = 0;
    for (int step = 0; step < length; ++step) {
      const std::vector<double> state = simulator.get(0);
      for (int f = 0; f < 4; ++f)
        disagreements += state[static_cast<size_t>(f)] != batch.observation[batch.element(step, 0, f, 4, e)];
      disagreements += std::abs(state[0]) > 2.4 || std::abs(state[2]) > 0.2095;
      const std::vector<float> reward = simulator.step({batch.action[batch.cell(step, 0, e)]});
      disagreements += reward[0] != 1 || batch.reward[batch.cell(step, 0, e)] != 1;
      disagreements += batch.alive[batch.cell(step, 0, e)] != 1 || simulator.done != (step + 1 == length);
      disagreements += simulator.alive[0] != (step + 1 < length);
    }
    const std::vector<double> end = simulator.get(0);
    CHECK((std::abs(end[0]) > 2.4 || std::abs(end[2]) > 0.2094));
    for (int step = length; step < batch.steps; ++step) {
      const size_t cell = batch.cell(step, 0, e);
      disagreements += batch.alive[cell] != 0 || batch.weight[cell] != 0 || batch.reward[cell] != 0 ||
                       batch.action[cell] != 0 || batch.log_probability[cell] != 0;
    }
    CHECK(disagreements == 0);
  }
  CHECK(lengths.size() > 5);
  CHECK(recording.statistics[0].team_return_mean == doctest::Approx(recording.statistics[0].episode_length_mean));
}

TEST_CASE("fields are read back as written, and integers take whole numbers only") {
  for (const Setup &setup : catalogue_setups()) {
    CAPTURE(std::string(setup.environment));
    Simulator simulator(setup.environment, setup.parameters);
    REQUIRE(simulator.field_count() >= 1);
    for (int k = 0; k < simulator.field_count(); ++k) {
      const swarmgrad_field field = simulator.field(k);
      if (field.is_chance != 0) continue;  // read back once a step has taken it
      std::vector<double> values = simulator.get(k);
      for (size_t i = 0; i < values.size(); ++i)
        values[i] = field.is_integer != 0 ? static_cast<double>(i % 3) : static_cast<double>(i) * 0.25 - 1;
      simulator.set(k, values);
      CHECK(simulator.get(k) == values);
      for (int other = 0; other < k; ++other) CHECK(!simulator.get(other).empty());
    }
  }
  Simulator meeting("meeting");
  const std::vector<double> fraction = {0, 1.5};
  CHECK(swarmgrad_simulator_set(meeting.handle(), 0, fraction.data()) == SWARMGRAD_INVALID_ARGUMENT);
  CHECK(swarmgrad_last_error() == std::string("cell[1] is 1.5; allowed: whole numbers up to 2.14748e+09"));
}

TEST_CASE("each group acts in its own way") {
  Setup setup;
  setup.environment = "simple_tag_v3";
  Engine engine(setup);
  engine.scramble_parameters();
  const std::vector<float> scrambled = engine.parameters();
  const auto play = [&](std::vector<int32_t> acting) {
    std::vector<swarmgrad_statistics> statistics(2);
    require_ok(swarmgrad_evaluate(engine.handle(), 0, 20, acting.data(), statistics.data()));
    return std::vector{statistics[0].team_return_mean, statistics[1].team_return_mean};
  };
  const int32_t sampled = SWARMGRAD_ACT_SAMPLED, greedy = SWARMGRAD_ACT_GREEDY, random = SWARMGRAD_ACT_RANDOM;
  const std::vector<double> random_prey = play({greedy, random}), random_hunters = play({random, greedy});
  CHECK(random_prey != random_hunters);
  CHECK(random_prey != play({greedy, greedy}));
  CHECK(random_prey != play({sampled, random}));
  for (int g = 0; g < 2; ++g) {
    // Equal logits draw what chance draws, and a random group's parameters are not asked for.
    std::vector<float> parameters = scrambled;
    const swarmgrad_group &group = engine.group(g);
    std::fill_n(parameters.begin() + group.parameter_offset, group.parameter_count, 0.0f);
    engine.write("parameters", parameters);
    for (const int32_t acting : {sampled, random})
      if (g == 0)
        CHECK(play({acting, greedy}) == random_hunters);
      else
        CHECK(play({greedy, acting}) == random_prey);
  }
}

TEST_CASE("environment parameters written between iterations are those of a new engine") {
  struct Change {
    const char *environment, *parameter;
    double value;
  };
  for (const Change &change : {Change{"simple_spread_v3", "local_ratio", 0.9}, Change{"penalty", "k", -2.5},
                               Change{"overcooked_cramped_room", "shaped_reward", 2}}) {
    CAPTURE(std::string(change.environment));
    Setup setup;
    setup.environment = change.environment;
    setup.horizon = 25;
    setup.baseline = SWARMGRAD_PREVIOUS_BATCH;
    Engine engine(setup);
    engine.train(1);
    setup.parameters = {{change.parameter, change.value}};
    Engine other(setup);
    const std::vector<double> parameters = other.read<double>("environment_parameters");
    CHECK(parameters != engine.read<double>("environment_parameters"));
    CHECK(std::find(parameters.begin(), parameters.end(), change.value) != parameters.end());
    const Recording before = engine.record();
    engine.write("environment_parameters", parameters);
    CHECK(engine.read<double>("environment_parameters") == parameters);
    other.restore(engine.checkpoint());
    const Recording after = engine.record(), expected = other.record();
    CHECK(same_bits(after.groups[0].reward, expected.groups[0].reward));
    CHECK(!same_bits(after.groups[0].reward, before.groups[0].reward));

    // A checkpoint holds them: an engine made without them goes on with the same bits.
    engine.train(1);
    setup.parameters = {};
    Engine resumed(setup);
    resumed.restore(engine.checkpoint());
    engine.train(2);
    resumed.train(2);
    other.train(3);
    CHECK(resumed.checkpoint() == engine.checkpoint());
    CHECK(other.checkpoint() == engine.checkpoint());
  }
}

TEST_CASE("evaluation plays the episodes it is asked for") {
  Setup setup;
  Engine engine(setup);
  engine.scramble_parameters();
  std::vector<swarmgrad_statistics> whole(1), part(1);
  require_ok(engine.evaluate(10, 20, SWARMGRAD_ACT_SAMPLED, whole.data()));
  CHECK(whole[0].episodes == 20);
  CHECK(whole[0].agent_steps == 20 * 25 * 3);
  CHECK(whole[0].gradient_norm == 0);
  double sum = 0, minimum = HUGE_VAL;
  for (int64_t e = 10; e < 30; ++e) {
    require_ok(engine.evaluate(e, 1, SWARMGRAD_ACT_SAMPLED, part.data()));
    sum += part[0].team_return_mean;
    minimum = std::min(minimum, part[0].team_return_minimum);
  }
  CHECK(whole[0].team_return_mean == doctest::Approx(sum / 20).epsilon(1e-12));
  CHECK(whole[0].team_return_minimum == minimum);
  require_ok(engine.evaluate(10, 20, SWARMGRAD_ACT_GREEDY, part.data()));
  CHECK(part[0].team_return_mean != whole[0].team_return_mean);
  // Chance does not look at the parameters.
  require_ok(engine.evaluate(10, 20, SWARMGRAD_ACT_RANDOM, whole.data()));
  engine.scramble_parameters(0.1);
  require_ok(engine.evaluate(10, 20, SWARMGRAD_ACT_RANDOM, part.data()));
  CHECK(whole[0].team_return_mean == part[0].team_return_mean);
  // It is what equal logits say.
  engine.scramble_parameters(0);
  require_ok(engine.evaluate(10, 20, SWARMGRAD_ACT_SAMPLED, part.data()));
  CHECK(whole[0].team_return_mean == part[0].team_return_mean);
  // The last episode there is.
  require_ok(engine.evaluate(2147483647, 1, SWARMGRAD_ACT_SAMPLED, part.data()));
}
