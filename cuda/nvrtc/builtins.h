// Builtins of the other compilers that the headers use and NVRTC lacks, with the same bits; included before everything else.
#pragma once

#define __builtin_inff() __builtin_bit_cast(float, 0x7f800000u)
#define __builtin_inf() __builtin_bit_cast(double, 0x7ff0000000000000ul)
#define __builtin_nanf(TEXT) __builtin_bit_cast(float, 0x7fc00000u)
#define __builtin_sqrtf(VALUE) __fsqrt_rn(VALUE)
#define __builtin_sqrt(VALUE) __dsqrt_rn(VALUE)
#define __builtin_memcpy(TO, FROM, BYTES) memcpy(TO, FROM, BYTES)
