// Fibers: stacks of their own within one operating-system thread, switched between by hand. Knows nothing of CUDA.
//
// The sanitizers are told of every switch. This folder is compiled without -fsanitize=thread, so that what the scheduler
// does to order threads does not itself look like an order that the kernels had asked for.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace swarmgrad::emulation {

// Whole pages of memory, with one below them that nobody may touch: a stack's overflow ends there. Untouched pages cost
// nothing, so a stack is as large as a deep kernel needs under a sanitizer.
class Pages {
 public:
  explicit Pages(size_t size);
  ~Pages();
  Pages(const Pages &) = delete;
  Pages &operator=(const Pages &) = delete;
  char *begin() const { return memory_ + guard_size; }
  size_t size() const { return size_; }
  // As if never used, for the sanitizers: what an abandoned thread left is forgotten.
  void renew();

 private:
  static constexpr size_t guard_size = size_t{4} << 10;
  size_t size_;
  char *memory_;
};

// A flow of control: a fiber, or the operating-system thread that runs them.
class Fiber {
 public:
  Fiber() = default;
  Fiber(const Fiber &) = delete;
  Fiber &operator=(const Fiber &) = delete;

  // The running operating-system thread, before it switches to a fiber.
  void adopt();
  // A new flow that calls entry() when first switched to; entry never returns. `colour` shifts where on the stack it
  // begins, lest all stacks compete for the same cache lines. `identity`: what the thread sanitizer knows it by.
  void start(char *stack, size_t size, unsigned colour, void (*entry)(), void *identity);
  // Leaves the running flow for `next`; returns when someone switches back. `last`: nobody will.
  void switch_to(Fiber &next, bool last = false);
  // The first thing that entry() does; `previous` is who switched to it.
  void entered(Fiber &previous);

 private:
#if defined(__x86_64__)
  void *stack_pointer_ = nullptr;
#else
  ucontext_t context_;
#endif
  const void *bottom_ = nullptr;
  size_t size_ = 0;
  void *fake_stack_ = nullptr;  // the address sanitizer's
  void *identity_ = nullptr;
};

// The thread sanitizer's view; nothing in other builds.
namespace thread_sanitizer {
#if defined(SWARMGRAD_EMULATION_TSAN)
constexpr bool present = true;
#else
constexpr bool present = false;
#endif
void *create_identity();
void acquire(const volatile void *tag);
void release(const volatile void *tag);
// The same as if that identity did it.
void release_as(void *identity, const volatile void *tag);
}  // namespace thread_sanitizer

}  // namespace swarmgrad::emulation
