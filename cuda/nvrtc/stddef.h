// What the headers need of <stddef.h>, for NVRTC, which has no system headers and knows size_t itself.
#pragma once

typedef decltype(nullptr) nullptr_t;
typedef long ptrdiff_t;

#define offsetof(TYPE, MEMBER) __builtin_offsetof(TYPE, MEMBER)
