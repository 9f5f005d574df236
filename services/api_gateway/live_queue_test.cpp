// What a page may see, and what it is told when it reads slowly.
#include "services/api_gateway/live_queue.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "voltwell/scheduler/v1/event.pb.h"

namespace voltwell::front {
namespace {

voltwell::event::v1::Event ReadingStored(const std::string& meter, const std::string& text) {
  voltwell::scheduler::v1::ReadingStored stored;
  auto* reading = stored.add_readings();
  reading->set_meter(meter);
  reading->set_register_("1-0:1.8.0");
  reading->set_text(text);
  voltwell::event::v1::Event event;
  event.set_type("reading.stored");
  event.set_key(meter);
  event.set_tenant("t1");
  event.set_site_path("/s1/s4/");
  event.set_permission("reading.read");
  event.set_payload(stored.SerializeAsString());
  event.set_payload_type(stored.GetDescriptor()->full_name());
  return event;
}

rpc::Identity Reader() { return {.tenant = "t1", .permissions = {"reading.*"}}; }

}  // namespace

TEST_CASE("of each resource the newest state is told, once") {
  LiveQueue queue;
  for (const char* text : {"1", "2", "3"}) REQUIRE(queue.Add(UnpackEvent(ReadingStored("meters/a", text))));
  REQUIRE(queue.Add(UnpackEvent(ReadingStored("meters/b", "9"))));
  const auto response = queue.Take();
  REQUIRE(response.readings_size() == 2);
  CHECK(response.readings(0).text() == "3");
  CHECK(response.readings(1).meter() == "meters/b");
  CHECK(queue.empty());
}

TEST_CASE("one resource more than a queue holds does not fit; what is in it may still change") {
  LiveQueue queue;
  for (size_t i = 0; i < kLiveQueueMax; ++i)
    REQUIRE(queue.Add(UnpackEvent(ReadingStored(absl::StrCat("meters/", i), "1"))));
  CHECK(queue.Add(UnpackEvent(ReadingStored("meters/0", "2"))));
  CHECK_FALSE(queue.Add(UnpackEvent(ReadingStored("meters/beyond", "1"))));
  CHECK(queue.size() == kLiveQueueMax);
  const auto response = queue.Take();
  CHECK(response.readings_size() == static_cast<int>(kLiveBatchMax));
  CHECK(response.readings(0).text() == "2");
  CHECK(queue.size() == kLiveQueueMax - kLiveBatchMax);
}

TEST_CASE("a caller sees what his tenant, permissions, sites and topics let him see") {
  const LiveItem item = UnpackEvent(ReadingStored("meters/a", "1"));
  CHECK(MaySee(item, Reader(), {}));
  CHECK(MaySee(item, Reader(), {"run.", "reading."}));
  CHECK_FALSE(MaySee(item, Reader(), {"run."}));
  rpc::Identity other = Reader();
  other.tenant = "t2";
  CHECK_FALSE(MaySee(item, other, {}));
  rpc::Identity without = Reader();
  without.permissions = {"meter.read"};
  CHECK_FALSE(MaySee(item, without, {}));
  rpc::Identity scoped = Reader();
  scoped.site_scope = {"/s2/", "/s1/"};
  CHECK(MaySee(item, scoped, {}));
  scoped.site_scope = {"/s1/s5/"};
  CHECK_FALSE(MaySee(item, scoped, {}));
}

TEST_CASE("an event without tenant or permission is not for everybody") {
  LiveItem item = UnpackEvent(ReadingStored("meters/a", "1"));
  item.permission.clear();
  CHECK_FALSE(MaySee(item, Reader(), {}));
  rpc::Identity admin = Reader();
  admin.permissions = {"*"};
  CHECK(MaySee(item, admin, {}));
  item.tenant.clear();
  CHECK_FALSE(MaySee(item, admin, {}));
}

TEST_CASE("a payload of another type, or broken, shows nothing") {
  auto event = ReadingStored("meters/a", "1");
  event.set_payload("\xff\xff");
  CHECK(UnpackEvent(event).resources.empty());
  event.set_payload_type("voltwell.other.v1.Thing");
  CHECK(UnpackEvent(event).resources.empty());
}

}  // namespace voltwell::front
