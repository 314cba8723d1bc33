#include "families/word_vectors/training/checkpoint.h"

#include <fcntl.h>

#include <cerrno>

#include "base/json.h"
#include "storage/files.h"

namespace atelier::families::word_vectors {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "checkpoint.safetensors";
constexpr const char* kState = "state";
constexpr const char* kFingerprint = "fingerprint";
// Job errors reach clients, so they say what the file is for and not where it is.
constexpr std::string_view kWhat = "a checkpoint";

json::object ToJson(const LoopState& state) {
  json::array losses;
  json::array rates;
  for (const EpochLoss& epoch : state.history) {
    losses.emplace_back(epoch.loss);
    rates.emplace_back(epoch.learning_rate);
  }
  return {{"epoch", state.position.epoch}, {"step", state.position.step}, {"loss", state.loss},
          {"samples", state.samples},      {"losses", std::move(losses)}, {"rates", std::move(rates)}};
}

Result<LoopState> LoopStateFromJson(const std::string& text) {
  ATELIER_ASSIGN(value, ParseJson(text));
  if (!value.is_object()) {
    return DataLoss("the checkpoint's state is no object");
  }
  Fields fields(value.get_object());
  LoopState state;
  ATELIER_ASSIGN(epoch, fields.Int("epoch", 0, INT32_MAX));
  ATELIER_ASSIGN(step, fields.Int("step", 0, INT64_MAX));
  ATELIER_ASSIGN(losses, fields.ArrayOr("losses", INT32_MAX));
  ATELIER_ASSIGN(rates, fields.ArrayOr("rates", INT32_MAX));
  if (losses == nullptr || rates == nullptr || losses->size() != rates->size()) {
    return DataLoss("the checkpoint's state has no history");
  }
  state.position = {epoch, step};
  state.loss = GetNumber(value.get_object(), "loss");
  state.samples = GetNumber(value.get_object(), "samples");
  for (size_t i = 0; i < losses->size(); ++i) {
    if (!(*losses)[i].is_number() || !(*rates)[i].is_number()) {
      return DataLoss("the checkpoint's history has something that is no number");
    }
    state.history.push_back({(*losses)[i].to_number<double>(), (*rates)[i].to_number<double>()});
  }
  return state;
}

}  // namespace

Status SaveCheckpoint(const fs::path& directory, const std::string& fingerprint, const LoopState& state,
                      const std::map<std::string, tensor::View>& tensors) {
  std::error_code ec;
  fs::create_directories(directory, ec);
  if (ec) {
    return Internal("cannot create the checkpoint folder: " + ec.message());
  }
  const fs::path writing = directory / "writing";
  {
    const storage::FileDescriptor out(::open(writing.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!out.valid()) {
      return storage::FileError(errno, "open", kWhat);
    }
    const std::map<std::string, std::string> metadata{{kState, json::serialize(ToJson(state))},
                                                      {kFingerprint, fingerprint}};
    ATELIER_TRY(tensor::WriteSafetensors(tensors, metadata, [&](std::span<const std::byte> bytes) {
      return storage::WriteAll(out.get(), bytes, kWhat);
    }));
    ATELIER_TRY(storage::SyncDescriptor(out.get(), kWhat));
  }
  fs::rename(writing, directory / kFile, ec);
  if (ec) {
    return Internal("cannot rename a checkpoint: " + ec.message());
  }
  return storage::SyncDirectory(directory);
}

Result<std::optional<Checkpoint>> LoadCheckpoint(const fs::path& directory, const std::string& fingerprint) {
  std::error_code ec;
  if (!fs::exists(directory / kFile, ec)) {
    return std::optional<Checkpoint>();
  }
  ATELIER_ASSIGN(file, tensor::SafetensorsFile::Open(directory / kFile));
  const auto& metadata = file->metadata();
  const auto state_text = metadata.find(kState);
  const auto found = metadata.find(kFingerprint);
  if (state_text == metadata.end() || found == metadata.end()) {
    return DataLoss("the checkpoint has no state");
  }
  if (found->second != fingerprint) {
    return FailedPrecondition("the checkpoint is of another training: its data or settings differ",
                              "checkpoint_mismatch");
  }
  ATELIER_ASSIGN(state, LoopStateFromJson(state_text->second));
  return std::optional<Checkpoint>(Checkpoint{std::move(state), std::move(file)});
}

}  // namespace atelier::families::word_vectors
