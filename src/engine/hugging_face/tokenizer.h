// The tokeniser of a folder, as keys tokenizer.* of GGUF.
#pragma once

#include <cstdint>

#include "base/json.h"
#include "base/result.h"
#include "engine/formats/memory_file.h"
#include "engine/hugging_face/folder.h"

namespace atelier::engine::hugging_face {

// Sets tokenizer.ggml.*, tokenizer.chat_template and, with the whole of tokenizer.json, tokenizer.huggingface.json.
// Reads tokenizer.json, or else vocab.txt (WordPiece) or vocab.json with merges.txt (BPE); tokenizer_config.json,
// special_tokens_map.json, generation_config.json, chat_template.jinja, chat_template.json and the ids in `config`.
// `vocabulary`: rows of the token embeddings; tokens beyond them are left out, missing ones are "[PAD<id>]". Errors:
// kInvalidArgument "invalid_tokenizer" or "invalid_json", naming the file and key; those of text::ReadTokenizerJson.
Status TokenizerToMetadata(const Folder& folder, const json::object& config, int64_t vocabulary, MemoryFile& to);

}  // namespace atelier::engine::hugging_face
