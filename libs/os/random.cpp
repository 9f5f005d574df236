// Randomness from the kernel (getrandom, never a user-space generator), and ids made of it.
#include "libs/os/random.h"

#include <sys/random.h>

#include <cerrno>

#include "libs/base/check.h"

namespace voltwell::os {
namespace {

// Crockford's base 32 in lower case: no i, l, o, u, so that an id read aloud is not mistaken.
constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr int kTimeCharacters = 10;    // 48 bits of milliseconds.
constexpr int kRandomCharacters = 16;  // 80 bits.

}  // namespace

std::string SystemRandom::Bytes(size_t count) {
  std::string bytes(count, '\0');
  size_t done = 0;
  while (done < count) {
    const ssize_t got = getrandom(bytes.data() + done, count - done, 0);
    if (got < 0 && errno == EINTR) continue;
    VW_CHECK(got > 0);  // A kernel without entropy: no key or token may be made.
    done += static_cast<size_t>(got);
  }
  return bytes;
}

std::string NewId(Random& random, int64_t unix_ms) {
  std::string id(kTimeCharacters + kRandomCharacters, '0');
  auto rest = static_cast<uint64_t>(unix_ms);
  for (int i = kTimeCharacters - 1; i >= 0; --i) {
    id[static_cast<size_t>(i)] = kAlphabet[rest & 31];
    rest >>= 5;
  }
  // Five bits of each byte: 80 bits in all, at the price of six bytes more.
  const std::string bytes = random.Bytes(kRandomCharacters);
  for (size_t i = 0; i < bytes.size(); ++i) {
    id[kTimeCharacters + i] = kAlphabet[static_cast<unsigned char>(bytes[i]) & 31];
  }
  return id;
}

double Fraction(Random& random) {
  const std::string bytes = random.Bytes(7);
  uint64_t bits = 0;
  for (const char c : bytes) bits = (bits << 8) | static_cast<unsigned char>(c);
  constexpr int kMantissa = 53;
  return static_cast<double>(bits >> (56 - kMantissa)) / static_cast<double>(uint64_t{1} << kMantissa);
}

}  // namespace voltwell::os
