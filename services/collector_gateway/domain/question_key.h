// Tells meters of a bus apart, and kinds of questions, without knowing what a byte means: where question and matcher
// agree on the same bytes at the same place, from the first one on, there stands whom we ask (DL/T 645, CJ/T 188: the
// address); what the matcher compares after that is what we ask for. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "services/collector_gateway/domain/work.h"

namespace voltwell::gateway {

// Bytes kept to show people which meter it is.
inline constexpr size_t kMeterLabelMax = 12;

struct QuestionKey {
  uint64_t meter = 0;  // Who is asked.
  uint64_t kind = 0;   // What is asked, whoever answers.
};

QuestionKey KeyOf(const Question& question);
// Who is asked by an item, as its first question tells. Where nothing tells (M-Bus: an address stands elsewhere in the
// answer) the whole first question is the key: a finer one, which learns more slowly and is never wrong.
uint64_t MeterKeyOf(const Item& item);
// The bytes behind MeterKeyOf, at most kMeterLabelMax.
std::string MeterLabelOf(const Item& item);

}  // namespace voltwell::gateway
