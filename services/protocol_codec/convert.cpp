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
static_assert(static_cast<int>(codec::RelayAction::kPreTripPermit) == v1::RELAY_ACTION_PRE_TRIP_PERMIT);
static_assert(static_cast<int>(codec::frame::FrameKind::kDlt645) == v1::FRAME_KIND_DLT645);
static_assert(static_cast<int>(codec::frame::FrameKind::kCjt188) == v1::FRAME_KIND_CJT188);
static_assert(static_cast<int>(codec::frame::FrameKind::kMbus) == v1::FRAME_KIND_MBUS);
static_assert(static_cast<int>(codec::Quality::kOk) == v1::QUALITY_OK);
static_assert(static_cast<int>(codec::Quality::kMeterError) == v1::QUALITY_METER_ERROR);
static_assert(static_cast<int>(codec::ClearWhat::kEvents) == v1::CLEAR_WHAT_EVENTS);
static_assert(static_cast<int>(codec::PrepayKind::kRefund) == v1::PREPAY_KIND_REFUND);

codec::RelayAction FromProto(v1::RelayAction action) {
  return v1::RelayAction_IsValid(action) ? static_cast<codec::RelayAction>(action) : codec::RelayAction::kUnspecified;
}

codec::Authority FromProto(const v1::Authority& authority) {
  return {authority.password(), authority.operator_code(), authority.cipher(), authority.mac()};
}

codec::Clear FromProto(const v1::ClearData& clear) {
  const bool known = v1::ClearWhat_IsValid(clear.what());
  return {known ? static_cast<codec::ClearWhat>(clear.what()) : codec::ClearWhat::kUnspecified, clear.register_(),
          FromProto(clear.authority())};
}

codec::Freeze FromProto(const v1::Freeze& freeze) {
  codec::Freeze out;
  if (freeze.has_month()) out.month = freeze.month();
  if (freeze.has_day()) out.day = freeze.day();
  if (freeze.has_hour()) out.hour = freeze.hour();
  if (freeze.has_minute()) out.minute = freeze.minute();
  out.broadcast = freeze.broadcast();
  return out;
}

codec::Prepay FromProto(const v1::Prepay& prepay) {
  const bool known = v1::PrepayKind_IsValid(prepay.kind());
  return {known ? static_cast<codec::PrepayKind>(prepay.kind()) : codec::PrepayKind::kUnspecified,
          prepay.amount_fen(),
          prepay.purchase_number(),
          prepay.customer_number(),
          prepay.order_number(),
          prepay.mac1(),
          prepay.mac2(),
          prepay.authentication(),
          prepay.operator_code()};
}

// The rare actions; reads and relays are taken first, in FromProto(Command).
decltype(codec::Command::action) ActionOf(const v1::Command& command) {
  switch (command.action_case()) {
    case v1::Command::kLoadProfile:
      return codec::ReadLoadProfile{command.load_profile().register_(), command.load_profile().records(),
                                    command.load_profile().from_local()};
    case v1::Command::kWrite:
      return codec::WriteRegister{command.write().register_(), command.write().value(),
                                  FromProto(command.write().authority())};
    case v1::Command::kWriteAddress:
      return codec::WriteAddress{command.write_address().address(), FromProto(command.write_address().authority())};
    case v1::Command::kSetClock:
      return codec::SetClock{command.set_clock().local_time(), command.set_clock().broadcast(),
                             FromProto(command.set_clock().authority())};
    case v1::Command::kFreeze:
      return FromProto(command.freeze());
    case v1::Command::kChangeBaud:
      return codec::ChangeBaud{command.change_baud().baud()};
    case v1::Command::kChangePassword:
      return codec::ChangePassword{command.change_password().level(), command.change_password().old_password(),
                                   command.change_password().new_password()};
    case v1::Command::kClear:
      return FromProto(command.clear());
    case v1::Command::kSecure:
      return codec::Secure{command.secure().data_identifier(), command.secure().body(),
                           command.secure().operator_code()};
    case v1::Command::kPrepay:
      return FromProto(command.prepay());
    case v1::Command::kReadPrepaid:
      return codec::ReadPrepaid{command.read_prepaid().authentication(), command.read_prepaid().operator_code()};
    case v1::Command::kReset:
      return codec::Reset{command.reset().application(),
                          command.reset().has_subcode() ? command.reset().subcode() : -1};
    case v1::Command::kSearch:
      return codec::Search{};
    case v1::Command::kRaw:
      return codec::Raw{command.raw().request(), command.raw().no_reply()};
    default:
      return std::monostate{};
  }
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
  out.set_quality(static_cast<v1::Quality>(value.quality));
  if (value.number.has_value()) out.mutable_value()->set_value(value.number->ToString());
  if (!value.text.empty()) out.set_text(value.text);
  if (!value.meter_time.empty()) out.set_meter_time(value.meter_time);
}

void ToProto(const codec::PrepaidState& state, v1::PrepaidState& out) {
  if (state.purchase_number.has_value()) out.set_purchase_number(*state.purchase_number);
  if (state.remaining.has_value()) out.mutable_remaining()->set_value(state.remaining->ToString());
  if (state.last_amount.has_value()) out.mutable_last_amount()->set_value(state.last_amount->ToString());
  if (state.accumulated.has_value()) out.mutable_accumulated()->set_value(state.accumulated->ToString());
  out.set_customer_number(state.customer_number);
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
      out.action = codec::ControlRelay{FromProto(command.relay().action()), FromProto(command.relay().authority()),
                                       command.relay().expires_local_time(), command.relay().delay_minutes()};
      break;
    case v1::Command::kReadAddress:
      out.action = codec::ReadAddress{};
      break;
    default:
      out.action = ActionOf(command);
  }
  return out;
}

codec::ExplainOptions FromProto(const v1::ExplainRequest& request) {
  return {FromProto(request.protocol()),
          request.language() == v1::LANGUAGE_CHINESE ? codec::Language::kChinese : codec::Language::kEnglish,
          request.show_secrets()};
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
    added.set_listen(exchange.listen);
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
  if (!decoded.address.empty()) out.set_address(decoded.address);
  out.set_collision(decoded.collision);
  if (decoded.prepaid.has_value()) ToProto(*decoded.prepaid, *out.mutable_prepaid());
  if (!decoded.body.empty()) out.set_body(decoded.body);
}

void ToProto(const codec::ExplainedBytes& explained, v1::ExplainResponse& out) {
  for (const codec::Explanation& explanation : explained.explanations) {
    v1::Explanation& added = *out.add_explanations();
    added.set_offset(static_cast<int32_t>(explanation.offset));
    added.set_length(static_cast<int32_t>(explanation.length));
    added.set_hex(explanation.hex);
    added.set_kind(explanation.kind);
    added.set_meaning(explanation.meaning);
    added.set_understood(explanation.understood);
  }
  out.set_summary(explained.summary);
  out.set_protocol(static_cast<v1::Protocol>(explained.protocol));
  if (!explained.error.ok()) ToProto(explained.error, *out.mutable_error());
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
  out.set_proof(info.proof);
  out.set_source(info.source);
  out.set_readable(info.readable);
  out.set_writable(info.writable);
}

void ToProto(const absl::Status& error, voltwell::rpc::v1::ErrorInfo& out) {
  out.set_reason(base::ReasonOf(error));
  out.set_domain(kDomain);
  for (const auto& [key, value] : base::MetadataOf(error)) (*out.mutable_metadata())[key] = value;
}

}  // namespace voltwell::codec_service
