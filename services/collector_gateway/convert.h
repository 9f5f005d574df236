// The contract's messages and the core's plain values. Protobuf ends here.
#pragma once

#include "absl/status/status.h"
#include "services/collector_gateway/core/session_feed.h"
#include "services/collector_gateway/core/shard.h"
#include "services/collector_gateway/domain/work.h"
#include "voltwell/gateway/v1/gateway_service.pb.h"

namespace voltwell::gateway {

// Items of one call; more: BATCH_TOO_LARGE.
inline constexpr int kBatchItemsMax = 512;
inline constexpr int kGroupExchangesMax = 32;
inline constexpr int kFollowUpStepsMax = 32;
inline constexpr int kMatchersMax = 16;
inline constexpr int kMatchBytesMax = 64;
// No frame of any protocol here is longer; preambles included.
inline constexpr size_t kRequestBytesMax = 512;
inline constexpr absl::Duration kReplyTimeoutMax = absl::Seconds(60);
inline constexpr absl::Duration kNotAfterDefault = absl::Minutes(5);

// InvalidArgument BATCH_EMPTY, BATCH_TOO_LARGE, or BAD_EXCHANGE with metadata position (of the item) and why.
absl::Status Check(const v1::ExchangeRequest& request);

// Only of a request that passed Check. `arrived`: the moment that not_after counts from.
Item ToItem(const v1::ExchangeItem& item, Instant arrived);
void ToProto(Result&& result, v1::ExchangeResult& out);
void ToProto(const SessionFacts& facts, absl::string_view pod, v1::Session& out);
// convert_health.cpp
void ToProto(const BusReport& report, v1::BusHealth& out);
void ToProto(const Trace& trace, const std::string& collector, int bus, v1::Trace& out);
void ToProto(const SessionChange& change, v1::SessionChange& out);

}  // namespace voltwell::gateway
