// Any bytes as frames: decoding and explaining never fail but by name, and explanations cover every byte once. The
// first byte says how the rest is used, so that deep code is reached without guessing checksums.
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
  const auto explained = codec::Explain(bytes, codec::Protocol::kUnspecified, false);
  VW_CHECK(explained.ok() || base::ReasonOf(explained.status()) == "FRAME_TOO_LONG");
  if (!explained.ok()) return;
  size_t at = 0;
  for (const codec::Explanation& explanation : explained->explanations) {
    VW_CHECK(explanation.offset == at && explanation.length > 0);
    at += explanation.length;
  }
  VW_CHECK(at == bytes.size());
}

codec::Command CommandOf(uint8_t selector) {
  codec::Command command = {codec::Protocol::kDlt645_2007, "AAAAAAAAAAAA"};
  switch (selector % 4) {
    case 0:
      command.action = codec::ReadRegisters{{"1-0:1.8.0", "1-0:1.8.1", "1-0:32.7.0", "0-0:96.3.10"}};
      break;
    case 1:
      command.action = codec::ReadRegisters{{"0-0:1.0.0", "1-0:1.7.0", "1-0:21.7.0"}};
      break;
    case 2:
      command.action = codec::ControlRelay{};
      break;
    default:
      command.action = codec::ReadAddress{};
  }
  return command;
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
  const codec::Decoded raw = codec::Decode({CommandOf(data[0]), {{base::ToString(bytes)}}});
  VW_CHECK(raw.error.ok() || !base::ReasonOf(raw.error).empty());
  const codec::Decoded decoded = codec::Decode({CommandOf(data[0]), FramesOf(bytes)});
  VW_CHECK(decoded.error.ok() || !base::ReasonOf(decoded.error).empty());
  VW_CHECK(!decoded.continuation.has_value() || decoded.values.empty());
  return 0;
}
