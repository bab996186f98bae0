// Level-Based Foraging against a plain rewriting on a grid, over fields, players, sights and levels that nobody recorded.
#include <algorithm>
#include <array>
#include <map>
#include <random>

#include "engine_fixture.h"

using namespace swarmgrad_tests;

namespace {

constexpr int size_limit = 12;
constexpr int row_steps[] = {0, -1, 1, 0, 0, 0}, column_steps[] = {0, 0, 0, -1, 1, 0};

struct Rules {
  int size, players, foods, sight;
  double penalty;
  bool normalize, levels;

  std::vector<swarmgrad_value> values(bool mask, bool coop) const {
    return {{"size", static_cast<double>(size)},
            {"players", static_cast<double>(players)},
            {"foods", static_cast<double>(foods)},
            {"sight", static_cast<double>(sight)},
            {"coop", coop ? 1.0 : 0.0},
            {"penalty", penalty},
            {"normalize_reward", normalize ? 1.0 : 0.0},
            {"observe_agent_levels", levels ? 1.0 : 0.0},
            {"mask", mask ? 1.0 : 0.0}};
  }
};

// The game as one would write it down for one field: an array of food levels and a step that goes cell by cell.
struct Field {
  Rules rules;
  int food[size_limit][size_limit] = {};
  std::vector<std::array<int, 2>> player;
  std::vector<int> level;
  int spawned = 0;

  explicit Field(const Rules &r) : rules(r) {}

  void read(const Simulator &simulator) {
    std::fill(&food[0][0], &food[0][0] + size_limit * size_limit, 0);
    const std::vector<double> foods = simulator.get(0), positions = simulator.get(1), levels = simulator.get(2);
    for (size_t f = 0; f < foods.size(); f += 3)
      if (foods[f + 2] > 0)
        food[static_cast<int>(foods[f])][static_cast<int>(foods[f + 1])] = static_cast<int>(foods[f + 2]);
    player.clear();
    for (size_t k = 0; k < positions.size(); k += 2)
      player.push_back({static_cast<int>(positions[k]), static_cast<int>(positions[k + 1])});
    level.assign(levels.begin(), levels.end());
    spawned = static_cast<int>(simulator.get(3)[0]);
  }
  std::vector<double> foods() const {
    std::vector<double> list;
    for (int r = 0; r < rules.size; ++r)
      for (int c = 0; c < rules.size; ++c)
        if (food[r][c] > 0) list.insert(list.end(), {double(r), double(c), double(food[r][c])});
    while (list.size() < static_cast<size_t>(3 * rules.foods)) list.insert(list.end(), {-1, -1, 0});
    return list;
  }
  std::vector<double> positions() const {
    std::vector<double> list;
    for (const auto &p : player) list.insert(list.end(), {double(p[0]), double(p[1])});
    return list;
  }
  bool inside(int r, int c) const { return r >= 0 && r < rules.size && c >= 0 && c < rules.size; }

  bool is_valid(size_t p, int action) const {
    const auto [r, c] = player[p];
    if (action == 0) return true;
    if (action < 5)
      return inside(r + row_steps[action], c + column_steps[action]) &&
             food[r + row_steps[action]][c + column_steps[action]] == 0;
    for (int a = 1; a < 5; ++a)
      if (inside(r + row_steps[a], c + column_steps[a]) && food[r + row_steps[a]][c + column_steps[a]] > 0) return true;
    return false;
  }

  std::vector<double> step(std::vector<int32_t> action) {
    const size_t count = player.size();
    std::map<std::array<int, 2>, std::vector<size_t>> claims;
    for (size_t p = 0; p < count; ++p) {
      if (!is_valid(p, action[p])) action[p] = 0;
      claims[{player[p][0] + row_steps[action[p]], player[p][1] + column_steps[action[p]]}].push_back(p);
    }
    for (const auto &[cell, claimants] : claims)
      if (claimants.size() == 1) player[claimants[0]] = cell;
    std::vector<double> reward(count, 0.0);
    for (int r = 0; r < rules.size; ++r)
      for (int c = 0; c < rules.size; ++c) {
        std::vector<size_t> group;
        for (size_t p = 0; p < count; ++p)
          if (action[p] == 5 && std::abs(player[p][0] - r) + std::abs(player[p][1] - c) == 1) group.push_back(p);
        if (food[r][c] == 0 || group.empty()) continue;
        int strength = 0;
        for (const size_t p : group) strength += level[p];
        for (const size_t p : group)
          reward[p] += strength < food[r][c] ? -rules.penalty
                                             : static_cast<double>(level[p] * food[r][c]) /
                                                   (rules.normalize ? static_cast<double>(strength * spawned) : 1.0);
        if (strength >= food[r][c]) food[r][c] = 0;
      }
    return reward;
  }

  std::vector<float> observe(size_t p) const {
    const int sight = rules.sight == 0 ? rules.size : rules.sight;
    const int top = std::max(player[p][0] - sight, 0), left = std::max(player[p][1] - sight, 0);
    std::vector<float> seen;
    for (int r = top; r < std::min(player[p][0] + sight + 1, rules.size); ++r)
      for (int c = left; c < std::min(player[p][1] + sight + 1, rules.size); ++c)
        if (food[r][c] > 0) seen.insert(seen.end(), {float(r - top), float(c - left), float(food[r][c])});
    while (seen.size() < static_cast<size_t>(3 * rules.foods)) seen.insert(seen.end(), {-1, -1, 0});
    std::vector<size_t> order = {p};
    for (size_t other = 0; other < player.size(); ++other)
      if (other != p) order.push_back(other);
    for (const size_t other : order) {
      const int y = player[other][0] - player[p][0] + std::min(sight, player[p][0]);
      const int x = player[other][1] - player[p][1] + std::min(sight, player[p][1]);
      if (std::min(x, y) < 0 || std::max(x, y) > 2 * sight) continue;
      seen.insert(seen.end(), {float(y), float(x)});
      if (rules.levels) seen.push_back(float(level[other]));
    }
    while (seen.size() < static_cast<size_t>(3 * rules.foods + (rules.levels ? 3 : 2) * rules.players)) {
      seen.insert(seen.end(), {-1, -1});
      if (rules.levels) seen.push_back(0);
    }
    return seen;
  }
};

}  // namespace

TEST_CASE("foraging: whole episodes of a plain rewriting") {
  std::mt19937 random(7);
  const Rules cases[] = {{4, 9, 1, 1, 0.25, true, true}, {5, 8, 2, 2, 0, true, false},  {6, 5, 3, 3, 1.5, false, true},
                         {8, 2, 2, 0, 0, true, true},    {9, 9, 9, 2, 0.1, true, true}, {12, 16, 9, 4, 0, false, false},
                         {7, 1, 4, 1, 0.5, true, true}};
  int stacked = 0, lifted = 0, refused = 0;
  for (const Rules &rules : cases)
    for (const bool coop : {false, true}) {
      Simulator simulator("Foraging-8x8-2p-2f-v3", rules.values(false, coop));
      Simulator masked("Foraging-8x8-2p-2f-v3", rules.values(true, coop));
      Field field(rules);
      for (uint32_t episode = 0; episode < 12; ++episode) {
        simulator.reset(episode, 3);
        field.read(simulator);
        for (int step = 0; step < 50; ++step) {
          for (int k = 0; k < masked.field_count(); ++k) masked.set(k, simulator.get(k));
          std::vector<int32_t> action;
          for (int p = 0; p < rules.players; ++p) {
            std::vector<float> observation(field.observe(static_cast<size_t>(p)).size());
            require_ok(swarmgrad_simulator_observe(simulator.handle(), p, observation.data(), nullptr));
            REQUIRE(observation == field.observe(static_cast<size_t>(p)));
            uint8_t mask[6];
            require_ok(swarmgrad_simulator_observe(masked.handle(), p, observation.data(), mask));
            for (int a = 0; a < 6; ++a) REQUIRE((mask[a] == 1) == field.is_valid(static_cast<size_t>(p), a));
            const bool loads = mask[5] == 1 && random() % 2 == 0;
            action.push_back(loads ? 5 : static_cast<int32_t>(random() % 6));
          }
          const std::vector<float> reward = simulator.step(action);
          const std::vector<double> expected = field.step(action);
          for (size_t p = 0; p < expected.size(); ++p) {
            REQUIRE(reward[p] == doctest::Approx(expected[p]).epsilon(1e-6));
            lifted += expected[p] > 0 ? 1 : 0;
            refused += expected[p] < 0 ? 1 : 0;
          }
          REQUIRE(simulator.get(0) == field.foods());
          REQUIRE(simulator.get(1) == field.positions());
          REQUIRE(simulator.done == (field.foods()[2] == 0));
          auto sorted = field.player;
          std::sort(sorted.begin(), sorted.end());
          stacked += std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end() ? 1 : 0;
          if (simulator.done) break;
        }
      }
    }
  // The random episodes meet what they are there for.
  CHECK(stacked > 100);
  CHECK(lifted > 100);
  CHECK(refused > 100);
}

TEST_CASE("foraging: starts keep the distances and levels of the rules") {
  const Rules rules = {7, 3, 4, 0, 0, true, true};
  for (const bool coop : {false, true}) {
    Simulator simulator("Foraging-8x8-2p-2f-v3", rules.values(false, coop));
    std::map<int, int> cells, levels;
    int placed = 0;
    for (uint32_t e = 0; e < 3000; ++e) {
      simulator.reset(e, 1);
      const std::vector<double> food = simulator.get(0), level = simulator.get(2);
      double highest = 0, spawned = 0;
      for (const double l : level) highest += l;
      for (size_t f = 0; f < food.size() && food[f + 2] > 0; f += 3) {
        for (const size_t k : {f, f + 1}) REQUIRE((food[k] >= 1 && food[k] <= 5));
        REQUIRE(food[f + 2] <= highest);
        if (coop) REQUIRE(food[f + 2] == highest);
        for (size_t g = 0; g < f; g += 3)
          REQUIRE((food[f] - food[g]) * (food[f] - food[g]) +
                      (food[f + 1] - food[g + 1]) * (food[f + 1] - food[g + 1]) >
                  4);
        if (highest == 4) ++levels[static_cast<int>(food[f + 2])];
        spawned += food[f + 2];
        ++placed;
      }
      REQUIRE(simulator.get(3)[0] == spawned);
      const std::vector<double> positions = simulator.get(1);
      ++cells[static_cast<int>(positions[0] * 7 + positions[1])];
      for (size_t p = 0; p < 3; ++p)
        for (size_t q = 0; q < p; ++q)
          REQUIRE((positions[2 * p] != positions[2 * q] || positions[2 * p + 1] != positions[2 * q + 1]));
    }
    CHECK(placed > 3 * 3000);
    CHECK(placed < 4 * 3000);  // four foods do not always find room on 5 x 5 cells
    double chi_square = 0;
    for (int cell = 0; cell < 49; ++cell)
      chi_square += (cells[cell] - 3000 / 49.0) * (cells[cell] - 3000 / 49.0) / (3000 / 49.0);
    CHECK(chi_square < 84);  // 48 degrees of freedom: one in a thousand
    if (coop) continue;
    const double each = (levels[1] + levels[2] + levels[3] + levels[4]) / 4.0;
    chi_square = 0;
    for (int l = 1; l <= 4; ++l) chi_square += (levels[l] - each) * (levels[l] - each) / each;
    CHECK(chi_square < 16.3);  // 3 degrees of freedom
  }
}

TEST_CASE("foraging: a given highest level, and the three weakest of many players") {
  for (const double highest : {0.0, 5.0}) {
    Simulator simulator("Foraging-12x12-6p-3f-coop-v3",
                        {{"min_player_level", 2}, {"max_player_level", 9}, {"max_food_level", highest}});
    for (uint32_t e = 0; e < 50; ++e) {
      simulator.reset(e, 0);
      std::vector<double> level = simulator.get(2);
      std::sort(level.begin(), level.end());
      CHECK(level.front() >= 2);
      CHECK(level.back() <= 9);
      CHECK(simulator.get(0)[2] == (highest > 0 ? highest : level[0] + level[1] + level[2]));
    }
  }
}
