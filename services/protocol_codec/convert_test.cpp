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
  command.mutable_relay()->mutable_authority()->set_password("abcd");
  command.mutable_relay()->mutable_authority()->set_operator_code("efgh");
  command.mutable_relay()->mutable_authority()->set_cipher("cipher");
  command.mutable_relay()->mutable_authority()->set_mac("ijkl");
  command.mutable_relay()->set_delay_minutes(15);
  command.mutable_relay()->set_expires_local_time("2026-11-22T09:30:00");
  const codec::Command converted = FromProto(command);
  CHECK(converted.protocol == codec::Protocol::kDlt645_2007);
  CHECK(converted.address == "111111111111");
  CHECK(converted.baud == 2400);
  CHECK(converted.profile == "single");
  const auto& relay = std::get<codec::ControlRelay>(converted.action);
  CHECK(relay.action == codec::RelayAction::kPermitClose);
  CHECK(relay.authority.password == "abcd");
  CHECK(relay.authority.operator_code == "efgh");
  CHECK(relay.authority.cipher == "cipher");
  CHECK(relay.authority.mac == "ijkl");
  CHECK(relay.delay_minutes == 15);
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
  const auto group = codec::Encode(command, {});
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

TEST_CASE("each action arrives as itself, with all its fields") {
  v1::Command command;
  command.mutable_load_profile()->set_register_("r");
  command.mutable_load_profile()->set_records(3);
  command.mutable_load_profile()->set_from_local("t");
  const auto profile = std::get<codec::ReadLoadProfile>(FromProto(command).action);
  CHECK(profile.reg == "r");
  CHECK(profile.records == 3);
  CHECK(profile.from_local == "t");
  command.mutable_write()->set_register_("r");
  command.mutable_write()->set_value("1.5");
  command.mutable_write()->mutable_authority()->set_password("abcd");
  const auto write = std::get<codec::WriteRegister>(FromProto(command).action);
  CHECK(write.reg == "r");
  CHECK(write.value == "1.5");
  CHECK(write.authority.password == "abcd");
  command.mutable_write_address()->set_address("12");
  CHECK(std::get<codec::WriteAddress>(FromProto(command).action).address == "12");
  command.mutable_set_clock()->set_local_time("t");
  command.mutable_set_clock()->set_broadcast(true);
  CHECK(std::get<codec::SetClock>(FromProto(command).action).local_time == "t");
  CHECK(std::get<codec::SetClock>(FromProto(command).action).broadcast);
  command.mutable_freeze()->set_hour(0);
  const auto freeze = std::get<codec::Freeze>(FromProto(command).action);
  CHECK(freeze.hour == 0);
  CHECK(freeze.minute == -1);
  command.mutable_change_baud()->set_baud(9600);
  CHECK(std::get<codec::ChangeBaud>(FromProto(command).action).baud == 9600);
  command.mutable_change_password()->set_level(4);
  command.mutable_change_password()->set_old_password("old");
  command.mutable_change_password()->set_new_password("new");
  const auto password = std::get<codec::ChangePassword>(FromProto(command).action);
  CHECK(password.level == 4);
  CHECK(password.old_password == "old");
  CHECK(password.new_password == "new");
  command.mutable_clear()->set_what(v1::CLEAR_WHAT_EVENTS);
  command.mutable_clear()->set_register_("r");
  CHECK(std::get<codec::Clear>(FromProto(command).action).what == codec::ClearWhat::kEvents);
  CHECK(std::get<codec::Clear>(FromProto(command).action).reg == "r");
  command.mutable_secure()->set_data_identifier(0x070001FF);
  command.mutable_secure()->set_body("body");
  CHECK(std::get<codec::Secure>(FromProto(command).action).data_identifier == 0x070001FF);
  CHECK(std::get<codec::Secure>(FromProto(command).action).body == "body");
  command.mutable_read_prepaid()->set_authentication("a");
  CHECK(std::get<codec::ReadPrepaid>(FromProto(command).action).authentication == "a");
  command.mutable_reset()->set_application(true);
  CHECK(std::get<codec::Reset>(FromProto(command).action).application);
  CHECK(std::get<codec::Reset>(FromProto(command).action).subcode == -1);
  command.mutable_search();
  CHECK(std::holds_alternative<codec::Search>(FromProto(command).action));
  command.mutable_raw()->set_request("bytes");
  CHECK(std::get<codec::Raw>(FromProto(command).action).request == "bytes");
}

TEST_CASE("a purchase arrives whole") {
  v1::Command command;
  auto& prepay = *command.mutable_prepay();
  prepay.set_kind(v1::PREPAY_KIND_TOP_UP);
  prepay.set_amount_fen(12345);
  prepay.set_purchase_number(7);
  prepay.set_customer_number("000000000042");
  prepay.set_order_number("2026112200000001");
  prepay.set_mac1("mac1");
  prepay.set_mac2("mac2");
  prepay.set_authentication("auth");
  prepay.set_operator_code("oper");
  const auto converted = std::get<codec::Prepay>(FromProto(command).action);
  CHECK(converted.kind == codec::PrepayKind::kTopUp);
  CHECK(converted.amount_fen == 12345);
  CHECK(converted.purchase_number == 7);
  CHECK(converted.customer_number == "000000000042");
  CHECK(converted.order_number == "2026112200000001");
  CHECK(converted.mac1 == "mac1");
  CHECK(converted.mac2 == "mac2");
  CHECK(converted.authentication == "auth");
  CHECK(converted.operator_code == "oper");
}

TEST_CASE("a wallet, an address, a body and a collision go out") {
  codec::Decoded decoded;
  decoded.address = "111111111111";
  decoded.collision = true;
  decoded.body = "body";
  decoded.prepaid = codec::PrepaidState{.purchase_number = 0, .remaining = decimal::Decimal(-5, 2)};
  v1::DecodeResult result;
  ToProto(decoded, result);
  CHECK(result.address() == "111111111111");
  CHECK(result.collision());
  CHECK(result.body() == "body");
  CHECK(result.prepaid().has_purchase_number());
  CHECK(result.prepaid().purchase_number() == 0);
  CHECK(result.prepaid().remaining().value() == "-0.05");
  CHECK_FALSE(result.prepaid().has_last_amount());
}

TEST_CASE("values, missing values and errors keep their meaning") {
  codec::Decoded decoded;
  decoded.values.push_back({"1-0:1.8.0", decimal::Decimal(123456, 2), "", "kWh"});
  decoded.values.push_back({"1-0:52.7.0", std::nullopt, "", "V", codec::Quality::kNoValue});
  decoded.values.push_back({"0-0:0.9.1", std::nullopt, "21:53:55", "", codec::Quality::kOk, "2026-11-22T00:00"});
  decoded.error = base::FailedPrecondition("METER_REFUSED", "no", {{"bits", "no_such_data"}});
  decoded.relay_state = codec::RelayState::kOpen;
  v1::DecodeResult result;
  ToProto(decoded, result);
  REQUIRE(result.values_size() == 3);
  CHECK(result.values(0).value().value() == "1234.56");
  CHECK(result.values(0).unit() == "kWh");
  CHECK(result.values(0).quality() == v1::QUALITY_OK);
  CHECK(result.values(1).quality() == v1::QUALITY_NO_VALUE);
  CHECK_FALSE(result.values(1).has_value());
  CHECK(result.values(2).text() == "21:53:55");
  CHECK(result.values(2).meter_time() == "2026-11-22T00:00");
  CHECK(result.error().reason() == "METER_REFUSED");
  CHECK(result.error().domain() == "voltwell.protocol_codec");
  CHECK(result.error().metadata().at("bits") == "no_such_data");
  CHECK(result.relay_state() == v1::RELAY_STATE_OPEN);
  CHECK_FALSE(result.has_continuation());
}

}  // namespace
}  // namespace voltwell::codec_service
