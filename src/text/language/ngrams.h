// Runs of n words.
#pragma once

#include <string>
#include <vector>

namespace atelier::text::language {

// All runs of `least` to `most` words, joined by one space, the shorter ones first; `least` is at least 1.
std::vector<std::string> NGrams(const std::vector<std::string>& words, size_t least, size_t most);

}  // namespace atelier::text::language
