// Any dialect, any bytes, in any pieces and at any times: who dials, what is taken out as keepalive and what a bus
// makes of the rest never crash, never take a byte twice, and however a whole packet came, the same box is known by it.
#include <algorithm>
#include <string>
#include <vector>

#include "libs/base/check.h"
#include "services/collector_gateway/domain/challenge.h"
#include "services/collector_gateway/domain/dialect.h"
#include "services/collector_gateway/domain/directory_copy.h"
#include "services/collector_gateway/domain/group_run.h"
#include "services/collector_gateway/domain/port_stream.h"
#include "services/collector_gateway/domain/proxy_header.h"

namespace {

using namespace voltwell::gateway;  // NOLINT
using voltwell::base::ByteView;

// Takes bytes off the fuzzer's input.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(data, size) {}
  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const uint8_t byte = rest_[0];
    rest_ = rest_.subspan(1);
    return byte;
  }
  std::string Text(size_t max) {
    const size_t size = std::min({max, rest_.size(), static_cast<size_t>(Byte())});
    std::string text = voltwell::base::ToString(rest_.first(std::min(size, rest_.size())));
    rest_ = rest_.subspan(text.size());
    return text;
  }
  bool empty() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

BusEntryPtr Entry(std::string registration, DialectPtr dialect, std::string heartbeat) {
  BusEntry entry;
  entry.registration = entry.registration_id = std::move(registration);
  entry.collector = entry.registration;
  entry.tenant = "t1";
  entry.heartbeat = std::move(heartbeat);
  entry.dialect = std::move(dialect);
  return std::make_shared<const BusEntry>(std::move(entry));
}

void CheckIdentified(const Identified& identified, ByteView bytes) {
  if (identified.kind == Identified::Kind::kKnown) {
    VW_CHECK(identified.entry != nullptr && identified.used <= bytes.size());
  }
  VW_CHECK(identified.sent.size() <= bytes.size());
}

void CheckKeepalives(const Keepalives& keepalives, ByteView bytes) {
  Keepalives::Search search(keepalives, bytes);
  size_t left = bytes.size();
  for (Keepalives::Found found = search.Next(left); found.length > 0; found = search.Next(left)) {
    VW_CHECK(found.at + found.length <= left);
    left -= found.at + found.length;
  }
  VW_CHECK(keepalives.UnfinishedTail(bytes) <= bytes.size());
  VW_CHECK(keepalives.CountNoise(bytes) <= bytes.size());
}

// Whole once, it stays so whatever follows.
void CheckAnswer(const BusEntry& entry, ByteView bytes) {
  const ChallengeAnswer answer = ReadChallengeAnswer(bytes, entry);
  if (answer.kind != ChallengeAnswer::Kind::kWhole) return;
  VW_CHECK(answer.used <= bytes.size() && answer.mac.size() == 32);
  VW_CHECK(ReadChallengeAnswer(bytes.first(answer.used), entry).kind == ChallengeAnswer::Kind::kWhole);
}

// Two exchanges on a bus of this entry: they end at their deadlines at the latest, whatever comes when.
void RunBus(Input& input, const BusEntry& entry) {
  Item item;
  for (uint8_t meter = 1; meter <= 2; ++meter) {
    Exchange exchange;
    exchange.question.request = std::string(1, '\x68') + std::string(6, static_cast<char>(meter)) + "\x68\x11";
    exchange.question.replies = {.any_of = {{{1, 0xFF, meter}, {8, 0xDF, 0x91}}}};
    item.exchanges.push_back(exchange);
  }
  BusFacts facts(absl::ZeroDuration());
  GroupRun run(std::move(item), {absl::Milliseconds(500), 2400}, KeepalivesOf(entry), facts);
  Instant now = absl::Seconds(1);
  GroupRun::Move move = run.Begin(now);
  int turns = 0;
  while (move != GroupRun::Move::kDone) {
    VW_CHECK(++turns < 4096);
    if (move == GroupRun::Move::kSend) {
      move = run.OnSent(now);
      continue;
    }
    if (input.empty()) {
      VW_CHECK(run.wake_at() < absl::InfiniteDuration());
      now = std::max(now, run.wake_at());
      move = run.OnTime(now);
      continue;
    }
    now += absl::Milliseconds(input.Byte() * 8);
    const std::string bytes = input.Text(40);
    move = now >= run.wake_at() ? run.OnTime(now) : run.OnBytes(voltwell::base::AsBytes(bytes), now);
  }
  const KeepalivesSeen seen = run.TakeKeepalives();
  VW_CHECK(seen.heartbeats >= 0 && seen.registrations >= 0);
  VW_CHECK(run.TakeResult().replies.size() <= 2);
}

// Packets of several ports: every byte comes out at most once, and none under a port that the box has not.
void RunPorts(Input& input, const BusEntry& entry) {
  std::bitset<kPortsMax> ports;
  ports.set(1).set(input.Byte());
  PortStream stream(ports);
  Instant now = absl::Seconds(1);
  size_t came = 0;
  size_t told = 0;
  while (!input.empty()) {
    now += absl::Milliseconds(input.Byte() * 8);
    const std::string bytes = input.Text(64);
    came += bytes.size();
    stream.Push(voltwell::base::AsBytes(bytes), now);
    using Kind = PortStream::Piece::Kind;
    for (;;) {
      const PortStream::Piece piece = stream.Next(entry.dialect->packet, KeepalivesOf(entry));
      if (piece.kind == Kind::kNone) break;
      told += piece.bytes.size();
      VW_CHECK(!piece.bytes.empty() && told + stream.pending() <= came);
      VW_CHECK(piece.kind != Kind::kData || ports[piece.port]);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  std::vector<Dialect> parsed;
  const auto written = ParseDialect("fuzzed", input.Text(200));
  if (written.ok()) parsed.push_back(*written);
  for (const char* text :
       {"title t\nregistration LOGIN:{id}\\r\\n\nheartbeat @{id}#\n", "title t\nregistration *{any}#{id}#{any}*\n",
        "title t\nregistration {id}\nid digits 3-5\nheartbeat ~{any:2}\n",
        "title t\nregistration \\x7B{id}\\x7D\nid bytes 2\n",
        "title t\nregistration K{id}#\nchallenge C{nonce}#\nresponse R{any}={mac}#\nheartbeat P\n",
        "title t\nregistration P{id}#\npacket {port}\n",
        "title t\nregistration Q{id}#\nheartbeat H{any:1}\npacket ~{length:2le}{port}\n"}) {
    parsed.push_back(*ParseDialect("d" + std::to_string(parsed.size()), text));
  }
  const auto dialects = std::make_shared<const Dialects>(*Dialects::Make(parsed));
  std::vector<BusEntryPtr> entries = {Entry("VW-1", nullptr, "ping"),
                                      Entry(input.Text(8) + "x", nullptr, input.Text(8))};
  for (const DialectPtr& dialect : dialects->all()) {
    const bool templated = !dialect->registration.empty();
    entries.push_back(Entry(templated ? "1" + input.Text(4) : "VW-" + dialect->name, dialect, input.Text(4)));
  }
  const DirectoryCopy copy(1, entries, dialects);
  const bool quiet = (input.Byte() & 1) != 0;

  // The stream in pieces: an arrival first, then a bus.
  std::string arrived;
  const size_t arrival_max = input.Byte();
  while (!input.empty() && arrived.size() < arrival_max) {
    arrived += input.Text(64);
    const ByteView bytes = voltwell::base::AsBytes(arrived);
    (void)ReadProxyHeader(bytes);
    const Identified identified = copy.Identify(bytes, quiet);
    CheckIdentified(identified, bytes);
    // Waiting for a pause never changes who it is.
    if (identified.kind == Identified::Kind::kKnown && !quiet) {
      const Identified later = copy.Identify(bytes, true);
      VW_CHECK(later.entry == identified.entry && later.used == identified.used);
    }
    for (const BusEntryPtr& entry : entries) {
      CheckKeepalives(KeepalivesOf(*entry), bytes);
      if (entry->dialect != nullptr && !entry->dialect->response.empty()) CheckAnswer(*entry, bytes);
    }
  }
  const BusEntry& entry = *entries[arrival_max % entries.size()];
  const bool ported = entry.dialect != nullptr && !entry.dialect->packet.empty();
  if (ported) {
    RunPorts(input, entry);
  } else {
    RunBus(input, entry);
  }
  return 0;
}
