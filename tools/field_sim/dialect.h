// What a protocol brings along so that a bus can carry its meters: how requests are cut out of the bytes, how a meter
// is made, and what the park file says of it. A protocol is one row of Dialects().
#pragma once

#include <memory>
#include <span>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "absl/strings/string_view.h"
#include "tools/field_sim/device.h"
#include "tools/field_sim/object_reader.h"
#include "tools/field_sim/park.h"

namespace voltwell::field_sim {

// Finds whole, valid requests in the bytes of a bus; anything else is skipped byte by byte.
class Cutter {
 public:
  virtual ~Cutter() = default;
  virtual void Append(Bytes bytes) = 0;
  virtual bool Next(std::string* frame) = 0;
  virtual void Clear() = 0;
  virtual bool empty() const = 0;
  virtual uint64_t bad_frames() const = 0;
};

struct Dialect {
  MeterProtocol protocol = MeterProtocol::kDlt645_2007;
  absl::string_view name;  // In park files, as the registry names it.
  // Null for DL/T 645, which buses cut themselves (FrameCutter); its devices get Device::Answer, all others
  // Device::Hear.
  std::unique_ptr<Cutter> (*make_cutter)() = nullptr;
  std::unique_ptr<Device> (*make_meter)(const ParkMeter& config, const LoadSettings& settings, Moment start) = nullptr;
  // Whether text is an address as this protocol prints it, of one meter; false is told as PARK_BAD_ADDRESS.
  bool (*is_address)(absl::string_view text) = nullptr;
  absl::string_view address_words;  // "'x' is not " ...
  // Fields of its own in the park file, beside those of park_meter.cpp; may be null.
  void (*read_fields)(ObjectReader& fields, ParkMeter* meter) = nullptr;
  void (*write_fields)(const ParkMeter& meter, nlohmann::json* out) = nullptr;
};

std::span<const Dialect> Dialects();
const Dialect& DialectOf(MeterProtocol protocol);
// Null: no protocol has this name.
const Dialect* FindDialect(absl::string_view name);

}  // namespace voltwell::field_sim
