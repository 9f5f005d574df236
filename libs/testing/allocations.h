// Counts what a test program allocates, to show that a hot path allocates nothing. Replaces the global operator new:
// include it in one source file of a program.
#pragma once

#include <cstdlib>
#include <new>

namespace voltwell::testing {

inline size_t allocations = 0;  // Of the whole program since it began.

}  // namespace voltwell::testing

// The sized and array forms of the standard library end here too.
// NOLINTBEGIN(misc-definitions-in-headers): see above, one source file of a program includes it.
void* operator new(size_t size) {
  ++voltwell::testing::allocations;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t size, const std::nothrow_t& /*tag*/) noexcept {
  ++voltwell::testing::allocations;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
// NOLINTEND(misc-definitions-in-headers)
