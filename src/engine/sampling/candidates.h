// The tokens that may still be drawn, and the steps that make them fewer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace atelier::engine {

// Tokens with their logits, all finite. Every step keeps at least one when there is one; what it keeps is a pure
// function of the candidates (ties: the smaller id counts as likelier). Probabilities are those of softmax over the
// candidates that are left. Keeps its memory between uses. Not thread-safe.
class Candidates {
 public:
  // Starts afresh with all tokens whose logit is more than -infinity, or the `top_k` likeliest of them (top_k <= 0:
  // all).
  void Set(std::span<const float> logits, int32_t top_k);

  // Keeps those whose information content is closest to the entropy, until they hold `p` of the mass (C. Meister et
  // al., "Locally Typical Sampling", arXiv:2202.00666).
  void KeepTypical(float p);
  // Keeps the likeliest until they hold `p` of the mass (A. Holtzman et al., arXiv:1904.09751).
  void KeepTopP(float p);
  // Keeps those that are at least `p` times as likely as the likeliest (M. Nguyen et al., arXiv:2407.01082).
  void KeepMinP(float p);

  // The token in whose share of [0, 1) `uniform` falls, with logits divided by `temperature`, which is more than 0.
  // There must be a candidate.
  int32_t Draw(float temperature, double uniform);

  const std::vector<int32_t>& ids() const { return ids_; }
  const std::vector<float>& logits() const { return logits_; }
  bool empty() const { return ids_.empty(); }

 private:
  float Largest() const;
  // Sets weights_ to exp((logit - largest) / temperature) of each; returns their sum.
  double Weigh(float temperature);
  // Keeps those with the largest `keys` until their weights_ add up to `mass`, in the order that they had.
  void KeepUntil(std::span<const float> keys, double mass);

  std::vector<int32_t> ids_;
  std::vector<float> logits_;
  bool sorted_ = false;         // likeliest first; otherwise by id
  std::vector<float> weights_;  // of the step that is running
  std::vector<float> keys_;
};

}  // namespace atelier::engine
