// What a processing step is. A new one is a file here and a line in steps.cpp.
//
// A step's kind declares its parameters, which are checked for all steps in one place (parameters.h), and makes a Step
// from them and the table's schema as the earlier steps leave it; it changes the schema into the one after it. All that
// can be wrong with a step is found there, before any row is read. A Step then changes batches of rows in place. One
// that must see all the rows first (statistics, labels, duplicates) says so with kFits: its Fitter sees them in a pass
// of its own, and Load takes over what it found. Steps of one list are bound anew after each such pass.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/steps/batch.h"
#include "data/steps/parameters.h"
#include "data/steps/schema.h"

namespace atelier::data::steps {

// What a step does beside changing values of the columns that its parameters name.
inline constexpr unsigned kChangesRows = 1;    // drops, repeats or moves rows
inline constexpr unsigned kChangesLayout = 2;  // adds, drops, renames or retypes columns, or changes labels
inline constexpr unsigned kReadsSplit = 4;
inline constexpr unsigned kWritesSplit = 8;
inline constexpr unsigned kFits = 16;  // needs a pass before it can be applied

struct FitContext {
  std::filesystem::path folder;  // where it may keep files; their names begin with `prefix`
  std::string prefix;
  uint64_t memory_bytes = 0;    // what it may hold; more goes to files
  uint64_t expected_bytes = 0;  // roughly what all the rows have
};

// Sees every row once, in order. Not thread-safe.
class Fitter {
 public:
  virtual ~Fitter() = default;
  virtual Status Observe(const Batch& batch) = 0;
  // What Load needs. It is stored as JSON; what is large goes into a file of FitContext::folder.
  virtual Result<boost::json::object> Finish() = 0;
};

class MediaTools;
class RowSource;

// Not thread-safe.
class Step {
 public:
  explicit Step(unsigned effects) : effects_(effects) {}
  virtual ~Step() = default;

  unsigned effects() const { return effects_; }
  // Columns of the schema before it that it uses beside those of its parameters.
  virtual std::vector<size_t> AlsoTouches() const { return {}; }

  // How often it may repeat a row: batches that would grow too large come to it in pieces.
  virtual size_t MostCopies() const { return 1; }

  // Errors: kInvalidArgument where a value cannot be what is asked, naming row and column.
  virtual Status Apply(Batch& batch) = 0;

  // Lends what steps over pictures and sounds need; null where the program has no such libraries.
  virtual void Use(const MediaTools* /*tools*/) {}

  // Of a step with kFits. Load may set labels that the schema after it still lacks.
  virtual Result<std::unique_ptr<Fitter>> Fit(const FitContext& context);
  virtual Status Load(const boost::json::object& state, const std::filesystem::path& folder, Schema& schema);
  // A fitted step that keeps all its rows itself, in a new order, gives them; the steps before it are done then.
  virtual Result<std::unique_ptr<RowSource>> Rows();

 private:
  unsigned effects_;
};

struct StepKind {
  std::string_view name;
  std::string_view help;
  std::span<const Parameter> parameters;
  // `schema` comes in as it is before the step and leaves as it is after it. Errors: kInvalidArgument by
  // Arguments::Wrong.
  Result<std::unique_ptr<Step>> (*make)(const Arguments& arguments, Schema& schema);
  bool needs_media = false;  // its steps must be given MediaTools before rows
};

// All kinds, in the order of the documentation.
std::span<const StepKind* const> StepKinds();
const StepKind* FindStepKind(std::string_view name);
// Whether one of the "steps" of a request needs MediaTools.
bool NeedsMedia(const boost::json::object& request);

}  // namespace atelier::data::steps
