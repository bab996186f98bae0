// One environment on its own, for tests and tools: reset, set and read state by named fields, observe, step.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "host/arena.h"
#include "host/planner.h"

namespace swarmgrad::host {

class Simulator {
 public:
  Simulator(const char *environment, const swarmgrad_value *parameters, int parameter_count, uint64_t seed, int isa);

  int group_count() const { return static_cast<int>(groups_.size()); }
  int agent_count() const { return agent_count_; }
  int field_count() const { return static_cast<int>(fields_.size()); }
  int horizon() const { return horizon_; }
  void group(int index, swarmgrad_group &out) const;
  void field(int index, swarmgrad_field &out) const;

  void reset(uint32_t environment, uint32_t iteration);
  void get(int field, double *values) const;
  void set(int field, const double *values);
  void observe(int agent, float *observation, uint8_t *mask);
  void step(const int32_t *action, float *reward, uint8_t *alive, int32_t *done);

  std::atomic<bool> in_use{false};

 private:
  const FieldShape &field_at(int index) const;
  void write(int field, const double *values);
  int group_of(int agent) const;
  void check_action(int agent, int action);
  void check_rules(const std::string &when) const;

  const EnvironmentTable *table_;
  std::string id_;
  std::vector<double> parameters_;
  std::unique_ptr<Arena> memory_, scratch_;
  std::unique_ptr<EnvironmentObject> object_;
  std::vector<swarmgrad_group> groups_;
  std::vector<FieldShape> fields_;
  std::vector<std::vector<double>> given_;  // [field]: what takes the place of the next step's draws, or nothing
  EnvironmentContext context_ = {};
  int agent_count_ = 0, horizon_ = 0, step_ = 0;
};

}  // namespace swarmgrad::host
