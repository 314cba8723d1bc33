#!/usr/bin/env python3
"""Writes src/text/language/profiles/*.cpp: the most common trigrams of letters of each language, most common first.

usage: tools/language_profiles.py FOLDER...   with FOLDER/CODE.txt of running text for each language; folders count alike.
The profiles in the tree were made from the Universal Declaration of Human Rights and from Debian's translated messages.
"""
import collections
import pathlib
import re
import sys

TOP = 700
SAMPLE = 600_000  # characters of a file
GROUPS = {
    "west": ["en", "de", "fr", "es", "it", "pt", "nl", "sv", "da"],
    "latin": ["nb", "fi", "pl", "cs", "sk", "hu", "ro", "tr", "vi", "id"],
    "other": ["ru", "uk", "bg", "ar", "fa", "ur"],
}
TARGET = pathlib.Path(__file__).resolve().parent.parent / "src/text/language/profiles"


def trigrams(text):
    counts = collections.Counter()
    for word in re.findall(r"[^\W\d_]+", text.lower()):
        padded = f" {word} "
        counts.update(padded[i:i + 3] for i in range(len(padded) - 2))
    return counts


def profile(code, folders):
    shares = collections.Counter()
    for folder in folders:
        path = pathlib.Path(folder) / f"{code}.txt"
        text = path.read_text(encoding="utf-8")[:SAMPLE] if path.exists() else ""
        counts = trigrams(text)
        total = sum(counts.values())
        if total > 5000:
            for gram, count in counts.items():
                shares[gram] += count / total
    return "".join(gram for gram, _ in sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:TOP])


def main():
    TARGET.mkdir(exist_ok=True)
    for group, codes in GROUPS.items():
        lines = ["// Made by tools/language_profiles.py.", '#include "text/language/profiles/profiles.h"', "",
                 "namespace atelier::text::language {", ""]
        for code in codes:
            text = profile(code, sys.argv[1:])
            lines.append(f"const std::string_view kProfile{code.capitalize()} =")
            rows = [text[i:i + 108] for i in range(0, len(text), 108)]
            lines += [f'    "{row}"' for row in rows[:-1]] + [f'    "{rows[-1]}";', ""]
        lines.append("}  // namespace atelier::text::language")
        (TARGET / f"{group}.cpp").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
