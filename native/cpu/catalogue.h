// Which instruction sets and environments this library holds, and which of them this processor can run.
#pragma once

#include <string>
#include <vector>

#include "cpu/plan.h"

namespace swarmgrad::cpu {

// The kernels of an instruction set, or null where the library lacks it or the processor cannot run it.
const Kernels *kernels_of(int isa);
// The best there is; throws UNSUPPORTED naming what the processor lacks.
const Kernels &choose_kernels(int isa, int *chosen);
const char *isa_name(int isa);

int environment_count();
// Shapes and texts, the same for every instruction set. Throws UNSUPPORTED where the processor can run none.
const EnvironmentTable &environment_at(int index);

// The index of an id; throws naming those that exist.
int find_environment(const char *id);
// Every parameter of the environment: the given values, checked, over the defaults.
std::vector<double> environment_parameters(const EnvironmentTable &table, const swarmgrad_value *values, int count);

}  // namespace swarmgrad::cpu
