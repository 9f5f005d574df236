// Header and records of EN 13757-3; see telegram.h. This is a hot path (a readout of a park's night): most records have
// a DIF, a VIF and no chain behind either, and are taken in one pass of table look-ups.
#include "libs/codec/mbus/telegram.h"

#include <bit>
#include <cstring>

#include "libs/base/check.h"
#include "libs/codec/mbus/vif_table.h"

namespace voltwell::codec::mbus {
namespace {

static_assert(std::endian::native == std::endian::little, "integers are loaded as they lie");

constexpr uint8_t kExtension = 0x80;
constexpr uint8_t kDifMoreFollow = 0x1F;
constexpr uint8_t kDifManufacturer = 0x0F;
constexpr uint8_t kDifIdle = 0x2F;
constexpr uint8_t kVifText = 0x7C;  // From here on a VIF is more than its byte.
constexpr uint8_t kVifVendor = 0x7F;
constexpr uint8_t kVifFb = 0xFB;
constexpr uint8_t kVifFd = 0xFD;
constexpr size_t kHeadBytes = 7;  // 68H L L 68H C A CI: so many stand before all user data.
constexpr size_t kLongHeader = 12;
constexpr size_t kShortHeader = 4;
constexpr size_t kFixedSize = 16;
constexpr uint64_t kHighBits = 0x8888888888888888;
constexpr uint64_t kMinusNibble = 0xF;

constexpr uint8_t kSpecialField = 0x0F;

// Index: the data field.
constexpr uint8_t kLengths[16] = {0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, kVariable, 6, kSpecial};
constexpr uint8_t kFloatField = 5;
constexpr uint8_t kBinaryField = 7;

// How data of a field is read: as what, and which of its readings holds.
enum class Reading : uint8_t { kSigned, kUnsigned, kBcd };
struct FieldReading {
  ValueKind kind = ValueKind::kNone;
  Reading reading = Reading::kSigned;
};

constexpr FieldReading ReadingOf(ReadsAs reads_as, uint8_t field) {
  if (field == 0 || field == 8 || field == 0xD || field == 0xF) return {};
  if (field == kFloatField) return {ValueKind::kFloat, Reading::kUnsigned};
  if (field > 8) return {ValueKind::kNumber, Reading::kBcd};
  if (reads_as == ReadsAs::kBits) return {ValueKind::kBits, Reading::kUnsigned};
  if (reads_as == ReadsAs::kNumber) return {ValueKind::kNumber, Reading::kSigned};
  if (reads_as == ReadsAs::kUnsigned) return {ValueKind::kNumber, Reading::kUnsigned};
  switch (field) {
    case 2:
      return {ValueKind::kDate, Reading::kUnsigned};
    case 3:
      if (reads_as == ReadsAs::kTime) return {ValueKind::kTime, Reading::kUnsigned};
      break;
    case 4:
      return {ValueKind::kDateTime, Reading::kUnsigned};
    case 6:
      return {ValueKind::kDateTimeLong, Reading::kUnsigned};
    default:
      break;
  }
  return {ValueKind::kNumber, Reading::kSigned};
}

// [ReadsAs][data field].
constexpr std::array<std::array<FieldReading, 16>, kReadsAsCount> MakeReadings() {
  std::array<std::array<FieldReading, 16>, kReadsAsCount> readings = {};
  for (uint8_t i = 0; i < kReadsAsCount; ++i) {
    for (uint8_t field = 0; field < 16; ++field) readings[i][field] = ReadingOf(static_cast<ReadsAs>(i), field);
  }
  return readings;
}
constexpr auto kReadings = MakeReadings();

uint16_t Load16(const uint8_t* at) { return static_cast<uint16_t>(at[0] | at[1] << 8); }
uint32_t Load32(const uint8_t* at) {
  uint32_t value = 0;
  std::memcpy(&value, at, 4);
  return value;
}

// The eight bytes that end with the data: all user data has as many before it, so nothing beyond the frame is read.
uint64_t LoadEndingAt(const uint8_t* end) {
  uint64_t value = 0;
  std::memcpy(&value, end - 8, 8);
  return value;
}

// Sixteen digits, each valid, to a number: pairs, then fours, then eights.
uint64_t FromDigits(uint64_t digits) {
  digits -= 6 * ((digits >> 4) & 0x0F0F0F0F0F0F0F0F);
  digits = (digits & 0x00FF00FF00FF00FF) + 100 * ((digits >> 8) & 0x00FF00FF00FF00FF);
  digits = (digits & 0x0000FFFF0000FFFF) + 10'000 * ((digits >> 16) & 0x0000FFFF0000FFFF);
  return (digits & 0xFFFFFFFF) + 100'000'000 * (digits >> 32);
}

// A digit above 9 has bit 3 and one of bits 2 and 1.
bool HasErrorDigit(uint64_t digits) { return (digits & ((digits << 1) | (digits << 2)) & kHighBits) != 0; }

// Digits of `size` bytes that are not all 0..9: an F in front is the minus sign, all else the meter's error display.
void SetSpecialDigits(uint64_t digits, size_t size, Record& record) {
  const unsigned top = static_cast<unsigned>(8 * size - 4);
  const uint64_t rest = digits & ((uint64_t{1} << top) - 1);
  if (digits >> top == kMinusNibble && !HasErrorDigit(rest)) {
    record.units = -static_cast<int64_t>(FromDigits(rest));
    return;
  }
  record.units = static_cast<int64_t>(digits);
  record.kind = ValueKind::kErrorDigits;
}

// Where reading goes on behind a chain, by value so that the loop over records keeps its place in a register.
struct Chain {
  const uint8_t* at = nullptr;
  Fault fault = Fault::kNone;
  ReadsAs reads_as = ReadsAs::kNumber;
};

void SetVif(const VifEntry& entry, Record& record) {
  record.row = entry.row;
  record.exponent = entry.exponent;
  record.unit = entry.unit;
}

class Reader {
 public:
  Reader(base::ByteView frame, Telegram& telegram)
      : begin_(frame.data()), end_(frame.data() + frame.size() - 2), telegram_(telegram) {}

  template <bool kReversed>
  Error ReadRecords(const uint8_t* at);

 private:
  Error ReadManufacturer(const uint8_t* at, Record& record);
  Chain ReadMoreDife(const uint8_t* at, Record& record) const;
  Chain ReadVif(const uint8_t* at, Record& record) const;
  size_t ShortChain(const uint8_t* at) const;
  Chain FindChainEnd(const uint8_t* at, unsigned count) const;
  Chain ReadVariable(const uint8_t* at, Record& record) const;

  uint16_t OffsetOf(const uint8_t* at) const { return static_cast<uint16_t>(at - begin_); }
  Error Fail(Fault fault, const uint8_t* at) const { return {fault, OffsetOf(at)}; }

  const uint8_t* const begin_;
  const uint8_t* const end_;  // The checksum.
  Telegram& telegram_;
};

// Behind 0FH and 1FH everything is the vendor's, to the end.
Error Reader::ReadManufacturer(const uint8_t* at, Record& record) {
  if (*at != kDifManufacturer && *at != kDifMoreFollow) return Fail(Fault::kReservedDif, at);
  telegram_.more_follow = *at == kDifMoreFollow;
  record = Record{};
  record.offset = OffsetOf(at);
  record.kind = ValueKind::kManufacturer;
  record.flags = static_cast<uint8_t>(kVendorMeaning | (telegram_.more_follow ? kMoreFollow : 0));
  record.row = Entries(VifTable::kPrimary)[0x7F].row;
  record.vif_offset = record.data_offset = OffsetOf(at + 1);
  record.data_size = static_cast<uint8_t>(end_ - at - 1);
  ++telegram_.count;
  return {};
}

// DIFE behind the first; at: the second.
Chain Reader::ReadMoreDife(const uint8_t* at, Record& record) const {
  uint8_t dife = 0;
  unsigned count = 1;
  do {
    if (at == end_) return {at, Fault::kDifeCut};
    if (count == kDifeMax) return {at, Fault::kTooManyDife};
    dife = *at++;
    record.storage |= uint64_t{dife & 0x0FU} << (1 + 4 * count);
    record.tariff |= ((dife >> 4) & 3U) << (2 * count);
    record.subunit = static_cast<uint16_t>(record.subunit | ((dife >> 6) & 1U) << count);
    ++count;
  } while ((dife & kExtension) != 0);
  return {at};
}

// Bytes up to and with the first that has no extension bit, if that is one of the next eight; else 0. The frame's last
// two bytes may be looked at.
size_t Reader::ShortChain(const uint8_t* at) const {
  if (end_ + 2 - at < 8) return 0;
  uint64_t bytes = 0;
  std::memcpy(&bytes, at, 8);
  const uint64_t last = ~bytes & 0x8080808080808080;
  const size_t size = static_cast<size_t>(std::countr_zero(last)) / 8 + 1;
  return last == 0 || static_cast<size_t>(end_ - at) < size ? 0 : size;
}

// The VIFE behind a VIF; `count` of the chain were read.
Chain Reader::FindChainEnd(const uint8_t* at, unsigned count) const {
  if (const size_t size = ShortChain(at); size > 0) return {at + size};
  for (;; ++at, ++count) {
    if (at == end_) return {at, Fault::kVifeCut};
    if (count == kVifeMax) return {at, Fault::kTooManyVife};
    if ((*at & kExtension) == 0) return {at + 1};
  }
}

// What VIFE change of the value.
ReadsAs ApplyModifiers(const uint8_t* at, const uint8_t* end, ReadsAs reads_as, Record& record) {
  for (; at < end; ++at) {
    if ((*at & 0x7F) == kVifeNextTable) {
      ++at;  // A code of the table behind it (phases, quadrants) changes neither number nor unit.
      continue;
    }
    const VifEntry& entry = Entries(VifTable::kCombinable)[*at & 0x7F];
    switch (entry.meaning) {
      case Meaning::kVendor:
        record.flags |= kVendorMeaning;
        return reads_as;
      case Meaning::kFactor:
        record.exponent = static_cast<int8_t>(record.exponent + entry.exponent);
        break;
      case Meaning::kDateOf:
      case Meaning::kDuration:
        record.exponent = 0;
        record.unit = entry.unit;
        reads_as = entry.reads_as;
        break;
      case Meaning::kFailed:
        record.flags |= kNoValueFlag;
        break;
      default:
        break;
    }
  }
  return reads_as;
}

// A VIF with a chain, with text, or the vendor's; at: the VIF.
Chain Reader::ReadVif(const uint8_t* at, Record& record) const {
  if (at == end_) return {at, Fault::kNoVif};
  const uint8_t vif = *at++;
  const VifEntry* entry = &Entries(VifTable::kPrimary)[vif & 0x7F];
  uint8_t last = vif;
  unsigned count = 0;
  if (vif == kVifFb || vif == kVifFd) {
    if (at == end_) return {at, Fault::kVifeCut};
    last = *at++;
    entry = &Entries(vif == kVifFb ? VifTable::kFb : VifTable::kFd)[last & 0x7F];
    count = 1;
  } else if ((vif & 0x7F) == kVifText) {
    // The unit's name stands between VIF and VIFE: its length, then its characters.
    if (at == end_ || end_ - at - 1 < *at) return {at, Fault::kTextCut};
    at += 1 + *at;
  } else if ((vif & 0x7F) == kVifVendor) {
    record.flags |= kVendorMeaning;
  }
  SetVif(*entry, record);
  if ((last & kExtension) == 0) return {at, Fault::kNone, entry->reads_as};
  Chain chain = FindChainEnd(at, count);
  record.flags |= kHasModifiers;
  chain.reads_as = entry->reads_as;
  if (chain.fault != Fault::kNone || (record.flags & kVendorMeaning) != 0) return chain;
  chain.reads_as = ApplyModifiers(at, chain.at, chain.reads_as, record);
  return chain;
}

template <bool kReversed>
[[gnu::always_inline]] inline void ReadNumber(const FieldReading& as, const uint8_t* data, unsigned size,
                                              Record& record) {
  uint64_t raw = LoadEndingAt(data + size);
  const unsigned shift = 64 - 8 * size;
  if (kReversed) raw = __builtin_bswap64(raw >> shift);
  const uint64_t bits = raw >> shift;
  const auto integer = static_cast<int64_t>(raw) >> shift;
  record.kind = as.kind;
  if (as.reading != Reading::kBcd) {
    record.units = as.reading == Reading::kUnsigned ? static_cast<int64_t>(bits) : integer;
  } else if (!HasErrorDigit(bits)) [[likely]] {
    record.units = static_cast<int64_t>(FromDigits(bits));
  } else {
    SetSpecialDigits(bits, size, record);
  }
}

// Variable length, E0H and above: a binary number or a float.
void ReadVariableNumber(bool is_float, const uint8_t* at, size_t size, Record& record) {
  const FieldReading as = ReadingOf(ReadsAs::kNumber, is_float ? kFloatField : kBinaryField);
  const auto bytes = static_cast<unsigned>(size);
  (record.flags & kMsbFirst) != 0 ? ReadNumber<true>(as, at, bytes, record) : ReadNumber<false>(as, at, bytes, record);
}

// Variable length, C0H to D9H: up to 18 digits, more than eight bytes' worth, so one pair after the other.
void ReadVariableDigits(bool negative, const uint8_t* at, size_t size, Record& record) {
  bool valid = true;
  int64_t units = 0;
  for (size_t i = 0; i < size; ++i) {
    const uint8_t pair = at[(record.flags & kMsbFirst) != 0 ? i : size - 1 - i];
    valid = valid && (pair >> 4) <= 9 && (pair & 0x0F) <= 9;
    units = 100 * units + 10 * (pair >> 4) + (pair & 0x0F);
  }
  record.units = negative ? -units : units;
  if (!valid) record.kind = ValueKind::kBytes;
}

struct VariableLength {
  ValueKind kind = ValueKind::kNone;  // kNone: reserved.
  size_t size = 0;
};

VariableLength LengthOf(uint8_t lvar) {
  const size_t low = lvar & 0x0FU;
  if (lvar <= 0xBF) return {ValueKind::kText, lvar};
  if (lvar <= 0xC9 || (lvar >= 0xD0 && lvar <= 0xD9)) return {ValueKind::kNumber, low};
  if (lvar >= 0xE0 && lvar <= 0xEF) return {low <= 8 ? ValueKind::kNumber : ValueKind::kBytes, low};
  if (lvar >= 0xF0 && lvar <= 0xF4) return {ValueKind::kBytes, 4 * (lvar - size_t{0xEC})};
  if (lvar == 0xF5) return {ValueKind::kBytes, 48};
  if (lvar == 0xF6) return {ValueKind::kBytes, 64};
  if (lvar == 0xF8) return {ValueKind::kFloat, 4};
  return {};
}

// at: LVAR.
Chain Reader::ReadVariable(const uint8_t* at, Record& record) const {
  if (at == end_) return {at, Fault::kDataCut};
  const uint8_t lvar = *at;
  const VariableLength length = LengthOf(lvar);
  if (length.kind == ValueKind::kNone) return {at, Fault::kReservedLength};
  ++at;
  if (static_cast<size_t>(end_ - at) < length.size) return {end_, Fault::kDataCut};
  record.data_offset = OffsetOf(at);
  record.data_size = static_cast<uint8_t>(length.size);
  record.kind = length.kind;
  record.units = 0;
  if (length.size == 0 && length.kind != ValueKind::kText) {
    record.kind = ValueKind::kNone;
  } else if (length.kind == ValueKind::kFloat || (length.kind == ValueKind::kNumber && lvar >= 0xE0)) {
    ReadVariableNumber(length.kind == ValueKind::kFloat, at, length.size, record);
  } else if (length.kind == ValueKind::kNumber) {
    ReadVariableDigits(lvar >= 0xD0, at, length.size, record);
  }
  return {at + length.size};
}

template <bool kReversed>
Error Reader::ReadRecords(const uint8_t* at) {
  const VifEntries& primary = Entries(VifTable::kPrimary);
  Record* record = telegram_.buffer.data();
  const uint8_t* const end = end_;
  while (at < end) {
    const uint8_t dif = *at;
    const uint8_t field = dif & 0x0F;
    if (field == kSpecialField) [[unlikely]] {
      if (dif != kDifIdle) return ReadManufacturer(at, *record);
      ++at;
      continue;
    }
    record->offset = OffsetOf(at);
    record->function = static_cast<Function>((dif >> 4) & 3U);
    record->storage = (dif >> 6) & 1U;
    record->tariff = 0;
    record->subunit = 0;
    record->flags = kReversed ? kMsbFirst : uint8_t{0};
    ++at;
    if ((dif & kExtension) != 0) {
      if (at == end) return Fail(Fault::kDifeCut, at);
      const uint8_t dife = *at++;
      record->storage |= (dife & 0x0FU) << 1;
      record->tariff = (dife >> 4) & 3U;
      record->subunit = (dife >> 6) & 1U;
      if ((dife & kExtension) != 0) [[unlikely]] {
        const Chain chain = ReadMoreDife(at, *record);
        if (chain.fault != Fault::kNone) return Fail(chain.fault, chain.at);
        at = chain.at;
      }
    }
    const uint8_t* const vif = at;
    record->vif_offset = OffsetOf(vif);
    ReadsAs reads_as = ReadsAs::kNumber;
    if (at < end && *at < kVifText) {
      const VifEntry& entry = primary[*at++];
      SetVif(entry, *record);
      reads_as = entry.reads_as;
    } else {
      const Chain chain = ReadVif(at, *record);
      if (chain.fault != Fault::kNone) return Fail(chain.fault, chain.at);
      at = chain.at;
      reads_as = chain.reads_as;
    }
    record->vif_size = static_cast<uint8_t>(at - vif);
    const uint8_t length = kLengths[field];
    if (length == kVariable) [[unlikely]] {
      const Chain chain = ReadVariable(at, *record);
      if (chain.fault != Fault::kNone) return Fail(chain.fault, chain.at);
      at = chain.at;
    } else {
      if (end - at < length) return Fail(Fault::kDataCut, end);
      record->data_offset = OffsetOf(at);
      record->data_size = length;
      if (length == 0) {
        record->kind = ValueKind::kNone;
        record->units = 0;
      } else {
        ReadNumber<kReversed>(kReadings[static_cast<size_t>(reads_as)][field], at, length, *record);
      }
      at += length;
    }
    ++record;
    ++telegram_.count;
  }
  return {};
}

// Units of the fixed structure: 0 to 3DH are the decades of these rows, from the VIF of `code` on. 3EH is handled
// apart.
struct FixedUnits {
  uint8_t first;
  uint8_t last;
  uint8_t code;     // A primary VIF with the quantity and the unit.
  int8_t exponent;  // Of `first`.
};
constexpr FixedUnits kFixedUnits[] = {
    {0x02, 0x0A, 0x03, 0},  {0x0B, 0x13, 0x08, 3},  {0x14, 0x1C, 0x2B, 0},  {0x1D, 0x25, 0x30, 3},
    {0x26, 0x2E, 0x13, -6}, {0x2F, 0x37, 0x3B, -6}, {0x38, 0x38, 0x67, -3}, {0x39, 0x39, 0x6E, 0},
};
constexpr uint8_t kFixedHistoricUnit = 0x3E;
constexpr uint8_t kFixedBinary = 0x01;
constexpr uint8_t kFixedHistoric = 0x02;
constexpr uint8_t kUnitBits = 0x3F;

void SetFixedUnit(uint8_t unit, Record& record) {
  record.row = Entries(VifTable::kPrimary)[0x7E].row;
  for (const FixedUnits& units : kFixedUnits) {
    if (unit < units.first || unit > units.last) continue;
    const VifEntry& entry = Entries(VifTable::kPrimary)[units.code];
    record.row = entry.row;
    record.unit = entry.unit;
    record.exponent = static_cast<int8_t>(units.exponent + unit - units.first);
    return;
  }
}

// id 4, access, status, medium and units 2, two counters of 4 bytes.
Error ReadFixed(base::ByteView frame, Telegram& telegram) {
  if (frame.size() != kHeadBytes + kFixedSize + 2)
    return {Fault::kFixedLength, static_cast<uint16_t>(frame.size() - 2)};
  const bool msb_first = telegram.link.ci == kCiFixedMsb;
  const uint8_t* const at = frame.data() + kHeadBytes;
  Header& header = telegram.header;
  header.has_id = true;
  header.id = msb_first ? __builtin_bswap32(Load32(at)) : Load32(at);
  header.access = at[4];
  header.status = at[5];
  header.medium = static_cast<uint8_t>((at[6] >> 6) | (at[7] >> 6) << 2);
  telegram.records_offset = kHeadBytes + 8;
  for (size_t i = 0; i < 2; ++i) {
    Record& record = telegram.buffer[i];
    record = Record{};
    uint8_t unit = at[6 + i] & kUnitBits;
    record.storage = (header.status & kFixedHistoric) != 0 || unit == kFixedHistoricUnit ? 1 : 0;
    if (unit == kFixedHistoricUnit) unit = at[6] & kUnitBits;
    record.vif_offset = static_cast<uint16_t>(kHeadBytes + 6 + i);
    record.vif_size = 1;
    record.offset = record.data_offset = static_cast<uint16_t>(kHeadBytes + 8 + 4 * i);
    record.data_size = 4;
    record.flags = msb_first ? kMsbFirst : uint8_t{0};
    const uint32_t loaded = Load32(at + 8 + 4 * i);
    const uint32_t raw = msb_first ? __builtin_bswap32(loaded) : loaded;
    record.kind = ValueKind::kNumber;
    if ((header.status & kFixedBinary) != 0) {
      record.units = raw;
    } else if (HasErrorDigit(raw)) {
      SetSpecialDigits(raw, 4, record);
    } else {
      record.units = static_cast<int64_t>(FromDigits(raw));
    }
    SetFixedUnit(unit, record);
  }
  telegram.count = 2;
  return {};
}

void ReadLongHeader(const uint8_t* at, bool msb_first, Header& header) {
  header.has_id = true;
  header.has_maker = true;
  header.id = Load32(at);
  header.manufacturer = Load16(at + 4);
  header.version = at[6];
  header.medium = at[7];
  header.access = at[8];
  header.status = at[9];
  header.signature = Load16(at + 10);
  if (!msb_first) return;
  header.id = __builtin_bswap32(header.id);
  header.manufacturer = __builtin_bswap16(header.manufacturer);
  header.signature = __builtin_bswap16(header.signature);
}

// Finds the records behind the header of this CI. False: the frame has none to read, or it is in `error`.
bool ReadHeader(base::ByteView frame, Telegram& telegram, Error& error) {
  const uint8_t* const user = frame.data() + kHeadBytes;
  const size_t size = frame.size() - kHeadBytes - 2;
  size_t header_size = 0;
  switch (telegram.link.ci) {
    case kCiLong:
    case kCiLongMsb:
      header_size = kLongHeader;
      break;
    case kCiShort:
      header_size = kShortHeader;
      break;
    case kCiNoHeader:
    case kCiSend:
    case kCiSendMsb:
      break;
    case kCiFixed:
    case kCiFixedMsb:
      error = ReadFixed(frame, telegram);
      return false;
    case kCiError:
      telegram.application_error = size > 0 ? user[0] : 0;
      error = {Fault::kApplicationError, kHeadBytes};
      return false;
    default:
      error = {Fault::kUnknownCi, kHeadBytes - 1};
      return false;
  }
  if (size < header_size) {
    error = {Fault::kHeaderCut, static_cast<uint16_t>(frame.size() - 2)};
    return false;
  }
  telegram.records_offset = static_cast<uint16_t>(kHeadBytes + header_size);
  if (header_size == kLongHeader) ReadLongHeader(user, telegram.link.ci == kCiLongMsb, telegram.header);
  if (header_size == kShortHeader) {
    telegram.header.access = user[0];
    telegram.header.status = user[1];
    telegram.header.signature = Load16(user + 2);
  }
  telegram.encrypted = CipherMode(telegram.header.signature) != 0;
  return !telegram.encrypted;
}

}  // namespace

Error DecodeTelegram(base::ByteView frame, Telegram& telegram) {
  telegram.header = {};
  telegram.encrypted = false;
  telegram.more_follow = false;
  telegram.application_error = 0;
  telegram.records_offset = 0;
  telegram.count = 0;
  Error error = ParseLink(frame, telegram.link);
  if (!error.ok()) return error;
  if (telegram.link.shape == Shape::kAck || telegram.link.shape == Shape::kShort) return {Fault::kNotUserData, 0};
  if (!ReadHeader(frame, telegram, error)) return error;
  Reader reader(frame, telegram);
  const uint8_t* const at = frame.data() + telegram.records_offset;
  const bool reversed = telegram.link.ci == kCiLongMsb || telegram.link.ci == kCiSendMsb;
  return reversed ? reader.ReadRecords<true>(at) : reader.ReadRecords<false>(at);
}

uint8_t DataLength(uint8_t dif) { return kLengths[dif & 0x0F]; }

}  // namespace voltwell::codec::mbus
