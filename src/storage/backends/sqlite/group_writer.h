// Group commit: writes that wait together share one transaction, and so one fsync.
#pragma once

#include <soci/soci.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/catalogue.h"

namespace atelier::storage::sqlite {

// Owns the one session that writes, and the thread that uses it. Thread-safe. While one batch is being made durable the
// next gathers, so batches grow with the load and a lone write never waits. Each caller is blocked while its write is
// queued: the queue is no longer than there are threads that call.
class GroupWriter {
 public:
  explicit GroupWriter(std::unique_ptr<soci::session> session);
  ~GroupWriter();  // finishes what is queued; nobody may call Write any more
  GroupWriter(const GroupWriter&) = delete;
  GroupWriter& operator=(const GroupWriter&) = delete;

  // See Catalogue::Write. Each work runs inside a savepoint of its own, so its failure undoes nothing of its
  // neighbours.
  Status Write(const Catalogue::Work& work);

  struct Counts {
    uint64_t writes = 0;   // works that succeeded
    uint64_t commits = 0;  // transactions that made them durable
  };
  Counts counts() const;

 private:
  struct Request {
    const Catalogue::Work* work;
    std::promise<Status> done{};
  };
  using Batch = std::vector<Request>;

  void Loop();
  Batch Take();
  std::vector<Status> Run(const Batch& batch);
  Status RunOne(const Catalogue::Work& work);

  std::unique_ptr<soci::session> session_;
  mutable std::mutex mutex_;  // not Guarded: the thread sleeps on it
  std::condition_variable wake_;
  std::deque<Request> queue_;
  bool stopping_ = false;
  Counts counts_;
  std::thread thread_;
};

}  // namespace atelier::storage::sqlite
