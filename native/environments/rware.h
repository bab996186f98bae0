// rware-*-v2: robots bring requested shelves to the goals of a warehouse and take them back.
// Rules: semitable/robotic-warehouse 2.0 with flattened observations and no messages.
#pragma once

#include "core/environment.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct Rware {
  static constexpr const char *id = "rware-tiny-2ag-v2";
  static constexpr const char *id_pattern = "rware-{size}-{agents}ag[-{difficulty}]-v2";
  static constexpr const char *summary = "robots carry requested shelves to the goals of a warehouse (RWARE)";
  static constexpr const char *description =
      "Group agent, N agents, one team. x counts columns, y rows downwards; the goals are the middle cells of the last row.\n"
      "Observation (8 + 7 (2 R + 1)^2, R the sensor range): own x, own y, carries a shelf, own direction (one-hot: up,\n"
      "down, left, right), stands on a highway; then of every cell in range, row by row, its own included: an agent is\n"
      "there, its direction (one-hot; up where there is none), a shelf is there, it is requested. Outside the map cells are\n"
      "empty.\n"
      "Actions (5): 0 nothing, 1 forward, 2 turn left, 3 turn right, 4 pick the shelf up or put it down (not on a "
      "highway).\n"
      "A robot that carries cannot enter a cell with a shelf, unless another that carries leaves it. Of robots that\n"
      "want into each other's cells a cycle of three or more moves, a swap does not; else the longest chain into a free\n"
      "cell moves, and where equally long ones meet, the one that the lower agent leads there (the reference's choice\n"
      "depends on the order of its sets).\n"
      "Reward: a requested shelf on a goal is delivered, and another one is requested in its place. individual: 1 for the\n"
      "agent, global: 1 for every agent, two-stage: 0.5 for the agent, and 0.5 when it then puts the shelf down.\n"
      "Start: agents on distinct cells of the whole map, directions and requests uniform. Ends after 500 steps, or after\n"
      "max_inactivity_steps without a delivery.\n"
      "State: agents (x, y, direction, carried shelf or 0, has delivered), shelves (x, y) by id from 1, requested ids.\n"
      "Source: semitable/robotic-warehouse 2.0.";
  static constexpr Parameter parameters[] = {
      {"size", 0, 0, 3, true, "shelf rows x columns: 1 x 3, 2 x 3, 2 x 5, 3 x 5", "tiny|small|medium|large"},
      {"agents", 2, 1, 256, true, "robots"},
      {"difficulty", 0, 0, 2, true, "requests: as many as agents, twice or half as many", "normal|easy|hard"},
      {"reward_type", 0, 0, 2, true, "who is rewarded, and when", "individual|global|two-stage"},
      {"sensor_range", 1, 1, 10, true, "cells that an agent sees in each direction"},
      {"request_queue_size", 0, 0, 512, true, "shelves that are requested at a time, or 0 for the difficulty's"},
      {"column_height", 8, 1, 32, true, "shelves in a column"},
      {"shelf_rows", 0, 0, 16, true, "rows of columns, or 0 for the size's"},
      {"shelf_columns", 0, 0, 31, true, "columns, an odd number, or 0 for the size's"},
      {"max_inactivity_steps", 0, 0, 1000000, true,
       "steps without a delivery that end an episode, or 0 for any number"},
  };

  int agents, reward_type, sensor_range, column_height, max_inactivity_steps;
  int width, height, shelf_count, request_count;
  bool is_possible;

  Array<Int> agent_state;     // [agent][5]: see Agent
  Array<Int> shelf_position;  // [shelf][2]: x, y
  Array<Int> request;         // [request]: shelf ids, 1 ..
  Array<Int> inactive_steps;  // [1]
  Array<Int> replacement;     // [2]: shelf ids that take the place of delivered ones
  Array<Int> intent;          // [agent]
  Array<Int> origin, target;  // [agent]: the cells y x width + x where it stands and where it wants to be
  Array<Int> near_shelf;      // [agent]: the shelf on its way if it carries one, else where it stands, or 0
  Array<Int> chain;           // [agent]: 1 + agents in the longest chain behind it; 0: on a cycle, or it stays
  Array<Int> progress;        // [agent]: see Progress
  Array<Int> exchange;        // [max(agent, request)], at reset
  Array<Float> earned;        // [agent]

  SWARMGRAD_FUNCTION explicit Rware(const double *parameter)
      : agents(static_cast<int>(parameter[1])),
        reward_type(static_cast<int>(parameter[3])),
        sensor_range(static_cast<int>(parameter[4])),
        column_height(static_cast<int>(parameter[6])),
        max_inactivity_steps(static_cast<int>(parameter[9])) {
    const int size = static_cast<int>(parameter[0]), difficulty = static_cast<int>(parameter[2]);
    const int rows = parameter[7] > 0 ? static_cast<int>(parameter[7]) : size == 0 ? 1 : size == 3 ? 3 : 2;
    const int columns = parameter[8] > 0 ? static_cast<int>(parameter[8]) : size < 2 ? 3 : 5;
    width = 3 * columns + 1;
    height = (column_height + 1) * rows + 2;
    shelf_count = 0;
    for (int cell = 0; cell < width * height; ++cell)
      shelf_count += any(is_highway(cell % width, cell / width)) ? 0 : 1;
    const int requests = parameter[5] > 0  ? static_cast<int>(parameter[5])
                         : difficulty == 1 ? 2 * agents
                         : difficulty == 2 ? agents / 2
                                           : agents;
    is_possible = columns % 2 == 1 && requests < shelf_count && agents <= width * height;
    request_count = is_possible ? requests : 0;
  }

  SWARMGRAD_FUNCTION int horizon() const { return 500; }
  SWARMGRAD_FUNCTION int group_count() const { return 1; }
  SWARMGRAD_FUNCTION Group group(int) const {
    const int side = 2 * sensor_range + 1;
    return {"agent", agents, 8 + 7 * side * side, 5};
  }

  template <class Visitor>
  SWARMGRAD_FUNCTION void state(Visitor &visit) {
    visit("agents", agent_state, agents, agent_columns);
    visit("shelves", shelf_position, shelf_count, 2);
    visit("request_queue", request, request_count, 1);
    visit("inactive_steps", inactive_steps, 1, 1);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void chance(Visitor &visit) {
    visit("new_requests", replacement, 2, 1);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void scratch(Visitor &visit) {
    visit("intent", intent, agents, 1);
    visit("origin", origin, agents, 1);
    visit("target", target, agents, 1);
    visit("near_shelf", near_shelf, agents, 1);
    visit("chain", chain, agents, 1);
    visit("progress", progress, agents, 1);
    visit("exchange", exchange, agents < request_count ? request_count : agents, 1);
    visit("earned", earned, agents, 1);
  }

  static constexpr const char *invalid_text =
      "no such warehouse: shelf_columns must be odd, the requests fewer than the shelves, the agents no more than the "
      "cells";
  SWARMGRAD_FUNCTION Mask invalid() { return !is_possible; }

  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    for (int agent = 0; agent < agents; ++agent) {
      const Int cell = draw_distinct(draws, agent, width * height);
      const Int y = truncate(to_float(cell) / static_cast<float>(width));
      of(agent, Agent::x) = cell - y * width;
      of(agent, Agent::y) = y;
      of(agent, Agent::shelf) = 0;
      of(agent, Agent::has_delivered) = 0;
    }
    for (int agent = 0; agent < agents; ++agent) of(agent, Agent::direction) = draws.below(4);
    int shelf = 0;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        if (any(is_highway(x, y))) continue;
        shelf_position[2 * shelf] = x;
        shelf_position[2 * shelf + 1] = y;
        ++shelf;
      }
    for (int k = 0; k < request_count; ++k) request[k] = draw_distinct(draws, k, shelf_count) + 1;
    inactive_steps[0] = 0;
  }

  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    const Int x = of(agent, Agent::x), y = of(agent, Agent::y);
    out.set(0, to_float(x));
    out.set(1, to_float(y));
    out.set(2, one_if(of(agent, Agent::shelf) > 0));
    for (int direction = 0; direction < 4; ++direction)
      out.set(3 + direction, one_if(of(agent, Agent::direction) == direction));
    out.set(7, one_if(is_highway(x, y)));
    // As many rows of cells at a time as one word has bits for.
    const int side = 2 * sensor_range + 1, rows = 32 / side < side ? 32 / side : side;
    for (int row = 0; row < side; row += rows) {
      const Window window = {x - sensor_range, y - sensor_range + row, side, rows < side - row ? rows : side - row};
      observe_window(window, 8 + 7 * side * row, out);
    }
  }

  // For each of two deliveries a shelf that is not requested: the one that is `place`-th among those.
  SWARMGRAD_FUNCTION void draw(Draws &draws) {
    for (int k = 0; k < 2; ++k) {
      const Int place = draws.below(shelf_count - request_count) + 1;
      Int shelf = place, before;
      do {
        before = shelf;
        shelf = place;
        for (int r = 0; r < request_count; ++r) shelf += select(request[r] <= before, Int(1), Int(0));
      } while (any(shelf != before));
      replacement[k] = shelf;
    }
  }

  SWARMGRAD_FUNCTION void act(int agent, Int action) {
    const Int x = of(agent, Agent::x), y = of(agent, Agent::y), direction = of(agent, Agent::direction);
    const Mask forward = action == 1, carries = of(agent, Agent::shelf) > 0;
    const Int to_x = select(forward, minimum(maximum(x + step_x(direction), Int(0)), Int(width - 1)), x);
    const Int to_y = select(forward, minimum(maximum(y + step_y(direction), Int(0)), Int(height - 1)), y);
    const Int from_cell = y * width + x, to_cell = to_y * width + to_x;
    const Int seen_x = select(carries, to_x, x), seen_y = select(carries, to_y, y);
    Int shelf = 0;
    for (int s = 0; s < shelf_count; ++s)
      shelf = select((shelf_position[2 * s] == seen_x) & (shelf_position[2 * s + 1] == seen_y), Int(s + 1), shelf);
    Mask blocked = carries & (to_cell != from_cell) & (shelf > 0);
    for (int other = 0; other < agents; ++other)
      blocked &= !((of(other, Agent::shelf) > 0) & (of(other, Agent::x) == to_x) & (of(other, Agent::y) == to_y));
    intent[agent] = action;
    origin[agent] = from_cell;
    target[agent] = select(blocked, from_cell, to_cell);
    near_shelf[agent] = shelf;
  }

  SWARMGRAD_FUNCTION void resolve() {
    measure_chains();
    choose_chains();
    move_cycles();
    for (int agent = 0; agent < agents; ++agent) perform(agent);
    deliver();
  }

  SWARMGRAD_FUNCTION Float reward(int agent) { return earned[agent]; }

  SWARMGRAD_FUNCTION Mask done() {
    return Mask(max_inactivity_steps > 0) & (inactive_steps[0] >= max_inactivity_steps);
  }

 private:
  enum class Agent { x, y, direction, shelf, has_delivered };
  static constexpr int agent_columns = 5;
  struct Progress {
    static constexpr int stays = 0, waits = 1, moves = 2;
  };
  struct Reward {
    static constexpr int individual = 0, global = 1, two_stage = 2;
  };

  // Cells around an agent; bit (y - top) x side + (x - left) of a word stands for a cell.
  struct Window {
    Int left, top;
    int side, rows;

    SWARMGRAD_FUNCTION Int bit(Int x, Int y) const {
      const Int column = x - left, row = y - top;
      const Mask inside = ((column | row) >= 0) & (column < side) & (row < rows);
      return select(inside, shift_left(Int(1), (row * side + column) & 31), Int(0));
    }
  };

  SWARMGRAD_FUNCTION Int &of(int agent, Agent column) const {
    return agent_state[agent_columns * agent + static_cast<int>(column)];
  }
  SWARMGRAD_FUNCTION static Int step_x(Int direction) {
    return select(direction == 3, Int(1), select(direction == 2, Int(-1), Int(0)));
  }
  SWARMGRAD_FUNCTION static Int step_y(Int direction) {
    return select(direction == 1, Int(1), select(direction == 0, Int(-1), Int(0)));
  }

  // Where no shelf belongs: every third column, the rows between columns, the last row and the lane to the goals.
  SWARMGRAD_FUNCTION Mask is_highway(Int x, Int y) const {
    const Mask in_goal_column = (x == width / 2 - 1) | (x == width / 2);
    Mask found = (y == height - 1) | ((y > height - column_height - 3) & in_goal_column);
    for (int column = 0; column < width; column += 3) found |= x == column;
    for (int row = 0; row < height; row += column_height + 1) found |= y == row;
    return found;
  }

  // The k-th of different numbers below `total`: a shuffle of which only the exchanges are kept.
  SWARMGRAD_FUNCTION Int draw_distinct(Draws &draws, int k, int total) const {
    exchange[k] = draws.below(total - k) + k;
    Int number = exchange[k];
    for (int earlier = k - 1; earlier >= 0; --earlier)
      number = select(number == exchange[earlier], Int(earlier), number);
    return number;
  }

  SWARMGRAD_FUNCTION void observe_window(const Window &window, int feature, Observation out) const {
    Int present = 0, down = 0, left = 0, right = 0, shelf = 0, requested = 0;
    for (int other = 0; other < agents; ++other) {
      const Int bit = window.bit(of(other, Agent::x), of(other, Agent::y)), direction = of(other, Agent::direction);
      present |= bit;
      down |= select(direction == 1, bit, Int(0));
      left |= select(direction == 2, bit, Int(0));
      right |= select(direction == 3, bit, Int(0));
    }
    for (int s = 0; s < shelf_count; ++s) shelf |= window.bit(shelf_position[2 * s], shelf_position[2 * s + 1]);
    for (int r = 0; r < request_count; ++r) {
      const Int index = minimum(maximum(request[r], Int(1)), Int(shelf_count)) - 1;
      requested |= window.bit(gather(shelf_position, index + index), gather(shelf_position, index + index + 1));
    }
    Int words[7] = {present, ~(down | left | right), down, left, right, shelf, requested};
    for (int cell = 0; cell < window.side * window.rows; ++cell)
      for (Int &word : words) {
        out.set(feature++, to_float(word & 1));
        word = shift_right<1>(word);
      }
  }

  SWARMGRAD_FUNCTION Mask wants_to_move(int agent) const { return target[agent] != origin[agent]; }

  // Takes the agents whom nobody follows off the graph, round by round: the round is the length of the longest chain up
  // to the agent. Nobody is left but those on a cycle, and those who stay.
  SWARMGRAD_FUNCTION void measure_chains() {
    for (int agent = 0; agent < agents; ++agent) chain[agent] = 0;
    Mask changed = true;
    for (int round = 1; any(changed); ++round) {
      changed = false;
      for (int agent = 0; agent < agents; ++agent) {
        Mask taken = wants_to_move(agent) & (chain[agent] == 0);
        for (int other = 0; other < agents; ++other)
          taken &= !((target[other] == origin[agent]) & ((chain[other] == 0) | (chain[other] == round)));
        chain[agent] = select(taken, Int(round), chain[agent]);
        changed |= taken;
      }
    }
  }

  // The longest chain into every cell waits for it; it moves where the cell is free or becomes free.
  SWARMGRAD_FUNCTION void choose_chains() {
    for (int agent = 0; agent < agents; ++agent) {
      Mask first = chain[agent] > 0, is_free = true;
      for (int other = 0; other < agents; ++other) {
        const Mask rival = target[other] == target[agent];
        if (other < agent) first &= !(rival & (chain[other] >= chain[agent]));
        if (other > agent) first &= !(rival & (chain[other] > chain[agent]));
        is_free &= origin[other] != target[agent];
      }
      progress[agent] =
          select(first, select(is_free, Int(Progress::moves), Int(Progress::waits)), Int(Progress::stays));
    }
    Mask changed = true;
    while (any(changed)) {
      changed = false;
      for (int agent = 0; agent < agents; ++agent) {
        Mask follows = false;
        for (int other = 0; other < agents; ++other)
          follows |= (origin[other] == target[agent]) & (progress[other] == Progress::moves);
        follows &= progress[agent] == Progress::waits;
        progress[agent] = select(follows, Int(Progress::moves), progress[agent]);
        changed |= follows;
      }
    }
  }

  // Cycles of three or more move; two agents do not swap.
  SWARMGRAD_FUNCTION void move_cycles() {
    for (int agent = 0; agent < agents; ++agent) {
      Mask moves = wants_to_move(agent) & (chain[agent] == 0);
      for (int other = 0; other < agents; ++other)
        moves &= (target[other] != origin[agent]) | (origin[other] != target[agent]);
      progress[agent] = select(moves, Int(Progress::moves), progress[agent]);
    }
  }

  SWARMGRAD_FUNCTION void perform(int agent) {
    // direction after turning left, then right
    static constexpr int32_t turned[8] = {2, 3, 1, 0, 3, 2, 0, 1};
    Int &x = of(agent, Agent::x), &y = of(agent, Agent::y), &direction = of(agent, Agent::direction);
    Int &shelf = of(agent, Agent::shelf), &has_delivered = of(agent, Agent::has_delivered);
    const Int action = intent[agent];

    const Mask moves = progress[agent] == Progress::moves, drags = moves & (shelf > 0) & (shelf <= shelf_count);
    x += select(moves, step_x(direction), Int(0));
    y += select(moves, step_y(direction), Int(0));
    if (any(drags)) {
      scatter(shelf_position, shelf + shelf - 2, x, drags);
      scatter(shelf_position, shelf + shelf - 1, y, drags);
    }

    const Mask turns = (action == 2) | (action == 3);
    direction = select(turns, lookup(turned, direction + select(action == 3, Int(4), Int(0))), direction);

    const Mask picks = (action == 4) & (shelf == 0), puts = (action == 4) & (shelf > 0) & !is_highway(x, y);
    const Mask returned = puts & (has_delivered == 1);
    earned[agent] = select(returned, Float(0.5f), Float(0.0f));
    has_delivered = select(puts, Int(0), has_delivered);
    shelf = select(picks, near_shelf[agent], select(puts, Int(0), shelf));
  }

  // Goal after goal. The second replacement was drawn as if nothing had been delivered before: where it is the shelf that
  // the first delivery put into the queue, the shelf that left the queue takes its place, which makes it uniform.
  SWARMGRAD_FUNCTION void deliver() {
    Int first = 0;
    for (int goal = width / 2 - 1; goal <= width / 2; ++goal) {
      Int shelf = 0;
      for (int agent = 0; agent < agents; ++agent) shelf = select(is_at(goal, agent), of(agent, Agent::shelf), shelf);
      if (none(shelf > 0)) continue;
      const Int second = select(replacement[1] == replacement[0], first, replacement[1]);
      const Int next = select(first == 0, replacement[0], second);
      Mask delivered = false;
      for (int r = 0; r < request_count; ++r) {
        const Mask found = request[r] == shelf;
        request[r] = select(found, next, request[r]);
        delivered |= found;
      }
      for (int agent = 0; agent < agents; ++agent) {
        const Mask brought = delivered & is_at(goal, agent);
        const Mask rewarded = reward_type == Reward::global ? delivered : brought;
        earned[agent] += select(rewarded, Float(reward_type == Reward::two_stage ? 0.5f : 1.0f), Float(0.0f));
        if (reward_type == Reward::two_stage)
          of(agent, Agent::has_delivered) = select(brought, Int(1), of(agent, Agent::has_delivered));
      }
      first = select(delivered, shelf, first);
    }
    inactive_steps[0] = select(first == 0, inactive_steps[0] + 1, Int(0));
  }
  SWARMGRAD_FUNCTION Mask is_at(int goal, int agent) const {
    return (of(agent, Agent::x) == goal) & (of(agent, Agent::y) == height - 1);
  }
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
