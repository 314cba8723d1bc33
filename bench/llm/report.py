"""Medians and tables."""

import json
import os
import statistics


class Report:
    """Prints tables in Markdown as they are done, and keeps all figures of all rounds."""

    def __init__(self, path):
        self.path = path
        self.sections = {}

    def table(self, title, columns, rows):
        print(f"\n### {title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)
        for row in rows:
            print(f"| {' | '.join(row)} |", flush=True)

    def note(self, text):
        print(f"\n{text}", flush=True)

    def keep(self, section, figures):
        """Writes the file again, so that an end in between loses nothing."""
        self.sections.setdefault(section, []).append(figures)
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(self.sections, file, indent=1)


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def percentile(values, share):
    """The smallest value that `share` of all do not exceed."""
    values = sorted(values)
    return values[min(int(share * len(values)), len(values) - 1)] if values else None


def number(value, digits=3):
    """With about as many digits as it deserves."""
    if value is None:
        return "-"
    if value == 0 or abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    return f"{value:.{digits - max(whole, 1)}f}"


def ratio(ours, peers):
    return f"{ours / peers:.2f}x" if ours and peers else "-"


def load_average():
    return f"{os.getloadavg()[0]:.1f}"
