// One item on the bus, byte by byte.
#include "services/collector_gateway/domain/group_run.h"

#include <catch2/catch.hpp>

#include "services/collector_gateway/testing/frames.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
namespace base = voltwell::base;

namespace {

using Move = GroupRun::Move;

constexpr Instant kStart = absl::Hours(1);
constexpr BusTiming kTiming = {absl::Milliseconds(500), 0};  // No wire time.
const std::string kHeartbeat = "hb\x16h";                    // 'h' is 68H: the worst that a heartbeat can hold.
const std::string kRegistration = "VW-1";

Keepalives Both() { return Keepalives(base::AsBytes(kHeartbeat), base::AsBytes(kRegistration)); }

// One for all: what is learned needs more answers than any case gives.
BusFacts& Facts() {
  static BusFacts facts(kStart);
  facts = BusFacts(kStart);
  return facts;
}

GroupRun Begun(std::vector<Exchange> exchanges = {ReadOf(7)}) {
  GroupRun run(ItemOf(1, Priority::kScheduled, std::move(exchanges)), kTiming, Both(), Facts());
  REQUIRE(run.Begin(kStart) == Move::kSend);
  return run;
}

// Gives all pieces one after the other; the last move.
Move Feed(GroupRun& run, const std::vector<std::string>& pieces, Instant now = kStart + absl::Milliseconds(10)) {
  Move move = Move::kWait;
  for (const std::string& piece : pieces) {
    REQUIRE(move == Move::kWait);
    move = run.OnBytes(base::AsBytes(piece), now);
  }
  return move;
}

}  // namespace

TEST_CASE("a reply ends the exchange, wherever TCP cuts it") {
  const std::string bytes = "\xFE\xFE" + Reply(7);
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    GroupRun run = Begun();
    CHECK(run.to_send() == Ask(7));
    REQUIRE(Feed(run, {bytes.substr(0, cut), bytes.substr(cut)}) == Move::kDone);
    const Result result = run.TakeResult();
    CHECK(result.outcome == Outcome::kOk);
    REQUIRE(result.replies.size() == 1);
    CHECK(result.replies[0] == std::vector<std::string>{Reply(7)});
    CHECK(result.bus_time == absl::Milliseconds(10));
  }
}

TEST_CASE("all keepalives of a long read are found, whatever stands between them") {
  std::string bytes = "x" + kRegistration;
  for (int i = 0; i < 1000; ++i) bytes += kHeartbeat;
  bytes += "yy" + kRegistration + kHeartbeat + "VW-";
  KeepalivesSeen seen;
  CHECK(Both().CountNoise(base::AsBytes(bytes), seen) == 6);
  CHECK(seen.heartbeats == 1001);
  CHECK(seen.registrations == 2);

  GroupRun run = Begun();
  REQUIRE(Feed(run, {bytes + "1" + kHeartbeat + Reply(7)}) == Move::kDone);
  CHECK(run.TakeResult().outcome == Outcome::kOk);
  CHECK(run.TakeKeepalives().heartbeats == 1002);
}

TEST_CASE("one echo of the request is skipped and does not count as something that came") {
  GroupRun run = Begun();
  REQUIRE(Feed(run, {Ask(7)}) == Move::kWait);
  REQUIRE(run.OnTime(run.wake_at()) == Move::kDone);
  CHECK(run.TakeResult().outcome == Outcome::kTimeout);

  GroupRun answered = Begun();
  REQUIRE(Feed(answered, {Ask(7) + Reply(7)}) == Move::kDone);
  CHECK(answered.TakeResult().replies[0].size() == 1);
}

TEST_CASE("only one echo is skipped: a second one is judged like any frame") {
  GroupRun strict = Begun();
  REQUIRE(Feed(strict, {Ask(7) + Ask(7)}) == Move::kWait);
  REQUIRE(strict.OnTime(strict.wake_at()) == Move::kDone);
  CHECK(strict.TakeResult().outcome == Outcome::kNoise);

  Exchange any = ReadOf(7);
  any.question.replies = {.any_of = {{}}};
  GroupRun run = Begun({any});
  REQUIRE(Feed(run, {Ask(7)}) == Move::kWait);
  CHECK(Feed(run, {Ask(7)}) == Move::kDone);
}

TEST_CASE("another meter's answer, another question's answer and another master's request are not taken") {
  GroupRun run = Begun();
  REQUIRE(Feed(run, {Reply(8), Reply(7, "EEEE"), Ask(9)}) == Move::kWait);
  REQUIRE(Feed(run, {Reply(7)}) == Move::kDone);
  CHECK(run.TakeResult().replies[0] == std::vector<std::string>{Reply(7)});
}

TEST_CASE("noise costs nothing but its bytes when the answer follows") {
  GroupRun run = Begun();
  REQUIRE(Feed(run, {std::string("\x00\xFF\x68\x33garbage", 11) + Reply(7) + "EF"}) == Move::kDone);
  CHECK(run.TakeResult().outcome == Outcome::kOk);
  CHECK(run.counts().noise_bytes == 11 + 2);
}

TEST_CASE("a wrong checksum is counted and not delivered") {
  GroupRun run = Begun();
  REQUIRE(Feed(run, {WithBadChecksum(Reply(7))}) == Move::kWait);
  REQUIRE(run.OnTime(run.wake_at()) == Move::kDone);
  const Result result = run.TakeResult();
  CHECK(result.outcome == Outcome::kNoise);
  CHECK(result.noise == WithBadChecksum(Reply(7)));
  CHECK(result.replies == std::vector<std::vector<std::string>>{{}});
  CHECK(run.counts().bad_checksums == 1);
}

TEST_CASE("the reply timeout counts from the last byte on the line and has the link's time added") {
  GroupRun run(ItemOf(1), {absl::Milliseconds(300), 2400}, Keepalives(), Facts());
  REQUIRE(run.Begin(kStart) == Move::kSend);
  // 16 bytes of 11 bits at 2400 bit/s, a reply timeout of 1 s, and 300 ms.
  const absl::Duration limit = absl::Microseconds(16 * 11 * 1'000'000 / 2400) + absl::Milliseconds(1300);
  CHECK(run.wake_at() == kStart + limit);
  CHECK(run.OnTime(kStart + limit - absl::Nanoseconds(1)) == Move::kWait);
  CHECK(run.OnTime(kStart + limit) == Move::kDone);
  CHECK(run.TakeResult().outcome == Outcome::kTimeout);
}

TEST_CASE("a length byte that was hit does not hold back the answer behind it") {
  std::string hit = Reply(7);
  hit[9] = '\xFF';  // L: the frame would end 255 bytes later.
  GroupRun run = Begun({ReadOf(7, "DDDD", absl::Seconds(5))});
  REQUIRE(Feed(run, {hit + Reply(7)}) == Move::kWait);
  CHECK(run.wake_at() == kStart + absl::Milliseconds(10) + kInterByteTimeout);
  REQUIRE(run.OnTime(run.wake_at()) == Move::kDone);
  CHECK(run.TakeResult().outcome == Outcome::kOk);
}

TEST_CASE("what came without an answer is kept, up to its limit") {
  GroupRun run = Begun();
  const std::string noise(kNoiseKeptMax + 1, 'x');
  REQUIRE(Feed(run, {noise}) == Move::kWait);
  REQUIRE(run.OnTime(run.wake_at()) == Move::kDone);
  CHECK(run.TakeResult().noise == noise.substr(0, kNoiseKeptMax));
  CHECK(run.counts().noise_bytes == kNoiseKeptMax + 1);
}

TEST_CASE("a heartbeat at a frame's boundary is taken out, glued before, behind, or cut anywhere") {
  for (const std::string& bytes :
       {kHeartbeat + Reply(7), kRegistration + Reply(7), kHeartbeat + kHeartbeat + Reply(7)}) {
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      GroupRun run = Begun();
      REQUIRE(Feed(run, {bytes.substr(0, cut), bytes.substr(cut)}) == Move::kDone);
      CHECK(run.TakeResult().outcome == Outcome::kOk);
      CHECK(run.counts().noise_bytes == 0);
    }
  }
  GroupRun behind = Begun();
  REQUIRE(Feed(behind, {Reply(7) + kHeartbeat}) == Move::kDone);
  CHECK(behind.counts().noise_bytes == 0);
}

TEST_CASE("the heartbeat's bytes inside a frame are data") {
  const std::string reply = Reply(7, "DDDD", kHeartbeat + kRegistration);
  for (size_t cut = 1; cut < reply.size(); ++cut) {
    GroupRun run = Begun();
    REQUIRE(Feed(run, {reply.substr(0, cut), reply.substr(cut)}) == Move::kDone);
    CHECK(run.TakeResult().replies[0] == std::vector<std::string>{reply});
  }
}

TEST_CASE("a heartbeat alone is nothing that came; half a heartbeat is noise") {
  GroupRun run = Begun();
  REQUIRE(Feed(run, {kHeartbeat}) == Move::kWait);
  REQUIRE(run.OnTime(run.wake_at()) == Move::kDone);
  CHECK(run.TakeResult().outcome == Outcome::kTimeout);

  GroupRun half = Begun();
  REQUIRE(Feed(half, {kHeartbeat.substr(0, 2)}) == Move::kWait);
  REQUIRE(half.OnTime(half.wake_at()) == Move::kDone);
  CHECK(half.TakeResult().noise == kHeartbeat.substr(0, 2));
}

TEST_CASE("more data is asked for by the steps until a reply says that none follows") {
  Exchange read = ReadOf(7);
  read.follow_up = {.flag_offset = 8, .flag_mask = 0x20, .flag_value = 0x20, .steps = {}};
  for (int i = 1; i <= 3; ++i) {
    read.follow_up.steps.push_back({Frame(7, 0x12, "DDDD" + std::to_string(i)), MatcherFor(7, "DDDD", 0x92)});
  }
  GroupRun run = Begun({read});
  CHECK(run.first_question());
  REQUIRE(Feed(run, {ReplyWithMore(7)}) == Move::kSend);
  CHECK(run.to_send() == Frame(7, 0x12, "DDDD1"));
  CHECK_FALSE(run.first_question());
  REQUIRE(Feed(run, {Frame(7, 0xB2, "DDDDmore")}) == Move::kSend);
  CHECK(run.to_send() == Frame(7, 0x12, "DDDD2"));
  REQUIRE(Feed(run, {Frame(7, 0x92, "DDDDlast")}) == Move::kDone);
  const Result result = run.TakeResult();
  CHECK(result.outcome == Outcome::kOk);
  REQUIRE(result.replies.size() == 1);
  CHECK(result.replies[0] ==
        std::vector<std::string>{ReplyWithMore(7), Frame(7, 0xB2, "DDDDmore"), Frame(7, 0x92, "DDDDlast")});
}

TEST_CASE("a group's exchanges follow each other, and the first that fails ends it with the replies so far") {
  GroupRun run = Begun({ReadOf(7, "AAAA"), ReadOf(7, "BBBB"), ReadOf(7, "CCCC")});
  REQUIRE(Feed(run, {Reply(7, "AAAA")}) == Move::kSend);
  CHECK(run.to_send() == Ask(7, "BBBB"));
  // The first answer again, late: not the second one's.
  REQUIRE(Feed(run, {Reply(7, "AAAA")}) == Move::kWait);
  REQUIRE(run.OnTime(run.wake_at()) == Move::kDone);
  const Result result = run.TakeResult();
  CHECK(result.outcome == Outcome::kNoise);
  CHECK(result.replies == std::vector<std::vector<std::string>>{{Reply(7, "AAAA")}, {}});
}

TEST_CASE("a broadcast is done when it was sent, or leaves its reply timeout before the next question") {
  Exchange broadcast = ReadOf(0x99);
  broadcast.no_reply = true;
  GroupRun alone = Begun({broadcast});
  CHECK(alone.OnSent(kStart) == Move::kDone);
  GroupRun run = Begun({broadcast, ReadOf(7)});
  REQUIRE(run.OnSent(kStart) == Move::kWait);
  CHECK(run.wake_at() >= kStart + broadcast.reply_timeout);
  CHECK(Feed(run, {Reply(9)}) == Move::kWait);  // Nobody was asked.
  REQUIRE(run.OnTime(run.wake_at()) == Move::kSend);
  CHECK(run.to_send() == Ask(7));
  CHECK(run.OnSent(kStart) == Move::kWait);
  REQUIRE(Feed(run, {Reply(7)}) == Move::kDone);
  CHECK(run.TakeResult().replies == std::vector<std::vector<std::string>>{{}, {Reply(7)}});
}

TEST_CASE("an exchange that listens takes every frame until its time is over, and the rest as noise") {
  Exchange listening = ReadOf(7);
  listening.question.replies = {};
  listening.listen = true;
  const auto heard = [&](const std::vector<std::string>& pieces, size_t exchanges = 1) {
    GroupRun run = Begun(std::vector<Exchange>(exchanges, listening));
    Move move = Feed(run, pieces);
    REQUIRE(move == Move::kWait);
    for (int turns = 0; move != Move::kDone && turns < 10; ++turns) move = run.OnTime(run.wake_at());
    REQUIRE(move == Move::kDone);
    return run.TakeResult();
  };
  const Result two = heard({Reply(7), Reply(8)});
  CHECK(two.outcome == Outcome::kOk);
  CHECK(two.searched);
  CHECK(two.replies == std::vector<std::vector<std::string>>{{Reply(7), Reply(8)}});
  CHECK(two.bus_time >= absl::Milliseconds(1500));
  const Result mixed = heard({"zz" + Reply(7), WithBadChecksum(Reply(8))});
  CHECK(mixed.outcome == Outcome::kNoise);
  CHECK(mixed.replies == std::vector<std::vector<std::string>>{{Reply(7)}});
  CHECK(mixed.noise == "zz" + Reply(7) + WithBadChecksum(Reply(8)));
  CHECK(heard({"zz"}).outcome == Outcome::kNoise);
  CHECK(heard({"zz"}).noise == "zz");
  // Echo, keepalives and an idle line are nobody's answer.
  CHECK(heard({Ask(7), kHeartbeat, std::string("\xFF\0\xFE", 3)}).outcome == Outcome::kTimeout);
  CHECK(heard({Ask(7), Reply(7)}).outcome == Outcome::kOk);
  // A line that is never quiet keeps no more frames than a line carries.
  CHECK(heard(std::vector<std::string>(kListenFramesMax + 1, Reply(7))).replies[0].size() == kListenFramesMax);
}

TEST_CASE("a group that listens goes on only when somebody answered, and keeps the noise of its first question") {
  Exchange listening = ReadOf(7);
  listening.listen = true;
  GroupRun silent = Begun({listening, listening});
  REQUIRE(silent.OnTime(silent.wake_at()) == Move::kDone);
  CHECK(silent.TakeResult().outcome == Outcome::kTimeout);

  GroupRun run = Begun({listening, listening});
  REQUIRE(Feed(run, {"z", Reply(7)}) == Move::kWait);
  const Instant asked_again = run.wake_at();
  REQUIRE(run.OnTime(asked_again) == Move::kSend);
  REQUIRE(Feed(run, {Reply(8)}, asked_again) == Move::kWait);
  REQUIRE(run.OnTime(run.wake_at()) == Move::kDone);
  const Result result = run.TakeResult();
  CHECK(result.outcome == Outcome::kNoise);
  CHECK(result.noise == "z" + Reply(7));
  CHECK(result.replies == std::vector<std::vector<std::string>>{{Reply(7)}, {Reply(8)}});
}

TEST_CASE("a search teaches the bus nothing of meters, and does not spoil its counts") {
  BusFacts& facts = Facts();
  Exchange listening = ReadOf(7);
  listening.listen = true;
  GroupRun run(ItemOf(1, Priority::kBackfill, {listening}), kTiming, Both(), facts);
  REQUIRE(run.Begin(kStart) == Move::kSend);
  REQUIRE(Feed(run, {"zz" + Reply(7)}) == Move::kWait);
  REQUIRE(run.OnTime(run.wake_at()) == Move::kDone);
  CHECK(facts.meters().empty());
  CHECK(facts.counts().strays == 0);
  CHECK(facts.counts().collisions == 0);
}
