// Facts to outbox rows. The payload is serialized here, so that libs/pg knows no protobuf.
#include "libs/events/events.h"
#include "libs/pg/outbox.h"

namespace voltwell::events {
}  // namespace voltwell::events
