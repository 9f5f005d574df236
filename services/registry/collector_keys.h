// Keys of collectors: they come in by a call, are sealed for the gateways and kept so. Nothing here can open one.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/os/random.h"
#include "services/registry/domain/collector.h"

namespace voltwell::registry {

class CollectorKeys {
 public:
  // The file holds the public half of the sealing key, base64url. It is read whenever a key is set, so that it may come
  // later than this process.
  CollectorKeys(std::string public_key_file, os::Random& random)
      : public_key_file_(std::move(public_key_file)), random_(random) {}

  // Seals or takes away what collector.new_key_hex brings, if anything. BAD_COLLECTOR_KEY, NO_SEALING_KEY.
  absl::Status Take(Collector& collector, absl::Time now);

 private:
  absl::StatusOr<std::string> Sealed(const std::string& registration_id, const std::string& key);

  const std::string public_key_file_;
  os::Random& random_;
};

}  // namespace voltwell::registry
