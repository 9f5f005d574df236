// Explaining frames; see explain.h.
#include "libs/codec/dlt645/explain.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "libs/codec/dlt645/frame.h"
#include "libs/codec/dlt645/register_table.h"
#include "libs/codec/dlt645/reply.h"
#include "libs/codec/dlt645/request.h"
#include "libs/codec/frame/checksum.h"
#include "libs/codec/frame/frame_kind.h"

namespace voltwell::codec::dlt645 {
namespace {

std::string Hex(base::ByteView bytes) { return base::ToHex(bytes); }

std::string WithoutOffset(base::ByteView bytes) {
  std::string plain;
  for (const uint8_t byte : bytes) plain.push_back(static_cast<char>(byte - kOffset));
  return plain;
}

// Collects spans; each Take moves on, so that no byte is left out or taken twice.
class Cursor {
 public:
  explicit Cursor(base::ByteView bytes) : bytes_(bytes) {}
  base::ByteView Peek(size_t length) const { return bytes_.subspan(at_, std::min(length, left())); }
  size_t left() const { return bytes_.size() - at_; }
  void Take(size_t length, absl::string_view kind, std::string meaning, bool secret = false) {
    length = std::min(length, left());
    if (length == 0) return;
    spans_.push_back({at_, length, kind, std::move(meaning), secret});
    at_ += length;
  }
  std::vector<Span> TakeSpans() && { return std::move(spans_); }

 private:
  base::ByteView bytes_;
  size_t at_ = 0;
  std::vector<Span> spans_;
};

absl::string_view FunctionName(uint8_t function) {
  switch (function) {
    case 0x03:
      return "security authentication";
    case 0x08:
      return "broadcast time";
    case kReadData:
      return "read data";
    case kReadNext:
      return "read subsequent data";
    case kReadAddress:
      return "read address";
    case 0x14:
      return "write data";
    case 0x15:
      return "write address";
    case 0x16:
      return "freeze";
    case 0x17:
      return "change baud rate";
    case 0x18:
      return "change password";
    case 0x19:
      return "clear maximum demand";
    case 0x1A:
      return "clear meter";
    case 0x1B:
      return "clear events";
    case kRelayControl:
      return "relay control";
    default:
      return "function that is not known";
  }
}

std::string ControlMeaning(uint8_t control) {
  std::string text =
      absl::StrCat((control & kReplyBit) != 0 ? "reply" : "request", ": ", FunctionName(control & kFunctionMask));
  if ((control & kAbnormalBit) != 0) absl::StrAppend(&text, ", abnormal");
  if ((control & kMoreBit) != 0) absl::StrAppend(&text, ", more data follows");
  return text;
}

std::string FieldMeaning(const Field& field) {
  const std::string title = std::string(field.row->title_en);
  switch (field.value.kind) {
    case FieldValue::Kind::kNoValue:
      return absl::StrCat(title, ": no value (all bytes FF)");
    case FieldValue::Kind::kNotValid:
      return absl::StrCat(title, ": not valid");
    case FieldValue::Kind::kNumber:
      return absl::StrCat(title, " = ", field.value.number.ToString(), field.row->unit.empty() ? "" : " ",
                          std::string(field.row->unit));
    case FieldValue::Kind::kText:
      return absl::StrCat(title, " = ", field.value.Text());
    case FieldValue::Kind::kBits:
      break;
  }
  std::string text = absl::StrCat(title, " = ", field.value.Text(), "H");
  if (field.row->di == kRelayStatusDi) {
    absl::StrAppend(&text, (field.value.raw & kRelayOpenBit) != 0 ? ", relay open" : ", relay closed");
  }
  return text;
}

std::string DiMeaning(uint32_t di) {
  if (const Register* const row = FindByDi(di); row != nullptr) {
    return absl::StrFormat("%08X: %s", di, std::string(row->title_en));
  }
  if (const Block* const block = FindBlock(di); block != nullptr) {
    return absl::StrFormat("%08X: block of %s", di, std::string(block->name));
  }
  return absl::StrFormat("%08X: not in the table", di);
}

// Returns the meaning of the first value, for the summary.
std::string ExplainValues(Cursor& cursor, uint32_t di, size_t length) {
  std::vector<Field> fields;
  const ReadOutcome outcome = DecodeData(di, cursor.Peek(length), fields);
  if (outcome != ReadOutcome::kValues || fields.empty()) {
    std::string why = outcome == ReadOutcome::kUnknownDi ? "data of an identifier that is not in the table"
                                                         : "data of another length than the table says";
    cursor.Take(length, "unknown",
                absl::StrCat(why, ", without 33H: ", Hex(base::AsBytes(WithoutOffset(cursor.Peek(length))))));
    return why;
  }
  size_t covered = 0;
  for (const Field& field : fields) {
    cursor.Take(field.row->length, "value", FieldMeaning(field));
    covered += field.row->length;
  }
  if (covered < length) cursor.Take(length - covered, "value", "further values of the block, not in the table");
  return FieldMeaning(fields.front());
}

std::string ExplainRead(Cursor& cursor, const Frame& frame) {
  if (frame.data.size() < kDiSize) {
    cursor.Take(frame.data.size(), "unknown", "too short for a data identifier");
    return "without data identifier";
  }
  const uint32_t di = DataIdentifier(frame.data);
  cursor.Take(kDiSize, "data identifier", DiMeaning(di));
  size_t rest = frame.data.size() - kDiSize;
  const bool sequence = frame.function() == kReadNext && rest > 0;
  if (sequence) --rest;
  std::string summary = DiMeaning(di);
  if (frame.is_reply() && !frame.more_follows() && !sequence) {
    summary = ExplainValues(cursor, di, rest);
  } else if (rest > 0) {
    // A part of a longer block: where its fields begin is known only with the frames before it.
    cursor.Take(rest, frame.is_reply() ? "value" : "parameters",
                frame.is_reply() ? "a part of the data" : "block count or start time");
  }
  if (sequence) cursor.Take(1, "sequence", absl::StrCat("frame ", static_cast<uint8_t>(frame.data.back() - kOffset)));
  return summary;
}

std::string ExplainRelayRequest(Cursor& cursor, const Frame& frame) {
  cursor.Take(4, "password", "authority level and password", true);
  cursor.Take(4, "operator", "operator code", true);
  constexpr size_t kN1 = 8;
  if (frame.data.size() != 16) {
    cursor.Take(frame.data.size() - std::min<size_t>(frame.data.size(), 8), "unknown", "not the 8 bytes N1 to N8");
    return "of another length than 16";
  }
  const std::string plain = WithoutOffset(frame.data);
  const auto n1 = static_cast<uint8_t>(plain[kN1]);
  const absl::string_view name = RelayActionName(n1);
  const std::string action = name.empty() ? "an action that is not known" : std::string(name);
  cursor.Take(1, "action", absl::StrFormat("N1 = %02X: %s", n1, action));
  cursor.Take(1, "channel", absl::StrFormat("N2 = %02X", static_cast<uint8_t>(plain[kN1 + 1])));
  const auto at = [&plain](size_t i) { return static_cast<uint8_t>(plain[i]); };
  const std::string expiry =
      absl::StrFormat("20%02X-%02X-%02XT%02X:%02X:%02X", at(15), at(14), at(13), at(12), at(11), at(10));
  cursor.Take(6, "expiry", absl::StrCat("not after ", expiry, " by the meter's clock"));
  return absl::StrCat(action, ", not after ", expiry);
}

std::string ExplainData(Cursor& cursor, const Frame& frame) {
  if (frame.is_reply() && frame.is_abnormal()) {
    const std::string bits = absl::StrJoin(ErrorBitNames(frame.function(), frame.data), ", ");
    cursor.Take(frame.data.size(), "error", absl::StrCat("refused: ", bits));
    return absl::StrCat("refused: ", bits);
  }
  switch (frame.function()) {
    case kReadData:
    case kReadNext:
      return ExplainRead(cursor, frame);
    case kReadAddress:
      if (!frame.is_reply() || frame.data.size() != kAddressSize) break;
      {
        Address address;
        std::transform(frame.data.begin(), frame.data.end(), address.wire.begin(),
                       [](uint8_t byte) { return static_cast<uint8_t>(byte - kOffset); });
        cursor.Take(kAddressSize, "value", absl::StrCat("address ", FormatAddress(address)));
        return FormatAddress(address);
      }
    case kRelayControl:
      if (!frame.is_reply()) return ExplainRelayRequest(cursor, frame);
      break;
    default:
      break;
  }
  if (frame.data.empty()) return "no data";
  // Functions that may carry a password (writing, clearing, changing it) are not taken apart yet: all of it is secret.
  const bool secret = !frame.is_reply() && frame.function() != 0x08 && frame.function() != 0x16;
  cursor.Take(frame.data.size(), "data", "data of a function that is not taken apart", secret);
  return absl::StrCat(frame.data.size(), " bytes of data");
}

}  // namespace

Explained Explain(base::ByteView bytes) {
  Explained explained;
  Cursor cursor(bytes);
  size_t preamble = 0;
  while (preamble < bytes.size() && bytes[preamble] == frame::kPreamble) ++preamble;
  cursor.Take(preamble, "preamble", "wakes the receiver");
  const base::ByteView rest = bytes.subspan(preamble);
  const auto frame = ParseFrame(rest);
  if (!frame.has_value()) {
    cursor.Take(rest.size(), "unknown", "no whole DL/T 645 frame with a right checksum");
    explained.spans = std::move(cursor).TakeSpans();
    explained.summary = bytes.empty() ? "nothing" : "not a DL/T 645 frame, or broken";
    return explained;
  }
  cursor.Take(1, "start", "frame start");
  cursor.Take(kAddressSize, "address", absl::StrCat("meter ", FormatAddress(frame->address)));
  cursor.Take(1, "start", "end of the address");
  cursor.Take(1, "control", ControlMeaning(frame->control));
  cursor.Take(1, "length", absl::StrCat(frame->data.size(), " bytes of data, each with 33H added"));
  const std::string data = ExplainData(cursor, *frame);
  cursor.Take(1, "checksum", "sum modulo 256, right");
  cursor.Take(1, "end", "frame end");
  explained.spans = std::move(cursor).TakeSpans();
  explained.summary =
      absl::StrCat("meter ", FormatAddress(frame->address), ", ", ControlMeaning(frame->control), ": ", data);
  explained.understood = true;
  return explained;
}

}  // namespace voltwell::codec::dlt645
