// Numbers divided by spaces, and the lone meter's address; see scan_state.h. The text may have been kept for days or
// made by another version, so that nothing in it is believed.
#include "libs/codec/scan_state.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "libs/codec/scan_question.h"

namespace voltwell::codec {
namespace {

constexpr int kVersion = 1;
constexpr int kPrimaryLast = 250;
constexpr size_t kLoneMax = 12;

absl::Status BadState(absl::string_view why) {
  return base::InvalidArgument("BAD_SCAN_STATE", absl::StrCat("this is no state of a search: ", why),
                               {{"why", std::string(why)}});
}

// Takes numbers one after another; the first that is not there or out of bounds spoils all.
class Numbers {
 public:
  explicit Numbers(std::vector<absl::string_view> words) : words_(std::move(words)) {}
  int Take(int least, int most) {
    int value = 0;
    if (next_ >= words_.size() || !absl::SimpleAtoi(words_[next_++], &value) || value < least || value > most) {
      good_ = false;
      return least;
    }
    return value;
  }
  std::vector<int> TakeList(int length, int most) {
    std::vector<int> list;
    for (int i = 0; i < length && good_; ++i) list.push_back(Take(0, most));
    return list;
  }
  bool good() const { return good_; }
  // What stands behind the numbers: one word or none.
  absl::string_view Rest() const { return next_ < words_.size() ? words_[next_] : absl::string_view(); }
  bool AtEnd() const { return next_ + 1 >= words_.size(); }

 private:
  std::vector<absl::string_view> words_;
  size_t next_ = 0;
  bool good_ = true;
};

bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); });
}

bool PartFits(const ScanState& state) {
  const Protocol protocol = state.protocol();
  if (state.part == ScanPart::kLone && protocol != Protocol::kDlt645_2007) return false;
  if (state.part == ScanPart::kSweep && protocol != Protocol::kMbus) return false;
  return Fits(TreeShapeOf(protocol, state.rules.thorough), state.tree);
}

}  // namespace

std::string TextOf(const ScanState& state) {
  const auto flag = [](bool set) { return set ? 1 : 0; };
  const ScanRules& rules = state.rules;
  std::vector<int64_t> numbers = {kVersion,
                                  rules.baud,
                                  absl::ToInt64Milliseconds(rules.patience),
                                  flag(rules.thorough),
                                  flag(rules.primary_sweep),
                                  static_cast<int64_t>(rules.protocols.size())};
  for (const Protocol protocol : rules.protocols) numbers.push_back(static_cast<int64_t>(protocol));
  for (const int64_t number :
       {static_cast<int64_t>(state.turn), static_cast<int64_t>(state.part), int64_t{state.primary}, int64_t{state.asks},
        int64_t{state.spoilt}, int64_t{flag(state.crowded)}, int64_t{state.tree.garbled}, int64_t{state.tree.silences},
        int64_t{flag(state.tree.control)}, int64_t{state.tree.babbled}, static_cast<int64_t>(state.tree.path.size())}) {
    numbers.push_back(number);
  }
  numbers.insert(numbers.end(), state.tree.path.begin(), state.tree.path.end());
  numbers.insert(numbers.end(), state.tree.answering.begin(), state.tree.answering.end());
  return absl::StrCat(absl::StrJoin(numbers, " "), " ", state.lone.empty() ? "-" : state.lone);
}

absl::StatusOr<ScanState> ParseScanState(absl::string_view text) {
  if (text.size() > kScanStateMax) return BadState("too long");
  constexpr int kAny = std::numeric_limits<int>::max();
  Numbers numbers(absl::StrSplit(text, ' '));
  ScanState state;
  numbers.Take(kVersion, kVersion);
  state.rules.baud = numbers.Take(0, kAny);
  state.rules.patience =
      absl::Milliseconds(numbers.Take(0, static_cast<int>(absl::ToInt64Milliseconds(kScanPatienceMax))));
  state.rules.thorough = numbers.Take(0, 1) == 1;
  state.rules.primary_sweep = numbers.Take(0, 1) == 1;
  const int protocols = numbers.Take(1, static_cast<int>(Protocol::kMbus));
  for (const int number : numbers.TakeList(protocols, static_cast<int>(Protocol::kMbus))) {
    if (number == 0) return BadState("no protocol");
    state.rules.protocols.push_back(static_cast<Protocol>(number));
  }
  state.turn = static_cast<size_t>(numbers.Take(0, protocols));
  state.part = static_cast<ScanPart>(numbers.Take(0, 2));
  state.primary = numbers.Take(0, kPrimaryLast);
  state.asks = numbers.Take(0, kScanGarbledCertain);
  state.spoilt = numbers.Take(0, kScanBabbledMax);
  state.crowded = numbers.Take(0, 1) == 1;
  state.tree.garbled = numbers.Take(0, kAny);
  state.tree.silences = numbers.Take(0, kAny);
  state.tree.control = numbers.Take(0, 1) == 1;
  state.tree.babbled = numbers.Take(0, kAny);
  const int depth = numbers.Take(0, 8);
  state.tree.path = numbers.TakeList(depth, kAny);
  state.tree.answering = numbers.TakeList(depth, kAny);
  if (!numbers.good() || !numbers.AtEnd()) return BadState("numbers");
  const absl::string_view lone = numbers.Rest();
  if (lone != "-") {
    if (lone.empty() || lone.size() > kLoneMax || !IsHex(lone)) return BadState("address");
    state.lone = std::string(lone);
  }
  if (!state.over() && !PartFits(state)) return BadState("position");
  return state;
}

}  // namespace voltwell::codec
