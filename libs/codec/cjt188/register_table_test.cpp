// The table's own rules, and that each row is proven by a vector or counted as unproven.
#include "libs/codec/cjt188/register_table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "libs/codec/cjt188/frame.h"
#include "libs/codec/vectors/vector_file.h"

namespace voltwell::codec::cjt188 {
namespace {

const vectors::Vector* FindVector(const std::vector<vectors::Vector>& all, absl::string_view id) {
  const auto found = std::find_if(all.begin(), all.end(), [id](const auto& vector) { return id == vector.id; });
  return found == all.end() ? nullptr : &*found;
}

// The vector shows a value of this register, or writes it.
bool Shows(const vectors::Vector& vector, const Register& row) {
  return std::any_of(vector.facts.begin(), vector.facts.end(), [&row](const auto& fact) {
    const std::vector<std::string> words = absl::StrSplit(fact.second, ' ');
    if (fact.first == "address") return row.reg == Reg::kAddress;
    return (fact.first == "value" || fact.first == "write") && FindById(words[0]).row == &row;
  });
}

TEST_CASE("rows stand in the order of their numbers, with unique ids and names, and are found by them") {
  std::set<std::string> ids;
  std::set<std::string> names;
  for (size_t i = 0; i < Registers().size(); ++i) {
    const Register& row = Registers()[i];
    CAPTURE(std::string(row.name));
    CHECK(static_cast<size_t>(row.reg) == i);
    CHECK(ids.insert(std::string(row.id)).second);
    CHECK(names.insert(std::string(row.name)).second);
    CHECK_FALSE(row.title_zh.empty());
    CHECK_FALSE(row.title_en.empty());
    CHECK_FALSE(row.format.empty());
    CHECK_FALSE(row.source.empty());
    CHECK((row.di != 0 || row.write_di != 0));
    CHECK(absl::StrContains(row.id, "{n}") == (row.n_first != 0));
    const Found found = FindById(IdFor(row, kColdWater, row.n_last));
    CHECK(found.row == &row);
    CHECK(found.n == row.n_last);
  }
}

TEST_CASE("hot water and gas have ids of their own for the same rows") {
  const Register& volume = RegisterOf(Reg::kVolume);
  CHECK(FindById("8-0:1.0.0").row == &volume);
  CHECK(FindById("9-0:1.0.0").row == &volume);
  CHECK(FindById("7-0:3.0.0").row == &volume);
  CHECK(IdFor(volume, kHotWater, 0) == "9-0:1.0.0");
  CHECK(IdFor(volume, 0x30, 0) == "7-0:3.0.0");
  CHECK(IdFor(RegisterOf(Reg::kVolumeHistory), kHotWater, 3) == "9-0:1.0.0*3");
}

TEST_CASE("an index beyond its range, or where there is none, is no register") {
  CHECK(FindById("8-0:1.0.0*12").di() == 0xD12B);
  CHECK(FindById("8-0:1.0.0*13").row == nullptr);
  CHECK(FindById("8-0:1.0.0*0").row == nullptr);
  CHECK(FindById("8-0:1.0.0*01").row == nullptr);
  CHECK(FindById("8-0:1.0.0*").row == nullptr);
  CHECK(FindById("8-0:1.2.0*1").row == nullptr);
  CHECK(FindById("cjt188:D3.volume").row == nullptr);
  CHECK(FindById("cjt188:D4.volume*256").di() == 0xD4FF);
  CHECK(FindById("cjt188:D4.volume*257").row == nullptr);
  CHECK(FindById("").row == nullptr);
}

TEST_CASE("layouts are no longer than what a reader holds, and of two that fit the narrower stands first") {
  const auto layouts = Layouts();
  for (const Layout& layout : layouts) {
    CHECK(layout.fields.size() <= kFieldsMax);
    for (const Field& field : layout.fields) CHECK((field.length > 0 && field.length <= kFieldMax));
  }
  for (size_t i = 0; i < layouts.size(); ++i) {
    for (size_t j = i + 1; j < layouts.size(); ++j) {
      const Layout& a = layouts[i];
      const Layout& b = layouts[j];
      const bool overlap = a.first <= b.last && b.first <= a.last && a.use == b.use;
      const bool same_family = a.family == b.family || a.family == Family::kAny || b.family == Family::kAny;
      if (overlap && same_family && a.length() == b.length()) CHECK(a.last - a.first < b.last - b.first);
    }
  }
}

TEST_CASE("a row that names a proof is shown by that vector, and at most a fifth of the rows is unproven") {
  const auto recorded = vectors::Load("cjt188.vec");
  size_t unproven = 0;
  for (const Register& row : Registers()) {
    CAPTURE(std::string(row.name), std::string(row.proof));
    if (row.proof.empty()) {
      ++unproven;
      continue;
    }
    const vectors::Vector* const vector = FindVector(recorded, row.proof);
    REQUIRE(vector != nullptr);
    CHECK_FALSE(vector->source.empty());
    CHECK(Shows(*vector, row));
  }
  CHECK(unproven * 5 <= Registers().size());
}

TEST_CASE("what moves money or the valve is proven, request and reply") {
  const auto recorded = vectors::Load("cjt188.vec");
  for (const uint16_t di : {0xA010, 0xA013, 0xA014, 0xA016, 0xA017, 0xA018, 0xA019}) {
    const Identifier* const row = FindIdentifier(di);
    REQUIRE(row != nullptr);
    const vectors::Vector* const vector = FindVector(recorded, row->proof);
    REQUIRE(vector != nullptr);
    CHECK_FALSE(vector->request.empty());
    if (di != 0xA018) CHECK_FALSE(vector->reply.empty());
  }
  for (const Reg reg : {Reg::kStatus, Reg::kPurchaseNumber, Reg::kLastAmount, Reg::kAccumulated, Reg::kRemaining,
                        Reg::kPrice1, Reg::kPriceTable}) {
    CHECK_FALSE(RegisterOf(reg).proof.empty());
  }
}

TEST_CASE("identifiers are known in both byte orders, and vendors' own are not taken for others") {
  CHECK(RecogniseIdentifier(0x1F, 0x90).di == 0x901F);
  CHECK(RecogniseIdentifier(0x1F, 0x90).low_first);
  CHECK(RecogniseIdentifier(0x90, 0x1F).di == 0x901F);
  CHECK_FALSE(RecogniseIdentifier(0x90, 0x1F).low_first);
  CHECK(RecogniseIdentifier(0xA0, 0x17).di == 0xA017);
  CHECK_FALSE(RecogniseIdentifier(0x12, 0x34).known);
}

}  // namespace
}  // namespace voltwell::codec::cjt188
