// Any bytes as CJ/T 188 frames: decoding and explaining never fail but by name, and explanations cover every byte once,
// in both languages. The first byte says how the rest is used, so that deep code is reached without guessing checksums.
#include <string>
#include <vector>

#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/codec/cjt188/body.h"
#include "libs/codec/cjt188/frame.h"
#include "libs/codec/cjt188_commands.h"

namespace {

using namespace voltwell;  // NOLINT(google-build-using-namespace): a program of one file.

constexpr char kAny[] = "AAAAAAAAAAAAAA";

void CheckExplained(base::ByteView bytes) {
  if (bytes.size() > codec::kExplainMax) return;
  for (const codec::Language language : {codec::Language::kEnglish, codec::Language::kChinese}) {
    const codec::ExplainedBytes explained =
        codec::ExplainCjt188(bytes, {codec::Protocol::kCjt188, language, /*show_secrets=*/false});
    size_t at = 0;
    for (const codec::Explanation& explanation : explained.explanations) {
      VW_CHECK(explanation.offset == at && explanation.length > 0);
      VW_CHECK(explanation.hex.size() == 2 * explanation.length && !explanation.meaning.empty());
      at += explanation.length;
    }
    VW_CHECK(at == bytes.size());
    VW_CHECK(explained.error.ok() || base::MetadataOf(explained.error).count("position") == 1);
  }
}

codec::Command CommandOf(uint8_t selector) {
  codec::Command command = {codec::Protocol::kCjt188, kAny};
  switch (selector % 6) {
    case 0:
      command.action = codec::ReadRegisters{{"8-0:1.0.0", "0-0:1.0.0", "0-0:96.3.10", "cjt188:battery"}};
      break;
    case 1:
      command.action = codec::ReadRegisters{{"6-0:1.0.0", "6-0:10.0.0", "8-0:1.0.0*3", "cjt188:D3.volume*1"}};
      break;
    case 2:
      command.action = codec::ReadPrepaid{};
      break;
    case 3:
      command.action = codec::ControlRelay{.action = codec::RelayAction::kOpen};
      break;
    case 4:
      command.action = codec::Prepay{.kind = codec::PrepayKind::kTopUp, .amount_fen = 5000, .purchase_number = 5};
      break;
    default:
      command.action = codec::Search{};
  }
  return command;
}

codec::Profile ProfileOf(uint8_t selector) {
  codec::Profile profile;
  if ((selector & 0x40) != 0) profile.volume_decimals = selector & 0x03;
  if ((selector & 0x80) != 0) {
    profile.status = {0x00C0, 0x0000, 0x0040, 0x00C0, 0x0020};
    profile.prepay.number_bcd = true;
    profile.sentinels = {"\xEE\xEE\xEE\xEE"};
    profile.registers["cjt188:key_version"].length = 2;
    profile.registers["8-0:1.0.0"].scale = 3;
  }
  return profile;
}

// Frames in the input: each is type, control, length, data.
std::vector<codec::ReplyFrames> FramesOf(base::ByteView bytes) {
  std::vector<codec::ReplyFrames> replies;
  while (bytes.size() >= 3) {
    const size_t length = std::min<size_t>(bytes[2], bytes.size() - 3);
    codec::cjt188::Address address;
    address.type = bytes[0];
    const std::string frame = codec::cjt188::BuildFrame(address, bytes[1], bytes.subspan(3, length));
    VW_CHECK(codec::cjt188::ParseFrame(base::AsBytes(frame)).fault == codec::cjt188::Fault::kNone);
    CheckExplained(base::AsBytes(frame));
    replies.push_back({frame});
    bytes = bytes.subspan(3 + length);
  }
  return replies;
}

void CheckDecoded(const codec::Decoded& decoded) {
  VW_CHECK(decoded.error.ok() || !base::ReasonOf(decoded.error).empty());
  for (const codec::RegisterValue& value : decoded.values) {
    VW_CHECK(!value.reg.empty());
    if (value.number.has_value()) value.number->ToString();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const base::ByteView bytes(data + 1, size - 1);
  const codec::Profile profile = ProfileOf(data[0]);
  CheckExplained(bytes);
  CheckDecoded(codec::DecodeCjt188({CommandOf(data[0]), {{base::ToString(bytes)}}}, profile));
  CheckDecoded(codec::DecodeCjt188({CommandOf(data[0]), FramesOf(bytes)}, profile));
  return 0;
}
