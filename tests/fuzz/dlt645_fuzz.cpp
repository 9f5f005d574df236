// Any bytes as frames of both editions, as answers to every command: decoding and explaining never fail but by name,
// and explanations cover every byte once. The first byte says how the rest is used, so that deep code is reached
// without guessing checksums.
#include <string>
#include <vector>

#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/codec/codec.h"
#include "libs/codec/dlt645/frame.h"
#include "libs/codec/dlt645/reply.h"

namespace {

using namespace voltwell;  // NOLINT(google-build-using-namespace): a program of one file.

void CheckExplained(base::ByteView bytes) {
  const auto explained = codec::Explain(bytes, {});
  VW_CHECK(explained.ok() || base::ReasonOf(explained.status()) == "FRAME_TOO_LONG");
  if (!explained.ok()) return;
  size_t at = 0;
  for (const codec::Explanation& explanation : explained->explanations) {
    VW_CHECK(explanation.offset == at && explanation.length > 0);
    at += explanation.length;
  }
  VW_CHECK(at == bytes.size());
}

using Action = decltype(codec::Command::action);

const std::vector<Action>& Actions() {
  static const auto* const actions = new std::vector<Action>{
      codec::ReadRegisters{{"1-0:1.8.0", "1-0:1.8.1", "1-0:32.7.0", "0-0:96.3.10"}},
      codec::ReadRegisters{{"0-0:1.0.0", "1-0:1.7.0", "1-0:21.7.0", "1-0:1.6.0"}},
      codec::ReadRegisters{{"0-3:199.17.0*1", "0-5:199.6.1*1"}},
      codec::ReadLoadProfile{"0-6:199.1.0*1", 2, ""},
      codec::ControlRelay{},
      codec::ReadAddress{},
      codec::WriteRegister{"1-0:0.8.0", "15", {}},
      codec::WriteAddress{"202411110002", {}},
      codec::SetClock{"2026-11-22T09:30:00", false, {}},
      codec::Freeze{},
      codec::ChangeBaud{2400},
      codec::ChangePassword{},
      codec::Clear{codec::ClearWhat::kEvents, "", {}},
      codec::Secure{0x078102FF, "", ""},
      codec::Prepay{.kind = codec::PrepayKind::kTopUp,
                    .amount_fen = 5000,
                    .purchase_number = 7,
                    .customer_number = "000000000042",
                    .mac1 = "mac1",
                    .mac2 = "mac2",
                    .authentication = std::string(24, 'a')},
      codec::ReadPrepaid{std::string(24, 'a'), ""},
      codec::ReadPrepaid{},
      codec::Search{},
      codec::Raw{"x"},
  };
  return *actions;
}

codec::Command CommandOf(uint8_t selector) {
  const bool old = (selector & 0x80) != 0;
  const codec::Protocol protocol = old ? codec::Protocol::kDlt645_1997 : codec::Protocol::kDlt645_2007;
  const char* const profile = (selector & 0x40) != 0 && !old ? "odd" : "";
  return {protocol, "AAAAAAAAAAAA", profile, 0, Actions()[(selector & 0x3F) % Actions().size()]};
}

const codec::ProfileBook& Book() {
  static const auto* const book = [] {
    const auto profile = codec::ParseProfile(
        "name odd\nprotocol DLT645_2007\nsentinel 99999999\nregister 1-0:1.8.0 length 5 scale 3 signed yes\n"
        "prepay.status_layout sign.bin1 remaining.bcd4 accumulated.bin8 last.bcd3 number.bcd2 customer.bcd6 skip3\n",
        "odd");
    VW_CHECK(profile.ok());
    return new codec::ProfileBook{{"odd", *profile}};
  }();
  return *book;
}

// Frames in the input: each is control, length, data.
std::vector<codec::ReplyFrames> FramesOf(base::ByteView bytes) {
  std::vector<codec::ReplyFrames> replies;
  while (bytes.size() >= 2) {
    const size_t length = std::min<size_t>(bytes[1], bytes.size() - 2);
    const std::string frame = codec::dlt645::BuildFrame({}, bytes[0], bytes.subspan(2, length));
    CheckExplained(base::AsBytes(frame));
    std::vector<codec::dlt645::Field> fields;
    codec::dlt645::DecodeReadReply(base::AsBytes(frame), fields);
    for (const auto& field : fields) field.value.Text();
    const bool follows = (bytes[0] & codec::dlt645::kFunctionMask) == codec::dlt645::kReadNext && !replies.empty();
    if (!follows) replies.emplace_back();
    replies.back().push_back(frame);
    bytes = bytes.subspan(2 + length);
  }
  return replies;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const base::ByteView bytes(data + 1, size - 1);
  CheckExplained(bytes);
  const codec::Decoded raw = codec::Decode({CommandOf(data[0]), {{base::ToString(bytes)}}}, Book());
  VW_CHECK(raw.error.ok() || !base::ReasonOf(raw.error).empty());
  const codec::Decoded decoded = codec::Decode({CommandOf(data[0]), FramesOf(bytes)}, Book());
  VW_CHECK(decoded.error.ok() || !base::ReasonOf(decoded.error).empty());
  VW_CHECK(!decoded.continuation.has_value() || decoded.values.empty());
  return 0;
}
