// Reads parameters out of an environment's id; knows no environment.
//
// A pattern is literal text with three additions:
//   {name}        the parameter's value: digits, or one of the names in its `choices`
//   {name?text}   the parameter is 1 where `text` stands, else its default
//   [piece]       the piece may be left out
// "Foraging[-{sight}s]-{size}x{size}-{players}p-{foods}f{coop?-coop}-v3" reads Foraging-2s-8x8-2p-3f-coop-v3; a name that
// occurs twice must have one value.
#pragma once

#include <string_view>
#include <vector>

#include "host/plan.h"

namespace swarmgrad::host {

// Throws INVALID_ARGUMENT where a user's pattern does not have that form, or names what is no parameter.
void check_pattern(const EnvironmentTable &table);

// Whether the pattern reads the whole id. If so, `values` [parameter] holds the defaults with what the id says.
bool read_id(const EnvironmentTable &table, std::string_view id, std::vector<double> &values);

}  // namespace swarmgrad::host
