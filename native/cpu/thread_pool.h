// A fixed set of threads that run one job at a time together with their caller; starts them once, never per iteration.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace swarmgrad::cpu {

class ThreadPool {
 public:
  // `cores`: how many of the threads can run at once.
  ThreadPool(int threads, int cores);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  int size() const { return static_cast<int>(threads_.size()) + 1; }

  // Calls job(context, worker) once for every worker 0 .. size() - 1, worker 0 on the calling thread; returns when all
  // have. Allocates nothing.
  using Job = void (*)(const void *context, int worker);
  void run(Job job, const void *context);

  // The same for any callable.
  template <class F>
  void run(const F &callable) {
    run([](const void *context, int worker) { (*static_cast<const F *>(context))(worker); }, &callable);
  }

  // The same for work that the workers share out: what is too little to be worth waking anybody, the caller does for all.
  template <class F>
  void share(int64_t elements, const F &callable) {
    constexpr int64_t worthwhile = int64_t{1} << 20;
    if (elements >= worthwhile) return run(callable);
    for (int worker = 0; worker < size(); ++worker) callable(worker);
  }

 private:
  void serve(int worker);
  void stop();
  // Waits a few dozen microseconds for what another thread is about to do: waking a sleeping thread costs more, which
  // short iterations would feel. Says nothing about whether it happened.
  template <class Condition>
  void linger(const Condition &happened) const;

  const bool lingers_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_, finished_;
  // Written under the mutex. A new `round_` tells the threads that there is a job.
  std::atomic<uint64_t> round_ = 0;
  std::atomic<int> running_ = 0;
  bool stopping_ = false;
  Job job_ = nullptr;
  const void *context_ = nullptr;
};

}  // namespace swarmgrad::cpu
