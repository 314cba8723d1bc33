#include "data/steps/marks.h"

#include "base/hash.h"
#include "storage/files.h"

namespace atelier::data::steps {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 32U;

class DropMarkedStep final : public Step {
 public:
  explicit DropMarkedStep(std::function<std::unique_ptr<Fitter>(const FitContext&)> make)
      : Step(kChangesRows | kFits), make_(std::move(make)) {}

  Result<std::unique_ptr<Fitter>> Fit(const FitContext& context) override { return make_(context); }

  Status Load(const json::object& state, const std::filesystem::path& folder, Schema& /*schema*/) override {
    ATELIER_ASSIGN(marks, RowMarks::Load(state, folder));
    marks_ = std::move(marks);
    return {};
  }

  Status Apply(Batch& batch) override {
    std::vector<uint8_t> keep(batch.rows());
    for (size_t row = 0; row < keep.size(); ++row) {
      keep[row] = marks_.Get(batch.first + static_cast<int64_t>(row)) ? 0 : 1;
    }
    batch.Keep(keep);
    return {};
  }

 private:
  std::function<std::unique_ptr<Fitter>(const FitContext&)> make_;
  RowMarks marks_;
};

}  // namespace

Result<json::object> RowMarks::Save(const FitContext& context) const {
  const std::string name = context.prefix + ".marks";
  const std::string_view bytes(reinterpret_cast<const char*>(bits_.data()), bits_.size());
  ATELIER_TRY(storage::ReplaceFileDurably(context.folder / name, bytes, 0600));
  return json::object{{"file", name}, {"sha256", Sha256Hex(bytes)}};
}

Result<RowMarks> RowMarks::Load(const json::object& state, const std::filesystem::path& folder) {
  ATELIER_ASSIGN(bytes, storage::ReadSmallFile(folder / GetString(state, "file"), kMaxBytes));
  if (Sha256Hex(bytes) != GetString(state, "sha256")) {
    return DataLoss("the marks of a step are damaged");
  }
  RowMarks out;
  out.bits_.assign(bytes.begin(), bytes.end());
  return out;
}

std::unique_ptr<Step> MakeDropMarked(std::function<std::unique_ptr<Fitter>(const FitContext&)> make) {
  return std::make_unique<DropMarkedStep>(std::move(make));
}

}  // namespace atelier::data::steps
