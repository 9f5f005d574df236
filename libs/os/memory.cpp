#include "libs/os/memory.h"

#include <malloc.h>

#include "libs/base/check.h"

namespace voltwell::os {

void KeepMemorySmall() {
  VW_CHECK(mallopt(M_ARENA_MAX, 2) == 1);
  // Setting it also ends glibc's own raising of this threshold up to 32 MiB.
  VW_CHECK(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1);
}

}  // namespace voltwell::os
