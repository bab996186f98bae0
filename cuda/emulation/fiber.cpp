// Switching between fibers, and what the sanitizers must be told about it.
#include "cuda/emulation/fiber.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__SANITIZE_THREAD__)
#error "this folder is compiled without -fsanitize=thread; SWARMGRAD_EMULATION_TSAN says that the kernels are not"
#endif

#if defined(SWARMGRAD_EMULATION_TSAN)
extern "C" {
void *__tsan_create_fiber(unsigned flags);
void *__tsan_get_current_fiber();
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_acquire(void *tag);
void __tsan_release(void *tag);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

constexpr unsigned orders_nothing = 1;

// Volatile accesses are a kernel's and the host's way to speak to each other while both run, one word at a time: no race.
// g++ calls these under --param=tsan-distinguish-volatile=1, and no library has them.
#define SWARMGRAD_EMULATION_VOLATILE(SIZE)                                          \
  __attribute__((visibility("default"))) void __tsan_volatile_read##SIZE(void *) {} \
  __attribute__((visibility("default"))) void __tsan_volatile_write##SIZE(void *) {}
SWARMGRAD_EMULATION_VOLATILE(1)
SWARMGRAD_EMULATION_VOLATILE(2)
SWARMGRAD_EMULATION_VOLATILE(4)
SWARMGRAD_EMULATION_VOLATILE(8)
SWARMGRAD_EMULATION_VOLATILE(16)
}
#endif

namespace swarmgrad::emulation {

namespace thread_sanitizer {
#if defined(SWARMGRAD_EMULATION_TSAN)
void *create_identity() { return __tsan_create_fiber(0); }
void acquire(const volatile void *tag) { __tsan_acquire(const_cast<void *>(tag)); }
void release(const volatile void *tag) { __tsan_release(const_cast<void *>(tag)); }
void release_as(void *identity, const volatile void *tag) {
  void *const running = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(identity, orders_nothing);
  release(tag);
  __tsan_switch_to_fiber(running, orders_nothing);
}
#else
void *create_identity() { return nullptr; }
void acquire(const volatile void *) {}
void release(const volatile void *) {}
void release_as(void *, const volatile void *) {}
#endif
}  // namespace thread_sanitizer

Pages::Pages(size_t size) : size_(size) {
  void *memory =
      mmap(nullptr, guard_size + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, guard_size, PROT_NONE) != 0) {
    perror("swarmgrad emulation: no memory for a thread's stack");
    abort();
  }
  memory_ = static_cast<char *>(memory);
  renew();  // what lay at this address before may have left its marks
}

Pages::~Pages() { munmap(memory_, guard_size + size_); }

void Pages::renew() {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(begin(), size_);
#endif
#if defined(SWARMGRAD_EMULATION_TSAN)
  // Ignored writes of a new mapping make the sanitizer forget the old one instead of taking the mapping for a write.
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  if (mmap(begin(), size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) ==
      MAP_FAILED) {
    perror("swarmgrad emulation: mmap");
    abort();
  }
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
#endif
}

#if defined(__x86_64__)
extern "C" void swarmgrad_emulation_switch(void **save, void *load);
__asm__(
    ".text\n"
    ".p2align 4\n"
    ".globl swarmgrad_emulation_switch\n"
    ".hidden swarmgrad_emulation_switch\n"
    ".type swarmgrad_emulation_switch, @function\n"
    "swarmgrad_emulation_switch:\n"
    "  pushq %rbp\n"
    "  pushq %rbx\n"
    "  pushq %r12\n"
    "  pushq %r13\n"
    "  pushq %r14\n"
    "  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n"
    "  popq %r14\n"
    "  popq %r13\n"
    "  popq %r12\n"
    "  popq %rbx\n"
    "  popq %rbp\n"
    "  ret\n"
    ".size swarmgrad_emulation_switch, .-swarmgrad_emulation_switch\n");
#endif

void Fiber::adopt() {
#if defined(SWARMGRAD_EMULATION_TSAN)
  identity_ = __tsan_get_current_fiber();
#endif
}

void Fiber::start(char *stack, size_t size, unsigned colour, void (*entry)(), void *identity) {
  constexpr size_t colours = 64, shift = 64;
  const size_t used = size - shift * (colour % colours);
  char *const top = stack + used;
  bottom_ = stack;
  size_ = size;
  fake_stack_ = nullptr;
  identity_ = identity;
  // What the first frames find there is not a number. Not by memset, which the thread sanitizer would see.
  constexpr size_t poisoned = 2048;
#if defined(__SANITIZE_ADDRESS__)
  // The last frames of a flow that ended here never returned.
  constexpr size_t marked = colours * shift + poisoned;
  __asan_unpoison_memory_region(stack + size - marked, marked);
#endif
  for (volatile uint64_t *word = reinterpret_cast<uint64_t *>(top - poisoned);
       reinterpret_cast<volatile char *>(word) < top; ++word)
    *word = ~uint64_t{0};
#if defined(__x86_64__)
  // Popped by the switch: six registers, then where it returns to; above, the return address of entry, which has none.
  uint64_t *const frame = reinterpret_cast<uint64_t *>(top) - 8;
  for (int word = 0; word < 8; ++word) frame[word] = 0;
  frame[6] = reinterpret_cast<uint64_t>(entry);
  stack_pointer_ = frame;
#else
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack;
  context_.uc_stack.ss_size = used;
  context_.uc_link = nullptr;
  makecontext(&context_, entry, 0);
#endif
}

void Fiber::switch_to(Fiber &next, [[maybe_unused]] bool last) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(last ? nullptr : &fake_stack_, next.bottom_, next.size_);
#endif
#if defined(SWARMGRAD_EMULATION_TSAN)
  __tsan_switch_to_fiber(next.identity_, orders_nothing);
#endif
#if defined(__x86_64__)
  swarmgrad_emulation_switch(&stack_pointer_, next.stack_pointer_);
#else
  swapcontext(&context_, &next.context_);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_stack_, nullptr, nullptr);
#endif
}

void Fiber::entered([[maybe_unused]] Fiber &previous) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &previous.bottom_, &previous.size_);
#endif
}

}  // namespace swarmgrad::emulation
