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
  // The answer must name whom we asked, in the place where the question does. Else a late one may be taken for
  // another meter's: all of them acknowledge with the same E5H in M-Bus.
  bool addressed = false;
};

QuestionKey KeyOf(const Question& question);
// Who is asked by an item, as its first question tells. Where nothing tells (M-Bus: an address stands elsewhere in the
// answer, or nowhere) the whole first question is the key, for counts and penalties; its answers are given all their
// time.
uint64_t MeterKeyOf(const Item& item);
// The bytes behind MeterKeyOf, at most kMeterLabelMax.
std::string MeterLabelOf(const Item& item);

}  // namespace voltwell::gateway
