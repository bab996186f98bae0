// Overcooked: two cooks in a kitchen bring onions to pots and the soup, on a plate, to the counter that serves it.
// Rules: JaxMARL's Overcooked (its first version, not V2), fixed starts of the five classic kitchens; not random_reset.
#pragma once

#include "core/environment.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct Overcooked {
  static constexpr const char *id = "overcooked_cramped_room";
  static constexpr const char *id_pattern = "overcooked_{layout}";
  static constexpr const char *summary = "two cooks share a kitchen and serve onion soup (JaxMARL Overcooked)";
  static constexpr const char *description =
      "Group cook, 2 agents, one team.\n"
      "Observation (height x width x 26, row-major: row, column, channel), every channel at its cell: 0 self, 1 other;\n"
      "2-5 own direction (north, south, east, west) and 6-9 the other's, one-hot at their cells; 10 pot, 11 plain\n"
      "counter, 12 onion pile, 13 zero, 14 plate pile, 15 serving counter; 16 onions in a pot that does not cook yet;\n"
      "17 zero; 18 onions in soup (3 where a pot cooks or is done, or a dish is); 19 zero; 20 steps left to cook;\n"
      "21 soup done (pot or dish); 22 plate, 23 onion; 24 zero; 25 one everywhere during the last steps (fewer than 40\n"
      "left). What a cook holds shows in its cell.\n"
      "Actions (6): 0 north, 1 south, 2 east, 3 west, 4 stay, 5 interact with the cell it faced before this step. Moves\n"
      "turn the cook even where a counter stops it; both stay where both would end in one cell or change places.\n"
      "Interact: take an onion or plate from its pile or an object from a counter into an empty hand; put down what is\n"
      "held on a plain counter; put an onion into a pot with fewer than 3; with a plate take the soup of a pot that is\n"
      "done, 20 steps after its third onion, that step included; serve a dish.\n"
      "Reward: 20 to both for each dish served. shaped_reward adds that multiple of the reference's shaping to the cook\n"
      "that earned it: 3 an onion into a pot, 5 a soup taken. The reference's 3 for a useful plate is never paid: its\n"
      "test for plates on counters also reads the colour of walls.\n"
      "Start: fixed cells, directions uniform, hands and pots empty. 400 steps.\n"
      "Source: JaxMARL Overcooked, layouts of Carroll et al. 2019.";
  static constexpr Parameter parameters[] = {
      {"layout", 0, 0, 4, true, "kitchen", "cramped_room|coord_ring|asymm_advantages|forced_coord|counter_circuit"},
      {"shaped_reward", 0, 0, 1000, false, "factor of the shaping reward"},
      {"max_steps", 400, 1, 1000000, true, "steps of an episode, as the observation counts them"},
  };

  int layout;
  float shaped_reward;
  int max_steps;
  int height = 0, width = 0, pots = 0;
  // No arrays: a thread of a GPU would keep its whole copy of the struct in memory, to index them there.
  int first_pot = 0, second_pot = 0, first_start = 0, second_start = 0;

  Array<Int> position;     // [cook][2]: x, y
  Array<Int> direction;    // [cook]: index of the move action that turned it
  Array<Int> held;         // [cook]: empty, onion, plate or dish
  Array<Int> object;       // [height][width]
  Array<Int> pot_status;   // [pot]: 23 empty, 22, 21 with onions, 20 to 1 cooking, 0 done
  Array<Int> elapsed;      // [1]: steps
  Array<Int> choice;       // [cook]: this step's action
  Array<Float> earned;     // [cook]: shaping of this step
  Array<Float> delivered;  // [1]: reward of this step's deliveries

  SWARMGRAD_FUNCTION explicit Overcooked(const double *parameter)
      : layout(static_cast<int>(parameter[0])),
        shaped_reward(static_cast<float>(parameter[1])),
        max_steps(static_cast<int>(parameter[2])) {
    int cell = 0;
    for (const char *drawn = kitchen(); *drawn != '\0'; ++drawn) {
      if (*drawn == '\n') {
        ++height;
        continue;
      }
      if (*drawn == 'P') {
        if (pots == 0) first_pot = cell;
        if (pots == 1) second_pot = cell;
        ++pots;
      }
      if (*drawn == '0') first_start = cell;
      if (*drawn == '1') second_start = cell;
      ++cell;
    }
    width = cell / height;
  }

  SWARMGRAD_FUNCTION int horizon() const { return max_steps; }
  SWARMGRAD_FUNCTION int group_count() const { return 1; }
  SWARMGRAD_FUNCTION Group group(int) const { return {"cook", cooks, height * width * channels, 6}; }

  template <class Visitor>
  SWARMGRAD_FUNCTION void state(Visitor &visit) {
    visit("agent_pos_xy", position, cooks, 2);
    visit("agent_dir", direction, cooks, 1);
    visit("agent_inv", held, cooks, 1);
    visit("grid_obj", object, height, width);
    visit("pot_status", pot_status, pots, 1);
    visit("step", elapsed, 1, 1);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void scratch(Visitor &visit) {
    visit("choice", choice, cooks, 1);
    visit("earned", earned, cooks, 1);
    visit("delivered", delivered, 1, 1);
  }

  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    int cell = 0;
    for (const char *drawn = kitchen(); *drawn != '\0'; ++drawn)
      if (*drawn != '\n') object[cell++] = object_drawn(*drawn);
    for (int p = 0; p < pots; ++p) pot_status[p] = pot_empty;
    for (int cook = 0; cook < cooks; ++cook) {
      const int start = cook == 0 ? first_start : second_start;
      position[2 * cook] = start % width;
      position[2 * cook + 1] = start / width;
      direction[cook] = draws.below(4);
      held[cook] = empty;
    }
    elapsed[0] = 0;
  }

  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    const int other = 1 - agent;
    const Int own_cell = cell_of(agent), other_cell = cell_of(other);
    const Float urgent = one_if(max_steps - elapsed[0] < urgency);
    for (int cell = 0; cell < height * width; ++cell) {
      const Mask own_here = own_cell == cell, other_here = other_cell == cell;
      const Int seen = select(own_here, held[agent], select(other_here, held[other], object[cell]));
      Float onions_in_pot = 0.0f, onions_in_soup = 0.0f, cooking_time = 0.0f, done = 0.0f;
      for (int p = 0; p < pots; ++p) {
        if (pot_cell(p) != cell) continue;
        const Int status = pot_status[p];
        const Mask filling = status >= pot_full;
        onions_in_pot = select(filling, to_float(pot_empty - status), Float(0.0f));
        onions_in_soup = select(filling, Float(0.0f), Float(3.0f));
        cooking_time = select(filling, Float(0.0f), to_float(status));
        done = one_if(status == 0);
      }
      const Mask is_dish = seen == dish;
      const int first = cell * channels;
      out.set(first, one_if(own_here));
      out.set(first + 1, one_if(other_here));
      for (int d = 0; d < 4; ++d) {
        out.set(first + 2 + d, one_if(own_here & (direction[agent] == d)));
        out.set(first + 6 + d, one_if(other_here & (direction[other] == d)));
      }
      out.set(first + 10, one_if(seen == pot));
      out.set(first + 11, one_if(seen == counter));
      out.set(first + 12, one_if(seen == onion_pile));
      out.set(first + 13, 0.0f);
      out.set(first + 14, one_if(seen == plate_pile));
      out.set(first + 15, one_if(seen == goal));
      out.set(first + 16, onions_in_pot);
      out.set(first + 17, 0.0f);
      out.set(first + 18, select(is_dish, Float(3.0f), onions_in_soup));
      out.set(first + 19, 0.0f);
      out.set(first + 20, cooking_time);
      out.set(first + 21, select(is_dish, Float(1.0f), done));
      out.set(first + 22, one_if(seen == plate));
      out.set(first + 23, one_if(seen == onion));
      out.set(first + 24, 0.0f);
      out.set(first + 25, urgent);
    }
  }

  SWARMGRAD_FUNCTION void act(int agent, Int action) { choice[agent] = action; }

  // Cooks interact with what they faced before the step, the second on the counters as the first left them; then both
  // move, and the pots cook: a pot filled in this step at once.
  SWARMGRAD_FUNCTION void resolve() {
    delivered[0] = 0.0f;
    for (int cook = 0; cook < cooks; ++cook) interact(cook);
    move();
    for (int p = 0; p < pots; ++p) {
      const Int status = pot_status[p];
      pot_status[p] = select((status > 0) & (status <= pot_full), status - 1, status);
    }
    elapsed[0] += 1;
  }

  SWARMGRAD_FUNCTION Float reward(int agent) { return delivered[0] + shaped_reward * earned[agent]; }

 private:
  static constexpr int cooks = 2, channels = 26, urgency = 40;
  static constexpr int stay = 4, use = 5;
  // What lies in a cell or a hand. A cook marks its cell; all but floor and cooks stops a move.
  static constexpr int empty = 1, counter = 2, onion = 3, onion_pile = 4, plate = 5, plate_pile = 6, goal = 7, pot = 8,
                       dish = 9, cook_mark = 10;
  static constexpr int pot_empty = 23, pot_full = 20;
  static constexpr float delivery_reward = 20.0f, onion_in_pot_reward = 3.0f, soup_taken_reward = 5.0f;

  // W counter, P pot, O onions, B plates, X serving counter, 0 and 1 the cooks. Every kitchen is closed.
  SWARMGRAD_FUNCTION const char *kitchen() const {
    if (layout == 0)
      return "WWPWW\n"
             "O0 1O\n"
             "W   W\n"
             "WBWXW\n";
    if (layout == 1)
      return "WWWPW\n"
             "W 0 P\n"
             "B1W W\n"
             "O   W\n"
             "WOXWW\n";
    if (layout == 2)
      return "WWWWWWWWW\n"
             "O WXWOW X\n"
             "W   P   W\n"
             "W 0 P1  W\n"
             "WWWBWBWWW\n";
    if (layout == 3)
      return "WWWPW\n"
             "O W1P\n"
             "O0W W\n"
             "B W W\n"
             "WWWXW\n";
    return "WWWPPWWW\n"
           "W 0    W\n"
           "B WWWW X\n"
           "W     1W\n"
           "WWWOOWWW\n";
  }
  SWARMGRAD_FUNCTION static int object_drawn(char drawn) {
    return drawn == 'W'   ? counter
           : drawn == 'P' ? pot
           : drawn == 'O' ? onion_pile
           : drawn == 'B' ? plate_pile
           : drawn == 'X' ? goal
           : drawn == ' ' ? empty
                          : cook_mark;
  }

  SWARMGRAD_FUNCTION int pot_cell(int p) const { return p == 0 ? first_pot : second_pot; }
  SWARMGRAD_FUNCTION static Int step_x(Int direction) {
    return select(direction == 2, Int(1), select(direction == 3, Int(-1), Int(0)));
  }
  SWARMGRAD_FUNCTION static Int step_y(Int direction) {
    return select(direction == 0, Int(-1), select(direction == 1, Int(1), Int(0)));
  }
  SWARMGRAD_FUNCTION Int cell_at(Int x, Int y) const { return y * width + x; }
  SWARMGRAD_FUNCTION Int cell_of(int cook) const { return cell_at(position[2 * cook], position[2 * cook + 1]); }
  SWARMGRAD_FUNCTION Int object_at(Int index) const {
    Int found = counter;
    for (int cell = 0; cell < height * width; ++cell) found = select(index == cell, object[cell], found);
    return found;
  }
  SWARMGRAD_FUNCTION void put(Mask condition, Int index, Int what) {
    for (int cell = 0; cell < height * width; ++cell)
      object[cell] = select(condition & (index == cell), what, object[cell]);
  }

  SWARMGRAD_FUNCTION void interact(int cook) {
    earned[cook] = 0.0f;
    const Mask acts = choice[cook] == use;
    if (none(acts)) return;
    const Int facing = direction[cook];
    const Int cell = cell_at(position[2 * cook] + step_x(facing), position[2 * cook + 1] + step_y(facing));
    const Int there = object_at(cell), hand = held[cook];

    for (int p = 0; p < pots; ++p) {
      const Mask here = acts & (cell == pot_cell(p));
      const Int status = pot_status[p];
      const Mask adds = here & (hand == onion) & (status > pot_full);
      const Mask takes = here & (hand == plate) & (status == 0);
      pot_status[p] = select(adds, status - 1, select(takes, Int(pot_empty), status));
      held[cook] = select(adds, Int(empty), select(takes, Int(dish), held[cook]));
      earned[cook] += select(adds, Float(onion_in_pot_reward), select(takes, Float(soup_taken_reward), Float(0.0f)));
    }

    const Mask loose = (there == onion) | (there == plate) | (there == dish);
    const Int offered = select(there == onion_pile, Int(onion), select(there == plate_pile, Int(plate), there));
    const Mask picks = acts & (hand == empty) & (loose | (there == onion_pile) | (there == plate_pile));
    const Mask drops = acts & (hand != empty) & (there == counter);
    const Mask serves = acts & (hand == dish) & (there == goal);
    if (any((picks & loose) | drops)) put((picks & loose) | drops, cell, select(drops, hand, Int(counter)));
    held[cook] = select(picks, offered, select(drops | serves, Int(empty), held[cook]));
    delivered[0] += select(serves, Float(delivery_reward), Float(0.0f));
  }

  SWARMGRAD_FUNCTION void move() {
    Int x[cooks], y[cooks], from[cooks], to[cooks];
    for (int cook = 0; cook < cooks; ++cook) {
      const Mask turns = choice[cook] < stay;
      const Int way = choice[cook];
      from[cook] = cell_of(cook);
      x[cook] = position[2 * cook] + step_x(way);
      y[cook] = position[2 * cook + 1] + step_y(way);
      const Int there = object_at(cell_at(x[cook], y[cook]));
      const Mask open = turns & ((there == empty) | (there == cook_mark));
      x[cook] = select(open, x[cook], position[2 * cook]);
      y[cook] = select(open, y[cook], position[2 * cook + 1]);
      to[cook] = cell_at(x[cook], y[cook]);
      direction[cook] = select(turns, way, direction[cook]);
    }
    const Mask moves = (to[0] != to[1]) & !((to[0] == from[1]) & (to[1] == from[0]));
    for (int cook = 0; cook < cooks; ++cook) put(moves, from[cook], empty);
    for (int cook = 0; cook < cooks; ++cook) {
      put(moves, to[cook], cook_mark);
      position[2 * cook] = select(moves, x[cook], position[2 * cook]);
      position[2 * cook + 1] = select(moves, y[cook], position[2 * cook + 1]);
    }
  }
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
