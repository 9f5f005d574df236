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
