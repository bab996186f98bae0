// Level-Based Foraging: players with levels walk a grid and lift foods together; some foods need more than one of them.
// Rules: semitable/lb-foraging v3 ids, on integers; not its grid observation, which its own constructor rejects.
#pragma once

#include "core/environment.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct Foraging {
  static constexpr const char *id = "Foraging-8x8-2p-2f-v3";
  static constexpr const char *id_pattern = "Foraging[-{sight}s]-{size}x{size}-{players}p-{foods}f{coop?-coop}-v3";
  static constexpr const char *summary = "players with levels gather foods, some only together (Level-Based Foraging)";
  static constexpr const char *description =
      "Group player, one team. Rows grow to the south.\n"
      "Observation (3 foods + 3 players; 2 per player without observe_agent_levels): every food in sight (row, column,\n"
      "level) in row-major order, then (-1, -1, 0) for the rest; the player itself, every other player in sight in\n"
      "order of index, then (-1, -1, 0). Coordinates count from the north-west corner of the window that the player\n"
      "sees, clipped to the field: the whole field where sight is 0. Other players are seen up to 2 sight - min(sight,\n"
      "own coordinate) further south or east, as in the reference.\n"
      "Actions (6): 0 none, 1 north, 2 south, 3 west, 4 east, 5 load. A move off the field or onto food and a load\n"
      "without a food beside the player count as none; with mask 1 they are not available.\n"
      "Moves: a cell that exactly one player claims (who stays claims its own) is entered. Players swap and follow; a\n"
      "player that fails to leave may be joined in its cell, as in the reference.\n"
      "Loading: the players beside a food that load in this step lift it if their levels add up to its level. Each is\n"
      "paid level x food level / (sum of their levels x sum of all food levels at the start), without the divisor\n"
      "where normalize_reward is 0; if their levels do not suffice, each pays the penalty.\n"
      "Start: players on free cells, foods off the border, no two within distance 2 of each other: fewer where 1000\n"
      "tries find no room. Ends when no food is left, or after 50 steps.\n"
      "Source: semitable/lb-foraging.";
  static constexpr Parameter parameters[] = {
      {"size", 8, 4, 64, true, "rows and columns of the field"},
      {"players", 2, 1, 16, true, "players"},
      {"foods", 2, 1, 64, true, "foods at the start"},
      {"sight", 0, 0, 64, true, "cells a player sees in each direction; 0: the whole field"},
      {"coop", 0, 0, 1, true, "1: every food has the highest level"},
      {"min_player_level", 1, 1, 1000, true, "lowest level of a player, at most the highest"},
      {"max_player_level", 2, 1, 1000, true, "highest level of a player"},
      {"min_food_level", 1, 1, 1000, true, "lowest level of a food, at most the highest"},
      {"max_food_level", 0, 0, 1000, true, "highest level of a food; 0: the three weakest players' levels together"},
      {"penalty", 0, 0, 1000, false, "taken from each player that loads a food too heavy for the group"},
      {"normalize_reward", 1, 0, 1, true, "1: gathering every food earns the team 1"},
      {"observe_agent_levels", 1, 0, 1, true, "1: players observe the levels of players"},
      {"mask", 0, 0, 1, true, "1: actions that would count as none are not available"},
  };

  int size, players, foods, sight;
  bool coop;
  int min_player_level, max_player_level, min_food_level, max_food_level;
  float penalty;
  bool normalize_reward, observe_agent_levels, mask;

  Array<Int> food;             // [food][3]: row, column, level; in row-major order, then (-1, -1, 0)
  Array<Int> player_position;  // [player][2]: row, column
  Array<Int> player_level;     // [player]
  Array<Int> food_spawned;     // [1]: sum of the food levels at the start
  Array<Int> target;           // [player][2]: the cell the player claims
  Array<Int> loading;          // [player]: 1 while its load awaits its turn
  Array<Float> earned;         // [player]

  SWARMGRAD_FUNCTION explicit Foraging(const double *parameter)
      : size(static_cast<int>(parameter[0])),
        players(static_cast<int>(parameter[1])),
        foods(static_cast<int>(parameter[2])),
        sight(parameter[3] == 0 ? size : static_cast<int>(parameter[3])),
        coop(parameter[4] == 1),
        min_player_level(static_cast<int>(parameter[5])),
        max_player_level(static_cast<int>(parameter[6])),
        min_food_level(static_cast<int>(parameter[7])),
        max_food_level(static_cast<int>(parameter[8])),
        penalty(static_cast<float>(parameter[9])),
        normalize_reward(parameter[10] == 1),
        observe_agent_levels(parameter[11] == 1),
        mask(parameter[12] == 1) {}

  SWARMGRAD_FUNCTION int horizon() const { return 50; }
  SWARMGRAD_FUNCTION int group_count() const { return 1; }
  SWARMGRAD_FUNCTION Group group(int) const {
    return {"player", players, 3 * foods + (observe_agent_levels ? 3 : 2) * players, 6, mask};
  }

  template <class Visitor>
  SWARMGRAD_FUNCTION void state(Visitor &visit) {
    visit("foods", food, foods, 3);
    visit("player_pos", player_position, players, 2);
    visit("player_level", player_level, players, 1);
    visit("food_spawned", food_spawned, 1, 1);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void scratch(Visitor &visit) {
    visit("target", target, players, 2);
    visit("loading", loading, players, 1);
    visit("earned", earned, players, 1);
  }

  // Every try draws a cell and a level in every lane, whatever the lane places at that moment (its players in order,
  // then its foods), or already placed: so no lane's numbers depend on another lane's luck.
  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    for (int f = 0; f < foods; ++f) set_food(f, nothing());
    for (int k = 0; k < 2 * players; ++k) player_position[k] = -1;
    for (int p = 0; p < players; ++p) player_level[p] = 0;
    Int placed = 0, tries = 0;
    for (;;) {
      const Mask is_player = placed < players;
      const Mask is_food = (!is_player) & (placed < players + foods) & (tries < food_tries);
      if (none(is_player | is_food)) break;
      const Int border = select(is_player, Int(0), Int(1));
      const Int highest = select(is_player, Int(max_player_level), highest_food_level());
      // In coop the lowest food level is beyond any highest one, and so becomes the highest.
      const Int lowest = select(is_player, Int(min_player_level), Int(coop ? above_all_levels : min_food_level));
      Thing thing;
      thing.row = border + draws.below(size - border - border);
      thing.column = border + draws.below(size - border - border);
      thing.level = highest - draws.below(maximum(highest - lowest, Int(0)) + 1);
      const Mask fits = (is_player | is_food) & has_room(thing);
      for (int p = 0; p < players; ++p) {
        const Mask here = fits & (placed == p);
        player_position[2 * p] = select(here, thing.row, player_position[2 * p]);
        player_position[2 * p + 1] = select(here, thing.column, player_position[2 * p + 1]);
        player_level[p] = select(here, thing.level, player_level[p]);
      }
      insert_food(choose(fits & is_food, thing, nothing()));
      placed += select(fits, Int(1), Int(0));
      tries += select(is_food, Int(1), Int(0));
    }
    food_spawned[0] = 0;
    for (int f = 0; f < foods; ++f) food_spawned[0] += food_at(f).level;
  }

  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    const Thing own = player_at(agent);
    // Where the player stands in its own window; less than its sight near the north and west borders.
    const Int row = minimum(own.row, sight), column = minimum(own.column, sight);
    const Thing corner = {own.row - row, own.column - column, 0};
    int feature = write_visible(out, 0, foods, true, corner, {row + sight, column + sight, 0},
                                [this](int f) { return food_at(f); });
    feature = write(out, feature, {row, column, own.level}, observe_agent_levels);
    write_visible(out, feature, players - 1, observe_agent_levels, corner, {2 * sight, 2 * sight, 0},
                  [this, agent](int k) { return player_at(k < agent ? k : k + 1); });
  }

  SWARMGRAD_FUNCTION void available(int agent, AvailableActions out) {
    const Thing own = player_at(agent);
    out.set(none_action, true);
    for (int action = north; action <= east; ++action) out.set(action, is_open(step_from(own, action)));
    out.set(load, has_food_beside(own));
  }

  SWARMGRAD_FUNCTION void act(int agent, Int action) {
    const Thing own = player_at(agent);
    const Thing wanted = step_from(own, action);
    const Mask moves = is_open(wanted);
    target[2 * agent] = select(moves, wanted.row, own.row);
    target[2 * agent + 1] = select(moves, wanted.column, own.column);
    loading[agent] = select((action == load) & has_food_beside(own), Int(1), Int(0));
    earned[agent] = 0.0f;
  }

  static constexpr int phase_count = 1;
  template <int K>
  SWARMGRAD_FUNCTION void phase(int agent) {
    const Int row = target[2 * agent], column = target[2 * agent + 1];
    Mask alone = true;
    for (int other = 0; other < players; ++other)
      if (other != agent) alone &= (target[2 * other] != row) | (target[2 * other + 1] != column);
    player_position[2 * agent] = select(alone, row, player_position[2 * agent]);
    player_position[2 * agent + 1] = select(alone, column, player_position[2 * agent + 1]);
  }

  // Foods are loaded in the order of the first player at each; the reference's order is that of a set, and no start of
  // its own puts a player beside two foods, where it could matter.
  SWARMGRAD_FUNCTION void resolve() {
    for (int first = 0; first < players; ++first) {
      const Mask loads = loading[first] == 1;
      if (none(loads)) continue;
      Int index;
      const Thing lifted = food_beside(player_at(first), index);
      Int strength = 0;
      for (int p = 0; p < players; ++p) strength += select(loads & is_loader(p, lifted), player_level[p], Int(0));
      const Mask succeeds = loads & (strength >= lifted.level);
      const Float divisor =
          select(succeeds & normalize_reward, to_float(strength) * to_float(food_spawned[0]), Float(1.0f));
      for (int p = 0; p < players; ++p) {
        const Mask loader = loads & is_loader(p, lifted);
        const Float share = to_float(player_level[p] * lifted.level) / divisor;
        earned[p] += select(loader, select(succeeds, share, Float(-penalty)), Float(0.0f));
        loading[p] = select(loader, Int(0), loading[p]);
      }
      if (any(succeeds)) remove_food(succeeds, index);
    }
  }

  SWARMGRAD_FUNCTION Float reward(int agent) { return earned[agent]; }

  SWARMGRAD_FUNCTION Mask done() { return food_at(0).level == 0; }

 private:
  static constexpr int none_action = 0, north = 1, south = 2, west = 3, east = 4, load = 5;
  static constexpr int food_tries = 1000;
  static constexpr int above_all_levels = 1 << 20;

  struct Thing {
    Int row, column, level;
  };

  SWARMGRAD_FUNCTION static Thing nothing() { return {-1, -1, 0}; }
  SWARMGRAD_FUNCTION static Thing choose(Mask condition, const Thing &a, const Thing &b) {
    return {select(condition, a.row, b.row), select(condition, a.column, b.column),
            select(condition, a.level, b.level)};
  }
  SWARMGRAD_FUNCTION static Int squared_distance(const Thing &a, const Thing &b) {
    const Int rows = a.row - b.row, columns = a.column - b.column;
    return rows * rows + columns * columns;
  }

  SWARMGRAD_FUNCTION Thing food_at(int f) const { return {food[3 * f], food[3 * f + 1], food[3 * f + 2]}; }
  SWARMGRAD_FUNCTION void set_food(int f, const Thing &thing) {
    food[3 * f] = thing.row;
    food[3 * f + 1] = thing.column;
    food[3 * f + 2] = thing.level;
  }
  SWARMGRAD_FUNCTION Thing player_at(int p) const {
    return {player_position[2 * p], player_position[2 * p + 1], player_level[p]};
  }

  // -- start

  SWARMGRAD_FUNCTION Int highest_food_level() const {
    if (max_food_level > 0) return max_food_level;
    Int least = above_all_levels, second = above_all_levels, third = above_all_levels;
    for (int p = 0; p < players; ++p) {
      const Int level = player_level[p];
      third = minimum(third, maximum(second, level));
      second = minimum(second, maximum(least, level));
      least = minimum(least, level);
    }
    return least + (players > 1 ? second : Int(0)) + (players > 2 ? third : Int(0));
  }

  // Players are placed before foods, so one rule serves both: nobody in the cell, no food within distance 2.
  SWARMGRAD_FUNCTION Mask has_room(const Thing &thing) const {
    Mask room = true;
    for (int p = 0; p < players; ++p) room &= squared_distance(thing, player_at(p)) != 0;
    for (int f = 0; f < foods; ++f) {
      const Thing other = food_at(f);
      room &= (other.level == 0) | (squared_distance(thing, other) > 4);
    }
    return room;
  }

  // Keeps the row-major order; where the level is 0 nothing is inserted.
  SWARMGRAD_FUNCTION void insert_food(Thing carried) {
    if (none(carried.level > 0)) return;
    for (int f = 0; f < foods; ++f) {
      const Thing there = food_at(f);
      const Mask precedes = (carried.row < there.row) | ((carried.row == there.row) & (carried.column < there.column));
      const Mask here = (carried.level > 0) & ((there.level == 0) | precedes);
      set_food(f, choose(here, carried, there));
      carried = choose(here, there, carried);
    }
  }

  SWARMGRAD_FUNCTION void remove_food(Mask condition, Int index) {
    for (int f = 0; f < foods; ++f)
      set_food(f, choose(condition & (index <= f), f + 1 < foods ? food_at(f + 1) : nothing(), food_at(f)));
  }

  // -- observation

  SWARMGRAD_FUNCTION static int write(Observation out, int feature, const Thing &thing, bool with_level) {
    out.set(feature++, to_float(thing.row));
    out.set(feature++, to_float(thing.column));
    if (with_level) out.set(feature++, to_float(thing.level));
    return feature;
  }

  // The things in view in their order and without gaps, relative to `corner` and at most `last`; nothing in the slots
  // left over. Returns the feature after them.
  template <class ThingAt>
  SWARMGRAD_FUNCTION static int write_visible(Observation out, int feature, int count, bool with_level,
                                              const Thing &corner, const Thing &last, ThingAt thing_at) {
    for (int slot = 0; slot < count; ++slot) {
      Thing shown = nothing();
      Int seen = 0;
      for (int k = 0; k < count; ++k) {
        Thing thing = thing_at(k);
        thing.row -= corner.row;
        thing.column -= corner.column;
        const Mask visible = (thing.level > 0) & (thing.row >= 0) & (thing.row <= last.row) & (thing.column >= 0) &
                             (thing.column <= last.column);
        shown = choose(visible & (seen == slot), thing, shown);
        seen += select(visible, Int(1), Int(0));
      }
      feature = write(out, feature, shown, with_level);
    }
    return feature;
  }

  // -- rules

  SWARMGRAD_FUNCTION static Thing step_from(const Thing &own, Int action) {
    const Int rows = select(action == north, Int(-1), select(action == south, Int(1), Int(0)));
    const Int columns = select(action == west, Int(-1), select(action == east, Int(1), Int(0)));
    return {own.row + rows, own.column + columns, own.level};
  }

  // On the field and without food; other players do not matter.
  SWARMGRAD_FUNCTION Mask is_open(const Thing &cell) const {
    Mask open = (cell.row >= 0) & (cell.row < size) & (cell.column >= 0) & (cell.column < size);
    for (int f = 0; f < foods; ++f) open &= squared_distance(cell, food_at(f)) != 0;
    return open;
  }
  SWARMGRAD_FUNCTION Mask has_food_beside(const Thing &own) const {
    Mask beside = false;
    for (int f = 0; f < foods; ++f) beside |= squared_distance(own, food_at(f)) == 1;
    return beside;
  }

  // The first food to the north, south, west or east, in this order, and its place in the list.
  SWARMGRAD_FUNCTION Thing food_beside(const Thing &own, Int &index) const {
    Thing found = nothing();
    Int first = 6;
    index = -1;
    for (int f = 0; f < foods; ++f) {
      const Thing other = food_at(f);
      const Int rows = other.row - own.row, columns = other.column - own.column;
      const Int order = select(columns == 0, rows, columns + 4);  // -1, 1, 3, 5
      const Mask nearer = (squared_distance(own, other) == 1) & (order < first);
      found = choose(nearer, other, found);
      first = select(nearer, order, first);
      index = select(nearer, Int(f), index);
    }
    return found;
  }
  SWARMGRAD_FUNCTION Mask is_loader(int p, const Thing &lifted) const {
    return (loading[p] == 1) & (squared_distance(player_at(p), lifted) == 1);
  }
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
