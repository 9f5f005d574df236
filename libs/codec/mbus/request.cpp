// Selections and reply patterns; see request.h.
#include "libs/codec/mbus/request.h"

#include "libs/codec/frame/frame_kind.h"
#include "libs/codec/mbus/link.h"

namespace voltwell::codec::mbus {
namespace {

constexpr uint16_t kControlOffset = 4;
constexpr uint16_t kAddressOffset = 5;
constexpr uint16_t kCiOffset = 6;
constexpr uint16_t kIdOffset = 7;

frame::ReplyPattern Telegram() { return {{0, 0xFF, frame::kDlt645Start}, {kControlOffset, kReplyMask, kRspUd}}; }

// The id as sent with this CI; wildcard digits match any.
frame::ReplyPattern TelegramWithId(uint8_t ci, uint32_t id) {
  frame::ReplyPattern pattern = Telegram();
  pattern.push_back({kCiOffset, 0xFF, ci});
  const bool high_first = ci == kCiLongMsb || ci == kCiFixedMsb;
  for (uint16_t i = 0; i < 4; ++i) {
    const auto byte = static_cast<uint8_t>(id >> (8 * (high_first ? 3 - i : i)));
    const auto mask = static_cast<uint8_t>(((byte & 0xF0) == 0xF0 ? 0 : 0xF0) | ((byte & 0x0F) == 0x0F ? 0 : 0x0F));
    if (mask != 0) pattern.push_back({static_cast<uint16_t>(kIdOffset + i), mask, static_cast<uint8_t>(byte & mask)});
  }
  return pattern;
}

}  // namespace

std::string BuildSelect(const SecondaryAddress& mask) {
  const uint8_t user[] = {kCiSelect,
                          static_cast<uint8_t>(mask.id),
                          static_cast<uint8_t>(mask.id >> 8),
                          static_cast<uint8_t>(mask.id >> 16),
                          static_cast<uint8_t>(mask.id >> 24),
                          static_cast<uint8_t>(mask.manufacturer),
                          static_cast<uint8_t>(mask.manufacturer >> 8),
                          mask.version,
                          mask.medium};
  return BuildLong(kSndUd, kSelectedAddress, user);  // FCB 0: the first question to FDH has FCB 1.
}

frame::ReplyMatcher AckMatcher() { return {{{{0, 0xFF, frame::kMbusAck}}}}; }

frame::ReplyMatcher AnyTelegramMatcher() { return {{Telegram()}}; }

frame::ReplyMatcher TelegramMatcher(const MeterAddress& address) {
  if (!address.is_secondary) {
    frame::ReplyPattern pattern = Telegram();
    pattern.push_back({kAddressOffset, 0xFF, address.primary});
    return {{std::move(pattern)}};
  }
  frame::ReplyMatcher matcher;
  for (const uint8_t ci : {kCiLong, kCiLongMsb, kCiFixed, kCiFixedMsb}) {
    matcher.any_of.push_back(TelegramWithId(ci, address.secondary.id));
  }
  // These tell no id; the selection is what ties them to the meter.
  for (const uint8_t ci : {kCiNoHeader, kCiShort, kCiError, kCiAlarm}) {
    frame::ReplyPattern pattern = Telegram();
    pattern.push_back({kCiOffset, 0xFF, ci});
    matcher.any_of.push_back(std::move(pattern));
  }
  return matcher;
}

}  // namespace voltwell::codec::mbus
