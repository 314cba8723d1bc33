#include "learning/checkpoint.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>

#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "families/weights.h"
#include "storage/files.h"

namespace atelier::learning {
namespace {

namespace fs = std::filesystem;

constexpr size_t kKept = 2;
constexpr std::string_view kPrefix = "checkpoint-";
constexpr size_t kMaxStateBytes = 64U << 20U;

// Numbers of the checkpoints, newest first.
std::vector<int64_t> Numbers(const fs::path& directory) {
  std::vector<int64_t> numbers;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(directory, ec)) {
    const std::string name = entry.path().filename().string();
    int64_t number = 0;
    if (name.starts_with(kPrefix)) {
      const char* end = name.data() + name.size();
      const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, number);
      if (parsed.ec == std::errc{} && parsed.ptr == end) {
        numbers.push_back(number);
      }
    }
  }
  std::ranges::sort(numbers, std::greater<>());
  return numbers;
}

fs::path FolderOf(const fs::path& directory, int64_t number) {
  return directory / (std::string(kPrefix) + std::to_string(number));
}

// Job errors reach clients, so they say what the file is for and not where it is.
constexpr std::string_view kWhat = "a checkpoint";

Result<storage::FileDescriptor> Open(const fs::path& path, int flags) {
  storage::FileDescriptor descriptor(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (!descriptor.valid()) {
    return storage::FileError(errno, "open", kWhat);
  }
  return descriptor;
}

Status SyncDirectory(const fs::path& path) {
  ATELIER_ASSIGN(directory, Open(path, O_RDONLY | O_DIRECTORY));
  return storage::SyncDescriptor(directory.get(), kWhat);
}

Result<std::string> WriteTensors(const fs::path& file, const std::map<std::string, torch::Tensor>& tensors) {
  ATELIER_ASSIGN(views, families::ViewsOf(tensors));
  ATELIER_ASSIGN(out, Open(file, O_WRONLY | O_CREAT | O_TRUNC));
  Sha256 hash;
  ATELIER_TRY(tensor::WriteSafetensors(views, {}, [&](std::span<const std::byte> bytes) {
    hash.Update(bytes);
    return storage::WriteAll(out.get(), bytes, kWhat);
  }));
  ATELIER_TRY(storage::SyncDescriptor(out.get(), kWhat));
  return hash.Finish();
}

Status WriteText(const fs::path& file, std::string_view text) {
  ATELIER_ASSIGN(out, Open(file, O_WRONLY | O_CREAT | O_TRUNC));
  ATELIER_TRY(storage::WriteAll(out.get(), std::as_bytes(std::span(text.data(), text.size())), kWhat));
  return storage::SyncDescriptor(out.get(), kWhat);
}

Result<std::string> HashFile(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return DataLoss("the checkpoint has no tensors");
  }
  Sha256 hash;
  std::vector<char> buffer(1U << 20U);
  while (in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    hash.Update(std::string_view(buffer.data(), static_cast<size_t>(in.gcount())));
  }
  return hash.Finish();
}

Result<Checkpoint> Load(const fs::path& folder, int64_t number) {
  std::ifstream in(folder / "state.json", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  ATELIER_ASSIGN(value, ParseJson(text.str(), {.max_bytes = kMaxStateBytes, .max_depth = 32}));
  if (!value.is_object()) {
    return DataLoss("state.json is no object");
  }
  // The state is kept as text, so that its hash does not depend on how JSON is written.
  const std::string state_text = GetString(value.get_object(), "state");
  if (Sha256Hex(state_text) != GetString(value.get_object(), "state_sha256")) {
    return DataLoss("state.json does not match its hash");
  }
  ATELIER_ASSIGN(hash, HashFile(folder / "tensors.safetensors"));
  ATELIER_ASSIGN(state, ParseJson(state_text, {.max_bytes = kMaxStateBytes, .max_depth = 32}));
  if (!state.is_object() || GetString(state.get_object(), "tensors_sha256") != hash) {
    return DataLoss("the tensors do not match their hash");
  }
  Checkpoint checkpoint{.number = number, .state = state.get_object(), .tensors = {}};
  ATELIER_ASSIGN(file, tensor::SafetensorsFile::Open(folder / "tensors.safetensors"));
  for (const auto& [name, view] : file->tensors()) {
    ATELIER_ASSIGN(tensor, families::TensorFrom(view));
    checkpoint.tensors[name] = tensor;
  }
  return checkpoint;
}

}  // namespace

Status CheckpointStore::Save(const Checkpoint& checkpoint) {
  std::error_code ec;
  const fs::path writing = directory_ / "writing";
  fs::remove_all(writing, ec);
  fs::create_directories(writing, ec);
  if (ec) {
    return Internal("cannot create the checkpoint folder: " + ec.message());
  }
  ATELIER_ASSIGN(hash, WriteTensors(writing / "tensors.safetensors", checkpoint.tensors));
  json::object state = checkpoint.state;
  state["tensors_sha256"] = hash;
  const std::string text = json::serialize(state);
  const json::object file{{"state", text}, {"state_sha256", Sha256Hex(text)}};
  ATELIER_TRY(WriteText(writing / "state.json", json::serialize(file)));
  ATELIER_TRY(SyncDirectory(writing));
  const fs::path final_folder = FolderOf(directory_, checkpoint.number);
  fs::remove_all(final_folder, ec);  // of the same step: the same content
  fs::rename(writing, final_folder, ec);
  if (ec) {
    return Internal("cannot rename a checkpoint: " + ec.message());
  }
  ATELIER_TRY(SyncDirectory(directory_));
  const auto numbers = Numbers(directory_);
  for (size_t i = kKept; i < numbers.size(); ++i) {
    fs::remove_all(FolderOf(directory_, numbers[i]), ec);
  }
  return {};
}

Result<std::optional<Checkpoint>> CheckpointStore::LoadNewest() {
  for (const int64_t number : Numbers(directory_)) {
    auto checkpoint = Load(FolderOf(directory_, number), number);
    if (checkpoint.ok()) {
      return std::optional<Checkpoint>(std::move(checkpoint).value());
    }
    LogWarning("a checkpoint is damaged and was skipped", {{"number", number}, {"error", checkpoint.error().message}});
  }
  return std::optional<Checkpoint>();
}

}  // namespace atelier::learning
