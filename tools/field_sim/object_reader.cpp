#include "tools/field_sim/object_reader.h"

#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"

namespace voltwell::field_sim {

using nlohmann::json;

ObjectReader::ObjectReader(const json& value, std::string path, absl::Status* error)
    : value_(value), path_(std::move(path)), error_(error) {
  if (!value_.is_object()) Fail("PARK_FIELD_TYPE", "", "an object is expected here");
}

std::string ObjectReader::PathOf(absl::string_view key) const {
  if (key.empty()) return path_;
  return absl::StrCat(path_, "/", absl::StrReplaceAll(key, {{"~", "~0"}, {"/", "~1"}}));
}

void ObjectReader::Fail(absl::string_view reason, absl::string_view key, absl::string_view message) {
  if (!error_->ok()) return;
  const std::string path = PathOf(key);
  *error_ = base::InvalidArgument(reason, absl::StrCat(path, ": ", message), {{"path", path}});
}

bool ObjectReader::Has(absl::string_view key) const { return value_.is_object() && value_.contains(std::string(key)); }

const json* ObjectReader::Find(absl::string_view key) {
  asked_.emplace(key);
  if (!value_.is_object()) return nullptr;
  const auto found = value_.find(std::string(key));
  return found == value_.end() ? nullptr : &*found;
}

int64_t ObjectReader::Int(absl::string_view key, int64_t fallback, int64_t min, int64_t max) {
  const json* value = Find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number_integer()) {
    Fail("PARK_FIELD_TYPE", key, "a whole number is expected");
    return fallback;
  }
  const int64_t number = value->get<int64_t>();
  if (number < min || number > max) {
    Fail("PARK_FIELD_RANGE", key, absl::StrCat(number, " is not in ", min, "..", max));
    return fallback;
  }
  return number;
}

double ObjectReader::Number(absl::string_view key, double fallback, double min, double max) {
  const json* value = Find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number()) {
    Fail("PARK_FIELD_TYPE", key, "a number is expected");
    return fallback;
  }
  const double number = value->get<double>();
  if (number < min || number > max) {
    Fail("PARK_FIELD_RANGE", key, absl::StrCat(number, " is not in ", min, "..", max));
    return fallback;
  }
  return number;
}

bool ObjectReader::Flag(absl::string_view key, bool fallback) {
  const json* value = Find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) {
    Fail("PARK_FIELD_TYPE", key, "true or false is expected");
    return fallback;
  }
  return value->get<bool>();
}

std::string ObjectReader::Text(absl::string_view key, absl::string_view fallback) {
  const json* value = Find(key);
  if (value == nullptr) return std::string(fallback);
  if (!value->is_string()) {
    Fail("PARK_FIELD_TYPE", key, "a string is expected");
    return std::string(fallback);
  }
  return value->get<std::string>();
}

int64_t ObjectReader::Decimal(absl::string_view key, int64_t fallback, int decimals, int64_t max) {
  const json* value = Find(key);
  if (value == nullptr) return fallback;
  double number = 0;
  const bool good = value->is_number()   ? (number = value->get<double>(), true)
                    : value->is_string() ? absl::SimpleAtod(value->get<std::string>(), &number)
                                         : false;
  if (!good) {
    Fail("PARK_FIELD_TYPE", key, "a decimal number is expected");
    return fallback;
  }
  const double scaled = number * std::pow(10.0, decimals);
  if (scaled < 0 || scaled > static_cast<double>(max) || std::abs(scaled - std::round(scaled)) > 1e-4) {
    Fail("PARK_FIELD_RANGE", key, absl::StrCat("not a number of at most ", decimals, " decimals in range"));
    return fallback;
  }
  return std::llround(scaled);
}

std::string ObjectReader::RawBytes(absl::string_view key, absl::string_view fallback) {
  const json* value = Find(key);
  if (value == nullptr) return std::string(fallback);
  if (value->is_string()) return value->get<std::string>();
  if (value->is_object() && value->size() == 1 && value->contains("hex") && (*value)["hex"].is_string()) {
    const auto bytes = base::FromHex((*value)["hex"].get<std::string>());
    if (bytes.ok()) return *bytes;
    Fail("PARK_BAD_HEX", key, "hex digits in pairs are expected");
    return std::string(fallback);
  }
  Fail("PARK_FIELD_TYPE", key, "a string or {\"hex\": \"...\"} is expected");
  return std::string(fallback);
}

const json* ObjectReader::Child(absl::string_view key, json::value_t type) {
  const json* value = Find(key);
  if (value == nullptr) return nullptr;
  if (value->type() != type) {
    Fail("PARK_FIELD_TYPE", key, absl::StrCat(json(type).type_name(), " is expected"));
    return nullptr;
  }
  return value;
}

void ObjectReader::Finish() {
  if (!value_.is_object()) return;
  for (const auto& [key, unused] : value_.items()) {
    // Names that start with an underscore are the author's comments.
    if (key.empty() || key[0] == '_' || asked_.count(key) != 0) continue;
    Fail("PARK_FIELD_UNKNOWN", key, "no such field here");
  }
}

}  // namespace voltwell::field_sim
