// Building requests; see request.h.
#include "libs/codec/cjt188/request.h"

#include "absl/strings/numbers.h"

namespace voltwell::codec::cjt188 {
namespace {

// All but the follow-up bit.
constexpr uint8_t kControlMask = 0xDF;
constexpr uint16_t kSequenceOffset = kDataOffset + 2;

frame::ReplyPattern HeadPattern(const Address& address, uint8_t control) {
  frame::ReplyPattern pattern = {{0, 0xFF, kStart}, {kControlOffset, kControlMask, control}};
  for (size_t i = 0; i < kAddressSize; ++i) {
    if (IsWildcard(address.wire[i])) continue;
    pattern.push_back({static_cast<uint16_t>(kAddressOffset + i), 0xFF, address.wire[i]});
  }
  return pattern;
}

int Digits(absl::string_view text, size_t at, size_t count) {
  int number = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

int DaysOf(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && year % 4 == 0 ? 29 : kDays[month - 1];
}

}  // namespace

uint8_t FunctionOf(uint16_t di) {
  switch (di) {
    case 0x810A:
      return kReadAddress;
    case 0x8106:
      return kReadKeyVersion;
    case 0xA018:
      return kWriteAddress;
    case 0xA016:
      return kWriteBase;
    default:
      return di >> 12 == 0xA ? kWriteData : kReadData;
  }
}

std::string BuildRequest(const Address& address, uint16_t di, base::ByteView body, const RequestOptions& options) {
  const auto high = static_cast<char>(di >> 8);
  const auto low = static_cast<char>(di & 0xFF);
  std::string data = options.low_first ? std::string{low, high} : std::string{high, low};
  data.push_back(static_cast<char>(options.sequence));
  data += base::ToString(body);
  return BuildFrame(address, FunctionOf(di), base::AsBytes(data));
}

frame::ReplyMatcher MatcherOf(const Address& address, uint16_t di, std::optional<uint8_t> sequence) {
  const uint8_t function = FunctionOf(di);
  const auto high = static_cast<uint8_t>(di >> 8);
  const auto low = static_cast<uint8_t>(di & 0xFF);
  frame::ReplyMatcher matcher;
  for (const bool low_first : {true, false}) {
    frame::ReplyPattern pattern = HeadPattern(address, function | kReplyBit);
    pattern.push_back({kDataOffset, 0xFF, low_first ? low : high});
    pattern.push_back({kDataOffset + 1, 0xFF, low_first ? high : low});
    if (sequence.has_value()) pattern.push_back({kSequenceOffset, 0xFF, *sequence});
    matcher.any_of.push_back(std::move(pattern));
  }
  const frame::ReplyPattern refused = HeadPattern(address, function | kReplyBit | kAbnormalBit);
  if (!sequence.has_value()) {
    matcher.any_of.push_back(refused);
    return matcher;
  }
  struct Shape {
    uint8_t mask, length;
    uint16_t sequence_at;  // 0: such a short one has none.
  };
  // SER ST ST; DI DI SER error; nothing, or one byte.
  for (const Shape shape : {Shape{0xFF, 3, kDataOffset}, Shape{0xFF, 4, kSequenceOffset}, Shape{0xFE, 0, 0}}) {
    frame::ReplyPattern pattern = refused;
    pattern.push_back({kLengthOffset, shape.mask, shape.length});
    if (shape.sequence_at != 0) pattern.push_back({shape.sequence_at, 0xFF, *sequence});
    matcher.any_of.push_back(std::move(pattern));
  }
  return matcher;
}

bool PutBcd(int64_t number, size_t bytes, std::string& out) {
  if (number < 0) return false;
  for (size_t i = 0; i < bytes; ++i, number /= 100) {
    out.push_back(static_cast<char>((number / 10 % 10) << 4 | number % 10));
  }
  return number == 0;
}

bool PutTime(absl::string_view text, std::string& out) {
  constexpr absl::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() != kShape.size()) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] != 'd' && text[i] != kShape[i]) return false;
  }
  const int year = Digits(text, 0, 4);
  const int month = Digits(text, 5, 2);
  const int day = Digits(text, 8, 2);
  const int hour = Digits(text, 11, 2);
  const int minute = Digits(text, 14, 2);
  const int second = Digits(text, 17, 2);
  if (year < 2000 || year > 2099 || month < 1 || month > 12 || day < 1 || day > DaysOf(year, month)) return false;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false;
  for (const int part : {second, minute, hour, day, month, year % 100, year / 100}) PutBcd(part, 1, out);
  return true;
}

}  // namespace voltwell::codec::cjt188
