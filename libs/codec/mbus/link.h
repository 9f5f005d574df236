// The link layer of EN 13757-2: E5H, short, control and long frames. What the user data says is telegram.h's matter.
#pragma once

#include <cstdint>
#include <string>

#include "libs/base/bytes.h"

namespace voltwell::codec::mbus {

// Functions of C. Bit 6 tells master from slave; FCB (20H) alternates with each new exchange that has FCV (10H).
inline constexpr uint8_t kSndNke = 0x40;
inline constexpr uint8_t kSndUd = 0x53;
inline constexpr uint8_t kReqUd2 = 0x5B;
inline constexpr uint8_t kReqUd1 = 0x5A;
inline constexpr uint8_t kReqSke = 0x49;
inline constexpr uint8_t kRspUd = 0x08;
inline constexpr uint8_t kFcb = 0x20;
inline constexpr uint8_t kFromMaster = 0x40;
// C of a reply without ACD (20H) and DFC (10H), which a slave may set.
inline constexpr uint8_t kReplyMask = 0xCF;

inline constexpr uint8_t kPrimaryMax = 250;
inline constexpr uint8_t kSelectedAddress = 0xFD;  // Who was selected by its secondary address.
inline constexpr uint8_t kEveryoneAnswers = 0xFE;  // For a line with one meter.
inline constexpr uint8_t kEveryoneSilent = 0xFF;   // Broadcast without answer.

// CI, master to slave.
inline constexpr uint8_t kCiApplicationReset = 0x50;
inline constexpr uint8_t kCiSend = 0x51;
inline constexpr uint8_t kCiSelect = 0x52;
inline constexpr uint8_t kCiSendMsb = 0x55;
inline constexpr uint8_t kCiSelectMsb = 0x56;
inline constexpr uint8_t kCiBaudFirst = 0xB8;  // B8H to BFH: 300 to 38400 bit/s.
inline constexpr uint8_t kCiBaudLast = 0xBF;
// CI, slave to master.
inline constexpr uint8_t kCiError = 0x70;
inline constexpr uint8_t kCiAlarm = 0x71;
inline constexpr uint8_t kCiLong = 0x72;
inline constexpr uint8_t kCiFixed = 0x73;
inline constexpr uint8_t kCiLongMsb = 0x76;
inline constexpr uint8_t kCiFixedMsb = 0x77;
inline constexpr uint8_t kCiNoHeader = 0x78;
inline constexpr uint8_t kCiShort = 0x7A;

enum class Shape : uint8_t { kAck, kShort, kControl, kLong };

// Why bytes are no frame, or a frame no telegram. Each has a name in words (FaultText).
enum class Fault : uint8_t {
  kNone = 0,
  kEmpty,
  kNoStart,
  kCut,
  kLengthsDiffer,
  kLengthTooShort,
  kNoSecondStart,
  kNoStop,
  kBadChecksum,
  kBytesBehind,
  kNotUserData,
  kUnknownCi,
  kHeaderCut,
  kFixedLength,
  kApplicationError,
  kNoVif,
  kTooManyDife,
  kDifeCut,
  kTooManyVife,
  kVifeCut,
  kTextCut,
  kReservedDif,
  kReservedLength,
  kDataCut,
};
const char* FaultText(Fault fault);

// A fault and the first byte that is wrong, counted from the frame's first; at the frame's size: it should go on.
struct Error {
  Fault fault = Fault::kNone;
  uint16_t position = 0;

  bool ok() const { return fault == Fault::kNone; }
};

// One whole frame, from its start byte to its 16H.
struct Link {
  Shape shape = Shape::kAck;
  uint8_t control = 0;
  uint8_t address = 0;
  uint8_t ci = 0;  // Of control and long frames.
};

Error ParseLink(base::ByteView frame, Link& link);

std::string BuildShort(uint8_t control, uint8_t address);
// CI and what follows; at most 253 bytes.
std::string BuildLong(uint8_t control, uint8_t address, base::ByteView user);

// CI of a baud rate, 300 to 38400; 0 for another. And back; 0 for another CI.
uint8_t CiOfBaud(int32_t baud);
int32_t BaudOfCi(uint8_t ci);

}  // namespace voltwell::codec::mbus
