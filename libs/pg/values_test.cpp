// Values survive the way to PostgreSQL and back, by argument and by COPY.
#include <catch2/catch.hpp>

#include "libs/pg/fixture_test.h"
#include "libs/testing/status.h"

using namespace voltwell;
using namespace voltwell::pg;

TEST_CASE("a value of each type comes back as it went") {
  Fixture fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  constexpr Query kEcho{"echo",
                        "SELECT $1::text, $2::bigint, $3::boolean, $4::timestamptz, $5::bytea, $6::text[], $7::text, "
                        "$8::bigint[], $9::timestamptz"};
  const std::string bytes("\x00\x01\xff'\\", 5);
  const std::vector<std::string> texts = {"plain", "", "a,b", "\"quoted\" \\ back", "NULL", "{}"};
  const absl::Time time = absl::FromUnixMicros(1'767'225'599'123'456);
  const auto rows = Once(pool, kEcho, "Zähler 1", int64_t{-9223372036854775807}, true, time, Bytes{bytes}, texts,
                         std::optional<std::string>(), std::vector<int64_t>{1, -2}, absl::InfiniteFuture());
  REQUIRE_OK(rows);
  CHECK(rows->Text(0, 0) == "Zähler 1");
  CHECK(rows->Int(0, 1) == -9223372036854775807);
  CHECK(rows->Bool(0, 2));
  CHECK(rows->Time(0, 3) == time);
  CHECK(rows->BytesAt(0, 4) == bytes);
  CHECK(rows->TextArray(0, 5) == texts);
  CHECK(rows->IsNull(0, 6));
  CHECK_FALSE(rows->TextOrNull(0, 6).has_value());
  CHECK(rows->TextArray(0, 7) == std::vector<std::string>{"1", "-2"});
  CHECK(rows->Time(0, 8) == absl::InfiniteFuture());
}

TEST_CASE("an empty array is empty, and whole seconds have no fraction") {
  Fixture fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  constexpr Query kEcho{"echo", "SELECT $1::text[], $2::timestamptz"};
  const auto rows = Once(pool, kEcho, std::vector<std::string>(), absl::FromUnixSeconds(0));
  REQUIRE_OK(rows);
  CHECK(rows->TextArray(0, 0).empty());
  CHECK(rows->Time(0, 1) == absl::UnixEpoch());
}

TEST_CASE("rows copied in binary are the rows that are read") {
  Fixture fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  const absl::Time time = absl::FromUnixMicros(1'767'225'599'123'456);
  constexpr Query kCopy{"copy", "COPY sample (a, b, c, d, e, f, g, h) FROM STDIN (FORMAT binary)"};
  constexpr Query kRead{"read", "SELECT a, b, c, d, e, f, g, h FROM sample ORDER BY c"};
  int64_t copied = 0;
  REQUIRE_OK(pool.Transact({.name = "copy", .tenant = "t'1"}, [&](Tx& tx) -> absl::Status {
    VW_RETURN_IF_ERROR(tx.Script("table",
                                 "CREATE TABLE sample (a smallint, b integer, c bigint, d boolean, e text, f bytea, "
                                 "g timestamptz, h text)"));
    CopyWriter rows;
    rows.Row(8).Int2(-2).Int4(70000).Int8(1).Bool(true).Text("Zähler").Bytea(std::string("\0x", 2)).Time(time).Null();
    for (int64_t i = 2; i <= 50000; ++i) {  // More than a socket buffer holds.
      rows.Row(8).Int2(1).Int4(-1).Int8(i).Bool(false).Text("x").Bytea("").Time(absl::InfiniteFuture()).Null();
    }
    VW_ASSIGN_OR_RETURN(copied, tx.Copy(kCopy, std::move(rows)));
    return absl::OkStatus();
  }));
  CHECK(copied == 50000);
  const auto read = Once(pool, kRead);
  REQUIRE_OK(read);
  REQUIRE(read->rows() == 50000);
  CHECK(read->Int(0, 0) == -2);
  CHECK(read->Int(0, 1) == 70000);
  CHECK(read->Bool(0, 3));
  CHECK(read->Text(0, 4) == "Zähler");
  CHECK(read->BytesAt(0, 5) == std::string("\0x", 2));
  CHECK(read->Time(0, 6) == time);
  CHECK(read->IsNull(0, 7));
  CHECK(read->Time(49999, 6) == absl::InfiniteFuture());
}

TEST_CASE("a COPY of a bad row fails whole and the connection serves on") {
  Fixture fixture;
  fixture.config.pool_size = 1;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  REQUIRE_OK(pool.Transact({.name = "table"},
                           [](Tx& tx) { return tx.Script("table", "CREATE TABLE sample (a bigint CHECK (a > 0))"); }));
  constexpr Query kCopy{"copy", "COPY sample (a) FROM STDIN (FORMAT binary)"};
  CHECK_REASON(pool.Transact({.name = "copy"},
                             [&](Tx& tx) {
                               CopyWriter rows;
                               rows.Row(1).Int8(1).Row(1).Int8(-1);
                               return tx.Copy(kCopy, std::move(rows)).status();
                             }),
               "CHECK_VIOLATION");
  const auto count = Once(pool, {"count", "SELECT count(*) FROM sample"});
  REQUIRE_OK(count);
  CHECK(count->Int(0, 0) == 0);
}

TEST_CASE("text that PostgreSQL cannot store is the caller's mistake, not ours") {
  Fixture fixture;
  Pool pool(fixture.config, fixture.clock, fixture.metrics);
  CHECK_REASON(Once(pool, {"echo", "SELECT $1::text"}, std::string("a\0b", 3)), "TEXT_NOT_STORABLE");
  CHECK_REASON(Once(pool, {"echo", "SELECT $1::text"}, "\xff"), "TEXT_NOT_STORABLE");
}
