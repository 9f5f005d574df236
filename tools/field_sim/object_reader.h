// Reads the fields of one JSON object and remembers the first mistake with its JSON pointer. Every field of the
// object must be asked for: what nobody asked for is a typing error of the author, and refused.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace voltwell::field_sim {

class ObjectReader {
 public:
  // error is shared by all readers of one document; the first mistake stays.
  ObjectReader(const nlohmann::json& value, std::string path, absl::Status* error);

  bool Has(absl::string_view key) const;
  int64_t Int(absl::string_view key, int64_t fallback, int64_t min, int64_t max);
  double Number(absl::string_view key, double fallback, double min, double max);
  double Rate(absl::string_view key) { return Number(key, 0, 0, 1); }
  bool Flag(absl::string_view key, bool fallback);
  std::string Text(absl::string_view key, absl::string_view fallback);
  // A decimal number with at most `decimals` digits after the point, as an integer of its smallest unit.
  // Written as a string or a number.
  int64_t Decimal(absl::string_view key, int64_t fallback, int decimals, int64_t max);
  // {"hex": "4C4F"} or a plain string.
  std::string RawBytes(absl::string_view key, absl::string_view fallback);
  // Null when absent; a mistake when it is something else than `type`.
  const nlohmann::json* Child(absl::string_view key, nlohmann::json::value_t type);

  std::string PathOf(absl::string_view key) const;
  void Fail(absl::string_view reason, absl::string_view key, absl::string_view message);
  bool ok() const { return error_->ok(); }
  // Refuses the fields that were not asked for.
  void Finish();

 private:
  const nlohmann::json* Find(absl::string_view key);

  const nlohmann::json& value_;
  std::string path_;
  absl::Status* error_;
  std::set<std::string> asked_;
};

}  // namespace voltwell::field_sim
