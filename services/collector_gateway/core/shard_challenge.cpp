// A collector of which its key is demanded proves it before it registers; see shard.h and domain/challenge.h. The nonce
// is fresh for each connection and gone with the first answer, so that nothing that was ever sent is of use again.
#include <utility>

#include "libs/crypto/crypto.h"
#include "libs/log/log.h"
#include "services/collector_gateway/core/shard.h"
#include "services/collector_gateway/domain/challenge.h"

namespace voltwell::gateway {

// True when it was asked: it registers when it has answered. False: there is no way to ask it.
bool Shard::Challenged(Session& session, const BusEntry& entry) {
  Arrival& arrival = *session.arrival;
  const bool possible = entry.dialect != nullptr && !entry.dialect->challenge.empty() && entry.key != nullptr;
  if (entry.assurance != Assurance::kKey || !possible || arrival.proven_with != nullptr) return false;
  arrival.challenge = std::make_unique<Arrival::Challenge>();
  arrival.challenge->nonce = base::ToHex(base::AsBytes(context_.random.Bytes(kNonceBytes)));
  arrival.challenge->registration = entry.registration;
  arrival.challenge->until = loop_.now() + kChallengeMax;
  arrival.bytes.clear();  // What came before the question is no answer to it.
  context_.metrics.challenges.Increment();
  const std::string question = entry.dialect->challenge.Write(arrival.challenge->nonce);
  const ssize_t sent = Transmit(session, question);
  if (sent != static_cast<ssize_t>(question.size())) {  // A socket that takes not even this, as its first bytes.
    End(session, "line failed");
    return true;
  }
  session.bytes_out += sent;
  context_.metrics.bytes_out.Increment(static_cast<double>(sent));
  Rearm(session);
  return true;
}

void Shard::OnChallengeBytes(Session& session) {
  Arrival& arrival = *session.arrival;
  // The directory may have changed meanwhile: its present key counts.
  const BusEntryPtr entry = directory_->Find(arrival.challenge->registration);
  if (entry == nullptr) {
    Refuse(session, Refusal::kUnknownId, "unknown id");
    return;
  }
  if (entry->dialect == nullptr || entry->dialect->response.empty() || entry->key == nullptr) {
    Refuse(session, Refusal::kAssurance, "assurance");
    return;
  }
  const ChallengeAnswer answer = ReadChallengeAnswer(base::AsBytes(arrival.bytes), *entry);
  const bool more = answer.kind == ChallengeAnswer::Kind::kMore;
  if (more && arrival.bytes.size() < kRegistrationBytesMax) return;
  const std::string nonce = std::move(arrival.challenge->nonce);
  arrival.challenge.reset();
  const std::string mac = crypto::HmacSha256(*entry->key, ChallengeText(nonce, entry->registration));
  if (answer.kind != ChallengeAnswer::Kind::kWhole || !crypto::EqualConstantTime(answer.mac, mac)) {
    log::Warning("a collector answered its challenge wrongly",
                 {{"collector", entry->collector}, {"peer", ToText(session.peer)}, {"too_long", more}});
    Refuse(session, Refusal::kChallengeWrong, "challenge");
    return;
  }
  arrival.proven_with = entry->key;
  Register(session, {Identified::Kind::kKnown, entry, answer.used, false, {}});
}

}  // namespace voltwell::gateway
