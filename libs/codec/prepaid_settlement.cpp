// Settling a doubtful purchase; see prepaid_settlement.h.
#include "libs/codec/prepaid_settlement.h"

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"

namespace voltwell::codec {
namespace {

// What the amounts say about the purchase.
enum class Evidence : uint8_t { kNone, kTaken, kNotTaken, kOther };

// How much more the meter shows than before; none when either is not told.
std::optional<decimal::Decimal> Rise(const std::optional<decimal::Decimal>& before,
                                     const std::optional<decimal::Decimal>& after) {
  if (!before.has_value() || !after.has_value()) return std::nullopt;
  const auto rise = decimal::Subtract(*after, *before);
  return rise.ok() ? std::optional(*rise) : std::nullopt;
}

Evidence OfAccumulated(const DoubtfulPurchase& purchase) {
  const auto rise = Rise(purchase.before.accumulated, purchase.after.accumulated);
  if (!rise.has_value()) return Evidence::kNone;
  if (*rise == purchase.amount) return Evidence::kTaken;
  return *rise == decimal::Decimal() ? Evidence::kNotTaken : Evidence::kOther;
}

// The meter counts n: is it our n?
Evidence OfNumberTaken(const DoubtfulPurchase& purchase) {
  if (const Evidence accumulated = OfAccumulated(purchase); accumulated != Evidence::kNone) {
    return accumulated == Evidence::kTaken ? Evidence::kTaken : Evidence::kOther;
  }
  if (purchase.after.last_amount.has_value()) {
    return *purchase.after.last_amount == purchase.amount ? Evidence::kTaken : Evidence::kOther;
  }
  const auto rise = Rise(purchase.before.remaining, purchase.after.remaining);
  if (!rise.has_value()) return Evidence::kNone;
  return *rise > decimal::Decimal() && *rise <= purchase.amount ? Evidence::kTaken : Evidence::kOther;
}

// The meter counts n - 1: has it got money all the same?
bool MoneyCame(const DoubtfulPurchase& purchase) {
  const Evidence accumulated = OfAccumulated(purchase);
  if (accumulated != Evidence::kNone) return accumulated != Evidence::kNotTaken;
  const auto rise = Rise(purchase.before.remaining, purchase.after.remaining);
  return rise.has_value() && *rise > decimal::Decimal();
}

Settlement WithoutState(AttemptEnd ended) {
  switch (ended) {
    case AttemptEnd::kAccepted:
      return Settlement::kApplied;
    case AttemptEnd::kNotSent:
    case AttemptEnd::kRefused:
      return Settlement::kNotApplied;
    case AttemptEnd::kRefusedAsDouble:
    case AttemptEnd::kSilent:
      break;
  }
  return Settlement::kReadAgain;
}

Settlement WithoutNumber(const DoubtfulPurchase& purchase) {
  const AttemptEnd ended = purchase.ended;
  switch (OfAccumulated(purchase)) {
    case Evidence::kNone:
      return WithoutState(ended);
    case Evidence::kTaken:
      return ended == AttemptEnd::kNotSent ? Settlement::kConflict : Settlement::kApplied;
    case Evidence::kNotTaken: {
      const bool said_taken = ended == AttemptEnd::kAccepted || ended == AttemptEnd::kRefusedAsDouble;
      return said_taken ? Settlement::kConflict : Settlement::kNotApplied;
    }
    case Evidence::kOther:
      break;
  }
  return Settlement::kConflict;
}

Settlement NumberIsTaken(const DoubtfulPurchase& purchase) {
  if (purchase.ended == AttemptEnd::kNotSent) return Settlement::kConflict;
  switch (OfNumberTaken(purchase)) {
    case Evidence::kTaken:
      return Settlement::kApplied;
    case Evidence::kNone: {
      const bool confirmed = purchase.ended == AttemptEnd::kAccepted || purchase.ended == AttemptEnd::kRefusedAsDouble;
      return confirmed ? Settlement::kApplied : Settlement::kReadAgain;
    }
    default:
      return Settlement::kConflict;
  }
}

Settlement NumberIsFree(const DoubtfulPurchase& purchase) {
  const bool said_taken = purchase.ended == AttemptEnd::kAccepted || purchase.ended == AttemptEnd::kRefusedAsDouble;
  return said_taken || MoneyCame(purchase) ? Settlement::kConflict : Settlement::kNotApplied;
}

// By how much the remaining amount sank.
enum class Fall : uint8_t { kNotTold, kLess, kExactly, kMore, kOther };

Fall FallOf(const DoubtfulPurchase& refund) {
  const auto fall = Rise(refund.after.remaining, refund.before.remaining);
  const auto accumulated_fall = Rise(refund.after.accumulated, refund.before.accumulated);
  const decimal::Decimal none;
  const bool accumulated_fell = accumulated_fall.has_value() && !(*accumulated_fall == none);
  if (accumulated_fell && !(*accumulated_fall == refund.amount)) return Fall::kOther;
  if (!fall.has_value()) return accumulated_fell ? Fall::kOther : Fall::kNotTold;
  if (*fall < none) return Fall::kOther;
  if (*fall == refund.amount) return Fall::kExactly;
  if (refund.amount < *fall) return Fall::kMore;
  return accumulated_fell ? Fall::kOther : Fall::kLess;
}

Settlement OfRefund(const DoubtfulPurchase& refund) {
  const AttemptEnd ended = refund.ended;
  switch (FallOf(refund)) {
    case Fall::kNotTold:
      return WithoutState(ended);
    case Fall::kExactly:
      return ended == AttemptEnd::kNotSent || ended == AttemptEnd::kRefused ? Settlement::kConflict
                                                                            : Settlement::kApplied;
    case Fall::kMore:
      return ended == AttemptEnd::kAccepted ? Settlement::kApplied : Settlement::kConflict;
    case Fall::kLess: {
      if (ended == AttemptEnd::kAccepted || ended == AttemptEnd::kRefusedAsDouble) return Settlement::kConflict;
      if (ended != AttemptEnd::kSilent) return Settlement::kNotApplied;
      const bool no_purchase = OfAccumulated(refund) == Evidence::kNotTaken;
      return no_purchase ? Settlement::kNotApplied : Settlement::kReadAgain;
    }
    case Fall::kOther:
      break;
  }
  return Settlement::kConflict;
}

}  // namespace

Settlement Settle(const DoubtfulPurchase& purchase) {
  if (purchase.kind == PrepayKind::kUnspecified) return Settlement::kConflict;
  if (purchase.kind == PrepayKind::kRefund) return OfRefund(purchase);
  if (!purchase.number.has_value()) return WithoutNumber(purchase);
  if (!purchase.after.purchase_number.has_value()) return WithoutState(purchase.ended);
  const uint64_t count = *purchase.after.purchase_number;
  if (count >= purchase.numbers || *purchase.number >= purchase.numbers) return Settlement::kConflict;
  if (count == *purchase.number) return NumberIsTaken(purchase);
  const uint64_t next = (count + 1) % purchase.numbers;
  return next == *purchase.number ? NumberIsFree(purchase) : Settlement::kConflict;
}

absl::string_view SettlementName(Settlement settlement) {
  switch (settlement) {
    case Settlement::kApplied:
      return "APPLIED";
    case Settlement::kNotApplied:
      return "NOT_APPLIED";
    case Settlement::kReadAgain:
      return "UNKNOWN_READ_AGAIN";
    case Settlement::kConflict:
      break;
  }
  return "CONFLICT";
}

AttemptEnd EndOf(const absl::Status& error) {
  if (error.ok()) return AttemptEnd::kAccepted;
  if (base::ReasonOf(error) != "METER_REFUSED") return AttemptEnd::kSilent;
  base::ErrorMetadata metadata = base::MetadataOf(error);
  // Only a SERR of two bytes says why. Any other word is a vendor's own, or CJ/T 188's: nobody knows whether it means
  // "already counted".
  constexpr size_t kSerrDigits = 4;
  if (metadata["word"].size() != kSerrDigits) return AttemptEnd::kSilent;
  // So is a bit without a name, or none at all: a refusal for a reason that is known has one.
  bool known = false;
  for (const absl::string_view bit : absl::StrSplit(metadata["bits"], ',', absl::SkipEmpty())) {
    if (absl::StartsWith(bit, "duplicate")) return AttemptEnd::kRefusedAsDouble;
    known = known || (bit != "unspecified" && !absl::StartsWith(bit, "bit_"));
  }
  return known ? AttemptEnd::kRefused : AttemptEnd::kSilent;
}

}  // namespace voltwell::codec
