// See callbacks.h.
#include "host/callbacks.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <new>

#include "host/failure.h"

namespace swarmgrad::host {
namespace {

constexpr uint32_t all_lanes = 0xffffu;
constexpr int largest_count = 1 << 20;  // of features and actions

// What a worker keeps of its cohort. The caller sees the cohort and gives its address back to draw().
struct Player {
  swarmgrad_cohort cohort;
  const CallbackTable *table;
  int32_t *action;  // the cohort's, to write to
  EnvironmentContext context;
  Purpose purpose;
  char problem[160];
  uint32_t problem_lanes;  // 0 where there is none
};

Player &self(void *object) { return *static_cast<Player *>(object); }
const CallbackTable &table_of(const void *object) { return *static_cast<const Player *>(object)->table; }

size_t agent_count(const CallbackTable &table) { return table.group_of_agent.size(); }

// The parts of a worker's memory, each beginning on a cache line.
struct Parts {
  size_t action, reward, observation, available, alive, size;
  explicit Parts(const CallbackTable &table) {
    size_t at = 0;
    const auto take = [&at](size_t bytes) {
      const size_t begin = at;
      at += (bytes + cache_line - 1) / cache_line * cache_line;
      return begin;
    };
    action = take(agent_count(table) * cache_line);
    reward = take(agent_count(table) * cache_line);
    observation = take(table.observation_of_agent.back() * sizeof(float));
    available = take(table.available_of_agent.back() * sizeof(uint16_t));
    alive = take(agent_count(table) * sizeof(uint16_t));
    size = at;
  }
};

int32_t draw(const swarmgrad_cohort *cohort, int32_t block, int32_t *words) {
  constexpr int blocks = 1 << 16;  // as many as the counter of the random numbers tells apart
  if (block < 0 || block >= blocks) return SWARMGRAD_INVALID_ARGUMENT;
  const Player &player = *reinterpret_cast<const Player *>(cohort);
  player.table->kernels->draw(player.context, static_cast<uint32_t>(cohort->step), player.purpose, block, words);
  return SWARMGRAD_OK;
}

void construct(const EnvironmentTable &table, const double *, void *object, void *memory) {
  Player &player = *::new (object) Player{};
  player.table = static_cast<const CallbackTable *>(&table);
  if (memory == nullptr) return;
  const Parts parts(*player.table);
  char *base = static_cast<char *>(memory);
  swarmgrad_cohort &cohort = player.cohort;
  cohort.size = sizeof cohort;
  cohort.action = player.action = reinterpret_cast<int32_t *>(base + parts.action);
  cohort.reward = reinterpret_cast<float *>(base + parts.reward);
  cohort.observation = reinterpret_cast<float *>(base + parts.observation);
  cohort.available = reinterpret_cast<uint16_t *>(base + parts.available);
  cohort.alive = reinterpret_cast<uint16_t *>(base + parts.alive);
  cohort.draw = draw;
}

int horizon(const void *object) { return table_of(object).callbacks.horizon; }
int group_count(const void *object) { return static_cast<int>(table_of(object).groups.size()); }
GroupShape group(const void *object, int index) { return table_of(object).groups[static_cast<size_t>(index)]; }
int field_count(void *) { return 0; }
FieldShape field(void *, int) { return {}; }
size_t state_bytes(void *) { return 0; }
size_t memory_bytes(void *object) { return Parts(table_of(object)).size; }

bool is_finite(float value) { return value - value == 0; }

// A NaN or infinity in what living agents of playing episodes observe; earliest agent and feature first.
void check_observations(Player &player) {
  const CallbackTable &table = *player.table;
  const swarmgrad_cohort &cohort = player.cohort;
  // The largest pattern but for the sign, living agent's or not: integers, so that the loop becomes vector code.
  int32_t largest = 0;
  for (size_t k = 0; k < table.observation_of_agent.back(); ++k)
    largest = std::max(largest, std::bit_cast<int32_t>(cohort.observation[k]) & INT32_MAX);
  constexpr int32_t infinity = 0x7f800000;
  if (largest < infinity) return;
  for (size_t agent = 0; agent < agent_count(table); ++agent)
    for (size_t k = table.observation_of_agent[agent]; k < table.observation_of_agent[agent + 1]; ++k) {
      const uint32_t lane = 1u << k % cohort_size;
      if (is_finite(cohort.observation[k]) || (lane & static_cast<uint32_t>(cohort.playing) & cohort.alive[agent]) == 0)
        continue;
      std::snprintf(player.problem, sizeof player.problem,
                    "feature %zu of agent %zu's observation is %g; allowed: finite numbers",
                    (k - table.observation_of_agent[agent]) / cohort_size, agent,
                    static_cast<double>(cohort.observation[k]));
      player.problem_lanes = lane;
      return;
    }
}

void call(Player &player, const char *name, int32_t (*function)(void *, swarmgrad_cohort *)) {
  const CallbackTable &table = *player.table;
  player.problem_lanes = 0;
  player.cohort.done = 0;
  std::memset(player.cohort.reward, 0, agent_count(table) * cache_line);
  std::memset(player.cohort.available, 0xff, table.available_of_agent.back() * sizeof(uint16_t));
  const int32_t status = function(table.callbacks.context, &player.cohort);
  if (status == 0) return check_observations(player);
  std::snprintf(player.problem, sizeof player.problem, "%s failed with status %d", name, status);
  player.problem_lanes = all_lanes;
}

void reset(void *object, const EnvironmentContext &context) {
  Player &player = self(object);
  player.context = context;
  player.purpose = Purpose::reset;
  player.cohort.episodes = context.members;
  player.cohort.first_environment = context.first_environment;
  player.cohort.iteration = context.iteration;
  player.cohort.step = 0;
  player.cohort.playing = static_cast<int32_t>(all_lanes >> (cohort_size - context.members));
  std::memset(player.cohort.alive, 0xff, agent_count(*player.table) * sizeof(uint16_t));
  call(player, "reset", player.table->callbacks.reset);
}

void observe(void *object, int first_agent, int count, float *observation, ptrdiff_t feature_stride,
             uint16_t *available, int action_count) {
  const Player &player = self(object);
  for (int k = 0; k < count; ++k) {
    const auto agent = static_cast<size_t>(first_agent + k);
    const float *from = player.cohort.observation + player.table->observation_of_agent[agent];
    const int features =
        player.table->groups[static_cast<size_t>(player.table->group_of_agent[agent])].observation_size;
    for (int f = 0; f < features; ++f)
      std::memcpy(observation + f * feature_stride + k * cohort_size, from + f * cohort_size, cache_line);
    if (available != nullptr)
      std::memcpy(available + k * action_count, player.cohort.available + player.table->available_of_agent[agent],
                  static_cast<size_t>(action_count) * sizeof(uint16_t));
  }
}

// The callback draws for itself, whenever it wants to.
void allow_draws(void *object, const EnvironmentContext &, int step) {
  Player &player = self(object);
  player.purpose = Purpose::environment;
  player.cohort.step = step;
}

uint32_t step(void *object, const int32_t *action, float *reward) {
  Player &player = self(object);
  const size_t bytes = agent_count(*player.table) * cache_line;
  std::memcpy(player.action, action, bytes);
  call(player, "step", player.table->callbacks.step);
  std::memcpy(reward, player.cohort.reward, bytes);
  player.cohort.playing &= ~player.cohort.done;
  return static_cast<uint32_t>(player.cohort.done) & all_lanes;
}

uint32_t alive(void *object, int agent) { return self(object).cohort.alive[agent]; }

Problem problem(void *object) {
  const Player &player = self(object);
  return {player.problem, player.problem_lanes};
}

ParameterShape no_parameter(int) { return {}; }

const swarmgrad_group &checked(const swarmgrad_group &group, int index) {
  if (group.size != sizeof group)
    reject("callbacks.groups[%d].size is %u; this library expects %zu", index, group.size, sizeof group);
  if (group.name == nullptr || group.name[0] == '\0') reject("callbacks.groups[%d].name is empty", index);
  const struct {
    const char *name;
    int32_t value;
  } counts[] = {{"agent_count", group.agent_count},
                {"observation_size", group.observation_size},
                {"action_count", group.action_count}};
  for (const auto &count : counts)
    if (count.value < 1 || count.value > largest_count)
      reject("callbacks.groups[%d].%s is %d; allowed: 1 to %d", index, count.name, count.value, largest_count);
  return group;
}

}  // namespace

CallbackTable::CallbackTable(const char *name, const swarmgrad_callbacks &given, const Kernels &own_kernels)
    : EnvironmentTable{}, own_name(name == nullptr ? "" : name), callbacks(given), kernels(&own_kernels) {
  if (given.size != sizeof given) reject("callbacks.size is %u; this library expects %zu", given.size, sizeof given);
  if (own_name.empty()) reject("environment is empty; allowed: a name for the callbacks' environment");
  if (given.groups == nullptr || given.group_count < 1)
    reject("callbacks.group_count is %d; allowed: 1 or more, with groups", given.group_count);
  if (given.reset == nullptr || given.step == nullptr) reject("callbacks.reset or callbacks.step is null");
  if (given.horizon < 1) reject("callbacks.horizon is %d; allowed: 1 or more", given.horizon);
  observation_of_agent.push_back(0);
  available_of_agent.push_back(0);
  for (int g = 0; g < given.group_count; ++g) {
    const swarmgrad_group &shape = checked(given.groups[g], g);
    group_names.emplace_back(shape.name);
    groups.push_back({nullptr, shape.agent_count, shape.observation_size, shape.action_count, shape.has_mask != 0});
    for (int agent = 0; agent < shape.agent_count; ++agent) {
      group_of_agent.push_back(g);
      observation_of_agent.push_back(observation_of_agent.back() +
                                     static_cast<size_t>(shape.observation_size) * cohort_size);
      available_of_agent.push_back(available_of_agent.back() +
                                   (shape.has_mask != 0 ? static_cast<size_t>(shape.action_count) : 0));
    }
  }
  for (size_t g = 0; g < groups.size(); ++g) groups[g].name = group_names[g].c_str();
  id = summary = description = own_name.c_str();
  parameter = no_parameter;
  object_bytes = sizeof(Player);
  construct = swarmgrad::host::construct;
  horizon = swarmgrad::host::horizon;
  group_count = swarmgrad::host::group_count;
  group = swarmgrad::host::group;
  field_count = array_count = swarmgrad::host::field_count;
  field = swarmgrad::host::field;
  state_bytes = swarmgrad::host::state_bytes;
  memory_bytes = swarmgrad::host::memory_bytes;
  reset = swarmgrad::host::reset;
  observe = swarmgrad::host::observe;
  draw = swarmgrad::host::allow_draws;
  step = swarmgrad::host::step;
  alive = swarmgrad::host::alive;
  problem = swarmgrad::host::problem;
  is_replayable = false;
}

}  // namespace swarmgrad::host
