// Request and response of a call in one arena: a batch is thousands of small messages, which go at once when the call
// is over, instead of one by one. Set on a method before the service is added to a server:
//   SetMessageAllocatorFor_Decode(&decode_messages_);
#pragma once

#include "google/protobuf/arena.h"
#include "grpcpp/support/message_allocator.h"

namespace voltwell::codec_service {

template <typename Request, typename Response>
class ArenaMessages final : public grpc::MessageAllocator<Request, Response> {
 public:
  grpc::MessageHolder<Request, Response>* AllocateMessages() override { return new Holder(); }

 private:
  class Holder final : public grpc::MessageHolder<Request, Response> {
   public:
    Holder() : arena_(Options()) {
      this->set_request(google::protobuf::Arena::CreateMessage<Request>(&arena_));
      this->set_response(google::protobuf::Arena::CreateMessage<Response>(&arena_));
    }
    void Release() override { delete this; }
    void FreeRequest() override {}  // With the arena.

   private:
    // Blocks that the heap keeps for the next call: larger ones would be mapped and unmapped each time.
    static google::protobuf::ArenaOptions Options() {
      google::protobuf::ArenaOptions options;
      options.start_block_size = 4 * 1024;
      options.max_block_size = 64 * 1024;
      return options;
    }

    google::protobuf::Arena arena_;
  };
};

}  // namespace voltwell::codec_service
