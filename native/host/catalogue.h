// Which instruction sets and environments this library holds, and which of them this processor can run.
#pragma once

#include <string>
#include <vector>

#include "host/plan.h"

namespace swarmgrad::host {

// The kernels of an instruction set, or null where the library lacks it or the processor cannot run it.
const Kernels *kernels_of(int isa);
// The best there is; throws UNSUPPORTED naming what the processor lacks.
const Kernels &choose_kernels(int isa, int *chosen);
const char *isa_name(int isa);

// The shipped environments, then those of the users' libraries in the order of loading.
int environment_count();
// Shapes and texts, the same for every instruction set. Throws UNSUPPORTED where the processor can run none.
const EnvironmentTable &environment_at(int index);
// An environment's code for one instruction set.
const EnvironmentTable &environment_at(int index, int isa);

// An environment as an id names it: the entry, and every parameter as the id says or by default.
struct NamedEnvironment {
  std::string id;
  int index;
  std::vector<double> parameters;
};
// Throws naming those that exist.
NamedEnvironment find_environment(const char *id);
// Throws naming the first value outside what its parameter allows.
void check_parameters(const char *id, const EnvironmentTable &table, const double *values);
// With the given values, checked, in place of the id's.
NamedEnvironment find_environment(const char *id, const swarmgrad_value *values, int count);

}  // namespace swarmgrad::host
