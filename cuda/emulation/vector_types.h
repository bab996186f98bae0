// CUDA's small vectors, for sources compiled by a C++ compiler alone; holds no arithmetic. Layout as in the toolkit's header.
#pragma once

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_count = 1, unsigned y_count = 1, unsigned z_count = 1)
      : x(x_count), y(y_count), z(z_count) {}
  constexpr dim3(uint3 counts) : x(counts.x), y(counts.y), z(counts.z) {}
};

#define SWARMGRAD_EMULATION_VECTOR(ELEMENT, NAME)                        \
  struct alignas(2 * sizeof(ELEMENT)) NAME##2 {                          \
    ELEMENT x, y;                                                        \
  };                                                                     \
  struct alignas(16) NAME##4 {                                           \
    ELEMENT x, y, z, w;                                                  \
  };                                                                     \
  inline NAME##2 make_##NAME##2(ELEMENT x, ELEMENT y) { return {x, y}; } \
  inline NAME##4 make_##NAME##4(ELEMENT x, ELEMENT y, ELEMENT z, ELEMENT w) { return {x, y, z, w}; }

SWARMGRAD_EMULATION_VECTOR(float, float)
SWARMGRAD_EMULATION_VECTOR(int, int)
SWARMGRAD_EMULATION_VECTOR(unsigned, uint)
SWARMGRAD_EMULATION_VECTOR(double, double)
SWARMGRAD_EMULATION_VECTOR(long long, longlong)
SWARMGRAD_EMULATION_VECTOR(unsigned long long, ulonglong)

#undef SWARMGRAD_EMULATION_VECTOR
