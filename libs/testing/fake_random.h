// The same bytes in each run: a seeded generator (splitmix64). Fit for tests only.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "libs/os/random.h"

namespace voltwell::testing {

class FakeRandom final : public os::Random {
 public:
  explicit FakeRandom(uint64_t seed = 1) : state_(seed) {}
  std::string Bytes(size_t count) override {
    const std::lock_guard lock(mutex_);
    std::string bytes;
    for (uint64_t word = 0; bytes.size() < count; word >>= 8) {
      if (bytes.size() % 8 == 0) word = Next();
      bytes.push_back(static_cast<char>(word & 0xFF));
    }
    return bytes;
  }

 private:
  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  std::mutex mutex_;
  uint64_t state_;
};

}  // namespace voltwell::testing
