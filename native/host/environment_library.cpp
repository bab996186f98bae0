// See environment_library.h.
#include "host/environment_library.h"

#include <dlfcn.h>

#include <cmath>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "host/catalogue.h"
#include "host/failure.h"
#include "host/id_pattern.h"
#include "host/planner.h"

namespace swarmgrad::host {
namespace {

constexpr int instruction_sets[] = {SWARMGRAD_ISA_AVX2, SWARMGRAD_ISA_AVX512, SWARMGRAD_ISA_NEON};
constexpr int widest = 1 << 20;    // features, actions, rows, columns: beyond it a size is a mistake
constexpr int agent_limit = 4096;  // the counter of the random numbers has 12 bits for an agent

struct Library {
  const EnvironmentTable *table[SWARMGRAD_ISA_NEON + 1] = {};
};

// Never destroyed: engines of other threads may use a table while the process ends.
struct Loaded {
  std::mutex loading, mutex;  // one library at a time; the list
  std::deque<Library> libraries;
};
Loaded &loaded() {
  static Loaded *const all = new Loaded;
  return *all;
}

std::string quoted(const char *text) {
  if (text == nullptr) return "null";
  std::string result = "'";
  return result.append(text).append("'");
}

void check_name(const std::string &owner, const char *what, const char *name, std::set<std::string> &seen) {
  if (name == nullptr || *name == '\0') reject("%s: one %s has no name; allowed: a name", owner.c_str(), what);
  for (const char *c = name; *c != '\0'; ++c)
    if (std::strchr("?&=;,|\"'\\/ \t\n", *c) != nullptr)
      reject("%s: %s %s is named with the character '%c'; allowed: none of ?&=;,|\"'\\/ or blanks", owner.c_str(), what,
             quoted(name).c_str(), *c);
  if (!seen.insert(name).second)
    reject("%s: two are called %s %s; allowed: names of their own", owner.c_str(), what, quoted(name).c_str());
}

int choice_count(const char *choices) {
  int count = 1;
  for (const char *c = choices; *c != '\0'; ++c) count += *c == '|';
  return count;
}

void check_parameters(const EnvironmentTable &table, const std::string &owner) {
  std::set<std::string> names;
  for (int k = 0; k < table.parameter_count; ++k) {
    const ParameterShape p = table.parameter(k);
    check_name(owner, "parameter", p.name, names);
    if (p.summary == nullptr) reject("%s: parameter %s has no summary; allowed: a text", owner.c_str(), p.name);
    const bool whole = p.default_value == std::floor(p.default_value) && p.minimum == std::floor(p.minimum) &&
                       p.maximum == std::floor(p.maximum);
    if (!(p.minimum <= p.default_value && p.default_value <= p.maximum) || std::isinf(p.minimum) ||
        std::isinf(p.maximum) || (p.is_integer && !whole))
      reject(
          "%s: parameter %s has default %g, minimum %g, maximum %g; allowed: finite %s with minimum <= default <= "
          "maximum",
          owner.c_str(), p.name, p.default_value, p.minimum, p.maximum, p.is_integer ? "whole numbers" : "numbers");
    if (p.choices != nullptr && choice_count(p.choices) != p.maximum - p.minimum + 1)
      reject("%s: parameter %s has %d choices (%s) for %g to %g; allowed: one for each value", owner.c_str(), p.name,
             choice_count(p.choices), p.choices, p.minimum, p.maximum);
  }
}

const ExportedEnvironment *find_exported(void *handle, int isa) {
  const std::string symbol = std::string("swarmgrad_environment_") + isa_name(isa);
  return static_cast<const ExportedEnvironment *>(dlsym(handle, symbol.c_str()));
}

const EnvironmentTable *checked_table(void *handle, const char *path, int isa) {
  const ExportedEnvironment *found = find_exported(handle, isa);
  if (found == nullptr)
    reject(
        "%s has no environment for %s; allowed: a library that swarmgrad compiled, or swarmgrad_add_environment of "
        "CMake",
        path, isa_name(isa));
  const ExportedEnvironment expected = exported(nullptr);
  if (found->abi_version != expected.abi_version ||
      std::memcmp(found->layout, expected.layout, sizeof expected.layout) != 0)
    reject("%s was compiled for version %u of the ABI or other headers, this library is version %u; compile it again",
           path, found->abi_version, expected.abi_version);
  return found->table;
}

void check_texts(const EnvironmentTable &table, const std::string &owner) {
  std::set<std::string> ids;
  check_name(owner, "environment", table.id, ids);
  if (table.summary == nullptr || table.description == nullptr)
    reject("%s: summary or description is null; allowed: texts", owner.c_str());
  check_pattern(table);
  std::vector<double> values;
  if (!read_id(table, table.id, values))
    reject("%s: id_pattern %s does not read its own id %s", owner.c_str(), quoted(table.id_pattern).c_str(),
           quoted(table.id).c_str());
  for (int k = 0; k < environment_count(); ++k)
    if (read_id(environment_at(k), table.id, values))
      reject(
          "%s: the id %s is that of another environment of this process%s; allowed: an id of its own, or a new "
          "process after a change of the source",
          owner.c_str(), quoted(table.id).c_str(), std::strcmp(environment_at(k).id, table.id) == 0 ? "" : "'s family");
}

}  // namespace

void check_shapes(const EnvironmentTable &table, void *object) {
  const std::string owner = std::string("environment ") + table.id;
  if (table.horizon(object) < 1 || table.horizon(object) > longest_horizon)
    reject("%s: horizon is %d; allowed: 1 to %d", owner.c_str(), table.horizon(object), longest_horizon);
  const int groups = table.group_count(object);
  if (groups < 1 || groups > widest) reject("%s: group_count is %d; allowed: 1 to %d", owner.c_str(), groups, widest);
  std::set<std::string> names;
  int agents = 0;
  for (int g = 0; g < groups; ++g) {
    const GroupShape shape = table.group(object, g);
    check_name(owner, "group", shape.name, names);
    const auto check = [&](const char *what, int value) {
      if (value < 1 || value > widest)
        reject("%s: group %s has %s %d; allowed: 1 to %d", owner.c_str(), shape.name, what, value, widest);
    };
    check("agents", shape.agents);
    check("observation_size", shape.observation_size);
    check("action_count", shape.action_count);
    agents += shape.agents;
    if (agents > agent_limit)
      reject("%s has %d agents or more; allowed: up to %d, as many as the random numbers tell apart", table.id, agents,
             agent_limit);
  }
  names.clear();
  for (int f = 0; f < table.array_count(object); ++f) {
    const FieldShape shape = table.field(object, f);
    check_name(owner, "array", shape.name, names);
    if (shape.rows < 0 || shape.columns < 0 || int64_t{shape.rows} * shape.columns > widest)
      reject("%s: array %s has %d rows and %d columns; allowed: up to %d elements", owner.c_str(), shape.name,
             shape.rows, shape.columns, widest);
  }
}

int load_environment(const char *path) {
  if (path == nullptr || *path == '\0') reject("library is %s; allowed: a path", quoted(path).c_str());
  const std::lock_guard<std::mutex> loading(loaded().loading);
  // A name without a slash would be looked for in the system's folders.
  const std::string file = std::strchr(path, '/') == nullptr ? std::string("./") + path : path;
  void *handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) reject("library %.200s cannot be loaded: %.250s", path, dlerror());
  struct Close {
    void operator()(void *opened) const { dlclose(opened); }
  };
  std::unique_ptr<void, Close> open(handle);  // until the library is in the list
  Library library;
  for (const int isa : instruction_sets)
    if (kernels_of(isa) != nullptr) library.table[isa] = checked_table(handle, path, isa);

  for (int k = 0; k < loaded_environment_count(); ++k) {
    const std::lock_guard<std::mutex> lock(loaded().mutex);
    if (std::memcmp(loaded().libraries[static_cast<size_t>(k)].table, library.table, sizeof library.table) == 0)
      return k;
  }
  int isa = SWARMGRAD_ISA_AUTO;
  choose_kernels(isa, &isa);
  const EnvironmentTable &table = *library.table[isa];
  check_parameters(table, path);
  check_texts(table, path);
  std::vector<double> defaults;
  for (int k = 0; k < table.parameter_count; ++k) defaults.push_back(table.parameter(k).default_value);
  check_shapes(table, EnvironmentObject(table, defaults, nullptr).get());

  const std::lock_guard<std::mutex> lock(loaded().mutex);
  loaded().libraries.push_back(library);
  static_cast<void>(open.release());  // kept until the process ends
  return static_cast<int>(loaded().libraries.size()) - 1;
}

int loaded_environment_count() {
  const std::lock_guard<std::mutex> lock(loaded().mutex);
  return static_cast<int>(loaded().libraries.size());
}

const EnvironmentTable &loaded_environment(int index, int isa) {
  const std::lock_guard<std::mutex> lock(loaded().mutex);
  return *loaded().libraries[static_cast<size_t>(index)].table[isa];
}

}  // namespace swarmgrad::host
