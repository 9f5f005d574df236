// Requests of M-Bus as frames, and the patterns of their replies.
#pragma once

#include <string>

#include "libs/base/bytes.h"
#include "libs/codec/frame/reply_matcher.h"
#include "libs/codec/mbus/address.h"

namespace voltwell::codec::mbus {

// SND_UD CI 52H to FDH: who matches answers E5H and listens on FDH from then on; who does not match stops listening.
std::string BuildSelect(const SecondaryAddress& mask);

// Exactly E5H.
frame::ReplyMatcher AckMatcher();
// A telegram of this meter: from its primary address, or with its id where the telegram tells one.
frame::ReplyMatcher TelegramMatcher(const MeterAddress& address);
// A telegram of anybody.
frame::ReplyMatcher AnyTelegramMatcher();

}  // namespace voltwell::codec::mbus
