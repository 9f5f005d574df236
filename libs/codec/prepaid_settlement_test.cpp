// The table of prepaid_settlement.h, cell by cell.
#include "libs/codec/prepaid_settlement.h"

#include <catch2/catch.hpp>

#include "libs/base/status.h"

namespace voltwell::codec {
namespace {

using decimal::Decimal;
using enum Settlement;

constexpr AttemptEnd kEnds[] = {AttemptEnd::kNotSent, AttemptEnd::kAccepted, AttemptEnd::kRefused,
                                AttemptEnd::kRefusedAsDouble, AttemptEnd::kSilent};

const Decimal kAmount(5000, 2);

// Purchase 7 of 50.00 while 3.20 remain.
DoubtfulPurchase Purchase(AttemptEnd ended) {
  DoubtfulPurchase purchase;
  purchase.number = 7;
  purchase.amount = kAmount;
  purchase.ended = ended;
  purchase.before.remaining = Decimal(320, 2);
  purchase.before.purchase_number = 6;
  return purchase;
}

void CheckRow(const PrepaidState& after, const std::vector<Settlement>& expected) {
  for (size_t i = 0; i < std::size(kEnds); ++i) {
    DoubtfulPurchase purchase = Purchase(kEnds[i]);
    purchase.after = after;
    CAPTURE(i);
    CHECK(Settle(purchase) == expected[i]);
  }
}

TEST_CASE("without a reading only what the meter said plainly counts") {
  CheckRow({}, {kNotApplied, kApplied, kNotApplied, kReadAgain, kReadAgain});
}

TEST_CASE("a count that did not move: it was not taken, unless the meter said so") {
  CheckRow({.purchase_number = 6}, {kNotApplied, kConflict, kNotApplied, kConflict, kNotApplied});
  CheckRow({.purchase_number = 6, .remaining = Decimal(310, 2)},
           {kNotApplied, kConflict, kNotApplied, kConflict, kNotApplied});
}

TEST_CASE("a count that did not move while money came is for a human") {
  CheckRow({.purchase_number = 6, .remaining = Decimal(5310, 2)},
           {kConflict, kConflict, kConflict, kConflict, kConflict});
}

TEST_CASE("our number with our amount is applied, however the attempt ended") {
  CheckRow({.purchase_number = 7, .last_amount = kAmount}, {kConflict, kApplied, kApplied, kApplied, kApplied});
  CheckRow({.purchase_number = 7, .last_amount = Decimal(50, 0)}, {kConflict, kApplied, kApplied, kApplied, kApplied});
}

TEST_CASE("our number with another amount is for a human") {
  CheckRow({.purchase_number = 7, .last_amount = Decimal(5001, 2)},
           {kConflict, kConflict, kConflict, kConflict, kConflict});
}

TEST_CASE("our number and a remaining amount that rose by at most ours is applied") {
  CheckRow({.purchase_number = 7, .remaining = Decimal(5320, 2)}, {kConflict, kApplied, kApplied, kApplied, kApplied});
  CheckRow({.purchase_number = 7, .remaining = Decimal(5100, 2)}, {kConflict, kApplied, kApplied, kApplied, kApplied});
  CheckRow({.purchase_number = 7, .remaining = Decimal(5321, 2)},
           {kConflict, kConflict, kConflict, kConflict, kConflict});
  CheckRow({.purchase_number = 7, .remaining = Decimal(320, 2)},
           {kConflict, kConflict, kConflict, kConflict, kConflict});
}

TEST_CASE("our number without any amount is read again, unless the meter confirmed it") {
  CheckRow({.purchase_number = 7}, {kConflict, kApplied, kReadAgain, kApplied, kReadAgain});
}

TEST_CASE("any other number is for a human") {
  for (const uint32_t count : {0U, 5U, 8U, 4'294'967'295U}) {
    CAPTURE(count);
    CheckRow({.purchase_number = count, .last_amount = kAmount},
             {kConflict, kConflict, kConflict, kConflict, kConflict});
  }
}

TEST_CASE("the accumulated amount beats the last and the remaining one") {
  DoubtfulPurchase purchase = Purchase(AttemptEnd::kSilent);
  purchase.before.accumulated = Decimal(100000, 2);
  purchase.after = {.purchase_number = 7, .remaining = Decimal(320, 2), .accumulated = Decimal(105000, 2)};
  CHECK(Settle(purchase) == kApplied);
  purchase.after.accumulated = Decimal(100000, 2);
  CHECK(Settle(purchase) == kConflict);
  purchase.after.purchase_number = 6;
  CHECK(Settle(purchase) == kNotApplied);
  purchase.after.accumulated = Decimal(105000, 2);
  CHECK(Settle(purchase) == kConflict);
}

TEST_CASE("the 8 bits of CJ/T 188 wrap") {
  for (const auto& [number, count, expected] : {std::tuple{0U, 255U, kNotApplied},
                                                {0U, 0U, kApplied},
                                                {255U, 254U, kNotApplied},
                                                {255U, 255U, kApplied},
                                                {0U, 1U, kConflict},
                                                {1U, 255U, kConflict},
                                                {256U, 255U, kConflict},
                                                {0U, 256U, kConflict}}) {
    CAPTURE(number, count);
    DoubtfulPurchase purchase = Purchase(AttemptEnd::kSilent);
    purchase.number = number;
    purchase.numbers = kCjt188PurchaseNumbers;
    purchase.after = {.purchase_number = count};
    if (expected == kApplied) purchase.after.last_amount = kAmount;
    CHECK(Settle(purchase) == expected);
  }
  // 32 bits do not wrap at 255.
  DoubtfulPurchase wide = Purchase(AttemptEnd::kSilent);
  wide.number = 0;
  wide.after = {.purchase_number = 255};
  CHECK(Settle(wide) == kConflict);
}

TEST_CASE("a wallet with order numbers is judged by its accumulated amount") {
  const auto settle = [](AttemptEnd ended, std::optional<Decimal> accumulated) {
    DoubtfulPurchase purchase = Purchase(ended);
    purchase.number = std::nullopt;
    purchase.before.accumulated = Decimal(100000, 2);
    purchase.after.accumulated = accumulated;
    return Settle(purchase);
  };
  const auto row = [&](std::optional<Decimal> accumulated, const std::vector<Settlement>& expected) {
    for (size_t i = 0; i < std::size(kEnds); ++i) CHECK(settle(kEnds[i], accumulated) == expected[i]);
  };
  row(std::nullopt, {kNotApplied, kApplied, kNotApplied, kReadAgain, kReadAgain});
  row(Decimal(105000, 2), {kConflict, kApplied, kApplied, kApplied, kApplied});
  row(Decimal(100000, 2), {kNotApplied, kConflict, kNotApplied, kConflict, kNotApplied});
  row(Decimal(103000, 2), {kConflict, kConflict, kConflict, kConflict, kConflict});
}

// A refund of 50.00 while 80.00 remained and 1000.00 had been bought, by its remaining and accumulated amounts since.
void CheckRefund(std::optional<Decimal> remaining, std::optional<Decimal> accumulated,
                 const std::vector<Settlement>& expected) {
  for (size_t i = 0; i < std::size(kEnds); ++i) {
    // An order number in the meter; where it counts, its count says nothing of a refund.
    for (const std::optional<uint32_t> number : {std::optional<uint32_t>(), std::optional<uint32_t>(7)}) {
      DoubtfulPurchase refund;
      refund.kind = PrepayKind::kRefund;
      refund.number = number;
      refund.amount = kAmount;
      refund.ended = kEnds[i];
      refund.before = {.purchase_number = 6, .remaining = Decimal(8000, 2), .accumulated = Decimal(100000, 2)};
      refund.after = {.purchase_number = 6, .remaining = remaining, .accumulated = accumulated};
      CAPTURE(i, number.has_value());
      CHECK(Settle(refund) == expected[i]);
    }
  }
}

TEST_CASE("a refund is judged by the remaining amount, and never not applied by the accumulated one alone") {
  const Decimal same(100000, 2);
  // It took effect: 80.00 sank to 30.00, and what was bought stays, or sinks with it.
  for (const auto& accumulated : {std::optional<Decimal>(), std::optional(same), std::optional(Decimal(95000, 2))}) {
    CheckRefund(Decimal(3000, 2), accumulated, {kConflict, kApplied, kConflict, kApplied, kApplied});
  }
  // Not told: what the meter said plainly counts, whatever the accumulated amount does.
  CheckRefund(std::nullopt, std::nullopt, {kNotApplied, kApplied, kNotApplied, kReadAgain, kReadAgain});
  CheckRefund(std::nullopt, same, {kNotApplied, kApplied, kNotApplied, kReadAgain, kReadAgain});
  CheckRefund(std::nullopt, Decimal(95000, 2), {kConflict, kConflict, kConflict, kConflict, kConflict});
  // Something was used, or nothing.
  for (const int64_t fen : {8000, 7990, 3001}) {
    CheckRefund(Decimal(fen, 2), same, {kNotApplied, kConflict, kNotApplied, kConflict, kNotApplied});
    CheckRefund(Decimal(fen, 2), std::nullopt, {kNotApplied, kConflict, kNotApplied, kConflict, kReadAgain});
    CheckRefund(Decimal(fen, 2), Decimal(95000, 2), {kConflict, kConflict, kConflict, kConflict, kConflict});
  }
  // The refund and use, or use alone.
  CheckRefund(Decimal(2999, 2), same, {kConflict, kApplied, kConflict, kConflict, kConflict});
  // Money came: somebody else was at this wallet.
  CheckRefund(Decimal(8001, 2), same, {kConflict, kConflict, kConflict, kConflict, kConflict});
  CheckRefund(Decimal(3000, 2), Decimal(105000, 2), {kConflict, kConflict, kConflict, kConflict, kConflict});
}

TEST_CASE("what is neither purchase nor refund is for a human") {
  DoubtfulPurchase purchase = Purchase(AttemptEnd::kSilent);
  purchase.kind = PrepayKind::kUnspecified;
  purchase.after = {.purchase_number = 6};
  CHECK(Settle(purchase) == kConflict);
  purchase.kind = PrepayKind::kOpenAccount;
  CHECK(Settle(purchase) == kNotApplied);
}

TEST_CASE("how an attempt ended is told by the decoder's error") {
  CHECK(EndOf(absl::OkStatus()) == AttemptEnd::kAccepted);
  CHECK(EndOf(base::DataLoss("FRAME_NOT_UNDERSTOOD", "no")) == AttemptEnd::kSilent);
  CHECK(EndOf(base::FailedPrecondition("METER_REFUSED", "no",
                                       {{"bits", "other,duplicate_recharge"}, {"word", "0300"}})) ==
        AttemptEnd::kRefusedAsDouble);
  CHECK(EndOf(base::FailedPrecondition("METER_REFUSED", "no", {{"bits", "purchase_count"}, {"word", "2000"}})) ==
        AttemptEnd::kRefused);
  // A vendor's single byte may mean anything, also that the purchase is counted already.
  CHECK(EndOf(base::FailedPrecondition("METER_REFUSED", "no", {{"bits", "other"}, {"word", "01"}})) ==
        AttemptEnd::kSilent);
  // CJ/T 188: the same byte behind identifier and sequence.
  CHECK(EndOf(base::FailedPrecondition("METER_REFUSED", "no",
                                       {{"bits", "unspecified"}, {"error", "01"}, {"word", "13A00501"}})) ==
        AttemptEnd::kSilent);
  // Words that are no SERR, whatever they are taken for.
  for (const char* const word : {"", "020000", "FF0281070200"}) {
    CAPTURE(word);
    CHECK(EndOf(base::FailedPrecondition("METER_REFUSED", "no", {{"bits", "purchase_count"}, {"word", word}})) ==
          AttemptEnd::kSilent);
    CHECK(EndOf(base::FailedPrecondition("METER_REFUSED", "no", {{"bits", "duplicate_recharge"}, {"word", word}})) ==
          AttemptEnd::kSilent);
  }
  for (const char* const bits : {"unspecified", "bit_12", "bit_10,bit_15"}) {
    CAPTURE(bits);
    CHECK(EndOf(base::FailedPrecondition("METER_REFUSED", "no", {{"bits", bits}, {"word", "0010"}})) ==
          AttemptEnd::kSilent);
  }
  CHECK(EndOf(base::FailedPrecondition("METER_REFUSED", "no", {{"bits", "hoarding_limit,bit_12"}, {"word", "4010"}})) ==
        AttemptEnd::kRefused);
}

TEST_CASE("verdicts have names") {
  CHECK(SettlementName(kApplied) == "APPLIED");
  CHECK(SettlementName(kNotApplied) == "NOT_APPLIED");
  CHECK(SettlementName(kReadAgain) == "UNKNOWN_READ_AGAIN");
  CHECK(SettlementName(kConflict) == "CONFLICT");
}

}  // namespace
}  // namespace voltwell::codec
