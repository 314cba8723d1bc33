#include "engine/service/speculation/speculation.h"

#include <algorithm>

namespace atelier::engine {
namespace {

constexpr size_t kMostDrafts = 15;            // of one answer in one step
constexpr size_t kMatch = 3, kLongMatch = 6;  // tokens
constexpr uint64_t kPlainStep = 128;          // each such step has no drafts, so that its cost is known
constexpr double kGuessedPass = 0.3;          // of a model's pass, beside a step's first row

bool IsDecoded(const ScheduledItem& item) { return item.choice->task.prompt_done && item.item.tokens.size() == 1; }

DraftSource SourceOf(const NgramIndex::Match& match) {
  return match.length >= kLongMatch ? DraftSource::kLongMatch
         : match.length >= kMatch   ? DraftSource::kMatch
                                    : DraftSource::kShortMatch;
}

// Finds where the answer's drafts are copied from: what was predicted, or else what followed its last tokens before.
void Look(Drafting& drafting) {
  if (drafting.cursor && drafting.cursor->foreseen() > 0) {
    drafting.text = &drafting.cursor->prediction();
    drafting.next = drafting.cursor->next();
    drafting.source = DraftSource::kPrediction;
    return;
  }
  const NgramIndex::Match match = drafting.seen.FindEnd();
  drafting.text = match.length > 0 ? &drafting.seen : nullptr;
  drafting.next = match.next;
  drafting.source = SourceOf(match);
}

}  // namespace

DraftOffer Speculation::Offer(const ScheduledItem& item) {
  Choice& choice = *item.choice;
  Drafting& drafting = choice.drafting;
  const int32_t left = choice.task.prepared->max_tokens - choice.answer.tokens() - 1;
  if (!IsDecoded(item) || left <= 0) {
    return {};
  }
  DraftOffer offer{0, std::min(kMostDrafts, static_cast<size_t>(left)), false};
  drafting.text = nullptr;
  if (mode_ != SpeculationMode::kModel) {
    drafting.seen.Append(std::span(choice.history).subspan(drafting.seen.tokens().size()));
    Look(drafting);
  }
  if (drafting.text != nullptr && drafting.source == DraftSource::kPrediction) {
    offer.most = std::min(offer.most, drafting.cursor->foreseen());
  }
  const bool trusted = drafting.text != nullptr && drafting.source != DraftSource::kShortMatch;
  if (model_ != nullptr && mode_ != SpeculationMode::kLookup && !trusted && model_->Holds(choice.history.size())) {
    drafting.text = nullptr;
    drafting.source = DraftSource::kModel;
    offer.by_model = true;
  } else if (drafting.text == nullptr) {
    return {};
  }
  offer.rate = drafting.Rate(drafting.source).now();
  return offer;
}

void Speculation::Extend(std::span<ScheduledItem> items) {
  const bool plain = measures() && (++steps_ % kPlainStep == 0 || !std::ranges::all_of(items, IsDecoded));
  if (mode_ == SpeculationMode::kOff || plain || items.size() >= StepCosts::kMostRows) {
    return;
  }
  std::vector<DraftOffer> offers;
  for (const ScheduledItem& item : items) {
    offers.push_back(Offer(item));
  }
  double pass = 0;
  if (model_ != nullptr && measures()) {
    pass = model_->pass_ns() > 0 && costs_.known() ? model_->pass_ns() : kGuessedPass * costs_.Of(1);
  }
  const auto lengths = ChooseLengths(offers, costs_, pass);
  for (size_t i = 0; i < items.size(); ++i) {
    if (offers[i].most > 0 && lengths[i] == 0) {
      Drafting& drafting = items[i].choice->drafting;
      drafting.Rate(drafting.source).Fade();
    }
  }
  Fill(items, lengths);
}

void Speculation::Fill(std::span<ScheduledItem> items, std::span<const size_t> lengths) {
  std::vector<DraftModel::Wish> wishes;
  for (size_t i = 0; i < items.size(); ++i) {
    Drafting& drafting = items[i].choice->drafting;
    drafting.tokens.assign(1, items[i].choice->history.back());
    if (lengths[i] > 0 && drafting.text != nullptr) {
      drafting.text->Copy(drafting.next, lengths[i], drafting.tokens);
    } else if (lengths[i] > 0) {
      wishes.push_back({items[i].choice, lengths[i]});
    }
  }
  if (!wishes.empty()) {
    model_->Draft(wishes);
  }
  for (ScheduledItem& item : items) {
    const std::vector<int32_t>& tokens = item.choice->drafting.tokens;
    if (tokens.size() > 1 && cache_.Reserve(*item.choice->sequence, tokens.size()).ok()) {
      item.drafts = tokens.size() - 1;
      item.item.tokens = tokens;
      item.item.output_from = 0;
      item.item.unsure = item.drafts;
    }
  }
}

void Speculation::NoteStep(std::span<const ScheduledItem> items, int64_t ns) {
  size_t rows = 0;
  for (const ScheduledItem& item : items) {
    if (!item.choice->task.prompt_done || item.item.tokens.size() != item.drafts + 1) {
      return;
    }
    rows += item.item.tokens.size();
  }
  if (measures()) {
    costs_.Note(rows, ns);
  }
}

void Speculation::NoteDrawn(const ScheduledItem& item, size_t accepted) {
  Drafting& drafting = item.choice->drafting;
  drafting.Rate(drafting.source).Note(item.drafts, accepted);
  GenerationUsage& usage = item.choice->task.usage;
  ++usage.drafts;
  usage.draft_tokens += static_cast<int32_t>(item.drafts);
  usage.accepted_draft_tokens += static_cast<int32_t>(accepted);
}

}  // namespace atelier::engine
