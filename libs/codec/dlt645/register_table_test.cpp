// The table's own rules: order, unique ids, and that each row is proven by a recorded frame or counted as unproven.
#include "libs/codec/dlt645/register_table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/codec/vectors/vector_file.h"

namespace voltwell::codec::dlt645 {
namespace {

// The vector shows this register: as a value, a missing value, or asked for by a recorded request.
bool Shows(const vectors::Vector& vector, const Register& row) {
  for (const auto& [key, rest] : vector.facts) {
    const std::vector<std::string> words = absl::StrSplit(rest, ' ');
    if ((key == "value" || key == "no_value" || key == "reads") && words[0] == std::string(row.name)) return true;
    if (key == "reads_block" && BlockOf(row) != nullptr &&
        absl::EqualsIgnoreCase(words[0], absl::StrCat(absl::Hex(BlockOf(row)->di, absl::kZeroPad8)))) {
      return true;
    }
  }
  return false;
}

TEST_CASE("rows are ordered by identifier and every row is found by its ids") {
  uint32_t last = 0;
  std::set<std::string> ids;
  std::set<std::string> names;
  for (const Register& row : Registers()) {
    CAPTURE(std::string(row.name));
    CHECK((row.di > last || last == 0));
    last = row.di;
    CHECK(FindByDi(row.di) == &row);
    CHECK(FindByObis(row.obis) == &row);
    CHECK(ids.insert(std::string(row.obis)).second);
    CHECK(names.insert(std::string(row.name)).second);
    CHECK(row.length >= 1);
    CHECK(row.length <= kFieldMax);
    CHECK_FALSE(row.title_zh.empty());
    CHECK_FALSE(row.title_en.empty());
    CHECK_FALSE(row.notation.empty());
    CHECK_FALSE(row.source.empty());
  }
  CHECK(FindByDi(0x00010500) == nullptr);
  CHECK(FindByObis("1-0:99.99.99") == nullptr);
}

TEST_CASE("every member of a block is a row of the block's width") {
  for (const Block& block : Blocks()) {
    CHECK(FindBlock(block.di) == &block);
    for (uint8_t i = 0; i < block.members; ++i) {
      const Register* const row = FindByDi(block.first + i * 0x100U);
      REQUIRE(row != nullptr);
      CHECK(row->length == block.length);
      CHECK(BlockOf(*row) == &block);
    }
  }
}

TEST_CASE("a row that names a proof is shown by that vector, and at most a fifth of the rows is unproven") {
  const auto recorded = vectors::Load("dlt645_2007.vec");
  size_t unproven = 0;
  for (const Register& row : Registers()) {
    CAPTURE(std::string(row.name), std::string(row.proof));
    if (row.proof.empty()) {
      ++unproven;
      continue;
    }
    const auto vector = std::find_if(recorded.begin(), recorded.end(),
                                     [&row](const auto& candidate) { return candidate.id == std::string(row.proof); });
    REQUIRE(vector != recorded.end());
    CHECK_FALSE(vector->source.empty());
    CHECK(Shows(*vector, row));
  }
  CHECK(unproven * 5 <= Registers().size());
}

TEST_CASE("what shows the relay and the remaining money is proven by a recorded reply, not by a request") {
  const auto recorded = vectors::Load("dlt645_2007.vec");
  for (const char* name : {"relay_status_word", "remaining_amount"}) {
    const bool shown = std::any_of(recorded.begin(), recorded.end(), [name](const auto& vector) {
      return !vector.reply.empty() && std::any_of(vector.facts.begin(), vector.facts.end(), [name](const auto& fact) {
        return fact.first == "value" && absl::StartsWith(fact.second, absl::StrCat(name, " "));
      });
    });
    CHECK(shown);
  }
}

}  // namespace
}  // namespace voltwell::codec::dlt645
