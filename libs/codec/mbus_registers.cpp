// The registers of M-Bus as a list: those with OBIS ids, and a row of our own ids for each row of the VIF tables.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/codec/mbus/obis.h"
#include "libs/codec/mbus/telegram.h"
#include "libs/codec/mbus/value.h"
#include "libs/codec/mbus_commands.h"

namespace voltwell::codec {
namespace {

constexpr char kFormat[] = "by DIF: integer, BCD, float or text";
constexpr char kObisSource[] = "EN 13757-1, OMS volume 2 annex A";
constexpr char kVifSource[] = "EN 13757-3";

std::string CodeText(const mbus::VifRow& row) {
  constexpr const char* kPrefixes[] = {"", "FB", "FD", "VIFE "};
  std::string text = absl::StrFormat("%s%02X", kPrefixes[static_cast<size_t>(row.table)], row.first);
  if (row.last != row.first) absl::StrAppendFormat(&text, "-%02X", row.last);
  return text;
}

const mbus::VifRow* RowNamed(absl::string_view name) {
  for (const mbus::VifRow& row : mbus::VifRows()) {
    if (row.table != mbus::VifTable::kCombinable && name == row.name) return &row;
  }
  return nullptr;
}

RegisterInfo InfoOf(const mbus::ObisRow& row) {
  RegisterInfo info;
  info.reg = absl::StrCat(row.group, "-0:", row.c, ".", row.d, row.tariffs ? ".{t}" : ".0");
  info.name = row.quantity;
  info.title_zh = row.title_zh;
  info.title_en = row.title_en;
  info.unit = row.unit;
  info.data_identifier = row.vif;
  if (row.modifier != 0) absl::StrAppendFormat(&info.data_identifier, " %02X", row.modifier);
  info.format = kFormat;
  info.source = kObisSource;
  if (const mbus::VifRow* const vif = RowNamed(row.quantity)) info.proof = vif->proof;
  return info;
}

// A combinable VIFE is no register, but a row of the table that has to be proven like one.
RegisterInfo InfoOf(const mbus::VifRow& row) {
  const bool is_register = row.table != mbus::VifTable::kCombinable;
  constexpr const char* kPrefixes[] = {"", "FB", "FD", ""};
  RegisterInfo info;
  info.reg = is_register
                 ? absl::StrFormat("mbus:{n}.{t}.0:%s%02X", kPrefixes[static_cast<size_t>(row.table)], row.first)
                 : absl::StrFormat("mbus:vife:%02X", row.first);
  info.name = row.name;
  info.title_zh = row.title_zh;
  info.title_en = row.title_en;
  info.unit = row.unit;
  info.data_identifier = CodeText(row);
  info.format = is_register ? kFormat : "VIFE";
  info.readable = is_register;
  info.proof = row.proof;
  info.source = kVifSource;
  return info;
}

// The row of a VIF in hexadecimal, as our own ids have it.
const mbus::VifRow* RowOfVif(absl::string_view hex) {
  const auto vif = base::FromHex(hex);
  if (!vif.ok() || vif->empty()) return nullptr;
  // A record without data, as a meter would have to send it.
  const std::string user = absl::StrCat(std::string(1, static_cast<char>(mbus::kCiSend)), std::string(1, '\0'), *vif);
  if (user.size() > 64) return nullptr;
  mbus::Telegram telegram;
  const std::string frame = mbus::BuildLong(mbus::kSndUd, 0, base::AsBytes(user));
  if (!mbus::DecodeTelegram(base::AsBytes(frame), telegram).ok() || telegram.count != 1) return nullptr;
  return &mbus::RowOf(telegram.buffer[0]);
}

}  // namespace

std::vector<RegisterInfo> ListMbusRegisters() {
  std::vector<RegisterInfo> registers;
  for (const mbus::ObisRow& row : mbus::ObisRows()) registers.push_back(InfoOf(row));
  for (const mbus::VifRow& row : mbus::VifRows()) {
    if (row.meaning != mbus::Meaning::kReserved) registers.push_back(InfoOf(row));
  }
  return registers;
}

std::optional<RegisterInfo> FindMbusRegister(absl::string_view reg) {
  std::optional<RegisterInfo> found;
  if (!mbus::IsRegisterId(reg)) return found;
  if (const mbus::ObisRow* const row = mbus::FindObisRow(reg)) {
    found = InfoOf(*row);
  } else if (const mbus::VifRow* const vif = RowOfVif(reg.substr(reg.rfind(':') + 1))) {
    found = InfoOf(*vif);
  } else {
    found = RegisterInfo();
    found->name = reg == mbus::kValveRegister ? "valve" : "mbus";
    found->title_en = reg == mbus::kValveRegister ? "valve" : "of the whole readout";
    found->title_zh = reg == mbus::kValveRegister ? "阀门" : "整个抄读结果";
    found->format = "text";
  }
  found->reg = std::string(reg);
  return found;
}

}  // namespace voltwell::codec
