// One Exchange call: hands its items to the hub and streams results as they end. While a message is on its way to the
// client, what ends meanwhile gathers for the next one.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "grpcpp/support/server_callback.h"
#include "libs/os/clock.h"
#include "libs/rpc/door.h"
#include "services/collector_gateway/core/hub.h"
#include "voltwell/gateway/v1/gateway_service.pb.h"

namespace voltwell::gateway {

class ExchangeStream final : public grpc::ServerWriteReactor<v1::ExchangeResponse>,
                             public ResultSink,
                             public std::enable_shared_from_this<ExchangeStream> {
 public:
  ExchangeStream(Hub& hub, rpc::Door& door, os::Clock& clock, GatewayMetrics& metrics, rpc::Call call);

  // gRPC owns it from here to OnDone.
  void Begin(const v1::ExchangeRequest& request);

  void Deliver(std::vector<Result>&& results) override;

  void OnWriteDone(bool ok) override;
  // The client has gone: what is queued is forgotten, what is on a bus ends there.
  void OnCancel() override;
  void OnDone() override;

 private:
  enum class Next { kNothing, kWrite, kWriteLast, kFinish };
  // What to do now that nothing is being written. Needs mutex_.
  Next Decide();
  void Do(Next next);

  Hub& hub_;
  rpc::Door& door_;
  os::Clock& clock_;
  GatewayMetrics& metrics_;
  const rpc::Call call_;
  const Instant began_;

  std::mutex mutex_;
  v1::ExchangeResponse gathering_;         // Guarded by mutex_.
  size_t outstanding_ = 0;                 // Guarded by mutex_: results not yet gathered.
  bool writing_ = false;                   // Guarded by mutex_.
  bool cancelled_ = false;                 // Guarded by mutex_.
  bool finished_ = false;                  // Guarded by mutex_.
  v1::ExchangeResponse writing_response_;  // Of whoever set writing_.
  std::shared_ptr<ExchangeStream> self_;   // Until OnDone.
};

}  // namespace voltwell::gateway
