// Any bytes as M-Bus frames: decoding and explaining never fail but by name with a position inside, and explanations
// cover every byte once. The input is also wrapped as user data, so that deep code is reached without guessing lengths
// and checksums; its first byte says how.
#include <string>

#include "absl/strings/numbers.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/codec/codec.h"
#include "libs/codec/mbus/obis.h"
#include "libs/codec/mbus/telegram.h"
#include "libs/codec/mbus/value.h"
#include "libs/codec/mbus_commands.h"

namespace {

using namespace voltwell;  // NOLINT(google-build-using-namespace): a program of one file.

void CheckPosition(const absl::Status& status, size_t size) {
  VW_CHECK(status.ok() || !base::ReasonOf(status).empty());
  if (base::ReasonOf(status) != "FRAME_NOT_UNDERSTOOD") return;
  size_t position = 0;
  VW_CHECK(absl::SimpleAtoi(base::MetadataOf(status)["position"], &position));
  VW_CHECK(position <= size);
}

void CheckExplained(base::ByteView bytes, codec::Language language) {
  const codec::ExplainedBytes explained = codec::ExplainMbus(bytes, {.language = language});
  size_t at = 0;
  for (const codec::Explanation& part : explained.explanations) {
    VW_CHECK(part.offset == at && part.length > 0);
    at += part.length;
  }
  VW_CHECK(at == bytes.size());
  CheckPosition(explained.error, bytes.size());
}

void CheckDecoded(base::ByteView frame) {
  static codec::mbus::Telegram telegram;
  const codec::mbus::Error error = codec::mbus::DecodeTelegram(frame, telegram);
  VW_CHECK(error.position <= frame.size());
  for (const codec::mbus::Record& record : telegram.records()) {
    VW_CHECK(size_t{record.data_offset} + record.data_size <= frame.size());
    VW_CHECK(size_t{record.vif_offset} + record.vif_size <= frame.size());
    codec::mbus::NumberOf(record);
    codec::mbus::TimeText(codec::mbus::TimeOf(record));
    codec::mbus::UnitOf(record, frame);
    VW_CHECK(codec::mbus::RegisterId(record, frame, telegram.header.medium).size() <= 1100);
  }
}

// As the answer to a read of everything, to a valve, and to a search.
void CheckCommands(const std::string& frame) {
  codec::Profile profile;
  profile.valve_open = std::string("\x51\x01\xFD\x1A\x01", 5);
  profile.valve_close = std::string("\x51\x01\xFD\x1A\x00", 5);
  const std::string ack = "\xE5";
  codec::Command command;
  command.protocol = codec::Protocol::kMbus;
  command.address = "FFFFFFFF";
  command.action = codec::ReadRegisters{{"mbus:*", "8-0:1.0.0", "0-0:96.3.10"}};
  const codec::Decoded read = codec::DecodeMbus({command, {{ack}, {frame}}}, profile);
  CheckPosition(read.error, frame.size());
  VW_CHECK(!read.continuation.has_value() || read.values.empty());
  command.action = codec::ControlRelay{codec::RelayAction::kOpen};
  CheckPosition(codec::DecodeMbus({command, {{ack}, {ack}, {frame}}}, profile).error, frame.size());
  command.action = codec::Search{};
  CheckPosition(codec::DecodeMbus({command, {{ack}, {frame}}}, profile).error, frame.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const base::ByteView bytes(data + 1, size - 1);
  const codec::Language language = data[0] % 2 == 0 ? codec::Language::kEnglish : codec::Language::kChinese;
  CheckExplained(bytes, language);
  CheckDecoded(bytes);
  CheckCommands(base::ToString(bytes));
  if (bytes.empty() || bytes.size() > 253) return 0;
  constexpr uint8_t kControls[] = {codec::mbus::kRspUd, codec::mbus::kSndUd};
  const std::string frame = codec::mbus::BuildLong(kControls[(data[0] >> 1) % 2], data[0] >> 2, bytes);
  CheckExplained(base::AsBytes(frame), language);
  CheckDecoded(base::AsBytes(frame));
  CheckCommands(frame);
  return 0;
}
