// A multipart form: small fields in memory, files in memory or as blobs that are not committed yet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/multipart.h"
#include "api/http/target.h"
#include "storage/blob_store.h"

namespace atelier::api::http {

struct FormFile {
  std::string field;
  std::string filename;
  std::string content_type;
  uint64_t bytes = 0;
  std::string data;                             // without a blob store
  std::unique_ptr<storage::BlobWriter> writer;  // with one; dropped uncommitted, nothing remains
};

struct Form {
  Pairs fields;
  std::vector<FormFile> files;

  // Errors: kInvalidArgument on `name` where the form has none, or two.
  Result<std::string> Field(std::string_view name) const;
  Result<std::string> FieldOr(std::string_view name, std::string fallback) const;
  Result<FormFile*> File(std::string_view name);
  // Refuses fields and files with other names.
  Status RejectUnknown(std::initializer_list<std::string_view> known) const;
};

struct FormLimits {
  uint64_t file_bytes = 512ULL << 20U;
  size_t field_bytes = 64U << 10U;
  size_t all_field_bytes = 1U << 20U;
};

// Fills a form from the body's bytes as they come. May block where files go to blobs. Not thread-safe.
class FormReader final : public PartSink {
 public:
  // `file_field` is the field that is a file even without a file name. `blobs` may be null: files stay in memory.
  FormReader(const std::string& boundary, std::string file_field, storage::BlobStore* blobs, const FormLimits& limits);

  Status Feed(std::string_view bytes) { return parser_.Feed(bytes); }
  Result<Form> Finish();

  Status OnPart(PartHeader header) override;
  Status OnData(std::string_view data) override;
  Status OnPartEnd() override;

 private:
  const std::string file_field_;
  storage::BlobStore* blobs_;
  const FormLimits limits_;
  Form form_;
  bool in_file_ = false;
  size_t field_bytes_ = 0;
  MultipartParser parser_;
};

}  // namespace atelier::api::http
