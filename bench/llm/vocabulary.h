// A byte-level vocabulary of any size for models of random weights: the 256 bytes, words behind a space, three control
// tokens at the end. Every beginning of a word is a token, too, so each word is found by its merges.
#pragma once

#include <string>

#include "shapes.h"
#include "tensor/gguf_writer.h"

namespace atelier::bench {

// Adds the keys tokenizer.*: as many tokens as the shape has.
void AddVocabulary(const Shape& shape, tensor::GgufMetadata& metadata);

}  // namespace atelier::bench
