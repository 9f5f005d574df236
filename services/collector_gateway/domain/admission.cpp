// Rates, networks and flaps; see admission.h.
#include "services/collector_gateway/domain/admission.h"

#include <algorithm>
#include <cmath>

#include "absl/hash/hash.h"

namespace voltwell::gateway {
namespace {

constexpr size_t kV4Offset = 12;  // Of the four bytes in ::ffff:a.b.c.d.
constexpr size_t kV6NetworkBytes = 8;

bool IsV4(const Address& address) {
  const bool zeros = std::all_of(address.begin(), address.begin() + 10, [](uint8_t byte) { return byte == 0; });
  return zeros && address[10] == 0xFF && address[11] == 0xFF;
}

}  // namespace

Address NetworkOf(Address address) {
  const size_t kept = IsV4(address) ? kV4Offset + 3 : kV6NetworkBytes;
  std::fill(address.begin() + static_cast<std::ptrdiff_t>(kept), address.end(), uint8_t{0});
  return address;
}

void TokenBucket::Refill(Instant now) {
  if (now <= refilled_) return;
  tokens_ = std::min(burst_, tokens_ + per_second_ * absl::ToDoubleSeconds(now - refilled_));
  refilled_ = now;
}

bool TokenBucket::Take(Instant now) {
  Refill(now);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

bool TokenBucket::full(Instant now) {
  Refill(now);
  return tokens_ >= burst_;
}

Instant TokenBucket::NextAt(Instant now) {
  Refill(now);
  if (tokens_ >= 1) return now;
  // A little more than the fraction that is missing, so that rounding does not make it come too early.
  return now + absl::Seconds((1 - tokens_) / per_second_) + absl::Microseconds(1);
}

Admission::Verdict Admission::Knock(const Address& address, Instant now) {
  if (networks_.size() >= kNetworksMax) Forget(now);
  const TokenBucket fresh(limits_.network_accepts_per_second, limits_.network_accept_burst);
  Network& network = networks_.try_emplace(NetworkOf(address), Network{fresh}).first->second;
  if (!network.bucket.Take(now)) return Verdict::kNetworkTooFast;
  if (network.open >= limits_.network_connections_max) return Verdict::kNetworkFull;
  ++network.open;
  return Verdict::kIn;
}

void Admission::Gone(const Address& address, Instant now) {
  const auto network = networks_.find(NetworkOf(address));
  if (network == networks_.end()) return;
  --network->second.open;
  if (network->second.open <= 0 && network->second.bucket.full(now)) networks_.erase(network);
}

// Whoever has no connection: those whose bucket is full lose nothing by it; if that is not enough, all.
void Admission::Forget(Instant now) {
  absl::erase_if(networks_,
                 [now](auto& network) { return network.second.open <= 0 && network.second.bucket.full(now); });
  if (networks_.size() < kNetworksMax) return;
  absl::erase_if(networks_, [](const auto& network) { return network.second.open <= 0; });
}

double FlapBook::CountAt(const Flaps& flaps, Instant now) {
  return std::max(0.0, flaps.count - absl::FDivDuration(now - flaps.since, kFlapLife));
}

void FlapBook::Ended(absl::string_view registration, absl::Duration lived, Instant now) {
  if (lived >= kFlapLife) return;
  if (ids_.size() >= kFlapIdsMax) {
    absl::erase_if(ids_, [now](const auto& id) { return CountAt(id.second, now) <= 0; });
  }
  const uint64_t key = absl::HashOf(registration);
  if (ids_.size() >= kFlapIdsMax && !ids_.contains(key)) return;
  Flaps& flaps = ids_[key];
  flaps.count = CountAt(flaps, now) + 1;
  flaps.since = now;
  const double beyond = flaps.count - kFlapsFree;
  if (beyond <= 0) return;
  // Doubled with each, and never so many that the doubling overflows.
  const double doublings = std::min(10.0, std::floor(beyond));
  flaps.held_until = now + std::min(kHoldOffMax, kHoldOffFirst * std::exp2(doublings));
}

absl::Duration FlapBook::HeldOff(absl::string_view registration, Instant now) const {
  if (ids_.empty()) return absl::ZeroDuration();
  const auto found = ids_.find(absl::HashOf(registration));
  if (found == ids_.end()) return absl::ZeroDuration();
  return std::max(absl::ZeroDuration(), found->second.held_until - now);
}

}  // namespace voltwell::gateway
