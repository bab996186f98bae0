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
  explicit ThreadPool(int threads);
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

 private:
  void serve(int worker);
  void stop();

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_, finished_;
  // Guarded by the mutex. A new `round_` tells the threads that there is a job.
  uint64_t round_ = 0;
  int running_ = 0;
  bool stopping_ = false;
  Job job_ = nullptr;
  const void *context_ = nullptr;
};

}  // namespace swarmgrad::cpu
