// Limits that both ends of a connection share.
#pragma once

namespace voltwell::rpc {

// Of one message, in and out; gRPC answers RESOURCE_EXHAUSTED beyond it. 512 exchanges with their bytes stay far below.
inline constexpr int kMessageBytesMax = 16 << 20;

}  // namespace voltwell::rpc
