// Reads one meter of a park file.
#pragma once

#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "tools/field_sim/object_reader.h"
#include "tools/field_sim/park.h"

namespace voltwell::field_sim {

class MeterReader {
 public:
  // error is the document's; the first mistake stays. Both must outlive the reader.
  MeterReader(const FileReader& read_file, absl::Status* error) : read_file_(read_file), error_(error) {}

  // value has the defaults in it. The meter of a template has no address of its own.
  ParkMeter Read(const nlohmann::json& value, const std::string& path, bool address_needed);

 private:
  void ReadElectricity(ObjectReader& fields, ParkMeter* meter);
  void ReadRecorded(ObjectReader& fields, ParkMeter* meter);
  const nlohmann::json* RecordedFile(ObjectReader& fields, const std::string& name);

  const FileReader& read_file_;
  absl::Status* error_;
  std::map<std::string, nlohmann::json> recorded_files_;  // Each file is read once.
};

}  // namespace voltwell::field_sim
