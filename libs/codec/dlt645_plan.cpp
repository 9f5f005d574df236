// Grouping registers into reads; see dlt645_plan.h.
#include "libs/codec/dlt645_plan.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/codec/codec.h"

namespace voltwell::codec {
namespace {

absl::Status BadRegister(absl::string_view reason, absl::string_view why, const std::string& id, size_t position) {
  return base::InvalidArgument(reason, absl::StrCat(why, " ", id),
                               {{"register", id}, {"position", absl::StrCat(position)}});
}

PlannedRead SingleRead(const WantedRegister& wanted) {
  PlannedRead read = {IdentifierOf(wanted), wanted.match, {wanted}, {}};
  if (wanted.differs != nullptr && wanted.match.row->list.empty()) read.instead = SpecOf(wanted);
  return read;
}

}  // namespace

absl::StatusOr<std::vector<WantedRegister>> FindWanted(dlt645::Edition edition,
                                                       const std::vector<std::string>& registers,
                                                       const Profile& profile) {
  if (registers.empty()) return base::InvalidArgument("NO_REGISTERS", "a read names at least one register");
  if (registers.size() > kRegistersMax) {
    return base::InvalidArgument("TOO_MANY_REGISTERS", "a read names at most 32 registers",
                                 {{"size", absl::StrCat(registers.size())}, {"limit", absl::StrCat(kRegistersMax)}});
  }
  std::vector<WantedRegister> wanted;
  wanted.reserve(registers.size());
  for (size_t i = 0; i < registers.size(); ++i) {
    const dlt645::Match match = dlt645::FindByObis(edition, registers[i]);
    if (!match || match.block != nullptr) {
      return BadRegister("UNKNOWN_REGISTER", "no register has the id", registers[i], i);
    }
    if (!match.row->readable())
      return BadRegister("NOT_READABLE", "the register can only be written:", registers[i], i);
    const auto same = [&](const WantedRegister& other) { return other.match == match; };
    if (std::any_of(wanted.begin(), wanted.end(), same)) continue;
    wanted.push_back({registers[i], match, OverrideOf(edition, match, profile)});
  }
  return wanted;
}

const RegisterOverride* OverrideOf(dlt645::Edition edition, const dlt645::Match& match, const Profile& profile) {
  if (profile.registers.empty()) return nullptr;
  const auto differs = profile.registers.find(dlt645::IdOf(edition, match));
  return differs == profile.registers.end() ? nullptr : &differs->second;
}

dlt645::FieldSpec SpecOf(const WantedRegister& wanted) {
  dlt645::FieldSpec spec = wanted.match.row->value;
  if (wanted.differs == nullptr) return spec;
  const RegisterOverride& differs = *wanted.differs;
  if (differs.length >= 0) spec.length = static_cast<uint8_t>(differs.length);
  if (differs.scale >= 0) spec.scale = static_cast<uint8_t>(differs.scale);
  if (differs.is_signed >= 0) spec.format = differs.is_signed == 1 ? dlt645::Format::kSignedBcd : dlt645::Format::kBcd;
  if (!differs.unit.empty()) spec.unit = differs.unit;
  return spec;
}

uint32_t IdentifierOf(const WantedRegister& wanted) {
  uint32_t di = 0;
  const bool own = wanted.differs != nullptr && absl::SimpleHexAtoi(wanted.differs->data_identifier, &di);
  return own ? di : wanted.match.di;
}

std::vector<PlannedRead> PlanReads(dlt645::Edition edition, const std::vector<WantedRegister>& wanted,
                                   bool use_blocks) {
  std::vector<PlannedRead> reads;
  // By far the most reads are of one register.
  if (wanted.size() == 1) {
    reads.push_back(SingleRead(wanted.front()));
    return reads;
  }
  for (const WantedRegister& one : wanted) {
    const bool may = use_blocks && one.differs == nullptr;
    const uint32_t block = may ? dlt645::BlockOf(edition, one.match) : 0;
    PlannedRead read = block == 0 ? SingleRead(one) : PlannedRead{block, dlt645::FindByDi(edition, block), {one}, {}};
    // A register asked for by several of its fields is one read, too.
    const auto same =
        std::find_if(reads.begin(), reads.end(), [&read](const PlannedRead& other) { return other.di == read.di; });
    if (same != reads.end()) {
      same->wanted.push_back(one);
    } else {
      reads.push_back(std::move(read));
    }
  }
  // A block of which one register is wanted is longer than that register.
  for (PlannedRead& read : reads) {
    const bool one = std::all_of(read.wanted.begin(), read.wanted.end(), [&read](const WantedRegister& other) {
      return other.match.di == read.wanted.front().match.di;
    });
    if (!read.is_block() || !one) continue;
    read.match = read.wanted.front().match;
    read.di = read.match.di;
  }
  return reads;
}

}  // namespace voltwell::codec
