#include "data/steps/rank_cuts.h"

namespace atelier::data::steps {

json::array RankCuts::ToJson() const {
  json::array out;
  for (const auto& [stratum, keys] : strata_) {
    json::array list;
    for (const RankKey& key : keys) {
      list.push_back(json::array(key.begin(), key.end()));
    }
    out.push_back(json::object{{"stratum", stratum}, {"cuts", std::move(list)}});
  }
  return out;
}

Result<RankCuts> RankCuts::FromJson(const json::value& value) {
  RankCuts out;
  boost::system::error_code code;
  const json::array* strata = value.if_array();
  for (size_t i = 0; strata != nullptr && i < strata->size(); ++i) {
    const json::object* item = (*strata)[i].if_object();
    const json::value* cuts = item == nullptr ? nullptr : item->if_contains("cuts");
    if (cuts == nullptr || !cuts->is_array()) {
      return DataLoss("the cuts of a step are damaged");
    }
    const auto stratum = static_cast<int32_t>(GetInt(*item, "stratum"));
    for (const json::value& words : cuts->get_array()) {
      RankKey key{};
      if (!words.is_array() || words.get_array().size() != key.size()) {
        return DataLoss("the cuts of a step are damaged");
      }
      for (size_t word = 0; word < key.size(); ++word) {
        key.at(word) = words.get_array()[word].to_number<uint64_t>(code);
      }
      out.Add(stratum, key);
    }
  }
  return strata == nullptr || code ? Result<RankCuts>(DataLoss("the cuts of a step are damaged")) : Result(out);
}

}  // namespace atelier::data::steps
