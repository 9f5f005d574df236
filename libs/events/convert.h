// Between the outbox's rows and the messages of voltwell.event.v1.
#pragma once

#include "libs/pg/outbox.h"
#include "voltwell/event/v1/event.pb.h"

namespace voltwell::events {

voltwell::event::v1::Cursor ToProto(const pg::Cursor& cursor);
pg::Cursor FromProto(const voltwell::event::v1::Cursor& cursor);
voltwell::event::v1::Event ToProto(const pg::Event& event);

}  // namespace voltwell::events
