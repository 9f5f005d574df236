// Says in words what each byte of a frame is, in Chinese or English, for people who look at a line. Any bytes are
// explained, also broken ones.
#pragma once

#include "libs/base/bytes.h"
#include "libs/codec/command.h"

namespace voltwell::codec {

// DL/T 645 of both editions, told apart by the control code (options.protocol says which where both have one). Spans
// are in order, without a gap, none empty, together all bytes; secrets are ** in hex, and never in words, unless
// options.show_secrets. On broken bytes `error` is FRAME_NOT_UNDERSTOOD with metadata position (the first wrong byte)
// and why; further frames behind the first one are explained too.
ExplainedBytes ExplainDlt645(base::ByteView bytes, const ExplainOptions& options);

}  // namespace voltwell::codec
