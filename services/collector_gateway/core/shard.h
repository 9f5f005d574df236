// One thread's share of the sessions: accepts bytes, knows who dials, and runs each bus's exchanges. All state of a
// session is touched by its shard's thread only; other threads Post. Split over shard.cpp (life of a connection),
// shard_arrival.cpp (until it has registered) and shard_bus.cpp (exchanges).
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/os/clock.h"
#include "libs/os/random.h"
#include "services/collector_gateway/core/arrival_gate.h"
#include "services/collector_gateway/core/batch.h"
#include "services/collector_gateway/core/event_loop.h"
#include "services/collector_gateway/core/gateway_metrics.h"
#include "services/collector_gateway/core/link_book.h"
#include "services/collector_gateway/core/routes.h"
#include "services/collector_gateway/core/session.h"
#include "services/collector_gateway/core/slab.h"
#include "services/collector_gateway/core/tls.h"
#include "services/collector_gateway/core/trace.h"
#include "services/collector_gateway/domain/bus_verdict.h"
#include "services/collector_gateway/domain/port_stream.h"

namespace voltwell::gateway {

// An unknown id is sent nothing and closed after this.
inline constexpr absl::Duration kUnknownIdGrace = absl::Seconds(5);
// A connection that has not registered is closed after this. Boxes send their packet as soon as they are connected.
inline constexpr absl::Duration kRegistrationTimeout = absl::Seconds(10);
// Unless it has sent something and there is no directory to hold it against.
inline constexpr absl::Duration kDirectoryWaitMax = absl::Seconds(30);
// A second connection waits so long at most for the verdict on the first, which is looked at so often.
inline constexpr absl::Duration kTakeoverMax = absl::Seconds(3);
inline constexpr absl::Duration kTakeoverLook = absl::Milliseconds(500);
// A box has so long to prove its key: a slow network's round trip and a slow processor's HMAC.
inline constexpr absl::Duration kChallengeMax = absl::Seconds(10);
// Bytes kept before registration; ids have at most 64. What is longer is nobody's registration.
inline constexpr size_t kRegistrationBytesMax = 256;
// Connections of one shard that have not registered; one more closes the oldest, so that silent dialers keep nobody
// out.
inline constexpr size_t kUnregisteredMax = 4096;
// And at most one in so many of the shard's connections.
inline constexpr size_t kUnregisteredShare = 4;
// Accepting stops for this long when file descriptors run out, else the loop would spin on the ready listener.
inline constexpr absl::Duration kAcceptPause = absl::Milliseconds(500);
// A bus that goes from one read to the next would take and free its 2.6 KB each time; so many are kept instead.
inline constexpr size_t kSpareWorkMax = 64;
// Answers that wait behind a question that the socket did not take; more are dropped.
inline constexpr size_t kUnsentMax = 4096;
// Answers to the heartbeats of one read (of TLS: of 4 KiB of it). A box sends one a minute; who sends a thousand at
// once would have each of them cost a send of ours.
inline constexpr int kHeartbeatAnswersMax = 4;
// Halves of heartbeats that idle sessions keep, of dialects that answer them; beyond it a half counts as noise.
inline constexpr size_t kIdleTailsMax = 1024;
// When draining, sessions end spread over this, so that their collectors do not dial the next pod all at once.
inline constexpr absl::Duration kDrainJitter = absl::Seconds(1);
// A connection of several buses ends when none of them is at work; looked at so often.
inline constexpr absl::Duration kDrainLook = absl::Milliseconds(100);

// What became of the session that a newcomer's id has.
enum class Holder : uint8_t {
  kGone,        // Or silent: nothing came back while it was probed.
  kAlive,       // It stays.
  kSuperseded,  // A later newcomer asks in this one's stead.
};

// What shards share.
struct ShardContext {
  os::Clock& clock;
  os::Random& random;
  Routes& routes;
  LinkBook& links;
  GatewayMetrics& metrics;
  TraceBook& traces;
  size_t sessions_max;      // Of one shard.
  size_t unregistered_max;  // Of one shard.
  ArrivalGate& gate;
  const std::vector<Network>& trusted_proxies;
  // To another shard.
  std::function<void(SessionId, const char*)> close;
  std::function<void(SessionId holder, SessionId newcomer)> probe;
  std::function<void(SessionId newcomer, Holder)> verdict;
  // A new connection, to whichever shard is next.
  std::function<void(int, Peer, bool tls)> deal;
  const std::unique_ptr<TlsContext>& tls;  // Null: no port for it.
  absl::Duration registration_timeout = kRegistrationTimeout;
};

// An item and the session that carries it.
struct RoutedItem {
  SessionId session = kNoSession;
  Item item = {};
};

// As ListSessions tells it.
struct SessionFacts {
  Route route = {};
  SessionCounts counts = {};
  absl::Duration idle = absl::ZeroDuration();
  int queued = 0;
};

// A bus as GetBusHealth tells it.
struct BusReport {
  SessionFacts session = {};
  BusFacts facts = BusFacts(absl::ZeroDuration());
  SessionSigns signs = {};
  Instant now = absl::ZeroDuration();  // Of the facts.
};

class Shard final : private EventLoop::Handler {
 public:
  Shard(uint32_t number, ShardContext context);
  ~Shard() override;

  void Start() { loop_.Start(); }
  void Stop() { loop_.Stop(); }
  void Post(EventLoop::Task task) { loop_.Post(std::move(task)); }

  // The rest runs on the shard's thread: call through Post.
  void Listen(int fd, bool tls);
  void StopListening();
  void Adopt(int fd, Peer peer, bool tls);
  // A connection that we made, of a collector that waits to be dialled.
  void AdoptDialled(int fd, const Peer& peer, const BusEntryPtr& wanted);
  void Submit(std::vector<RoutedItem>&& items, std::shared_ptr<ResultSink> sink);
  // Forgets what this call still has waiting; what is on a bus ends there.
  void Drop(const std::shared_ptr<ResultSink>& sink);
  void Close(SessionId id, const char* reason);
  // shard_takeover.cpp
  void Probe(SessionId holder, SessionId newcomer);
  void OnVerdict(SessionId newcomer, Holder holder);
  // Adds what it knows to facts whose session is here; false when it ended meanwhile.
  bool Describe(SessionFacts& facts);
  // Fills in what is known of the bus of report.session.route; false when it ended meanwhile.
  bool Examine(BusReport& report);
  // Sessions whose id is gone or now means another bus are closed. `usable` is false while the generation is absent:
  // then nobody is unknown.
  void UseDirectory(std::shared_ptr<const DirectoryCopy> directory, bool usable);
  // Ends what is queued, lets what is on the buses finish, then closes all within kDrainJitter.
  void Drain();
  // What is on the buses is lost, its items are answered.
  void CloseAll(const char* reason);
  // From any thread.
  size_t open() const { return open_.load(); }

 private:
  // shard.cpp
  void OnReady(uint64_t token, uint32_t events) override;
  void OnTimer(uint64_t token, Instant at) override;
  Instant OnTurnEnd() override;
  struct Listener {
    int fd = -1;
    bool tls = false;
  };
  void Accept(size_t listener);
  // Stops accepting until then.
  void PauseAccepting(size_t listener, Instant until);
  bool IsTrusted(const Peer& peer) const;
  Session* Find(SessionId id);
  SessionId IdOf(const Session& session) const;
  Session* NewSession();
  void Read(Session& session);
  // The session is gone afterwards.
  void End(Session& session, const char* reason);
  // End of this one session: its connection's end, or one of its buses'.
  void Finish(Session& session, const char* reason, bool owns_socket);
  // Its next timer, in time for whatever it waits for.
  void Rearm(Session& session);
  Instant WakeAt(const Session& session) const;
  void CloseSoon(Session& session);
  void TakeEntry(Session& session);

  // shard_arrival.cpp
  void OnArrivalBytes(Session& session, base::ByteView bytes);
  void OnArrivalTime(Session& session);
  // True while it is still an arrival.
  bool Judge(Session& session, bool quiet);
  void Register(Session& session, const Identified& identified);
  // It stands in the routes and all are told.
  void Welcome(Session& session, const Route& route);
  void Refuse(Session& session, Refusal refusal, const char* reason);
  // Takes the balancer's header off; false when the session has ended by it.
  bool TakeProxyHeader(Session& session);
  // When an arrival has had its time.
  Instant PatienceEnd(const Arrival& arrival) const;
  // False, and counted, when its network has too many or comes too fast.
  bool KnockAt(const Peer& peer);
  // Closes the oldest arrivals until there is room for one more; false when all connections have registered.
  bool MakeRoomForArrival();

  // shard_wire.cpp
  ssize_t Transmit(Session& session, absl::string_view bytes);
  ssize_t TransmitRaw(Session& session, absl::string_view bytes);
  void OnRegisteredBytes(Session& session, base::ByteView bytes);
  bool SendCiphertext(Session& session, TlsLink& link);
  bool HasCiphertext(const Session& session) const;
  void OnWritable(Session& session);
  void OnSocketBytes(Session& session, base::ByteView bytes);
  void OnPlainBytes(Session& session, base::ByteView bytes);
  void OnCiphertext(Session& session, base::ByteView bytes);
  void EndBroken(Session& session, const char* reason);
  bool CertificateFits(const Session& session, const BusEntry& entry) const;
  Assurance ShownBy(const Session& session, const BusEntry& entry) const;

  // shard_challenge.cpp
  bool Challenged(Session& session, const BusEntry& entry);
  void OnChallengeBytes(Session& session);

  // shard_takeover.cpp
  bool MustAsk(Session& session, const Route& newcomer, const Identified& identified);
  void LookAtHolder(const Session& holder);
  void ForgetHolder(SessionId id);

  // shard_ports.cpp
  // What the buses of one connection share.
  struct Trunk {
    PortStream stream;
    std::vector<SessionId> lanes = {};  // The first one owns the socket.
    std::string outgoing = {};          // The rest of a packet that the socket did not take.
  };
  void OpenPorts(Session& carrier, const Route& route);
  void EndPorts(const Session& session, const char* reason);
  bool PortsBusy(const Session& session);
  bool PortsChanged(const Session& session);
  void OnPortBytes(Session& carrier, base::ByteView bytes);
  void OnLaneBytes(const Trunk& trunk, uint8_t port, base::ByteView bytes);
  ssize_t TransmitPacket(const Session& lane, absl::string_view bytes);
  bool SendBeside(Trunk& trunk, absl::string_view bytes);
  void SayBeside(Session& session, absl::string_view bytes);
  void FlushPorts(Session& carrier);
  void WantWritable(const Session& session, bool wanted);

  // shard_dialect.cpp
  void AnswerRegistration(Session& session);
  void AnswerKeepalives(Session& session, KeepalivesSeen seen);
  size_t CountIdleNoise(Session& session, base::ByteView bytes);
  void Say(Session& session, absl::string_view bytes);

  // shard_bus.cpp
  void OnLineBytes(Session& session, base::ByteView bytes);
  void OnBusTime(Session& session);
  void Pump(Session& session);
  void Act(Session& session, GroupRun::Move move);
  // False when the session has ended by it.
  bool Write(Session& session, absl::string_view bytes);
  void FlushUnsent(Session& session);
  void FinishRun(Session& session, Result&& result);
  void FailWork(Session& session);
  void Answer(Item&& item, Outcome outcome);
  void Deliver(const std::shared_ptr<Batch>& batch, Result&& result);
  bool Quieting(BusWork& work) const;
  void StartWork(Session& session);
  void EndWork(Session& session);
  BusFacts& FactsOf(Session& session);
  void CountLine(const BusFacts& facts, const LineCounts& before);
  void CountDepth(size_t depth);
  void TellMetrics();
  void Keep(const Session& session, bool up, base::ByteView bytes);
  Keepalives KeepalivesOf(const Session& session) const;

  const uint32_t number_;
  ShardContext context_;
  EventLoop loop_;
  std::array<Listener, 2> listeners_ = {};  // Plain and TLS; of the first shard.
  absl::flat_hash_map<SessionId, std::unique_ptr<TlsLink>> tls_links_;
  const PskSource psk_source_ = [this](absl::string_view collector) { return directory_->KeyOf(collector); };
  absl::flat_hash_map<SessionId, std::shared_ptr<Trunk>> trunks_;  // By each of their buses.
  bool draining_ = false;
  std::shared_ptr<const DirectoryCopy> directory_ = std::make_shared<DirectoryCopy>();
  bool directory_usable_ = false;

  Slab<Session> sessions_;      // By slot; none ever moves.
  std::vector<uint32_t> free_;  // Slots.
  std::atomic<size_t> open_ = 0;
  // Holders of ids that newcomers claim.
  struct Takeover {
    SessionId newcomer = kNoSession;
    uint32_t segments = 0;  // Received when the probe began.
    Instant look_at = absl::ZeroDuration();
    Instant end = absl::ZeroDuration();
  };
  absl::flat_hash_map<SessionId, Takeover> takeovers_;
  std::deque<SessionId> arrivals_;  // Oldest first; those that registered or ended meanwhile are skipped.
  size_t unregistered_ = 0;
  absl::flat_hash_map<SessionId, Instant> close_at_;        // While draining.
  absl::flat_hash_map<SessionId, std::string> idle_tails_;  // At most kIdleTailsMax.
  std::vector<std::shared_ptr<Batch>> to_flush_;
  std::vector<std::unique_ptr<BusWork>> spare_work_;  // At most kSpareWorkMax.
  // What every exchange counts, added to the metrics once a turn: each of those is an atomic of its own.
  struct Tally {
    int64_t bytes_in = 0;
    int64_t bytes_out = 0;
    absl::Duration busy = absl::ZeroDuration();
    std::array<int64_t, kOutcomes> ended = {};
    std::array<int64_t, kQueueDepths.size() + 1> depths = {};
    double depth_sum = 0;
    bool any = false;
  };
  Tally tally_ = {};
  std::array<uint8_t, 65536> buffer_;
};

}  // namespace voltwell::gateway
