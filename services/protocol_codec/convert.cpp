// Conversions; see convert.h.
#include "services/protocol_codec/convert.h"

#include "libs/base/status.h"

namespace voltwell::codec_service {
namespace {

constexpr char kDomain[] = "voltwell.protocol_codec";

// The enumerations of libs/codec have the numbers of the contract.
static_assert(static_cast<int>(codec::Protocol::kMbus) == v1::PROTOCOL_MBUS);
static_assert(static_cast<int>(codec::Protocol::kDlt645_2007) == v1::PROTOCOL_DLT645_2007);
static_assert(static_cast<int>(codec::RelayAction::kOpen) == v1::RELAY_ACTION_OPEN);
static_assert(static_cast<int>(codec::RelayAction::kKeepPowerOff) == v1::RELAY_ACTION_KEEP_POWER_OFF);
static_assert(static_cast<int>(codec::RelayState::kClosed) == v1::RELAY_STATE_CLOSED);
static_assert(static_cast<int>(codec::RelayState::kOpen) == v1::RELAY_STATE_OPEN);
static_assert(static_cast<int>(codec::frame::FrameKind::kDlt645) == v1::FRAME_KIND_DLT645);

codec::RelayAction FromProto(v1::RelayAction action) {
  return v1::RelayAction_IsValid(action) ? static_cast<codec::RelayAction>(action) : codec::RelayAction::kUnspecified;
}

void ToProto(absl::Duration duration, google::protobuf::Duration& out) {
  absl::Duration rest;
  out.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
}

void ToProto(const codec::frame::ReplyMatcher& matcher, google::protobuf::RepeatedPtrField<v1::Matcher>& out) {
  for (const codec::frame::ReplyPattern& pattern : matcher.any_of) {
    v1::Matcher& added = *out.Add();
    added.mutable_bytes()->Reserve(static_cast<int>(pattern.size()));
    for (const codec::frame::MatchByte& byte : pattern) {
      v1::MatchByte& match = *added.add_bytes();
      match.set_offset(byte.offset);
      match.set_mask(byte.mask);
      match.set_value(byte.value);
    }
  }
}

void ToProto(const codec::FollowUp& follow_up, v1::FollowUp& out) {
  out.set_flag_offset(follow_up.flag_offset);
  out.set_flag_mask(follow_up.flag_mask);
  out.set_flag_value(follow_up.flag_value);
  for (const codec::FollowUpStep& step : follow_up.steps) {
    v1::FollowUpStep& added = *out.add_steps();
    added.set_request(step.request);
    ToProto(step.matcher, *added.mutable_matchers());
  }
}

void ToProto(const codec::RegisterValue& value, v1::RegisterValue& out) {
  out.set_register_(value.reg);
  out.set_unit(value.unit);
  out.set_no_value(value.no_value);
  if (value.number.has_value()) out.mutable_value()->set_value(value.number->ToString());
  if (!value.text.empty()) out.set_text(value.text);
}

}  // namespace

codec::Protocol FromProto(v1::Protocol protocol) {
  return v1::Protocol_IsValid(protocol) ? static_cast<codec::Protocol>(protocol) : codec::Protocol::kUnspecified;
}

codec::Command FromProto(const v1::Command& command) {
  codec::Command out;
  out.protocol = FromProto(command.protocol());
  out.address = command.address();
  out.profile = command.profile();
  out.baud = command.baud();
  switch (command.action_case()) {
    case v1::Command::kRead:
      out.action = codec::ReadRegisters{{command.read().registers().begin(), command.read().registers().end()}};
      break;
    case v1::Command::kRelay:
      out.action = codec::ControlRelay{FromProto(command.relay().action()), command.relay().password(),
                                       command.relay().operator_code(), command.relay().expires_local_time()};
      break;
    case v1::Command::kReadAddress:
      out.action = codec::ReadAddress{};
      break;
    case v1::Command::ACTION_NOT_SET:
      break;
  }
  return out;
}

codec::Answer FromProto(const v1::DecodeItem& item) {
  codec::Answer answer;
  answer.command = FromProto(item.command());
  answer.replies.reserve(static_cast<size_t>(item.replies_size()));
  for (const v1::ReplyFrames& replies : item.replies()) {
    answer.replies.emplace_back(replies.frames().begin(), replies.frames().end());
  }
  return answer;
}

void ToProto(const codec::ExchangeGroup& group, v1::ExchangeGroup& out) {
  for (const codec::Exchange& exchange : group.exchanges) {
    v1::Exchange& added = *out.add_exchanges();
    added.set_request(exchange.request);
    added.set_frame_kind(static_cast<v1::FrameKind>(exchange.frame_kind));
    ToProto(exchange.matcher, *added.mutable_matchers());
    ToProto(exchange.reply_timeout, *added.mutable_reply_timeout());
    added.set_no_reply(exchange.no_reply);
    if (exchange.follow_up.has_value()) ToProto(*exchange.follow_up, *added.mutable_follow_up());
  }
}

void ToProto(const absl::StatusOr<codec::ExchangeGroup>& group, v1::EncodeItem& out) {
  if (group.ok()) {
    ToProto(*group, *out.mutable_group());
  } else {
    ToProto(group.status(), *out.mutable_error());
  }
}

void ToProto(const codec::Decoded& decoded, v1::DecodeResult& out) {
  for (const codec::RegisterValue& value : decoded.values) ToProto(value, *out.add_values());
  if (!decoded.error.ok()) ToProto(decoded.error, *out.mutable_error());
  out.set_relay_state(static_cast<v1::RelayState>(decoded.relay_state));
  if (decoded.continuation.has_value()) ToProto(*decoded.continuation, *out.mutable_continuation());
}

void ToProto(const codec::ExplainedBytes& explained, v1::ExplainResponse& out) {
  for (const codec::Explanation& explanation : explained.explanations) {
    v1::Explanation& added = *out.add_explanations();
    added.set_offset(static_cast<int32_t>(explanation.offset));
    added.set_length(static_cast<int32_t>(explanation.length));
    added.set_hex(explanation.hex);
    added.set_kind(explanation.kind);
    added.set_meaning(explanation.meaning);
  }
  out.set_summary(explained.summary);
}

void ToProto(const codec::RegisterInfo& info, v1::Register& out) {
  out.set_register_(info.reg);
  out.set_name(info.name);
  out.set_title_zh(info.title_zh);
  out.set_title_en(info.title_en);
  out.set_unit(info.unit);
  out.set_data_identifier(info.data_identifier);
  out.set_format(info.format);
  out.set_length(info.length);
  out.set_proven(info.proven);
  out.set_source(info.source);
  out.set_writable(info.writable);
}

void ToProto(const absl::Status& error, voltwell::rpc::v1::ErrorInfo& out) {
  out.set_reason(base::ReasonOf(error));
  out.set_domain(kDomain);
  for (const auto& [key, value] : base::MetadataOf(error)) (*out.mutable_metadata())[key] = value;
}

}  // namespace voltwell::codec_service
