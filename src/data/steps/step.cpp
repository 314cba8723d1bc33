#include "data/steps/step.h"

#include "data/steps/source.h"

namespace atelier::data::steps {

Result<std::unique_ptr<Fitter>> Step::Fit(const FitContext& /*context*/) {
  return Internal("a step that needs no fit was asked for one");
}

Status Step::Load(const boost::json::object& /*state*/, const std::filesystem::path& /*folder*/, Schema& /*schema*/) {
  return Internal("a step that needs no fit was given one");
}

Result<std::unique_ptr<RowSource>> Step::Rows() { return std::unique_ptr<RowSource>(); }

}  // namespace atelier::data::steps
