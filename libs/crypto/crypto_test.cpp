// The primitives against published vectors, and what must be refused.
#include "libs/crypto/crypto.h"

#include <catch2/catch.hpp>

#include "libs/base/bytes.h"
#include "libs/os/files.h"
#include "libs/testing/fake_random.h"
#include "libs/testing/process.h"
#include "libs/testing/status.h"

using namespace voltwell;

namespace {
std::string Hex(const std::string& bytes) { return base::ToHex(base::AsBytes(bytes)); }
std::string Bytes(const char* hex) { return *base::FromHex(hex); }
}  // namespace

TEST_CASE("SHA-256 gives the digests of FIPS 180-4's examples") {
  CHECK(Hex(crypto::Sha256("")) == "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855");
  CHECK(Hex(crypto::Sha256("abc")) == "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
  CHECK(Hex(crypto::Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248D6A61D20638B8E5C026930C3E6039A33CE45964FF2167F6ECEDD419DB06C1");
}

TEST_CASE("HMAC-SHA-256 gives the MACs of RFC 4231") {
  CHECK(Hex(crypto::HmacSha256(std::string(20, '\x0b'), "Hi There")) ==
        "B0344C61D8DB38535CA8AFCEAF0BF12B881DC200C9833DA726E9376C2E32CFF7");
  CHECK(Hex(crypto::HmacSha256("Jefe", "what do ya want for nothing?")) ==
        "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843");
  CHECK(Hex(crypto::HmacSha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60E431591EE0B67F0D8A26AACBF5B77F8E0BC6213728C5140546040F0EE37F54");
}

TEST_CASE("Ed25519 gives the signatures of RFC 8032") {
  struct Vector {
    const char* seed;
    const char* public_key;
    const char* message;
    const char* signature;
  };
  // Section 7.1, tests 1, 2 and 3.
  const Vector vectors[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2"
       "4655"
       "141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302ae"
       "eb00d"
       "291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28"
       "dc027"
       "beceea1ec40a"},
  };
  for (const Vector& vector : vectors) {
    const auto key = crypto::SigningKey::FromSeed(Bytes(vector.seed));
    REQUIRE_OK(key);
    CHECK(key->PublicKey() == Bytes(vector.public_key));
    const std::string message = Bytes(vector.message);
    const std::string signature = key->Sign(message);
    CHECK(signature == Bytes(vector.signature));
    CHECK(crypto::VerifyEd25519(key->PublicKey(), message, signature));
    CHECK_FALSE(crypto::VerifyEd25519(key->PublicKey(), message + "x", signature));
  }
}

TEST_CASE("a signature with any bit changed, cut, or under another key is refused") {
  testing::FakeRandom random;
  const auto key = *crypto::SigningKey::FromSeed(random.Bytes(32));
  const auto other = *crypto::SigningKey::FromSeed(random.Bytes(32));
  const std::string signature = key.Sign("message");
  for (size_t i = 0; i < signature.size(); ++i) {
    std::string changed = signature;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    REQUIRE_FALSE(crypto::VerifyEd25519(key.PublicKey(), "message", changed));
  }
  CHECK_FALSE(crypto::VerifyEd25519(key.PublicKey(), "message", signature.substr(1)));
  CHECK_FALSE(crypto::VerifyEd25519(key.PublicKey(), "message", ""));
  CHECK_FALSE(crypto::VerifyEd25519(other.PublicKey(), "message", signature));
  CHECK_FALSE(crypto::VerifyEd25519("short", "message", signature));
}

TEST_CASE("a signing key is read from a file of one line, and a wrong one is refused") {
  const testing::TempDirectory directory("crypto-test");
  const std::string path = directory.path() + "/key";
  const std::string seed(32, '\x07');
  REQUIRE_OK(os::WriteFile(path, crypto::Base64Url(seed) + "\n"));
  CHECK(crypto::SigningKey::FromFile(path)->PublicKey() == crypto::SigningKey::FromSeed(seed)->PublicKey());
  REQUIRE_OK(os::WriteFile(path, crypto::Base64Url("short")));
  CHECK_REASON(crypto::SigningKey::FromFile(path), "BAD_KEY");
  REQUIRE_OK(os::WriteFile(path, "?"));
  CHECK_REASON(crypto::SigningKey::FromFile(path), "BAD_KEY");
  CHECK_REASON(crypto::SigningKey::FromFile(directory.path() + "/absent"), "FILE_NOT_FOUND");
}

TEST_CASE("base64url has one spelling for each value") {
  CHECK(crypto::Base64Url("") == "");
  CHECK(crypto::Base64Url("f") == "Zg");  // RFC 4648 section 10, without padding.
  CHECK(crypto::Base64Url("foobar") == "Zm9vYmFy");
  CHECK(crypto::Base64Url("\xfb\xff\xfe") == "-__-");
  CHECK(*crypto::FromBase64Url("-__-") == "\xfb\xff\xfe");
  CHECK(*crypto::FromBase64Url("Zg") == "f");
  for (const char* const bad : {"Zg==", "Zh", "+//+", "Z g", "Zg\n", "Z", "ä"}) {
    CHECK_REASON(crypto::FromBase64Url(bad), "BAD_BASE64");
  }
}

TEST_CASE("a password is known by its hash, and the hash tells its cost") {
  testing::FakeRandom random;
  const std::string phc = crypto::HashPassword("correct horse", random);
  CHECK(phc.rfind("$argon2id$v=19$m=19456,t=2,p=1$", 0) == 0);
  CHECK(crypto::CheckPassword("correct horse", phc));
  CHECK_FALSE(crypto::CheckPassword("correct horsf", phc));
  CHECK_FALSE(crypto::CheckPassword("", phc));
  CHECK(crypto::HashPassword("correct horse", random) != phc);  // Another salt.
}

TEST_CASE("a hash by the reference implementation is known") {
  // argon2 20171227, test.c: version 0x13, Argon2id, t=2, m=2^16, p=1, "password", salt "somesalt".
  CHECK(crypto::CheckPassword("password",
                              "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"
                              "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"));
}

TEST_CASE("a hash that is damaged or asks for too much work is no match, and costs nothing") {
  CHECK_FALSE(crypto::CheckPassword("x", ""));
  CHECK_FALSE(crypto::CheckPassword("x", "plain text"));
  CHECK_FALSE(
      crypto::CheckPassword("x", "$argon2id$v=19$m=65537,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZW"));
  CHECK_FALSE(
      crypto::CheckPassword("x", "$argon2id$v=19$m=1024,t=11,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZW"));
  testing::FakeRandom random;
  const std::string longest(1024, 'x');
  CHECK(crypto::CheckPassword(longest, crypto::HashPassword(longest, random)));
  CHECK_FALSE(crypto::CheckPassword(longest + "x", crypto::HashPassword(longest + "x", random)));
}

TEST_CASE("comparison in constant time compares") {
  CHECK(crypto::EqualConstantTime("", ""));
  CHECK(crypto::EqualConstantTime("abc", "abc"));
  CHECK_FALSE(crypto::EqualConstantTime("abc", "abd"));
  CHECK_FALSE(crypto::EqualConstantTime("abc", "ab"));
}
