// The environments that users compiled: libraries loaded into this process, checked, and kept until it ends.
// What they compute is theirs; the catalogue (catalogue.h) shows them after the shipped ones.
#pragma once

#include "host/plan.h"

namespace swarmgrad::host {

// Loads a library made of native/host/user_environment.cpp and returns which one it is; a second time the same.
// Throws INVALID_ARGUMENT naming the library, what was found and what is allowed.
int load_environment(const char *library);

int loaded_environment_count();
const EnvironmentTable &loaded_environment(int index, int isa);

// Throws INVALID_ARGUMENT where the environment's groups, fields or horizon make no sense with these parameters.
void check_shapes(const EnvironmentTable &table, void *object);

}  // namespace swarmgrad::host
