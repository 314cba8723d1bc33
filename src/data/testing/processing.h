// Processing tables in tests.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/steps/process.h"
#include "data/testing/importing.h"

namespace atelier::data::testing {

// What Process said, and the rows that came of it.
struct Processed {
  std::string error, param;
  steps::ProcessReport report;
  std::unique_ptr<Reader> reader;

  const Manifest& content() const { return report.version.content; }
  int64_t rows() const { return content().rows(); }
  std::vector<std::string> columns() const {
    std::vector<std::string> out;
    for (const auto& column : content().columns) {
      out.push_back(column.name);
    }
    return out;
  }
  std::vector<float> numbers(const std::string& column) const { return Values<float>(*reader, column); }
  // Of a category or a text; "" where missing.
  std::vector<std::string> texts(const std::string& name) const {
    std::vector<std::string> out;
    const Column* column = content().Find(name);
    if (column != nullptr && column->type == ColumnType::kCategory) {
      for (const int32_t code : Values<int32_t>(*reader, name)) {
        out.push_back(code < 0 ? "" : column->categories[static_cast<size_t>(code)]);
      }
    }
    for (int64_t row = 0; column != nullptr && column->type == ColumnType::kText && row < rows(); ++row) {
      const auto text = reader->Bytes(name, row);
      out.emplace_back(text.ok() ? *text : "?");
    }
    return out;
  }
  // "t", "v" or "e" a row.
  std::string splits() const {
    std::string out(static_cast<size_t>(rows()), '?');
    for (const auto& [split, letter] :
         {std::pair(Split::kTrain, 't'), std::pair(Split::kValidation, 'v'), std::pair(Split::kTest, 'e')}) {
      for (const int64_t row : reader->Rows(split)) {
        out[static_cast<size_t>(row)] = letter;
      }
    }
    return out;
  }
};

class Processing {
 public:
  Processing() {
    static int count = 0;
    folder_ = std::filesystem::temp_directory_path() /
              ("atelier_steps_test." + std::to_string(::getpid()) + "." + std::to_string(count++));
  }
  Processing(const Processing&) = delete;
  Processing& operator=(const Processing&) = delete;
  ~Processing() { std::filesystem::remove_all(folder_); }

  FakeBlobStore& blobs() { return blobs_; }
  const std::filesystem::path& folder() const { return folder_; }

  // Without a target, unless the options say so.
  Manifest Csv(const std::string& text, ImportOptions options = {.task = "none"}) {
    auto imported = RunImport(blobs_, "a.csv", text, options);
    error_ = imported.error;
    return imported.report.content;
  }

  static Result<steps::Request> Check(const Manifest& manifest, const std::string& request) {
    const auto value = ParseJson(request.starts_with('[') ? R"({"steps":)" + request + "}" : request);
    return value.ok() ? steps::CheckRequest(value->get_object(), steps::SchemaOf(manifest))
                      : Result<steps::Request>(value.error());
  }
  // Which parameter is refused; "ok" where none is.
  static std::string Refused(const Manifest& manifest, const std::string& request) {
    const auto checked = Check(manifest, request);
    return checked.ok() ? "ok" : checked.error().param;
  }

  // `request`: the list of steps, or an object with "steps" and "seed".
  Processed RunSteps(const Manifest& manifest, const std::string& request, RunHooks hooks = {},
                     const steps::MediaTools* media = nullptr) {
    Processed out;
    const auto checked = Check(manifest, request);
    if (!error_.empty() || !checked.ok()) {
      out.error = error_.empty() ? checked.error().message : error_;
      out.param = error_.empty() ? checked.error().param : "";
      return out;
    }
    hooks.checkpoint = folder_ / "checkpoint";
    auto report = steps::Process(blobs_, {manifest, *checked, {{"dataset", "a"}, {"version", 1}}, media}, hooks);
    if (!report.ok()) {
      out.error = report.error().message;
      out.param = report.error().param;
      return out;
    }
    out.report = std::move(*report);
    auto reader = Reader::Open(blobs_, out.content());
    out.error = reader.ok() ? "" : reader.error().message;
    out.reader = reader.ok() ? std::move(*reader) : nullptr;
    return out;
  }

 private:
  FakeBlobStore blobs_;
  std::filesystem::path folder_;
  std::string error_;
};

}  // namespace atelier::data::testing
