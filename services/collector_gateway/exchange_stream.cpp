// The stream of results; see exchange_stream.h.
#include "services/collector_gateway/exchange_stream.h"

#include <utility>

#include "services/collector_gateway/convert.h"

namespace voltwell::gateway {

ExchangeStream::ExchangeStream(Hub& hub, rpc::Door& door, os::Clock& clock, GatewayMetrics& metrics, rpc::Call call)
    : hub_(hub), door_(door), clock_(clock), metrics_(metrics), call_(std::move(call)), began_(clock.Monotonic()) {}

void ExchangeStream::Begin(const v1::ExchangeRequest& request) {
  self_ = shared_from_this();
  metrics_.streams.Increment();
  outstanding_ = static_cast<size_t>(request.items_size());
  std::vector<AddressedItem> items;
  items.reserve(outstanding_);
  for (const v1::ExchangeItem& item : request.items()) {
    items.push_back({item.collector(), item.bus() == 0 ? 1 : item.bus(), item.tenant(), ToItem(item, began_)});
  }
  hub_.Submit(std::move(items), self_);
}

void ExchangeStream::Deliver(std::vector<Result>&& results) {
  Next next = Next::kNothing;
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_) return;
    for (Result& result : results) ToProto(std::move(result), *gathering_.add_results());
    outstanding_ -= results.size();
    if (!writing_) next = Decide();
  }
  Do(next);
}

ExchangeStream::Next ExchangeStream::Decide() {
  if (finished_) return Next::kNothing;
  if (cancelled_) {
    finished_ = true;
    return Next::kFinish;
  }
  if (gathering_.results().empty()) return Next::kNothing;
  writing_response_.Clear();
  writing_response_.Swap(&gathering_);
  writing_ = true;
  if (outstanding_ > 0) return Next::kWrite;
  finished_ = true;
  return Next::kWriteLast;
}

void ExchangeStream::Do(Next next) {
  switch (next) {
    case Next::kNothing:
      return;
    case Next::kWrite:
      StartWrite(&writing_response_);
      return;
    case Next::kWriteLast:
      StartWriteAndFinish(&writing_response_, grpc::WriteOptions(), grpc::Status::OK);
      return;
    case Next::kFinish:
      Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the caller has gone"));
      return;
  }
}

void ExchangeStream::OnWriteDone(bool ok) {
  Next next = Next::kNothing;
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    cancelled_ = cancelled_ || !ok;
    next = Decide();
  }
  Do(next);
}

void ExchangeStream::OnCancel() {
  Next next = Next::kNothing;
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (!writing_) next = Decide();
  }
  hub_.Drop(self_);
  Do(next);
}

void ExchangeStream::OnDone() {
  bool cancelled = false;
  {
    const std::lock_guard lock(mutex_);
    cancelled = cancelled_;
  }
  door_.Finished(call_, cancelled ? absl::CancelledError("the caller has gone") : absl::OkStatus(),
                 clock_.Monotonic() - began_);
  metrics_.streams.Decrement();
  // May be the last owner: nothing of this object is touched afterwards.
  const std::shared_ptr<ExchangeStream> last = std::move(self_);
}

}  // namespace voltwell::gateway
