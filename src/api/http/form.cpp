#include "api/http/form.h"

#include <algorithm>

#include "base/ids.h"

namespace atelier::api::http {
namespace {

Error TooLarge(const std::string& what, uint64_t limit) {
  return MakeError(Code::kOutOfRange, what + " has more than " + std::to_string(limit) + " bytes", "request_too_large");
}

Error Missing(std::string_view name) {
  return InvalidArgument("the form has no '" + std::string(name) + "'", std::string(name),
                         "missing_required_parameter");
}

Error Repeated(std::string_view name) {
  return InvalidArgument("the form has '" + std::string(name) + "' twice", std::string(name));
}

}  // namespace

Result<std::string> Form::Field(std::string_view name) const {
  const std::string* found = nullptr;
  for (const auto& [key, value] : fields) {
    if (key == name && found != nullptr) {
      return Repeated(name);
    }
    found = key == name ? &value : found;
  }
  if (found == nullptr) {
    return Missing(name);
  }
  return *found;
}

Result<std::string> Form::FieldOr(std::string_view name, std::string fallback) const {
  const bool present =
      std::any_of(fields.begin(), fields.end(), [name](const auto& field) { return field.first == name; });
  return present ? Field(name) : Result<std::string>(std::move(fallback));
}

Result<FormFile*> Form::File(std::string_view name) {
  FormFile* found = nullptr;
  for (auto& file : files) {
    if (file.field == name && found != nullptr) {
      return Repeated(name);
    }
    found = file.field == name ? &file : found;
  }
  if (found == nullptr) {
    return Missing(name);
  }
  return found;
}

Status Form::RejectUnknown(std::initializer_list<std::string_view> known) const {
  const auto check = [known](const std::string& name) -> Status {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return InvalidArgument("'" + name + "' is not a known field", name, "unknown_parameter");
    }
    return {};
  };
  for (const auto& field : fields) {
    ATELIER_TRY(check(field.first));
  }
  for (const auto& file : files) {
    ATELIER_TRY(check(file.field));
  }
  return {};
}

FormReader::FormReader(const std::string& boundary, std::string file_field, storage::BlobStore* blobs,
                       const FormLimits& limits)
    : file_field_(std::move(file_field)), blobs_(blobs), limits_(limits), parser_(boundary, *this) {}

Result<Form> FormReader::Finish() {
  ATELIER_TRY(parser_.Finish());
  for (const auto& [name, value] : form_.fields) {
    if (!IsUtf8(value)) {
      return InvalidArgument("'" + name + "' is not UTF-8", name);
    }
  }
  return std::move(form_);
}

Status FormReader::OnPart(PartHeader header) {
  in_file_ = header.filename.has_value() || header.name == file_field_;
  if (!in_file_) {
    field_bytes_ += header.name.size();
    form_.fields.emplace_back(std::move(header.name), "");
    return {};
  }
  FormFile file;
  file.field = std::move(header.name);
  file.filename = std::move(header.filename).value_or("");
  file.content_type = std::move(header.content_type);
  if (blobs_ != nullptr) {
    const bool second =
        std::any_of(form_.files.begin(), form_.files.end(), [](const auto& other) { return other.writer != nullptr; });
    if (second || file.field != file_field_) {
      return second ? Repeated(file.field) : InvalidArgument("'" + file.field + "' is not a file here", file.field);
    }
    ATELIER_ASSIGN(writer, blobs_->Create());
    file.writer = std::move(writer);
  }
  form_.files.push_back(std::move(file));
  return {};
}

Status FormReader::OnData(std::string_view data) {
  if (!in_file_) {
    auto& [name, value] = form_.fields.back();
    field_bytes_ += data.size();
    if (value.size() + data.size() > limits_.field_bytes || field_bytes_ > limits_.all_field_bytes) {
      return TooLarge("the field '" + name + "'", limits_.field_bytes);
    }
    value.append(data);
    return {};
  }
  auto& file = form_.files.back();
  file.bytes += data.size();
  if (file.bytes > limits_.file_bytes) {
    return TooLarge("the file", limits_.file_bytes);
  }
  if (file.writer != nullptr) {
    return file.writer->Append(std::as_bytes(std::span(data.data(), data.size())));
  }
  file.data.append(data);
  return {};
}

Status FormReader::OnPartEnd() { return {}; }

}  // namespace atelier::api::http
