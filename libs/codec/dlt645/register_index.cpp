// The index of the register tables; see register_index.h.
#include "libs/codec/dlt645/register_index.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "libs/base/check.h"
#include "libs/codec/dlt645/tables.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr absl::string_view kSeparators = "-:..*";

// Reads digits at `at`; false when there are none, or the number is no byte.
bool ReadByte(absl::string_view text, size_t& at, uint16_t& number) {
  const size_t begin = at;
  uint32_t value = 0;
  while (at < text.size() && at < begin + 3 && absl::ascii_isdigit(static_cast<unsigned char>(text[at]))) {
    value = value * 10 + static_cast<uint32_t>(text[at++] - '0');
  }
  number = static_cast<uint16_t>(value);
  return at > begin && value <= 0xFF;
}

constexpr uint64_t ObisKey(const std::array<uint16_t, 6>& part) {
  return uint64_t{part[0]} << 24 | uint64_t{part[1]} << 16 | uint64_t{part[2]} << 8 | part[3];
}

const Axis* AxisByLetter(const Register& row, char letter) {
  for (const Axis* const axis : row.axes) {
    if (axis != nullptr && axis->letter == letter) return axis;
  }
  return nullptr;
}

uint32_t IndexOn(const Axis& axis, const Register& row, uint32_t di) {
  uint32_t index = 0;
  OnAxis(axis, row.di, di, index);
  return index;
}

uint32_t WithIndex(uint32_t di, const Axis& axis, const Register& row, uint32_t index) {
  const uint32_t mask = ((1U << axis.bits) - 1) << axis.shift;
  return (di & ~mask) | (((row.di & mask) + (index * axis.step << axis.shift)) & mask);
}

}  // namespace

std::optional<ObisId> ParseObis(absl::string_view text) {
  ObisId id;
  size_t at = 0;
  for (size_t i = 0; i < id.part.size(); ++i) {
    if (i > 0) {
      if (i == 5 && (at == text.size() || text[at] == '/')) break;
      if (at == text.size() || text[at++] != kSeparators[i - 1]) return std::nullopt;
    }
    if (!ReadByte(text, at, id.part[i])) return std::nullopt;
  }
  id.suffix = text.substr(at);
  if (!id.suffix.empty() && id.suffix[0] != '/') return std::nullopt;
  return id;
}

uint32_t AxesMask(const Register& row) {
  uint32_t mask = 0;
  for (const Axis* const axis : row.axes) {
    if (axis != nullptr) mask |= ((1U << axis->bits) - 1) << axis->shift;
  }
  return mask;
}

std::array<IdPart, 6> IdParts(const Register& row, absl::string_view& suffix) {
  std::array<IdPart, 6> parts = {};
  const absl::string_view text = row.obis;
  size_t at = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) {
      if (i == 5 && (at == text.size() || text[at] == '/')) break;
      VW_CHECK(at < text.size() && text[at] == kSeparators[i - 1]);
      ++at;
    }
    if (text[at] != '{') {
      VW_CHECK(ReadByte(text, at, parts[i].first));
      continue;
    }
    parts[i].axis = AxisByLetter(row, text[at + 1]);
    VW_CHECK(parts[i].axis != nullptr);
    at += 2;
    parts[i].raw = text[at] == '}';
    if (!parts[i].raw) {  // {p:21+20}
      VW_CHECK(ReadByte(text, ++at, parts[i].first) && text[at] == '+');
      VW_CHECK(ReadByte(text, ++at, parts[i].step) && text[at] == '}');
    }
    ++at;
  }
  suffix = text.substr(at);
  return parts;
}

uint16_t PartOf(const IdPart& part, const Register& row, uint32_t di) {
  if (part.axis == nullptr) return part.first;
  if (part.raw) return static_cast<uint16_t>((di >> part.axis->shift) & ((1U << part.axis->bits) - 1));
  return static_cast<uint16_t>(part.first + part.step * IndexOn(*part.axis, row, di));
}

RegisterIndex::RegisterIndex(Edition edition) : edition_(edition), group_shift_(edition == Edition::k2007 ? 16 : 8) {
  std::vector<std::span<const Register>> tables = {Rows1997()};
  if (edition == Edition::k2007) {
    tables = {EnergyRows(), VariableRows(), EventRows(), ParameterRows(), TableRows(), FreezeRows()};
  }
  for (const auto& table : tables) {
    for (const Register& row : table) rows_.push_back(&row);
  }
  std::stable_sort(rows_.begin(), rows_.end(), [](const Register* a, const Register* b) { return a->di < b->di; });
  AddDiGroups();
  for (const Register* const row : rows_) {
    if (!row->obis.empty()) AddObis(row);
  }
}

const RegisterIndex& RegisterIndex::Of(Edition edition) {
  static const RegisterIndex* const kIndexes[] = {new RegisterIndex(Edition::k2007), new RegisterIndex(Edition::k1997)};
  return *kIndexes[static_cast<size_t>(edition)];
}

void RegisterIndex::AddDiGroups() {
  candidates_.push_back({});  // Groups without rows.
  const size_t groups = edition_ == Edition::k2007 ? 0x10000 : 0x100;
  groups_.resize(groups, 0);
  std::vector<std::vector<const Register*>> members(groups);
  const uint32_t group_mask = ~0U << group_shift_;
  for (const Register* const row : rows_) {
    // All identifiers of a row differ from its own in its axes only; those above the shift tell its groups.
    std::vector<uint32_t> identifiers = {row->di & group_mask};
    for (const Axis* const axis : row->axes) {
      if (axis == nullptr || axis->shift + axis->bits <= group_shift_) continue;
      std::vector<uint32_t> more;
      for (const uint32_t di : identifiers) {
        for (uint32_t i = 0; i < axis->count; ++i) more.push_back(WithIndex(di, *axis, *row, i) & group_mask);
        if (axis->block) more.push_back((di | ((1U << axis->bits) - 1) << axis->shift) & group_mask);
      }
      identifiers = std::move(more);
    }
    for (const uint32_t di : identifiers) {
      auto& group = members[di >> group_shift_];
      if (group.empty() || group.back() != row) group.push_back(row);
    }
  }
  for (size_t group = 0; group < groups; ++group) {
    if (members[group].empty()) continue;
    groups_[group] = static_cast<uint16_t>(candidates_.size());
    for (const Register* const row : members[group]) candidates_.push_back({row, ~AxesMask(*row)});
    candidates_.push_back({});
  }
}

void RegisterIndex::AddObis(const Register* row) {
  absl::string_view suffix;
  const std::array<IdPart, 6> parts = IdParts(*row, suffix);
  std::vector<std::array<uint16_t, 6>> keys = {{}};
  for (size_t i = 0; i < 4; ++i) {
    std::vector<std::array<uint16_t, 6>> more;
    for (auto key : keys) {
      const uint32_t count = parts[i].axis == nullptr ? 1 : parts[i].axis->count;
      for (uint32_t index = 0; index < count; ++index) {
        const Axis* const axis = parts[i].axis;
        key[i] = PartOf(parts[i], *row, axis == nullptr ? row->di : WithIndex(row->di, *axis, *row, index));
        more.push_back(key);
      }
    }
    keys = std::move(more);
  }
  for (const auto& key : keys) by_obis_[ObisKey(key)].push_back(row);
}

Match RegisterIndex::FindDi(uint32_t di) const {
  const uint32_t group = di >> group_shift_;
  if (group >= groups_.size()) return {};
  for (const Candidate* candidate = &candidates_[groups_[group]]; candidate->row != nullptr; ++candidate) {
    const Register& row = *candidate->row;
    if (((di ^ row.di) & candidate->mask) != 0) continue;
    Match match = {&row, di};
    bool found = true;
    for (const Axis* const axis : row.axes) {
      if (axis == nullptr) break;
      uint32_t index = 0;
      if (OnAxis(*axis, row.di, di, index)) continue;
      found = match.block == nullptr && IsBlock(*axis, di);
      if (!found) break;
      match.block = axis;
    }
    if (found) return match;
  }
  return {};
}

namespace {

// The identifier that the row has at this id; nothing when the id is not the row's.
std::optional<uint32_t> IdentifierOf(const Register& row, const std::array<uint16_t, 6>& id,
                                     absl::string_view& suffix) {
  const std::array<IdPart, 6> parts = IdParts(row, suffix);
  uint32_t di = row.di;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Axis* const axis = parts[i].axis;
    if (axis == nullptr) {
      if (parts[i].first != id[i]) return std::nullopt;
      continue;
    }
    uint32_t first = parts[i].first;
    uint32_t step = parts[i].step;
    if (parts[i].raw) {
      first = (row.di >> axis->shift) & ((1U << axis->bits) - 1);
      step = axis->step;
    }
    if (id[i] < first || (id[i] - first) % step != 0 || (id[i] - first) / step >= axis->count) return std::nullopt;
    di = WithIndex(di, *axis, row, (id[i] - first) / step);
  }
  return di;
}

// Whether a field of the row is named so; for repeated ones the number must be one of them.
bool HasSuffix(const Register& row, absl::string_view suffix) {
  for (const FieldSpec& field : row.fields()) {
    const size_t brace = field.suffix.find("{i}");
    if (brace == absl::string_view::npos) {
      if (!field.suffix.empty() && field.suffix == suffix) return true;
      continue;
    }
    uint32_t number = 0;
    if (suffix.substr(0, brace) != field.suffix.substr(0, brace) ||
        !absl::SimpleAtoi(suffix.substr(std::min(brace, suffix.size())), &number)) {
      continue;
    }
    if (number >= field.first && (field.count == 0 || number < uint32_t{field.first} + field.count)) return true;
  }
  return false;
}

}  // namespace

Match RegisterIndex::FindObis(absl::string_view obis) const {
  const auto id = ParseObis(obis);
  if (!id.has_value()) return {};
  const auto& part = id->part;
  const bool derived = edition_ == Edition::k2007 ? part[2] == 199 : part[2] == 198;
  if (derived && part[0] == 0) {
    const bool is_2007 = edition_ == Edition::k2007;
    if (!is_2007 && (part[1] != 0 || part[5] != 0)) return {};
    const uint32_t di = is_2007 ? uint32_t{part[1]} << 24 | uint32_t{part[3]} << 16 | uint32_t{part[4]} << 8 | part[5]
                                : uint32_t{part[3]} << 8 | part[4];
    Match match = FindDi(di);
    const bool whole = match && match.row->obis.empty() && match.block == nullptr;
    if (!whole || !(id->suffix.empty() || HasSuffix(*match.row, id->suffix))) return {};
    match.suffix = id->suffix;
    return match;
  }
  const auto rows = by_obis_.find(ObisKey(part));
  if (rows == by_obis_.end()) return {};
  for (const Register* const row : rows->second) {
    absl::string_view own;
    const auto di = IdentifierOf(*row, part, own);
    if (!di.has_value()) continue;
    if (id->suffix == own) return {row, *di, nullptr, ""};
    if (own.empty() && HasSuffix(*row, id->suffix)) return {row, *di, nullptr, id->suffix};
  }
  return {};
}

}  // namespace voltwell::codec::dlt645
