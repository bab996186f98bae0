// crowd: n agents cross a walled plane to their goals and avoid each other; neighbours are found through a grid.
// Our own rules, no reference's: contact as in social force models, senses as of a coarse range finder.
#pragma once

#include "core/environment.h"
#include "core/math.h"

namespace swarmgrad::SWARMGRAD_TARGET {

struct Crowd {
  static constexpr const char *id = "crowd";
  static constexpr const char *id_pattern = "crowd[-{scenario}][-{agents}]";
  static constexpr const char *summary =
      "2 to 1024 agents cross a plane to their goals without bumping into each other";
  static constexpr const char *description =
      "Group agent, N agents, one team.\n"
      "Observation (13): own velocity / 1.5 (2), direction of the goal (2), d / (1 + d) of its distance d (1), and for\n"
      "each of 8 sectors of 45 degrees, counter-clockwise from the x axis, how near the nearest other agent is: 1 in\n"
      "the same place, 0 from 1.25 on (8).\n"
      "Actions (9): 0 stay, 1 to 8 accelerate towards 0, 45, ..., 315 degrees.\n"
      "Reward of agent i: metres gained towards the goal - collision_penalty x number of agents closer than 0.5.\n"
      "Step (0.25 s): v = v / 2 + 3 a dt, x = x + v dt, stopped by the walls; whoever is closer than 0.5 pushes the\n"
      "other's velocity away, 10 dt a metre of overlap.\n"
      "Start: one agent, anywhere, in each cell of a lattice of `density` agents a square metre, at rest. ring: in an\n"
      "annulus, goals opposite within 45 degrees; corridor: two halves face each other; crossing: two streams cross at\n"
      "a right angle. As long as 1.25 times the way takes.\n"
      "Error: more agents in one cell of the neighbour grid (1.28 wide) than cell_capacity.\n"
      "Source: our own.";
  static constexpr Parameter parameters[] = {
      {"agents", 32, 2, 1024, true, "how many cross; the plane grows with them"},
      {"scenario", 0, 0, 2, true, "where agents start and go", "ring|corridor|crossing"},
      {"density", 0.8, 0.05, 2, false, "agents a square metre where they start"},
      {"collision_penalty", 0.25, 0, 100, false, "for every other agent that is closer than 0.5"},
      {"neighbours", 0, 0, 1, true, "how they are found; the same bits", "grid|all-pairs"},
      {"cell_capacity", 256, 1, 1024, true, "agents that a cell of the grid may hold"},
  };
  static constexpr const char *invalid_text = "a cell of the neighbour grid holds more agents than cell_capacity";

  int agents;
  int scenario;
  float collision_penalty;
  bool all_pairs;
  int cell_capacity;

  Array<Float> position;  // [agent][2]
  Array<Float> velocity;  // [agent][2]
  Array<Float> goal;      // [agent][2]
  Array<Float> nearest;   // [agent][sector]: distance of the nearest other agent, `reach` where nobody is in reach
  Array<Float> progress;  // [agent]: metres gained towards the goal by the last move
  Array<Int> cell;        // [agent]: cell of the grid
  Array<Int> rank;        // [agent]: place in (cell, agent) order
  Array<Int> end;         // [cell]: first rank after the cell's agents
  Array<Float> sorted_x;  // [rank]
  Array<Float> sorted_y;  // [rank]
  Array<Int> fullest;     // [1]: agents of the fullest cell

  SWARMGRAD_FUNCTION explicit Crowd(const double *parameter)
      : agents(static_cast<int>(parameter[0])),
        scenario(static_cast<int>(parameter[1])),
        collision_penalty(static_cast<float>(parameter[3])),
        all_pairs(parameter[4] != 0),
        cell_capacity(static_cast<int>(parameter[5])) {
    const float area = static_cast<float>(agents) / static_cast<float>(parameter[2]);
    if (scenario == ring) {
      half_width = half_height = root(area / (pi * 0.75f));  // less the inner half of the radius
      stream_agents = agents;
      aspect = 3 * pi;
      way = 1.5f * half_width;
    } else {
      half_height = root(area / (scenario == corridor ? 2 * 1.6f * 2.0f : 2 * 0.7f * 0.6f));
      half_width = scenario == corridor ? 2.0f * half_height : half_height;
      stream_agents = (agents + 1) / 2;
      aspect = scenario == corridor ? 0.8f : 0.7f / 0.6f;
      way = 1.2f * half_width;
    }
    // At least one step of room, however few they are.
    columns = static_cast<int>(2 * half_width / cell_size) + 3;
    rows = static_cast<int>(2 * half_height / cell_size) + 3;
    layers = 1;
    while (static_cast<float>(layers * layers) * aspect < static_cast<float>(stream_agents)) ++layers;
    slots = (stream_agents + layers - 1) / layers;
  }

  SWARMGRAD_FUNCTION int horizon() const { return 10 + static_cast<int>(1.25f * way / (full_speed * time_step)); }
  SWARMGRAD_FUNCTION int group_count() const { return 1; }
  SWARMGRAD_FUNCTION Group group(int) const { return {"agent", agents, 5 + sectors, 9}; }

  template <class Visitor>
  SWARMGRAD_FUNCTION void state(Visitor &visit) {
    visit("agent_pos", position, agents, 2);
    visit("agent_vel", velocity, agents, 2);
    visit("goal_pos", goal, agents, 2);
    visit("nearest", nearest, agents, sectors);
  }
  template <class Visitor>
  SWARMGRAD_FUNCTION void scratch(Visitor &visit) {
    visit("progress", progress, agents, 1);
    visit("cell", cell, agents, 1);
    visit("rank", rank, agents, 1);
    visit("end", end, 1 + rows * columns, 1);
    visit("sorted_x", sorted_x, agents, 1);
    visit("sorted_y", sorted_y, agents, 1);
    visit("fullest", fullest, 1, 1);
  }

  SWARMGRAD_FUNCTION void reset(Draws &draws) {
    for (int agent = 0; agent < agents; ++agent) {
      place(agent, draws);
      velocity[2 * agent] = velocity[2 * agent + 1] = 0.0f;
    }
    sort();
    for (int agent = 0; agent < agents; ++agent) remember(agent, look(agent));
  }

  SWARMGRAD_FUNCTION void observe(int agent, Observation out) {
    const Float x = goal[2 * agent] - position[2 * agent], y = goal[2 * agent + 1] - position[2 * agent + 1];
    const Float distance = sqrt(x * x + y * y);
    const Float divisor = select(distance > 0.0f, distance, Float(1.0f));
    out.set(0, velocity[2 * agent] * (1.0f / full_speed));
    out.set(1, velocity[2 * agent + 1] * (1.0f / full_speed));
    out.set(2, x / divisor);
    out.set(3, y / divisor);
    out.set(4, distance / (1.0f + distance));
    for (int s = 0; s < sectors; ++s) out.set(5 + s, fnma(nearest[sectors * agent + s], 1.0f / reach, 1.0f));
  }

  SWARMGRAD_FUNCTION void act(int agent, Int action) {
    static constexpr float cosine[8] = {1, half_root, 0, -half_root, -1, -half_root, 0, half_root};
    static constexpr float sine[8] = {0, half_root, 1, half_root, 0, -half_root, -1, -half_root};
    const Float thrust = select(action == 0, Float(0.0f), Float(full_speed * damping));
    Float &x = velocity[2 * agent], &y = velocity[2 * agent + 1];
    x = x * (1.0f - damping) + lookup(cosine, action - 1) * thrust;
    y = y * (1.0f - damping) + lookup(sine, action - 1) * thrust;
  }

  static constexpr int phase_count = 1;
  template <int K>
  SWARMGRAD_FUNCTION void phase(int agent) {
    const Float before = distance_to_goal(agent);
    position[2 * agent] = clamp(position[2 * agent] + velocity[2 * agent] * time_step, half_width);
    position[2 * agent + 1] = clamp(position[2 * agent + 1] + velocity[2 * agent + 1] * time_step, half_height);
    progress[agent] = before - distance_to_goal(agent);
  }

  SWARMGRAD_FUNCTION void share() { sort(); }

  SWARMGRAD_FUNCTION Float reward(int agent) {
    const View view = look(agent);
    remember(agent, view);
    velocity[2 * agent] += view.push_x * (stiffness * time_step);
    velocity[2 * agent + 1] += view.push_y * (stiffness * time_step);
    return progress[agent] - view.collisions * collision_penalty;
  }

  SWARMGRAD_FUNCTION Mask invalid() { return fullest[0] > cell_capacity; }

 private:
  enum Scenario { ring, corridor, crossing };
  static constexpr int sectors = 8;
  static constexpr float pi = 3.14159265f, half_root = 0.70710678f;
  static constexpr float time_step = 0.25f;
  static constexpr float full_speed = 1.5f;  // reached by who never turns
  static constexpr float damping = 0.5f;     // share of the velocity lost a step
  static constexpr float body = 0.5f;        // closer than this two agents collide
  static constexpr float stiffness = 10.0f;
  static constexpr float reach = 1.25f;
  static constexpr float cell_size = 1.28f;  // above `reach` by more than rounding: 3 x 3 cells hold all in reach

  float half_width, half_height;  // of the walled plane around the origin
  float aspect;                   // of a stream's start region: slots a layer
  float way;                      // a typical distance to the goal
  int columns, rows;              // of the grid, an empty border included
  int stream_agents, layers, slots;

  // What an agent meets: the neighbourhood is defined by `reach`, sums run in (cell, agent) order.
  struct View {
    Float x, y;  // the agent's own
    Int rank;
    Float squared_nearest[sectors];
    Float push_x = 0.0f, push_y = 0.0f;
    Float collisions = 0.0f;
  };

  SWARMGRAD_FUNCTION static float root(float x) { return lane(sqrt(Float(x)), 0); }
  SWARMGRAD_FUNCTION static Float clamp(Float x, float limit) {
    return maximum(Float(-limit), minimum(Float(limit), x));
  }
  SWARMGRAD_FUNCTION Float distance_to_goal(int agent) const {
    const Float x = goal[2 * agent] - position[2 * agent], y = goal[2 * agent + 1] - position[2 * agent + 1];
    return sqrt(x * x + y * y);
  }

  // Start and goal. Agents of near index start near each other, in every lane alike: what they look up is then near too.
  SWARMGRAD_FUNCTION void place(int agent, Draws &draws) {
    const bool second = agent >= stream_agents;
    const int member = second ? agent - stream_agents : agent;
    const Float across = (draws.uniform() + static_cast<float>(member % layers)) * (1.0f / static_cast<float>(layers));
    const Float along = (draws.uniform() + static_cast<float>(member / layers)) * (1.0f / static_cast<float>(slots));
    const Float turn = draws.uniform(0.75f * pi, 1.25f * pi);
    Float x, y, goal_x, goal_y;
    if (scenario == ring) {
      const Float radius = half_width * sqrt(across * 0.75f + 0.25f), angle = along * (2 * pi);
      x = radius * cos(angle);
      y = radius * sin(angle);
      goal_x = radius * cos(angle + turn);
      goal_y = radius * sin(angle + turn);
    } else {
      const float length = scenario == corridor ? 0.8f : 0.7f, width = scenario == corridor ? 1.0f : 0.3f;
      x = half_width * (along * length - 1.0f);
      y = half_height * (across * (2 * width) - width);
      goal_x = x + way;
      goal_y = y;
    }
    const bool turned = second && scenario == crossing, mirrored = second && scenario == corridor;
    position[2 * agent] = turned ? y : mirrored ? -x : x;
    position[2 * agent + 1] = turned ? x : y;
    goal[2 * agent] = turned ? goal_y : mirrored ? -goal_x : goal_x;
    goal[2 * agent + 1] = turned ? goal_x : goal_y;
  }

  // Counting sort of the agents by cell, stable: rank is their place in (cell, agent) order.
  SWARMGRAD_FUNCTION void sort() {
    const int cells = 1 + rows * columns;  // cell 0 is empty, so that every row of three cells has one before it
    for (int c = 0; c < cells; ++c) end[c] = 0;
    for (int agent = 0; agent < agents; ++agent) {
      const Int column = cell_along(position[2 * agent], half_width, columns);
      const Int row = cell_along(position[2 * agent + 1], half_height, rows);
      cell[agent] = row * columns + column + 1;
      scatter(end, cell[agent], gather(end, cell[agent]) + 1);
    }
    Int sum = 0;
    fullest[0] = 0;
    for (int c = 0; c < cells; ++c) {
      const Int count = end[c];
      fullest[0] = maximum(fullest[0], count);
      end[c] = sum;
      sum += count;
    }
    for (int agent = 0; agent < agents; ++agent) {
      const Int place = gather(end, cell[agent]);
      scatter(end, cell[agent], place + 1);
      scatter(sorted_x, place, position[2 * agent]);
      scatter(sorted_y, place, position[2 * agent + 1]);
      rank[agent] = place;
    }
  }
  SWARMGRAD_FUNCTION static Int cell_along(Float x, float half, int count) {
    const Float inside = minimum(Float(static_cast<float>(count - 3)), (x + half) * (1.0f / cell_size));
    return truncate(maximum(Float(0.0f), inside)) + 1;
  }

  SWARMGRAD_FUNCTION View look(int agent) const {
    View view;
    view.x = position[2 * agent];
    view.y = position[2 * agent + 1];
    view.rank = rank[agent];
    for (int s = 0; s < sectors; ++s) view.squared_nearest[s] = reach * reach;
    // Three runs of ranks, one after the other: a row of three cells each, or, of all pairs, everyone in the first.
    Int run_end[3], offset[3], visits = 0;
    for (int run = 0; run < 3; ++run) {
      const Int middle = cell[agent] + (run - 1) * columns;
      const Int first = all_pairs ? Int(0) : gather(end, middle - 2);
      const Int last = all_pairs ? Int(run == 0 ? agents : 0) : gather(end, middle + 1);
      offset[run] = first - visits;
      visits += last - first;
      run_end[run] = visits;
    }
    for (int visit = 0; any(visit < visits); ++visit) {
      const Int other = visit + select(visit < run_end[0], offset[0], select(visit < run_end[1], offset[1], offset[2]));
      meet(view, minimum(other, agents - 1), visit < visits);
    }
    return view;
  }

  SWARMGRAD_FUNCTION void meet(View &view, Int other, Mask visited) const {
    const Float x = view.x - gather(sorted_x, other), y = view.y - gather(sorted_y, other);
    const Float squared_distance = x * x + y * y;
    const Mask met = visited & (other != view.rank) & (squared_distance < reach * reach);
    // Of the direction towards the other: halves of the plane, of a half, of a quarter, counter-clockwise.
    const Mask below = y > 0.0f, second = below ^ (x > 0.0f), third = second ^ (abs(y) > abs(x));
    const Int sector = select(
        met, select(below, Int(4), Int(0)) | select(second, Int(2), Int(0)) | select(third, Int(1), Int(0)), Int(-1));
    for (int s = 0; s < sectors; ++s)
      view.squared_nearest[s] =
          select(sector == s, minimum(squared_distance, view.squared_nearest[s]), view.squared_nearest[s]);
    const Mask touches = met & (squared_distance < body * body);
    if (none(touches)) return;
    const Float distance = sqrt(squared_distance);
    const Mask apart = touches & (distance > 0.0f);
    const Float overlap = (body - distance) / select(apart, distance, Float(1.0f));
    view.push_x += select(apart, x * overlap, Float(0.0f));
    view.push_y += select(apart, y * overlap, Float(0.0f));
    view.collisions += one_if(touches);
  }

  SWARMGRAD_FUNCTION void remember(int agent, const View &view) {
    for (int s = 0; s < sectors; ++s) nearest[sectors * agent + s] = sqrt(view.squared_nearest[s]);
  }
};

}  // namespace swarmgrad::SWARMGRAD_TARGET
