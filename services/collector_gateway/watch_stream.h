// One WatchSessions call: changes gather while a message is on its way to the client.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "grpcpp/support/server_callback.h"
#include "libs/os/clock.h"
#include "libs/rpc/door.h"
#include "services/collector_gateway/core/session_feed.h"
#include "voltwell/gateway/v1/gateway_service.pb.h"

namespace voltwell::gateway {

// Changes that wait for a client; beyond it the stream ends with WATCH_TOO_SLOW, and the client lists again. All
// collectors of a pod may come back within a second.
inline constexpr int kWatchChangesMax = 20'000;
// Of one message, about 100 bytes each.
inline constexpr int kWatchMessageMax = 1'000;

class WatchStream final : public grpc::ServerWriteReactor<v1::WatchSessionsResponse>,
                          public SessionWatcher,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  WatchStream(SessionFeed& feed, rpc::Door& door, os::Clock& clock, rpc::Call call, std::string collector);

  // gRPC owns it from here to OnDone.
  void Begin();

  void Changed(const SessionChange& change) override;
  void Closing() override;

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // Needs mutex_; writes or finishes when nothing is being written.
  void Go();

  SessionFeed& feed_;
  rpc::Door& door_;
  os::Clock& clock_;
  const rpc::Call call_;
  const std::string collector_;  // Empty: all.
  const Instant began_;

  std::mutex mutex_;
  v1::WatchSessionsResponse gathering_;  // Guarded by mutex_.
  v1::WatchSessionsResponse writing_response_;
  absl::Status end_ = absl::OkStatus();  // Guarded by mutex_: not OK once it is to end.
  bool writing_ = false;                 // Guarded by mutex_.
  bool finished_ = false;                // Guarded by mutex_.
  std::shared_ptr<WatchStream> self_;    // Until OnDone.
};

}  // namespace voltwell::gateway
