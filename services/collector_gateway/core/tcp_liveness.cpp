// TCP_INFO as the kernel has it (glibc's struct ends before the field we need); see tcp_liveness.h.
#include "services/collector_gateway/core/tcp_liveness.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace voltwell::gateway {

uint32_t SegmentsReceived(int fd) {
  tcp_info info = {};
  socklen_t length = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
  return info.tcpi_segs_in;
}

}  // namespace voltwell::gateway
