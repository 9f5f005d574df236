// How the process keeps freed memory. glibc's defaults trade memory for speed in a way that does not fit services which
// idle: an arena for each thread, and large blocks kept once freed (a password hash of 19 MiB on eight threads was 150
// MiB for ever).
#pragma once

namespace voltwell::os {

// Two arenas; blocks of a mebibyte or more go back to the system when freed. Call it first in main.
void KeepMemorySmall();

}  // namespace voltwell::os
