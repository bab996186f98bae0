// SMAX against a plain rewriting of the reference's rules, over scenarios and parameters that nobody recorded.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "engine_fixture.h"

using namespace swarmgrad_tests;

namespace {

// By type: marine, marauder, stalker, zealot, zergling, hydralisk.
constexpr float velocity[] = {3.15f, 2.25f, 4.13f, 3.15f, 4.13f, 3.15f}, attack[] = {9, 10, 13, 8, 5, 12};
constexpr float attack_range[] = {5, 6, 6, 2, 2, 5}, sight[] = {9, 10, 10, 9, 8, 9};
constexpr float radius[] = {0.375f, 0.5625f, 0.625f, 0.5f, 0.375f, 0.625f}, full_health[] = {45, 125, 160, 150, 35, 80};
constexpr float full_cooldown[] = {0.61f, 1.07f, 1.87f, 0.86f, 0.5f, 0.59f};
constexpr float tick = 1.0f / 16;
constexpr float direction[][2] = {{0, 1}, {1, 0}, {0, -1}, {-1, 0}, {0, 0}};

struct Unit {
  int type, action = 4, target = -1;  // target: the last one, of enemies only
  float x, y, health, cooldown;
  float goal[2] = {};
  bool has_goal = false;
  bool alive() const { return health > 0; }
};

struct Rules {
  bool see_enemy_actions = true, walls_cause_death = true, enemy_shoots = true, random_target = false,
       self_play_reward = false;
  std::vector<swarmgrad_value> values() const {
    return {{"see_enemy_actions", see_enemy_actions ? 1.0 : 0.0},
            {"walls_cause_death", walls_cause_death ? 1.0 : 0.0},
            {"enemy_shoots", enemy_shoots ? 1.0 : 0.0},
            {"attack_mode", random_target ? 1.0 : 0.0},
            {"use_self_play_reward", self_play_reward ? 1.0 : 0.0}};
  }
};

// One battle as the reference tells it: both sides observe, attacks count the other side in the order it is observed in.
// In single precision too: rounding decides where units go that are pushed apart from almost one spot.
struct Battle {
  Rules rules;
  int allies = 0;
  std::vector<Unit> units;

  int enemies() const { return count() - allies; }
  int count() const { return static_cast<int>(units.size()); }
  Unit &unit(int i) { return units[static_cast<size_t>(i)]; }
  const Unit &unit(int i) const { return units[static_cast<size_t>(i)]; }
  bool is_ally(int i) const { return i < allies; }
  float distance(int i, int j) const { return std::hypot(unit(i).x - unit(j).x, unit(i).y - unit(j).y); }
  bool dead(bool ally_side) const {
    for (int i = 0; i < count(); ++i)
      if (is_ally(i) == ally_side && unit(i).alive()) return false;
    return true;
  }
  // The units in the order that `i` observes them in, itself left out: its own side first.
  std::vector<int> others(int i) const {
    std::vector<int> order;
    for (int k = 0; k < count(); ++k)
      if ((is_ally(i) ? k : count() - 1 - k) != i) order.push_back(is_ally(i) ? k : count() - 1 - k);
    return order;
  }
  int target(int i, int action) const { return is_ally(i) ? allies + action - 5 : allies - 1 - (action - 5); }

  std::vector<float> observe(int i) const {
    std::vector<float> out;
    const Unit &own = unit(i);
    auto ratio = [](const Unit &u) { return std::clamp(u.cooldown / full_cooldown[u.type], 0.0f, 1.0f); };
    for (const int j : others(i)) {
      const Unit &u = unit(j);
      std::vector<float> features(13, 0.0f);
      if (own.alive() && u.alive() && distance(i, j) < sight[own.type]) {
        features[0] = u.health / full_health[u.type];
        features[1] = (u.x - own.x) / sight[own.type];
        features[2] = (u.y - own.y) / sight[own.type];
        if (rules.see_enemy_actions || is_ally(i) == is_ally(j)) {
          if (u.action < 5) std::copy(direction[u.action], direction[u.action] + 2, &features[3]);
          if (u.action >= 5)
            features[5] = static_cast<float>(u.action) / static_cast<float>(4 + (is_ally(j) ? enemies() : allies));
        }
        features[6] = ratio(u);
        features[static_cast<size_t>(7 + u.type)] = 1;
      }
      out.insert(out.end(), features.begin(), features.end());
    }
    std::vector<float> features(10, 0.0f);
    if (own.alive()) {
      features = {own.health / full_health[own.type], own.x / 32, own.y / 32, ratio(own), 0, 0, 0, 0, 0, 0};
      features[static_cast<size_t>(4 + own.type)] = 1;
    }
    out.insert(out.end(), features.begin(), features.end());
    return out;
  }

  std::vector<uint8_t> available(int i) const {
    const bool alive = unit(i).alive();
    std::vector<uint8_t> mask = {alive, alive, alive, alive, 1};
    for (int action = 5; action < 5 + enemies(); ++action) {
      const int other = target(i, action);
      mask.push_back(alive && unit(other).alive() && distance(i, other) < attack_range[unit(i).type]);
    }
    return mask;
  }

  // How often each action comes out of the heuristic's equally likely choices, from what the enemy observes.
  std::vector<float> choices(int i) {
    Unit &own = unit(i);
    const std::vector<float> seen = observe(i);
    const float *end = &seen[seen.size() - 10];
    const float here[2] = {end[1] * 32, end[2] * 32};
    if (!own.has_goal) {
      for (int axis = 0; axis < 2; ++axis) own.goal[axis] = 32 - here[axis];
      own.has_goal = true;
    }
    std::vector<float> ways(static_cast<size_t>(5 + allies), 0.0f);
    auto go = [&ways](float x, float y) {
      int best = 0;
      for (int k = 1; k < 4; ++k)
        if (x * direction[k][0] + y * direction[k][1] > x * direction[best][0] + y * direction[best][1]) best = k;
      ++ways[static_cast<size_t>(best)];
    };
    std::map<float, int> in_range;
    bool sees = false, holds = false;
    for (int k = 0; k < allies; ++k) {
      const float *features = &seen[static_cast<size_t>((enemies() - 1 + k) * 13)];
      if (features[0] <= 0) continue;
      sees = true;
      const float x = features[1] * sight[own.type], y = features[2] * sight[own.type];
      go(x, y);
      if (std::hypot(x, y) >= attack_range[own.type] || !rules.enemy_shoots) continue;
      in_range[std::hypot(x, y)] = k;
      holds |= own.target == k;
    }
    if (!sees) go(own.goal[0] - here[0], own.goal[1] - here[1]);
    if (in_range.empty()) return ways;
    std::fill(ways.begin(), ways.end(), 0.0f);
    if (holds)
      ways[static_cast<size_t>(5 + own.target)] = 1;
    else if (rules.random_target)
      for (const auto &[distance, k] : in_range) ways[static_cast<size_t>(5 + k)] = 1;
    else
      ways[static_cast<size_t>(5 + in_range.begin()->second)] = 1;
    return ways;
  }

  // noise: [sub-step][unit]. Returns the reward.
  float step(const std::vector<float> &noise) {
    const std::vector<Unit> before = units;
    for (size_t k = 0; k < 8; ++k) {
      std::vector<Unit> next = units;
      for (int i = 0; i < count(); ++i) {
        const Unit &own = unit(i);
        Unit &new_own = next[static_cast<size_t>(i)];
        if (own.alive() && own.action < 5) {
          new_own.x = std::clamp(own.x + direction[own.action][0] * velocity[own.type] * tick, 0.0f, 32.0f);
          new_own.y = std::clamp(own.y + direction[own.action][1] * velocity[own.type] * tick, 0.0f, 32.0f);
        }
        new_own.cooldown -= tick;
        if (own.action < 5 || !own.alive() || own.cooldown > 0) continue;
        const int other = target(i, own.action);
        if (!unit(other).alive() || distance(i, other) >= attack_range[own.type]) continue;
        next[static_cast<size_t>(other)].health -= attack[own.type];
        new_own.cooldown = full_cooldown[own.type] + noise[k * units.size() + static_cast<size_t>(i)];
      }
      for (Unit &u : next) {
        u.health = std::max(u.health, 0.0f);
        if (rules.walls_cause_death && (u.x <= 0 || u.x >= 32 || u.y <= 0 || u.y >= 32)) u.health = 0;
      }
      units = next;
      for (int i = 0; i < count(); ++i)
        for (int j = 0; j < count(); ++j) {
          if (i == j || !unit(i).alive() || !unit(j).alive()) continue;
          const float overlap =
              std::max(0.0f, (radius[unit(i).type] + radius[unit(j).type]) / (distance(i, j) + 1e-6f) - 1);
          next[static_cast<size_t>(i)].x += (unit(i).x - unit(j).x) * overlap / 2;
          next[static_cast<size_t>(i)].y += (unit(i).y - unit(j).y) * overlap / 2;
        }
      units = next;
    }
    float lost = 0;
    for (int i = allies; i < count(); ++i)
      lost += (before[static_cast<size_t>(i)].health - unit(i).health) / full_health[unit(i).type];
    const float won = dead(false) && !dead(true) ? 1 : 0, defeat = dead(true) && !dead(false) ? 1 : 0;
    return rules.self_play_reward ? won - defeat : lost / static_cast<float>(enemies()) + won;
  }
};

void check_near(const std::vector<float> &found, const std::vector<float> &expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t k = 0; k < found.size(); ++k) {
    CAPTURE(k);
    CHECK(std::abs(found[k] - expected[k]) <= 1e-5f * std::max(1.0f, std::abs(expected[k])));
  }
}

// What must have happened in the course of the tests, or they show little.
struct Seen {
  int wounds = 0, wall_deaths = 0, pushes = 0, wins = 0, losses = 0, held_targets = 0, open_choices = 0;
};

class Match {
 public:
  Match(const std::string &id, const Rules &rules, Seen &seen)
      : simulator_(id.c_str(), rules.values()), seen_(seen), random_(7) {
    battle_.rules = rules;
    battle_.allies = simulator_.agents();
  }

  void play(uint32_t episode, bool attacks, int heading) {
    simulator_.reset(episode, 0);
    battle_.units.assign(get("unit_types").size(), {});
    read();
    for (int step = 0; step < 101; ++step) {
      CAPTURE(step);
      check_views();
      std::vector<int32_t> action;
      for (int i = 0; i < battle_.allies; ++i) action.push_back(choose(i, attacks, heading));
      std::vector<std::vector<float>> choices;
      for (int i = battle_.allies; i < battle_.count(); ++i) choices.push_back(battle_.choices(i));
      const std::vector<float> reward = simulator_.step(action);
      take_actions(action, choices);
      const Battle before = battle_;
      check_near({reward[0]}, {battle_.step(get("cooldown_noise"))});
      CHECK(std::all_of(reward.begin(), reward.end(), [&reward](float r) { return r == reward[0]; }));
      std::vector<float> position, health, cooldown;
      for (int i = 0; i < battle_.count(); ++i) {
        const Unit &u = battle_.unit(i), &was = before.unit(i);
        position.insert(position.end(), {u.x, u.y});
        health.push_back(u.health);
        cooldown.push_back(u.cooldown);
        seen_.wounds += u.health < was.health;
        seen_.wall_deaths += was.alive() && !u.alive() && (u.x <= 0 || u.x >= 32 || u.y <= 0 || u.y >= 32);
        seen_.pushes += was.action == 4 && std::hypot(u.x - was.x, u.y - was.y) > 1e-3;
      }
      check_near(get("pos"), position);
      check_near(get("health"), health);
      check_near(get("cooldown"), cooldown);
      CHECK(simulator_.done == (battle_.dead(true) || battle_.dead(false)));
      for (int i = 0; i < battle_.allies && !simulator_.done; ++i)
        CHECK(simulator_.alive[static_cast<size_t>(i)] == battle_.unit(i).alive());
      read();
      if (!simulator_.done) continue;
      seen_.wins += battle_.dead(false) && !battle_.dead(true);
      seen_.losses += battle_.dead(true) && !battle_.dead(false);
      check_views();
      return;
    }
  }

 private:
  std::vector<float> get(const char *name) const {
    const std::vector<double> values = simulator_.get(simulator_.find(name));
    std::vector<float> single;
    for (const double value : values) single.push_back(static_cast<float>(value));
    return single;
  }

  void read() {
    const std::vector<float> position = get("pos"), health = get("health"), cooldown = get("cooldown"),
                             type = get("unit_types");
    for (size_t i = 0; i < type.size(); ++i) {
      Unit &u = battle_.units[i];
      u.type = static_cast<int>(type[i]);
      u.x = position[2 * i];
      u.y = position[2 * i + 1];
      u.health = health[i];
      u.cooldown = cooldown[i];
    }
  }

  void check_views() {
    for (int i = 0; i < battle_.allies; ++i) {
      const std::vector<float> expected = battle_.observe(i);
      const std::vector<uint8_t> expected_mask = battle_.available(i);
      std::vector<float> observation(expected.size());
      std::vector<uint8_t> mask(expected_mask.size());
      require_ok(swarmgrad_simulator_observe(simulator_.handle(), i, observation.data(), mask.data()));
      check_near(observation, expected);
      CHECK(mask == expected_mask);
    }
  }

  int choose(int i, bool attacks, int heading) {
    const std::vector<uint8_t> mask = battle_.available(i);
    std::vector<int> allowed;
    for (int action = attacks ? 5 : 0; action < static_cast<int>(mask.size()); ++action)
      if (mask[static_cast<size_t>(action)] != 0) allowed.push_back(action);
    if (allowed.empty() || (heading < 4 && !attacks)) return battle_.unit(i).alive() ? heading : 4;
    return allowed[random_() % allowed.size()];
  }

  // The enemies' actions must be among the heuristic's choices, and the drawn ones say what they were drawn from.
  void take_actions(const std::vector<int32_t> &action, const std::vector<std::vector<float>> &choices) {
    const std::vector<float> enemy_action = get("enemy_action"), found = get("enemy_choices");
    size_t at = 0;
    for (int i = 0; i < battle_.allies; ++i) battle_.unit(i).action = action[static_cast<size_t>(i)];
    for (size_t enemy = 0; enemy < choices.size(); ++enemy) {
      CAPTURE(enemy);
      Unit &own = battle_.unit(battle_.allies + static_cast<int>(enemy));
      for (const float ways : choices[enemy]) CHECK(found[at++] == ways);
      own.action = static_cast<int>(enemy_action[enemy]);
      CHECK(choices[enemy][static_cast<size_t>(own.action)] > 0);
      seen_.open_choices +=
          std::count_if(choices[enemy].begin(), choices[enemy].end(), [](float w) { return w > 0; }) > 1;
      const int target = own.action < 5 ? -1 : own.action - 5;
      seen_.held_targets += target >= 0 && target == own.target;
      own.target = target;
    }
  }

  Simulator simulator_;
  Battle battle_;
  Seen &seen_;
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("smax: every scenario follows the plain rules") {
  Seen seen;
  for (const char *scenario :
       {"3m", "2s3z", "8m", "3s5z", "25m", "5m_vs_6m", "10m_vs_11m", "27m_vs_30m", "3s5z_vs_3s6z", "3s_vs_5z",
        "6h_vs_8z", "smacv2_5_units", "smacv2_10_units", "smacv2_20_units"}) {
    CAPTURE(scenario);
    Match match(std::string("smax_") + scenario, {}, seen);
    match.play(0, false, 4);
    match.play(1, true, 1);
    match.play(2, false, 2);
  }
  CHECK(seen.wounds > 1000);
  CHECK(seen.wall_deaths > 20);
  CHECK(seen.pushes > 30);
  CHECK(seen.losses > 10);
  CHECK(seen.held_targets > 100);
  CHECK(seen.open_choices > 100);
}

TEST_CASE("smax: parameters follow the plain rules") {
  Seen seen;
  for (int flag = 0; flag < 5; ++flag) {
    CAPTURE(flag);
    Rules rules;
    rules.see_enemy_actions = flag != 0;
    rules.walls_cause_death = flag != 1;
    rules.enemy_shoots = flag != 2;
    rules.random_target = flag == 3;
    rules.self_play_reward = flag == 4;
    for (const char *id : {"smax_2s3z", "smax_5m_vs_6m", "smax_smacv2_5_units"}) {
      Match match(id, rules, seen);
      match.play(0, true, 1);
      match.play(1, false, 2);
    }
  }
  CHECK(seen.wins > 0);
}

TEST_CASE("smax: who stands where") {
  const std::map<std::string, std::vector<double>> types = {
      {"smax_3m", {0, 0, 0, 0, 0, 0}},
      {"smax_2s3z", {2, 2, 3, 3, 3, 2, 2, 3, 3, 3}},
      {"smax_3s_vs_5z", {2, 2, 2, 3, 3, 3, 3, 3}},
      {"smax_6h_vs_8z", {5, 5, 5, 5, 5, 5, 3, 3, 3, 3, 3, 3, 3, 3}},
      {"smax_3s5z_vs_3s6z", {2, 2, 2, 3, 3, 3, 3, 3, 2, 2, 2, 3, 3, 3, 3, 3, 3}}};
  for (const auto &[id, expected] : types) {
    Simulator simulator(id.c_str());
    const size_t allies = static_cast<size_t>(simulator.agents());
    CHECK(simulator.get(simulator.find("unit_types")) == expected);
    for (uint32_t episode = 0; episode < 50; ++episode) {
      simulator.reset(episode, 0);
      const std::vector<double> position = simulator.get(simulator.find("pos"));
      for (size_t i = 0; i < expected.size(); ++i) {
        // Pushing apart may lead out of the square of side 4.
        CHECK(std::abs(position[2 * i] - (i < allies ? 8 : 24)) < 3.5);
        CHECK(std::abs(position[2 * i + 1] - 16) < 3.5);
      }
    }
  }
}

TEST_CASE("smax: SMACv2's starts mirror the sides, or surround one") {
  Simulator simulator("smax_smacv2_5_units");
  int mirrored = 0, allies_inside = 0, enemies_inside = 0, type_count[6] = {};
  constexpr int episodes = 2000;
  for (uint32_t episode = 0; episode < episodes; ++episode) {
    simulator.reset(episode, 0);
    const std::vector<double> position = simulator.get(simulator.find("pos")),
                              type = simulator.get(simulator.find("unit_types"));
    bool inside[2] = {true, true}, facing = true;
    for (size_t i = 0; i < 10; ++i) {
      inside[i / 5] &= std::abs(position[2 * i] - 16) < 4 && std::abs(position[2 * i + 1] - 16) < 4;
      facing &= i < 5 ? position[2 * i] < 17 : position[2 * i] > 15;
      CHECK(type[i] == type[i % 5]);
      ++type_count[static_cast<size_t>(type[i])];
    }
    if (inside[0])
      ++allies_inside;
    else if (inside[1])
      ++enemies_inside;
    else
      mirrored += facing;
  }
  CHECK(std::abs(allies_inside - episodes / 4) < 90);
  CHECK(std::abs(enemies_inside - episodes / 4) < 90);
  CHECK(mirrored > episodes * 2 / 5);
  for (const int count : type_count) CHECK(std::abs(count - 10 * episodes / 6) < 400);
}
