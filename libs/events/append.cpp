// Facts to outbox rows and back. The payload and its type's name are kept as one google.protobuf.Any, so that libs/pg
// knows no protobuf and the outbox no column of ours.
#include "google/protobuf/any.pb.h"
#include "google/protobuf/util/time_util.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/events/convert.h"
#include "libs/events/events.h"
#include "libs/pg/outbox.h"

namespace voltwell::events {

absl::Status AppendAll(pg::Tx& tx, const std::vector<Fact>& facts) {
  std::vector<pg::Event> events;
  events.reserve(facts.size());
  for (const Fact& fact : facts) {
    pg::Event event;
    event.type = fact.type;
    event.key = fact.key;
    event.tenant = fact.tenant;
    event.site_path = fact.site_path;
    event.customer = fact.customer;
    event.permission = fact.permission;
    if (fact.payload != nullptr) {
      google::protobuf::Any any;
      any.PackFrom(*fact.payload);
      event.payload = any.SerializeAsString();
    }
    events.push_back(std::move(event));
  }
  return pg::AppendEvents(tx, events);
}

absl::Status Append(pg::Tx& tx, const Fact& fact) { return AppendAll(tx, {fact}); }

absl::StatusOr<voltwell::event::v1::Cursor> SnapshotCursor(pg::Tx& tx) {
  VW_ASSIGN_OR_RETURN(const pg::Cursor cursor, pg::SnapshotCursor(tx));
  return ToProto(cursor);
}

voltwell::event::v1::Cursor ToProto(const pg::Cursor& cursor) {
  voltwell::event::v1::Cursor out;
  out.set_generation(cursor.generation);
  out.set_xid(cursor.xid);
  out.set_sequence(cursor.sequence);
  return out;
}

pg::Cursor FromProto(const voltwell::event::v1::Cursor& cursor) {
  return {.generation = cursor.generation(), .xid = cursor.xid(), .sequence = cursor.sequence()};
}

voltwell::event::v1::Event ToProto(const pg::Event& event) {
  voltwell::event::v1::Event out;
  *out.mutable_cursor() = ToProto(event.at);
  out.set_type(event.type);
  out.set_key(event.key);
  out.set_tenant(event.tenant);
  out.set_site_path(event.site_path);
  out.set_customer(event.customer);
  out.set_permission(event.permission);
  *out.mutable_time() = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(event.time));
  google::protobuf::Any any;
  if (!event.payload.empty() && any.ParseFromString(event.payload)) {
    const std::string& url = any.type_url();
    out.set_payload_type(url.substr(url.rfind('/') + 1));
    out.set_payload(any.value());
  }
  return out;
}

}  // namespace voltwell::events
