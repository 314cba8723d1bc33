// From files to a data set version: the body of `import` jobs.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/manifest.h"
#include "storage/blob_store.h"

namespace atelier::data {

struct SourceFile {
  std::string path;  // as the client named it, with folders: "train/cat/001.png"
  storage::BlobRef blob;
};

struct ImportOptions {
  std::string format = "auto";  // auto | idx | csv | tsv | jsonl | images
  std::string target{};         // column; "": guessed (idx: label; images: folder; csv and jsonl: the last column)
  std::string task{};           // "": guessed | classification | regression | none
  std::string delimiter{};      // csv: "" guessed | one character ("\t", " ", ",", ";", "|")
  std::string header = "auto";  // csv: auto | yes | no
  int64_t skip_lines = 0;       // csv: lines before the header or first row
  std::vector<std::pair<std::string, std::string>> types{};  // column -> number | category | text
  // Fractions of train, validation, test, for rows that the source does not assign itself (a source with a test part
  // keeps it; then only validation is taken from train). Empty: 1, 0, 0 or as the source says.
  std::vector<double> split{};
  bool stratify = true;  // by the target, where it is a category
  uint64_t seed = 1;
};

// Checks field by field; unknown fields are refused. Used by the gateway (to answer 400 at once) and by the job.
Result<ImportOptions> ImportOptionsFromJson(const boost::json::object& object);

struct ImportReport {
  storage::BlobRef manifest;
  Manifest content;
  std::vector<std::string> warnings;
};

// One way of reading sources into shards; the list of formats is data/formats/formats.cpp, and data_images adds the
// picture formats for programs that link OpenCV.
struct Format;

// How a long run speaks with whoever started it. Each may be absent.
struct RunHooks {
  std::function<void(uint64_t done_bytes, uint64_t total_bytes)> progress{};  // may be called often
  std::function<bool()> cancelled{};
  // A folder that is this run's own: what it keeps there lets the same run, begun again after a kill, go on.
  std::filesystem::path checkpoint{};

  // kCancelled, where that is wanted.
  Status Check() const {
    return cancelled && cancelled() ? Status(MakeError(Code::kCancelled, "the job was cancelled")) : Status();
  }
};

// Errors: kInvalidArgument naming file, row and column; kCancelled; kUnimplemented-like formats get
// "unsupported_media_type".
Result<ImportReport> Import(storage::BlobStore& blobs, const std::vector<SourceFile>& files,
                            const ImportOptions& options, std::span<const Format* const> formats,
                            const RunHooks& hooks);

// The formats without pictures: idx, csv, tsv, jsonl.
std::span<const Format* const> TabularFormats();

// Whether the file names call for the picture formats (pictures, or an archive, which may hold them).
bool NeedsImages(const std::vector<SourceFile>& files, const std::string& format);

}  // namespace atelier::data
