// Importing bytes in tests.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "data/importer.h"
#include "data/reader.h"
#include "data/testing/fake_blob_store.h"

namespace atelier::data::testing {

// What Import said: a report, or an error's message.
struct Imported {
  std::string error;
  std::string reason;
  ImportReport report;

  const Manifest& content() const { return report.content; }
  const Column& column(const std::string& name) const {
    static const Column kNone;
    const Column* found = report.content.Find(name);
    return found == nullptr ? kNone : *found;
  }
};

inline Imported RunImport(FakeBlobStore& blobs, const std::vector<SourceFile>& files, const ImportOptions& options = {},
                          std::span<const Format* const> formats = TabularFormats()) {
  Imported out;
  uint64_t last = 0;
  bool monotonic = true;
  RunHooks hooks;
  hooks.progress = [&](uint64_t done, uint64_t total) {
    monotonic = monotonic && done >= last && done <= total;
    last = done;
  };
  auto report = Import(blobs, files, options, formats, hooks);
  if (!report.ok()) {
    out.error = report.error().message;
    out.reason = report.error().reason;
    return out;
  }
  out.report = std::move(report).value();
  if (!monotonic) {
    out.error = "the progress went back";
  }
  return out;
}

inline Imported RunImport(FakeBlobStore& blobs, const std::string& path, const std::string& bytes,
                          const ImportOptions& options = {}) {
  return RunImport(blobs, {blobs.Source(path, bytes)}, options);
}

// All values of a column, over the shards.
template <class T>
std::vector<T> Values(const Reader& reader, const std::string& column) {
  std::vector<T> out;
  const auto views = reader.Tensors(column);
  if (views.ok()) {
    for (const auto& view : *views) {
      const size_t before = out.size();
      out.resize(before + view.bytes.size() / sizeof(T));
      std::memcpy(out.data() + before, view.bytes.data(), view.bytes.size());
    }
  }
  return out;
}

}  // namespace atelier::data::testing
