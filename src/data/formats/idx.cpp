// IDX, the format of MNIST (http://yann.lecun.com/exdb/mnist): magic 0 0 TYPE DIMENSIONS, big-endian sizes, the data.
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "data/formats/format.h"
#include "data/formats/paths.h"

namespace atelier::data {
namespace {

constexpr uint32_t kLabelsMagic = 0x00000801;  // unsigned bytes, one dimension
constexpr uint32_t kImagesMagic = 0x00000803;  // unsigned bytes, three dimensions
constexpr uint32_t kMaxSide = 16384;
constexpr uint64_t kMaxPixels = 64ULL << 20U;
constexpr uint64_t kMaxItems = 1ULL << 31U;

// What a name such as "train-images-idx3-ubyte.gz" says.
struct IdxName {
  bool images = false;
  std::string pair;  // the path without the part that tells images from labels
};

bool ParseName(std::string_view path, IdxName& out) {
  std::string lower = LowerAscii(path);
  if (lower.ends_with(".gz")) {
    lower.resize(lower.size() - 3);
  }
  for (const char separator : {'-', '.'}) {  // the dot is how some mirrors write it
    const std::string tail(1, separator);
    for (const bool images : {true, false}) {
      const std::string ending = (images ? "images" : "labels") + tail + (images ? "idx3" : "idx1") + "-ubyte";
      if (lower.ends_with(ending)) {
        out = {images, lower.substr(0, lower.size() - ending.size())};
        return true;
      }
    }
  }
  return false;
}

bool Claims(std::string_view path) {
  IdxName name;
  return ParseName(path, name);
}

Error Bad(const SourceFile& file, const std::string& what) {
  return InvalidArgument(file.path + ": " + what, "files", "invalid_file");
}

Result<std::unique_ptr<Input>> OpenBytes(FormatContext& context, const SourceFile& file) {
  return Input::Open(context.blobs, file, {.meter = &context.meter, .archives = &context.archives});
}

Result<std::vector<uint32_t>> ReadHeader(const SourceFile& file, ByteSource& bytes, uint32_t magic) {
  std::vector<uint32_t> words((magic & 0xFFU) + 1);
  for (uint32_t& word : words) {
    std::array<std::byte, 4> raw{};
    ATELIER_ASSIGN(count, bytes.Read(raw));
    if (count != raw.size()) {
      return Bad(file, "the IDX header is cut off");
    }
    for (const std::byte byte : raw) {
      word = (word << 8U) | static_cast<uint32_t>(byte);
    }
    if (words[0] != magic) {
      return Bad(file, "this is no IDX file of unsigned bytes with " + std::to_string(magic & 0xFFU) + " dimensions");
    }
  }
  words.erase(words.begin());
  if (words[0] == 0 || words[0] > kMaxItems) {
    return Bad(file, "it declares " + std::to_string(words[0]) + " items");
  }
  return words;
}

Status CheckEnd(const SourceFile& file, ByteSource& bytes) {
  std::array<std::byte, 1> one{};
  ATELIER_ASSIGN(count, bytes.Read(one));
  return count == 0 ? Status() : Bad(file, "there are more bytes than its header declares");
}

Result<std::vector<uint8_t>> ReadLabels(FormatContext& context, const SourceFile& file) {
  ATELIER_ASSIGN(input, OpenBytes(context, file));
  ByteSource bytes(input->Source());
  ATELIER_ASSIGN(sizes, ReadHeader(file, bytes, kLabelsMagic));
  std::vector<uint8_t> labels;
  std::array<std::byte, 65536> buffer{};
  while (labels.size() < sizes[0]) {  // grows with what is there, not with what is declared
    ATELIER_ASSIGN(count,
                   bytes.Read(std::span(buffer).first(std::min<size_t>(buffer.size(), sizes[0] - labels.size()))));
    if (count == 0) {
      return Bad(file, "it declares " + std::to_string(sizes[0]) + " labels and has " + std::to_string(labels.size()));
    }
    const auto* begin = reinterpret_cast<const uint8_t*>(buffer.data());
    labels.insert(labels.end(), begin, begin + count);
  }
  ATELIER_TRY(CheckEnd(file, bytes));
  return labels;
}

struct Part {
  const SourceFile* images = nullptr;
  const SourceFile* labels = nullptr;
  std::optional<Split> split;
  std::vector<uint8_t> values;
};

Result<std::vector<Part>> PairUp(FormatContext& context) {
  std::map<std::string, Part> parts;
  for (const auto& file : context.files) {
    IdxName name;
    if (!ParseName(file.path, name)) {
      return Bad(file, "an IDX file is named NAME-images-idx3-ubyte or NAME-labels-idx1-ubyte, also with .gz");
    }
    Part& part = parts[name.pair];
    const SourceFile*& place = name.images ? part.images : part.labels;
    if (place != nullptr) {
      return Bad(file, "there are two such files, the other is " + place->path);
    }
    place = &file;
    std::string_view stem = FileName(name.pair);
    stem = stem.substr(0, stem.find_first_of("-_."));
    part.split = SplitFromWord(stem);
    if (!part.split) {
      part.split = SplitFromPath(file.path);
    }
  }
  std::vector<Part> out;
  for (auto& [pair, part] : parts) {
    if (part.images == nullptr || part.labels == nullptr) {
      return part.images == nullptr ? Bad(*part.labels, "its images are missing")
                                    : Bad(*part.images, "its labels are missing");
    }
    out.push_back(std::move(part));
  }
  // Train first, so that row 0 is the first picture of the training part.
  std::ranges::stable_sort(out, {}, [](const Part& part) { return part.split ? static_cast<int>(*part.split) : -1; });
  return out;
}

Status BeginTable(FormatContext& context, const std::vector<Part>& parts, const std::vector<uint32_t>& sizes) {
  std::set<uint8_t> seen;
  for (const auto& part : parts) {
    seen.insert(part.values.begin(), part.values.end());
  }
  Manifest schema;
  schema.format = "idx";
  Column image{.name = "image", .type = ColumnType::kImage, .shape = {1, sizes[1], sizes[2]}};
  Column label{.name = "label", .type = ColumnType::kCategory};
  for (const uint8_t value : seen) {
    label.categories.push_back(std::to_string(value));
  }
  schema.columns = {std::move(image), std::move(label)};
  if (context.options.task != "none") {
    schema.target = "label";
    schema.task = Task::kClassification;
  }
  return context.table.Begin(std::move(schema));
}

Status ReadImages(FormatContext& context, Part& part, const std::vector<Part>& parts) {
  ATELIER_ASSIGN(input, OpenBytes(context, *part.images));
  ByteSource bytes(input->Source());
  ATELIER_ASSIGN(sizes, ReadHeader(*part.images, bytes, kImagesMagic));
  if (sizes[1] == 0 || sizes[2] == 0 || sizes[1] > kMaxSide || sizes[2] > kMaxSide ||
      uint64_t{sizes[1]} * sizes[2] > kMaxPixels) {
    return Bad(*part.images, "pictures of " + std::to_string(sizes[1]) + " x " + std::to_string(sizes[2]) +
                                 " pixels are out of range");
  }
  if (sizes[0] != part.values.size()) {
    return Bad(*part.images, "it has " + std::to_string(sizes[0]) + " pictures, but " + part.labels->path + " has " +
                                 std::to_string(part.values.size()) + " labels");
  }
  if (context.table.schema().columns.empty()) {
    ATELIER_TRY(BeginTable(context, parts, sizes));
  }
  const Column& image = context.table.schema().columns[0];
  const Column& label = context.table.schema().columns[1];
  if (image.shape[1] != sizes[1] || image.shape[2] != sizes[2]) {
    return Bad(*part.images, "its pictures have another size than those of the other files");
  }
  std::array<int32_t, 256> codes{};
  for (size_t i = 0; i < label.categories.size(); ++i) {
    codes.at(static_cast<size_t>(std::stoi(label.categories[i]))) = static_cast<int32_t>(i);
  }
  std::vector<uint8_t> pixels(size_t{sizes[1]} * sizes[2]);
  for (size_t i = 0; i < part.values.size(); ++i) {
    ATELIER_ASSIGN(count, bytes.Read(std::as_writable_bytes(std::span(pixels))));
    if (count != pixels.size()) {
      return Bad(*part.images,
                 "it declares " + std::to_string(sizes[0]) + " pictures and ends in number " + std::to_string(i + 1));
    }
    context.table.SetPixels(0, pixels);
    context.table.SetCategory(1, codes.at(part.values[i]));
    ATELIER_TRY(context.table.EndRow(part.split));
  }
  return CheckEnd(*part.images, bytes);
}

Status CheckOptions(const ImportOptions& options) {
  if (!options.target.empty() && options.target != "label") {
    return InvalidArgument("the target of IDX files is 'label'", "target");
  }
  if (options.task == "regression") {
    return InvalidArgument("IDX labels are for classification", "task");
  }
  for (const auto& [column, type] : options.types) {
    if ((column != "image" || type != "image") && (column != "label" || type != "category")) {
      return InvalidArgument("the columns of IDX files are an image 'image' and a category 'label'", "types");
    }
  }
  return {};
}

Status Read(FormatContext& context) {
  ATELIER_TRY(CheckOptions(context.options));
  ATELIER_ASSIGN(parts, PairUp(context));
  for (Part& part : parts) {
    ATELIER_ASSIGN(values, ReadLabels(context, *part.labels));
    part.values = std::move(values);
  }
  for (Part& part : parts) {
    ATELIER_TRY(ReadImages(context, part, parts));
  }
  return {};
}

}  // namespace

const Format kIdxFormat{.name = "idx", .passes = 1, .claims = Claims, .read = Read};

}  // namespace atelier::data
