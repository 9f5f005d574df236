// Traces and watchers: what is kept, for how long, and how much.
#include "services/collector_gateway/core/trace.h"

#include <catch2/catch.hpp>

#include "libs/testing/status.h"
#include "services/collector_gateway/core/session_feed.h"
#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
namespace base = voltwell::base;

namespace {

constexpr Instant kStart = absl::Hours(1);

struct CountingWatcher final : SessionWatcher {
  void Changed(const SessionChange& change) override {
    seen.push_back((change.online ? "online " : "offline ") + change.entry->registration + change.reason);
  }
  void Closing() override { seen.push_back("closing"); }
  std::vector<std::string> seen;
};

}  // namespace

TEST_CASE("a trace keeps the last thousand frames, of each 512 bytes, and of all 128 KiB") {
  TraceBook book;
  REQUIRE_OK(book.Start("VW-1", 1, "t1", kTraceDefault, 1000, kStart));
  for (size_t i = 0; i <= kTraceFramesMax; ++i) {
    const std::string text = std::to_string(i);
    book.Add("VW-1", 1, "t1", i % 2 == 0, base::AsBytes(text), 2000, kStart);
  }
  const Trace full = *book.Find("VW-1", 1, kStart);
  CHECK(full.frames.size() == kTraceFramesMax);
  CHECK(full.dropped == 1);
  CHECK(full.frames.front().data == "1");
  CHECK_FALSE(full.frames.front().up);

  const std::string long_one(kTraceBytesMax + 1, 'x');
  for (size_t i = 0; i <= kTraceMemoryMax / kTraceBytesMax; ++i) {
    book.Add("VW-1", 1, "t1", true, base::AsBytes(long_one), 2000, kStart);
  }
  const Trace wide = *book.Find("VW-1", 1, kStart);
  CHECK(wide.bytes == kTraceMemoryMax);
  CHECK(wide.frames.back().data.size() == kTraceBytesMax);
  CHECK(wide.frames.back().size == kTraceBytesMax + 1);
}

TEST_CASE("a trace ends in time, can be read as long again, and is then forgotten") {
  TraceBook book;
  REQUIRE_OK(book.Start("VW-1", 1, "t1", absl::Minutes(1), 1000, kStart));
  CHECK(book.any());
  book.Add("VW-1", 1, "t1", true, base::AsBytes("a"), 2000, kStart);
  book.Add("VW-1", 2, "t1", true, base::AsBytes("another bus"), 2000, kStart);
  book.Add("VW-1", 1, "t1", true, base::AsBytes("too late"), 2000, kStart + absl::Minutes(1));
  CHECK(book.Find("VW-1", 1, kStart + absl::Seconds(119))->frames.size() == 1);
  CHECK_FALSE(book.Find("VW-1", 1, kStart + absl::Minutes(2)).has_value());
  CHECK_FALSE(book.any());
}

TEST_CASE("a trace ends when the collector is another tenant's, and keeps nothing of theirs") {
  TraceBook book;
  REQUIRE_OK(book.Start("VW-1", 1, "t1", kTraceDefault, 1000, kStart));
  book.Add("VW-1", 1, "t2", true, base::AsBytes("theirs"), 2000, kStart);
  CHECK_FALSE(book.Find("VW-1", 1, kStart).has_value());
  CHECK_FALSE(book.any());
}

TEST_CASE("one trace beyond the limit is refused while all are under way, else the oldest that ended goes") {
  TraceBook book;
  for (size_t i = 0; i < kTracesMax; ++i) {
    REQUIRE_OK(book.Start("VW-" + std::to_string(i), 1, "t1", absl::Minutes(10), 1000, kStart));
  }
  CHECK_REASON(book.Start("VW-X", 1, "t1", kTraceDefault, 1000, kStart), "TOO_MANY_TRACES");
  CHECK_OK(book.Start("VW-0", 1, "t1", kTraceDefault, 1000, kStart));  // Begins anew.
  CHECK_OK(book.Start("VW-X", 1, "t1", kTraceDefault, 1000, kStart + absl::Minutes(10)));
}

TEST_CASE("a trace shows both directions of one bus, over its reconnects") {
  HubBench bench;
  FakeCollector collector = bench.Dial("VW-1");
  REQUIRE_OK(bench.hub.traces().Start("VW-1", 1, "t1", kTraceDefault, 0, bench.clock.Monotonic()));
  const auto sink = bench.Submit({ItemOf(1)});
  REQUIRE(collector.Receive(Ask(1).size()) == Ask(1));
  collector.Send(Reply(1));
  REQUIRE(sink->Outcomes(1) == "1 ok");
  collector.Hang();
  FakeCollector again = bench.Dial("VW-1");
  again.Send("ping");
  bench.Read(4 + static_cast<double>(Reply(1).size()) + 8);
  bench.Settle();
  const Trace trace = *bench.hub.traces().Find("VW-1", 1, bench.clock.Monotonic());
  std::string told;
  for (const TraceFrame& frame : trace.frames) {
    told += (frame.up ? "<" : ">") + frame.data;
  }
  CHECK(told == ">" + Ask(1) + "<" + Reply(1) + "<ping");
}

TEST_CASE("watchers hear who comes and goes, one beyond the limit is refused, and all are told of the end") {
  HubBench bench;
  SessionFeed feed(bench.book, bench.clock);
  const Route route = {1, EntryOf("VW-1"), {}, 0, {}};
  feed.Registered(route);  // Nobody watches yet.
  const auto watcher = std::make_shared<CountingWatcher>();
  REQUIRE(feed.Watch(watcher));
  feed.Registered(route);
  feed.Gone(route, ": silent");
  for (size_t i = 1; i < kWatchersMax; ++i) REQUIRE(feed.Watch(std::make_shared<CountingWatcher>()));
  CHECK_FALSE(feed.Watch(std::make_shared<CountingWatcher>()));
  feed.Close();
  feed.Unwatch(watcher.get());
  feed.Registered(route);
  CHECK(watcher->seen == std::vector<std::string>{"online VW-1", "offline VW-1: silent", "closing"});
  CHECK(bench.book.notes().size() == 4);  // The book hears all the same.
}
