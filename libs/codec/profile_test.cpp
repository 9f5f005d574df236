// Profile files: every key, and every mistake by file, line and key.
#include "libs/codec/profile.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "libs/base/status.h"

namespace voltwell::codec {
namespace {

constexpr char kHead[] = "name vendor\nprotocol DLT645_2007\n";

TEST_CASE("a profile says what differs, and the rest is the standard") {
  const auto profile = ParseProfile(R"(# A meter of a vendor.
name     vendor-x
protocol DLT645_2007
single_reads yes          # never blocks
turnaround 800ms
preambles 4
hand_on_button yes
password_level.relay 02
password_level.write 98
relay_code.open 4A
relay_channel 1
secure_identifiers ABABABAA 04001001
operator_code 01000000
sentinel 99999999
sentinel EEEEEEEE
register 1-0:1.8.0 length 5 scale 3 signed yes unit Wh identifier 0001ff00
prepay.order_number yes
prepay.zero_macs yes
prepay.address_as_customer yes
prepay.without_customer no
prepay.energy yes
prepay.status_layout sign.bin1 remaining.bcd4 skip2
)",
                                    "x.profile");
  REQUIRE(profile.ok());
  CHECK(profile->name == "vendor-x");
  CHECK(profile->protocol == Protocol::kDlt645_2007);
  CHECK(profile->single_reads);
  CHECK(profile->turnaround == absl::Milliseconds(800));
  CHECK(profile->preambles == 4);
  CHECK(profile->hand_on_button);
  CHECK(profile->password_levels == std::map<std::string, int32_t>{{"relay", 2}, {"write", 0x98}});
  CHECK(profile->relay_codes == std::map<std::string, int32_t>{{"open", 0x4A}});
  CHECK(profile->relay_channel == 1);
  CHECK(profile->secure_identifiers == std::vector<uint32_t>{0xABABABAA, 0x04001001});
  CHECK(profile->operator_code == std::string("\x01\0\0\0", 4));
  CHECK(profile->sentinels == std::vector<std::string>{"\x99\x99\x99\x99", "\xEE\xEE\xEE\xEE"});
  const RegisterOverride& differs = profile->registers.at("1-0:1.8.0");
  CHECK(differs.length == 5);
  CHECK(differs.scale == 3);
  CHECK(differs.is_signed == 1);
  CHECK(differs.unit == "Wh");
  CHECK(differs.data_identifier == "0001FF00");
  CHECK(profile->prepay.order_number);
  CHECK(profile->prepay.zero_macs);
  CHECK(profile->prepay.address_as_customer);
  CHECK_FALSE(profile->prepay.without_customer);
  CHECK(profile->prepay.energy);
  CHECK(profile->prepay.status_layout == "sign.bin1 remaining.bcd4 skip2");
  CHECK(profile->check_sequence);
  CHECK(profile->volume_decimals == -1);
}

TEST_CASE("keys of water meters are read too") {
  const auto profile = ParseProfile(
      "name w\nprotocol CJT188\nidentifier_low_first no\ncheck_sequence no\nvolume_decimals 3\nstatus.valve_mask C000\n"
      "status.valve_open 0000\nstatus.valve_closed 4000\nstatus.valve_fault C000\nstatus.battery_low 2000\n"
      "hand_on_button yes\nrelay_code.permit_close 66\nrelay_code.open 77\nprepay.number_bcd yes\n",
      "w.profile");
  REQUIRE(profile.ok());
  CHECK(profile->hand_on_button);
  CHECK(profile->prepay.number_bcd);
  CHECK_FALSE(profile->identifier_low_first);
  CHECK_FALSE(profile->check_sequence);
  CHECK(profile->volume_decimals == 3);
  CHECK(profile->status.valve_mask == 0xC000);
  CHECK(profile->status.valve_closed == 0x4000);
  CHECK(profile->status.valve_fault == 0xC000);
  CHECK(profile->status.battery_low == 0x2000);
}

TEST_CASE("keys of M-Bus meters are read too") {
  const auto profile = ParseProfile(
      "name m\nprotocol MBUS\nuses_fcb no\nreset_before_read no\nvalve_open 5101FD1A01\nvalve_close B0\n", "m.profile");
  REQUIRE(profile.ok());
  CHECK_FALSE(profile->uses_fcb);
  CHECK_FALSE(profile->reset_before_read);
  CHECK(profile->valve_open == "\x51\x01\xFD\x1A\x01");
  CHECK(profile->valve_close == "\xB0");
}

// What is told of a profile of these lines; key "" when it is taken.
base::ErrorMetadata Told(const std::string& protocol, const std::string& lines) {
  // The protocol last: what a key means is known only then.
  const auto profile = ParseProfile("name v\n" + lines + "\nprotocol " + protocol + "\n", "v.profile");
  if (profile.ok()) return {{"key", ""}, {"line", ""}};
  CHECK(base::ReasonOf(profile.status()) == "BAD_PROFILE");
  return base::MetadataOf(profile.status());
}

TEST_CASE("a key that means nothing for the protocol is a mistake, told by its line") {
  struct Row {
    const char* key;
    const char* line;
    std::vector<std::string> protocols;
  };
  const std::vector<Row> rows = {
      {"turnaround", "turnaround 1s", {"DLT645_2007", "DLT645_1997", "CJT188", "MBUS"}},
      {"single_reads", "single_reads yes", {"DLT645_2007", "DLT645_1997"}},
      {"password_level.write", "password_level.write 04", {"DLT645_2007", "DLT645_1997"}},
      {"hand_on_button", "hand_on_button yes\nrelay_code.permit_close 66", {"DLT645_2007", "CJT188"}},
      {"relay_code.open", "relay_code.open 77", {"DLT645_2007", "CJT188"}},
      {"relay_code.alarm_on", "relay_code.alarm_on 77", {"DLT645_2007"}},
      {"operator_code", "operator_code 01000000", {"DLT645_2007"}},
      {"relay_channel", "relay_channel 1", {"DLT645_2007"}},
      {"secure_identifiers", "secure_identifiers ABABABAA", {"DLT645_2007"}},
      {"prepay.order_number", "prepay.order_number yes", {"DLT645_2007"}},
      {"prepay.energy", "prepay.energy yes", {"DLT645_2007"}},
      {"prepay.number_bcd", "prepay.number_bcd yes", {"CJT188"}},
      {"check_sequence", "check_sequence no", {"CJT188"}},
      {"meter_type", "meter_type 11", {"CJT188"}},
      {"status.battery_low", "status.battery_low 0020", {"CJT188"}},
      {"uses_fcb", "uses_fcb no", {"MBUS"}},
      {"valve_open", "valve_open 5101FD1A01", {"MBUS"}}};
  for (const Row& row : rows) {
    for (const char* const protocol : {"DLT645_2007", "DLT645_1997", "CJT188", "MBUS"}) {
      CAPTURE(row.line, protocol);
      const bool means = std::find(row.protocols.begin(), row.protocols.end(), protocol) != row.protocols.end();
      CHECK(Told(protocol, row.line)["key"] == (means ? "" : row.key));
      if (!means) CHECK(Told(protocol, row.line)["line"] == "2");
    }
  }
  // Nothing protects the writing of an address by a password: control code 15H has no room for one.
  CHECK(Told("DLT645_2007", "password_level.address 04")["key"] == "password_level.address");
}

TEST_CASE("keys that contradict each other are a mistake") {
  struct Row {
    const char* protocol;
    const char* lines;
    const char* key;  // Empty: no mistake.
  };
  const Row rows[] = {
      {"MBUS", "valve_open 5101FD1A01\nvalve_close 5101FD1A01", "valve_close"},
      {"MBUS", "valve_open 68", "valve_open"},
      {"MBUS", "valve_open 51", "valve_open"},
      {"MBUS", "valve_open 5101", "valve_open"},
      {"MBUS", "valve_open A0", ""},
      {"CJT188", "status.valve_open 0001\nstatus.valve_closed 0001", "status.valve_closed"},
      {"CJT188", "status.valve_open 0001", "status.valve_closed"},
      {"CJT188", "status.valve_mask 0003\nstatus.valve_closed 0040", "status.valve_closed"},
      {"CJT188", "status.valve_open 0040", "status.valve_open"},
      {"CJT188", "status.valve_mask 0000", "status.valve_closed"},
      {"CJT188", "status.valve_fault 00C0", "status.valve_fault"},
      {"CJT188", "status.valve_fault 0001", "status.valve_fault"},
      {"CJT188", "status.valve_mask 0001", ""},
      {"CJT188", "status.valve_open 0001\nstatus.valve_closed 0000", ""},
      {"CJT188", "hand_on_button yes", "hand_on_button"},
      {"CJT188", "hand_on_button yes\nrelay_code.permit_close 55", "hand_on_button"},
      {"CJT188", "hand_on_button yes\nrelay_code.permit_close 66\nrelay_code.close 66", "hand_on_button"},
      {"CJT188", "relay_code.open 55", "relay_code.open"},
      {"CJT188", "relay_code.close 99", "relay_code.close"},
      {"CJT188", "relay_code.open 66\nrelay_code.permit_close 66", "relay_code.open"},
      {"CJT188", "relay_code.close 66\nrelay_code.permit_close 66", ""},
      {"CJT188", "relay_code.keep_power_on 66", "relay_code.keep_power_on"},
      {"DLT645_2007", "relay_code.open 1C", "relay_code.open"},
      {"DLT645_2007", "relay_code.open 1C\nrelay_code.close 1A", "relay_code.open"},
      {"DLT645_2007", "relay_code.open 4A\nrelay_code.close 4A", "relay_code.open"},
      {"DLT645_2007", "relay_code.open 1A\nrelay_code.close 4C", ""},
      {"DLT645_2007", "prepay.without_customer yes\nprepay.address_as_customer yes", "prepay.address_as_customer"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.protocol, row.lines);
    CHECK(Told(row.protocol, row.lines)["key"] == row.key);
  }
}

TEST_CASE("a mistake is told by file, line and key") {
  for (const char* const line : {"nonsense yes",
                                 "turnaround soon",
                                 "turnaround 31s",
                                 "preambles 21",
                                 "single_reads maybe",
                                 "sentinel XY",
                                 "sentinel",
                                 "register 1-0:1.8.0",
                                 "register 1-0:1.8.0 length 0",
                                 "register 1-0:1.8.0 scale 19",
                                 "register 1-0:1.8.0 colour red",
                                 "register 1-0:1.8.0 signed",
                                 "register 1-0:1.8.0 signed up",
                                 "register 1-0:1.8.0 identifier 1",
                                 "password_level.relay 0A",
                                 "password_level.relay 2",
                                 "password_level.dance 02",
                                 "relay_code.open XX",
                                 "relay_channel 256",
                                 "operator_code 010203",
                                 "volume_decimals 7",
                                 "status.valve_mask 3",
                                 "valve_open",
                                 "prepay.status_layout",
                                 "prepay.status_layout remaining",
                                 "prepay.status_layout sun.bin4",
                                 "prepay.status_layout remaining.bin9",
                                 "secure_identifiers",
                                 "secure_identifiers ABABABA",
                                 "secure_identifiers ABABABAA 07010201",
                                 "name again",
                                 "prepay.energy"}) {
    CAPTURE(line);
    const absl::Status status = ParseProfile(std::string(kHead) + line + "\n", "v.profile").status();
    CHECK(base::ReasonOf(status) == "BAD_PROFILE");
    const base::ErrorMetadata metadata = base::MetadataOf(status);
    CHECK(metadata.at("file") == "v.profile");
    CHECK(metadata.at("line") == "3");
    CHECK(std::string(line).rfind(metadata.at("key"), 0) == 0);
  }
  CHECK(base::MetadataOf(ParseProfile("protocol MBUS\n", "f").status())["key"] == "name");
  CHECK(base::MetadataOf(ParseProfile("name x\n", "f").status())["key"] == "protocol");
  CHECK(base::MetadataOf(ParseProfile("name a b\n", "f").status())["key"] == "name");
  CHECK(base::MetadataOf(ParseProfile("name x\nprotocol MODBUS\n", "f").status())["line"] == "2");
}

TEST_CASE("an override stands under the protocol's id, however it was spelled") {
  const auto only = [](const char* protocol, const char* line) {
    const auto profile = ParseProfile(std::string("name v\nprotocol ") + protocol + "\nregister " + line + "\n", "f");
    CAPTURE(line, profile.status().ToString());
    REQUIRE(profile.ok());
    REQUIRE(profile->registers.size() == 1);
    return profile->registers.begin()->first;
  };
  CHECK(only("DLT645_2007", "1-0:1.8.0*0 scale 3") == "1-0:1.8.0");
  CHECK(only("DLT645_1997", "1-0:1.8.0 identifier 9010") == "1-0:1.8.0");
  CHECK(only("CJT188", "9-0:1.0.0 scale 3") == "8-0:1.0.0");
  CHECK(only("CJT188", "7-0:3.0.0*3 scale 3 identifier D122") == "8-0:1.0.0*3");
  CHECK(only("MBUS", "8-0:1.0.0*03 scale 3") == "8-0:1.0.0*3");
  CHECK(only("MBUS", "mbus:0.0.0:fd17 scale 3") == "mbus:0.0.0:FD17");
}

TEST_CASE("an override of what is no register of one value is a mistake, told by its line") {
  const auto metadata = [](const char* protocol, const char* line) {
    const auto status =
        ParseProfile(std::string("name v\nregister ") + line + "\nprotocol " + protocol + "\n", "f").status();
    CAPTURE(line);
    CHECK(base::ReasonOf(status) == "BAD_PROFILE");
    return base::MetadataOf(status);
  };
  for (const char* const line :
       {"1-0:1.8.O scale 3", "1-0:1.8 scale 3", "8-0:1.0.0 scale 3", "1-0:1.8.0 identifier 9010",
        "1-0:1.8.0 identifier 0001000000", "1-0:1.8.0 scale 3\nregister 1-0:1.8.0*0 scale 4"}) {
    CHECK(metadata("DLT645_2007", line)["key"] == "register");
  }
  CHECK(metadata("DLT645_1997", "1-0:1.8.0 identifier 00010000")["line"] == "2");
  CHECK(metadata("CJT188", "8-0:1.0.0*13 scale 3")["line"] == "2");
  CHECK(metadata("CJT188", "8-0:1.0.0 identifier 1F")["line"] == "2");
  for (const char* const line : {"mbus:* scale 3", "mbus:0.0.0:XY scale 3", "8-0:1.0.0*0 scale 3",
                                 "8-0:1.0.0 identifier 13", "0-0:96.3.10 unit x"}) {
    CHECK(metadata("MBUS", line)["line"] == "2");
  }
}

TEST_CASE("256 registers, sentinels and identifiers are taken and 257 refused") {
  std::string registers = kHead;
  std::string sentinels = kHead;
  for (size_t i = 0; i < kProfileListMax; ++i) {
    registers += "register 1-0:1.8." + std::to_string(i % 60) + "*" + std::to_string(i / 60 + 1) + " scale 1\n";
    sentinels += "sentinel FF\n";
  }
  std::string identifiers = std::string(kHead) + "secure_identifiers";
  for (size_t i = 0; i < kProfileListMax; ++i) identifiers += " ABABABAA";
  CHECK(ParseProfile(identifiers, "f").ok());
  CHECK(base::MetadataOf(ParseProfile(identifiers + " ABABABAA", "f").status())["key"] == "secure_identifiers");
  CHECK(ParseProfile(registers, "f").ok());
  CHECK(ParseProfile(sentinels, "f").ok());
  CHECK(base::MetadataOf(ParseProfile(registers + "register more scale 1", "f").status())["key"] == "register");
  CHECK(base::MetadataOf(ParseProfile(sentinels + "sentinel FF", "f").status())["key"] == "sentinel");
}

TEST_CASE("without a name the standard of the protocol is meant") {
  ProfileBook book;
  book["vendor"] = *ParseProfile(kHead, "f");
  const auto standard = FindProfile(book, "", Protocol::kMbus);
  REQUIRE(standard.ok());
  CHECK((*standard)->protocol == Protocol::kMbus);
  CHECK((*FindProfile(book, "vendor", Protocol::kDlt645_2007))->name == "vendor");
  CHECK(base::ReasonOf(FindProfile(book, "vendor", Protocol::kMbus).status()) == "UNKNOWN_PROFILE");
  const absl::Status unknown = FindProfile(book, "nobody", Protocol::kMbus).status();
  CHECK(base::ReasonOf(unknown) == "UNKNOWN_PROFILE");
  CHECK(base::MetadataOf(unknown)["profile"] == "nobody");
}

}  // namespace
}  // namespace voltwell::codec
