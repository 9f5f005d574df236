// OpenSSL over memory; see tls.h.
#include "services/collector_gateway/core/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <climits>

#include "libs/base/check.h"
#include "libs/base/status.h"

namespace voltwell::gateway {
namespace {

constexpr size_t kBlock = 16 * 1024;

std::string LastError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "connection ended";
  std::array<char, 256> text = {};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

absl::Status BadFile(const std::string& file) {
  return base::InvalidArgument("BAD_TLS_FILE", "a certificate or key cannot be used",
                               {{"file", file}, {"why", LastError()}});
}

int ToInt(size_t size) { return static_cast<int>(std::min(size, static_cast<size_t>(INT_MAX))); }

}  // namespace

struct PskCallbacks {
  // TLS 1.2; returns the length of the key.
  static unsigned Find12(SSL* ssl, const char* identity, unsigned char* key, unsigned room) {
    const auto found = static_cast<TlsLink*>(SSL_get_app_data(ssl))->KeyFor(identity);
    if (found == nullptr || found->size() > room) return 0;
    std::copy(found->begin(), found->end(), key);
    return static_cast<unsigned>(found->size());
  }
  // TLS 1.3, where a key is bound to a hash: SHA-256, which is what RFC 8446 (4.2.11) has a key mean that names none.
  static int Find13(SSL* ssl, const unsigned char* identity, size_t length, SSL_SESSION** session) {
    constexpr std::array<unsigned char, 2> kAes128GcmSha256 = {0x13, 0x01};
    const auto found = static_cast<TlsLink*>(SSL_get_app_data(ssl))
                           ->KeyFor(absl::string_view(reinterpret_cast<const char*>(identity), length));
    if (found == nullptr) return 0;
    SSL_SESSION* const made = SSL_SESSION_new();
    VW_CHECK(made != nullptr);
    const SSL_CIPHER* const cipher = SSL_CIPHER_find(ssl, kAes128GcmSha256.data());
    VW_CHECK(cipher != nullptr);
    const auto* const key = reinterpret_cast<const unsigned char*>(found->data());
    VW_CHECK(SSL_SESSION_set1_master_key(made, key, found->size()) == 1 && SSL_SESSION_set_cipher(made, cipher) == 1 &&
             SSL_SESSION_set_protocol_version(made, TLS1_3_VERSION) == 1);
    *session = made;
    return 1;
  }
};

absl::StatusOr<std::unique_ptr<TlsContext>> TlsContext::Make(const TlsConfig& config) {
  ERR_clear_error();
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  VW_CHECK(context != nullptr);
  std::unique_ptr<TlsContext> made(new TlsContext(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // OpenSSL wants a name wherever certificates are asked for and a key is taken in their place.
  constexpr std::array<unsigned char, 8> kContext = {'v', 'o', 'l', 't', 'w', 'e', 'l', 'l'};
  SSL_CTX_set_session_id_context(context, kContext.data(), kContext.size());
  SSL_CTX_set_num_tickets(context, 0);  // Whoever offers a key in TLS 1.3 offers a collector's.
  // Buffers of 34 KB only while something is under way.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(context, kClientCertificatesMax);
  if (SSL_CTX_use_certificate_chain_file(context, config.certificate_file.c_str()) != 1) {
    return BadFile(config.certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context, config.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return BadFile(config.key_file);
  }
  if (!config.client_certificate_required) {
    // With a certificate at hand OpenSSL would choose another hash, pass the key over and fall back. Every TLS 1.3 has
    // the first.
    VW_CHECK(SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") == 1);
    SSL_CTX_set_psk_server_callback(context, &PskCallbacks::Find12);
    SSL_CTX_set_psk_find_session_callback(context, &PskCallbacks::Find13);
  }
  if (config.client_ca_file.empty()) {
    if (!config.client_certificate_required) return made;
    return base::InvalidArgument("BAD_TLS_FILE", "client certificates are required, but no CA for them is named",
                                 {{"file", ""}, {"why", "tls-client-ca-file is empty"}});
  }
  if (SSL_CTX_load_verify_locations(context, config.client_ca_file.c_str(), nullptr) != 1) {
    return BadFile(config.client_ca_file);
  }
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(config.client_ca_file.c_str()));
  const int required = config.client_certificate_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
  return made;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

TlsLink::TlsLink(const TlsContext& context, const PskSource& keys) : ssl_(SSL_new(context.context_)), keys_(keys) {
  VW_CHECK(ssl_ != nullptr);
  SSL_set_app_data(ssl_, this);
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));  // The SSL owns both.
  SSL_set_accept_state(ssl_);
}

TlsLink::~TlsLink() { SSL_free(ssl_); }

bool TlsLink::Feed(base::ByteView ciphertext) {
  while (!ciphertext.empty()) {
    const int taken = BIO_write(SSL_get_rbio(ssl_), ciphertext.data(), ToInt(ciphertext.size()));
    VW_CHECK(taken > 0);  // Memory takes all.
    ciphertext = ciphertext.subspan(static_cast<size_t>(taken));
  }
  return Handshake();
}

bool TlsLink::Handshake() {
  if (SSL_is_init_finished(ssl_) != 0) return error_.empty();
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  const bool failed = result != 1 && Failed(result);
  TakeOutgoing();  // Also the alert that tells why.
  return !failed;
}

bool TlsLink::Failed(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return false;
    case SSL_ERROR_ZERO_RETURN:
      ended_ = true;
      return false;
    default:
      error_ = LastError();
      return true;
  }
}

size_t TlsLink::Read(uint8_t* into, size_t room) {
  if (SSL_is_init_finished(ssl_) == 0 || !error_.empty()) return 0;
  ERR_clear_error();
  const int got = SSL_read(ssl_, into, ToInt(room));
  if (got <= 0) Failed(got);
  TakeOutgoing();
  return got > 0 ? static_cast<size_t>(got) : 0;
}

bool TlsLink::Write(absl::string_view plain) {
  if (SSL_is_init_finished(ssl_) == 0 || !error_.empty()) return false;
  ERR_clear_error();
  while (!plain.empty()) {
    const int taken = SSL_write(ssl_, plain.data(), ToInt(plain.size()));
    if (taken <= 0) {
      error_ = LastError();
      return false;
    }
    plain.remove_prefix(static_cast<size_t>(taken));
  }
  TakeOutgoing();
  return true;
}

void TlsLink::TakeOutgoing() {
  std::array<char, kBlock> block;
  BIO* const out = SSL_get_wbio(ssl_);
  while (BIO_ctrl_pending(out) > 0) {
    const int got = BIO_read(out, block.data(), ToInt(block.size()));
    if (got <= 0) return;
    outgoing_.append(block.data(), static_cast<size_t>(got));
  }
}

std::shared_ptr<const std::string> TlsLink::KeyFor(absl::string_view identity) {
  psk_tried_ = true;
  psk_identity_ = std::string(identity);
  psk_key_ = keys_(identity);
  return psk_key_;
}

// That a key was looked up proves nothing: TLS 1.3 may go on without it.
std::string TlsLink::PskIdentity() const {
  if (psk_key_ == nullptr || SSL_is_init_finished(ssl_) == 0) return "";
  const bool used =
      SSL_version(ssl_) == TLS1_3_VERSION ? SSL_session_reused(ssl_) == 1 : SSL_get_psk_identity(ssl_) != nullptr;
  return used ? psk_identity_ : "";
}

std::string TlsLink::ClientName() const {
  X509* const certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr) return "";
  X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  // A certificate without a name names nobody: not the empty text, which would mean that none was shown.
  if (at < 0) return "?";
  unsigned char* text = nullptr;
  const int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (length <= 0) return "?";
  std::string name(reinterpret_cast<const char*>(text), static_cast<size_t>(length));
  OPENSSL_free(text);
  return name;
}

}  // namespace voltwell::gateway
