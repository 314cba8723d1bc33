// The model card. Its front matter is the Hugging Face hub's, so that the card is understood there too.
#include "base/json.h"
#include "registry/markdown.h"
#include "registry/registry.h"

namespace atelier::registry {
namespace {

constexpr size_t kMaxMetrics = 60;
constexpr size_t kMaxLabels = 100;

std::string ValueAt(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr ? std::string() : ShowValue(*value);
}

// A YAML string: JSON's form of it is YAML too.
std::string Yaml(std::string_view text) { return json::serialize(json::value(json::string(text))); }

std::string DatasetOf(const json::object& lineage) {
  const std::string name = GetString(lineage, "dataset");
  const int64_t version = GetInt(lineage, "dataset_version");
  return version > 0 ? name + "@" + std::to_string(version) : name;
}

std::string FrontMatter(const ModelVersion& version, const json::object& lineage) {
  std::string text = "---\nlibrary_name: atelier\n";
  if (const std::string license = GetString(version.metadata, "license"); !license.empty()) {
    text += "license: " + Yaml(license) + "\n";
  }
  if (const std::string task = GetString(version.metadata, "task"); !task.empty()) {
    text += "pipeline_tag: " + Yaml(task) + "\n";
  }
  if (const std::string dataset = GetString(lineage, "dataset"); !dataset.empty()) {
    text += "datasets:\n- " + Yaml(dataset) + "\n";
  }
  text += "tags:\n- atelier\n";
  if (const std::string family = GetString(version.metadata, "family"); !family.empty()) {
    text += "- " + Yaml(family) + "\n";
  }
  return text + "---\n\n";
}

std::string Section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : "## " + title + "\n\n" + body;
}

std::string Summary(const ModelVersion& version, const json::object& lineage) {
  const std::string family = ValueAt(version.metadata, "family");
  const std::string task = ValueAt(version.metadata, "task");
  std::string text =
      "# " + EscapeMarkdown(version.model_name) + ", version " + std::to_string(version.version) + "\n\n";
  text += family.empty() ? "A model" : "A model of family " + family;
  text += task.empty() ? "" : " for " + task;
  const std::string dataset = DatasetOf(lineage);
  text += dataset.empty() ? "" : ", trained on the data set " + EscapeMarkdown(dataset);
  text += ". Registered " + ShowTime(version.created_ms) + ".\n\n";
  if (const std::string description = ValueAt(version.metadata, "description"); !description.empty()) {
    text += description + "\n\n";
  }
  return text;
}

std::string Data(const ModelVersion& version, const json::object& lineage) {
  std::string manifest = ValueAt(lineage, "manifest_sha256");
  if (manifest.empty()) {
    manifest = GetString(GetObject(lineage, "manifest"), "sha256", GetString(lineage, "manifest"));
  }
  return Table("Data", "",
               {{"Data set", EscapeMarkdown(DatasetOf(lineage))},
                {"Manifest (SHA-256)", manifest},
                {"Target", ValueAt(version.metadata, "target")}}) +
         Table("Split", "Rows", Scalars(GetObject(lineage, "split_rows"), kMaxMetrics));
}

std::string Training(const json::object& lineage) {
  Rows rows{{"seed", ValueAt(lineage, "seed")}};
  for (const auto& member : GetObject(lineage, "hyperparameters")) {
    if (member.key() != "seed") {
      rows.emplace_back(EscapeMarkdown(member.key()), ShowValue(member.value()));
    }
  }
  return Table("Setting", "Value", rows);
}

std::string Metrics(const ModelVersion& version, const std::vector<Evaluation>& evaluations) {
  std::string text = Table("During training", "Value", Scalars(GetObject(version.metadata, "metrics"), kMaxMetrics));
  for (const auto& evaluation : evaluations) {
    text += "On the " + EscapeMarkdown(evaluation.split) + " split of " + EscapeMarkdown(evaluation.dataset_name) +
            "@" + std::to_string(evaluation.dataset_version) + " (" + evaluation.id + ", " +
            ShowTime(evaluation.created_ms) + "):\n\n" +
            Table("Metric", "Value", Scalars(evaluation.metrics, kMaxMetrics));
  }
  return text.empty() ? "Not evaluated yet.\n\n" : text;
}

std::string Labels(const ModelVersion& version) {
  const auto* labels = version.metadata.if_contains("labels");
  if (labels == nullptr || !labels->is_array() || labels->get_array().empty()) {
    return "";
  }
  const auto& array = labels->get_array();
  std::string text;
  for (size_t i = 0; i < std::min(array.size(), kMaxLabels); ++i) {
    text += std::to_string(i) + ". " + ShowValue(array[i]) + "\n";
  }
  if (array.size() > kMaxLabels) {
    text += "\nand " + std::to_string(array.size() - kMaxLabels) + " more.\n";
  }
  return text + "\n";
}

// Each input and output as "name: type [shape]", or whatever the signature says.
std::string Signature(const ModelVersion& version) {
  Rows rows;
  for (const auto& member : GetObject(version.metadata, "signature")) {
    rows.emplace_back(EscapeMarkdown(member.key()), ShowValue(member.value()));
  }
  return Table("Signature", "", rows);
}

std::string Lineage(const ModelVersion& version, const json::object& lineage) {
  std::string job = ValueAt(lineage, "job_id");
  return Table("Made from", "",
               {{"Model", version.model_id},
                {"Job", version.job_id.empty() ? job : EscapeMarkdown(version.job_id)},
                {"Code version", ValueAt(lineage, "code_version")},
                {"Base model", ValueAt(lineage, "base_model")},
                {"Data set", EscapeMarkdown(DatasetOf(lineage))},
                {"Seed", ValueAt(lineage, "seed")}});
}

std::string Files(const ModelVersion& version) {
  std::string text;
  for (const auto& [name, blob] : version.files) {
    text += "| " + EscapeMarkdown(name) + " | " + ShowBytes(blob.size) + " | `" + blob.sha256 + "` |\n";
  }
  return text.empty() ? "" : "| File | Size | SHA-256 |\n| --- | ---: | --- |\n" + text + "\n";
}

// The command that asks the deployed model.
std::string Ask(const ModelVersion& version) {
  const std::string task = GetString(version.metadata, "task");
  const std::string& name = version.model_name;
  if (task == "text-generation") {
    return "atelier chat " + name;
  }
  return task == "feature-extraction" ? "atelier embed " + name + " TEXT" : "atelier predict " + name + " INPUT";
}

std::string Use(const ModelVersion& version) {
  const std::string reference = version.model_name + "@" + std::to_string(version.version);
  return "```sh\natelier deploy " + reference + " --as " + version.model_name + "\n" + Ask(version) +
         "\natelier model download " + reference + "\n```\n";
}

}  // namespace

std::string ModelCard(const ModelVersion& version, const std::vector<Evaluation>& evaluations) {
  const json::object& nested = GetObject(version.metadata, "lineage");
  const json::object& lineage = nested.empty() ? version.metadata : nested;
  return FrontMatter(version, lineage) + Summary(version, lineage) +
         Section("Evaluation", Metrics(version, evaluations)) + Section("Data", Data(version, lineage)) +
         Section("Training", Training(lineage)) + Section("Labels", Labels(version)) +
         Section("Inputs and outputs", Signature(version)) + Section("Lineage", Lineage(version, lineage)) +
         Section("Files", Files(version)) + Section("Use", Use(version));
}

}  // namespace atelier::registry
