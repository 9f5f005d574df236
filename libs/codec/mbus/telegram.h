// What a meter says in one frame (EN 13757-3): the header and every record, typed and exact, without allocation. A
// Telegram is kept and used again for the next frame.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "libs/base/bytes.h"
#include "libs/codec/mbus/link.h"

namespace voltwell::codec::mbus {

inline constexpr size_t kDifeMax = 10;
inline constexpr size_t kVifeMax = 10;
// A record has at least DIF and VIF, the user data behind CI at most 252 bytes.
inline constexpr size_t kRecordsMax = 126;

enum class Function : uint8_t { kInstantaneous = 0, kMaximum = 1, kMinimum = 2, kDuringError = 3 };

// How the value is to be read; value.h turns it into a decimal, a time or a text.
enum class ValueKind : uint8_t {
  kNone,          // No data (data field 0 or 8).
  kNumber,        // units * 10^exponent of the unit, exactly.
  kFloat,         // The float whose bits are in units, times 10^exponent of the unit.
  kBits,          // units, unsigned.
  kDate,          // Type G, raw in units.
  kDateTime,      // Type F.
  kDateTimeLong,  // Type I.
  kTime,          // Type J.
  kText,          // data_size characters of ISO 8859-1.
  kBytes,         // Longer than a number can be.
  kErrorDigits,   // BCD with digits above 9: what the meter shows instead of a number.
  kManufacturer,  // All that is left of the user data.
};

// VIFE 7CH: the next one is of a table of its own (phases, quadrants), in which no code changes number or unit.
inline constexpr uint8_t kVifeNextTable = 0x7C;

// Flags of a record.
inline constexpr uint8_t kHasModifiers = 0x01;   // VIFE behind the VIF: what they say is in value.h's Modifiers.
inline constexpr uint8_t kNoValueFlag = 0x02;    // One of them says why there is no value.
inline constexpr uint8_t kVendorMeaning = 0x04;  // VIF 7FH, or a VIFE 7FH: what it means is the vendor's.
inline constexpr uint8_t kMoreFollow = 0x08;     // DIF 1FH: the readout goes on in the next telegram.
inline constexpr uint8_t kMsbFirst = 0x10;       // Highest byte first (CI 55H, 76H).

// Offsets count from the frame's first byte.
struct Record {
  int64_t units = 0;
  uint64_t storage = 0;
  uint32_t tariff = 0;
  uint16_t subunit = 0;
  uint16_t offset = 0;  // Of the DIF.
  uint16_t vif_offset = 0;
  uint16_t data_offset = 0;  // Behind LVAR.
  uint8_t vif_size = 0;      // With text and VIFE.
  uint8_t data_size = 0;
  uint8_t row = 0;  // In VifRows().
  int8_t exponent = 0;
  uint8_t unit = 0;  // For UnitText.
  ValueKind kind = ValueKind::kNone;
  Function function = Function::kInstantaneous;
  uint8_t flags = 0;
};
static_assert(sizeof(Record) <= 40);

struct Header {
  bool has_id = false;     // CI 72H, 76H, 73H, 77H.
  bool has_maker = false;  // Manufacturer and version: not in the fixed structure.
  uint32_t id = 0;         // Eight digits as they are printed, one a nibble.
  uint16_t manufacturer = 0;
  uint8_t version = 0;
  uint8_t medium = 0;
  uint8_t access = 0;
  uint8_t status = 0;
  uint16_t signature = 0;
};

// Telegrams come from meters (C of a reply) and, for Explain, from masters (CI 51H, 55H: records without header).
struct Telegram {
  Link link;
  Header header;
  bool encrypted = false;         // The signature names a cipher: only the header is read.
  bool more_follow = false;       // Of the last record.
  uint8_t application_error = 0;  // Of CI 70H.
  uint16_t records_offset = 0;
  size_t count = 0;
  std::array<Record, kRecordsMax> buffer;

  std::span<const Record> records() const { return {buffer.data(), count}; }
};

// Takes a whole frame apart. At a fault the records before it stand in the telegram.
// kApplicationError for CI 70H, whose code is in application_error.
Error DecodeTelegram(base::ByteView frame, Telegram& telegram);

// What DIF's data field says of the length of the data: bytes, or one of these.
inline constexpr uint8_t kVariable = 0x80;
inline constexpr uint8_t kSpecial = 0x81;
uint8_t DataLength(uint8_t dif);

// Cipher of a signature word; 0: none.
inline uint8_t CipherMode(uint16_t signature) { return (signature >> 8) & 0x1F; }

}  // namespace voltwell::codec::mbus
