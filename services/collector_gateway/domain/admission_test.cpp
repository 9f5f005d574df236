// Who is let in.
#include "services/collector_gateway/domain/admission.h"

#include <catch2/catch.hpp>

#include "services/collector_gateway/core/peer.h"

using namespace voltwell::gateway;  // NOLINT

namespace {

using Verdict = Admission::Verdict;
Address At(const char* text) { return ParseNetwork(text)->address; }
constexpr Instant kStart = absl::Seconds(100);

}  // namespace

TEST_CASE("connections are accepted up to the burst, then at the rate") {
  Admission admission({.accepts_per_second = 10, .accept_burst = 3});
  for (int i = 0; i < 3; ++i) {
    CHECK(admission.AcceptAt(kStart) == kStart);
    admission.Accepted(kStart);
  }
  const Instant next = admission.AcceptAt(kStart);
  CHECK(next > kStart + absl::Milliseconds(99));
  CHECK(next < kStart + absl::Milliseconds(101));
  CHECK(admission.AcceptAt(next) == next);
  admission.Accepted(next);
  CHECK(admission.AcceptAt(next) > next);
}

TEST_CASE("with the shipped limits a restart of 20,000 collectors from one address waits for nothing") {
  Admission admission({});
  for (int i = 0; i < 20'000; ++i) {
    REQUIRE(admission.AcceptAt(kStart) == kStart);
    admission.Accepted(kStart);
    REQUIRE(admission.Knock(At("10.1.2.3"), kStart) == Verdict::kIn);
  }
}

TEST_CASE("one connection of a network beyond its limit is refused, others come in, and one that goes makes room") {
  Admission admission({.network_connections_max = 2});
  CHECK(admission.Knock(At("10.1.2.3"), kStart) == Verdict::kIn);
  CHECK(admission.Knock(At("10.1.2.200"), kStart) == Verdict::kIn);
  CHECK(admission.Knock(At("10.1.2.4"), kStart) == Verdict::kNetworkFull);
  CHECK(admission.Knock(At("10.1.3.3"), kStart) == Verdict::kIn);
  admission.Gone(At("10.1.2.3"), kStart);
  CHECK(admission.Knock(At("10.1.2.4"), kStart) == Verdict::kIn);
}

TEST_CASE("of IPv6 a /64 is one network") {
  Admission admission({.network_connections_max = 1});
  CHECK(admission.Knock(At("2001:db8:0:1::1"), kStart) == Verdict::kIn);
  CHECK(admission.Knock(At("2001:db8:0:1:ffff::2"), kStart) == Verdict::kNetworkFull);
  CHECK(admission.Knock(At("2001:db8:0:2::1"), kStart) == Verdict::kIn);
}

TEST_CASE("a network that comes faster than its rate is refused until time has passed, others are not") {
  Admission admission({.network_accepts_per_second = 1, .network_accept_burst = 2});
  CHECK(admission.Knock(At("10.1.2.3"), kStart) == Verdict::kIn);
  CHECK(admission.Knock(At("10.1.2.3"), kStart) == Verdict::kIn);
  CHECK(admission.Knock(At("10.1.2.3"), kStart) == Verdict::kNetworkTooFast);
  CHECK(admission.Knock(At("10.9.2.3"), kStart) == Verdict::kIn);
  CHECK(admission.Knock(At("10.1.2.3"), kStart + absl::Seconds(1)) == Verdict::kIn);
}

TEST_CASE(
    "networks without connections are forgotten, at once when they are at rest and beyond the limit in any case") {
  Admission admission({.network_accepts_per_second = 1, .network_accept_burst = 1});
  REQUIRE(admission.Knock(At("10.0.0.1"), kStart) == Verdict::kIn);
  admission.Gone(At("10.0.0.1"), kStart + absl::Seconds(2));
  CHECK(admission.networks() == 0);
  Address address = At("10.0.0.0");
  for (size_t i = 0; i <= kNetworksMax; ++i) {
    address[12] = static_cast<uint8_t>(i >> 16);
    address[13] = static_cast<uint8_t>(i >> 8);
    address[14] = static_cast<uint8_t>(i);
    REQUIRE(admission.Knock(address, kStart) == Verdict::kIn);
    admission.Gone(address, kStart);
  }
  CHECK(admission.networks() == 1);
}

TEST_CASE("an id that flaps is held off after some flaps, longer with each, and never for ever") {
  FlapBook book;
  Instant now = kStart;
  for (int i = 0; i < kFlapsFree; ++i) {
    book.Ended("VW-1", absl::Seconds(1), now);
    CHECK(book.HeldOff("VW-1", now) == absl::ZeroDuration());
  }
  book.Ended("VW-1", absl::Seconds(1), now);
  CHECK(book.HeldOff("VW-1", now) == 2 * kHoldOffFirst);
  CHECK(book.HeldOff("VW-2", now) == absl::ZeroDuration());
  CHECK(book.HeldOff("VW-1", now + 2 * kHoldOffFirst) == absl::ZeroDuration());
  book.Ended("VW-1", absl::Seconds(1), now);
  CHECK(book.HeldOff("VW-1", now) == 4 * kHoldOffFirst);
  for (int i = 0; i < 100; ++i) book.Ended("VW-1", absl::Seconds(1), now);
  CHECK(book.HeldOff("VW-1", now) == kHoldOffMax);
  // Calm for long enough, and all is forgotten.
  now += 200 * kFlapLife;
  book.Ended("VW-1", absl::Seconds(1), now);
  CHECK(book.HeldOff("VW-1", now) == absl::ZeroDuration());
}

TEST_CASE("sessions that lasted are no flaps, and rare short ones are forgiven") {
  FlapBook book;
  for (int i = 0; i < 100; ++i) book.Ended("VW-1", kFlapLife, kStart);
  CHECK(book.HeldOff("VW-1", kStart) == absl::ZeroDuration());
  CHECK(book.size() == 0);
  for (int i = 0; i < 100; ++i) book.Ended("VW-1", absl::Seconds(1), kStart + i * kFlapLife);
  CHECK(book.HeldOff("VW-1", kStart + 100 * kFlapLife) == absl::ZeroDuration());
}

TEST_CASE("one flapping id beyond the limit is not remembered until others are forgotten") {
  FlapBook book;
  for (size_t i = 0; i <= kFlapIdsMax; ++i) book.Ended("VW-" + std::to_string(i), absl::ZeroDuration(), kStart);
  CHECK(book.size() == kFlapIdsMax);
  book.Ended("VW-late", absl::ZeroDuration(), kStart + kFlapLife);
  CHECK(book.size() == 1);
}
