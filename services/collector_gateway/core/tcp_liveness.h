// What the kernel has heard from the other end of a connection.
#pragma once

#include <cstdint>

namespace voltwell::gateway {

// TCP segments received so far, mere acknowledgements included; 0 when the kernel does not tell.
uint32_t SegmentsReceived(int fd);

}  // namespace voltwell::gateway
