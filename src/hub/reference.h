// What a person writes to say which model.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::hub {

enum class Hub { kHuggingFace, kModelScope, kOllama, kUrl };

struct Reference {
  Hub hub = Hub::kUrl;
  std::string repository;  // "org/name"; Ollama: "namespace/model"
  std::string file;        // a path, or a word for a quantisation ("Q4_K_M"); empty: the best choice
  std::string revision;    // a branch, tag or commit; empty: the hub's default. Ollama: the tag
  std::string host;        // Ollama: another registry than the endpoint's; empty: none
  std::string url;         // of kUrl, without the fragment
  std::string sha256;      // of kUrl, from a fragment "#sha256=..."; empty: not known
};

//   hf:org/name[:file][@revision]   modelscope:org/name[:file][@revision]
//   ollama:[[host/]namespace/]name[:tag]   https://host/path[#sha256=...]
// Names are checked to be single words of a path, files to be relative without "..".
// Errors: kInvalidArgument on `source`.
Result<Reference> ParseReference(std::string_view text);

// A name as Ollama's API has them: name[:tag], namespace/name[:tag], host/namespace/name[:tag], where hf.co,
// huggingface.co and modelscope.cn are those hubs and the tag a quantisation. What ParseReference takes is taken, too.
// Errors: as ParseReference.
Result<Reference> ParseOllamaName(std::string_view name);

// As ParseReference takes it.
std::string ToText(const Reference& reference);

// A name to register the model under: that of the repository or file, with its tag, in the letters of names.
std::string ModelNameOf(const Reference& reference);

// `text` with '-' for every byte that names of models may not have; "model" where nothing is left.
std::string PlainName(std::string_view text);

// Whether `path` is relative, without "..", '\\' and control characters, of at most 512 bytes.
bool IsPlainPath(std::string_view path);

}  // namespace atelier::hub
