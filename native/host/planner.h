// Turns a configuration into a Plan: checks every value, cuts episodes into cohorts and segments, lays out memory.
#pragma once

#include <memory>
#include <vector>

#include "host/plan.h"

namespace swarmgrad::host {

inline constexpr int longest_horizon = 1 << 24;

// A plan and what it points to.
struct PlanStorage {
  Plan plan = {};
  std::vector<GroupPlan> groups;
  std::vector<int> snapshot_of_step;
};

// Throws Failure where a value is outside what is allowed; `parameters` are the environment's, complete.
std::unique_ptr<PlanStorage> make_plan(const swarmgrad_config &config, const EnvironmentTable &environment,
                                       const std::vector<double> &parameters);

// Throws Failure where other parameters would change an environment's shapes or memory.
void check_same_shapes(const EnvironmentTable &table, const std::vector<double> &before,
                       const std::vector<double> &after);

// An aligned block for an environment's object, for asking it about shapes.
struct EnvironmentObject {
  EnvironmentObject(const EnvironmentTable &table, const std::vector<double> &parameters, void *memory);
  void *get() { return bytes_.get(); }

 private:
  struct Free {
    void operator()(void *bytes) const;
  };
  std::unique_ptr<void, Free> bytes_;
};

}  // namespace swarmgrad::host
