// Dividing rows by their rank: of each stratum so many of the smallest keys, then so many of the next, and so on. With
// a row's hash as its key that is a draw without replacement of an exact size; with a group's hash, no group is
// divided; with a time, it is an order of time. What is kept are the keys at the cuts, so that a row's section follows
// from the row alone, in any later pass.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "data/steps/spill.h"

namespace atelier::data::steps {

// Compared word by word; unused words are 0.
using RankKey = std::array<uint64_t, 4>;

class RankCuts {
 public:
  // Of how many cuts the key is at or behind: 0 for the first section. A stratum that is not known has none.
  size_t Section(int32_t stratum, const RankKey& key) const {
    const auto found = strata_.find(stratum);
    size_t section = 0;
    while (found != strata_.end() && section < found->second.size() && !(key < found->second[section])) {
      ++section;
    }
    return section;
  }

  void Add(int32_t stratum, const RankKey& key) { strata_[stratum].push_back(key); }
  json::array ToJson() const;
  static Result<RankCuts> FromJson(const json::value& value);

 private:
  std::map<int32_t, std::vector<RankKey>> strata_;
};

// Not thread-safe. With `Words` words of the key in use; fewer take less disk.
template <size_t Words>
class RankCutter {
 public:
  RankCutter(std::filesystem::path file, uint64_t memory_bytes) : spill_(std::move(file), memory_bytes) {}

  Status Add(int32_t stratum, const RankKey& key) {
    ++counts_[stratum];
    Record record{.key = {}, .stratum = stratum};
    std::copy_n(key.begin(), Words, record.key.begin());
    return spill_.Add(record);
  }

  const std::map<int32_t, int64_t>& counts() const { return counts_; }

  // `ranks` gives the cuts of a stratum, ascending; one at its size or beyond is behind every row.
  Result<RankCuts> Cut(const std::function<std::vector<int64_t>(int32_t stratum, int64_t rows)>& ranks) {
    RankCuts cuts;
    std::vector<int64_t> wanted;
    int64_t rank = 0;
    size_t next = 0;
    bool any = false;
    int32_t stratum = 0;
    ATELIER_TRY(spill_.ForEach([&](const Record& record) -> Status {
      if (!any || record.stratum != stratum) {
        any = true;
        stratum = record.stratum;
        wanted = ranks(stratum, counts_.at(stratum));
        rank = 0;
        next = 0;
      }
      for (; next < wanted.size() && wanted[next] <= rank; ++next) {
        RankKey key{};
        std::copy_n(record.key.begin(), Words, key.begin());
        cuts.Add(stratum, key);
      }
      ++rank;
      return {};
    }));
    return cuts;
  }

 private:
  struct Record {
    std::array<uint64_t, Words> key;
    int32_t stratum;
    bool operator<(const Record& other) const {
      return stratum != other.stratum ? stratum < other.stratum : key < other.key;
    }
  };

  Spill<Record> spill_;
  std::map<int32_t, int64_t> counts_;
};

}  // namespace atelier::data::steps
