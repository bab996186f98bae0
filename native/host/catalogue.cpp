#include "host/catalogue.h"

#include <cmath>
#include <cstring>

#include "host/environment_library.h"
#include "host/failure.h"
#include "host/id_pattern.h"

namespace swarmgrad {
#if defined(__x86_64__)
namespace avx2 {
extern const host::Kernels kernels;
}
namespace avx512 {
extern const host::Kernels kernels;
}
#else
namespace neon {
extern const host::Kernels kernels;
}
#endif
}  // namespace swarmgrad

namespace swarmgrad::host {
namespace {

#if defined(__x86_64__)
const Kernels &any_kernels() { return avx2::kernels; }
bool runs_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool runs_avx512() {
  return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
constexpr const char *needs = "an x86-64 processor with AVX2 and FMA";
#else
const Kernels &any_kernels() { return neon::kernels; }
constexpr const char *needs = "an aarch64 processor";
#endif

}  // namespace

const Kernels *kernels_of(int isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (isa == SWARMGRAD_ISA_AVX2 && runs_avx2()) return &avx2::kernels;
  if (isa == SWARMGRAD_ISA_AVX512 && runs_avx512()) return &avx512::kernels;
#else
  if (isa == SWARMGRAD_ISA_NEON) return &neon::kernels;
#endif
  return nullptr;
}

const char *isa_name(int isa) {
  switch (isa) {
    case SWARMGRAD_ISA_AUTO:
      return "auto";
    case SWARMGRAD_ISA_AVX2:
      return "avx2";
    case SWARMGRAD_ISA_AVX512:
      return "avx512";
    case SWARMGRAD_ISA_NEON:
      return "neon";
    default:
      return "unknown";
  }
}

const Kernels &choose_kernels(int isa, int *chosen) {
  if (isa < SWARMGRAD_ISA_AUTO || isa > SWARMGRAD_ISA_NEON)
    reject("isa is %d; allowed: 0 auto, 1 avx2, 2 avx512, 3 neon", isa);
  for (const int candidate : {SWARMGRAD_ISA_AVX512, SWARMGRAD_ISA_AVX2, SWARMGRAD_ISA_NEON}) {
    if (isa != SWARMGRAD_ISA_AUTO && isa != candidate) continue;
    if (const Kernels *kernels = kernels_of(candidate)) {
      *chosen = candidate;
      return *kernels;
    }
  }
  throw Failure(SWARMGRAD_UNSUPPORTED, isa == SWARMGRAD_ISA_AUTO
                                           ? std::string("this processor cannot run the engine, which needs ") + needs
                                           : std::string("isa ") + isa_name(isa) +
                                                 " is not to be had: this processor or this build lacks it; auto picks "
                                                 "the best there is");
}

int environment_count() { return any_kernels().environment_count + loaded_environment_count(); }

const EnvironmentTable &environment_at(int index, int isa) {
  const int shipped = any_kernels().environment_count;
  return index < shipped ? *kernels_of(isa)->environments[index] : loaded_environment(index - shipped, isa);
}

const EnvironmentTable &environment_at(int index) {
  int isa = SWARMGRAD_ISA_AUTO;
  choose_kernels(isa, &isa);  // the functions in the table run instructions of that set
  return environment_at(index, isa);
}

namespace {

void check_parameter(const char *id, const ParameterShape &shape, double value) {
  if (!(value >= shape.minimum && value <= shape.maximum) || (shape.is_integer && value != std::floor(value)))
    reject("parameter %s of %.80s is %g; allowed: %s from %g to %g", shape.name, id, value,
           shape.is_integer ? "whole numbers" : "numbers", shape.minimum, shape.maximum);
}

int parameter_index(const char *id, const EnvironmentTable &table, const char *name) {
  std::string known;
  for (int k = 0; k < table.parameter_count; ++k) {
    if (std::strcmp(name, table.parameter(k).name) == 0) return k;
    known += (k == 0 ? "" : ", ") + std::string(table.parameter(k).name);
  }
  reject("parameter \"%.80s\" does not exist in %.80s; known: %s", name, id, known.empty() ? "none" : known.c_str());
}

}  // namespace

void check_parameters(const char *id, const EnvironmentTable &table, const double *values) {
  for (int k = 0; k < table.parameter_count; ++k) check_parameter(id, table.parameter(k), values[k]);
}

NamedEnvironment find_environment(const char *id) {
  std::string known;
  for (int k = 0; k < environment_count(); ++k) {
    const EnvironmentTable &table = environment_at(k);
    NamedEnvironment found = {id == nullptr ? "" : id, k, {}};
    if (id != nullptr && read_id(table, id, found.parameters)) {
      check_parameters(id, table, found.parameters.data());
      return found;
    }
    known += (k == 0 ? "" : ", ") + std::string(table.id_pattern == nullptr ? table.id : table.id_pattern);
  }
  throw Failure(SWARMGRAD_INVALID_ARGUMENT,
                "environment is " +
                    (id == nullptr ? std::string("null") : "\"" + std::string(id).substr(0, 80) + "\"") +
                    "; known: " + known);
}

NamedEnvironment find_environment(const char *id, const swarmgrad_value *values, int count) {
  if (count < 0) reject("parameter_count is %d; allowed: 0 or more", count);
  if (count > 0 && values == nullptr) reject("parameters is null with parameter_count %d; allowed: as many", count);
  NamedEnvironment found = find_environment(id);
  const EnvironmentTable &table = environment_at(found.index);
  for (int v = 0; v < count; ++v) {
    const int index = parameter_index(id, table, values[v].name == nullptr ? "(null)" : values[v].name);
    check_parameter(id, table.parameter(index), values[v].value);
    found.parameters[static_cast<size_t>(index)] = values[v].value;
  }
  return found;
}

}  // namespace swarmgrad::host
