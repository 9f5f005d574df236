// Where passwords of meters come from. The codec gets them as bytes for one command and keeps none.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "services/meter_scheduler/domain/item.h"

namespace voltwell::scheduler {

// DL/T 645: PA P0 P1 P2 and C0 C1 C2 C3, 4 bytes each.
struct RelaySecret {
  std::string password;
  std::string operator_code;
};

class SecurityModule {
 public:
  virtual ~SecurityModule() = default;
  virtual absl::StatusOr<RelaySecret> ForRelay(const domain::Item& item) = 0;
};

// One password and operator code for every meter of the installation, from the configuration.
class PasswordModule final : public SecurityModule {
 public:
  explicit PasswordModule(RelaySecret secret) : secret_(std::move(secret)) {}
  absl::StatusOr<RelaySecret> ForRelay(const domain::Item&) override { return secret_; }

 private:
  const RelaySecret secret_;
};

}  // namespace voltwell::scheduler
