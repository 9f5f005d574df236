// Explains the DATA of a frame by its function.
#pragma once

#include "libs/codec/dlt645/explain_words.h"
#include "libs/codec/dlt645/frame.h"

namespace voltwell::codec::dlt645 {

// Takes exactly frame.data off the cursor, which stands at its first byte; returns what it says, for the summary. In a
// damaged request an identifier that is in no table is masked: it may be a password that moved there.
std::string ExplainData(Cursor& cursor, const Frame& frame, Edition edition, bool damaged);

}  // namespace voltwell::codec::dlt645
