// Certificates made for a test, and a scripted collector that speaks TLS.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include "libs/base/check.h"
#include "services/collector_gateway/testing/fake_collector.h"

namespace voltwell::gateway::testing {

// A key and its certificate, signed by `issuer` or by itself.
class Certificate {
 public:
  explicit Certificate(const std::string& name, const Certificate* issuer = nullptr)
      : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free), certificate_(X509_new(), &X509_free) {
    X509* const x = certificate_.get();
    X509_set_version(x, 2);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer == nullptr ? x : issuer->x509()));
    X509_set_pubkey(x, key_.get());
    if (issuer == nullptr) {
      X509_EXTENSION* const ca = X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
      X509_add_ext(x, ca, -1);
      X509_EXTENSION_free(ca);
    }
    VW_CHECK(X509_sign(x, issuer == nullptr ? key_.get() : issuer->key(), EVP_sha256()) > 0);
  }
  X509* x509() const { return certificate_.get(); }
  EVP_PKEY* key() const { return key_.get(); }
  void Write(const std::string& certificate_file, const std::string& key_file) const {
    FILE* file = std::fopen(certificate_file.c_str(), "w");
    VW_CHECK(file != nullptr && PEM_write_X509(file, x509()) == 1);
    std::fclose(file);
    file = std::fopen(key_file.c_str(), "w");
    VW_CHECK(file != nullptr && PEM_write_PrivateKey(file, key(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    std::fclose(file);
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> certificate_;
};

// A key that is shown in the place of a certificate.
struct SharedKey {
  std::string identity;
  std::string key;
};

class TlsCollector {
 public:
  // With a key only, in this version of TLS.
  TlsCollector(int port, const SharedKey& shared, int version)
      : socket_(port), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), ssl_(nullptr, &SSL_free) {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    VW_CHECK(SSL_CTX_set_cipher_list(context_.get(), "PSK") == 1);  // Of TLS 1.2.
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);   // No certificate would do.
    SSL_CTX_set_psk_client_callback(context_.get(), &ShowKey);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_app_data(ssl_.get(), const_cast<SharedKey*>(&shared));
    SSL_set_fd(ssl_.get(), socket_.fd());
    connected_ = SSL_connect(ssl_.get()) == 1;
  }
  // Null: shows no certificate.
  TlsCollector(int port, const Certificate& server_ca, const Certificate* own, const std::string& before_tls = "")
      : socket_(port), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), ssl_(nullptr, &SSL_free) {
    if (!before_tls.empty()) socket_.Send(before_tls);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), server_ca.x509());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (own != nullptr) {
      SSL_CTX_use_certificate(context_.get(), own->x509());
      SSL_CTX_use_PrivateKey(context_.get(), own->key());
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_.fd());
    connected_ = SSL_connect(ssl_.get()) == 1;
  }
  bool connected() const { return connected_; }
  int fd() const { return socket_.fd(); }
  bool Send(const std::string& bytes) {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
  }
  std::string Receive(size_t count) {
    std::string got;
    std::array<char, 4096> buffer;
    while (got.size() < count) {
      const int n = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(std::min(buffer.size(), count - got.size())));
      if (n <= 0) break;
      got.append(buffer.data(), static_cast<size_t>(n));
    }
    return got;
  }
  // Waits for the end; what came before is dropped.
  bool Closed() {
    std::array<char, 4096> buffer;
    while (SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size())) > 0) {
    }
    return socket_.Closed();
  }

 private:
  static unsigned ShowKey(SSL* ssl, const char*, char* identity, unsigned room, unsigned char* key, unsigned) {
    const auto* const shared = static_cast<const SharedKey*>(SSL_get_app_data(ssl));
    std::snprintf(identity, room, "%s", shared->identity.c_str());
    std::copy(shared->key.begin(), shared->key.end(), key);
    return static_cast<unsigned>(shared->key.size());
  }
  FakeCollector socket_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  bool connected_ = false;
};

}  // namespace voltwell::gateway::testing
