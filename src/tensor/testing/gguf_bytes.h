// GGUF files put together by hand, so that tests can break each part of one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::tensor::testing {

template <class T>
std::string Raw(T number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

inline std::string Str(std::string_view text) { return Raw<uint64_t>(text.size()) + std::string(text); }

// A key: name, type, value as it lies in the file.
inline std::string Key(std::string_view name, uint32_t type, const std::string& value) {
  return Str(name) + Raw(type) + value;
}
inline std::string ArrayOf(uint32_t type, uint64_t count, const std::string& items) {
  return Raw(type) + Raw(count) + items;
}

// A tensor: dimensions in the file's order.
inline std::string Info(std::string_view name, const std::vector<uint64_t>& dimensions, uint32_t type,
                        uint64_t offset) {
  std::string out = Str(name) + Raw<uint32_t>(static_cast<uint32_t>(dimensions.size()));
  for (const uint64_t dimension : dimensions) {
    out += Raw(dimension);
  }
  return out + Raw(type) + Raw(offset);
}

// A small good file: keys of every kind; tensor "a" of F32 [2, 4] and "b" of Q4_0 [2, 32]. Every part may be replaced.
struct GgufBytes {
  std::string magic = "GGUF";
  uint32_t version = 3;
  uint64_t tensor_count = 2;
  uint64_t key_count = 7;
  std::string keys = Key("general.architecture", 8, Str("tiny")) + Key("general.alignment", 4, Raw<uint32_t>(32)) +
                     Key("tiny.block_count", 4, Raw<uint32_t>(2)) + Key("tiny.epsilon", 6, Raw(0.5F)) +
                     Key("tiny.causal", 7, Raw<uint8_t>(1)) + Key("tokens", 9, ArrayOf(8, 2, Str("x") + Str("yz"))) +
                     Key("scores", 9, ArrayOf(6, 2, Raw(-1.0F) + Raw(2.0F)));
  std::string infos = Info("a", {4, 2}, 0, 0) + Info("b", {32, 2}, 2, 32);
  std::string data = std::string(32, '\1') + std::string(36, '\2');
  std::string padding = std::string(28, '\0');

  // With one more key or tensor.
  GgufBytes& AddKey(const std::string& key) {
    keys += key;
    ++key_count;
    return *this;
  }
  GgufBytes& SetInfos(const std::string& text, uint64_t count) {
    infos = text;
    tensor_count = count;
    return *this;
  }

  std::string Header() const {
    std::string out = magic + Raw(version) + Raw(tensor_count) + Raw(key_count) + keys + infos;
    out.resize((out.size() + 31) / 32 * 32);
    return out;
  }
  std::string All() const { return Header() + data + padding; }
};

}  // namespace atelier::tensor::testing
