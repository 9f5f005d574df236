// Finding the meters of a line by their secondary addresses: digits are narrowed down, first to last, wherever several
// answer at once. Pure: the caller sends what is planned and tells what came.
#pragma once

#include <cstdint>
#include <optional>

#include "libs/codec/mbus/address.h"

namespace voltwell::codec::mbus {

// Masks that one search may try: ten for each digit of each of 250 meters, and ten more.
inline constexpr uint32_t kSearchMasksMax = 10 * 8 * 250 + 10;

enum class SearchResult : uint8_t {
  kNobody,    // No E5H to the selection.
  kOne,       // E5H, then a telegram that holds.
  kCollision  // E5H, or anything, then no telegram that holds.
};

// The mask to try after `mask` gave `result`; none: the search is over. Begin with 8 x FH. A collision at eight plain
// digits cannot be narrowed (two meters with one id): the search goes on behind it.
// The wildcard digits must be the last ones, which those of this plan are.
std::optional<uint32_t> PlanSearch(uint32_t mask, SearchResult result);

}  // namespace voltwell::codec::mbus
