// Messages to values and back; see convert.h.
#include "services/collector_gateway/convert.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::gateway {
namespace {

// The numbers are the contract's.
static_assert(static_cast<int>(codec::frame::FrameKind::kDlt645) == codec::v1::FRAME_KIND_DLT645);
static_assert(static_cast<int>(codec::frame::FrameKind::kCjt188) == codec::v1::FRAME_KIND_CJT188);
static_assert(static_cast<int>(codec::frame::FrameKind::kMbus) == codec::v1::FRAME_KIND_MBUS);

using Matchers = google::protobuf::RepeatedPtrField<codec::v1::Matcher>;

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

void ToProtoDuration(absl::Duration duration, google::protobuf::Duration& out) {
  out.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
}

const char* WhyNotQuestion(const std::string& request, const Matchers& matchers) {
  if (request.empty() || request.size() > kRequestBytesMax) return "request must have 1 to 512 bytes";
  if (matchers.size() > kMatchersMax) return "too many matchers";
  for (const codec::v1::Matcher& matcher : matchers) {
    if (matcher.bytes_size() > kMatchBytesMax) return "too many bytes in a matcher";
  }
  return nullptr;
}

const char* WhyNotExchange(const codec::v1::Exchange& exchange) {
  if (exchange.frame_kind() < codec::v1::FRAME_KIND_DLT645 || exchange.frame_kind() > codec::v1::FRAME_KIND_MBUS) {
    return "frame_kind is not one that this gateway cuts";
  }
  if (const char* why = WhyNotQuestion(exchange.request(), exchange.matchers()); why != nullptr) return why;
  const absl::Duration timeout = ToDuration(exchange.reply_timeout());
  if (timeout < absl::ZeroDuration() || timeout > kReplyTimeoutMax) return "reply_timeout must be 0 to 60 s";
  if (!exchange.no_reply() && !exchange.listen() && exchange.matchers().empty()) return "matchers are missing";
  if (exchange.follow_up().steps_size() > kFollowUpStepsMax) return "too many follow-up steps";
  for (const codec::v1::FollowUpStep& step : exchange.follow_up().steps()) {
    if (const char* why = WhyNotQuestion(step.request(), step.matchers()); why != nullptr) return why;
  }
  return nullptr;
}

const char* WhyNotItem(const v1::ExchangeItem& item) {
  if (item.collector().empty()) return "collector is missing";
  if (item.tenant().empty()) return "tenant is missing";
  if (item.priority() < v1::PRIORITY_BACKFILL || item.priority() > v1::PRIORITY_RELAY) return "priority is missing";
  const int exchanges = item.group().exchanges_size();
  if (exchanges < 1 || exchanges > kGroupExchangesMax) return "a group has 1 to 32 exchanges";
  for (const codec::v1::Exchange& exchange : item.group().exchanges()) {
    if (const char* why = WhyNotExchange(exchange); why != nullptr) return why;
  }
  return nullptr;
}

Question ToQuestion(const std::string& request, const Matchers& matchers) {
  Question question;
  question.request = request;
  question.replies.any_of.reserve(static_cast<size_t>(matchers.size()));
  for (const codec::v1::Matcher& matcher : matchers) {
    codec::frame::ReplyPattern& pattern = question.replies.any_of.emplace_back();
    pattern.reserve(static_cast<size_t>(matcher.bytes_size()));
    for (const codec::v1::MatchByte& byte : matcher.bytes()) {
      pattern.push_back({static_cast<uint16_t>(byte.offset()), static_cast<uint8_t>(byte.mask()),
                         static_cast<uint8_t>(byte.value())});
    }
  }
  return question;
}

Exchange ToExchange(const codec::v1::Exchange& in) {
  Exchange exchange;
  exchange.question = ToQuestion(in.request(), in.matchers());
  exchange.frame_kind = static_cast<codec::frame::FrameKind>(in.frame_kind());
  exchange.reply_timeout = ToDuration(in.reply_timeout());
  exchange.no_reply = in.no_reply();
  exchange.listen = in.listen();
  if (!in.has_follow_up()) return exchange;
  exchange.follow_up.flag_offset = static_cast<uint16_t>(in.follow_up().flag_offset());
  exchange.follow_up.flag_mask = static_cast<uint8_t>(in.follow_up().flag_mask());
  exchange.follow_up.flag_value = static_cast<uint8_t>(in.follow_up().flag_value());
  for (const codec::v1::FollowUpStep& step : in.follow_up().steps()) {
    exchange.follow_up.steps.push_back(ToQuestion(step.request(), step.matchers()));
  }
  return exchange;
}

}  // namespace

absl::Status Check(const v1::ExchangeRequest& request) {
  if (request.items().empty()) return base::InvalidArgument("BATCH_EMPTY", "items must have at least one");
  if (request.items_size() > kBatchItemsMax) {
    return base::InvalidArgument(
        "BATCH_TOO_LARGE", "too many items in one call",
        {{"limit", absl::StrCat(kBatchItemsMax)}, {"items", absl::StrCat(request.items_size())}});
  }
  absl::flat_hash_set<uint32_t> ids;
  for (int i = 0; i < request.items_size(); ++i) {
    const char* why = WhyNotItem(request.items(i));
    if (why == nullptr && !ids.insert(request.items(i).id()).second) why = "two items have the same id";
    if (why == nullptr) continue;
    return base::InvalidArgument("BAD_EXCHANGE", why, {{"position", absl::StrCat(i)}, {"why", why}});
  }
  return absl::OkStatus();
}

Item ToItem(const v1::ExchangeItem& item, Instant arrived) {
  Item out;
  out.id = item.id();
  out.priority = static_cast<Priority>(item.priority());
  out.attempt = std::max(1U, item.attempt());
  out.not_after = arrived + (item.has_not_after() ? ToDuration(item.not_after()) : kNotAfterDefault);
  out.exchanges.reserve(static_cast<size_t>(item.group().exchanges_size()));
  for (const codec::v1::Exchange& exchange : item.group().exchanges()) out.exchanges.push_back(ToExchange(exchange));
  return out;
}

void ToProto(Result&& result, v1::ExchangeResult& out) {
  out.set_id(result.id);
  out.set_outcome(static_cast<codec::v1::Outcome>(result.outcome));
  result.replies.Walk([&out] { out.add_replies(); },
                      [&out](base::ByteView frame) {
                        out.mutable_replies(out.replies_size() - 1)->add_frames(frame.data(), frame.size());
                      });
  out.set_noise(std::move(result.noise));
  out.set_moved_to(std::move(result.moved_to));
  if (result.bus_time > absl::ZeroDuration()) ToProtoDuration(result.bus_time, *out.mutable_bus_time());
}

void ToProto(const SessionFacts& facts, absl::string_view pod, v1::Session& out) {
  const Route& route = facts.route;
  out.set_collector(route.entry->collector);
  out.set_bus(route.entry->bus);
  out.set_tenant(route.entry->tenant);
  out.set_peer(ToText(route.peer));
  out.set_pod(std::string(pod));
  out.mutable_epoch()->set_generation(route.epoch.generation);
  out.mutable_epoch()->set_counter(route.epoch.counter);
  out.mutable_connected_time()->set_seconds(route.since_ms / 1000);
  out.mutable_connected_time()->set_nanos(static_cast<int32_t>(route.since_ms % 1000) * 1'000'000);
  ToProtoDuration(facts.idle, *out.mutable_idle());
  out.set_queued(facts.queued);
  out.set_exchanges_ok(facts.counts.exchanges_ok);
  out.set_exchanges_failed(facts.counts.exchanges_failed);
  out.set_bytes_in(facts.counts.bytes_in);
  out.set_bytes_out(facts.counts.bytes_out);
  out.set_bad_checksums(facts.counts.bad_checksums);
  out.set_noise_bytes(facts.counts.noise_bytes);
}

}  // namespace voltwell::gateway
