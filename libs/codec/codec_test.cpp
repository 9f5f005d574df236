// The door itself: batches, limits, protocols, masking, the register list.
#include "libs/codec/codec.h"

#include <catch2/catch.hpp>
#include <random>

#include "absl/strings/match.h"
#include "libs/base/status.h"
#include "libs/codec/vectors/vector_file.h"

namespace voltwell::codec {
namespace {

Command Read(std::vector<std::string> registers) {
  return {Protocol::kDlt645_2007, "111111111111", "", 0, ReadRegisters{std::move(registers)}};
}

TEST_CASE("what cannot be said is an error that tells the register and its position") {
  const absl::Status unknown = Encode(Read({"1-0:1.8.0", "1-0:nonsense"}), {}).status();
  CHECK(base::ReasonOf(unknown) == "UNKNOWN_REGISTER");
  CHECK(base::MetadataOf(unknown)["register"] == "1-0:nonsense");
  CHECK(base::MetadataOf(unknown)["position"] == "1");
}

const char* NewName(Protocol protocol) {
  if (protocol == Protocol::kMbus) return "p7";
  return protocol == Protocol::kCjt188 ? "20241111000300" : "202411110003";
}

// What trips, charges, empties or renames every meter that hears it.
std::vector<Command> ForOneMeter(Protocol protocol, const std::string& address, const std::string& profile) {
  const Authority authority = {.password = std::string("\x02\0\0\0", 4)};
  const Prepay prepay = {PrepayKind::kTopUp, 5000, 7, "000000000042", "", "mac1", "mac2"};
  std::vector<Command> commands;
  const auto add = [&](auto action) { commands.push_back({protocol, address, profile, 0, std::move(action)}); };
  add(ControlRelay{RelayAction::kOpen, authority, "2099-12-31T23:59:59"});
  if (protocol != Protocol::kMbus) {
    const bool is_water = protocol == Protocol::kCjt188;
    add(prepay);
    add(Secure{is_water ? 0xA107U : 0x070001FFU, "body"});
    add(is_water ? WriteRegister{"cjt188:reading_day", "1"} : WriteRegister{"1-0:0.8.0", "15", authority});
  }
  if (protocol == Protocol::kDlt645_2007) {
    add(Clear{ClearWhat::kMeter, "", authority});
    add(ChangePassword{4, "old4", "new4"});
  }
  if (protocol != Protocol::kCjt188) add(ChangeBaud{9600});
  if (protocol == Protocol::kMbus) {
    add(Reset{});
    add(Reset{true});
  }
  // A name for the only meter of a line; anyone else's name is for one.
  const bool is_any = address.find_first_not_of("Aa") == std::string::npos || address == "p254" || address == "254";
  if (!is_any) add(WriteAddress{NewName(protocol), authority});
  return commands;
}

const ProfileBook& ValveBook() {
  static const auto* const book = [] {
    Profile profile;
    profile.name = "valve";
    profile.protocol = Protocol::kMbus;
    profile.valve_open = "o";
    profile.valve_close = "c";
    return new ProfileBook{{"valve", profile}};
  }();
  return *book;
}

TEST_CASE("what one meter is meant for goes to no wildcard and no broadcast") {
  struct Row {
    Protocol protocol;
    std::vector<std::string> one;
    std::vector<std::string> several;
  };
  const std::vector<Row> rows = {{Protocol::kDlt645_2007,
                                  {"111111111111", "999999999998", "0"},
                                  {"AAAAAAAAAAAA", "AAAAAAAA0002", "aa1111111111", "AA", "999999999999"}},
                                 {Protocol::kCjt188,
                                  {"78330011223344", "1078330011223344"},
                                  {"AAAAAAAAAAAAAA", "AAAAAAAA223344", "78330011FFFFFF", "AA78330011223344",
                                   "99999999999999", "1099999999999999"}},
                                 {Protocol::kMbus,
                                  {"p5", "p250", "12345678", "12345678A5150107"},
                                  {"1234567F", "FFFFFFFF", "F2345678A5150107", "12345678FFFF0107", "12345678A515FF07",
                                   "12345678A51501FF", "p253", "p254", "p255", "254", ""}}};
  for (const Row& row : rows) {
    const std::string profile = row.protocol == Protocol::kMbus ? "valve" : "";
    for (const std::string& address : row.one) {
      for (const Command& command : ForOneMeter(row.protocol, address, profile)) {
        CAPTURE(address, command.action.index());
        CHECK(Encode(command, ValveBook()).ok());
      }
    }
    for (const std::string& address : row.several) {
      for (const Command& command : ForOneMeter(row.protocol, address, profile)) {
        CAPTURE(address, command.action.index());
        CHECK(base::ReasonOf(Encode(command, ValveBook()).status()) == "BAD_METER_ADDRESS");
      }
    }
  }
  const auto everyone = [](auto action, const char* address) {
    return Encode({Protocol::kDlt645_2007, address, "", 0, std::move(action)}, {}).status();
  };
  CHECK(everyone(SetClock{"2026-11-22T09:30:15", true, {}}, "999999999999").ok());
  CHECK(everyone(Freeze{}, "999999999999").ok());
  // The only meter of a line is named by an address that fits any.
  CHECK(everyone(WriteAddress{"202411110002"}, "AAAAAAAAAAAA").ok());
  CHECK(Encode({Protocol::kCjt188, "AAAAAAAAAAAAAAAA", "", 0, WriteAddress{"20241111000300"}}, {}).ok());
  CHECK(Encode({Protocol::kMbus, "p254", "", 0, WriteAddress{"p7"}}, {}).ok());
  CHECK(base::ReasonOf(Encode({Protocol::kMbus, "p254", "", 0, Reset{}}, {}).status()) == "BAD_METER_ADDRESS");
  CHECK(everyone(ReadRegisters{{"1-0:1.8.0"}}, "AAAAAAAAAAAA").ok());
}

TEST_CASE("no purchase follows the authentication of a wildcard") {
  const Prepay prepay = {PrepayKind::kTopUp, 5000, 7, "000000000042", "", "mac1", "mac2", std::string(24, 'a'), ""};
  const std::string reply = *base::FromHex("681111111111116883083233333A33333333");
  std::string frame = reply;
  uint8_t sum = 0;
  for (const char c : frame) sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(c));
  frame += {static_cast<char>(sum), '\x16'};
  const auto decoded = [&](const char* address) {
    return Decode({{Protocol::kDlt645_2007, address, "", 0, prepay}, {{frame}}}, {});
  };
  CHECK(decoded("111111111111").continuation.has_value());
  CHECK_FALSE(decoded("AAAAAAAAAAAA").continuation.has_value());
  CHECK(base::ReasonOf(decoded("AAAAAAAAAAAA").error) == "BAD_METER_ADDRESS");
}

TEST_CASE("a protocol that this build does not speak is refused by every call") {
  Command foreign = Read({"1-0:1.8.0"});
  for (const Protocol protocol : {Protocol::kUnspecified, static_cast<Protocol>(99)}) {
    foreign.protocol = protocol;
    CHECK(base::ReasonOf(Encode(foreign, {}).status()) == "PROTOCOL_NOT_SUPPORTED");
    CHECK(base::ReasonOf(Decode({foreign, {}}, {}).error) == "PROTOCOL_NOT_SUPPORTED");
  }
}

TEST_CASE("a batch of 512 is taken and one of 513 refused") {
  CHECK(CheckBatch(kBatchMax).ok());
  CHECK(base::ReasonOf(CheckBatch(kBatchMax + 1)) == "BATCH_TOO_LARGE");
}

TEST_CASE("32 registers in a command are taken and 33 refused") {
  CHECK(Encode(Read(std::vector<std::string>(kRegistersMax, "1-0:1.8.0")), {}).ok());
  CHECK(base::ReasonOf(Encode(Read(std::vector<std::string>(kRegistersMax + 1, "1-0:1.8.0")), {}).status()) ==
        "TOO_MANY_REGISTERS");
  CHECK(base::ReasonOf(Encode(Read({}), {}).status()) == "NO_REGISTERS");
}

TEST_CASE("4096 bytes are explained and 4097 refused") {
  CHECK(Explain(base::AsBytes(std::string(kExplainMax, 'x')), ExplainOptions{}).ok());
  CHECK(base::ReasonOf(Explain(base::AsBytes(std::string(kExplainMax + 1, 'x')), ExplainOptions{}).status()) ==
        "FRAME_TOO_LONG");
  CHECK(base::ReasonOf(Explain({}, ExplainOptions{.protocol = static_cast<Protocol>(99)}).status()) ==
        "PROTOCOL_NOT_SUPPORTED");
}

TEST_CASE("explanations cover every byte of recorded, broken and random bytes") {
  std::vector<std::string> samples;
  for (const auto& vector : vectors::Load("dlt645_2007.vec")) {
    for (const std::string& bytes : {vector.request, vector.reply}) {
      samples.push_back(bytes);
      for (size_t cut = 0; cut < bytes.size(); ++cut) samples.push_back(bytes.substr(0, cut));
    }
  }
  std::mt19937 random(17);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random() % 64, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    samples.push_back(bytes);
  }
  for (const std::string& bytes : samples) {
    const auto explained = Explain(base::AsBytes(bytes), ExplainOptions{.show_secrets = true});
    REQUIRE(explained.ok());
    std::string hex;
    size_t at = 0;
    for (const Explanation& explanation : explained->explanations) {
      REQUIRE(explanation.offset == at);
      at += explanation.length;
      hex += explanation.hex;
    }
    REQUIRE(hex == base::ToHex(base::AsBytes(bytes)));
  }
}

TEST_CASE("passwords are masked unless shown") {
  const std::string trip = *base::FromHex("68111111111111681C1033333333333333334D3357744845384B5516");
  const auto masked = Explain(base::AsBytes(trip), ExplainOptions{});
  const auto shown = Explain(base::AsBytes(trip), ExplainOptions{.show_secrets = true});
  REQUIRE(masked.ok());
  std::string kinds;
  for (size_t i = 0; i < masked->explanations.size(); ++i) {
    const Explanation& explanation = masked->explanations[i];
    const bool secret = explanation.kind == "password" || explanation.kind == "operator";
    CHECK(explanation.hex == (secret ? std::string(2 * explanation.length, '*') : shown->explanations[i].hex));
    if (secret) kinds += explanation.kind + " ";
  }
  CHECK(kinds == "password operator ");
}

TEST_CASE("the register list says what is proven, and a member of a pattern is found by its id") {
  const auto registers = ListRegisters(Protocol::kDlt645_2007);
  REQUIRE(registers.ok());
  CHECK(registers->size() >= 40);
  size_t proven = 0;
  for (const RegisterInfo& row : *registers) proven += row.proof.empty() ? 0 : 1;
  CHECK(proven > 0);
  const auto energy = FindRegister(Protocol::kDlt645_2007, "1-0:1.8.0");
  REQUIRE(energy.ok());
  CHECK(energy->reg == "1-0:1.8.0");
  CHECK(energy->data_identifier == "00010000");
  CHECK(energy->unit == "kWh");
  CHECK(energy->length == 4);
  CHECK_FALSE(energy->proof.empty());
  CHECK(FindRegister(Protocol::kDlt645_2007, "1-0:1.8.2")->data_identifier == "00010200");
  CHECK(base::ReasonOf(FindRegister(Protocol::kDlt645_2007, "1-0:nonsense").status()) == "UNKNOWN_REGISTER");
  CHECK(base::ReasonOf(ListRegisters(Protocol::kUnspecified).status()) == "PROTOCOL_NOT_SUPPORTED");
  CHECK(base::ReasonOf(FindRegister(Protocol::kUnspecified, "1-0:1.8.0").status()) == "PROTOCOL_NOT_SUPPORTED");
}

TEST_CASE("what bytes belong to is guessed by checksum, then by shape") {
  const auto guess = [](const std::string& hex) { return GuessProtocol(base::AsBytes(*base::FromHex(hex))); };
  CHECK(guess("FEFE68111111111111681104333334331816") == Protocol::kDlt645_2007);
  CHECK(guess("6811111111111168010243C37816") == Protocol::kDlt645_1997);
  CHECK(guess("FEFEFE6810AAAAAAAAAAAAAA0103901F00CE16") == Protocol::kCjt188);
  CHECK(guess("105B015C16") == Protocol::kMbus);
  CHECK(guess("E5") == Protocol::kMbus);
  CHECK(guess("6803036853015005A916") == Protocol::kMbus);
  CHECK(guess("") == Protocol::kDlt645_2007);
  CHECK(guess("FEFE") == Protocol::kDlt645_2007);
  // Cut short or broken: by shape.
  CHECK(guess("68111111111111681104") == Protocol::kDlt645_2007);
  CHECK(guess("6810AAAAAAAAAAAAAA0103") == Protocol::kCjt188);
}

}  // namespace
}  // namespace voltwell::codec
