// Keys from matchers and requests; see question_key.h.
#include "services/collector_gateway/domain/question_key.h"

#include <algorithm>

#include "absl/strings/string_view.h"

namespace voltwell::gateway {
namespace {

using codec::frame::MatchByte;
using codec::frame::ReplyPattern;

constexpr uint64_t kFnvBasis = 0xCBF29CE484222325;
constexpr uint64_t kFnvPrime = 0x100000001B3;

uint64_t Mix(uint64_t hash, uint64_t value) { return (hash ^ value) * kFnvPrime; }

absl::string_view WithoutPreamble(absl::string_view request) {
  while (!request.empty() && static_cast<uint8_t>(request[0]) == codec::frame::kPreamble) request.remove_prefix(1);
  return request;
}

bool Asked(const MatchByte& byte, absl::string_view request) {
  return byte.mask == 0xFF && byte.offset < request.size() && static_cast<uint8_t>(request[byte.offset]) == byte.value;
}

// How many bytes at the beginning of all patterns stand in the request too.
size_t AddressBytes(const Question& question) {
  if (question.replies.any_of.empty()) return 0;
  const absl::string_view request = WithoutPreamble(question.request);
  const ReplyPattern& first = question.replies.any_of.front();
  size_t count = 0;
  while (count < first.size() && Asked(first[count], request)) ++count;
  for (const ReplyPattern& other : question.replies.any_of) {
    const auto end =
        std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(count), other.begin(), other.end());
    count = static_cast<size_t>(end.first - first.begin());
  }
  return count;
}

std::string LabelOf(const Question& question) {
  const size_t count = AddressBytes(question);
  if (count == 0) return std::string(WithoutPreamble(question.request));
  std::string label;
  for (size_t i = 0; i < count; ++i) label += static_cast<char>(question.replies.any_of.front()[i].value);
  return label;
}

// Of LabelOf, without making it: this is asked for each exchange.
uint64_t MeterHash(const Question& question, size_t address) {
  uint64_t hash = kFnvBasis;
  if (address == 0) {
    for (const char c : WithoutPreamble(question.request)) hash = Mix(hash, static_cast<uint8_t>(c));
  }
  for (size_t i = 0; i < address; ++i) hash = Mix(hash, question.replies.any_of.front()[i].value);
  return hash;
}

}  // namespace

QuestionKey KeyOf(const Question& question) {
  const size_t address = AddressBytes(question);
  uint64_t kind = Mix(kFnvBasis, question.request.size());
  if (!question.replies.any_of.empty()) {
    const ReplyPattern& first = question.replies.any_of.front();
    for (size_t i = address; i < first.size(); ++i) {
      kind = Mix(Mix(Mix(kind, first[i].offset), first[i].mask), first[i].value);
    }
  }
  return {.meter = MeterHash(question, address), .kind = kind, .addressed = address > 0};
}

uint64_t MeterKeyOf(const Item& item) {
  const Question& first = item.exchanges.front().question;
  return MeterHash(first, AddressBytes(first));
}

std::string MeterLabelOf(const Item& item) {
  return LabelOf(item.exchanges.front().question).substr(0, kMeterLabelMax);
}

}  // namespace voltwell::gateway
