// The C functions: every one checks its handle, sets the floating-point mode, and turns exceptions into a status.
#include <cstring>
#include <new>

#include "core/floating_point_mode.h"
#include "host/catalogue.h"
#include "host/engine.h"
#include "host/environment_library.h"
#include "host/failure.h"
#include "host/simulator.h"

struct swarmgrad_engine {
  std::unique_ptr<swarmgrad::host::Engine> owned;
  swarmgrad::host::Engine &engine;
  explicit swarmgrad_engine(const swarmgrad_config &config)
      : owned(swarmgrad::host::make_engine(config)), engine(*owned) {}
};

struct swarmgrad_simulator {
  swarmgrad::host::Simulator engine;
  swarmgrad_simulator(const char *environment, const swarmgrad_value *parameters, int count, uint64_t seed, int isa)
      : engine(environment, parameters, count, seed, isa) {}
};

namespace swarmgrad::host {
namespace {

thread_local char last_error[1024] = "";

swarmgrad_status fail(swarmgrad_status status, const char *text) {
  std::strncpy(last_error, text, sizeof last_error - 1);
  return status;
}

template <class F>
swarmgrad_status guarded(const F &body) {
  const FloatingPointMode mode;
  last_error[0] = '\0';
  try {
    body();
    return SWARMGRAD_OK;
  } catch (const Failure &failure) {
    return fail(failure.status(), failure.what());
  } catch (const std::bad_alloc &) {
    return fail(SWARMGRAD_OUT_OF_MEMORY, "not enough memory");
  } catch (const std::exception &exception) {
    return fail(SWARMGRAD_INTERNAL, exception.what());
  } catch (...) {
    return fail(SWARMGRAD_INTERNAL, "unknown exception");
  }
}

// Takes the handle for this call; a second thread is turned away.
template <class Handle, class F>
swarmgrad_status with(Handle *handle, const F &body) {
  return guarded([&] {
    if (handle == nullptr) reject("the handle is null");
    if (handle->engine.in_use.exchange(true, std::memory_order_acquire))
      throw Failure(SWARMGRAD_BUSY, "another thread is using this handle; one thread at a time");
    struct Release {
      std::atomic<bool> &in_use;
      ~Release() { in_use.store(false, std::memory_order_release); }
    } release{handle->engine.in_use};
    body(handle->engine);
  });
}

template <class Handle>
swarmgrad_status destroy(Handle *handle) {
  return guarded([&] {
    if (handle == nullptr) return;
    if (handle->engine.in_use.exchange(true, std::memory_order_acquire))
      throw Failure(SWARMGRAD_BUSY, "another thread is using this handle; close it afterwards");
    delete handle;
  });
}

template <class T>
T &checked(T *argument, const char *name) {
  if (argument == nullptr) reject("%s is null", name);
  if (argument->size != sizeof(T)) reject("%s.size is %u; this library expects %zu", name, argument->size, sizeof(T));
  return *argument;
}

template <class T>
T &present(T *argument, const char *name) {
  if (argument == nullptr) reject("%s is null", name);
  return *argument;
}

const EnvironmentTable &catalogue_entry(int index) {
  if (index < 0 || index >= environment_count())
    reject("environment index is %d; allowed: 0 to %d", index, environment_count() - 1);
  return environment_at(index);
}

}  // namespace
}  // namespace swarmgrad::host

using namespace swarmgrad::host;

uint32_t swarmgrad_abi_version(void) { return SWARMGRAD_ABI_VERSION; }
const char *swarmgrad_version(void) { return SWARMGRAD_VERSION; }
const char *swarmgrad_last_error(void) { return last_error; }

int32_t swarmgrad_struct_sizes(int32_t *sizes, int32_t capacity) {
  constexpr size_t all[] = {sizeof(swarmgrad_value),
                            sizeof(swarmgrad_policy),
                            sizeof(swarmgrad_config),
                            sizeof(swarmgrad_rates),
                            sizeof(swarmgrad_info),
                            sizeof(swarmgrad_group),
                            sizeof(swarmgrad_statistics),
                            sizeof(swarmgrad_buffer_info),
                            sizeof(swarmgrad_trajectories),
                            sizeof(swarmgrad_batch),
                            sizeof(swarmgrad_rewards),
                            sizeof(swarmgrad_logit_rows),
                            sizeof(swarmgrad_environment_info),
                            sizeof(swarmgrad_parameter_info),
                            sizeof(swarmgrad_field),
                            sizeof(swarmgrad_cohort),
                            sizeof(swarmgrad_callbacks),
                            sizeof(swarmgrad_device_info)};
  constexpr int32_t count = sizeof all / sizeof all[0];
  for (int32_t k = 0; sizes != nullptr && k < count && k < capacity; ++k) sizes[k] = static_cast<int32_t>(all[k]);
  return count;
}

int32_t swarmgrad_isa_available(int32_t isa) {
  if (isa != SWARMGRAD_ISA_AUTO) return kernels_of(isa) != nullptr;
  for (const int candidate : {SWARMGRAD_ISA_AVX2, SWARMGRAD_ISA_AVX512, SWARMGRAD_ISA_NEON})
    if (kernels_of(candidate) != nullptr) return 1;
  return 0;
}

int32_t swarmgrad_environment_count(void) {
  int32_t count = 0;
  guarded([&] { count = environment_count(); });
  return count;
}

swarmgrad_status swarmgrad_environment(int32_t index, swarmgrad_environment_info *info) {
  return guarded([&] {
    const EnvironmentTable &table = catalogue_entry(index);
    checked(info, "info") = {sizeof *info,     table.parameter_count, table.id,
                             table.id_pattern, table.summary,         table.description};
  });
}

swarmgrad_status swarmgrad_find_environment(const char *id, int32_t *index, double *parameters, int32_t capacity) {
  return guarded([&] {
    const NamedEnvironment found = find_environment(id);
    present(index, "index") = found.index;
    for (int32_t k = 0; parameters != nullptr && k < capacity && k < static_cast<int32_t>(found.parameters.size()); ++k)
      parameters[k] = found.parameters[static_cast<size_t>(k)];
  });
}

swarmgrad_status swarmgrad_environment_parameter(int32_t index, int32_t parameter, swarmgrad_parameter_info *info) {
  return guarded([&] {
    const EnvironmentTable &table = catalogue_entry(index);
    if (parameter < 0 || parameter >= table.parameter_count)
      reject("parameter index is %d; allowed: 0 to %d", parameter, table.parameter_count - 1);
    const ParameterShape shape = table.parameter(parameter);
    checked(info, "info") = {sizeof *info,  shape.is_integer, shape.default_value, shape.minimum,
                             shape.maximum, shape.name,       shape.summary,       shape.choices};
  });
}

swarmgrad_status swarmgrad_load_environment(const char *library, int32_t *index) {
  return guarded([&] {
    const int loaded = load_environment(library);
    present(index, "index") = environment_count() - loaded_environment_count() + loaded;
  });
}

swarmgrad_status swarmgrad_load_device_code(int32_t environment, const void *code, size_t bytes) {
  return guarded([&] {
    catalogue_entry(environment);
    if (bytes == 0) reject("bytes is 0; allowed: the size of the code");
    load_device_code(environment, &present(static_cast<const char *>(code), "code"), bytes);
  });
}

swarmgrad_status swarmgrad_device_count(int32_t *count) {
  return guarded([&] {
    present(count, "count") = 0;
    *count = device_count();
  });
}

swarmgrad_status swarmgrad_device(int32_t index, swarmgrad_device_info *info) {
  return guarded([&] {
    const int count = device_count();
    if (index < 0 || index >= count) reject("device is %d; allowed: 0 to %d", index, count - 1);
    describe_device(index, checked(info, "info"));
  });
}

swarmgrad_status swarmgrad_create(const swarmgrad_config *config, swarmgrad_engine **engine) {
  return guarded([&] {
    present(engine, "engine") = nullptr;
    *engine = new swarmgrad_engine(present(config, "config"));
  });
}

swarmgrad_status swarmgrad_destroy(swarmgrad_engine *engine) { return destroy(engine); }

swarmgrad_status swarmgrad_get_info(swarmgrad_engine *engine, swarmgrad_info *info) {
  return with(engine, [&](Engine &e) { e.info(checked(info, "info")); });
}

swarmgrad_status swarmgrad_get_group(swarmgrad_engine *engine, int32_t group, swarmgrad_group *info) {
  return with(engine, [&](Engine &e) { e.group(group, checked(info, "info")); });
}

swarmgrad_status swarmgrad_train(swarmgrad_engine *engine, int32_t iterations, const swarmgrad_rates *rates,
                                 swarmgrad_statistics *statistics) {
  return with(engine, [&](Engine &e) { e.train(iterations, rates, statistics); });
}

swarmgrad_status swarmgrad_gradient(swarmgrad_engine *engine, float *gradient, swarmgrad_statistics *statistics) {
  return with(engine, [&](Engine &e) { e.gradient(gradient, statistics); });
}

swarmgrad_status swarmgrad_step(swarmgrad_engine *engine, const float *gradient, const swarmgrad_rates *rates) {
  return with(engine, [&](Engine &e) { e.step(gradient, rates); });
}

swarmgrad_status swarmgrad_record(swarmgrad_engine *engine, const swarmgrad_trajectories *trajectories, float *gradient,
                                  swarmgrad_statistics *statistics) {
  return with(engine, [&](Engine &e) { e.record(trajectories, gradient, statistics); });
}

swarmgrad_status swarmgrad_evaluate(swarmgrad_engine *engine, int64_t first_episode, int64_t episodes,
                                    const int32_t *acting, swarmgrad_statistics *statistics) {
  return with(engine, [&](Engine &e) { e.evaluate(first_episode, episodes, acting, statistics); });
}

swarmgrad_status swarmgrad_cancel(swarmgrad_engine *engine) {
  return guarded([&] { present(engine, "engine").engine.cancel(); });
}

swarmgrad_status swarmgrad_progress(swarmgrad_engine *engine, int64_t *cohorts) {
  return guarded([&] { present(cohorts, "cohorts") = present(engine, "engine").engine.progress(); });
}

swarmgrad_status swarmgrad_heartbeat(swarmgrad_engine *engine, int64_t *beats, int64_t *iteration) {
  return guarded([&] {
    const Heartbeat heartbeat = present(engine, "engine").engine.heartbeat();
    present(beats, "beats") = heartbeat.beats;
    present(iteration, "iteration") = heartbeat.iteration;
  });
}

swarmgrad_status swarmgrad_buffer(swarmgrad_engine *engine, int32_t index, swarmgrad_buffer_info *info) {
  return with(engine, [&](Engine &e) { e.buffer(index, checked(info, "info")); });
}

swarmgrad_status swarmgrad_read(swarmgrad_engine *engine, int32_t index, void *values, int64_t count) {
  return with(engine, [&](Engine &e) { e.read(index, values, count); });
}

swarmgrad_status swarmgrad_write(swarmgrad_engine *engine, int32_t index, const void *values, int64_t count) {
  return with(engine, [&](Engine &e) { e.write(index, values, count); });
}

swarmgrad_status swarmgrad_forward(swarmgrad_engine *engine, int32_t network, int64_t rows, const float *observation,
                                   float *hidden, float *logit) {
  return with(engine, [&](Engine &e) { e.forward(network, rows, observation, hidden, logit); });
}

swarmgrad_status swarmgrad_logits(swarmgrad_engine *engine, const swarmgrad_logit_rows *rows) {
  return with(engine, [&](Engine &e) { e.logits(checked(rows, "rows")); });
}

swarmgrad_status swarmgrad_weights(swarmgrad_engine *engine, const swarmgrad_rewards *rewards) {
  return with(engine, [&](Engine &e) { e.weights(checked(rewards, "rewards")); });
}

swarmgrad_status swarmgrad_gradient_of(swarmgrad_engine *engine, const swarmgrad_batch *batch, float *gradient) {
  return with(engine, [&](Engine &e) { e.gradient_of(checked(batch, "batch"), gradient); });
}

swarmgrad_status swarmgrad_fma_peak(swarmgrad_engine *engine, double *gflop_per_second) {
  return with(engine, [&](Engine &e) { present(gflop_per_second, "gflop_per_second") = e.fma_peak(); });
}

swarmgrad_status swarmgrad_simulator_create(const char *environment, const swarmgrad_value *parameters,
                                            int32_t parameter_count, uint64_t seed, int32_t isa,
                                            swarmgrad_simulator **simulator) {
  return guarded([&] {
    present(simulator, "simulator") = nullptr;
    *simulator = new swarmgrad_simulator(environment, parameters, parameter_count, seed, isa);
  });
}

swarmgrad_status swarmgrad_simulator_destroy(swarmgrad_simulator *simulator) { return destroy(simulator); }

swarmgrad_status swarmgrad_simulator_shape(swarmgrad_simulator *simulator, int32_t *group_count, int32_t *agent_count,
                                           int32_t *field_count, int32_t *horizon) {
  return with(simulator, [&](Simulator &s) {
    if (group_count != nullptr) *group_count = s.group_count();
    if (agent_count != nullptr) *agent_count = s.agent_count();
    if (field_count != nullptr) *field_count = s.field_count();
    if (horizon != nullptr) *horizon = s.horizon();
  });
}

swarmgrad_status swarmgrad_simulator_group(swarmgrad_simulator *simulator, int32_t group, swarmgrad_group *info) {
  return with(simulator, [&](Simulator &s) { s.group(group, checked(info, "info")); });
}

swarmgrad_status swarmgrad_simulator_field(swarmgrad_simulator *simulator, int32_t field, swarmgrad_field *info) {
  return with(simulator, [&](Simulator &s) { s.field(field, checked(info, "info")); });
}

swarmgrad_status swarmgrad_simulator_reset(swarmgrad_simulator *simulator, uint32_t environment, uint32_t iteration) {
  return with(simulator, [&](Simulator &s) { s.reset(environment, iteration); });
}

swarmgrad_status swarmgrad_simulator_get(swarmgrad_simulator *simulator, int32_t field, double *values) {
  return with(simulator, [&](Simulator &s) { s.get(field, values); });
}

swarmgrad_status swarmgrad_simulator_set(swarmgrad_simulator *simulator, int32_t field, const double *values) {
  return with(simulator, [&](Simulator &s) { s.set(field, values); });
}

swarmgrad_status swarmgrad_simulator_observe(swarmgrad_simulator *simulator, int32_t agent, float *observation,
                                             uint8_t *mask) {
  return with(simulator, [&](Simulator &s) { s.observe(agent, observation, mask); });
}

swarmgrad_status swarmgrad_simulator_step(swarmgrad_simulator *simulator, const int32_t *action, float *reward,
                                          uint8_t *alive, int32_t *done) {
  return with(simulator, [&](Simulator &s) { s.step(action, reward, alive, done); });
}
