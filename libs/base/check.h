// VW_CHECK stops the process when an invariant of ours does not hold: a bug, never bad input.
// Bad input gets an absl::Status with a reason (status.h).
#pragma once

#include <cstdio>
#include <cstdlib>

namespace voltwell::base {

[[noreturn]] inline void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: VW_CHECK failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace voltwell::base

#define VW_CHECK(condition)                                          \
  do {                                                               \
    if (!(condition)) {                                              \
      ::voltwell::base::CheckFailed(__FILE__, __LINE__, #condition); \
    }                                                                \
  } while (false)
