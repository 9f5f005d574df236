// The search over a line of meters: finds each of them, and how many questions it takes.
#include "libs/codec/mbus/search.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

namespace voltwell::codec::mbus {
namespace {

struct Found {
  std::vector<uint32_t> ids;
  size_t questions = 0;
  size_t unresolved = 0;
};

// A line on which answers of two meters are garbage.
Found SearchLine(const std::vector<uint32_t>& line) {
  Found found;
  std::optional<uint32_t> mask = 0xFFFFFFFF;
  while (mask.has_value()) {
    std::vector<uint32_t> answering;
    for (const uint32_t id : line) {
      if (Covers({.id = *mask}, {.id = id})) answering.push_back(id);
    }
    SearchResult result = SearchResult::kNobody;
    if (answering.size() == 1) {
      result = SearchResult::kOne;
      found.ids.push_back(answering[0]);
    } else if (answering.size() > 1) {
      result = SearchResult::kCollision;
      if (std::all_of(answering.begin(), answering.end(), [&](uint32_t id) { return id == *mask; })) ++found.unresolved;
    }
    ++found.questions;
    REQUIRE(found.questions <= kSearchMasksMax);
    mask = PlanSearch(*mask, result);
  }
  std::sort(found.ids.begin(), found.ids.end());
  return found;
}

TEST_CASE("an empty line and a line with one meter take one question") {
  CHECK(SearchLine({}).questions == 1);
  const Found one = SearchLine({0x12345678});
  CHECK(one.questions == 1);
  CHECK(one.ids == std::vector<uint32_t>{0x12345678});
}

TEST_CASE("meters whose ids differ in the last digit only are told apart") {
  const Found found = SearchLine({0x12345670, 0x12345679});
  CHECK(found.ids == std::vector<uint32_t>{0x12345670, 0x12345679});
  CHECK(found.questions == 1 + 8 * 10);
}

TEST_CASE("every meter of a full line is found, within the limit of questions") {
  std::mt19937 random(7);
  std::vector<uint32_t> line;
  while (line.size() < 250) {
    uint32_t id = 0;
    for (int digit = 0; digit < 8; ++digit) id = id << 4 | random() % 10;
    if (std::find(line.begin(), line.end(), id) == line.end()) line.push_back(id);
  }
  Found found = SearchLine(line);
  std::sort(line.begin(), line.end());
  CHECK(found.ids == line);
  CHECK(found.questions < 2000);
}

TEST_CASE("two meters with one id are told as unresolved, and the others are still found") {
  const Found found = SearchLine({0x00000001, 0x00000001, 0x99999999});
  CHECK(found.ids == std::vector<uint32_t>{0x99999999});
  CHECK(found.unresolved == 1);
}

TEST_CASE("the plan ends from every mask and result") {
  for (const SearchResult result : {SearchResult::kNobody, SearchResult::kOne, SearchResult::kCollision}) {
    for (const uint32_t mask : {0xFFFFFFFFU, 0x9FFFFFFFU, 0x99999999U, 0x0FFFFFFFU, 0x00000000U, 0xABCDEF12U}) {
      std::optional<uint32_t> next = mask;
      size_t steps = 0;
      for (SearchResult first = result; next.has_value(); first = SearchResult::kNobody) {
        next = PlanSearch(*next, first);
        REQUIRE(++steps < 200);
      }
    }
  }
}

}  // namespace
}  // namespace voltwell::codec::mbus
