"""Answers with and without speculation from the prompt: the same text, and how much sooner.

A model of random weights does not copy. Two models that repeat a prompt stand in for one that does:
- of real shape and so of real cost: one whose next token depends on the last one alone. Greedy, it soon walks in a
  circle, so its own text is a prompt that it repeats word by word. Some of the prompt's tokens are changed at random
  (0, 5, 20 %), as an edited text differs from its source: the share of guesses that come true falls.
- a real one, tiny: stories260K, asked to go on with a story that it has told, twice in the prompt.
"""

import concurrent.futures
import os
import pathlib

import servers
from load import random_tokens, rng_of
from models import REPEATING, VOCABULARIES
from report import median, number, ratio

CHANGED = (0.0, 0.05, 0.2)
WALKS, WALK, ANSWER, KEPT = 4, 800, 128, 8
SIDES = {"off": "spec-off", "auto": "spec-on"}
STORY = "Once upon a time"


def complete(ours, name, prompt, tokens):
    """Tokens, text, and the seconds from token to token."""
    body = {"model": name, "prompt": prompt, "max_tokens": tokens, "temperature": 0, "ignore_eos": True,
            "return_token_ids": True}
    timed = {}
    seconds = servers.timed(lambda: timed.update(ours.call("POST", "/v1/completions", body)))
    choice = timed["choices"][0]
    return choice.get("token_ids"), choice["text"], seconds


def deploy(ours, model):
    """False where this server knows no such setting."""
    for setting, name in SIDES.items():
        ours.server.request("DELETE", f"/v1/deployments/{name}")
        answer = ours.server.request("POST", "/v1/deployments", {
            "name": name, "model": model, "settings": {**ours.settings, "max_running": 4, "speculation": setting}})
        if answer.status != 200:
            return False
        ours.wait_ready(name)
    return True


def period_of(tokens):
    """How long ago the last token was there before; then the text has been in a circle since, as it depends on the last
    token alone."""
    return next((i for i in range(1, len(tokens)) if tokens[-1 - i] == tokens[-1]), 0)


def circle_of(ours, rng, vocabulary):
    """A greedy text that repeats itself, and after how many tokens; the longest period of a few texts."""
    starts = [random_tokens(rng, 4, vocabulary) for _ in range(WALKS)]
    with concurrent.futures.ThreadPoolExecutor(WALKS) as pool:
        texts = list(pool.map(lambda start: complete(ours, SIDES["off"], start, WALK)[0], starts))
    periods = [period if period <= WALK - ANSWER else 0 for period in map(period_of, texts)]
    return max(zip(texts, periods), key=lambda found: found[1])


def edited(text, share, rng, vocabulary):
    """With a share of the tokens changed, but for the last few."""
    return [*(random_tokens(rng, 1, vocabulary)[0] if rng.random() < share else token for token in text[:-KEPT]),
            *text[-KEPT:]]


def counted(ours, work):
    """What `work` returns, and the guesses that were made and came true while it ran."""
    names = ("vllm:spec_decode_num_draft_tokens_total", "vllm:spec_decode_num_accepted_tokens_total")
    before = ours.metrics()
    result = work()
    after = ours.metrics()
    return result, [after.get(name, 0) - before.get(name, 0) for name in names]


def compare(ours, prompt, rounds):
    """Seconds of an answer without its prompt's, by side; whether all texts were the same; the share that came true."""
    seconds, texts, guesses = {name: [] for name in SIDES}, set(), [0, 0]
    for name in SIDES.values():  # the prompt's keys and values are found again from here on
        complete(ours, name, prompt, 1)
    for turn in range(rounds):
        for setting in SIDES if turn % 2 == 0 else reversed(SIDES):
            (_, text, took), made = counted(ours, lambda: complete(ours, SIDES[setting], prompt, ANSWER))
            seconds[setting].append(took)
            texts.add(text)
            guesses = [total + more for total, more in zip(guesses, made)]
    return {"seconds": seconds, "same": len(texts) == 1, "guessed": guesses[0], "came_true": guesses[1]}


def row_of(what, figures):
    off, on = (ANSWER / median(figures["seconds"][setting]) for setting in SIDES)
    share = f"{100 * figures['came_true'] / figures['guessed']:.0f} %" if figures["guessed"] else "-"
    return [what, number(off), number(on), ratio(on, off), share, "the same" if figures["same"] else "DIFFERENT"]


def on_circles(arguments, models, ours, report):
    vocabulary = VOCABULARIES[arguments.models[0]]
    for form in arguments.formats:
        shape = arguments.models[0] + REPEATING
        name = servers.model_name(shape, form)
        ours.import_model(name, models.path(shape, form))
        if not deploy(ours, name):
            report.note("this server has no setting `speculation`")
            return
        rng = rng_of("speculation", form)
        text, period = circle_of(ours, rng, vocabulary)
        if period == 0:
            report.note(f"{form}: no greedy text ended in a circle")
            continue
        for share in CHANGED:
            figures = compare(ours, edited(text, share, rng, vocabulary), arguments.rounds)
            report.keep("speculation", {"model": name, "period": period, "changed": share, **figures})
            yield row_of(f"{name}, circle of {period}, {100 * share:.0f} % of the prompt changed", figures)


def on_stories(arguments, ours, report):
    data = os.environ.get("ATELIER_SHARED_DATA")
    folder = pathlib.Path(data or "", "weights", "llama2c_stories260K")
    if not data or not folder.is_dir():
        report.note("stories260K is left out: ATELIER_SHARED_DATA does not name a folder with it")
        return
    ours.import_model("stories", folder)
    ours.settings["context"] = 512
    if deploy(ours, "stories"):
        told = STORY + complete(ours, SIDES["off"], STORY, 120)[1]
        figures = compare(ours, told + " " + told + " " + STORY, arguments.rounds)
        report.keep("speculation", {"model": "stories260K", **figures})
        yield row_of("stories260K, its story twice in the prompt", figures)


def measure_speculation(arguments, models, ours, report):
    settings = dict(ours.settings)
    rows = [*on_circles(arguments, models, ours, report), *on_stories(arguments, ours, report)]
    ours.settings = settings
    for name in SIDES.values():
        ours.server.request("DELETE", f"/v1/deployments/{name}")
    if rows:
        report.table(f"Speculation, {ANSWER} greedy tokens (median of {arguments.rounds})",
                     ["text", "off tokens/s", "auto tokens/s", "ratio", "guesses that came true", "answers"], rows)
