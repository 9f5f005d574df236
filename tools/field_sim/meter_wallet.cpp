// The wallet in a prepaid DL/T 645-2007 meter: control code 03H. Amounts and counts are binary there, fen and
// purchases; the records of purchases (0333) show them as BCD.
#include <algorithm>

#include "tools/field_sim/meter.h"
#include "tools/field_sim/meter_fields.h"

namespace voltwell::field_sim {
namespace {

constexpr uint8_t kSecurity = 0x03, kReplyBit = 0x80, kAbnormal = 0xC0;
constexpr uint32_t kAuthenticate = 0x070000FF, kEnd = 0x070002FF, kOpenAccount = 0x070101FF, kTopUp = 0x070102FF;
constexpr uint32_t kStatus = 0x078102FF;
// Bits of the security error word.
constexpr uint16_t kOther = 1U << 0, kDuplicate = 1U << 1, kBadMac = 1U << 2, kNotAuthenticated = 1U << 3;
constexpr uint16_t kWrongCustomer = 1U << 4, kWrongCount = 1U << 5, kHoarding = 1U << 6;
constexpr int64_t kAuthenticationNs = 300'000'000'000;  // Five minutes.
constexpr size_t kPurchasesKept = 10;

uint32_t Binary(Bytes data) {
  return static_cast<uint32_t>(data[0] | data[1] << 8 | data[2] << 16) | static_cast<uint32_t>(data[3]) << 24;
}

}  // namespace

// DI, C0..C3, body. The answer repeats the DI.
bool Meter::Security(const Request& request, Moment now, Reply* reply) {
  if (!load_.prepaid() || request.size < 8) return Refuse(kSecurity, kOtherError, reply);
  const Bytes data = request.payload();
  const uint32_t di = DiOf(data);
  const Bytes body = data.subspan(8);
  reply->control = kSecurity | kReplyBit;
  reply->PutDi(di);
  uint16_t error = 0;
  if (di == kAuthenticate && body.size() == 24) {
    authenticated_until_ = now.mono_ns + kAuthenticationNs;
    reply->PutDi(0x52414E44);                                                // Random number.
    for (int i = 0; i < 8; ++i) reply->Put(static_cast<uint8_t>(0x10 + i));  // Serial number of the chip.
  } else if (di == kStatus || di == kEnd) {
    PutWallet(di == kEnd, reply);
    if (di == kEnd) authenticated_until_ = 0;
  } else if ((di == kOpenAccount || di == kTopUp) && body.size() == 22) {
    error = Purchase(di == kOpenAccount, body, now);
  } else {
    error = kOther;
  }
  if (error == 0) return true;
  reply->control = kSecurity | kAbnormal;
  reply->size = 0;
  reply->Put(static_cast<uint8_t>(error));
  reply->Put(static_cast<uint8_t>(error >> 8));
  return true;
}

void Meter::PutWallet(bool at_end, Reply* reply) const {
  const auto customer = [&] {
    for (int i = 0; i < 6; ++i) reply->Put(static_cast<uint8_t>(customer_ >> (8 * i)));
  };
  if (at_end) customer();
  reply->PutDi(static_cast<uint32_t>(load_.RemainingFen()));
  if (!at_end) reply->PutDi(config_.wallet_mac.value_or(0));
  reply->PutDi(purchase_count_);
  if (!at_end) {
    reply->PutDi(config_.wallet_mac.value_or(0));
    customer();
  }
  reply->PutDi(1);  // Key state: formal keys.
}

// Amount, count, MAC1, customer, MAC2. In the order in which meters are known to check: opened, customer, MAC, count.
uint16_t Meter::Purchase(bool opens, Bytes body, Moment now) {
  if (config_.wallet_authenticates && now.mono_ns >= authenticated_until_) return kNotAuthenticated;
  const int64_t fen = Binary(body);
  const uint32_t count = Binary(body.subspan(4));
  uint64_t customer = 0;
  for (size_t i = 6; i > 0; --i) customer = customer << 8 | body[12 + i - 1];
  if (opens == opened_) return kOther;
  if (!opens && customer != customer_) return kWrongCustomer;
  for (size_t i = 12; i < 18; ++i) {
    if (!FromBcd(body[i]).has_value()) return kWrongCustomer;
  }
  if (config_.wallet_mac.has_value() &&
      (Binary(body.subspan(8)) != *config_.wallet_mac || Binary(body.subspan(18)) != *config_.wallet_mac)) {
    return kBadMac;
  }
  if (opens ? count > 1 : count != purchase_count_ + 1) {
    return !opens && count == purchase_count_ ? kDuplicate : kWrongCount;
  }
  const int64_t before = load_.RemainingFen();
  if (config_.hoarding_fen.has_value() && before + fen > *config_.hoarding_fen) return kHoarding;
  opened_ = true;
  customer_ = customer;
  purchase_count_ = count;
  load_.AddFen(fen);
  bought_fen_ += fen;
  purchases_.insert(purchases_.begin(),
                    {SecondsToCivil(load_.ClockSeconds(now)), count, fen, before, load_.RemainingFen(), bought_fen_});
  purchases_.resize(std::min(purchases_.size(), kPurchasesKept));
  return 0;
}

// 0333 01..06, 01..0A: date, count, amount, before, after, sum of all. Without a purchase so far back there is no
// value.
bool Meter::ShowPurchase(uint32_t di, Sheet* sheet) const {
  const uint32_t item = di >> 8 & 0xFF, back = di & 0xFF;
  if (!load_.prepaid() || item < 1 || item > 6 || back < 1 || back > kPurchasesKept) return false;
  if (back > purchases_.size()) {
    sheet->Nothing(item == 1 ? 5 : item == 2 ? 2 : 4);
    return true;
  }
  const PurchaseRecord& record = purchases_[back - 1];
  if (item == 1) sheet->Civil("mhDMY", record.time);
  if (item == 2) sheet->Bcd(record.count, 2, 0, "");
  if (item == 3) sheet->Bcd(record.fen, 4, 2, "CNY");
  if (item == 4) sheet->Bcd(record.before_fen, 4, 2, "CNY");
  if (item == 5) sheet->Bcd(record.after_fen, 4, 2, "CNY");
  if (item == 6) sheet->Bcd(record.sum_fen, 4, 2, "CNY");
  return true;
}

}  // namespace voltwell::field_sim
