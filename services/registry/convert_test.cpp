// Masks and page tokens.
#include "services/registry/convert.h"

#include <catch2/catch.hpp>

#include "libs/testing/status.h"

namespace voltwell::registry {
namespace {

TEST_CASE("a page token comes back as it went, and nothing else is one") {
  const PageToken token{.after = "01j9", .cursor = {.generation = 2, .xid = 77, .sequence = 5}};
  const auto back = DecodePageToken(EncodePageToken(token));
  REQUIRE_OK(back);
  CHECK(back->after == "01j9");
  CHECK(back->cursor == token.cursor);
  CHECK_OK(DecodePageToken(""));
  for (const char* bad : {"x", "MXx4", "!!!!"}) CHECK_REASON(DecodePageToken(bad), "BAD_PAGE_TOKEN");
}

TEST_CASE("an empty mask changes all that may be changed, and never what may not") {
  v1::Collector from;
  from.set_registration_id("NEW");
  from.set_display_name("new");
  from.set_site("sites/s2");
  Collector to;
  to.registration_id = "OLD";
  to.display_name = "old";
  REQUIRE_OK(Merge(from, {}, to));
  CHECK(to.registration_id == "OLD");
  CHECK(to.display_name == "new");
  CHECK(to.site == "s2");
  google::protobuf::FieldMask mask;
  mask.add_paths("registration_id");
  CHECK_REASON(Merge(from, mask, to), "BAD_UPDATE_MASK");
}

}  // namespace
}  // namespace voltwell::registry
