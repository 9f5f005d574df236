// Frames of EN 13757-2; see link.h.
#include "libs/codec/mbus/link.h"

#include "libs/base/check.h"
#include "libs/codec/frame/checksum.h"
#include "libs/codec/frame/frame_kind.h"

namespace voltwell::codec::mbus {
namespace {

constexpr uint8_t kStart = 0x68;
constexpr uint8_t kStop = 0x16;
constexpr size_t kUserMax = 253;  // L of 255 less C and A.
constexpr int32_t kBauds[] = {300, 600, 1200, 2400, 4800, 9600, 19200, 38400};

Error At(Fault fault, size_t position) { return {fault, static_cast<uint16_t>(position)}; }

Error ParseShort(base::ByteView frame, Link& link) {
  if (frame.size() < frame::kMbusShortSize) return At(Fault::kCut, frame.size());
  if (frame[4] != kStop) return At(Fault::kNoStop, 4);
  if (static_cast<uint8_t>(frame[1] + frame[2]) != frame[3]) return At(Fault::kBadChecksum, 3);
  if (frame.size() > frame::kMbusShortSize) return At(Fault::kBytesBehind, frame::kMbusShortSize);
  link = {Shape::kShort, frame[1], frame[2], 0};
  return {};
}

}  // namespace

Error ParseLink(base::ByteView frame, Link& link) {
  if (frame.empty()) return At(Fault::kEmpty, 0);
  if (frame[0] == frame::kMbusAck) {
    if (frame.size() > 1) return At(Fault::kBytesBehind, 1);
    link = {};
    return {};
  }
  if (frame[0] == frame::kMbusShortStart) return ParseShort(frame, link);
  if (frame[0] != kStart) return At(Fault::kNoStart, 0);
  if (frame.size() < 4) return At(Fault::kCut, frame.size());
  const size_t length = frame[1];
  if (frame[2] != length) return At(Fault::kLengthsDiffer, 2);
  if (length < frame::kMbusLengthMin) return At(Fault::kLengthTooShort, 1);
  if (frame[3] != kStart) return At(Fault::kNoSecondStart, 3);
  const size_t size = length + frame::kMbusLongAround;
  if (frame.size() < size) return At(Fault::kCut, frame.size());
  if (frame[size - 1] != kStop) return At(Fault::kNoStop, size - 1);
  if (frame::Sum8(frame.subspan(4, length)) != frame[size - 2]) return At(Fault::kBadChecksum, size - 2);
  if (frame.size() > size) return At(Fault::kBytesBehind, size);
  link = {length == frame::kMbusLengthMin ? Shape::kControl : Shape::kLong, frame[4], frame[5], frame[6]};
  return {};
}

std::string BuildShort(uint8_t control, uint8_t address) {
  const uint8_t bytes[] = {frame::kMbusShortStart, control, address, static_cast<uint8_t>(control + address), kStop};
  return base::ToString(bytes);
}

std::string BuildLong(uint8_t control, uint8_t address, base::ByteView user) {
  VW_CHECK(!user.empty() && user.size() <= kUserMax);
  const auto length = static_cast<char>(user.size() + 2);
  std::string bytes = {static_cast<char>(kStart), length, length, static_cast<char>(kStart)};
  bytes.push_back(static_cast<char>(control));
  bytes.push_back(static_cast<char>(address));
  bytes.append(base::ToString(user));
  bytes.push_back(static_cast<char>(frame::Sum8(base::AsBytes(bytes).subspan(4))));
  bytes.push_back(static_cast<char>(kStop));
  return bytes;
}

uint8_t CiOfBaud(int32_t baud) {
  for (size_t i = 0; i < std::size(kBauds); ++i) {
    if (kBauds[i] == baud) return static_cast<uint8_t>(kCiBaudFirst + i);
  }
  return 0;
}

int32_t BaudOfCi(uint8_t ci) { return ci < kCiBaudFirst || ci > kCiBaudLast ? 0 : kBauds[ci - kCiBaudFirst]; }

const char* FaultText(Fault fault) {
  switch (fault) {
    case Fault::kNone:
      return "no fault";
    case Fault::kEmpty:
      return "no byte";
    case Fault::kNoStart:
      return "neither 68H, 10H nor E5H begins the frame";
    case Fault::kCut:
      return "the frame is cut off";
    case Fault::kLengthsDiffer:
      return "the two lengths differ";
    case Fault::kLengthTooShort:
      return "a length below 3 leaves no room for C, A and CI";
    case Fault::kNoSecondStart:
      return "the second 68H is missing";
    case Fault::kNoStop:
      return "16H is missing at the end";
    case Fault::kBadChecksum:
      return "the checksum is wrong";
    case Fault::kBytesBehind:
      return "bytes follow the frame";
    case Fault::kNotUserData:
      return "the frame carries no user data";
    case Fault::kUnknownCi:
      return "this CI's data is not understood";
    case Fault::kHeaderCut:
      return "the header is cut off";
    case Fault::kFixedLength:
      return "the fixed structure has 16 bytes";
    case Fault::kApplicationError:
      return "the meter reports an application error";
    case Fault::kNoVif:
      return "the VIF is missing";
    case Fault::kTooManyDife:
      return "more than 10 DIFE";
    case Fault::kDifeCut:
      return "the DIFE is missing";
    case Fault::kTooManyVife:
      return "more than 10 VIFE";
    case Fault::kVifeCut:
      return "the VIFE is missing";
    case Fault::kTextCut:
      return "the unit in plain text is cut off";
    case Fault::kReservedDif:
      return "a reserved DIF: how long its data is, is not known";
    case Fault::kReservedLength:
      return "a reserved variable length";
    case Fault::kDataCut:
      return "the record's data is cut off";
  }
  return "";
}

}  // namespace voltwell::codec::mbus
