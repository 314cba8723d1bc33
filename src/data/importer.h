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
  std::string member{};  // the path of the file within the archive that the blob is; empty: the blob is the file
};

struct ImportOptions {
  std::string format = "auto";  // or a name of data/formats/formats.cpp
  // Column; "": guessed (idx: label; images and texts: folder; tables: the last column, or a text before it 'label').
  std::string target{};
  std::string task{};                  // "": guessed | classification | regression | none
  std::string delimiter{};             // csv, labelled: "" guessed | one character ("\t", " ", ",", ";", "|")
  std::string header = "auto";         // csv: auto | yes | no
  std::string quote = "auto";          // csv: whether fields may stand in quotes: auto | yes | no
  int64_t skip_lines = 0;              // csv: lines before the header or first row
  std::string unit{};                  // text, tagged: what a row is: "" by the format | document | paragraph | line
  std::string pattern{};               // pattern: a regular expression; its named groups are the columns
  std::string encoding{};              // of texts: "" UTF-8 | a name of data/formats/transcoder.h
  std::vector<std::string> columns{};  // names, where the files do not give them
  std::vector<std::pair<std::string, std::string>> types{};  // column -> number | category | text | lines
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

// The formats without pictures and recordings.
std::span<const Format* const> TabularFormats();

// Whether the file names call for the formats of pictures and recordings (such files, or an archive, which may hold
// them).
bool NeedsImages(const std::vector<SourceFile>& files, const std::string& format);

}  // namespace atelier::data
