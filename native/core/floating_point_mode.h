// A guard that gives a thread the engine's floating-point mode and restores the caller's; not for device code.
//
// A host program may have set flush-to-zero, another rounding or trapping exceptions; every result of ours would then
// be its own. Always inlined: this header is included by objects of every instruction set, and must not leave one of
// them with a copy that the others are linked to.
#pragma once

#include <stdint.h>

namespace swarmgrad {

class FloatingPointMode {
 public:
  __attribute__((always_inline)) FloatingPointMode() : saved_(read()) { write(ours); }
  __attribute__((always_inline)) ~FloatingPointMode() { write(saved_); }
  FloatingPointMode(const FloatingPointMode &) = delete;
  FloatingPointMode &operator=(const FloatingPointMode &) = delete;

 private:
#if defined(__x86_64__)
  using Register = uint32_t;
  static constexpr Register ours = 0x1f80;  // MXCSR: exceptions masked, nearest even, no flush-to-zero, no DAZ
  __attribute__((always_inline)) static Register read() { return __builtin_ia32_stmxcsr(); }
  __attribute__((always_inline)) static void write(Register value) { __builtin_ia32_ldmxcsr(value); }
#elif defined(__aarch64__)
  using Register = uint64_t;
  static constexpr Register ours = 0;  // FPCR: the same
  __attribute__((always_inline)) static Register read() {
    Register value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value) : : "memory");
    return value;
  }
  __attribute__((always_inline)) static void write(Register value) {
    __asm__ volatile("msr fpcr, %0" : : "r"(value) : "memory");
  }
#else
#error "swarmgrad runs on x86-64 and aarch64"
#endif

  Register saved_;
};

}  // namespace swarmgrad
