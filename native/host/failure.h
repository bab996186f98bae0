// The one exception of the native code: a status and a sentence that names the argument, the value and what is allowed.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "swarmgrad/swarmgrad.h"

namespace swarmgrad::host {

class Failure : public std::runtime_error {
 public:
  Failure(swarmgrad_status status, const std::string &text) : std::runtime_error(text), status_(status) {}
  swarmgrad_status status() const { return status_; }

 private:
  swarmgrad_status status_;
};

// Throws SWARMGRAD_INVALID_ARGUMENT with a printf-style text.
[[noreturn]] __attribute__((format(printf, 1, 2))) inline void reject(const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  throw Failure(SWARMGRAD_INVALID_ARGUMENT, text);
}

}  // namespace swarmgrad::host
