// doctest's implementation and main, compiled once for all native tests and at the baseline instruction set.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
