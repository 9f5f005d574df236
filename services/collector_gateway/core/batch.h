// The way of results back to their call.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "services/collector_gateway/domain/work.h"

namespace voltwell::gateway {

// One Exchange call. Shards deliver on their threads, so nothing here may block.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual void Deliver(std::vector<Result>&& results) = 0;
};

// Results that are ready go up together: at once when somebody waits (RELAY, INTERACTIVE), when all are in, or when as
// many as this are ready; else after kFlushAfter. One stream message costs about 74 us of processor time, an exchange
// less than 10.
inline constexpr size_t kFlushResults = 128;
inline constexpr absl::Duration kFlushAfter = absl::Milliseconds(5);

// What one call has on one shard. Touched by that shard's thread only.
class Batch {
 public:
  explicit Batch(std::shared_ptr<ResultSink> results_to) : sink(std::move(results_to)) {}

  const std::shared_ptr<ResultSink> sink;
  size_t outstanding = 0;
  std::vector<Result> ready;
  bool listed = false;  // In the shard's list of batches to flush.
  bool urgent = false;
  Instant due = absl::InfiniteDuration();
};

}  // namespace voltwell::gateway
