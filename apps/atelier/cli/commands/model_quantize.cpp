// atelier model quantize
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/follow.h"
#include "atelier/cli/progress.h"
#include "atelier/cli/text.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

struct QuantizeOptions {
  std::string source;
  std::string format;
  std::string name;
};

Status Quantize(Session& session, const QuantizeOptions& options) {
  json::object request{{"kind", "quantize_model"}, {"source", options.source}, {"format", options.format}};
  if (!options.name.empty()) {
    request["model"] = options.name;
  }
  ATELIER_ASSIGN(job, session.api.Post("/v1/jobs", request));
  Progress progress(stderr);
  ATELIER_ASSIGN(done, FollowJob(session.api, GetString(job, "id"), progress));
  if (session.json) {
    PrintJson(done);
    return {};
  }
  const auto& result = ObjectIn(done, "result");
  std::string sizes;
  for (const auto& file : ObjectIn(result, "files")) {
    if (const auto* blob = file.value().if_object()) {
      sizes += "  " + std::string(file.key()) + "  " + HumanBytes(GetNumber(*blob, "size"));
    }
  }
  PrintText(Escape(Cell(result, "model") + "@" + Cell(result, "version") + "  " +
                   Cell(ObjectIn(result, "metadata"), "quantisation") + sizes) +
            "\n");
  return {};
}

}  // namespace

void AddModelQuantize(CLI::App& group, Selection& selection) {
  auto options = std::make_shared<QuantizeOptions>();
  auto* command = group.add_subcommand("quantize", "Write a language model in a smaller (or larger) format");
  command->add_option("model", options->source, "NAME, NAME@VERSION or NAME@ALIAS")->required();
  command
      ->add_option("--to", options->format,
                   "q4_k_m, q8_0, q6_k, q5_k_m, q4_0, q3_k_m, q2_k, iq4_xs, f16, bf16, f32 ...")
      ->required();
  command->add_option("--as", options->name, "Name of a new model; default: a new version of the same one");
  command->callback([&selection, options] { selection.run = [options](Session& s) { return Quantize(s, *options); }; });
}

}  // namespace atelier::cli
