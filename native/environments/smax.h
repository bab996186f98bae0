// smax_{scenario}: a squad of StarCraft-like units fights another on a plane of 32 x 32; a heuristic leads the enemies.
// Rules: JaxMARL's HeuristicEnemySMAX with unit-list observations and discrete actions; not its continuous actions,
// conic observations or learned enemies.
#pragma once

#include "core/environment.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct Smax {
  static constexpr const char *id = "smax_3m";
  static constexpr const char *id_pattern = "smax_{scenario}";
  static constexpr const char *summary = "a squad of units fights a squad led by a heuristic (JaxMARL SMAX)";
  static constexpr const char *description =
      "Group ally, A agents against E enemies, one team. Scenarios count marines (m), stalkers (s), zealots (z) and\n"
      "hydralisks (h); 3s_vs_5z: allies and enemies differ. smacv2_N_units: N of any of the six types on each side,\n"
      "alike, facing each other mirrored or one side surrounding the other.\n"
      "Observation (13 (A + E - 1) + 10): every other unit, allies first: health, its position minus own over own\n"
      "sight (2), direction of its last move (2), its last attack action over the largest action, weapon cooldown,\n"
      "type one-hot (6: marine, marauder, stalker, zealot, zergling, hydralisk); zeros where it is dead or out of\n"
      "sight. Then own health, position over 32 (2), cooldown, type one-hot (6). Health and cooldown are shares of\n"
      "the type's. A dead agent observes zeros.\n"
      "Actions (5 + E): 0 north, 1 east, 2 south, 3 west, 4 stop, 5 + k attack enemy k. Available: stop; to the\n"
      "living moves, and attacks on living enemies in range.\n"
      "A step is 8 sub-steps of 1/16 s with the same actions: all shoot where they can and walk; wounds and walls\n"
      "kill; the living that overlap are pushed apart.\n"
      "Enemies attack the closest ally in range, and hold on to it; else they follow one they see, or cross the\n"
      "map.\n"
      "Reward, the same for every ally, dead or alive: mean over the enemies of the lost share of health, + 1 when\n"
      "all enemies and not all allies are dead.\n"
      "Start: allies uniform in a square of side 4 around (8, 16), enemies around (24, 16). Ends when a side is\n"
      "dead, or after 101 steps.\n"
      "Source: JaxMARL smax (HeuristicEnemySMAX).";
  static constexpr Parameter parameters[] = {
      {"scenario", 0, 0, 13, true, "units of both sides",
       "3m|2s3z|8m|3s5z|25m|5m_vs_6m|10m_vs_11m|27m_vs_30m|3s5z_vs_3s6z|3s_vs_5z|6h_vs_8z|smacv2_5_units|"
       "smacv2_10_units|smacv2_20_units"},
      {"see_enemy_actions", 1, 0, 1, true, "1: enemies' last actions are observed"},
      {"walls_cause_death", 1, 0, 1, true, "1: a unit at the edge of the map dies"},
      {"enemy_shoots", 1, 0, 1, true, "1: enemies attack; 0: they only follow"},
      {"attack_mode", 0, 0, 1, true, "an enemy's new target, of those in range", "closest|random"},
      {"use_self_play_reward", 0, 0, 1, true, "1: no reward for wounds, - 1 for a lost battle"},
  };

  int scenario, allies, enemies, units;
  bool see_enemy_actions, walls_cause_death, enemy_shoots, random_target, self_play_reward;

  Array<Float> position;       // [unit][2], allies first
  Array<Float> health;         // [unit], dead at 0
  Array<Float> cooldown;       // [unit]: seconds until the weapon is ready, negative after
  Array<Int> unit_type;        // [unit]
  Array<Int> last_action;      // [unit]; an enemy's is also its last target
  Array<Float> enemy_goal;     // [enemy][2]; (0, 0) before the first step
  Array<Int> enemy_action;     // [enemy]
  Array<Float> noise;          // [sub-step][unit]: added to the cooldown of a shot
  Array<Int> enemy_choices;    // [enemy][action]: the equally likely ways that lead to it
  Array<Float> health_before;  // [enemy]: at the beginning of the step
  Array<Float> shot;           // [unit]: damage it deals in this sub-step
  Array<Float> walked;         // [unit][2]: position before units are pushed apart
  Array<Float> push;           // [unit][2]: twice the way that the others push it
  Array<Float> team_reward;    // [1]

  SWARMGRAD_FUNCTION explicit Smax(const double *parameter)
      : scenario(static_cast<int>(parameter[0])),
        see_enemy_actions(parameter[1] != 0),
        walls_cause_death(parameter[2] != 0),
        enemy_shoots(parameter[3] != 0),
        random_target(parameter[4] != 0),
        self_play_reward(parameter[5] != 0) {
    allies = squad_size(ally_side);
    enemies = squad_size(enemy_side);
    units = allies + enemies;
  }

  // The reference compares the number of steps with 100 before it counts the latest.
  SWARMGRAD_FUNCTION int horizon() const { return 101; }
  SWARMGRAD_FUNCTION int group_count() const { return 1; }
  SWARMGRAD_FUNCTION Group group(int) const {
    return {"ally", allies, unit_features * (units - 1) + own_features, first_attack + enemies, true};
  }

  template <class Visitor>
  SWARMGRAD_FUNCTION void state(Visitor &visit) {
    visit("pos", position, units, 2);
    visit("health", health, units, 1);
    visit("cooldown", cooldown, units, 1);
    visit("unit_types", unit_type, units, 1);
    visit("last_action", last_action, units, 1);
    visit("enemy_goal", enemy_goal, enemies, 2);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void chance(Visitor &visit) {
    visit("enemy_action", enemy_action, enemies, 1);
    visit("cooldown_noise", noise, sub_steps, units);
    visit("enemy_choices", enemy_choices, enemies, first_attack + allies);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void scratch(Visitor &visit) {
    visit("health_before", health_before, enemies, 1);
    visit("shot", shot, units, 1);
    visit("walked", walked, units, 2);
    visit("push", push, units, 2);
    visit("team_reward", team_reward, 1, 1);
  }

  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    if (scenario >= first_random_scenario)
      place_anywhere(draws);
    else
      place_facing(draws);
    for (int unit = 0; unit < units; ++unit) {
      health[unit] = lookup(trait().full_health.of, unit_type[unit]);
      cooldown[unit] = 0.0f;
      last_action[unit] = stop;
    }
    for (int k = 0; k < 2 * enemies; ++k) enemy_goal[k] = 0.0f;
    for (int k = 0; k < 2 * units; ++k) push[k] = 0.0f;
    for (int unit = 0; unit < units; ++unit) push_apart(unit);
  }

  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    const Mask living = is_alive(agent);
    const Float x = position[2 * agent], y = position[2 * agent + 1];
    const Float sight = lookup(trait().sight_range.of, unit_type[agent]);
    const Float per_sight = lookup(trait().inverse_sight_range.of, unit_type[agent]);
    int feature = 0;
    for (int other = 0; other < units; ++other) {
      if (other == agent) continue;
      const Float dx = position[2 * other] - x, dy = position[2 * other + 1] - y;
      const Mask seen = living & is_alive(other) & (dx * dx + dy * dy < sight * sight);
      const Int action = see_enemy_actions || other < allies ? last_action[other] : Int(stop);
      const float per_action = 1.0f / static_cast<float>(stop + (other < allies ? enemies : allies));
      out.set(feature++, where(seen, health_share(other)));
      out.set(feature++, where(seen, dx * per_sight));
      out.set(feature++, where(seen, dy * per_sight));
      out.set(feature++, where(seen, step_x(action)));
      out.set(feature++, where(seen, step_y(action)));
      out.set(feature++, where(seen & (action >= first_attack), to_float(action) * per_action));
      out.set(feature++, where(seen, cooldown_share(other)));
      feature = one_hot_type(out, feature, seen, other);
    }
    out.set(feature++, where(living, health_share(agent)));
    out.set(feature++, where(living, x * (1.0f / map_size)));
    out.set(feature++, where(living, y * (1.0f / map_size)));
    out.set(feature++, where(living, cooldown_share(agent)));
    one_hot_type(out, feature, living, agent);
  }

  SWARMGRAD_FUNCTION void available(int agent, AvailableActions out) {
    const Mask living = is_alive(agent);
    const Float range = lookup(trait().attack_range.of, unit_type[agent]);
    for (int action = 0; action < stop; ++action) out.set(action, living);
    out.set(stop, true);
    for (int enemy = 0; enemy < enemies; ++enemy) {
      const int other = allies + enemy;
      out.set(first_attack + enemy, living & is_alive(other) & (squared_distance(agent, other) < range * range));
    }
  }

  // A unit shoots at most once in a step: the shortest cooldown, a zergling's 0.5 - 1/16, is 7 sub-steps, and counting
  // down begins in the one after the shot. So one draw a unit serves all rows of the noise.
  SWARMGRAD_FUNCTION void draw(Draws &draws) {
    for (int enemy = 0; enemy < enemies; ++enemy) {
      const Int ways = consider(enemy);
      const int row = enemy * (first_attack + allies);
      Int left = draws.below(ways), chosen = -1;
      for (int action = 0; action < first_attack + allies; ++action) {
        chosen = select((chosen < 0) & (left < enemy_choices[row + action]), Int(action), chosen);
        left -= enemy_choices[row + action];
      }
      enemy_action[enemy] = chosen;
    }
    for (int unit = 0; unit < units; ++unit) {
      const Float drawn = draws.uniform(-time_step, 2.0f * time_step);
      for (int k = 0; k < sub_steps; ++k) noise[k * units + unit] = drawn;
    }
  }

  // Enemies are no agents: the units are shared out over the agents, in their order.
  SWARMGRAD_FUNCTION int first_unit(int agent) const { return agent * units / allies; }

  SWARMGRAD_FUNCTION void act(int agent, Int action) {
    last_action[agent] = action;
    for (int unit = first_unit(agent); unit < first_unit(agent + 1); ++unit) {
      if (unit < allies) continue;
      const int enemy = unit - allies;
      set_goal(enemy);
      last_action[unit] = enemy_action[enemy];
      health_before[enemy] = health[unit];
    }
  }

  static constexpr int phase_count = 3 * 8;
  template <int K>
  SWARMGRAD_FUNCTION void phase(int agent) {
    for (int unit = first_unit(agent); unit < first_unit(agent + 1); ++unit) {
      if constexpr (K % 3 == 0)
        shoot_and_walk(unit, K / 3);
      else if constexpr (K % 3 == 1)
        suffer(unit);
      else
        push_apart(unit);
    }
  }

  SWARMGRAD_FUNCTION void share() {
    Float lost = 0.0f;
    for (int enemy = 0; enemy < enemies; ++enemy) {
      const int unit = allies + enemy;
      lost += (health_before[enemy] - health[unit]) / lookup(trait().full_health.of, unit_type[unit]);
    }
    const Mask allies_dead = all_dead(0, allies), enemies_dead = all_dead(allies, units);
    const Float won = where(enemies_dead & !allies_dead, 1.0f);
    team_reward[0] =
        self_play_reward ? won - where(allies_dead & !enemies_dead, 1.0f) : lost / static_cast<float>(enemies) + won;
  }

  SWARMGRAD_FUNCTION Float reward(int) { return team_reward[0]; }
  SWARMGRAD_FUNCTION Mask alive(int agent) { return is_alive(agent); }
  SWARMGRAD_FUNCTION Mask done() { return all_dead(0, allies) | all_dead(allies, units); }

 private:
  static constexpr int stop = 4, first_attack = 5;
  static constexpr int unit_features = 13, own_features = 10;
  static constexpr int sub_steps = 8;
  static constexpr int ally_side = 0, enemy_side = 1;
  static constexpr int first_random_scenario = 11;
  static constexpr float time_step = 1.0f / 16;
  static constexpr float map_size = 32.0f;

  // What the types differ in: marine, marauder, stalker, zealot, zergling, hydralisk.
  static constexpr int type_count = 6;
  struct Trait {
    float of[8];
  };
  struct Traits {
    Trait velocity, damage, attack_range, sight_range, radius, full_health, full_cooldown;
    Trait inverse_sight_range, inverse_full_health, inverse_full_cooldown;
  };
  SWARMGRAD_FUNCTION static constexpr Trait inverse(Trait trait) {
    for (int type = 0; type < type_count; ++type) trait.of[type] = 1.0f / trait.of[type];
    return trait;
  }
  // One object in constant memory: a thread of a GPU that looked into a table of its own would have to build it.
  SWARMGRAD_FUNCTION static const Traits &trait() {
    constexpr Trait sight_range = {{9, 10, 10, 9, 8, 9}}, full_health = {{45, 125, 160, 150, 35, 80}},
                    full_cooldown = {{0.61f, 1.07f, 1.87f, 0.86f, 0.5f, 0.59f}};
    static constexpr Traits traits = {{{3.15f, 2.25f, 4.13f, 3.15f, 4.13f, 3.15f}},
                                      {{9, 10, 13, 8, 5, 12}},
                                      {{5, 6, 6, 2, 2, 5}},
                                      sight_range,
                                      {{0.375f, 0.5625f, 0.625f, 0.5f, 0.375f, 0.625f}},
                                      full_health,
                                      full_cooldown,
                                      inverse(sight_range),
                                      inverse(full_health),
                                      inverse(full_cooldown)};
    return traits;
  }

  struct Squad {
    int marines = 0, stalkers = 0, zealots = 0, hydralisks = 0;
  };
  // In the order of the scenarios' names; of the random scenarios only the sizes count.
  SWARMGRAD_FUNCTION Squad squad(int side) const {
    static constexpr Squad squads[][2] = {
        {{.marines = 3}, {.marines = 3}},
        {{.stalkers = 2, .zealots = 3}, {.stalkers = 2, .zealots = 3}},
        {{.marines = 8}, {.marines = 8}},
        {{.stalkers = 3, .zealots = 5}, {.stalkers = 3, .zealots = 5}},
        {{.marines = 25}, {.marines = 25}},
        {{.marines = 5}, {.marines = 6}},
        {{.marines = 10}, {.marines = 11}},
        {{.marines = 27}, {.marines = 30}},
        {{.stalkers = 3, .zealots = 5}, {.stalkers = 3, .zealots = 6}},
        {{.stalkers = 3}, {.zealots = 5}},
        {{.hydralisks = 6}, {.zealots = 8}},
        {{.marines = 5}, {.marines = 5}},
        {{.marines = 10}, {.marines = 10}},
        {{.marines = 20}, {.marines = 20}},
    };
    return squads[scenario][side];
  }
  SWARMGRAD_FUNCTION int squad_size(int side) const {
    const Squad s = squad(side);
    return s.marines + s.stalkers + s.zealots + s.hydralisks;
  }
  SWARMGRAD_FUNCTION int squad_type(int side, int member) const {
    constexpr int marine = 0, stalker = 2, zealot = 3, hydralisk = 5;
    const Squad s = squad(side);
    if (member < s.marines) return marine;
    if (member < s.marines + s.stalkers) return stalker;
    return member < s.marines + s.stalkers + s.zealots ? zealot : hydralisk;
  }

  SWARMGRAD_FUNCTION void place_facing(Draws &draws) {
    for (int unit = 0; unit < units; ++unit) {
      const int side = unit < allies ? ally_side : enemy_side;
      unit_type[unit] = squad_type(side, side == ally_side ? unit : unit - allies);
      walked[2 * unit] = (side == ally_side ? 0.25f : 0.75f) * map_size + draws.uniform(-2.0f, 2.0f);
      walked[2 * unit + 1] = 0.5f * map_size + draws.uniform(-2.0f, 2.0f);
    }
  }

  // SMACv2's starts: half the episodes mirrored left and right; in the others one side stands in the centre and every
  // unit of the other in one of four groups, each somewhere between a corner and the centre.
  SWARMGRAD_FUNCTION void place_anywhere(Draws &draws) {
    const Mask surrounded = draws.uniform() < 0.5f, allies_inside = draws.uniform() < 0.5f;
    Float inwards[4];
    for (Float &share : inwards) share = draws.uniform();
    for (int ally = 0; ally < allies; ++ally) {
      const Int type = draws.below(type_count);
      const Float x = draws.uniform(0.0f, 0.5f * map_size), y = draws.uniform(0.0f, map_size);
      for (int side = 0; side < 2; ++side) {
        const int unit = side == ally_side ? ally : allies + ally;
        const Mask inside = side == ally_side ? allies_inside : !allies_inside;
        const Int corner = draws.below(4);
        Float inward = 1.0f;
        for (int c = 0; c < 4; ++c) inward = select((!inside) & (corner == c), inwards[c], inward);
        const Float outward = (1.0f - inward) * map_size;
        const Float group_x = inward * (0.5f * map_size) + where(corner >= 2, outward);
        const Float group_y = inward * (0.5f * map_size) + where((corner & 1) == 1, outward);
        unit_type[unit] = type;
        walked[2 * unit] =
            select(surrounded, group_x + draws.uniform(-2.0f, 2.0f), side == ally_side ? x : map_size - x);
        walked[2 * unit + 1] = select(surrounded, group_y + draws.uniform(-2.0f, 2.0f), y);
      }
    }
  }

  SWARMGRAD_FUNCTION static Float where(Mask condition, Float value) { return select(condition, value, Float(0.0f)); }
  SWARMGRAD_FUNCTION Mask is_alive(int unit) const { return health[unit] > 0.0f; }
  SWARMGRAD_FUNCTION Mask all_dead(int first, int end) const {
    Mask dead = true;
    for (int unit = first; unit < end; ++unit) dead &= !is_alive(unit);
    return dead;
  }
  SWARMGRAD_FUNCTION Float squared_distance(int a, int b) const {
    const Float x = position[2 * a] - position[2 * b], y = position[2 * a + 1] - position[2 * b + 1];
    return x * x + y * y;
  }
  SWARMGRAD_FUNCTION Float health_share(int unit) const {
    return health[unit] * lookup(trait().inverse_full_health.of, unit_type[unit]);
  }
  SWARMGRAD_FUNCTION Float cooldown_share(int unit) const {
    const Float share = cooldown[unit] * lookup(trait().inverse_full_cooldown.of, unit_type[unit]);
    return minimum(maximum(share, Float(0.0f)), Float(1.0f));
  }
  SWARMGRAD_FUNCTION int one_hot_type(Observation out, int feature, Mask seen, int unit) const {
    const Int type = select(seen, unit_type[unit], Int(-1));
    for (int k = 0; k < type_count; ++k) out.set(feature++, where(type == k, 1.0f));
    return feature;
  }
  // The reference turns diagonal vectors by 45 degrees, which leaves it with 0.99999994 and 1e-8 for 1 and 0.
  SWARMGRAD_FUNCTION static Float step_x(Int action) { return where(action == 1, 1.0f) - where(action == 3, 1.0f); }
  SWARMGRAD_FUNCTION static Float step_y(Int action) { return where(action == 0, 1.0f) - where(action == 2, 1.0f); }

  // Attacks count the other side's units from 0: enemies in their order, allies backwards.
  SWARMGRAD_FUNCTION int target_of(int unit, int attack) const {
    return unit < allies ? allies + attack : allies - 1 - attack;
  }

  // Where an enemy goes that sees nobody: to its first position, turned by 180 degrees about the map's centre. It is
  // not taken at reset but where first needed, so that a recorded start can be set.
  SWARMGRAD_FUNCTION Float goal(int enemy, int axis) const {
    const Mask is_set = (enemy_goal[2 * enemy] != 0.0f) | (enemy_goal[2 * enemy + 1] != 0.0f);
    return select(is_set, enemy_goal[2 * enemy + axis], map_size - position[2 * (allies + enemy) + axis]);
  }
  SWARMGRAD_FUNCTION void set_goal(int enemy) {
    const Float x = goal(enemy, 0), y = goal(enemy, 1);
    enemy_goal[2 * enemy] = x;
    enemy_goal[2 * enemy + 1] = y;
  }

  // The heuristic: fills enemy_choices and returns their sum. An enemy attacks its last target while it can, else the
  // closest of those in range (or any of them); with none in range it follows any ally it sees, else goes to its goal,
  // along the axis nearest to the way.
  SWARMGRAD_FUNCTION Int consider(int enemy) {
    const int unit = allies + enemy;
    const int row = enemy * (first_attack + allies);
    const Float sight = lookup(trait().sight_range.of, unit_type[unit]),
                range = lookup(trait().attack_range.of, unit_type[unit]);
    const Mask living = is_alive(unit);
    const Int held = last_action[unit] - first_attack;
    for (int action = 0; action < first_attack; ++action) enemy_choices[row + action] = 0;
    Mask sees = false, shoots = false, holds = false;
    Float nearest = map_size * map_size;
    Int closest = -1;
    for (int attack = 0; attack < allies; ++attack) {
      const int ally = target_of(unit, attack);
      const Float x = position[2 * ally] - position[2 * unit], y = position[2 * ally + 1] - position[2 * unit + 1];
      const Float squared = x * x + y * y;
      const Mask seen = living & is_alive(ally) & (squared < sight * sight);
      const Mask in_range = seen & (squared < range * range) & Mask(enemy_shoots);
      const Mask closer = in_range & (squared < nearest);
      nearest = select(closer, squared, nearest);
      closest = select(closer, Int(attack), closest);
      sees |= seen;
      shoots |= in_range;
      holds |= in_range & (held == attack);
      enemy_choices[row + first_attack + attack] = select(in_range, Int(1), Int(0));
      add_way(row, seen, x, y);
    }
    // A dead enemy believes itself at (0, 0), since it observes zeros; its choice has no effect.
    add_way(row, !sees, goal(enemy, 0) - where(living, position[2 * unit]),
            goal(enemy, 1) - where(living, position[2 * unit + 1]));
    const Int only = select(holds, held, random_target ? Int(-1) : closest);
    Int sum = 0;
    for (int action = 0; action < stop; ++action) {
      Int &way = enemy_choices[row + action];
      way = select(shoots, Int(0), way);
      sum += way;
    }
    for (int attack = 0; attack < allies; ++attack) {
      Int &way = enemy_choices[row + first_attack + attack];
      way = select((only < 0) | (only == attack), way, Int(0));
      sum += way;
    }
    return sum;
  }
  // One more way to the move whose direction has the largest product with (x, y), the first of equals.
  SWARMGRAD_FUNCTION void add_way(int row, Mask exists, Float x, Float y) {
    const Float product[stop] = {y, x, -y, -x};
    Float largest = product[0];
    Int move = 0;
    for (int k = 1; k < stop; ++k) {
      move = select(product[k] > largest, Int(k), move);
      largest = maximum(largest, product[k]);
    }
    for (int k = 0; k < stop; ++k) enemy_choices[row + k] += select(exists & (move == k), Int(1), Int(0));
  }

  // The three parts of a sub-step, each reading what the part before left: everyone shoots and walks from the positions
  // and health at its beginning; then the wounds show; then the overlapping are pushed apart.
  SWARMGRAD_FUNCTION void shoot_and_walk(int unit, int sub_step) {
    const Int type = unit_type[unit], action = last_action[unit];
    const Mask living = is_alive(unit);
    const Mask ready = living & (action >= first_attack) & (cooldown[unit] <= 0.0f);
    Mask shoots = false;
    if (any(ready)) {
      const Float range = lookup(trait().attack_range.of, type);
      const int opponents = unit < allies ? enemies : allies;
      for (int attack = 0; attack < opponents; ++attack) {
        const int other = target_of(unit, attack);
        shoots |= (action == first_attack + attack) & is_alive(other) & (squared_distance(unit, other) < range * range);
      }
      shoots &= ready;
    }
    shot[unit] = where(shoots, lookup(trait().damage.of, type));
    cooldown[unit] = select(shoots, lookup(trait().full_cooldown.of, type) + noise[sub_step * units + unit],
                            cooldown[unit] - time_step);
    const Float stride = where(living, lookup(trait().velocity.of, type) * time_step);
    const Float x = position[2 * unit], y = position[2 * unit + 1];
    walked[2 * unit] = select(living, on_map(x + step_x(action) * stride), x);
    walked[2 * unit + 1] = select(living, on_map(y + step_y(action) * stride), y);
  }
  SWARMGRAD_FUNCTION static Float on_map(Float x) { return maximum(minimum(x, Float(map_size)), Float(0.0f)); }

  SWARMGRAD_FUNCTION void suffer(int unit) {
    const Int aimed_here = first_attack + (unit < allies ? allies - 1 - unit : unit - allies);
    Float left = health[unit];
    for (int other = unit < allies ? allies : 0; other < (unit < allies ? units : allies); ++other)
      left -= where(last_action[other] == aimed_here, shot[other]);
    left = maximum(left, Float(0.0f));
    if (walls_cause_death) {
      const Float x = walked[2 * unit], y = walked[2 * unit + 1];
      left = select((x <= 0.0f) | (x >= map_size) | (y <= 0.0f) | (y >= map_size), Float(0.0f), left);
    }
    health[unit] = left;
    push[2 * unit] = push[2 * unit + 1] = 0.0f;
  }

  // Where no lane has the two overlapping, the term is 0 in all of them, and is skipped. Where agents take turns, the
  // first of a pair works it out for both.
  SWARMGRAD_FUNCTION void push_apart(int unit) {
    const Float x = walked[2 * unit], y = walked[2 * unit + 1];
    const Float own_radius = lookup(trait().radius.of, unit_type[unit]);
    const Mask living = is_alive(unit);
    for (int other = agents_take_turns ? unit + 1 : 0; other < units; ++other) {
      const Float dx = x - walked[2 * other], dy = y - walked[2 * other + 1];
      const Float squared = dx * dx + dy * dy;
      const Float reach = own_radius + lookup(trait().radius.of, unit_type[other]);
      const Mask overlapping = living & is_alive(other) & (squared < reach * reach);
      if (other == unit || none(overlapping)) continue;
      const Float overlap = where(overlapping, maximum(reach / (sqrt(squared) + 1e-6f) - 1.0f, Float(0.0f)));
      push[2 * unit] += dx * overlap;
      push[2 * unit + 1] += dy * overlap;
      if (!agents_take_turns) continue;
      push[2 * other] -= dx * overlap;
      push[2 * other + 1] -= dy * overlap;
    }
    position[2 * unit] = select(living, x + push[2 * unit] * 0.5f, x);
    position[2 * unit + 1] = select(living, y + push[2 * unit + 1] * 0.5f, y);
  }
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
