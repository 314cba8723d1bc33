#include "engine/grammar/numbers.h"

#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/grammar/regex.h"

namespace atelier::engine::grammar {
namespace {

constexpr uint64_t kMaxModulus = 20'000;

Decimal FromDigits(std::string_view text) {
  Decimal out;
  if (!text.empty() && text.front() == '-') {
    out.negative = true;
    text.remove_prefix(1);
  }
  const size_t point = text.find('.');
  out.whole = std::string(text.substr(0, point));
  out.fraction = point == std::string_view::npos ? "" : std::string(text.substr(point + 1));
  const size_t first = out.whole.find_first_not_of('0');
  out.whole = first == std::string::npos ? "0" : out.whole.substr(first);
  const size_t last = out.fraction.find_last_not_of('0');
  out.fraction = last == std::string::npos ? "" : out.fraction.substr(0, last + 1);
  out.negative = out.negative && !out.zero();
  return out;
}

// Automata over the characters of plain decimals, built row by row.
class Table {
 public:
  static constexpr size_t kMinus = 10, kPoint = 11, kSymbols = 12;  // after the digits
  using Row = std::array<int32_t, kSymbols>;

  int32_t Add(bool accepting) {
    Row row;
    row.fill(Dfa::kDead);
    rows_.push_back(row);
    accepting_.push_back(accepting ? 1 : 0);
    return static_cast<int32_t>(rows_.size()) - 1;
  }
  Row& At(int32_t state) { return rows_[static_cast<size_t>(state)]; }

  Dfa Build() const {
    Dfa dfa;
    // Classes: below '-', '-', '.', '/', the ten digits, above.
    dfa.starts = {0, '-', '.', '/', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '9' + 1};
    for (size_t i = 0; i < rows_.size(); ++i) {
      const Row& row = rows_[i];
      dfa.next.insert(dfa.next.end(), {Dfa::kDead, row[kMinus], row[kPoint], Dfa::kDead});
      dfa.next.insert(dfa.next.end(), row.begin(), row.begin() + 10);
      dfa.next.push_back(Dfa::kDead);
      dfa.accepting.push_back(accepting_[i]);
    }
    return Trimmed(std::move(dfa));
  }

 private:
  std::vector<Row> rows_;
  std::vector<uint8_t> accepting_;
};

// Adds the states that compare a text without sign with a bound without sign.
class Comparator {
 public:
  Comparator(Table& table, const Decimal& bound, Comparison comparison)
      : table_(table), bound_(bound), comparison_(comparison) {}

  // The state before the first digit.
  int32_t Build() {
    const int32_t less = Fraction(comparison_.less);
    const int32_t greater = Fraction(comparison_.greater);
    const int32_t equal = FractionOf(0, less, greater);
    const int32_t longer = WholeTail(comparison_.greater, greater);
    const std::array<Order, 3> orders{
        {{comparison_.less, less}, {EqualAtPoint(), equal}, {comparison_.greater, greater}}};
    // Backwards: after `i` digits with an order so far.
    const size_t size = bound_.whole.size();
    std::array<int32_t, 3> next{};
    for (size_t i = size + 1; i-- > 1;) {
      std::array<int32_t, 3> here{};
      for (size_t order = 0; order < 3; ++order) {
        const Order& whole = i == size ? orders.at(order) : orders[0];
        here.at(order) = table_.Add(whole.accepting);
        Point(here.at(order), whole.fraction);
        for (size_t digit = 0; digit < 10; ++digit) {
          table_.At(here.at(order))[digit] = i == size ? longer : next.at(Compare(order, digit, i));
        }
      }
      next = here;
    }
    return FirstDigit(next, orders);
  }

 private:
  struct Order {
    bool accepting;
    int32_t fraction;  // state after the point
  };
  enum : size_t { kLess = 0, kEqual = 1, kGreater = 2 };

  bool EqualAtPoint() const { return bound_.fraction.empty() ? comparison_.equal : comparison_.less; }
  size_t Compare(size_t order, size_t digit, size_t i) const {
    const auto due = static_cast<size_t>(bound_.whole[i] - '0');
    return order != kEqual ? order : digit < due ? kLess : digit == due ? kEqual : kGreater;
  }
  void Point(int32_t from, int32_t fraction) { table_.At(from)[Table::kPoint] = fraction; }
  // After the point where the order is decided: at least one digit.
  int32_t Fraction(bool accepting) {
    const int32_t first = table_.Add(false);
    const int32_t rest = table_.Add(accepting);
    for (size_t digit = 0; digit < 10; ++digit) {
      table_.At(first)[digit] = rest;
      table_.At(rest)[digit] = rest;
    }
    return first;
  }
  int32_t WholeTail(bool accepting, int32_t fraction) {
    const int32_t state = table_.Add(accepting);
    Point(state, fraction);
    for (size_t digit = 0; digit < 10; ++digit) {
      table_.At(state)[digit] = state;
    }
    return state;
  }
  // After the point and `i` digits that equal the bound's.
  int32_t FractionOf(size_t i, int32_t less, int32_t greater) {
    // The states of a decided fraction after its first digit are those that its first state leads to.
    const int32_t below = table_.At(less)[0];
    const int32_t above = table_.At(greater)[0];
    const size_t size = bound_.fraction.size();
    int32_t next = table_.Add(comparison_.equal);
    for (size_t digit = 0; digit < 10; ++digit) {
      table_.At(next)[digit] = digit == 0 ? next : above;
    }
    if (size == 0) {  // a digit must follow the point
      const int32_t first = table_.Add(false);
      table_.At(first) = table_.At(next);
      return first;
    }
    for (size_t at = size; at-- > i;) {
      const int32_t here = table_.Add(at > 0 && comparison_.less);
      const auto due = static_cast<size_t>(bound_.fraction[at] - '0');
      for (size_t digit = 0; digit < 10; ++digit) {
        table_.At(here)[digit] = digit < due ? below : digit > due ? above : next;
      }
      next = here;
    }
    return next;
  }
  int32_t FirstDigit(const std::array<int32_t, 3>& after_one, const std::array<Order, 3>& orders) {
    const int32_t first = table_.Add(false);
    for (size_t digit = 1; digit < 10; ++digit) {
      table_.At(first)[digit] = after_one.at(Compare(kEqual, digit, 0));
    }
    // A leading zero is the whole part.
    const Order& zero = bound_.whole == "0" ? orders[kEqual] : orders[kLess];
    const int32_t alone = table_.Add(zero.accepting);
    Point(alone, zero.fraction);
    table_.At(first)[0] = alone;
    return first;
  }

  Table& table_;
  const Decimal& bound_;
  Comparison comparison_;
};

// Residues of the digits so far, `scale` digits after the point counted in.
class Divider {
 public:
  Divider(uint64_t modulus, size_t scale, bool multiple) : modulus_(modulus), scale_(scale), multiple_(multiple) {}

  Dfa Build() {
    const int32_t start = table_.Add(false);
    const int32_t minus = table_.Add(false);
    const int32_t broken_first = multiple_ ? Dfa::kDead : table_.Add(true);
    for (size_t digit = 0; digit < 10 && !multiple_; ++digit) {
      table_.At(broken_first)[digit] = broken_first;
    }
    broken_ = broken_first;
    for (uint64_t residue = 0; residue < modulus_; ++residue) {
      whole_.push_back(table_.Add(Belongs(residue, 0)));
    }
    const int32_t zero = table_.Add(Belongs(0, 0));
    BuildFractions();
    for (uint64_t residue = 0; residue < modulus_; ++residue) {
      for (uint64_t digit = 0; digit < 10; ++digit) {
        table_.At(whole_[residue])[digit] = whole_[(residue * 10 + digit) % modulus_];
      }
      table_.At(whole_[residue])[Table::kPoint] = points_[residue];
    }
    table_.At(zero)[Table::kPoint] = points_[0];
    table_.At(start)[Table::kMinus] = minus;
    for (const int32_t state : {start, minus}) {
      table_.At(state)[0] = zero;
      for (size_t digit = 1; digit < 10; ++digit) {
        table_.At(state)[digit] = whole_[digit % modulus_];
      }
    }
    return table_.Build();
  }

 private:
  bool Belongs(uint64_t residue, size_t digits) const {
    for (; digits < scale_; ++digits) {
      residue = residue * 10 % modulus_;
    }
    return (residue == 0) == multiple_;
  }
  // fractions[f][r]: after f digits behind the point.
  void BuildFractions() {
    std::vector<int32_t> later;
    for (size_t digits = scale_ + 1; digits-- > 0;) {
      std::vector<int32_t> here;
      for (uint64_t residue = 0; residue < modulus_; ++residue) {
        here.push_back(table_.Add(digits > 0 && Belongs(residue, digits)));
      }
      LinkFractions(digits, here, later);
      later = std::move(here);
    }
    points_ = later;
    if (scale_ == 0) {  // the point needs a digit: the linked rows lead to states of their own
      std::vector<int32_t> zeros;
      for (uint64_t residue = 0; residue < modulus_; ++residue) {
        zeros.push_back(table_.Add(Belongs(residue, 0)));
        table_.At(zeros.back()) = table_.At(points_[residue]);
        table_.At(zeros.back())[0] = zeros.back();
        table_.At(points_[residue])[0] = zeros.back();
      }
    }
  }
  void LinkFractions(size_t digits, const std::vector<int32_t>& here, const std::vector<int32_t>& later) {
    for (uint64_t residue = 0; residue < modulus_; ++residue) {
      auto& row = table_.At(here[residue]);
      for (uint64_t digit = 0; digit < 10; ++digit) {
        if (digits == scale_) {
          row[digit] = digit == 0 ? here[residue] : broken_;
        } else {
          row[digit] = later[(residue * 10 + digit) % modulus_];
        }
      }
    }
  }

  uint64_t modulus_;
  size_t scale_;
  bool multiple_;
  Table table_;
  int32_t broken_ = Dfa::kDead;
  std::vector<int32_t> whole_, points_;
};

}  // namespace

std::optional<Decimal> ToDecimal(const json::value& value) {
  if (value.is_int64()) {
    return FromDigits(std::to_string(value.get_int64()));
  }
  if (value.is_uint64()) {
    return FromDigits(std::to_string(value.get_uint64()));
  }
  if (!value.is_double() || !std::isfinite(value.get_double())) {
    return std::nullopt;
  }
  std::array<char, 1200> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value.get_double(), std::chars_format::fixed);
  return FromDigits(std::string_view(buffer.data(), static_cast<size_t>(end.ptr - buffer.data())));
}

Result<Dfa> AnyNumber(Budget& budget) {
  return CompileRegex(R"(-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?([0-9]{1,2}|[12][0-9]{2}))?)", RegexMatch::kWhole,
                      budget);
}

Result<Dfa> AnyInteger(Budget& budget) {
  return CompileRegex(R"(-?(0|[1-9][0-9]*)(\.0)?)", RegexMatch::kWhole, budget);
}

Result<Dfa> AnyWholeNumber(Budget& budget) { return CompileRegex("-?(0|[1-9][0-9]*)", RegexMatch::kWhole, budget); }

Result<Dfa> Compared(const Decimal& bound, Comparison comparison, Budget& budget) {
  if (!budget.Spend(100 * (bound.whole.size() + bound.fraction.size()))) {
    return TooComplex("a bound of a number");
  }
  Table table;
  const int32_t start = table.Add(false);
  const int32_t minus = table.Add(false);
  // -x compares with -b as b with x, and a number compares with one of the other sign by the sign alone.
  const Comparison reversed{comparison.greater, comparison.equal, comparison.less};
  const Comparison below{comparison.less, comparison.less, comparison.less};
  const Comparison above{comparison.greater, comparison.greater, comparison.greater};
  const bool zero = bound.zero();
  const int32_t positive = Comparator(table, bound, bound.negative ? above : comparison).Build();
  const int32_t negative = Comparator(table, bound, bound.negative || zero ? reversed : below).Build();
  table.At(start) = table.At(positive);
  table.At(start)[Table::kMinus] = minus;
  table.At(minus) = table.At(negative);
  return table.Build();
}

Result<std::optional<Dfa>> Multiples(const Decimal& step, bool multiple, Budget& budget) {
  const std::string digits = step.whole + step.fraction;
  uint64_t modulus = 0;
  for (const char digit : digits) {
    modulus = modulus * 10 + static_cast<uint64_t>(digit - '0');
    if (modulus > kMaxModulus) {
      return std::optional<Dfa>();
    }
  }
  const uint64_t cells = modulus * (step.fraction.size() + 3) * Table::kSymbols;
  if (modulus == 0 || step.fraction.size() > 12) {
    return std::optional<Dfa>();
  }
  if (!budget.Spend(cells) || !budget.SpendCells(cells)) {
    return TooComplex("a multiple");
  }
  return std::optional<Dfa>(Divider(modulus, step.fraction.size(), multiple).Build());
}

}  // namespace atelier::engine::grammar
