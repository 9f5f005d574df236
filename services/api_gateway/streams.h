// Open server streams to browsers. Each is ended exactly once: by its source, by the client, by its session or by a
// drain.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "services/api_gateway/visit.h"

namespace voltwell::front {

inline constexpr size_t kStreamsMax = 2048;          // Of this process; beyond it TOO_MANY_STREAMS.
inline constexpr size_t kStreamsPerSessionMax = 16;  // A browser opens one for each tab.

class Streams;

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(std::shared_ptr<Visit> visit, Streams& streams) : visit_(std::move(visit)), streams_(streams) {}

  // `stopped` runs once when nobody wants more: the client is gone, the session ended, we drain. Set it before Begin.
  void OnStop(std::function<void()> stopped);
  // Sends the head, so that the client knows it is served before there is anything to tell.
  void Begin();
  // A message in its wire form. `written` as http::Responder's; false also when the stream has ended.
  void Send(std::string wire, std::function<void(bool alive)> written);
  // The last envelope; the first call counts.
  void End(const grpc::Status& status);
  const Visit& visit() const { return *visit_; }

 private:
  friend class Streams;
  void Stop();

  const std::shared_ptr<Visit> visit_;
  Streams& streams_;
  std::mutex mutex_;
  bool ended_ = false;
  size_t bytes_ = 0;
  std::function<void()> stopped_;
  std::function<void()> left_;  // Undoes what was set up around it.
};

class Streams {
 public:
  explicit Streams(metrics::Registry& metrics);
  // TOO_MANY_STREAMS (RESOURCE_EXHAUSTED), FRONT_DRAINING (UNAVAILABLE). `left` runs when it has ended, in any way.
  absl::StatusOr<std::shared_ptr<Stream>> Open(std::shared_ptr<Visit> visit);
  void SetLeft(Stream& stream, std::function<void()> left);
  // Ends all with FRONT_DRAINING, and opens no more.
  void Drain();
  size_t size() const;

 private:
  friend class Stream;
  void Leave(Stream& stream);

  prometheus::Gauge& open_gauge_;
  prometheus::Counter& refused_;
  mutable std::mutex mutex_;
  bool draining_ = false;
  std::map<Stream*, std::shared_ptr<Stream>> open_;
  std::map<std::string, size_t> per_session_;
};

}  // namespace voltwell::front
