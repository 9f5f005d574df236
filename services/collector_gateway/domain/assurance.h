// How sure the gateway is of who dials, and how sure the directory wants it to be. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace voltwell::gateway {

// From the weakest to the strongest: who proves more is let in where less is demanded, never the other way round.
enum class Assurance : uint8_t {
  kId,              // Sent an id of the directory.
  kNetwork,         // And dialled from the collector's network.
  kKey,             // Answered the challenge of its dialect with the collector's key.
  kTlsPsk,          // Came through TLS with that key.
  kTlsCertificate,  // Came through TLS with a certificate that names the collector.
};

// Proven with the collector's key, which may change.
inline bool IsByKey(Assurance assurance) { return assurance == Assurance::kKey || assurance == Assurance::kTlsPsk; }

// As directory::Entry.assurance says it; empty is id. None for a word that this gateway does not know.
inline std::optional<Assurance> ParseAssurance(absl::string_view word) {
  if (word.empty() || word == "id") return Assurance::kId;
  if (word == "network") return Assurance::kNetwork;
  if (word == "key") return Assurance::kKey;
  if (word == "tls-psk") return Assurance::kTlsPsk;
  if (word == "tls-certificate") return Assurance::kTlsCertificate;
  return std::nullopt;
}

inline const char* AssuranceName(Assurance assurance) {
  switch (assurance) {
    case Assurance::kId:
      return "id";
    case Assurance::kNetwork:
      return "network";
    case Assurance::kKey:
      return "key";
    case Assurance::kTlsPsk:
      return "tls-psk";
    case Assurance::kTlsCertificate:
      return "tls-certificate";
  }
  return "?";
}

}  // namespace voltwell::gateway
