// The warehouse against a plain rewriting, from crowded positions that no recording reaches: who moves, carried shelves,
// deliveries and rewards, observations; and what is drawn.
#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "engine_fixture.h"

using namespace swarmgrad_tests;

namespace {

using Cell = std::array<int, 2>;  // x, y
enum { up, down, left, right };
enum { nothing, forward, turn_left, turn_right, toggle };
enum { individual, global, two_stage };

struct Robot {
  Cell cell;
  int direction, shelf, has_delivered;
};

// The game as one would write it down for one warehouse: the rule of movement as a graph of cells.
struct Warehouse {
  int rows, columns, column_height, sensor_range, reward_type;
  std::vector<Robot> robot;
  std::vector<Cell> shelf;  // by id - 1
  std::vector<int> queue;

  int width() const { return 3 * columns + 1; }
  int height() const { return (column_height + 1) * rows + 2; }
  Cell goal(int k) const { return {width() / 2 - 1 + k, height() - 1}; }
  bool is_highway(Cell cell) const {
    const auto [x, y] = cell;
    const bool to_goals = y > height() - (column_height + 3) && (x == goal(0)[0] || x == goal(1)[0]);
    return x % 3 == 0 || y % (column_height + 1) == 0 || y == height() - 1 || to_goals;
  }
  int robot_at(Cell cell) const {
    for (size_t k = 0; k < robot.size(); ++k)
      if (robot[k].cell == cell) return static_cast<int>(k);
    return -1;
  }
  int shelf_at(Cell cell) const {
    for (size_t k = 0; k < shelf.size(); ++k)
      if (shelf[k] == cell) return static_cast<int>(k) + 1;
    return 0;
  }
  bool is_requested(int id) const { return std::find(queue.begin(), queue.end(), id) != queue.end(); }

  Cell ahead(const Robot &r) const {
    Cell to = r.cell;
    if (r.direction == up) to[1] = std::max(0, to[1] - 1);
    if (r.direction == down) to[1] = std::min(height() - 1, to[1] + 1);
    if (r.direction == left) to[0] = std::max(0, to[0] - 1);
    if (r.direction == right) to[0] = std::min(width() - 1, to[0] + 1);
    return to;
  }

  // The robots on the longest path into a cell, the first of equal ones; only where no cycle is.
  std::vector<int> longest_path(const std::vector<Cell> &target, Cell end) const {
    std::vector<int> longest;
    for (size_t k = 0; k < robot.size(); ++k) {
      if (target[k] != end) continue;
      std::vector<int> path = longest_path(target, robot[k].cell);
      path.push_back(static_cast<int>(k));
      if (path.size() > longest.size()) longest = path;
    }
    return longest;
  }

  // The robots that the joint rule lets move, component by component.
  std::set<int> committed(const std::vector<Cell> &target) const {
    std::map<Cell, Cell> component;
    for (size_t k = 0; k < robot.size(); ++k) component[robot[k].cell] = component[target[k]] = {-1, -1};
    for (auto &entry : component) entry.second = entry.first;
    for (size_t round = 0; round <= robot.size(); ++round)
      for (size_t k = 0; k < robot.size(); ++k)
        component[robot[k].cell] = component[target[k]] = std::min(component[robot[k].cell], component[target[k]]);
    std::set<int> moving;
    std::set<Cell> names;
    for (const auto &entry : component) names.insert(entry.second);
    for (const Cell &name : names) {
      std::set<int> cycle;
      Cell sink = {-1, -1};
      for (const auto &entry : component)
        if (entry.second == name && robot_at(entry.first) < 0) sink = entry.first;
      for (size_t k = 0; k < robot.size(); ++k) {
        if (component[robot[k].cell] != name) continue;
        int next = static_cast<int>(k);
        for (size_t step = 0; step < robot.size() && next >= 0; ++step) {
          next = robot_at(target[static_cast<size_t>(next)]);
          if (next == static_cast<int>(k)) cycle.insert(next);
        }
      }
      if (cycle.empty()) {
        const std::vector<int> path = longest_path(target, sink);
        moving.insert(path.begin(), path.end());
      } else if (cycle.size() != 2) {
        moving.insert(cycle.begin(), cycle.end());
      }
    }
    return moving;
  }

  std::vector<float> step(const std::vector<int32_t> &action, const std::vector<int> &replacement) {
    std::vector<float> reward(robot.size(), 0.0f);
    std::vector<Cell> target;
    std::vector<int> under;
    for (size_t k = 0; k < robot.size(); ++k) {
      const Robot &r = robot[k];
      Cell to = action[k] == forward ? ahead(r) : r.cell;
      const int other = robot_at(to);
      if (r.shelf > 0 && to != r.cell && shelf_at(to) > 0 &&
          !(other >= 0 && robot[static_cast<size_t>(other)].shelf > 0))
        to = r.cell;
      target.push_back(to);
      under.push_back(shelf_at(r.cell));
    }
    const std::set<int> moving = committed(target);
    for (size_t k = 0; k < robot.size(); ++k) {
      Robot &r = robot[k];
      const int clockwise[] = {up, right, down, left};
      const int place = static_cast<int>(std::find(clockwise, clockwise + 4, r.direction) - clockwise);
      if (action[k] == forward && moving.count(static_cast<int>(k)) > 0) {
        r.cell = target[k];
        if (r.shelf > 0) shelf[static_cast<size_t>(r.shelf) - 1] = r.cell;
      } else if (action[k] == turn_left) {
        r.direction = clockwise[(place + 3) % 4];
      } else if (action[k] == turn_right) {
        r.direction = clockwise[(place + 1) % 4];
      } else if (action[k] == toggle && r.shelf == 0) {
        r.shelf = under[k];
      } else if (action[k] == toggle && !is_highway(r.cell)) {
        if (r.has_delivered != 0 && reward_type == two_stage) reward[k] += 0.5f;
        r.shelf = r.has_delivered = 0;
      }
    }
    std::vector<int> delivered;
    for (int k = 0; k < 2; ++k) {
      const int id = shelf_at(goal(k));
      if (id == 0 || !is_requested(id)) continue;
      int next = replacement[delivered.size()];
      if (is_requested(next)) next = delivered[0];
      *std::find(queue.begin(), queue.end(), id) = next;
      delivered.push_back(id);
      const size_t by = static_cast<size_t>(robot_at(goal(k)));
      if (reward_type == individual) reward[by] += 1;
      if (reward_type == two_stage) {
        reward[by] += 0.5f;
        robot[by].has_delivered = 1;
      }
      for (float &r : reward) r += reward_type == global ? 1.0f : 0.0f;
    }
    return reward;
  }

  std::vector<float> observation(size_t k) const {
    const Robot &r = robot[k];
    std::vector<float> out = {static_cast<float>(r.cell[0]), static_cast<float>(r.cell[1]), r.shelf > 0 ? 1.0f : 0.0f};
    const auto write_direction = [&](int direction) {
      for (int d = 0; d < 4; ++d) out.push_back(d == direction ? 1.0f : 0.0f);
    };
    write_direction(r.direction);
    out.push_back(is_highway(r.cell) ? 1.0f : 0.0f);
    for (int y = r.cell[1] - sensor_range; y <= r.cell[1] + sensor_range; ++y)
      for (int x = r.cell[0] - sensor_range; x <= r.cell[0] + sensor_range; ++x) {
        const int other = robot_at({x, y}), id = shelf_at({x, y});
        out.push_back(other >= 0 ? 1.0f : 0.0f);
        write_direction(other >= 0 ? robot[static_cast<size_t>(other)].direction : up);
        out.push_back(id > 0 ? 1.0f : 0.0f);
        out.push_back(id > 0 && is_requested(id) ? 1.0f : 0.0f);
      }
    return out;
  }

  // [robot][5], [shelf][2], [request]: the fields of the state
  std::vector<double> robots() const {
    std::vector<double> values;
    for (const Robot &r : robot)
      for (const int value : {r.cell[0], r.cell[1], r.direction, r.shelf, r.has_delivered}) values.push_back(value);
    return values;
  }
  std::vector<double> shelves() const {
    std::vector<double> values;
    for (const Cell &cell : shelf) values.insert(values.end(), {double(cell[0]), double(cell[1])});
    return values;
  }
  std::vector<double> requests() const { return {queue.begin(), queue.end()}; }
};

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  int below(int count) { return static_cast<int>(engine_() % static_cast<unsigned>(count)); }
  bool once_in(int count) { return below(count) == 0; }

 private:
  std::mt19937 engine_;
};

struct Case {
  int rows, columns, column_height, agents, sensor_range, reward_type, requests;
  std::vector<swarmgrad_value> values() const {
    return {{"shelf_rows", double(rows)},
            {"shelf_columns", double(columns)},
            {"column_height", double(column_height)},
            {"agents", double(agents)},
            {"sensor_range", double(sensor_range)},
            {"reward_type", double(reward_type)},
            {"request_queue_size", double(requests)}};
  }
};

// Robots crowd into a corner around the goals, many with a shelf.
Warehouse crowded(const Case &c, Random &random) {
  Warehouse w = {c.rows, c.columns, c.column_height, c.sensor_range, c.reward_type, {}, {}, {}};
  for (int y = 0; y < w.height(); ++y)
    for (int x = 0; x < w.width(); ++x)
      if (!w.is_highway({x, y})) w.shelf.push_back({x, y});
  std::vector<int> order(w.shelf.size());
  std::iota(order.begin(), order.end(), 1);
  for (size_t k = order.size(); k > 1; --k) std::swap(order[k - 1], order[static_cast<size_t>(random.below(int(k)))]);
  w.queue.assign(order.begin(), order.begin() + c.requests);
  const auto random_of = [&](const std::vector<int> &ids) {
    return ids[static_cast<size_t>(random.below(int(ids.size())))];
  };
  int side = 2;
  while (side * side < 2 * c.agents) ++side;
  while (w.robot.size() < static_cast<size_t>(c.agents)) {
    const Cell near_goals = {std::clamp(w.goal(0)[0] - side / 2 + random.below(side), 0, w.width() - 1),
                             std::clamp(w.height() - 1 - random.below(side), 0, w.height() - 1)};
    const Cell cell = w.robot.size() < 2 && random.once_in(2) ? w.goal(random.below(2)) : near_goals;
    if (w.robot_at(cell) >= 0) continue;
    int carried = 0;
    if (random.once_in(2)) {
      carried = w.shelf_at(cell);
      if (carried == 0) carried = random.once_in(2) ? random_of(w.queue) : random_of(order);
      for (const Robot &other : w.robot)
        if (carried > 0 && (other.shelf == carried || w.shelf[static_cast<size_t>(carried) - 1] == other.cell))
          carried = 0;
      if (carried > 0) w.shelf[static_cast<size_t>(carried) - 1] = cell;
    }
    w.robot.push_back({cell, random.below(4), carried, 0});
  }
  return w;
}

}  // namespace

TEST_CASE("rware: steps from crowded positions against a plain rewriting") {
  const Case cases[] = {{1, 3, 8, 2, 1, individual, 2},  {1, 3, 8, 8, 1, global, 8},
                        {2, 3, 8, 16, 1, two_stage, 16}, {1, 3, 3, 24, 2, two_stage, 5},
                        {3, 5, 8, 12, 3, individual, 6}, {2, 1, 4, 6, 5, two_stage, 3},
                        {1, 5, 2, 40, 1, individual, 9}, {2, 3, 5, 1, 4, global, 1}};
  Random random(7);
  int moved = 0, held = 0, rewarded = 0, doubly = 0;
  for (const Case &c : cases) {
    Simulator simulator("rware-tiny-2ag-v2", c.values());
    const int agents = simulator.find("agents"), shelves = simulator.find("shelves"),
              queue = simulator.find("request_queue"), chance = simulator.find("new_requests");
    for (int start = 0; start < 60; ++start) {
      Warehouse expected = crowded(c, random);
      simulator.reset(0, 0);
      simulator.set(agents, expected.robots());
      simulator.set(shelves, expected.shelves());
      simulator.set(queue, expected.requests());
      for (int step = 0; step < 12; ++step) {
        std::vector<int32_t> action;
        for (int k = 0; k < c.agents; ++k) action.push_back(random.once_in(3) ? random.below(5) : int{forward});
        std::vector<int> replacement;
        while (replacement.size() < 2) {
          const int id = 1 + random.below(int(expected.shelf.size()));
          if (!expected.is_requested(id)) replacement.push_back(id);
        }
        const Warehouse before = expected;
        const std::vector<float> reward = expected.step(action, replacement);
        simulator.set(chance, {double(replacement[0]), double(replacement[1])});
        CAPTURE(c.agents);
        CAPTURE(start);
        CAPTURE(step);
        REQUIRE(simulator.step(action) == reward);
        REQUIRE(simulator.get(agents) == expected.robots());
        REQUIRE(simulator.get(shelves) == expected.shelves());
        REQUIRE(simulator.get(queue) == expected.requests());
        for (int k = 0; k < c.agents; ++k) {
          std::vector<float> observation(expected.observation(0).size());
          require_ok(swarmgrad_simulator_observe(simulator.handle(), k, observation.data(), nullptr));
          REQUIRE(observation == expected.observation(static_cast<size_t>(k)));
        }
        int deliveries = 0;
        for (int k = 0; k < c.agents; ++k) {
          const Robot &from = before.robot[static_cast<size_t>(k)], &to = expected.robot[static_cast<size_t>(k)];
          moved += from.cell != to.cell;
          held += action[static_cast<size_t>(k)] == forward && from.cell == to.cell;
          rewarded += reward[static_cast<size_t>(k)] > 0;
        }
        for (int k = 0; k < c.requests; ++k)
          deliveries += before.queue[static_cast<size_t>(k)] != expected.queue[static_cast<size_t>(k)];
        doubly += deliveries == 2;
      }
    }
  }
  CHECK(moved > 5000);
  CHECK(held > 5000);
  CHECK(rewarded > 300);
  CHECK(doubly > 5);
}

TEST_CASE("rware: starts and replacements are distinct and uniform") {
  Simulator simulator("rware-tiny-4ag-v2");
  const int agents = simulator.find("agents"), queue = simulator.find("request_queue"),
            chance = simulator.find("new_requests");
  constexpr int starts = 20000;
  std::map<std::array<int, 2>, int> cells;  // by agent and cell
  std::map<int, int> directions, requests, replacements, pairs;
  for (int start = 0; start < starts; ++start) {
    simulator.reset(static_cast<uint32_t>(start), 0);
    const std::vector<double> robots = simulator.get(agents), ids = simulator.get(queue);
    std::set<int> taken;
    for (int k = 0; k < 4; ++k) {
      const int cell = int(robots[size_t(5 * k + 1)]) * 10 + int(robots[size_t(5 * k)]);
      taken.insert(cell);
      ++cells[{k, cell}];
      ++directions[int(robots[size_t(5 * k + 2)])];
    }
    REQUIRE(taken.size() == 4);
    const std::set<int> requested(ids.begin(), ids.end());
    REQUIRE(requested.size() == 4);
    for (const int id : requested) ++requests[id];
    simulator.step({0, 0, 0, 0});
    const std::vector<double> drawn = simulator.get(chance);
    for (const double id : drawn) {
      REQUIRE(requested.count(int(id)) == 0);
      ++replacements[int(id)];
    }
    ++pairs[drawn[0] == drawn[1]];
  }
  // Within 4.5 standard deviations of `share` of `draws`.
  const auto is_near = [](int count, double draws, double share) {
    return std::abs(count - draws * share) < 4.5 * std::sqrt(draws * share * (1 - share));
  };
  REQUIRE(cells.size() == 4 * 110);
  for (const auto &entry : cells) CHECK(is_near(entry.second, starts, 1.0 / 110));
  for (const auto &entry : directions) CHECK(is_near(entry.second, 4.0 * starts, 1.0 / 4));
  REQUIRE(requests.size() == 32);
  for (const auto &entry : requests) CHECK(is_near(entry.second, starts, 4.0 / 32));
  REQUIRE(replacements.size() == 32);
  for (const auto &entry : replacements) CHECK(is_near(entry.second, 2.0 * starts, 1.0 / 32));
  CHECK(is_near(pairs[1], starts, 1.0 / 28));
}

TEST_CASE("rware: sizes, difficulties and the ends of episodes") {
  const auto count = [](const char *id, const char *field) {
    const Simulator simulator(id);
    return simulator.field(simulator.find(field)).rows;
  };
  CHECK(count("rware-tiny-2ag-v2", "shelves") == 32);
  CHECK(count("rware-small-2ag-v2", "shelves") == 80);
  CHECK(count("rware-medium-2ag-v2", "shelves") == 144);
  CHECK(count("rware-large-2ag-v2", "shelves") == 224);
  CHECK(count("rware-tiny-5ag-v2", "request_queue") == 5);
  CHECK(count("rware-tiny-5ag-easy-v2", "request_queue") == 10);
  CHECK(count("rware-tiny-5ag-hard-v2", "request_queue") == 2);

  Simulator idle("rware-tiny-1ag-v2", {{"max_inactivity_steps", 3}});
  for (int step = 0; step < 3; ++step) {
    CHECK(!idle.done);
    idle.step({0});
  }
  CHECK(idle.done);

  for (const std::vector<swarmgrad_value> &impossible :
       {std::vector<swarmgrad_value>{{"shelf_columns", 2}}, {{"request_queue_size", 32}}, {{"agents", 111}}}) {
    const Simulator simulator("rware-tiny-2ag-v2", impossible);
    CHECK(swarmgrad_simulator_reset(simulator.handle(), 0, 0) == SWARMGRAD_ENVIRONMENT_FAILED);
    CHECK(std::string(swarmgrad_last_error()).find("shelf_columns must be odd") != std::string::npos);
  }
}
