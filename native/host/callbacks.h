// An environment of the caller's own (swarmgrad_callbacks) as a table of functions like those of the catalogue; knows no
// language that the functions may be written in.
#pragma once

#include <string>
#include <vector>

#include "host/plan.h"

namespace swarmgrad::host {

struct CallbackTable : EnvironmentTable {
  // Throws naming what is missing or not allowed; copies everything it needs but for the context.
  CallbackTable(const char *name, const swarmgrad_callbacks &callbacks, const Kernels &kernels);
  CallbackTable(const CallbackTable &) = delete;
  CallbackTable &operator=(const CallbackTable &) = delete;

  std::string own_name;
  std::vector<std::string> group_names;
  std::vector<GroupShape> groups;
  std::vector<int> group_of_agent;
  std::vector<size_t> observation_of_agent, available_of_agent;  // [agent + 1]: where its part begins, in elements
  swarmgrad_callbacks callbacks;
  const Kernels *kernels;
};

}  // namespace swarmgrad::host
