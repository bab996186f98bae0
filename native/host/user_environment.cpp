// The table of a user's own environment for one instruction set, exported for swarmgrad_load_environment. The user's header
// comes before this file, by the compiler's option -include.

// Where a brace is still open, this is the error, and not one in a system header.
namespace swarmgrad_header_closes_every_brace {}
using namespace ::swarmgrad_header_closes_every_brace;

#include "host/environment_adapter.h"

namespace swarmgrad {

struct UserEnvironment;  // found where the header names none in the namespace of the target

namespace SWARMGRAD_TARGET {
namespace {

template <class E>
constexpr bool is_named = requires {
  sizeof(E);
};
static_assert(
    is_named<UserEnvironment>,
    "the header names no environment: let SWARMGRAD_ENVIRONMENT(YourStruct); be the last line in its namespace");

// Where the header breaks the contract, one message is enough.
template <class E>
constexpr host::EnvironmentTable table_of() {
  if constexpr (contract::Environment<E>)
    return EnvironmentAdapter<E>::table();
  else
    return {};
}

constinit const host::EnvironmentTable table = table_of<UserEnvironment>();

}  // namespace

#define SWARMGRAD_JOIN(left, right) left##right
#define SWARMGRAD_EXPORTED(target) SWARMGRAD_JOIN(swarmgrad_environment_, target)

extern "C" __attribute__((visibility("default"))) const host::ExportedEnvironment SWARMGRAD_EXPORTED(SWARMGRAD_TARGET);
constinit const host::ExportedEnvironment SWARMGRAD_EXPORTED(SWARMGRAD_TARGET) = host::exported(&table);

}  // namespace SWARMGRAD_TARGET
}  // namespace swarmgrad
