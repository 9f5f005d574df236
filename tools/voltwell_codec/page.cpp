#include "tools/voltwell_codec/page.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/codec/codec.h"
#include "tools/voltwell_codec/options.h"

namespace voltwell::codec_cli {
namespace {

std::string Access(const codec::RegisterInfo& row) {
  return absl::StrCat(row.readable ? "R" : "", row.writable ? "W" : "");
}

void Append(codec::Protocol protocol, const std::vector<codec::RegisterInfo>& rows, std::string& page) {
  std::vector<std::string> unproven;
  for (const codec::RegisterInfo& row : rows) {
    if (row.proof.empty()) unproven.push_back(absl::StrCat(row.data_identifier, " ", row.title_en));
  }
  absl::StrAppend(
      &page, "### ", ProtocolName(protocol), "\n\n", rows.size(), " rows, ", rows.size() - unproven.size(),
      " proven by a vector.\n\n| identifier | id | 名称 | name | unit | format | length | access | proof |\n",
      "|---|---|---|---|---|---|---|---|---|\n");
  for (const codec::RegisterInfo& row : rows) {
    absl::StrAppend(&page, "| ",
                    absl::StrJoin({row.data_identifier, row.reg, row.title_zh, row.title_en, row.unit, row.format,
                                   absl::StrCat(row.length), Access(row), row.proof.empty() ? "–" : row.proof},
                                  " | "),
                    " |\n");
  }
  absl::StrAppend(&page, "\nUnproven: ", unproven.empty() ? "none" : absl::StrJoin(unproven, "; "), ".\n\n");
}

}  // namespace

std::string RegisterTables() {
  std::string page;
  for (const codec::Protocol protocol : codec::ListProtocols()) {
    const auto rows = codec::ListRegisters(protocol);
    if (rows.ok()) Append(protocol, *rows, page);
  }
  return page;
}

}  // namespace voltwell::codec_cli
