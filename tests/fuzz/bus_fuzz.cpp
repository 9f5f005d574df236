// A bus with four meters, any items, any bytes at any times: what waits always has an end, every item ends by its own
// limit, and no answer is taken that is not the asked meter's.
#include <string>

#include "libs/base/check.h"
#include "services/collector_gateway/domain/bus_queue.h"
#include "services/collector_gateway/domain/bus_verdict.h"
#include "services/collector_gateway/domain/group_run.h"
#include "services/collector_gateway/testing/frames.h"

namespace {

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
namespace base = voltwell::base;

class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(data, size) {}
  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const uint8_t byte = rest_[0];
    rest_ = rest_.subspan(1);
    return byte;
  }
  std::string Text(size_t size) {
    const base::ByteView taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return base::ToString(taken);
  }
  bool empty() const { return rest_.empty(); }

 private:
  base::ByteView rest_;
};

uint8_t Meter(uint8_t byte) { return static_cast<uint8_t>(1 + byte % 4); }

void Put(BusQueue& queue, Input& input, Instant now) {
  const uint8_t byte = input.Byte();
  Exchange read = ReadOf(Meter(byte), (byte & 4) != 0 ? "DDDD" : "EEEE", absl::Milliseconds(100 + 40 * (byte >> 3)));
  read.no_reply = byte == 0xFF;
  Item item = ItemOf(Meter(byte), static_cast<Priority>(1 + (byte >> 4) % 4), {read, read});
  item.attempt = byte;
  if ((byte & 8) != 0) item.not_after = now + absl::Seconds(1);
  const size_t before = queue.size();
  const bool taken = queue.Push(std::move(item), now);
  VW_CHECK(taken == (before < kBusQueueMax) && queue.size() == before + (taken ? 1 : 0));
}

std::string Bytes(Input& input) {
  const uint8_t byte = input.Byte();
  switch (byte % 4) {
    case 0:
      return Reply(Meter(byte >> 2), (byte & 0x40) != 0 ? "DDDD" : "EEEE");
    case 1:
      return Ask(Meter(byte >> 2), "DDDD");
    case 2:
      return Reply(Meter(byte >> 2), "DDDD").substr(0, byte >> 3);
    default:
      return input.Text(byte >> 2);
  }
}

// One item from its first byte to its end.
void RunOne(Input& input, Item&& item, BusFacts& facts, Instant& now) {
  const uint8_t meter = static_cast<uint8_t>(item.id);
  const uint64_t key = item.meter;
  const BusTiming timing = {absl::Milliseconds(200), 2400};
  facts.Began(item, now);
  GroupRun run(std::move(item), timing, Keepalives(base::AsBytes("ping"), base::AsBytes("VW-1")), facts);
  GroupRun::Move move = run.Begin(now);
  while (move != GroupRun::Move::kDone) {
    if (move == GroupRun::Move::kSend) {
      VW_CHECK(!run.to_send().empty());
      move = run.OnSent(now);
      continue;
    }
    const Instant wake = run.wake_at();
    VW_CHECK(wake < now + absl::Seconds(60));
    const absl::Duration pause = absl::Milliseconds(input.Byte());
    if (input.empty() || now + pause >= wake) {
      now = std::max(now, wake);
      move = run.OnTime(now);
    } else {
      now += pause;
      const std::string bytes = Bytes(input);
      move = run.OnBytes(base::AsBytes(bytes), now);
    }
  }
  const Result result = run.TakeResult();
  for (const auto& frames : result.replies.All()) {
    for (const std::string& frame : frames) VW_CHECK(frame.size() > 7 && frame[1] == static_cast<char>(meter));
  }
  VW_CHECK(result.noise.size() <= kNoiseKeptMax);
  facts.Ended(key, result.outcome, now, result.bus_time);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  Instant now = absl::Hours(1);
  BusFacts facts(now);
  BusQueue queue;
  while (!input.empty()) {
    for (int puts = input.Byte() % 8; puts > 0; --puts) Put(queue, input, now);
    now += absl::Milliseconds(input.Byte());
    const size_t before = queue.size();
    VW_CHECK(queue.TakeExpired(now).size() + queue.size() == before);
    if (std::optional<Item> item = queue.Next(now, facts); item.has_value()) {
      RunOne(input, *std::move(item), facts, now);
    } else if (!queue.empty()) {
      const Instant until = queue.HeldUntil(facts);
      VW_CHECK(until > now && until < now + absl::Minutes(2));
      now = until;
      VW_CHECK(queue.Next(now, facts).has_value());
    }
  }
  const double utilisation = facts.Utilisation(now);
  VW_CHECK(utilisation >= 0 && utilisation <= 1);
  Judge(facts, static_cast<int>(queue.size()), now);
  for (const MeterFacts& meter : facts.meters()) MeterLife(meter, now);
  return 0;
}
