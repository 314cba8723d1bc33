#include "atelier/cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "atelier/cli/text.h"

namespace atelier::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRedrawEvery{100};
constexpr milliseconds kLineEvery{2000};

int Columns(std::FILE* stream) {
  winsize size{};
  return ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Progress::Progress(std::FILE* stream) : stream_(stream), terminal_(::isatty(::fileno(stream)) == 1) {
  if (!terminal_) {
    next_ = steady_clock::now() + kLineEvery;
  }
}

void Progress::Update(const std::string& line) {
  const auto now = steady_clock::now();
  if (now < next_) {
    return;
  }
  next_ = now + (terminal_ ? kRedrawEvery : kLineEvery);
  if (!terminal_) {
    std::fprintf(stream_, "%s\n", Escape(line).c_str());
  } else {
    std::fprintf(stream_, "\r%s\x1b[K", Fit(Escape(line), Columns(stream_) - 1).c_str());
    drawn_ = true;
  }
  std::fflush(stream_);
}

void Progress::Print(const std::string& line) {
  Clear();
  std::fprintf(stream_, "%s\n", Escape(line).c_str());
  std::fflush(stream_);
}

void Progress::Clear() {
  if (drawn_) {
    std::fprintf(stream_, "\r\x1b[K");
    std::fflush(stream_);
    drawn_ = false;
  }
  if (terminal_) {
    next_ = {};
  }
}

std::string Rate::Describe(uint64_t done, uint64_t total) const {
  const double seconds = std::chrono::duration<double>(steady_clock::now() - begin_).count();
  const double rate = seconds > 0.05 ? static_cast<double>(done - already_done_) / seconds : 0;
  const double fraction = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
  std::string text = Bar(fraction, 24) + " " + std::to_string(static_cast<int>(fraction * 100)) + "%  " +
                     HumanBytes(static_cast<double>(done)) + " / " + HumanBytes(static_cast<double>(total));
  if (rate > 0) {
    text += "  " + HumanBytes(rate) + "/s  ETA " + HumanDuration(static_cast<double>(total - done) / rate);
  }
  return text;
}

}  // namespace atelier::cli
