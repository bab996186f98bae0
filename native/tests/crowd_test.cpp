// crowd against a plain rewriting, bit for bit, and its two ways of finding neighbours against each other.
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <tuple>

#include "engine_fixture.h"

using namespace swarmgrad_tests;

namespace {

struct Agent {
  float x, y, velocity_x, velocity_y, goal_x, goal_y;
  float nearest[8];
};
using Crowd = std::vector<Agent>;

struct Case {
  int agents, scenario;
  double density;

  std::vector<swarmgrad_value> values(bool all_pairs) const {
    return {{"agents", static_cast<double>(agents)},
            {"scenario", static_cast<double>(scenario)},
            {"density", density},
            {"neighbours", all_pairs ? 1.0 : 0.0}};
  }
};
const Case cases[] = {{2, 0, 0.8}, {33, 0, 2}, {90, 1, 1.5}, {121, 2, 2}};

Crowd read(const Simulator &simulator) {
  const auto field = [&](const char *name) { return simulator.get(simulator.find(name)); };
  const std::vector<double> position = field("agent_pos"), velocity = field("agent_vel"), goal = field("goal_pos"),
                            nearest = field("nearest");
  Crowd crowd(static_cast<size_t>(simulator.agents()));
  for (size_t i = 0; i < crowd.size(); ++i) {
    crowd[i] = {static_cast<float>(position[2 * i]),
                static_cast<float>(position[2 * i + 1]),
                static_cast<float>(velocity[2 * i]),
                static_cast<float>(velocity[2 * i + 1]),
                static_cast<float>(goal[2 * i]),
                static_cast<float>(goal[2 * i + 1]),
                {}};
    for (size_t s = 0; s < 8; ++s) crowd[i].nearest[s] = static_cast<float>(nearest[8 * i + s]);
  }
  return crowd;
}

// The walls are not part of the state: half the sides of the plane, as the scenario lays it out.
struct Walls {
  float x, y;

  explicit Walls(const Case &c) {
    const float area = static_cast<float>(c.agents) / static_cast<float>(c.density);
    y = std::sqrt(c.scenario == 0   ? area / (3.14159265f * 0.75f)
                  : c.scenario == 1 ? area / (2 * 1.6f * 2.0f)
                                    : area / (2 * 0.7f * 0.6f));
    x = c.scenario == 1 ? 2.0f * y : y;
  }
};

float to_goal(const Agent &a) {
  const float x = a.goal_x - a.x, y = a.goal_y - a.y;
  return std::sqrt(x * x + y * y);
}

// Eighths of the plane, counter-clockwise; walls bring agents onto the borders between them.
int sector_of(float x, float y) {
  const int quarter = y >= 0 ? (x >= 0 ? 0 : 1) : (x < 0 ? 2 : 3);
  const int sector = 2 * quarter + ((std::abs(y) > std::abs(x)) == (quarter % 2 == 0) ? 1 : 0);
  const double angle = std::atan2(static_cast<double>(y), static_cast<double>(x)) / std::atan(1.0);
  const double middle = std::remainder(angle - (sector + 0.5), 8);
  CHECK(std::abs(middle) <= 0.5 + 1e-9);
  return sector;
}

// One step as one would write it down for one crowd, every pair looked at; returns the rewards.
std::vector<float> step(Crowd &crowd, const Walls &walls, const std::vector<int32_t> &action) {
  const float diagonal = 0.70710678f;
  const float direction[8][2] = {{1, 0},  {diagonal, diagonal},   {0, 1},  {-diagonal, diagonal},
                                 {-1, 0}, {-diagonal, -diagonal}, {0, -1}, {diagonal, -diagonal}};
  std::vector<float> reward;
  for (size_t i = 0; i < crowd.size(); ++i) {
    Agent &a = crowd[i];
    const float before = to_goal(a);
    const float *towards = direction[(action[i] + 7) % 8], thrust = action[i] == 0 ? 0.0f : 0.75f;
    a.velocity_x = a.velocity_x * 0.5f + towards[0] * thrust;
    a.velocity_y = a.velocity_y * 0.5f + towards[1] * thrust;
    a.x = std::clamp(a.x + a.velocity_x * 0.25f, -walls.x, walls.x);
    a.y = std::clamp(a.y + a.velocity_y * 0.25f, -walls.y, walls.y);
    reward.push_back(before - to_goal(a));
  }
  // The order of the sums: by cell, row by row, then by index.
  std::vector<std::tuple<int, int, size_t>> order;
  for (size_t i = 0; i < crowd.size(); ++i)
    order.emplace_back(static_cast<int>((crowd[i].y + walls.y) * (1.0f / 1.28f)),
                       static_cast<int>((crowd[i].x + walls.x) * (1.0f / 1.28f)), i);
  std::sort(order.begin(), order.end());
  for (size_t i = 0; i < crowd.size(); ++i) {
    Agent &a = crowd[i];
    std::fill(a.nearest, a.nearest + 8, 1.25f);
    float push_x = 0, push_y = 0, collisions = 0;
    for (const auto &[row, column, j] : order) {
      const float x = a.x - crowd[j].x, y = a.y - crowd[j].y, squared = x * x + y * y;
      if (i == j || !(squared < 1.25f * 1.25f)) continue;
      const float distance = std::sqrt(squared);
      const auto sector = static_cast<size_t>(sector_of(-x, -y));
      a.nearest[sector] = std::min(a.nearest[sector], distance);
      if (!(squared < 0.5f * 0.5f)) continue;
      collisions += 1;
      if (distance == 0) continue;
      const float overlap = (0.5f - distance) / distance;
      push_x += x * overlap;
      push_y += y * overlap;
    }
    a.velocity_x += push_x * 2.5f;
    a.velocity_y += push_y * 2.5f;
    reward[i] -= collisions * 0.25f;
  }
  return reward;
}

std::vector<int32_t> random_actions(std::mt19937 &random, int agents) {
  std::vector<int32_t> action;
  for (int i = 0; i < agents; ++i) action.push_back(static_cast<int32_t>(random() % 9));
  return action;
}

}  // namespace

TEST_CASE("crowd: steps are those of the plain rewriting, bit for bit") {
  for (const Case &c : cases) {
    CAPTURE(c.agents);
    Simulator simulator("crowd", c.values(false));
    std::mt19937 random(7);
    int collisions = 0, differences = 0;
    for (uint32_t environment = 0; environment < 3; ++environment) {
      simulator.reset(environment, 0);
      for (int step = 0; step < 25; ++step) {
        Crowd expected = read(simulator);
        const std::vector<int32_t> action = random_actions(random, c.agents);
        const std::vector<float> reward = ::step(expected, Walls(c), action);
        CHECK(simulator.step(action) == reward);
        const Crowd found = read(simulator);
        for (size_t i = 0; i < found.size(); ++i) {
          const Agent &a = found[i], &b = expected[i];
          differences += a.x != b.x || a.y != b.y || a.velocity_x != b.velocity_x || a.velocity_y != b.velocity_y;
          differences += !std::equal(a.nearest, a.nearest + 8, b.nearest);
          collisions += *std::min_element(a.nearest, a.nearest + 8) < 0.5f;
        }
      }
    }
    CHECK(differences == 0);
    if (c.agents > 2) CHECK(collisions > 0);
  }
}

TEST_CASE("crowd: the grid finds what all pairs find, bit for bit") {
  for (const Case &c : cases) {
    Simulator grid("crowd", c.values(false)), all_pairs("crowd", c.values(true));
    std::mt19937 random(11);
    grid.reset(3, 1);
    all_pairs.reset(3, 1);
    for (int step = 0; step < 60; ++step) {
      const std::vector<int32_t> action = random_actions(random, c.agents);
      REQUIRE(grid.step(action) == all_pairs.step(action));
      for (int k = 0; k < grid.field_count(); ++k) REQUIRE(grid.get(k) == all_pairs.get(k));
    }
  }
  // And whole trainings.
  Setup setup;
  setup.environment = "crowd-crossing-40";
  Engine grid(setup);
  setup.parameters = {{"neighbours", 1}};
  Engine all_pairs(setup);
  grid.train(2);
  all_pairs.train(2);
  CHECK(grid.parameters() == all_pairs.parameters());
}

TEST_CASE("crowd: everyone starts alone in a place of its own within the walls, and has its goal there") {
  for (const Case &c : cases) {
    const Walls walls(c);
    Simulator simulator("crowd", c.values(false));
    for (uint32_t environment = 0; environment < 20; ++environment) {
      simulator.reset(environment, 0);
      for (const Agent &a : read(simulator)) {
        CHECK(std::max(std::abs(a.x), std::abs(a.goal_x)) <= walls.x * 1.0001f);
        CHECK(std::max(std::abs(a.y), std::abs(a.goal_y)) <= walls.y * 1.0001f);
        CHECK(to_goal(a) > 0.3f * walls.y);
        CHECK((a.velocity_x == 0 && a.velocity_y == 0));
      }
    }
  }
}

TEST_CASE("crowd: who stands outside the walls or in the same place is seen, and nobody gets a number that is none") {
  Simulator simulator("crowd", {{"agents", 3}});
  simulator.reset(0, 0);
  simulator.set(simulator.find("agent_pos"), {0.25, 0.25, 0.25, 0.25, -1e30, 1e30});
  simulator.set(simulator.find("agent_vel"), {0, 0, 0, 0, 0, 0});
  simulator.set(simulator.find("goal_pos"), {1, 1, 1, 1, -1, 1});
  const std::vector<float> reward = simulator.step({0, 0, 0});
  CHECK(reward[0] == -0.25f);
  CHECK(reward[1] == -0.25f);
  CHECK(std::isfinite(reward[2]) == false);  // the distance before the step is infinite: the engine reports it
  const Crowd crowd = read(simulator);
  CHECK(crowd[0].nearest[0] == 0);
  CHECK(crowd[0].velocity_x == 0);
  CHECK(crowd[2].x > -10);
}

TEST_CASE("crowd: a cell over its capacity stops the run and is named") {
  Setup setup;
  setup.environment = "crowd-corridor-100";
  setup.parameters = {{"cell_capacity", 1}};
  Engine engine(setup);
  const swarmgrad_rates rates = engine.rates_of(0.1);
  CHECK(swarmgrad_train(engine.handle(), 1, &rates, nullptr) == SWARMGRAD_ENVIRONMENT_FAILED);
  CHECK(std::string(swarmgrad_last_error()).find("a cell of the neighbour grid holds more agents than cell_capacity") !=
        std::string::npos);
}
