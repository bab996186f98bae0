// See thread_pool.h.
#include "cpu/thread_pool.h"

#include <exception>

#include "core/floating_point_mode.h"
#include "host/failure.h"

namespace swarmgrad::cpu {

ThreadPool::ThreadPool(int threads, int cores) : lingers_(threads <= cores) {
  threads_.reserve(static_cast<size_t>(threads - 1));
  try {
    for (int worker = 1; worker < threads; ++worker) threads_.emplace_back([this, worker] { serve(worker); });
  } catch (const std::exception &) {  // system_error, or bad_alloc; running threads left behind would end the process
    const size_t started = threads_.size() + 1;
    stop();
    throw host::Failure(SWARMGRAD_OUT_OF_MEMORY, "threads is " + std::to_string(threads) + "; the system let " +
                                                     std::to_string(started) + " start: use fewer");
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread &thread : threads_) thread.join();
}

template <class Condition>
void ThreadPool::linger(const Condition &happened) const {
  constexpr int patience = 4000;
  for (int k = 0; lingers_ && k < patience && !happened(); ++k) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("yield");
#endif
  }
}

void ThreadPool::run(Job job, const void *context) {
  {
    const std::lock_guard lock(mutex_);
    job_ = job;
    context_ = context;
    running_ = static_cast<int>(threads_.size());
    ++round_;
  }
  wake_.notify_all();
  job(context, 0);
  linger([this] { return running_.load(std::memory_order_relaxed) == 0; });
  std::unique_lock lock(mutex_);
  finished_.wait(lock, [this] { return running_ == 0; });
}

void ThreadPool::serve(int worker) {
  const FloatingPointMode mode;
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    lock.unlock();
    linger([&] { return round_.load(std::memory_order_relaxed) != seen; });
    lock.lock();
    wake_.wait(lock, [&] { return stopping_ || round_ != seen; });
    if (stopping_) return;
    seen = round_;
    const Job job = job_;
    const void *context = context_;
    lock.unlock();
    job(context, worker);
    lock.lock();
    if (--running_ == 0) finished_.notify_one();
  }
}

}  // namespace swarmgrad::cpu
