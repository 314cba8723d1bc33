#include "serving/generation_call.h"

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "serving/generative_wire.h"
#include "serving/worker_base.h"

namespace atelier::serving {
namespace {

using Reactor = grpc::ServerBidiReactor<pb::GenerateRequest, pb::GenerateEvent>;

// Between a generator, which must not wait, and a stream, which takes one message at a time: what comes while a message
// is under way goes into the next one. Thread-safe. Shared by the call and the generator, which may hold it longer.
class Outlet final : public engine::GenerationSink {
 public:
  explicit Outlet(Reactor& reactor) : reactor_(reactor) {}

  // From the generator.
  void OnDeltas(std::vector<engine::GenerationDelta> deltas) override;
  void OnDone(Status status, const engine::GenerationUsage& usage) override;

  // From the stream.
  void Written(bool ok);
  void Hangup();  // nobody reads any more
  void Cancel();
  // What cancels the generation; called at once if that was asked for already.
  void Started(std::function<void()> cancel);

 private:
  void Advance();

  Reactor& reactor_;  // alive until Finish was called on it
  std::mutex mutex_;  // not Guarded<T>: never held while gRPC or the generator is called
  std::function<void()> cancel_;
  pb::GenerateEvent pending_;
  size_t pending_bytes_ = 0;
  pb::GenerateEvent under_way_;  // gRPC's while writing_
  Status status_;
  bool writing_ = false;
  bool cancelled_ = false;
  bool unread_ = false;    // what comes is dropped
  bool overflow_ = false;  // why
  bool done_ = false;      // the generator has said its last
  bool finished_ = false;  // the stream is
};

void Outlet::OnDeltas(std::vector<engine::GenerationDelta> deltas) {
  bool overflow = false;
  {
    std::lock_guard lock(mutex_);
    if (unread_ || done_) {
      return;
    }
    for (engine::GenerationDelta& delta : deltas) {
      pb::Delta& one = *pending_.add_deltas();
      ToWire(std::move(delta), one);
      pending_bytes_ += one.ByteSizeLong();
    }
    if (pending_bytes_ > kMaxPendingBytes) {
      overflow = overflow_ = unread_ = true;
      pending_.Clear();
    }
  }
  if (overflow) {
    Cancel();
  }
  Advance();
}

void Outlet::OnDone(Status status, const engine::GenerationUsage& usage) {
  std::function<void()> released;  // it may hold this sink: let go, outside the lock
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(done_, true)) {
      return;
    }
    status_ =
        overflow_
            ? Status(MakeError(Code::kResourceExhausted, "the answer was not read fast enough", "reader_too_slow"))
            : std::move(status);
    *pending_.mutable_usage() = ToWire(usage);
    released.swap(cancel_);
  }
  Advance();
}

void Outlet::Written(bool ok) {
  {
    std::lock_guard lock(mutex_);
    writing_ = false;
  }
  if (!ok) {
    Hangup();
  } else {
    Advance();
  }
}

void Outlet::Hangup() {
  {
    std::lock_guard lock(mutex_);
    unread_ = true;
    pending_.clear_deltas();
  }
  Cancel();
  Advance();
}

void Outlet::Cancel() {
  std::function<void()> cancel;
  {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    cancel = cancel_;
  }
  if (cancel) {
    cancel();
  }
}

void Outlet::Started(std::function<void()> cancel) {
  {
    std::lock_guard lock(mutex_);
    if (done_) {
      return;
    }
    cancel_ = cancel;
    if (!cancelled_) {
      return;
    }
  }
  cancel();
}

void Outlet::Advance() {
  bool finish = false;
  {
    std::lock_guard lock(mutex_);
    if (writing_ || finished_) {
      return;
    }
    if (pending_.deltas_size() > 0 || pending_.has_usage()) {
      writing_ = true;
      under_way_.Clear();
      under_way_.Swap(&pending_);
      pending_bytes_ = 0;
    } else if (done_) {
      finished_ = finish = true;
    } else {
      return;
    }
  }
  // Outside the lock; the flags keep others from coming here meanwhile.
  if (finish) {
    reactor_.Finish(status_.ok() ? grpc::Status::OK : ToGrpc(status_.error()));
  } else {
    reactor_.StartWrite(&under_way_);
  }
}

class GenerationCall final : public Reactor {
 public:
  explicit GenerationCall(engine::Generator* generator) : generator_(generator) {
    if (generator_ == nullptr) {
      Finish(ToGrpc(ModelLoading()));
    } else {
      StartRead(&request_);
    }
  }

  void OnReadDone(bool ok) override {
    if (!started_) {
      Begin(ok);
    } else {
      outlet_->Cancel();  // the caller closed its side, or sent what it should not
    }
  }
  void OnWriteDone(bool ok) override { outlet_->Written(ok); }
  void OnCancel() override { outlet_->Hangup(); }
  void OnDone() override { std::unique_ptr<GenerationCall> self(this); }

 private:
  void Begin(bool ok) {
    started_ = true;
    auto request = ok ? FromWire(request_) : InvalidArgument("the call has no request");
    request_.Clear();
    if (!request.ok()) {
      outlet_->OnDone(std::move(request).error(), {});
      return;
    }
    StartRead(&request_);
    outlet_->Started(generator_->Generate(std::move(request).value(), outlet_));
  }

  engine::Generator* generator_;
  pb::GenerateRequest request_;
  bool started_ = false;  // of the read callbacks, which come one at a time
  std::shared_ptr<Outlet> outlet_ = std::make_shared<Outlet>(*this);
};

}  // namespace

grpc::ServerBidiReactor<pb::GenerateRequest, pb::GenerateEvent>* StartGenerationCall(engine::Generator* generator) {
  // gRPC's contract: it owns the reactor until OnDone, where the reactor frees itself.
  return std::make_unique<GenerationCall>(generator).release();
}

}  // namespace atelier::serving
