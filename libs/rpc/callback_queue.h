// gRPC serves the callback API of all channels and servers from one queue of the process, which it counts: the first
// use makes it, the last channel or server that goes takes it down. In gRPC 1.51 the taking down races with the queue's
// own threads ("ref_counted.h: assertion failed: prior > 0"), at the end of a process and between two servers of one
// test.
#pragma once

namespace voltwell::rpc {

// Keeps the queue until the process is gone. Any number of calls from any thread; the first one does it.
void HoldCallbackQueue();

}  // namespace voltwell::rpc
