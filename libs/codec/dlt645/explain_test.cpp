// Explanations cover every byte once, say what it is in both languages, and never print a secret.
#include "libs/codec/dlt645/explain.h"

#include <catch2/catch.hpp>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/frame.h"
#include "libs/codec/vectors/vector_file.h"

namespace voltwell::codec::dlt645 {
namespace {

ExplainedBytes ExplainIn(Language language, base::ByteView bytes, Protocol protocol = Protocol::kUnspecified) {
  ExplainOptions options;
  options.language = language;
  options.protocol = protocol;
  return ExplainDlt645(bytes, options);
}

bool Covers(const ExplainedBytes& explained, size_t size) {
  size_t at = 0;
  for (const Explanation& part : explained.explanations) {
    const bool right = part.offset == at && part.length > 0 && part.hex.size() == 2 * part.length &&
                       !part.kind.empty() && !part.meaning.empty();
    if (!right) return false;
    at += part.length;
  }
  return at == size && !explained.summary.empty();
}

size_t Position(const absl::Status& status) {
  CHECK(base::ReasonOf(status) == "FRAME_NOT_UNDERSTOOD");
  size_t position = 0;
  CHECK(absl::SimpleAtoi(base::MetadataOf(status)["position"], &position));
  return position;
}

std::string Summary(Language language, absl::string_view hex, Protocol protocol = Protocol::kUnspecified) {
  const std::string bytes = *base::FromHex(hex);
  const ExplainedBytes explained = ExplainIn(language, base::AsBytes(bytes), protocol);
  CHECK(explained.error.ok());
  CHECK(Covers(explained, bytes.size()));
  return explained.summary;
}

// The summary behind "meter ...: ...: ".
std::string Of(uint8_t control, absl::string_view plain_hex, Language language = Language::kEnglish) {
  const std::string frame = BuildFrame(*ParseAddress("1"), control, base::AsBytes(*base::FromHex(plain_hex)));
  const ExplainedBytes explained = ExplainIn(language, base::AsBytes(frame));
  CHECK(explained.error.ok());
  CHECK(Covers(explained, frame.size()));
  return explained.summary;
}

std::vector<std::string> RecordedFrames() {
  std::vector<std::string> frames;
  for (const char* const file : {"dlt645_2007.vec", "dlt645_1997.vec"}) {
    for (const auto& vector : vectors::Load(file)) {
      for (const std::string& bytes : {vector.request, vector.reply}) {
        if (!bytes.empty()) frames.push_back(bytes);
      }
    }
  }
  return frames;
}

TEST_CASE("every recorded frame is explained in both languages, each byte once and understood") {
  for (const std::string& bytes : RecordedFrames()) {
    CAPTURE(base::ToHex(base::AsBytes(bytes)));
    for (const Language language : {Language::kEnglish, Language::kChinese}) {
      const ExplainedBytes explained = ExplainIn(language, base::AsBytes(bytes));
      CHECK(Covers(explained, bytes.size()));
      CHECK(explained.error.ok());
      for (const Explanation& part : explained.explanations) CHECK(part.understood);
    }
  }
}

TEST_CASE("a truncated recorded frame is an error at its end, and all of it is covered") {
  for (const std::string& bytes : RecordedFrames()) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      const base::ByteView cut = base::AsBytes(bytes).first(size);
      const ExplainedBytes explained = ExplainIn(Language::kEnglish, cut);
      CHECK(Covers(explained, size));
      CHECK(Position(explained.error) == size);
    }
  }
}

TEST_CASE("a flipped bit in a recorded frame is an error with a place in it, but where it is only the preamble's") {
  for (const std::string& bytes : RecordedFrames()) {
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
      const ExplainedBytes explained = ExplainIn(Language::kChinese, base::AsBytes(flipped));
      CHECK(Covers(explained, bytes.size()));
      CHECK(Position(explained.error) <= bytes.size());
    }
  }
}

TEST_CASE("random data in every function, and random bytes, are covered too") {
  std::mt19937 random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string data(random() % 60, '\0');
    for (char& c : data) c = static_cast<char>(random());
    const auto control = static_cast<uint8_t>(random());
    const Protocol protocol = i % 2 == 0 ? Protocol::kUnspecified : Protocol::kDlt645_1997;
    const std::string frame = BuildFrame(*ParseAddress("1"), control, base::AsBytes(data));
    const bool covered = Covers(ExplainIn(Language::kEnglish, base::AsBytes(frame), protocol), frame.size()) &&
                         Covers(ExplainIn(Language::kChinese, base::AsBytes(data), protocol), data.size());
    if (!covered) FAIL_CHECK(base::ToHex(base::AsBytes(frame)));
  }
}

TEST_CASE("a reply is explained with its value in both languages") {
  const char* const hex = "FEFE6812907856341268910833333433896745335416";
  CHECK(Summary(Language::kEnglish, hex) ==
        "meter 123456789012, reply: read data: forward active energy, total = 1234.56 kWh");
  CHECK(Summary(Language::kChinese, hex) == "表 123456789012，应答：读数据：正向有功总电能 = 1234.56 kWh");
  const std::string bytes = *base::FromHex(hex);
  const ExplainedBytes explained = ExplainIn(Language::kEnglish, base::AsBytes(bytes));
  CHECK(explained.protocol == Protocol::kDlt645_2007);
  REQUIRE(explained.explanations.size() == 10);
  CHECK(explained.explanations[0].kind == "preamble");
  CHECK(explained.explanations[6].meaning == "00010000: forward active energy, total");
  CHECK(explained.explanations[7].hex == "89674533");
}

TEST_CASE("the relay's state and refusals are said in words") {
  CHECK(absl::StrContains(Summary(Language::kEnglish, "68611001301215689106363833378333BE16"), "relay open"));
  CHECK(absl::StrContains(Summary(Language::kChinese, "686110013012156891063638333733336E16"), "继电器合闸"));
  CHECK(absl::EndsWith(Summary(Language::kEnglish, "6812907856341268D101358D16"), "refused: no such data"));
  CHECK(absl::EndsWith(Of(0xC3, "0200"), "refused: duplicate recharge"));
  CHECK(absl::EndsWith(Of(0xC3, "2000", Language::kChinese), "拒绝：充值次数错误"));
  CHECK(absl::EndsWith(Of(0xDC, "2000"), "refused: power is kept: trip refused"));
}

TEST_CASE("commands of every function say what they do") {
  CHECK(absl::EndsWith(Of(0x08, "512210050617"), "time = 2017-06-05T10:22:51"));
  CHECK(absl::EndsWith(Of(0x16, "99999999"), "freeze: now"));
  CHECK(absl::EndsWith(Of(0x16, "00000199"), "freeze: monthly, day 01 00:00"));
  CHECK(absl::EndsWith(Of(0x17, "08"), "baud rate = 08H (2400 bit/s)"));
  CHECK(absl::EndsWith(Of(0x15, "120000001020"), "write address: 201000000012"));
  CHECK(absl::EndsWith(Of(0x1B, "0200000001020304FFFFFFFF"), "all events"));
  CHECK(absl::EndsWith(Of(0x14, "02010004 02000000 01020304 593009"), "time = 09:30:59"));
  CHECK(absl::EndsWith(Of(0x03, "FF020107 01020304 88130000 0C000000 00000000 120000001020 00000000"),
                       "070102FF: recharge, amount = 50.00 CNY, purchase number = 12, customer number = 201000000012"));
  CHECK(absl::EndsWith(Of(0x12, "00FF0100 01"), "0001FF00: forward active energy, total and tariffs (block)"));
  CHECK(absl::EndsWith(Of(0x04, "10C0 00000000 06060719"), "date and weekday = 2019-07-06"));
}

TEST_CASE("03H is the re-read of 1997 where that edition is asked for") {
  const std::string frame = BuildFrame(*ParseAddress("1"), 0x03, base::AsBytes(std::string("\x10\x90", 2)));
  const ExplainedBytes explained = ExplainIn(Language::kEnglish, base::AsBytes(frame), Protocol::kDlt645_1997);
  CHECK(explained.protocol == Protocol::kDlt645_1997);
  CHECK(absl::EndsWith(explained.summary, "re-read data: 9010: forward active energy, total"));
}

TEST_CASE("passwords and operator codes are masked and appear in no words") {
  // Level 02, password 370602; operator 31323334; new password 04 998877.
  const std::pair<uint8_t, const char*> kCommands[] = {
      {0x1C, "02370602 31323334 1A 00 000000301299"},
      {0x14, "01100004 02370602 31323334 00200000"},
      {0x19, "02370602 31323334"},
      {0x1B, "02370602 31323334 FFFFFFFF"},
      {0x18, "030C0004 02370602 04998877"},
      {0x14, "030C0004 02370602 31323334 04998877"},
      {0x0F, "00370602 04998877"},
      {0x1E, "02370602 31323334"},
  };
  for (const auto& [function, hex] : kCommands) {
    const std::string frame = BuildFrame(*ParseAddress("1"), function, base::AsBytes(*base::FromHex(hex)));
    for (const bool shown : {false, true}) {
      CAPTURE(int{function}, shown);
      ExplainOptions options;
      options.show_secrets = shown;
      std::string all;
      for (const Explanation& part : ExplainDlt645(base::AsBytes(frame), options).explanations) {
        all += part.hex;
        for (const char* const word : {"370602", "31323334", "998877"})
          CHECK_FALSE(absl::StrContains(part.meaning, word));
      }
      // With 33H: 6A3935 and 64656667 and CCBBAA.
      CHECK(absl::StrContains(all, "6A3935") == shown);
      if (!shown) CHECK_FALSE(absl::StrContains(all, "64656667"));
      if (!shown) CHECK_FALSE(absl::StrContains(all, "CCBBAA"));
    }
  }
}

TEST_CASE("passwords and operator codes are masked in damaged frames, too") {
  // A relay command with password 543265 and operator 11223344, a wrong checksum, and a good reply behind it.
  const std::string relay = "68020011112420681C1035987654776655444D33333333333463001668";
  const std::string reply = "68111111111111689108333334339C353333D316";
  for (const std::string& hex :
       {"68020011112420681C1035987654776655444D333333333434630016" + reply,
        "68020011112420681C1035987654776655444D333333333334630016" + reply,  // The checksum.
        "68020011112420681C1035987654776655444D33333333" + reply,            // Cut short.
        "6802001111242068141035987654776655444D333333333434630016" + reply,  // The function.
        "6802001111242068181035987654776655444D333333333434630016" + reply,
        "68020011112420681C0435987654776655444D333333333334630016" + reply,  // A length too small.
        "68020011112420681CFF35987654776655444D333333333334630016" + reply,  // Too great.
        "68020011112420001C1035987654776655444D333333333334630016" + reply,  // The second 68H.
        "11112420681C1035987654776655444D333333333334630016" + reply,        // The head is lost.
        "35987654776655444D333333333334630016" + reply,                      // Only DATA.
        "6835987654776655444D333333333334630016" + reply,                    // DATA that begins like a frame.
        reply + "35987654776655444D333333333334630016", relay + "00" + reply,
        "680200111124206814153434333735987654776655443353333300001668" + reply,
        "6802001111242068031035323333987654776655444D00001668" + reply}) {
    CAPTURE(hex);
    const std::string bytes = *base::FromHex(hex);
    const ExplainedBytes explained = ExplainIn(Language::kEnglish, base::AsBytes(bytes));
    CHECK(Covers(explained, bytes.size()));
    CHECK_FALSE(explained.error.ok());
    std::string all;
    for (const Explanation& part : explained.explanations) all += part.hex + " " + part.meaning + " ";
    CHECK_FALSE(absl::StrContains(all, "987654"));
    CHECK_FALSE(absl::StrContains(all, "654321"));
    CHECK_FALSE(absl::StrContains(all, "776655"));
    CHECK_FALSE(absl::StrContains(all, "665544"));
    CHECK(absl::StrContains(explained.summary, "2.69 kWh"));
  }
}

TEST_CASE("what stands behind a damaged reply is no secret") {
  const std::string bytes =
      *base::FromHex("681111111111116891043333343300169C35333368111111111111689108333334339C353333D316");
  std::string all;
  for (const Explanation& part : ExplainIn(Language::kEnglish, base::AsBytes(bytes)).explanations) all += part.hex;
  CHECK(all == base::ToHex(base::AsBytes(bytes)));
}

TEST_CASE("an identifier that is in no table is not understood") {
  const std::string frame = BuildFrame(*ParseAddress("1"), 0x11, base::AsBytes(*base::FromHex("EFBEADDE")));
  const ExplainedBytes explained = ExplainIn(Language::kEnglish, base::AsBytes(frame));
  CHECK(explained.error.ok());
  size_t unknown = 0;
  for (const Explanation& part : explained.explanations) unknown += part.understood ? 0 : 1;
  CHECK(unknown == 1);
}

TEST_CASE("only four bytes behind a command of class 98 or 99 are a MAC; an expiry of zeros is none") {
  const auto last = [](absl::string_view plain_hex) {
    const std::string frame = BuildFrame(*ParseAddress("1"), 0x1C, base::AsBytes(*base::FromHex(plain_hex)));
    const auto parts = ExplainIn(Language::kEnglish, base::AsBytes(frame)).explanations;
    return parts[parts.size() - 3].kind;  // Before checksum and end.
  };
  CHECK(last("99000000 31323334 1A00 000000301299 A1A2A3A4") == "mac");
  CHECK(last("02000000 31323334 1A00 000000301299 A1A2A3A4") == "unknown");
  CHECK(last("99000000 31323334 1A00 000000301299 A1A2A3") == "unknown");
  CHECK(absl::EndsWith(Of(0x1C, "02000000 31323334 1A00 000000000000"), "trip, without expiry"));
  CHECK(absl::EndsWith(Of(0x1C, "02000000 31323334 4A00 000000000000", Language::kChinese), "切断供水，无截止时间"));
  CHECK(absl::EndsWith(Of(0x1C, "02000000 31323334 4C00 000000000000"), "restore water, without expiry"));
}

TEST_CASE("the first wrong byte is named, and a whole frame behind a broken one is still explained") {
  const std::string broken = *base::FromHex("680100000000006808060102030703175E16");
  ExplainedBytes explained = ExplainIn(Language::kEnglish, base::AsBytes(broken));
  CHECK(Position(explained.error) == 16);
  CHECK(Covers(explained, broken.size()));
  const std::string whole = *base::FromHex("6812907856341268D101358D16");
  const std::string both = "\x68\x01\x02" + whole;
  explained = ExplainIn(Language::kEnglish, base::AsBytes(both));
  CHECK(Position(explained.error) == 7);
  CHECK(absl::StrContains(explained.summary, "no such data"));
  const std::string garbage = "\x01\x02" + whole;
  CHECK(Position(ExplainIn(Language::kEnglish, base::AsBytes(garbage)).error) == 0);
  CHECK(Position(ExplainIn(Language::kEnglish, {}).error) == 0);
}

}  // namespace
}  // namespace voltwell::codec::dlt645
