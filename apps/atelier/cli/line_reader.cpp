#include "atelier/cli/line_reader.h"

#include <histedit.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <system_error>

namespace atelier::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kHistoryLines = 1000;

class PlainReader final : public LineReader {
 public:
  LineOutcome Read(const std::string& prompt, std::string& line) override {
    std::fputs(prompt.c_str(), stderr);  // standard output may go to a file
    return std::getline(std::cin, line) ? LineOutcome::kLine : LineOutcome::kEnd;
  }
};

// libedit (https://www.thrysoee.dk/editline/).
class EditedReader final : public LineReader {
 public:
  explicit EditedReader(fs::path file) : file_(std::move(file)) {
    std::error_code ignored;
    fs::create_directories(file_.parent_path(), ignored);
    editor_ = el_init("atelier", stdin, stdout, stderr);
    history_ = history_init();
    if (!usable()) {
      return;
    }
    HistEvent event{};
    history(history_, &event, H_SETSIZE, kHistoryLines);
    history(history_, &event, H_SETUNIQUE, 1);
    history(history_, &event, H_LOAD, file_.c_str());
    el_set(editor_, EL_CLIENTDATA, this);
    el_set(editor_, EL_PROMPT, &EditedReader::Prompt);
    el_set(editor_, EL_EDITOR, "emacs");
    el_set(editor_, EL_HIST, history, history_);
    el_source(editor_, nullptr);  // ~/.editrc
    // Ctrl-C is a key here, so that it drops the line and nothing else.
    el_set(editor_, EL_SETTY, "-d", "-isig", nullptr);
    el_set(editor_, EL_ADDFN, "atelier-cancel", "Drop the line", &EditedReader::Cancel);
    el_set(editor_, EL_BIND, "^C", "atelier-cancel", nullptr);
  }
  ~EditedReader() override {
    if (history_ != nullptr) {
      history_end(history_);
    }
    if (editor_ != nullptr) {
      el_end(editor_);
    }
  }
  EditedReader(const EditedReader&) = delete;
  EditedReader& operator=(const EditedReader&) = delete;

  bool usable() const { return editor_ != nullptr && history_ != nullptr; }

  LineOutcome Read(const std::string& prompt, std::string& line) override {
    prompt_ = prompt;
    cancelled_ = false;
    int count = 0;
    const char* text = el_gets(editor_, &count);
    if (cancelled_) {
      std::fputs("^C\n", stdout);
      return LineOutcome::kCancelled;
    }
    if (text == nullptr || count <= 0) {
      return LineOutcome::kEnd;
    }
    line.assign(text, static_cast<size_t>(count));
    while (line.ends_with('\n') || line.ends_with('\r')) {
      line.pop_back();
    }
    Remember(line);
    return LineOutcome::kLine;
  }

 private:
  static EditedReader* Self(EditLine* editor) {
    EditedReader* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return self;
  }
  static char* Prompt(EditLine* editor) { return Self(editor)->prompt_.data(); }
  static unsigned char Cancel(EditLine* editor, int /*key*/) {
    Self(editor)->cancelled_ = true;
    return CC_EOF;
  }

  void Remember(const std::string& line) {
    if (line.find_first_not_of(" \t") == std::string::npos) {
      return;
    }
    HistEvent event{};
    history(history_, &event, H_ENTER, line.c_str());
    history(history_, &event, H_SAVE, file_.c_str());
  }

  fs::path file_;
  EditLine* editor_ = nullptr;
  History* history_ = nullptr;
  std::string prompt_;
  bool cancelled_ = false;
};

bool CanEdit() {
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

}  // namespace

std::unique_ptr<LineReader> OpenLineReader(const fs::path& history_file) {
  if (!CanEdit()) {
    return std::make_unique<PlainReader>();
  }
  if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) {
    std::setlocale(LC_CTYPE, "C.UTF-8");
  }
  auto reader = std::make_unique<EditedReader>(history_file);
  if (!reader->usable()) {
    return std::make_unique<PlainReader>();
  }
  return reader;
}

fs::path ChatHistoryFile() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  const fs::path folder =
      state != nullptr && *state == '/' ? fs::path(state) : fs::path(home == nullptr ? "." : home) / ".local/state";
  return folder / "atelier" / "chat_history";
}

}  // namespace atelier::cli
