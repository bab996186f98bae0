// The matrix games: the payoff of every joint action, the equilibria they are known for, what players see of the past.
#include <cmath>
#include <functional>
#include <set>

#include "engine_fixture.h"

using namespace swarmgrad_tests;

namespace {

using Actions = std::vector<int32_t>;

// Calls visit(actions) for every joint action.
void for_each_joint_action(int players, int count, const std::function<void(const Actions &)> &visit) {
  Actions actions(static_cast<size_t>(players));
  for (size_t digit = 0; digit < actions.size();) {
    visit(actions);
    for (digit = 0; digit < actions.size() && ++actions[digit] == count; ++digit) actions[digit] = 0;
  }
}

// Checks every payoff against payoff(actions, player) and returns the pure Nash equilibria.
std::set<Actions> play(const char *id, const std::vector<swarmgrad_value> &parameters, int players, int count,
                       const std::function<double(const Actions &, size_t)> &payoff) {
  Simulator simulator(id, parameters);
  REQUIRE(simulator.agents() == players);
  std::set<Actions> equilibria;
  for_each_joint_action(players, count, [&](const Actions &actions) {
    simulator.reset(0, 0);
    const std::vector<float> reward = simulator.step(actions);
    bool stable = true;
    for (size_t player = 0; player < actions.size(); ++player) {
      CHECK(reward[player] == doctest::Approx(payoff(actions, player)).epsilon(1e-7));
      Actions other = actions;
      for (other[player] = 0; other[player] < count; ++other[player])
        stable &= payoff(other, player) <= payoff(actions, player);
    }
    if (stable) equilibria.insert(actions);
  });
  return equilibria;
}

std::vector<float> observe(const Simulator &simulator, int player, size_t size) {
  std::vector<float> observation(size, -77.0f);
  require_ok(swarmgrad_simulator_observe(simulator.handle(), player, observation.data(), nullptr));
  return observation;
}

}  // namespace

TEST_CASE("climbing") {
  const double table[3][3] = {{11, -30, 0}, {-30, 7, 6}, {0, 0, 5}};
  CHECK(play("climbing", {}, 2, 3, [&](const Actions &a, size_t) { return table[a[0]][a[1]]; }) ==
        std::set<Actions>{{0, 0}, {1, 1}});
}

TEST_CASE("penalty") {
  for (const double k : {-100.0, -2.5, 0.0}) {
    const double table[3][3] = {{10, 0, k}, {0, 2, 0}, {k, 0, 10}};
    const std::vector<swarmgrad_value> parameters =
        k == -100 ? std::vector<swarmgrad_value>{} : std::vector<swarmgrad_value>{{"k", k}};
    CHECK(play("penalty", parameters, 2, 3, [&](const Actions &a, size_t) { return table[a[0]][a[1]]; }) ==
          std::set<Actions>{{0, 0}, {1, 1}, {2, 2}});
  }
}

TEST_CASE("prisoner's dilemma") {
  const double table[2][2] = {{3, 0}, {5, 1}};
  for (const int players : {2, 3, 5})
    CHECK(play("prisoners_dilemma", {{"players", static_cast<double>(players)}}, players, 2,
               [&](const Actions &a, size_t own) {
                 double sum = 0;
                 for (size_t other = 0; other < a.size(); ++other) sum += other == own ? 0 : table[a[own]][a[other]];
                 return sum / (players - 1);
               }) == std::set<Actions>{Actions(static_cast<size_t>(players), 1)});
}

TEST_CASE("stag hunt") {
  for (const int players : {2, 3, 5})
    CHECK(play("stag_hunt", {{"players", static_cast<double>(players)}}, players, 2, [&](const Actions &a, size_t own) {
            return a[own] == 1 ? 3.0 : a == Actions(static_cast<size_t>(players), 0) ? 4.0 : 0.0;
          }) == std::set<Actions>{Actions(static_cast<size_t>(players), 0), Actions(static_cast<size_t>(players), 1)});
}

TEST_CASE("common interest") {
  const auto payoff = [](const Actions &a, size_t) { return a == Actions(a.size(), a[0]) ? a[0] + 1.0 : 0.0; };
  CHECK(play("common_interest", {}, 2, 2, payoff) == std::set<Actions>{{0, 0}, {1, 1}});
  CHECK(play("common_interest", {{"players", 3}, {"actions", 2}}, 3, 2, payoff) ==
        std::set<Actions>{{0, 0, 0}, {1, 1, 1}});
  const std::set<Actions> equilibria = play("common_interest", {{"players", 4}, {"actions", 3}}, 4, 3, payoff);
  CHECK(equilibria.count({2, 2, 2, 2}) == 1);
  CHECK(equilibria.count({0, 0, 1, 1}) == 1);
  CHECK(equilibria.count({0, 1, 1, 1}) == 0);
}

TEST_CASE("every player is a group, and sees all last actions, its own first") {
  Simulator once("climbing");
  CHECK(observe(once, 1, 1) == std::vector<float>{1});
  Simulator simulator("stag_hunt", {{"players", 3}, {"rounds", 4}});
  int32_t groups = 0, horizon = 0;
  require_ok(swarmgrad_simulator_shape(simulator.handle(), &groups, nullptr, nullptr, &horizon));
  CHECK(groups == 3);
  CHECK(horizon == 4);
  for (int player = 0; player < 3; ++player) {
    swarmgrad_group group = {};
    group.size = sizeof group;
    require_ok(swarmgrad_simulator_group(simulator.handle(), player, &group));
    CHECK(group.name == "player_" + std::to_string(player));
    CHECK(group.agent_count == 1);
    CHECK(group.observation_size == 7);
    CHECK(group.action_count == 2);
    CHECK(observe(simulator, player, 7) == std::vector<float>{1, 0, 0, 0, 0, 0, 0});
  }
  simulator.step({1, 0, 0});
  CHECK(observe(simulator, 0, 7) == std::vector<float>{0, 0, 1, 1, 0, 1, 0});
  CHECK(observe(simulator, 1, 7) == std::vector<float>{0, 1, 0, 0, 1, 1, 0});
  CHECK(observe(simulator, 2, 7) == std::vector<float>{0, 1, 0, 0, 1, 1, 0});
  simulator.step({0, 1, 0});
  CHECK(observe(simulator, 2, 7) == std::vector<float>{0, 1, 0, 1, 0, 0, 1});
  simulator.reset(0, 1);
  CHECK(observe(simulator, 2, 7) == std::vector<float>{1, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("each player's gradient is that of its own expected payoff") {
  Setup setup;
  setup.hidden = {};
  setup.environments = 1 << 16;
  setup.weight = SWARMGRAD_TOTAL_RETURN;
  // With all parameters 0, everyone plays uniformly: d/d logit of the expected payoff is (payoff of the action - mean) / count.
  const std::vector<std::pair<const char *, std::vector<double>>> games = {
      {"climbing", {-19.0 / 3, -17.0 / 3, 5.0 / 3, -19.0 / 3, -23.0 / 3, 11.0 / 3}},
      {"prisoners_dilemma", {1.5, 3, 1.5, 3}},
      {"stag_hunt", {2, 3, 2, 3}}};
  for (const auto &[id, payoff] : games) {
    setup.environment = id;
    Engine engine(setup);
    engine.write("parameters", std::vector<float>(static_cast<size_t>(engine.info().parameter_count)));
    const std::vector<float> gradient = engine.gradient();
    const size_t count = payoff.size() / 2;
    REQUIRE(gradient.size() == 4 * count);  // of each player: weights of the one constant feature, biases
    for (size_t player = 0; player < 2; ++player)
      for (size_t a = 0; a < count; ++a) {
        double mean = 0;
        for (size_t k = 0; k < count; ++k) mean += payoff[player * count + k] / static_cast<double>(count);
        const double expected = (payoff[player * count + a] - mean) / static_cast<double>(count);
        // Payoffs are below 30, so the standard error is below 30 / 256.
        CHECK(std::abs(gradient[2 * player * count + a] - expected) < 0.4);
        CHECK(gradient[2 * player * count + count + a] == gradient[2 * player * count + a]);
      }
  }
}

TEST_CASE("learning ends in the equilibrium that exact gradient ascent reaches") {
  Setup setup;
  setup.environment = "climbing";
  setup.hidden = {};
  setup.environments = 256;
  setup.weight = SWARMGRAD_TOTAL_RETURN;
  setup.baseline = SWARMGRAD_LEAVE_ONE_OUT;
  setup.optimizer = SWARMGRAD_SGD;
  Engine engine(setup);
  engine.write("parameters", std::vector<float>(static_cast<size_t>(engine.info().parameter_count)));
  engine.train(20000, 0.1);
  std::vector<swarmgrad_statistics> statistics(2);
  require_ok(engine.evaluate(0, 100, SWARMGRAD_ACT_GREEDY, statistics.data()));
  for (const swarmgrad_statistics &player : statistics) CHECK(player.team_return_mean == 7);
}
