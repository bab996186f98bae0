// The MPE environments against a plain double-precision rewriting of their rules, for sizes that no recording has; where
// episodes start.
#include <algorithm>
#include <cmath>

#include "engine_fixture.h"

using namespace swarmgrad_tests;

namespace {

struct Body {
  double size, push, max_speed;  // no speed limit: infinity; landmarks: push 0
  bool movable, collides;
  double x = 0, y = 0, vx = 0, vy = 0;
};

// Any number of bodies, agents first, moved as the reference moves them.
struct World {
  std::vector<Body> bodies;

  void step(const std::vector<int32_t> &moves) {
    std::vector<double> fx(bodies.size()), fy(bodies.size());
    for (size_t i = 0; i < moves.size(); ++i) {
      fx[i] = bodies[i].push * (moves[i] == 2 ? 1 : moves[i] == 1 ? -1 : 0);
      fy[i] = bodies[i].push * (moves[i] == 4 ? 1 : moves[i] == 3 ? -1 : 0);
    }
    for (size_t a = 0; a < bodies.size(); ++a)
      for (size_t b = a + 1; b < bodies.size(); ++b) {
        if (!bodies[a].collides || !bodies[b].collides) continue;
        const double dx = bodies[a].x - bodies[b].x, dy = bodies[a].y - bodies[b].y, r = std::hypot(dx, dy);
        const double depth = (bodies[a].size + bodies[b].size - r) / 1e-3;
        const double size = 100 / r * 1e-3 * (std::max(depth, 0.0) + std::log1p(std::exp(-std::abs(depth))));
        fx[a] += size * dx;
        fy[a] += size * dy;
        fx[b] -= size * dx;
        fy[b] -= size * dy;
      }
    for (size_t i = 0; i < bodies.size(); ++i) {
      Body &body = bodies[i];
      if (!body.movable) continue;
      body.x += body.vx * 0.1;
      body.y += body.vy * 0.1;
      body.vx = body.vx * 0.75 + fx[i] * 0.1;
      body.vy = body.vy * 0.75 + fy[i] * 0.1;
      const double speed = std::hypot(body.vx, body.vy);
      if (speed <= body.max_speed) continue;
      body.vx *= body.max_speed / speed;
      body.vy *= body.max_speed / speed;
    }
  }
  double distance(size_t a, size_t b) const { return std::hypot(bodies[a].x - bodies[b].x, bodies[a].y - bodies[b].y); }
  bool touch(size_t a, size_t b) const { return distance(a, b) < bodies[a].size + bodies[b].size; }

  void read(const Simulator &simulator) {
    const std::vector<double> position = simulator.get(simulator.find("agent_pos")),
                              velocity = simulator.get(simulator.find("agent_vel")),
                              landmark = simulator.get(simulator.find("landmark_pos"));
    for (size_t i = 0; i < bodies.size(); ++i) {
      const bool agent = 2 * i < position.size();
      const double *from = agent ? &position[2 * i] : &landmark[2 * i - position.size()];
      bodies[i].x = from[0];
      bodies[i].y = from[1];
      bodies[i].vx = agent ? velocity[2 * i] : 0;
      bodies[i].vy = agent ? velocity[2 * i + 1] : 0;
    }
  }
};

void add_relative(std::vector<double> &observation, const Body &body, const Body &from) {
  observation.push_back(body.x - from.x);
  observation.push_back(body.y - from.y);
}

std::vector<float> observe(const Simulator &simulator, int agent, size_t size) {
  std::vector<float> observation(size, -77.0f);
  require_ok(swarmgrad_simulator_observe(simulator.handle(), agent, observation.data(), nullptr));
  return observation;
}

double largest_difference(const std::vector<float> &found, const std::vector<double> &expected) {
  REQUIRE(found.size() == expected.size());
  double largest = 0;
  for (size_t k = 0; k < found.size(); ++k) largest = std::max(largest, std::abs(found[k] - expected[k]));
  return largest;
}

// Plays crowded starts with all kinds of moves, each step from the simulator's own state, and compares what follows.
// rewards(world) and observation(world, agent) are the game's.
template <class Rewards, class Observe>
void compare(const char *id, const std::vector<swarmgrad_value> &parameters, World world, double crowding,
             Rewards rewards, Observe observation) {
  Simulator simulator(id, parameters);
  double position_error = 0, velocity_error = 0, reward_error = 0, observation_error = 0;
  int contacts = 0;
  for (uint32_t episode = 0; episode < 8; ++episode) {
    simulator.reset(episode, 0);
    for (const char *field : {"agent_pos", "landmark_pos"}) {
      std::vector<double> values = simulator.get(simulator.find(field));
      for (double &value : values) value *= crowding;
      simulator.set(simulator.find(field), values);
    }
    for (uint32_t step = 0; step < 25; ++step) {
      world.read(simulator);
      for (int agent = 0; agent < simulator.agents(); ++agent) {
        const std::vector<double> expected = observation(world, static_cast<size_t>(agent));
        observation_error =
            std::max(observation_error, largest_difference(observe(simulator, agent, expected.size()), expected));
      }
      std::vector<int32_t> moves;
      for (int agent = 0; agent < simulator.agents(); ++agent)
        moves.push_back(static_cast<int32_t>((episode * 7 + step * 3 + static_cast<uint32_t>(agent) * (step + 2)) % 5));
      for (size_t a = 0; a < moves.size(); ++a)
        for (size_t b = a + 1; b < world.bodies.size(); ++b) contacts += world.bodies[b].collides && world.touch(a, b);
      world.step(moves);
      const std::vector<float> reward = simulator.step(moves);
      World found = world;
      found.read(simulator);
      for (size_t i = 0; i < found.bodies.size(); ++i) {
        const Body &ours = found.bodies[i], &theirs = world.bodies[i];
        position_error = std::max({position_error, std::abs(ours.x - theirs.x), std::abs(ours.y - theirs.y)});
        velocity_error = std::max({velocity_error, std::abs(ours.vx - theirs.vx), std::abs(ours.vy - theirs.vy)});
      }
      reward_error = std::max(reward_error, largest_difference(reward, rewards(found)));
    }
  }
  CHECK(position_error < 1e-6);
  CHECK(velocity_error < 1e-4);  // the contact force is stiff: 1e-7 of distance is 1e-5 of force in each contact
  CHECK(reward_error < 1e-4);
  CHECK(observation_error < 1e-6);
  if (simulator.agents() > 1) CHECK(contacts >= 8);  // every episode began with one
}

double outside(double v) { return v < 0.9 ? 0 : v < 1 ? (v - 0.9) * 10 : std::min(std::exp(2 * v - 2), 10.0); }

void compare_tag(size_t goods, size_t adversaries, size_t obstacles, double crowding) {
  CAPTURE(goods);
  CAPTURE(adversaries);
  CAPTURE(obstacles);
  World world;
  world.bodies.insert(world.bodies.end(), adversaries, {0.075, 3, 1, true, true});
  world.bodies.insert(world.bodies.end(), goods, {0.05, 4, 1.3, true, true});
  world.bodies.insert(world.bodies.end(), obstacles, {0.2, 0, HUGE_VAL, false, true});
  const size_t agents = adversaries + goods;
  compare(
      "simple_tag_v3",
      {{"num_good", static_cast<double>(goods)},
       {"num_adversaries", static_cast<double>(adversaries)},
       {"num_obstacles", static_cast<double>(obstacles)}},
      world, crowding,
      [=](const World &w) {
        std::vector<double> reward(agents);
        for (size_t good = adversaries; good < agents; ++good) {
          for (size_t adversary = 0; adversary < adversaries; ++adversary) {
            if (!w.touch(good, adversary)) continue;
            reward[good] -= 10;
            for (size_t k = 0; k < adversaries; ++k) reward[k] += 10;
          }
          reward[good] -= outside(std::abs(w.bodies[good].x)) + outside(std::abs(w.bodies[good].y));
        }
        return reward;
      },
      [=](const World &w, size_t agent) {
        const Body &own = w.bodies[agent];
        std::vector<double> observation = {own.vx, own.vy, own.x, own.y};
        for (size_t o = agents; o < w.bodies.size(); ++o) add_relative(observation, w.bodies[o], own);
        for (size_t other = 0; other < agents; ++other)
          if (other != agent) add_relative(observation, w.bodies[other], own);
        for (size_t good = adversaries; good < agents; ++good)
          if (good != agent) observation.insert(observation.end(), {w.bodies[good].vx, w.bodies[good].vy});
        return observation;
      });
}

void compare_spread(size_t agents, double local_ratio, double crowding) {
  CAPTURE(agents);
  World world;
  world.bodies.insert(world.bodies.end(), agents, {0.15, 5, HUGE_VAL, true, true});
  world.bodies.insert(world.bodies.end(), agents, {0.05, 0, HUGE_VAL, false, false});
  compare(
      "simple_spread_v3", {{"agents", static_cast<double>(agents)}, {"local_ratio", local_ratio}}, world, crowding,
      [=](const World &w) {
        double coverage = 0;
        for (size_t l = agents; l < 2 * agents; ++l) {
          double nearest = HUGE_VAL;
          for (size_t a = 0; a < agents; ++a) nearest = std::min(nearest, w.distance(a, l));
          coverage -= nearest;
        }
        std::vector<double> reward;
        for (size_t a = 0; a < agents; ++a) {
          int collisions = 0;
          for (size_t b = 0; b < agents; ++b) collisions += a != b && w.touch(a, b);
          reward.push_back(coverage * (1 - local_ratio) - collisions * local_ratio);
        }
        return reward;
      },
      [=](const World &w, size_t agent) {
        const Body &own = w.bodies[agent];
        std::vector<double> observation = {own.vx, own.vy, own.x, own.y};
        for (size_t l = agents; l < 2 * agents; ++l) add_relative(observation, w.bodies[l], own);
        for (size_t other = 0; other < agents; ++other)
          if (other != agent) add_relative(observation, w.bodies[other], own);
        observation.resize(6 * agents);
        return observation;
      });
}

// Pearson's statistic of values that should be uniform in (-half_width, half_width), over ten cells.
double chi_square(const std::vector<double> &values, double half_width) {
  int cells[10] = {};
  for (const double value : values) {
    REQUIRE(std::abs(value) <= half_width);
    ++cells[std::min(9, static_cast<int>((value / half_width + 1) * 5))];
  }
  const double expected = static_cast<double>(values.size()) / 10;
  double sum = 0;
  for (const int count : cells) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

// All values of a field over many starts.
std::vector<double> starts(const char *id, const std::vector<swarmgrad_value> &parameters, const char *field) {
  Simulator simulator(id, parameters);
  std::vector<double> all;
  for (uint32_t e = 0; e < 2000; ++e) {
    simulator.reset(e, 3);
    const std::vector<double> values = simulator.get(simulator.find(field));
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

constexpr double one_in_a_thousand = 27.9;  // of Pearson's statistic with 9 degrees of freedom

}  // namespace

TEST_CASE("simple_tag: any numbers of agents and obstacles move, see and are rewarded by the rules") {
  compare_tag(1, 1, 0, 0.05);
  compare_tag(1, 3, 2, 0.3);
  compare_tag(3, 5, 4, 0.5);
  compare_tag(4, 2, 7, 0.9);
  compare_tag(2, 20, 1, 1.0);
}

TEST_CASE("simple_spread: any number of agents moves, sees and is rewarded by the rules") {
  compare_spread(1, 0.5, 1);
  compare_spread(2, 0, 0.1);
  compare_spread(7, 1, 0.5);
  compare_spread(12, 0.3, 1);
}

TEST_CASE("simple_tag: obstacles stay, speeds are limited, the square is left at a price") {
  Simulator simulator("simple_tag_v3", {{"num_good", 1}, {"num_adversaries", 1}, {"num_obstacles", 1}});
  const int position = simulator.find("agent_pos"), velocity = simulator.find("agent_vel"),
            obstacle = simulator.find("landmark_pos");
  simulator.set(position, {0.1, 0.2, 5, -0.95});
  simulator.set(velocity, {0, 0, 0, 9});
  simulator.set(obstacle, {0.2, 0.2});
  const std::vector<float> reward = simulator.step({0, 4});
  CHECK(simulator.get(obstacle)[0] == doctest::Approx(0.2));
  CHECK(simulator.get(obstacle)[1] == doctest::Approx(0.2));
  const std::vector<double> after = simulator.get(velocity);
  CHECK(std::hypot(after[0], after[1]) == doctest::Approx(1.0));
  CHECK(std::hypot(after[2], after[3]) == doctest::Approx(1.3));
  CHECK(after[0] == doctest::Approx(-1));  // 0.175 deep in the obstacle: pushed out at 1.75
  CHECK(reward[0] == 0);
  CHECK(reward[1] == doctest::Approx(-10));  // x = 5 costs the most there is, y = -0.05 nothing
  simulator.set(position, {3, 3, 0.95, -1.25});
  simulator.set(velocity, {0, 0, 0, 0});
  CHECK(simulator.step({0, 0})[1] == doctest::Approx(-0.5 - std::exp(0.5)));
}

TEST_CASE("simple_tag: two bodies at the same point give numbers") {
  Simulator simulator("simple_tag_v3");
  simulator.set(simulator.find("agent_pos"), {0.5, 0.5, 0.5, 0.5, 3, 3, 0.25, 0.25});
  simulator.set(simulator.find("landmark_pos"), {0.25, 0.25, -3, -3});
  for (const float value : simulator.step({0, 0, 0, 0})) CHECK(std::isfinite(value));
  for (const double value : simulator.get(simulator.find("agent_vel"))) CHECK(std::isfinite(value));
}

TEST_CASE("simple_speaker_listener: the word is heard in its own step, only the listener walks") {
  Simulator simulator("simple_speaker_listener_v4");
  simulator.reset(0, 0);
  CHECK(simulator.get(simulator.find("agent_comm")) == std::vector<double>(6));
  simulator.set(simulator.find("agent_pos"), {0.5, 0.5, -0.25, 0.75});
  simulator.set(simulator.find("agent_vel"), {0, 0, 1, 0});
  simulator.set(simulator.find("landmark_pos"), {0, 0, 1, 1, -1, 2});
  simulator.set(simulator.find("goal_landmark"), {2});
  CHECK(observe(simulator, 0, 3) == std::vector<float>{0.15f, 0.15f, 0.65f});
  const std::vector<float> reward = simulator.step({1, 3});
  CHECK(simulator.get(simulator.find("agent_pos"))[0] == 0.5);
  CHECK(simulator.get(simulator.find("agent_vel"))[0] == 0);
  const std::vector<double> expected = {0.75, -0.5, 0.15, -0.75, 1.15, 0.25, -0.85, 1.25, 0, 1, 0};
  CHECK(largest_difference(observe(simulator, 1, 11), expected) < 1e-6);
  for (const float value : reward) CHECK(value == doctest::Approx(-(0.85 * 0.85 + 1.25 * 1.25)));
}

TEST_CASE("simple_reference: every action is a move and a word, each sees the other's goal") {
  Simulator simulator("simple_reference_v3", {{"local_ratio", 0.25}});
  const int position = simulator.find("agent_pos"), velocity = simulator.find("agent_vel");
  simulator.set(simulator.find("landmark_pos"), {0, 0, 1, 1, -1, 2});
  simulator.set(simulator.find("goal_landmark"), {1, 0});
  for (int action = 0; action < 50; ++action) {
    CAPTURE(action);
    simulator.set(position, {0, 0, 3, 4});
    simulator.set(velocity, {0, 0, 0, 0});
    const std::vector<float> reward = simulator.step({action, 49 - action});
    const double moves[5][2] = {{0, 0}, {-0.5, 0}, {0.5, 0}, {0, -0.5}, {0, 0.5}};
    for (size_t agent = 0; agent < 2; ++agent) {
      const int taken = agent == 0 ? action : 49 - action, heard = (49 - taken) / 5;
      const double *move = moves[taken % 5];
      std::vector<double> expected = {move[0], move[1]};
      for (const double coordinate : {0, 0, 1, 1, -1, 2})
        expected.push_back(coordinate - (agent == 0 ? 0 : expected.size() % 2 == 0 ? 3 : 4));
      for (const int l : {0, 1, 2}) expected.push_back(l == (agent == 0 ? 1 : 0) ? 0.75 : 0.25);
      for (int w = 0; w < 10; ++w) expected.push_back(w == heard ? 1 : 0);
      CHECK(largest_difference(observe(simulator, static_cast<int>(agent), 21), expected) < 1e-6);
    }
    // Agent 1 is to reach (1, 1) from (3, 4), agent 0 is where it should be.
    const double local[2] = {-std::hypot(2, 3), 0};
    for (size_t agent = 0; agent < 2; ++agent)
      CHECK(reward[agent] == doctest::Approx(0.75 * (local[0] + local[1]) / 2 + 0.25 * local[agent]));
  }
}

TEST_CASE("starts are uniform, at rest and silent") {
  CHECK(chi_square(starts("simple_tag_v3", {}, "agent_pos"), 1) < one_in_a_thousand);
  CHECK(chi_square(starts("simple_tag_v3", {}, "landmark_pos"), 0.9) < one_in_a_thousand);
  for (const char *id : {"simple_speaker_listener_v4", "simple_reference_v3"})
    for (const char *field : {"agent_pos", "landmark_pos"})
      CHECK(chi_square(starts(id, {}, field), 1) < one_in_a_thousand);
  for (const char *id : {"simple_tag_v3", "simple_speaker_listener_v4", "simple_reference_v3"})
    for (const double value : starts(id, {}, "agent_vel")) REQUIRE(value == 0);
  for (const char *id : {"simple_speaker_listener_v4", "simple_reference_v3"}) {
    for (const double value : starts(id, {}, "agent_comm")) REQUIRE(value == 0);
    const std::vector<double> goals = starts(id, {}, "goal_landmark");
    const double expected = static_cast<double>(goals.size()) / 3;
    double sum = 0;
    for (const double goal : {0, 1, 2}) {
      const double difference = static_cast<double>(std::count(goals.begin(), goals.end(), goal)) - expected;
      sum += difference * difference / expected;
    }
    CHECK(sum < 13.8);  // 2 degrees of freedom: one in a thousand
  }
}
