// What passed over one bus, kept on request for a limited time: the last reads and writes of both directions, raw. By
// bus and not by session, since a connection that breaks is what people want to see.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "libs/base/bytes.h"
#include "services/collector_gateway/domain/work.h"

namespace voltwell::gateway {

// Frames kept of a bus.
inline constexpr size_t kTraceFramesMax = 1000;
// Of each frame; reads of a collector are shorter.
inline constexpr size_t kTraceBytesMax = 512;
// Bytes kept of a bus; older frames go.
inline constexpr size_t kTraceMemoryMax = 128 * 1024;
// Traces of a process: 4 MiB of bytes. Of those that have ended the oldest goes; while all are under way,
// TOO_MANY_TRACES.
inline constexpr size_t kTracesMax = 32;
inline constexpr absl::Duration kTraceDefault = absl::Minutes(10);
inline constexpr absl::Duration kTraceMax = absl::Hours(1);

struct TraceFrame {
  int64_t at_ms = 0;  // Unix.
  bool up = false;    // From the bus.
  std::string data = {};
  size_t size = 0;
};

struct Trace {
  std::string tenant = {};
  int64_t began_ms = 0;  // Unix.
  absl::Duration duration = kTraceDefault;
  Instant ends = absl::ZeroDuration();  // Kept as long again.
  std::deque<TraceFrame> frames = {};
  size_t bytes = 0;
  int64_t dropped = 0;

  void Add(bool up, base::ByteView data, int64_t at_ms);
};

// All traces of a process; from any thread.
class TraceBook {
 public:
  // A trace of the same bus begins anew.
  absl::Status Start(const std::string& collector, int bus, const std::string& tenant, absl::Duration duration,
                     int64_t now_ms, Instant now);
  std::optional<Trace> Find(const std::string& collector, int bus, Instant now);
  // Nearly always false: then Add need not be called.
  bool any() const { return count_.load(std::memory_order_relaxed) > 0; }
  // `tenant` has the collector now: a trace that another one started is forgotten, it must not see this.
  void Add(const std::string& collector, int bus, const std::string& tenant, bool up, base::ByteView data,
           int64_t now_ms, Instant now);

 private:
  void Forget(Instant now);

  std::atomic<size_t> count_ = 0;  // Of traces_.
  std::mutex mutex_;
  absl::flat_hash_map<std::pair<std::string, int>, Trace> traces_;
};

}  // namespace voltwell::gateway
