#include "cpu/catalogue.h"

#include <cmath>
#include <cstring>

#include "cpu/failure.h"

namespace swarmgrad {
#if defined(__x86_64__)
namespace avx2 {
extern const cpu::Kernels kernels;
}
namespace avx512 {
extern const cpu::Kernels kernels;
}
#else
namespace neon {
extern const cpu::Kernels kernels;
}
#endif
}  // namespace swarmgrad

namespace swarmgrad::cpu {
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

int environment_count() { return any_kernels().environment_count; }

const EnvironmentTable &environment_at(int index) {
  int isa = SWARMGRAD_ISA_AUTO;
  choose_kernels(isa, &isa);  // the functions in the table run instructions of that set
  return *any_kernels().environments[index];
}

int find_environment(const char *id) {
  std::string known;
  for (int k = 0; k < environment_count(); ++k) {
    if (id != nullptr && std::strcmp(id, environment_at(k).id) == 0) return k;
    known += (k == 0 ? "" : ", ") + std::string(environment_at(k).id);
  }
  throw Failure(SWARMGRAD_INVALID_ARGUMENT,
                "environment is " +
                    (id == nullptr ? std::string("null") : "\"" + std::string(id).substr(0, 80) + "\"") +
                    "; known: " + known);
}

std::vector<double> environment_parameters(const EnvironmentTable &table, const swarmgrad_value *values, int count) {
  if (count < 0) reject("parameter_count is %d; allowed: 0 or more", count);
  if (count > 0 && values == nullptr) reject("parameters is null with parameter_count %d; allowed: as many", count);
  std::vector<double> result;
  for (int k = 0; k < table.parameter_count; ++k) result.push_back(table.parameter(k).default_value);
  for (int v = 0; v < count; ++v) {
    const char *name = values[v].name == nullptr ? "(null)" : values[v].name;
    int found = -1;
    std::string known;
    for (int k = 0; k < table.parameter_count; ++k) {
      if (std::strcmp(name, table.parameter(k).name) == 0) found = k;
      known += (k == 0 ? "" : ", ") + std::string(table.parameter(k).name);
    }
    if (found < 0)
      reject("parameter \"%.80s\" does not exist in %s; known: %s", name, table.id,
             known.empty() ? "none" : known.c_str());
    const ParameterShape shape = table.parameter(found);
    const double value = values[v].value;
    if (!(value >= shape.minimum && value <= shape.maximum) || (shape.is_integer && value != std::floor(value)))
      reject("parameter %s of %s is %g; allowed: %s from %g to %g", shape.name, table.id, value,
             shape.is_integer ? "whole numbers" : "numbers", shape.minimum, shape.maximum);
    result[static_cast<size_t>(found)] = value;
  }
  return result;
}

}  // namespace swarmgrad::cpu
