// One subscriber's stream: a bounded queue that is written out in batches. It never blocks whoever offers events: when
// the queue is full it says so, and the hub reads for it from the outbox again once the queue has drained.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/support/server_callback.h"
#include "libs/os/clock.h"
#include "libs/pg/outbox.h"
#include "libs/rpc/door.h"
#include "voltwell/event/v1/event_service.pb.h"

namespace voltwell::events {

inline constexpr size_t kSubscribersMax = 256;     // Streams of one process.
inline constexpr int kBatchEventsMax = 512;        // Events of one message.
inline constexpr size_t kBatchBytesMax = 1 << 20;  // And about this many bytes.
inline constexpr size_t kQueueEventsMax = 2048;    // Of one subscriber; beyond it, it falls back to the outbox.
inline constexpr absl::Duration kHeartbeatEvery = absl::Seconds(15);

enum class Begin { kGiven, kOldest, kNow };
using SharedEvent = std::shared_ptr<const voltwell::event::v1::Event>;

class Subscription final : public grpc::ServerWriteReactor<voltwell::event::v1::SubscribeResponse> {
 public:
  // `on_done` is called once, last; the reactor may be destroyed in it.
  Subscription(rpc::Door& door, rpc::Call call, os::Clock& clock, std::vector<std::string> type_prefixes,
               std::function<void(Subscription*)> on_done);

  // For the hub's thread only. Where the subscriber has read to, and whether it follows the head.
  pg::Cursor position = {};
  bool positioned = false;  // position is valid: from the hub's next step on.
  Begin begin = Begin::kOldest;
  bool live = false;

  // Takes over the events that the subscriber wants; false: the queue is full and nothing was taken. Moves the cursor
  // told to the subscriber to `reached`, the last event looked at.
  bool Offer(const std::vector<SharedEvent>& events, const pg::Cursor& reached);
  // Room for a whole batch from the outbox?
  bool Hungry() const;
  // A sign of life with the cursor reached, when nothing was sent for kHeartbeatEvery, or `now` whatever was sent.
  void Heartbeat(bool now);
  // Ends the stream, after what is being written.
  void End(const absl::Status& status);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  bool Wants(const std::string& type) const;
  bool FillLocked();  // Queue to response_; true: start a write.
  void FinishNow();

  rpc::Door& door_;
  const rpc::Call call_;
  os::Clock& clock_;
  const std::vector<std::string> type_prefixes_;
  const std::function<void(Subscription*)> on_done_;
  const absl::Duration began_;

  mutable std::mutex mutex_;
  std::deque<SharedEvent> queue_;
  pg::Cursor reached_ = {};
  absl::Duration last_write_;
  voltwell::event::v1::SubscribeResponse response_;
  bool writing_ = false;
  bool ending_ = false;
  bool finished_ = false;
  absl::Status end_status_;
};

}  // namespace voltwell::events
