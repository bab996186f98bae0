// my_game: agents on a line of cells run after a light that jumps away when one of them reaches it.
// The template of `swarmgrad new-env`: small, complete, and every part of the contract that most games need.
//
// How to read it: there is no single game here but sixteen, side by side. A Float, Int or Mask is one value for each of
// them, so a choice that depends on the game is `select(condition, one, other)`, not `if`. Plain ints and floats, such
// as the parameters, are the same in all sixteen. The full list of what a game may have is on top of
// core/environment.h; use nothing of the C++ standard library, and the same file will also run on a GPU.
#pragma once

#include "core/environment.h"
#include "core/math.h"  // exp, log, sin, cos, tanh: the same bits on every machine

namespace swarmgrad::SWARMGRAD_TARGET {

struct MyGame {
  static constexpr const char *id = "my_game";
  static constexpr const char *summary = "agents on a line of cells run after a light";
  static constexpr const char *description =
      "Group runner, N agents, one team.\n"
      "Observation (3): own cell (0 to 1), the light's cell minus own, the mean cell of all agents minus own.\n"
      "Actions (3): 0 left, 1 stay, 2 right; nobody leaves the line.\n"
      "Reward: 1 / N for everyone when somebody reaches the light, which then jumps.\n"
      "Start: everything anywhere. Ends after `lights` lights, or 50 steps.";
  // Values of the command line (--param cells=30), checked against their ranges before the game sees them.
  static constexpr Parameter parameters[] = {
      {"agents", 2, 1, 64, true, "agents on the line"},
      {"cells", 20, 2, 1000, true, "cells of the line"},
      {"lights", 10, 1, 1000, true, "lights that end the episode"},
  };

  int agents, cells, lights;

  // Arrays are the only memory that may change: the engine copies and restores it. [rows][columns] as visited below.
  Array<Int> cell;        // [agent]
  Array<Int> light;       // [1]
  Array<Int> caught;      // [1]: lights so far
  Array<Int> next_light;  // [1]: where the light would jump in this step
  Array<Int> reached;     // [1]: 1 where somebody stands on the light

  SWARMGRAD_FUNCTION explicit MyGame(const double *parameter)
      : agents(static_cast<int>(parameter[0])),
        cells(static_cast<int>(parameter[1])),
        lights(static_cast<int>(parameter[2])) {}

  SWARMGRAD_FUNCTION int horizon() const { return 50; }
  SWARMGRAD_FUNCTION int group_count() const { return 1; }
  // Name, agents, features that observe() writes, actions.
  SWARMGRAD_FUNCTION Group group(int) const { return {"runner", agents, 3, 3}; }

  // What survives a step.
  SWARMGRAD_FUNCTION void state(auto &visit) {
    visit("cell", cell, agents, 1);
    visit("light", light, 1, 1);
    visit("caught", caught, 1, 1);
  }
  // What draw() writes; it lives for one step.
  SWARMGRAD_FUNCTION void chance(auto &visit) { visit("next_light", next_light, 1, 1); }
  // Everything else that lives for one step.
  SWARMGRAD_FUNCTION void scratch(auto &visit) { visit("reached", reached, 1, 1); }

  // A new episode: writes all of the state.
  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    for (int agent = 0; agent < agents; ++agent) cell[agent] = draws.below(cells);
    light[0] = draws.below(cells);
    caught[0] = 0;
  }

  // Writes every feature of one agent; about -1 to 1 learns best.
  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    const float scale = 1.0f / static_cast<float>(cells - 1);
    Int sum = 0;
    for (int other = 0; other < agents; ++other) sum += cell[other];
    const Float own = to_float(cell[agent]), mean = to_float(sum) / static_cast<float>(agents);
    out.set(0, own * scale);
    out.set(1, (to_float(light[0]) - own) * scale);
    out.set(2, (mean - own) * scale);
  }

  // The order of a step: draw once, act for every agent, resolve once, then reward for every agent, and done.
  // All chance comes first and is drawn in every game alike, whether it will be needed or not.
  SWARMGRAD_FUNCTION void draw(Draws &draws) { next_light[0] = draws.below(cells); }

  // Writes only what is the agent's own.
  SWARMGRAD_FUNCTION void act(int agent, Int action) {
    cell[agent] = minimum(maximum(cell[agent] + action - 1, Int(0)), Int(cells - 1));
  }

  // What concerns all agents together.
  SWARMGRAD_FUNCTION void resolve() {
    Mask someone = false;
    for (int agent = 0; agent < agents; ++agent) someone |= cell[agent] == light[0];
    reached[0] = select(someone, Int(1), Int(0));
    light[0] = select(someone, next_light[0], light[0]);
    caught[0] += reached[0];
  }

  SWARMGRAD_FUNCTION Float reward(int) { return to_float(reached[0]) / static_cast<float>(agents); }

  SWARMGRAD_FUNCTION Mask done() { return caught[0] >= lights; }
};

SWARMGRAD_ENVIRONMENT(MyGame);

}  // namespace swarmgrad::SWARMGRAD_TARGET
