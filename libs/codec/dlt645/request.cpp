// Building requests and reply patterns; see request.h.
#include "libs/codec/dlt645/request.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/frame.h"
#include "libs/codec/frame/frame_kind.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr size_t kSecretSize = 4;

size_t IdentifierSize(Edition edition) { return edition == Edition::k2007 ? kDiSize : 2; }

frame::ReplyPattern AddressPattern(const Address& address) {
  frame::ReplyPattern pattern;
  for (size_t i = 0; i < kAddressSize; ++i) {
    if (address.wire[i] == kAddressWildcard) continue;
    pattern.push_back({static_cast<uint16_t>(1 + i), 0xFF, address.wire[i]});
  }
  return pattern;
}

// Years 2000 to 2099.
int DaysOf(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && year % 4 == 0 ? 29 : kDays[static_cast<size_t>(month - 1)];
}

}  // namespace

absl::string_view RelayActionName(uint8_t n1) {
  switch (static_cast<RelayAction>(n1)) {
    case RelayAction::kTrip:
      return "trip";
    case RelayAction::kPermitClose:
      return "permit_close";
    case RelayAction::kDirectClose:
      return "direct_close";
    case RelayAction::kPreTrip:
      return "pre_trip";
    case RelayAction::kPreTripPermit:
      return "pre_trip_permit";
    case RelayAction::kAlarmOn:
      return "alarm_on";
    case RelayAction::kAlarmOff:
      return "alarm_off";
    case RelayAction::kKeepPowerOn:
      return "keep_power_on";
    case RelayAction::kKeepPowerOff:
      return "keep_power_off";
  }
  return "";
}

void AppendIdentifier(std::string& data, uint32_t di, Edition edition) {
  for (size_t i = 0; i < IdentifierSize(edition); ++i) data.push_back(static_cast<char>(di >> (8 * i) & 0xFF));
}

absl::StatusOr<std::string> TimeBytes(absl::string_view text, bool with_seconds, absl::string_view reason) {
  const auto bad = [text, reason] {
    return base::InvalidArgument(reason, "a meter's local time is YYYY-MM-DDThh:mm[:ss], from 2000 to 2099",
                                 {{"text", std::string(text.substr(0, 32))}});
  };
  absl::string_view shape = "20dd-dd-ddTdd:dd:dd";
  if (!with_seconds) shape.remove_suffix(3);
  if (text.size() != shape.size()) return bad();
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit = absl::ascii_isdigit(static_cast<unsigned char>(text[i]));
    if (shape[i] == 'd' ? !digit : text[i] != shape[i]) return bad();
  }
  struct Part {
    size_t at;
    int low;
    int high;
  };
  constexpr std::array<Part, 6> kParts = {{{17, 0, 59}, {14, 0, 59}, {11, 0, 23}, {8, 1, 31}, {5, 1, 12}, {2, 0, 99}}};
  std::string bytes;
  for (size_t i = with_seconds ? 0 : 1; i < kParts.size(); ++i) {
    const int tens = text[kParts[i].at] - '0';
    const int ones = text[kParts[i].at + 1] - '0';
    if (tens * 10 + ones < kParts[i].low || tens * 10 + ones > kParts[i].high) return bad();
    bytes.push_back(static_cast<char>(tens << 4 | ones));
  }
  const auto number = [text](size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  if (number(8) > DaysOf(number(2), number(5))) return bad();
  return bytes;
}

size_t EncodeRead(Edition edition, const Address& address, uint32_t di, std::span<uint8_t, kReadRequestMax> out) {
  const size_t data = IdentifierSize(edition);
  uint8_t* at = out.data();
  *at++ = frame::kDlt645Start;
  at = std::copy(address.wire.begin(), address.wire.end(), at);
  *at++ = frame::kDlt645Start;
  *at++ = edition == Edition::k2007 ? kReadData : kReadData1997;
  *at++ = static_cast<uint8_t>(data);
  for (size_t i = 0; i < data; ++i) *at++ = static_cast<uint8_t>((di >> (8 * i)) + kOffset);
  uint8_t sum = 0;
  for (const uint8_t* byte = out.data(); byte != at; ++byte) sum = static_cast<uint8_t>(sum + *byte);
  *at++ = sum;
  *at++ = frame::kDlt645End;
  return static_cast<size_t>(at - out.data());
}

std::string BuildRead(const Address& address, uint32_t di, Edition edition) {
  std::array<uint8_t, kReadRequestMax> bytes;
  const size_t size = EncodeRead(edition, address, di, bytes);
  return base::ToString(base::ByteView(bytes).first(size));
}

std::string BuildReadNext(const Address& address, uint32_t di, uint8_t sequence, Edition edition) {
  std::string data;
  AppendIdentifier(data, di, edition);
  if (edition == Edition::k2007) data.push_back(static_cast<char>(sequence));
  return BuildFrame(address, edition == Edition::k2007 ? kReadNext : kReadNext1997, base::AsBytes(data));
}

std::string BuildReadAddress(const Address& address) { return BuildFrame(address, kReadAddress, {}); }

absl::StatusOr<std::string> BuildRelay(const Address& address, const RelayRequest& request) {
  if (request.password.size() != kSecretSize) {
    return base::InvalidArgument("BAD_PASSWORD_LENGTH", "a DL/T 645 password is 4 bytes: PA P0 P1 P2");
  }
  if (request.operator_code.size() != kSecretSize) {
    return base::InvalidArgument("BAD_OPERATOR_LENGTH", "a DL/T 645 operator code is 4 bytes: C0 to C3");
  }
  std::string data = request.password + request.operator_code;
  if (request.cipher.empty()) {
    VW_ASSIGN_OR_RETURN(const std::string expiry, TimeBytes(request.expiry, /*with_seconds=*/true, "BAD_EXPIRY"));
    data.push_back(static_cast<char>(request.action));
    data.push_back(static_cast<char>(request.channel));
    data += expiry;
  } else {
    data += request.cipher;
  }
  data += request.mac;
  if (data.size() > kDataMax) {
    return base::InvalidArgument("VALUE_TOO_LONG", "the data of a frame has at most 255 bytes");
  }
  return BuildFrame(address, kRelayControl, base::AsBytes(data));
}

frame::ReplyMatcher ReadReplyMatcher(const Address& address, uint8_t function, uint32_t di, Edition edition) {
  frame::ReplyPattern normal = AddressPattern(address);
  frame::ReplyPattern abnormal = normal;
  // D5 may be set or not: more data may follow.
  normal.push_back({kControlOffset, static_cast<uint8_t>(~kMoreBit), static_cast<uint8_t>(function | kReplyBit)});
  for (size_t i = 0; i < IdentifierSize(edition); ++i) {
    normal.push_back({static_cast<uint16_t>(kDataOffset + i), 0xFF, static_cast<uint8_t>((di >> (8 * i)) + kOffset)});
  }
  abnormal.push_back({kControlOffset, 0xFF, static_cast<uint8_t>(function | kReplyBit | kAbnormalBit)});
  return {{std::move(normal), std::move(abnormal)}};
}

frame::ReplyMatcher ReplyMatcherOf(const Address& address, uint8_t function) {
  frame::ReplyPattern pattern = AddressPattern(address);
  pattern.push_back({kControlOffset, static_cast<uint8_t>(~kAbnormalBit), static_cast<uint8_t>(function | kReplyBit)});
  return {{std::move(pattern)}};
}

}  // namespace voltwell::codec::dlt645
