// Sealing against RFC 9180's vector, and what must not open.
#include "libs/crypto/seal.h"

#include <catch2/catch.hpp>

#include "libs/base/bytes.h"
#include "libs/testing/fake_random.h"
#include "libs/testing/status.h"

using namespace voltwell;

namespace {

std::string Bytes(const char* hex) { return *base::FromHex(hex); }

// Gives one value, as the vector's ephemeral key.
class OneValue final : public os::Random {
 public:
  explicit OneValue(std::string value) : value_(std::move(value)) {}
  std::string Bytes(size_t count) override {
    REQUIRE(count == value_.size());
    return value_;
  }

 private:
  std::string value_;
};

crypto::UnsealingKey Recipient(char seed) { return *crypto::UnsealingKey::FromSeed(std::string(32, seed)); }

}  // namespace

TEST_CASE("sealing gives the ciphertext of RFC 9180, and it opens again") {
  // Appendix A.1.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode, sequence number 0.
  const std::string info = Bytes("4f6465206f6e2061204772656369616e2055726e");
  const std::string aad = Bytes("436f756e742d30");
  const std::string plain = Bytes("4265617574792069732074727574682c20747275746820626561757479");
  const auto recipient =
      *crypto::UnsealingKey::FromSeed(Bytes("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"));
  CHECK(recipient.PublicKey() == Bytes("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"));
  OneValue ephemeral(Bytes("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736"));
  const auto sealed = crypto::Seal(recipient.PublicKey(), info, aad, plain, ephemeral);
  REQUIRE_OK(sealed);
  CHECK(*sealed == Bytes("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
                         "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"));
  const auto opened = recipient.Open(info, aad, *sealed);
  REQUIRE_OK(opened);
  CHECK(*opened == plain);
}

TEST_CASE("what was sealed opens for its key, use and owner only, and only whole") {
  testing::FakeRandom random;
  const auto sealed = crypto::Seal(Recipient('a').PublicKey(), "use", "owner", "secret", random);
  REQUIRE_OK(sealed);
  CHECK(sealed->size() == 6 + crypto::kSealBytes);
  CHECK(*Recipient('a').Open("use", "owner", *sealed) == "secret");
  CHECK_REASON(Recipient('b').Open("use", "owner", *sealed), "NOT_UNSEALED");
  CHECK_REASON(Recipient('a').Open("other", "owner", *sealed), "NOT_UNSEALED");
  CHECK_REASON(Recipient('a').Open("use", "other", *sealed), "NOT_UNSEALED");
  for (size_t i = 0; i < sealed->size(); ++i) {
    std::string changed = *sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    REQUIRE_FALSE(Recipient('a').Open("use", "owner", changed).ok());
    REQUIRE_FALSE(Recipient('a').Open("use", "owner", sealed->substr(0, i)).ok());
  }
  CHECK_FALSE(*crypto::Seal(Recipient('a').PublicKey(), "use", "owner", "secret", random) == *sealed);
}

TEST_CASE("a key that is none of X25519 is refused") {
  testing::FakeRandom random;
  CHECK_REASON(crypto::Seal("short", "use", "owner", "secret", random), "BAD_KEY");
  CHECK_REASON(crypto::Seal(std::string(32, '\0'), "use", "owner", "secret", random), "BAD_KEY");
  CHECK_REASON(crypto::UnsealingKey::FromSeed(std::string(31, 'x')), "BAD_KEY");
  // An ephemeral key whose product is zero gives everybody the same secret.
  CHECK_REASON(Recipient('a').Open("use", "owner", std::string(crypto::kSealBytes, '\0')), "NOT_UNSEALED");
}
