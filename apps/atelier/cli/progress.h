// Progress of long work: one line that is drawn again on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace atelier::cli {

// Writes to one stream, which it borrows. On a terminal, Update redraws the current line at most ten times a second;
// elsewhere it writes a line at most every two seconds, and none for work that is done before. Lines are escaped and
// cut to the terminal's width.
class Progress {
 public:
  explicit Progress(std::FILE* stream);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { Clear(); }

  bool is_terminal() const { return terminal_; }
  void Update(const std::string& line);
  // A line that stays; the live line is drawn again below it by the next Update.
  void Print(const std::string& line);
  // Removes the live line.
  void Clear();

 private:
  std::FILE* stream_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point next_{};
};

// Rate and remaining time of counted work.
class Rate {
 public:
  explicit Rate(uint64_t already_done = 0) : already_done_(already_done) {}
  // "[===>  ] 45%  12.3 MiB / 27 MiB  8.1 MiB/s  ETA 0:02"
  std::string Describe(uint64_t done, uint64_t total) const;

 private:
  uint64_t already_done_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace atelier::cli
