"""The engine alone beside the peer's benchmark programs: the two take turns within each round."""

import json
import os
import subprocess

from report import load_average, median, number, ratio

PROMPT, ANSWER, DEPTH = 512, 128, 4096
STREAM_PROMPT, STREAM_ANSWER = 128, 64
SECTIONS = ("prefill", "decode", "depth", "batched")


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


class Ours:
    def __init__(self, program):
        self.program = program

    def machine(self, threads):
        return json.loads(run([self.program, "--threads", threads, "--sections", "machine"]))["machine"]

    def measure(self, model, threads, section, sizes):
        command = [self.program, model, "--threads", threads, "--sections", section, "--prompt", sizes.prompt,
                   "--answer", sizes.answer, "--depth", sizes.depth, "--stream-prompt", STREAM_PROMPT,
                   "--stream-answer", sizes.stream_answer, "--streams", ",".join(map(str, sizes.streams))]
        found = json.loads(run(command))
        figures = {"load_s": found["load_s"], **found["sizes"], **{f"memory_{k}": v for k, v in found["memory"].items()}}
        if section == "batched":
            return {**figures, **{f"batched {row['streams']}": row["decode"] for row in found["batched"]}}
        return {**figures, section: found[section]}


class Peer:
    """llama-bench and llama-batched-bench of llama.cpp."""

    def __init__(self, folder):
        self.folder = folder

    def measure(self, model, threads, section, sizes):
        if section == "batched":
            return self.batched(model, threads, sizes)
        tokens = {"prefill": ["-p", sizes.prompt, "-n", 0], "decode": ["-p", 0, "-n", sizes.answer],
                  "depth": ["-p", 0, "-n", sizes.answer, "-d", sizes.depth]}[section]
        out = run([os.path.join(self.folder, "llama-bench"), "-m", model, "-t", threads, "-r", 1, "-o", "json", *tokens])
        return {section: json.loads(out)[0]["avg_ts"]}

    def batched(self, model, threads, sizes):
        context = max(sizes.streams) * (STREAM_PROMPT + sizes.stream_answer)
        out = run([os.path.join(self.folder, "llama-batched-bench"), "-m", model, "-t", threads, "-c", context,
                   "-npp", STREAM_PROMPT, "-ntg", sizes.stream_answer, "-npl", ",".join(map(str, sizes.streams)),
                   "--output-format", "jsonl"])
        rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        return {f"batched {row['pl']}": row["speed_tg"] for row in rows}


def alternate(sides, measure, rounds):
    """{side: {figure: median}} of `rounds` rounds in which the sides take turns, and all single figures."""
    single = {name: [] for name in sides}
    for turn in range(rounds):
        order = list(sides) if turn % 2 == 0 else list(reversed(sides))
        for name in order:
            single[name].append(measure(sides[name]))
    medians = {name: {figure: median([found[figure] for found in all_found]) for figure in all_found[0]}
               for name, all_found in single.items()}
    return medians, single


def share_of_ceiling(figure, ours, machine, sizes):
    """How much of the machine a speed uses: of reading for decoding, of integer products for prompts."""
    if figure == "prefill":
        peak = machine["integer_ops_per_s"]
        share = 2 * ours["layer_weights"] * ours[figure] / peak if peak else 0
        return f"{100 * share:.0f} % of {machine['integer_instructions']}"
    if figure != "decode":
        return ""
    used = ours["step_bytes"] * ours[figure]
    plain, huge = machine["read_bytes_per_s"], machine["read_bytes_per_s_huge_pages"]
    return f"{100 * used / plain:.0f} % of reading ({100 * used / huge:.0f} % with huge pages)"


def measure_engine(arguments, models, ours, peer, report):
    sides = {"ours": ours, **({"peer": peer} if peer else {})}
    for threads in arguments.threads:
        machine = ours.machine(threads)
        report.keep("machine", machine)
        report.note(f"{threads} threads: reads {machine['read_bytes_per_s'] / 1e9:.1f} GB/s "
                    f"({machine['read_bytes_per_s_huge_pages'] / 1e9:.1f} with huge pages), "
                    f"{machine['integer_ops_per_s'] / 1e12:.2f} TOPS of {machine['integer_instructions']}; "
                    f"load average {load_average()}")
        for shape in arguments.models:
            rows = []
            for form in arguments.formats:
                model = models.path(shape, form)
                for section in [name for name in SECTIONS if name in arguments.section]:
                    medians, single = alternate(
                        sides, lambda side: side.measure(model, threads, section, arguments.sizes), arguments.rounds)
                    report.keep("engine", {"model": shape, "format": form, "threads": threads, "section": section,
                                           "rounds": single})
                    rows += engine_rows(form, section, medians, machine, arguments.sizes)
            report.table(f"{shape}, {threads} threads, tokens/s (median of {arguments.rounds})",
                         ["format", "what", "ours", "peer", "ratio", "of the machine"], rows)


def engine_rows(form, section, medians, machine, sizes):
    names = {"prefill": f"prompt of {sizes.prompt}", "decode": f"{sizes.answer} new, one stream",
             "depth": f"{sizes.answer} new behind {sizes.depth}"}
    figures = [name for name in medians["ours"] if name == section or name.startswith("batched ")]
    for figure in figures:
        mine, theirs = medians["ours"][figure], medians.get("peer", {}).get(figure)
        what = names.get(figure, f"{figure.split()[-1]} streams, {STREAM_PROMPT} + {sizes.stream_answer}")
        yield [form, what, number(mine), number(theirs), ratio(mine, theirs),
               share_of_ceiling(figure, medians["ours"], machine, sizes)]
