// Calls to the service behind, bytes in, bytes out. The message's types are known to Routes only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "libs/rpc/identity.h"
#include "services/api_gateway/streams.h"
#include "services/api_gateway/upstreams.h"
#include "services/api_gateway/visit.h"

namespace voltwell::front {

// Calls once, answers `done` on a thread of gRPC. The call is cancelled when the client goes.
void ForwardUnary(const std::shared_ptr<Visit>& visit, const Upstream& upstream, rpc::TokenIssuer& issuer,
                  std::string wire, std::function<void(const grpc::Status& status, std::string wire)> done);

// Begins the stream and pumps it: the next message is read when the last one has been written, so that a slow client
// slows the service and fills no memory here.
void ForwardStream(const std::shared_ptr<Stream>& stream, const Upstream& upstream, rpc::TokenIssuer& issuer,
                   std::string wire);

}  // namespace voltwell::front
