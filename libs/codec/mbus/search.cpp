// The walk through the tree of ids; see search.h.
#include "libs/codec/mbus/search.h"

namespace voltwell::codec::mbus {
namespace {

constexpr int kDigits = 8;
constexpr uint32_t kWildcard = 0xF;

uint32_t DigitAt(uint32_t mask, int index) { return (mask >> (4 * (kDigits - 1 - index))) & 0xF; }

// The first `count` digits of the mask with the last of them replaced, wildcards behind.
uint32_t With(uint32_t mask, int count, uint32_t digit) {
  const int shift = 4 * (kDigits - count);
  const uint32_t kept = shift + 4 >= 32 ? 0 : mask >> (shift + 4) << (shift + 4);
  const uint32_t wild = shift == 0 ? 0 : (uint32_t{1} << shift) - 1;
  return kept | digit << shift | wild;
}

}  // namespace

std::optional<uint32_t> PlanSearch(uint32_t mask, SearchResult result) {
  int plain = 0;
  while (plain < kDigits && DigitAt(mask, plain) != kWildcard) ++plain;
  if (result == SearchResult::kCollision && plain < kDigits) return With(mask, plain + 1, 0);
  // The next brother, or that of the nearest ancestor that has one.
  for (; plain > 0; --plain) {
    const uint32_t digit = DigitAt(mask, plain - 1);
    if (digit < 9) return With(mask, plain, digit + 1);
  }
  return std::nullopt;
}

}  // namespace voltwell::codec::mbus
