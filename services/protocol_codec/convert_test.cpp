// What crosses the border between messages and structs, and that nothing is lost there.
#include "services/protocol_codec/convert.h"

#include <catch2/catch.hpp>

#include "libs/base/status.h"

namespace voltwell::codec_service {
namespace {

TEST_CASE("a relay command arrives whole") {
  v1::Command command;
  command.set_protocol(v1::PROTOCOL_DLT645_2007);
  command.set_address("111111111111");
  command.set_baud(2400);
  command.set_profile("single");
  command.mutable_relay()->set_action(v1::RELAY_ACTION_PERMIT_CLOSE);
  command.mutable_relay()->set_password("abcd");
  command.mutable_relay()->set_operator_code("efgh");
  command.mutable_relay()->set_expires_local_time("2026-11-22T09:30:00");
  const codec::Command converted = FromProto(command);
  CHECK(converted.protocol == codec::Protocol::kDlt645_2007);
  CHECK(converted.address == "111111111111");
  CHECK(converted.baud == 2400);
  CHECK(converted.profile == "single");
  const auto& relay = std::get<codec::ControlRelay>(converted.action);
  CHECK(relay.action == codec::RelayAction::kPermitClose);
  CHECK(relay.password == "abcd");
  CHECK(relay.operator_code == "efgh");
  CHECK(relay.expires_local_time == "2026-11-22T09:30:00");
}

TEST_CASE("numbers of enumerations that we do not know are unspecified, not something else") {
  v1::Command command;
  command.set_protocol(static_cast<v1::Protocol>(99));
  command.mutable_relay()->set_action(static_cast<v1::RelayAction>(99));
  const codec::Command converted = FromProto(command);
  CHECK(converted.protocol == codec::Protocol::kUnspecified);
  CHECK(std::get<codec::ControlRelay>(converted.action).action == codec::RelayAction::kUnspecified);
}

TEST_CASE("an exchange keeps its request, matchers, timeout and follow-ups") {
  codec::Command command = {codec::Protocol::kDlt645_2007, "111111111111", "", 2400,
                            codec::ReadRegisters{{"1-0:1.8.0", "1-0:1.8.1"}}};
  const auto group = codec::Encode(command);
  REQUIRE(group.ok());
  v1::EncodeItem item;
  ToProto(group, item);
  REQUIRE(item.group().exchanges_size() == 1);
  const v1::Exchange& exchange = item.group().exchanges(0);
  const codec::Exchange& original = group->exchanges[0];
  CHECK(exchange.request() == original.request);
  CHECK(exchange.frame_kind() == v1::FRAME_KIND_DLT645);
  CHECK(absl::Seconds(exchange.reply_timeout().seconds()) + absl::Nanoseconds(exchange.reply_timeout().nanos()) ==
        absl::Trunc(original.reply_timeout, absl::Nanoseconds(1)));
  REQUIRE(exchange.matchers_size() == 2);
  REQUIRE(exchange.matchers(0).bytes_size() == 11);
  CHECK(exchange.matchers(0).bytes(6).offset() == 8);
  CHECK(exchange.matchers(0).bytes(6).mask() == 0xDF);
  CHECK(exchange.matchers(0).bytes(6).value() == 0x91);
  CHECK(exchange.follow_up().flag_offset() == 8);
  CHECK(exchange.follow_up().steps_size() == static_cast<int>(codec::kFollowUpsMax));
  CHECK(exchange.follow_up().steps(2).request() == original.follow_up->steps[2].request);
}

TEST_CASE("values, missing values and errors keep their meaning") {
  codec::Decoded decoded;
  decoded.values.push_back({"1-0:1.8.0", decimal::Decimal(123456, 2), "", "kWh", false});
  decoded.values.push_back({"1-0:52.7.0", std::nullopt, "", "V", true});
  decoded.values.push_back({"0-0:0.9.1", std::nullopt, "21:53:55", "", false});
  decoded.error = base::FailedPrecondition("METER_REFUSED", "no", {{"bits", "no_such_data"}});
  decoded.relay_state = codec::RelayState::kOpen;
  v1::DecodeResult result;
  ToProto(decoded, result);
  REQUIRE(result.values_size() == 3);
  CHECK(result.values(0).value().value() == "1234.56");
  CHECK(result.values(0).unit() == "kWh");
  CHECK(result.values(1).no_value());
  CHECK_FALSE(result.values(1).has_value());
  CHECK(result.values(2).text() == "21:53:55");
  CHECK(result.error().reason() == "METER_REFUSED");
  CHECK(result.error().domain() == "voltwell.protocol_codec");
  CHECK(result.error().metadata().at("bits") == "no_such_data");
  CHECK(result.relay_state() == v1::RELAY_STATE_OPEN);
  CHECK_FALSE(result.has_continuation());
}

}  // namespace
}  // namespace voltwell::codec_service
