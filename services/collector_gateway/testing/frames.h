// Frames and items for tests: shaped as DL/T 645, made by hand, so that no codec is needed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "services/collector_gateway/domain/work.h"

namespace voltwell::gateway::testing {

// 68 aaaaaaaaaaaa 68 C L data CS 16, the address being six times the meter's number.
inline std::string Frame(uint8_t meter, uint8_t control, const std::string& data) {
  std::string frame = "\x68" + std::string(6, static_cast<char>(meter)) + "\x68";
  frame += static_cast<char>(control);
  frame += static_cast<char>(data.size());
  frame += data;
  uint8_t sum = 0;
  for (const char c : frame) sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(c));
  frame += static_cast<char>(sum);
  frame += '\x16';
  return frame;
}
inline std::string Ask(uint8_t meter, const std::string& item = "DDDD") { return Frame(meter, 0x11, item); }
inline std::string Reply(uint8_t meter, const std::string& item = "DDDD", const std::string& value = "vvvv") {
  return Frame(meter, 0x91, item + value);
}
// "More follows": bit 5 of the control byte.
inline std::string ReplyWithMore(uint8_t meter, const std::string& item = "DDDD") {
  return Frame(meter, 0xB1, item + "part");
}
inline std::string WithBadChecksum(std::string frame) {
  frame[frame.size() - 2] = static_cast<char>(frame[frame.size() - 2] + 1);
  return frame;
}

// Address, the answer's control byte with or without "more follows", and the first bytes of the data.
inline codec::frame::ReplyMatcher MatcherFor(uint8_t meter, const std::string& item = "DDDD", uint8_t control = 0x91) {
  codec::frame::ReplyPattern pattern;
  for (uint16_t i = 1; i <= 6; ++i) pattern.push_back({i, 0xFF, meter});
  pattern.push_back({8, 0xDF, control});
  for (uint16_t i = 0; i < item.size(); ++i) {
    pattern.push_back({static_cast<uint16_t>(10 + i), 0xFF, static_cast<uint8_t>(item[i])});
  }
  return {.any_of = {pattern}};
}

inline Exchange ReadOf(uint8_t meter, const std::string& item = "DDDD", absl::Duration timeout = absl::Seconds(1)) {
  Exchange exchange;
  exchange.question = {Ask(meter, item), MatcherFor(meter, item)};
  exchange.reply_timeout = timeout;
  return exchange;
}
// INTERACTIVE, so that results do not wait for others.
inline Item ItemOf(uint32_t id, Priority priority = Priority::kInteractive, std::vector<Exchange> exchanges = {}) {
  Item item;
  item.id = id;
  item.priority = priority;
  item.exchanges = exchanges.empty() ? std::vector<Exchange>{ReadOf(static_cast<uint8_t>(id))} : std::move(exchanges);
  return item;
}

}  // namespace voltwell::gateway::testing
