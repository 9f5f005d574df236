// Between the contract's messages and our own types: protobuf stops here.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/pg/outbox.h"
#include "services/registry/domain/collector.h"
#include "services/registry/domain/meter.h"
#include "services/registry/domain/site.h"
#include "voltwell/registry/v1/collector.pb.h"
#include "voltwell/registry/v1/meter.pb.h"
#include "voltwell/registry/v1/site.pb.h"

namespace voltwell::registry {

namespace v1 = voltwell::registry::v1;

google::protobuf::Timestamp ToProto(absl::Time time);
v1::Site ToProto(const Site& site);
v1::Collector ToProto(const Collector& collector);
v1::Meter ToProto(const Meter& meter);

// Required and optional fields of a new resource; output only fields are ignored. BAD_NAME.
absl::StatusOr<Site> NewSite(const v1::Site& site);
absl::StatusOr<Collector> NewCollector(const v1::Collector& collector);
absl::StatusOr<Meter> NewMeter(const v1::Meter& meter);

// Puts the fields of the mask (empty: all that may be changed) into the resource. BAD_UPDATE_MASK (metadata field) for
// one that is unknown, output only, or cannot be changed.
absl::Status Merge(const v1::Site& from, const google::protobuf::FieldMask& mask, Site& to);
absl::Status Merge(const v1::Collector& from, const google::protobuf::FieldMask& mask, Collector& to);
absl::Status Merge(const v1::Meter& from, const google::protobuf::FieldMask& mask, Meter& to);

// Opaque to clients: the last id of the page before and, for lists that serve resync, the cursor of the first page.
struct PageToken {
  std::string after = {};
  pg::Cursor cursor = {};
};
std::string EncodePageToken(const PageToken& token);
// Empty text is the first page. BAD_PAGE_TOKEN.
absl::StatusOr<PageToken> DecodePageToken(absl::string_view text);

}  // namespace voltwell::registry
