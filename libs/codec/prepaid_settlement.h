// Whether a purchase reached the wallet in a meter, when its answer did not settle that: the purchase number, the last
// purchase and the amounts of the meter decide, never a guess. Pure.
//
// What makes it possible: the ledger gives purchase n of a meter to one payment only and never to another amount, and
// the meter takes n only when its own count is n - 1. So, with the count c that the meter shows now:
//
//   ended              c = n - 1         c = n, amount agrees   c = n, amount differs   another c   c not told
//   not sent           NOT_APPLIED       CONFLICT               CONFLICT                CONFLICT    NOT_APPLIED
//   accepted           CONFLICT          APPLIED                CONFLICT                CONFLICT    APPLIED
//   refused            NOT_APPLIED       APPLIED *              CONFLICT                CONFLICT    NOT_APPLIED
//   refused, double    CONFLICT          APPLIED                CONFLICT                CONFLICT    READ_AGAIN
//   silent, garbled    NOT_APPLIED       APPLIED                CONFLICT                CONFLICT    READ_AGAIN
//
//   * An earlier try of the same purchase took effect unheard, and this one was refused for it.
//
// "Amount agrees" is the first of these that the meter tells: the accumulated amount rose by exactly the amount; the
// last purchase is the amount; the remaining amount rose, but by no more than the amount (something may have been used
// meanwhile). When it tells none of them, a number that the meter confirmed itself (accepted, double) agrees, and
// otherwise it is READ_AGAIN. When c = n - 1, an accumulated or remaining amount that rose is a CONFLICT.
//
// Meters without a purchase number (order numbers) are judged by the accumulated amount alone: risen by exactly the
// amount APPLIED, not at all NOT_APPLIED, else CONFLICT; not told: as in the last column.
//
// A refund has no number, whatever the meter counts, and what it does to the accumulated amount is not known: the
// remaining amount decides, which sinks by use, too. It sank since `before`
//
//   ended              by exactly the amount   by less       by more    not told
//   not sent           CONFLICT                NOT_APPLIED   CONFLICT   NOT_APPLIED
//   accepted           APPLIED                 CONFLICT      APPLIED    APPLIED
//   refused            CONFLICT                NOT_APPLIED   CONFLICT   NOT_APPLIED
//   refused, double    APPLIED                 CONFLICT      CONFLICT   READ_AGAIN
//   silent, garbled    APPLIED                 READ_AGAIN *  CONFLICT   READ_AGAIN
//
//   * NOT_APPLIED where the accumulated amount is told and did not change: no purchase hides the refund.
//
// A remaining amount that rose, or an accumulated one that neither stayed nor sank by exactly the amount, is a
// CONFLICT: something else happened to this wallet meanwhile. One that sank by exactly the amount while the remaining
// one did not is one, too.
//
// The state must have been read after the attempt ended, over the same line: a bus keeps its order. CONFLICT is for a
// human: money is neither given again nor taken back. docs/protocols.md tells the same to people.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "libs/codec/command.h"
#include "libs/decimal/decimal.h"

namespace voltwell::codec {

// Of several tries of one purchase the most doubtful: silent, then as double, accepted, refused, not sent.
enum class AttemptEnd : uint8_t {
  kNotSent,          // No byte of it reached the line, in no try.
  kAccepted,         // A normal reply.
  kRefused,          // METER_REFUSED with a bit that has a name, but not that of the next.
  kRefusedAsDouble,  // METER_REFUSED with duplicate_recharge: the meter has this number already.
  kSilent,           // Nothing, or nothing understood, came back after it was sent.
};

enum class Settlement : uint8_t { kApplied, kNotApplied, kReadAgain, kConflict };

// Counts of purchases: 32 bits in DL/T 645, 8 bits that wrap in CJ/T 188.
inline constexpr uint64_t kDlt645PurchaseNumbers = uint64_t{1} << 32;
inline constexpr uint64_t kCjt188PurchaseNumbers = uint64_t{1} << 8;

struct DoubtfulPurchase {
  PrepayKind kind = PrepayKind::kTopUp;  // Openings and top-ups bring money, refunds take it.
  std::optional<uint32_t> number = {};   // n; none where the meter has order numbers.
  uint64_t numbers = kDlt645PurchaseNumbers;
  decimal::Decimal amount = {};
  AttemptEnd ended = AttemptEnd::kSilent;
  PrepaidState before = {};  // As known when the purchase was made; may tell nothing.
  PrepaidState after = {};   // As read since; nothing when it could not be read.
};

Settlement Settle(const DoubtfulPurchase& purchase);

// "APPLIED", "NOT_APPLIED", "UNKNOWN_READ_AGAIN", "CONFLICT".
absl::string_view SettlementName(Settlement settlement);

// How an answer ended the attempt: by Decode's error. A refusal by anything but a SERR of two bytes, or without a known
// bit, is as good as silence: see the .cpp.
AttemptEnd EndOf(const absl::Status& error);

}  // namespace voltwell::codec
