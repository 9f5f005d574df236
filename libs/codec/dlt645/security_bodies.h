// What stands behind identifier and operator code of control code 03H (07xxxxFF), piece by piece. For people: the codec
// itself hands bodies through as they are.
#pragma once

#include <span>

#include "libs/codec/dlt645/field.h"

namespace voltwell::codec::dlt645 {

struct BodyPart {
  FieldSpec spec = {};  // Length 0: all that is left, but the parts behind it.
  bool secret = false;
};

struct SecurityBody {
  uint32_t di = 0;
  bool reply = false;
  uint16_t length = 0;  // Of the body; 0: any.
  absl::string_view zh = "";
  absl::string_view en = "";
  std::span<const BodyPart> parts = {};
};

// The body of this identifier, direction and length; else one with its name and no parts; null for another identifier.
const SecurityBody* FindSecurityBody(uint32_t di, bool reply, size_t length);

}  // namespace voltwell::codec::dlt645
