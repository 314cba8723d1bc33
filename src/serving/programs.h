// Which program serves a model version, by the family in its metadata.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "registry/registry.h"
#include "serving/launcher.h"

namespace atelier::serving {

inline constexpr std::string_view kGenerativeFamily = "llm";
inline constexpr std::string_view kAdapterFamily = "llm-adapter";  // no program serves one alone

struct WorkerProgram {
  std::string_view family;  // empty: all others
  std::string_view name;    // beside the gateway's own
  // Its arguments but for --model and --socket.
  std::vector<std::string> (*arguments)(const WorkerSpec& spec);
  // Instances or requests that may be under way to it.
  int (*max_under_way)(const WorkerSpec& spec);
};

const WorkerProgram& ProgramOf(const registry::ModelVersion& model);

}  // namespace atelier::serving
