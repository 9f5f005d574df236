// Building requests and reply patterns; see request.h.
#include "libs/codec/dlt645/request.h"

#include <array>

#include "absl/strings/ascii.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/frame.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr size_t kSecretSize = 4;

void AppendDi(std::string& data, uint32_t di) {
  for (size_t i = 0; i < kDiSize; ++i) data.push_back(static_cast<char>(di >> (8 * i) & 0xFF));
}

frame::ReplyPattern AddressPattern(const Address& address) {
  frame::ReplyPattern pattern;
  for (size_t i = 0; i < kAddressSize; ++i) {
    if (address.wire[i] == kAddressWildcard) continue;
    pattern.push_back({static_cast<uint16_t>(1 + i), 0xFF, address.wire[i]});
  }
  return pattern;
}

// "2026-11-22T09:30:00" to ss mm hh DD MM YY.
absl::StatusOr<std::string> ExpiryBytes(absl::string_view text) {
  const auto bad = [text] {
    return base::InvalidArgument("BAD_EXPIRY",
                                 "expiry is the meter's local time, YYYY-MM-DDThh:mm:ss, from 2000 to 2099",
                                 {{"expiry", std::string(text.substr(0, 32))}});
  };
  constexpr absl::string_view kShape = "20dd-dd-ddTdd:dd:dd";
  if (text.size() != kShape.size()) return bad();
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit = absl::ascii_isdigit(static_cast<unsigned char>(text[i]));
    if (kShape[i] == 'd' ? !digit : text[i] != kShape[i]) return bad();
  }
  struct Part {
    size_t at;
    int low;
    int high;
  };
  constexpr std::array<Part, 6> kParts = {{{17, 0, 59}, {14, 0, 59}, {11, 0, 23}, {8, 1, 31}, {5, 1, 12}, {2, 0, 99}}};
  std::string bytes;
  for (const Part& part : kParts) {
    const int tens = text[part.at] - '0';
    const int ones = text[part.at + 1] - '0';
    if (tens * 10 + ones < part.low || tens * 10 + ones > part.high) return bad();
    bytes.push_back(static_cast<char>(tens << 4 | ones));
  }
  return bytes;
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

std::string BuildRead(const Address& address, uint32_t di) {
  std::string data;
  AppendDi(data, di);
  return BuildFrame(address, kReadData, base::AsBytes(data));
}

std::string BuildReadNext(const Address& address, uint32_t di, uint8_t sequence) {
  std::string data;
  AppendDi(data, di);
  data.push_back(static_cast<char>(sequence));
  return BuildFrame(address, kReadNext, base::AsBytes(data));
}

std::string BuildReadAddress(const Address& address) { return BuildFrame(address, kReadAddress, {}); }

absl::StatusOr<std::string> BuildRelay(const Address& address, const RelayRequest& request) {
  if (request.password.size() != kSecretSize) {
    return base::InvalidArgument("BAD_PASSWORD_LENGTH", "a DL/T 645 password is 4 bytes: PA P0 P1 P2");
  }
  if (request.operator_code.size() != kSecretSize) {
    return base::InvalidArgument("BAD_OPERATOR_LENGTH", "a DL/T 645 operator code is 4 bytes: C0 to C3");
  }
  VW_ASSIGN_OR_RETURN(const std::string expiry, ExpiryBytes(request.expiry));
  std::string data = request.password + request.operator_code;
  data.push_back(static_cast<char>(request.action));
  data.push_back(static_cast<char>(request.channel));
  data += expiry;
  return BuildFrame(address, kRelayControl, base::AsBytes(data));
}

frame::ReplyMatcher ReadReplyMatcher(const Address& address, uint8_t function, uint32_t di) {
  frame::ReplyPattern normal = AddressPattern(address);
  frame::ReplyPattern abnormal = normal;
  // D5 may be set or not: more data may follow.
  normal.push_back({kControlOffset, static_cast<uint8_t>(~kMoreBit), static_cast<uint8_t>(function | kReplyBit)});
  for (size_t i = 0; i < kDiSize; ++i) {
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
