// Counts every allocation of the program: after creation no call on an engine may make one.
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "engine_fixture.h"

// Every allocation in this executable passes here (the linker's --wrap); what libstdc++ allocates comes through new.
namespace {
std::atomic<int64_t> allocations{0};
}

extern "C" {
void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__real_aligned_alloc(size_t, size_t);
int __real_posix_memalign(void **, size_t, size_t);
void *__real_mmap(void *, size_t, int, int, int, off_t);

void *__wrap_malloc(size_t bytes) {
  ++allocations;
  return __real_malloc(bytes);
}
void *__wrap_calloc(size_t count, size_t bytes) {
  ++allocations;
  return __real_calloc(count, bytes);
}
void *__wrap_realloc(void *memory, size_t bytes) {
  ++allocations;
  return __real_realloc(memory, bytes);
}
void *__wrap_aligned_alloc(size_t alignment, size_t bytes) {
  ++allocations;
  return __real_aligned_alloc(alignment, bytes);
}
int __wrap_posix_memalign(void **memory, size_t alignment, size_t bytes) {
  ++allocations;
  return __real_posix_memalign(memory, alignment, bytes);
}
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
  ++allocations;
  return __real_mmap(address, bytes, protection, flags, file, offset);
}
}

void *operator new(size_t bytes) {
  if (void *memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }

using namespace swarmgrad_tests;

TEST_CASE("no call on an engine allocates") {
  const int64_t before_any = allocations.load();
  ::operator delete(::operator new(1));
  REQUIRE(allocations.load() > before_any);

  for (const int threads : {1, 2})
    for (const int horizon : {25, 200}) {
      Setup setup;
      setup.threads = threads;
      setup.horizon = horizon;
      setup.hidden = {32};
      setup.stored_bytes = horizon == 200 ? 1 : 0;
      setup.baseline = horizon == 200 || threads == 2 ? SWARMGRAD_LEARNED_VALUE : SWARMGRAD_PREVIOUS_BATCH;
      setup.normalises = true;
      setup.lambda = setup.baseline == SWARMGRAD_LEARNED_VALUE ? 0.9 : 1;
      setup.bootstraps = setup.baseline == SWARMGRAD_LEARNED_VALUE;
      setup.scale = SWARMGRAD_SCALE_RUNNING_DEVIATION;
      int64_t start = allocations.load();
      Engine engine(setup);
      CHECK(allocations.load() > start);  // creation is counted, the arena and the threads among it
      CHECK(engine.info().replays == (horizon == 200));
      const Recording recording = engine.record();
      const Batch &batch = recording.groups[0];
      const std::vector<swarmgrad_rates> rates(3, engine.rates_of(0.1));
      const int32_t acting = SWARMGRAD_ACT_GREEDY;
      std::vector<swarmgrad_statistics> statistics(3);
      std::vector<float> gradient(recording.gradient.size()), weight(batch.reward.size()),
          logit(batch.action.size() * 5);
      std::vector<int32_t> action(batch.action.size());
      std::vector<swarmgrad_trajectories> trajectories(1);
      trajectories[0].size = sizeof trajectories[0];
      trajectories[0].weight = weight.data();
      const swarmgrad_batch given = batch.given(0);
      swarmgrad_rewards rewards = {};
      rewards.size = sizeof rewards;
      rewards.environments = batch.environments;
      rewards.steps = batch.steps;
      rewards.reward = batch.reward.data();
      rewards.weight = weight.data();
      swarmgrad_logit_rows rows = {};
      rows.size = sizeof rows;
      rows.action_count = 5;
      rows.rows = 20;
      rows.logit = logit.data();
      rows.action = action.data();
      rows.sample = 1;
      rows.gradient = logit.data();
      int64_t cohorts = 0;

      const auto expect_none = [&](const char *call, swarmgrad_status status) {
        const int64_t made = allocations.load() - start;
        INFO(call);
        require_ok(status);
        CHECK(made == 0);
        start = allocations.load();
      };
      swarmgrad_engine *handle = engine.handle();
      start = allocations.load();
      expect_none("train", swarmgrad_train(handle, 3, rates.data(), statistics.data()));
      expect_none("gradient", swarmgrad_gradient(handle, gradient.data(), statistics.data()));
      expect_none("step", swarmgrad_step(handle, nullptr, rates.data()));
      expect_none("record", swarmgrad_record(handle, trajectories.data(), gradient.data(), statistics.data()));
      expect_none("evaluate", swarmgrad_evaluate(handle, 0, 40, &acting, statistics.data()));
      expect_none("gradient_of", swarmgrad_gradient_of(handle, &given, gradient.data()));
      expect_none("weights", swarmgrad_weights(handle, &rewards));
      expect_none("logits", swarmgrad_logits(handle, &rows));
      expect_none("forward", swarmgrad_forward(handle, 0, 40, batch.observation.data(), nullptr, logit.data()));
      expect_none("write", swarmgrad_write(handle, 0, gradient.data(), static_cast<int64_t>(gradient.size())));
      expect_none("read", swarmgrad_read(handle, 0, gradient.data(), static_cast<int64_t>(gradient.size())));
      expect_none("progress", swarmgrad_progress(handle, &cohorts));
    }
}
