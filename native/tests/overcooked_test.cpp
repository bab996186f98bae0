// Overcooked against a plain rewriting in all five kitchens, from random states: hands, counters and pots in use.
#include <algorithm>
#include <random>

#include "engine_fixture.h"

using namespace swarmgrad_tests;

namespace {

constexpr double empty = 1, counter = 2, onion = 3, onion_pile = 4, plate = 5, plate_pile = 6, goal = 7, pot = 8,
                 dish = 9, cook_mark = 10;
enum Fields { position_field, direction_field, held_field, object_field, pot_field, step_field };
constexpr int step_x[] = {0, 0, 1, -1, 0, 0}, step_y[] = {-1, 1, 0, 0, 0, 0};

// Cells as the reference lists them.
struct Kitchen {
  const char *name;
  int height, width;
  std::vector<int> floor, pots, onions, plates, goals, cooks;
};
const Kitchen kitchens[] = {
    {"overcooked_cramped_room", 4, 5, {7, 11, 12, 13}, {2}, {5, 9}, {16}, {18}, {6, 8}},
    {"overcooked_coord_ring", 5, 5, {6, 8, 13, 16, 17, 18}, {3, 9}, {15, 21}, {10}, {22}, {7, 11}},
    {"overcooked_asymm_advantages",
     5,
     9,
     {10, 16, 19, 20, 21, 23, 24, 25, 28, 30, 33, 34},
     {22, 31},
     {9, 14},
     {39, 41},
     {12, 17},
     {29, 32}},
    {"overcooked_forced_coord", 5, 5, {6, 13, 16, 18}, {3, 9}, {5, 10}, {15}, {23}, {11, 8}},
    {"overcooked_counter_circuit",
     5,
     8,
     {9, 11, 12, 13, 14, 17, 22, 25, 26, 27, 28, 29},
     {3, 4},
     {35, 36},
     {16},
     {23},
     {10, 30}},
};

struct Game {
  const Kitchen &kitchen;
  std::vector<double> position, direction, held, object, status;
  int step_count = 0;

  Game(const Kitchen &k, const Simulator &s)
      : kitchen(k),
        position(s.get(position_field)),
        direction(s.get(direction_field)),
        held(s.get(held_field)),
        object(s.get(object_field)),
        status(s.get(pot_field)) {}

  size_t cell(double x, double y) const { return static_cast<size_t>(y * kitchen.width + x); }
  size_t cell_of(size_t cook) const { return cell(position[2 * cook], position[2 * cook + 1]); }
  size_t faced(size_t cook) const {
    const size_t d = static_cast<size_t>(direction[cook]);
    return cell(position[2 * cook] + step_x[d], position[2 * cook + 1] + step_y[d]);
  }
  double *pot_at(size_t where) {
    const auto found = std::find(kitchen.pots.begin(), kitchen.pots.end(), static_cast<int>(where));
    return found == kitchen.pots.end() ? nullptr : &status[static_cast<size_t>(found - kitchen.pots.begin())];
  }

  // Returns what is delivered; `shaping` gets each cook's own.
  double step(const std::vector<int32_t> &action, double (&shaping)[2]) {
    double delivered = 0;
    for (size_t c = 0; c < 2; ++c) {
      shaping[c] = 0;
      if (action[c] != 5) continue;
      double &there = object[faced(c)], &hand = held[c];
      if (double *pot_status = pot_at(faced(c))) {
        if (hand == onion && *pot_status > 20) {
          *pot_status -= 1;
          hand = empty;
          shaping[c] = 3;
        } else if (hand == plate && *pot_status == 0) {
          *pot_status = 23;
          hand = dish;
          shaping[c] = 5;
        }
      } else if (there == onion_pile && hand == empty) {
        hand = onion;
      } else if (there == plate_pile && hand == empty) {
        hand = plate;
      } else if ((there == onion || there == plate || there == dish) && hand == empty) {
        hand = there;
        there = counter;
      } else if (there == counter && hand != empty) {
        there = hand;
        hand = empty;
      } else if (there == goal && hand == dish) {
        hand = empty;
        delivered += 20;
      }
    }
    const std::vector<double> before = position;
    std::vector<double> wanted = position;
    for (size_t c = 0; c < 2; ++c) {
      if (action[c] >= 4) continue;
      direction[c] = action[c];
      const double there = object[faced(c)];
      if (there != empty && there != cook_mark) continue;
      wanted[2 * c] += step_x[action[c]];
      wanted[2 * c + 1] += step_y[action[c]];
    }
    const bool same = wanted[0] == wanted[2] && wanted[1] == wanted[3];
    const bool swap =
        wanted[0] == before[2] && wanted[1] == before[3] && wanted[2] == before[0] && wanted[3] == before[1];
    if (!same && !swap) {
      for (size_t c = 0; c < 2; ++c) object[cell_of(c)] = empty;
      position = wanted;
      for (size_t c = 0; c < 2; ++c) object[cell_of(c)] = cook_mark;
    }
    for (double &s : status)
      if (s > 0 && s <= 20) s -= 1;
    ++step_count;
    return delivered;
  }

  // Channels that a plain list of rules for each cell fills.
  std::vector<float> observe(size_t self) {
    std::vector<float> seen(object.size() * 26, 0.0f);
    for (size_t at = 0; at < object.size(); ++at) {
      float *channel = &seen[at * 26];
      double thing = object[at];
      for (size_t c = 0; c < 2; ++c) {
        if (cell_of(c) != at) continue;
        thing = held[c];
        channel[c == self ? 0 : 1] = 1;
        channel[(c == self ? 2 : 6) + static_cast<int>(direction[c])] = 1;
      }
      if (const double *pot_status = pot_at(at)) {
        if (*pot_status >= 20) channel[16] = static_cast<float>(23 - *pot_status);
        if (*pot_status < 20) channel[18] = 3;
        if (*pot_status < 20) channel[20] = static_cast<float>(*pot_status);
        if (*pot_status == 0) channel[21] = 1;
      }
      if (thing == dish) channel[18] = 3;
      if (thing == dish) channel[21] = 1;
      const int of_thing[] = {-1, -1, 11, 23, 12, 22, 14, 15, 10, -1, -1};
      if (const int k = of_thing[static_cast<size_t>(thing)]; k >= 0) channel[k] = 1;
      if (400 - step_count < 40) channel[25] = 1;
    }
    return seen;
  }

  // Cooks on any floor, things in hands and on counters, pots at any stage, any time of the episode.
  void scatter(std::mt19937 &random) {
    const auto any_of = [&random](const std::vector<double> &things) { return things[random() % things.size()]; };
    std::vector<size_t> floor;
    for (size_t at = 0; at < object.size(); ++at) {
      if (object[at] == empty || object[at] == cook_mark) {
        object[at] = empty;
        floor.push_back(at);
      } else if (object[at] == counter) {
        object[at] = any_of({counter, counter, onion, plate, dish});
      }
    }
    std::shuffle(floor.begin(), floor.end(), random);
    for (size_t c = 0; c < 2; ++c) {
      const int at = static_cast<int>(floor[c]);
      object[floor[c]] = cook_mark;
      position[2 * c] = at % kitchen.width;
      position[2 * c + 1] = at / kitchen.width;
      direction[c] = any_of({0, 1, 2, 3});
      held[c] = any_of({empty, onion, plate, dish});
    }
    for (double &s : status) s = any_of({23, 22, 21, 20, 19, 2, 1, 0, 0});
    step_count = static_cast<int>(random() % 400);
  }
};

}  // namespace

TEST_CASE("overcooked: the kitchens are the published ones") {
  for (const Kitchen &kitchen : kitchens) {
    CAPTURE(kitchen.name);
    std::vector<double> expected(static_cast<size_t>(kitchen.height * kitchen.width), counter);
    const auto mark = [&expected](const std::vector<int> &cells, double what) {
      for (const int cell : cells) expected[static_cast<size_t>(cell)] = what;
    };
    mark(kitchen.floor, empty);
    mark(kitchen.pots, pot);
    mark(kitchen.onions, onion_pile);
    mark(kitchen.plates, plate_pile);
    mark(kitchen.goals, goal);
    mark(kitchen.cooks, cook_mark);
    Simulator simulator(kitchen.name);
    int count[2][4] = {};
    for (uint32_t e = 0; e < 400; ++e) {
      simulator.reset(e, 0);
      REQUIRE(simulator.get(object_field) == expected);
      for (size_t c = 0; c < 2; ++c) {
        CHECK(simulator.get(position_field)[2 * c] == kitchen.cooks[c] % kitchen.width);
        CHECK(simulator.get(position_field)[2 * c + 1] == kitchen.cooks[c] / kitchen.width);
        ++count[c][static_cast<size_t>(simulator.get(direction_field)[c])];
      }
    }
    for (const auto &cook : count)
      for (const int times : cook) CHECK(std::abs(times - 100) < 35);  // four standard deviations
  }
}

TEST_CASE("overcooked: episodes of a plain rewriting, from anywhere") {
  std::mt19937 random(11);
  for (const Kitchen &kitchen : kitchens) {
    CAPTURE(kitchen.name);
    Simulator simulator(kitchen.name, {{"shaped_reward", 0.5}});
    double served = 0, taken = 0, added = 0;
    for (uint32_t episode = 0; episode < 600; ++episode) {
      simulator.reset(episode, 2);
      Game game(kitchen, simulator);
      game.scatter(random);
      simulator.set(position_field, game.position);
      simulator.set(direction_field, game.direction);
      simulator.set(held_field, game.held);
      simulator.set(object_field, game.object);
      simulator.set(pot_field, game.status);
      simulator.set(step_field, {static_cast<double>(game.step_count)});
      std::vector<float> observation(game.object.size() * 26);
      for (int step = 0; step < 40; ++step) {
        for (int c = 0; c < 2; ++c) {
          require_ok(swarmgrad_simulator_observe(simulator.handle(), c, observation.data(), nullptr));
          REQUIRE(observation == game.observe(static_cast<size_t>(c)));
        }
        std::vector<int32_t> action;
        for (int c = 0; c < 2; ++c) action.push_back(random() % 3 == 0 ? 5 : static_cast<int32_t>(random() % 5));
        double shaping[2];
        const std::vector<float> reward = simulator.step(action);
        const double delivered = game.step(action, shaping);
        for (size_t c = 0; c < 2; ++c) {
          REQUIRE(reward[c] == static_cast<float>(delivered + 0.5 * shaping[c]));
          taken += shaping[c] == 5 ? 1 : 0;
          added += shaping[c] == 3 ? 1 : 0;
        }
        served += delivered / 20;
        REQUIRE(simulator.get(position_field) == game.position);
        REQUIRE(simulator.get(direction_field) == game.direction);
        REQUIRE(simulator.get(held_field) == game.held);
        REQUIRE(simulator.get(object_field) == game.object);
        REQUIRE(simulator.get(pot_field) == game.status);
      }
    }
    // The random states meet what they are there for.
    CHECK(added > 20);
    CHECK(taken > 5);
    CHECK(served > 5);
  }
}
