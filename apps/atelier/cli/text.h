// Text for a terminal: how wide it is, what is safe to print, and how numbers are written for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace atelier::cli {

// Columns that UTF-8 text takes on a terminal: two for wide East Asian characters and emoji (Unicode's East Asian Width
// W and F), none for combining marks. Invalid bytes count one each.
int DisplayWidth(std::string_view text);

enum class Lines { kEscape, kKeep };

// Replaces what would steer a terminal or deceive a reader: control characters, C1 controls, bidirectional overrides
// and invalid UTF-8, as "\n", "\x1b" or "\u{202e}". kKeep leaves line feeds and tabs.
std::string Escape(std::string_view text, Lines lines = Lines::kEscape);

// Cuts to at most `width` columns; the last one is then an ellipsis.
std::string Fit(std::string_view text, int width);

std::string HumanBytes(double bytes);         // "1.5 MiB"
std::string HumanDuration(double seconds);    // "0:07", "1:02:03"
std::string HumanTime(int64_t unix_seconds);  // local, "2026-01-31 18:05"; "-" for 0
std::string HumanNumber(double value);        // four significant digits; integers in full
std::string HumanPercent(double fraction);    // "93.4%"

// "[=====>    ]" for a fraction in [0, 1]; `width` is the inner width.
std::string Bar(double fraction, int width);

}  // namespace atelier::cli
