// See simulator.h. The environment runs in lane 0 of a cohort of one; the other lanes play the same episode.
#include "host/simulator.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "host/catalogue.h"
#include "host/environment_library.h"
#include "host/failure.h"

namespace swarmgrad::host {

Simulator::Simulator(const char *environment, const swarmgrad_value *parameters, int parameter_count, uint64_t seed,
                     int isa) {
  int chosen = isa;
  choose_kernels(isa, &chosen);
  NamedEnvironment named = find_environment(environment, parameters, parameter_count);
  table_ = &environment_at(named.index, chosen);
  parameters_ = std::move(named.parameters);
  id_ = std::move(named.id);
  EnvironmentObject shapes(*table_, parameters_, nullptr);
  check_shapes(*table_, shapes.get());
  horizon_ = table_->horizon(shapes.get());
  int widest = 1;
  for (int g = 0; g < table_->group_count(shapes.get()); ++g) {
    const GroupShape shape = table_->group(shapes.get(), g);
    swarmgrad_group group = {};
    group.size = sizeof group;
    group.first_agent = agent_count_;
    group.agent_count = shape.agents;
    group.observation_size = shape.observation_size;
    group.action_count = shape.action_count;
    group.has_mask = shape.has_mask;
    group.name = shape.name;
    groups_.push_back(group);
    agent_count_ += shape.agents;
    widest = std::max({widest, shape.observation_size, shape.action_count});
  }
  for (int f = 0; f < table_->field_count(shapes.get()); ++f) fields_.push_back(table_->field(shapes.get(), f));
  given_.resize(fields_.size());
  memory_ = std::make_unique<Arena>(table_->memory_bytes(shapes.get()));
  scratch_ = std::make_unique<Arena>(static_cast<size_t>(2 * agent_count_ + widest) * cache_line);
  object_ = std::make_unique<EnvironmentObject>(*table_, parameters_, memory_->base());
  context_ = {0, 1, 0, Stream::training, seed};
  table_->reset(object_->get(), context_);
}

void Simulator::group(int index, swarmgrad_group &out) const {
  if (index < 0 || index >= group_count()) reject("group is %d; allowed: 0 to %d", index, group_count() - 1);
  out = groups_[static_cast<size_t>(index)];
}

const FieldShape &Simulator::field_at(int index) const {
  if (index < 0 || index >= field_count()) reject("field is %d; allowed: 0 to %d", index, field_count() - 1);
  return fields_[static_cast<size_t>(index)];
}

void Simulator::field(int index, swarmgrad_field &out) const {
  const FieldShape &shape = field_at(index);
  out = {sizeof out, shape.is_integer, shape.is_chance, shape.rows, shape.columns, 0, shape.name};
}

void Simulator::reset(uint32_t environment, uint32_t iteration) {
  if (environment > INT32_MAX) reject("environment is %u; allowed: 0 to 2147483647", environment);
  context_.first_environment = static_cast<int32_t>(environment);
  context_.iteration = iteration;
  step_ = 0;
  given_.assign(fields_.size(), {});
  table_->reset(object_->get(), context_);
  check_rules("its start");
}

void Simulator::get(int field, double *values) const {
  const FieldShape &shape = field_at(field);
  if (values == nullptr && shape.rows * shape.columns > 0) reject("values is null for field %s", shape.name);
  for (int k = 0; k < shape.rows * shape.columns; ++k) {
    const char *slot = memory_->base() + shape.offset + static_cast<size_t>(k) * cache_line;
    values[k] = shape.is_integer ? *reinterpret_cast<const int32_t *>(slot) : *reinterpret_cast<const float *>(slot);
  }
}

void Simulator::set(int field, const double *values) {
  const FieldShape &shape = field_at(field);
  const int count = shape.rows * shape.columns;
  if (values == nullptr && count > 0) reject("values is null for field %s", shape.name);
  for (int k = 0; k < count; ++k) {
    const double largest = shape.is_integer ? double{INT32_MAX} : double{FLT_MAX};
    if (!(std::abs(values[k]) <= largest) || (shape.is_integer && values[k] != std::floor(values[k])))
      reject("%s[%d] is %g; allowed: %s up to %g", shape.name, k, values[k],
             shape.is_integer ? "whole numbers" : "numbers", largest);
  }
  if (shape.is_chance)
    given_[static_cast<size_t>(field)].assign(values, values + count);
  else
    write(field, values);
}

void Simulator::write(int field, const double *values) {
  const FieldShape &shape = field_at(field);
  for (int k = 0; k < shape.rows * shape.columns; ++k) {
    char *slot = memory_->base() + shape.offset + static_cast<size_t>(k) * cache_line;
    for (int lane = 0; lane < cohort_size; ++lane)
      if (shape.is_integer)
        reinterpret_cast<int32_t *>(slot)[lane] = static_cast<int32_t>(values[k]);
      else
        reinterpret_cast<float *>(slot)[lane] = static_cast<float>(values[k]);
  }
}

int Simulator::group_of(int agent) const {
  if (agent < 0 || agent >= agent_count_) reject("agent is %d; allowed: 0 to %d", agent, agent_count_ - 1);
  int group = 0;
  while (agent >= groups_[static_cast<size_t>(group)].first_agent + groups_[static_cast<size_t>(group)].agent_count)
    ++group;
  return group;
}

void Simulator::observe(int agent, float *observation, uint8_t *mask) {
  const swarmgrad_group &group = groups_[static_cast<size_t>(group_of(agent))];
  if (observation == nullptr) reject("observation is null; allowed: [feature]");
  float *features = reinterpret_cast<float *>(scratch_->base());
  std::vector<uint16_t> available(static_cast<size_t>(group.action_count), 0xffff);
  table_->observe(object_->get(), agent, 1, features, cohort_size, group.has_mask != 0 ? available.data() : nullptr,
                  group.action_count);
  if (table_->is_checked) check_rules("step " + std::to_string(step_));
  for (int f = 0; f < group.observation_size; ++f) observation[f] = features[f * cohort_size];
  for (int a = 0; mask != nullptr && a < group.action_count; ++a) mask[a] = available[static_cast<size_t>(a)] & 1;
}

// A dead agent's action counts for nothing, so the mask does not bind it.
void Simulator::check_action(int agent, int action) {
  const swarmgrad_group &group = groups_[static_cast<size_t>(group_of(agent))];
  if (action < 0 || action >= group.action_count)
    reject("action[%d] is %d; allowed: 0 to %d", agent, action, group.action_count - 1);
  if (group.has_mask == 0 || (table_->alive(object_->get(), agent) & 1) == 0) return;
  std::vector<float> observation(static_cast<size_t>(group.observation_size));
  std::vector<uint8_t> mask(static_cast<size_t>(group.action_count));
  observe(agent, observation.data(), mask.data());
  if (mask[static_cast<size_t>(action)] == 0)
    reject("action[%d] is %d, which the mask forbids; allowed: available actions", agent, action);
}

void Simulator::check_rules(const std::string &when) const {
  const Problem problem = table_->problem(object_->get());
  if ((problem.lanes & 1) != 0) throw Failure(SWARMGRAD_ENVIRONMENT_FAILED, id_ + ", " + when + ": " + problem.text);
}

void Simulator::step(const int32_t *action, float *reward, uint8_t *alive, int32_t *done) {
  if (action == nullptr) reject("action is null; allowed: [agent]");
  if (reward == nullptr) reject("reward is null; allowed: [agent]");
  auto *actions = reinterpret_cast<int32_t *>(scratch_->base());
  auto *rewards = reinterpret_cast<float *>(actions) + agent_count_ * cohort_size;
  for (int agent = 0; agent < agent_count_; ++agent) check_action(agent, action[agent]);
  for (int agent = 0; agent < agent_count_; ++agent)
    std::fill_n(actions + agent * cohort_size, cohort_size, action[agent]);
  table_->draw(object_->get(), context_, step_);
  for (int field = 0; field < field_count(); ++field) {
    std::vector<double> &given = given_[static_cast<size_t>(field)];
    if (!given.empty()) write(field, given.data());
    given.clear();
  }
  const uint32_t ended = table_->step(object_->get(), actions, rewards);
  check_rules("step " + std::to_string(step_++));
  for (int agent = 0; agent < agent_count_; ++agent) {
    reward[agent] = rewards[agent * cohort_size];
    if (alive != nullptr) alive[agent] = (ended & 1) == 0 && (table_->alive(object_->get(), agent) & 1) != 0;
  }
  if (done != nullptr) *done = static_cast<int32_t>(ended & 1);
}

}  // namespace swarmgrad::host
