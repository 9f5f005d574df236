// Randomness and ids are arguments too. SystemRandom draws from the kernel; tests use testing::FakeRandom.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace voltwell::os {

class Random {
 public:
  virtual ~Random() = default;
  // Unpredictable bytes, fit for keys and tokens.
  virtual std::string Bytes(size_t count) = 0;
};

class SystemRandom final : public Random {
 public:
  std::string Bytes(size_t count) override;
};

// A new resource id: 26 characters of [0-9a-hjkmnp-tv-z] (ULID, lower case), so that ids made later sort later.
std::string NewId(Random& random, int64_t unix_ms);

// Uniform in [0, 1): back-off jitter.
double Fraction(Random& random);

}  // namespace voltwell::os
