// Explaining frames; see explain.h.
#include "libs/codec/dlt645/explain.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/explain_data.h"
#include "libs/codec/dlt645/explain_words.h"
#include "libs/codec/frame/checksum.h"
#include "libs/codec/frame/frame_kind.h"

namespace voltwell::codec {
namespace dlt645 {
namespace {

constexpr uint8_t kStart = 0x68;
constexpr uint8_t kEnd = 0x16;
constexpr size_t kSecondStart = 7;
constexpr size_t kLengthOffset = 9;
constexpr size_t kAround = 12;  // Bytes of a frame that are not DATA.

// What is wrong with a frame, and where from its first 68H.
struct Flaw {
  size_t offset = 0;
  absl::string_view why = "";
  absl::string_view zh = "";
};

// The first flaw of the bytes that begin with 68H.
std::optional<Flaw> FindFlaw(base::ByteView bytes) {
  const auto cut = [&bytes](size_t wanted) { return bytes.size() < wanted; };
  if (!cut(kSecondStart + 1) && bytes[kSecondStart] != kStart) {
    return Flaw{kSecondStart, "the second 68H is missing", "缺少第二个68H"};
  }
  if (cut(kLengthOffset + 1)) return Flaw{bytes.size(), "the frame ends early", "帧不完整"};
  const size_t size = kAround + bytes[kLengthOffset];
  if (cut(size - 1)) return Flaw{bytes.size(), "the frame ends early", "帧不完整"};
  const uint8_t sum = frame::Sum8(bytes.first(size - 2));
  if (bytes[size - 2] != sum) return Flaw{size - 2, "the checksum is wrong", "校验码错误"};
  if (cut(size)) return Flaw{bytes.size(), "the frame ends early", "帧不完整"};
  if (bytes[size - 1] != kEnd) return Flaw{size - 1, "the end is not 16H", "结束符不是16H"};
  return std::nullopt;
}

// Where a whole frame begins within a broken one; 0: nowhere.
size_t InnerFrame(base::ByteView bytes) {
  const size_t end = std::min<size_t>(bytes.size(), kAround + 0xFF);
  for (size_t i = 1; i < end; ++i) {
    if (bytes[i] == kStart && !FindFlaw(bytes.subspan(i)).has_value()) return i;
  }
  return 0;
}

class Explainer {
 public:
  Explainer(base::ByteView bytes, const ExplainOptions& options)
      : bytes_(bytes), options_(options), cursor_(bytes, options) {}

  ExplainedBytes Run() {
    while (!cursor_.rest().empty()) Step();
    if (bytes_.empty()) {
      result_.summary = cursor_.speech().Say("无内容", "nothing");
      Fail(0, "no bytes", "无内容");
    }
    result_.explanations = std::move(cursor_).Finish();
    return std::move(result_);
  }

 private:
  void Step();
  void ExplainFrame(base::ByteView bytes, const std::optional<Flaw>& flaw);
  void TakeOutside(size_t length);
  void Fail(size_t position, absl::string_view why, absl::string_view zh);
  void AddSummary(const std::string& text) {
    absl::StrAppend(&result_.summary, result_.summary.empty() ? "" : " | ", text);
  }

  base::ByteView bytes_;
  ExplainOptions options_;
  Cursor cursor_;
  bool behind_reply_ = false;  // The last frame is broken, and a reply by its control code.
  ExplainedBytes result_;
};

// What stands in no frame may be the data of a request whose head is damaged: a password is shown by no accident.
void Explainer::TakeOutside(size_t length) {
  const std::string meaning = cursor_.speech().Say("帧外字节", "bytes outside of a frame");
  if (behind_reply_) {
    cursor_.TakeUnknown(length, meaning);
  } else {
    cursor_.TakeMasked(length, meaning);
  }
}

// Errors are kept for the first wrong byte only.
void Explainer::Fail(size_t position, absl::string_view why, absl::string_view zh) {
  if (!result_.error.ok()) return;
  result_.error = base::DataLoss("FRAME_NOT_UNDERSTOOD", cursor_.speech().Say(zh, why),
                                 {{"why", std::string(why)}, {"position", absl::StrCat(position)}});
}

void Explainer::Step() {
  const Speech& speech = cursor_.speech();
  const base::ByteView rest = cursor_.rest();
  size_t preamble = 0;
  while (preamble < rest.size() && rest[preamble] == frame::kPreamble) ++preamble;
  cursor_.Take(preamble, "preamble", speech.Say("前导字节，唤醒接收方", "wakes the receiver"));
  if (preamble == rest.size()) {
    Fail(bytes_.size(), "no frame behind the preamble", "前导字节后无帧");
    if (result_.summary.empty()) result_.summary = speech.Say("只有前导字节", "a preamble only");
    return;
  }
  const base::ByteView bytes = cursor_.rest();
  if (bytes[0] == kStart) {
    const auto flaw = FindFlaw(bytes);
    if (flaw.has_value()) {
      if (const size_t inner = InnerFrame(bytes); inner != 0) {
        Fail(cursor_.at() + flaw->offset, flaw->why, flaw->zh);
        // Taken apart as far as it goes, as passwords are masked there.
        cursor_.EndAt(bytes_.first(cursor_.at() + inner));
        ExplainFrame(bytes.first(inner), FindFlaw(bytes.first(inner)));
        TakeOutside(cursor_.rest().size());
        cursor_.EndAt(bytes_);
        return;
      }
    }
    ExplainFrame(bytes, flaw);
    return;
  }
  const auto next =
      std::find_if(bytes.begin(), bytes.end(), [](uint8_t b) { return b == kStart || b == frame::kPreamble; });
  Fail(cursor_.at(), "no frame begins here", "此处不是帧起始符68H");
  TakeOutside(static_cast<size_t>(next - bytes.begin()));
  if (result_.summary.empty())
    result_.summary = speech.Say("不是DL/T 645帧，或已损坏", "not a DL/T 645 frame, or broken");
}

void Explainer::ExplainFrame(base::ByteView bytes, const std::optional<Flaw>& flaw) {
  const Speech& speech = cursor_.speech();
  if (flaw.has_value()) {
    Fail(cursor_.at() + flaw->offset, flaw->why, flaw->zh);
    if (result_.summary.empty()) {
      result_.summary =
          absl::StrCat(speech.Say("损坏的帧", "a broken frame"), speech.colon(), speech.Say(flaw->zh, flaw->why));
    }
  }
  cursor_.Take(1, "start", speech.Say("帧起始符", "frame start"));
  behind_reply_ = false;
  if (flaw.has_value() && flaw->offset == kSecondStart) {
    // Perhaps no address: 68H may stand in the data of a damaged request. The next step looks for another frame.
    cursor_.TakeMasked(kAddressSize, speech.Say("可能是地址", "perhaps an address"));
    return;
  }
  Frame frame;
  for (size_t i = 0; i < kAddressSize && i + 1 < bytes.size(); ++i) frame.address.wire[i] = bytes[i + 1];
  const bool whole_address = bytes.size() > kAddressSize;
  const std::string meter = absl::StrCat(speech.Say("表 ", "meter "), FormatAddress(frame.address));
  if (!whole_address) {
    cursor_.TakeUnknown(kAddressSize, speech.Say("地址不完整", "a part of an address"));
    return;
  }
  cursor_.Take(kAddressSize, "address", meter);
  cursor_.Take(1, "start", speech.Say("帧起始符，地址结束", "end of the address"));
  if (cursor_.rest().empty()) return;
  frame.control = cursor_.rest()[0];
  behind_reply_ = flaw.has_value() && frame.is_reply();
  const Edition edition = EditionOf(frame.control, options_.protocol);
  result_.protocol = edition == Edition::k2007 ? Protocol::kDlt645_2007 : Protocol::kDlt645_1997;
  const std::string control = ControlMeaning(speech, edition, frame.control);
  cursor_.Take(1, "control", control);
  if (cursor_.rest().empty()) return;
  const size_t length = cursor_.rest()[0];
  cursor_.Take(1, "length",
               absl::StrCat(speech.Say("数据长度 ", ""), length,
                            speech.Say("，每字节加33H", length == 1 ? " byte of data, with 33H added"
                                                                    : " bytes of data, each with 33H added")));
  frame.data = cursor_.Peek(length);
  const std::string said = ExplainData(cursor_, frame, edition, flaw.has_value());
  if (!cursor_.rest().empty()) {
    const bool right = !flaw.has_value() || flaw->offset != kDataOffset + length;
    const uint8_t sum = frame::Sum8(bytes.first(std::min(bytes.size(), kDataOffset + length)));
    const base::ByteView tail = cursor_.Peek(2);
    if (!right && !frame.is_reply() && (tail.size() < 2 || tail[1] != kEnd)) {
      // The length is wrong: these may be DATA, too.
      TakeOutside(tail.size());
      return;
    }
    if (right) {
      cursor_.Take(1, "checksum", speech.Say("校验码正确", "sum modulo 256, right"));
    } else {
      cursor_.TakeUnknown(
          1, absl::StrFormat("%s%02XH", speech.Say("校验码错误，应为 ", "checksum wrong, should be "), sum));
    }
  }
  if (!cursor_.rest().empty()) {
    if (cursor_.rest()[0] == kEnd) {
      cursor_.Take(1, "end", speech.Say("帧结束符", "frame end"));
    } else {
      cursor_.TakeUnknown(1, speech.Say("应为结束符16H", "should be the frame end 16H"));
    }
  }
  if (!flaw.has_value()) {
    AddSummary(absl::StrCat(meter, speech.comma(), control, said.empty() ? "" : speech.colon(), said));
  }
}

}  // namespace
}  // namespace dlt645

ExplainedBytes ExplainDlt645(base::ByteView bytes, const ExplainOptions& options) {
  return dlt645::Explainer(bytes, options).Run();
}

}  // namespace voltwell::codec
