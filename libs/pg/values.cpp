// Values between C++ and PostgreSQL: arguments as text, columns from text, COPY rows in binary.
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libpq-fe.h"
#include "libs/base/check.h"
#include "libs/pg/pg.h"

namespace voltwell::pg {
namespace {

// PostgreSQL counts microseconds from here.
const absl::Time kPostgresEpoch = absl::FromUnixSeconds(946684800);  // 2000-01-01T00:00:00Z

std::string QuotedItem(const std::string& item) {
  std::string quoted = "\"";
  for (const char c : item) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

const PGresult* Raw(const std::shared_ptr<void>& raw) { return static_cast<const PGresult*>(raw.get()); }

absl::string_view Column(const std::shared_ptr<void>& raw, int row, int column) {
  const PGresult* const result = Raw(raw);
  VW_CHECK(row >= 0 && row < PQntuples(result) && column >= 0 && column < PQnfields(result));
  VW_CHECK(PQgetisnull(result, row, column) == 0);
  return {PQgetvalue(result, row, column), static_cast<size_t>(PQgetlength(result, row, column))};
}

// "2026-11-22 08:43:58.123456+00", as DateStyle ISO with TimeZone UTC writes it.
absl::Time ParseTimestamp(absl::string_view text) {
  if (text == "infinity") return absl::InfiniteFuture();
  if (text == "-infinity") return absl::InfinitePast();
  absl::Time time;
  std::string error;
  VW_CHECK(absl::ConsumeSuffix(&text, "+00"));
  VW_CHECK(absl::ParseTime("%Y-%m-%d%ET%H:%M:%E*S", absl::StrCat(text.substr(0, 10), "T", text.substr(11)),
                           absl::UTCTimeZone(), &time, &error));
  return time;
}

// {a,"b \"c\"",NULL}: one dimension, no NULLs where we use it.
std::vector<std::string> ParseArray(absl::string_view text) {
  VW_CHECK(absl::ConsumePrefix(&text, "{") && absl::ConsumeSuffix(&text, "}"));
  std::vector<std::string> items;
  if (text.empty()) return items;
  items.emplace_back();
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      VW_CHECK(++i < text.size());
      items.back() += text[i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      items.emplace_back();
    } else {
      items.back() += c;
    }
  }
  return items;
}

}  // namespace

Argument ToArgument(absl::Time value) {
  if (value == absl::InfiniteFuture()) return "infinity";
  if (value == absl::InfinitePast()) return "-infinity";
  return absl::FormatTime("%Y-%m-%d %H:%M:%E6S+00", value, absl::UTCTimeZone());
}

Argument ToArgument(const std::vector<std::string>& value) {
  return absl::StrCat(
      "{", absl::StrJoin(value, ",", [](std::string* out, const std::string& item) { out->append(QuotedItem(item)); }),
      "}");
}

Argument ToArgument(const std::vector<int64_t>& value) { return absl::StrCat("{", absl::StrJoin(value, ","), "}"); }

Argument ToArgument(Bytes value) { return absl::StrCat("\\x", absl::BytesToHexString(value.data)); }

int Result::rows() const { return PQntuples(Raw(raw_)); }

int64_t Result::affected() const {
  int64_t count = 0;
  // Empty for statements that touch no rows, such as SET.
  (void)absl::SimpleAtoi(PQcmdTuples(static_cast<PGresult*>(raw_.get())), &count);
  return count;
}

bool Result::IsNull(int row, int column) const {
  VW_CHECK(row >= 0 && row < rows() && column >= 0 && column < PQnfields(Raw(raw_)));
  return PQgetisnull(Raw(raw_), row, column) == 1;
}

std::string Result::Text(int row, int column) const { return std::string(Column(raw_, row, column)); }

int64_t Result::Int(int row, int column) const {
  int64_t value = 0;
  VW_CHECK(absl::SimpleAtoi(Column(raw_, row, column), &value));
  return value;
}

bool Result::Bool(int row, int column) const {
  const absl::string_view text = Column(raw_, row, column);
  VW_CHECK(text == "t" || text == "f");
  return text == "t";
}

absl::Time Result::Time(int row, int column) const { return ParseTimestamp(Column(raw_, row, column)); }

std::string Result::BytesAt(int row, int column) const {
  absl::string_view text = Column(raw_, row, column);
  VW_CHECK(absl::ConsumePrefix(&text, "\\x"));
  return absl::HexStringToBytes(text);
}

std::vector<std::string> Result::TextArray(int row, int column) const { return ParseArray(Column(raw_, row, column)); }

std::optional<std::string> Result::TextOrNull(int row, int column) const {
  if (IsNull(row, column)) return std::nullopt;
  return Text(row, column);
}

std::optional<int64_t> Result::IntOrNull(int row, int column) const {
  if (IsNull(row, column)) return std::nullopt;
  return Int(row, column);
}

std::optional<absl::Time> Result::TimeOrNull(int row, int column) const {
  if (IsNull(row, column)) return std::nullopt;
  return Time(row, column);
}

namespace {

// Big-endian, as on the wire.
template <typename Number>
void AppendNumber(std::string& buffer, Number number) {
  const auto bits = static_cast<uint64_t>(number);
  for (int shift = (static_cast<int>(sizeof(Number)) - 1) * 8; shift >= 0; shift -= 8) {
    buffer += static_cast<char>((bits >> shift) & 0xFF);
  }
}

}  // namespace

void CopyWriter::Header(int32_t length) { AppendNumber(buffer_, length); }

CopyWriter& CopyWriter::Row(int columns) {
  AppendNumber(buffer_, static_cast<int16_t>(columns));
  return *this;
}

CopyWriter& CopyWriter::Null() {
  Header(-1);
  return *this;
}

CopyWriter& CopyWriter::Int2(int16_t value) {
  Header(2);
  AppendNumber(buffer_, value);
  return *this;
}

CopyWriter& CopyWriter::Int4(int32_t value) {
  Header(4);
  AppendNumber(buffer_, value);
  return *this;
}

CopyWriter& CopyWriter::Int8(int64_t value) {
  Header(8);
  AppendNumber(buffer_, value);
  return *this;
}

CopyWriter& CopyWriter::Bool(bool value) {
  Header(1);
  buffer_ += value ? '\1' : '\0';
  return *this;
}

CopyWriter& CopyWriter::Text(absl::string_view value) { return Bytea(value); }

CopyWriter& CopyWriter::Bytea(absl::string_view value) {
  Header(static_cast<int32_t>(value.size()));
  buffer_.append(value.data(), value.size());
  return *this;
}

CopyWriter& CopyWriter::Time(absl::Time value) {
  if (value == absl::InfiniteFuture()) return Int8(std::numeric_limits<int64_t>::max());
  if (value == absl::InfinitePast()) return Int8(std::numeric_limits<int64_t>::min());
  // Down to the microsecond, as ToArgument does, so that both ways store the same instant.
  return Int8(absl::ToUnixMicros(value) - absl::ToUnixMicros(kPostgresEpoch));
}

}  // namespace voltwell::pg
