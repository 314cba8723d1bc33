"""Both servers under the same clients, in turn."""

import asyncio
import dataclasses
import typing

import servers
from load import ask, prompts_of, random_tokens, rng_of, run_clients
from models import VOCABULARIES
from report import load_average, median, number, ratio

PREFIX, LONG, LONG_AFTER_S = 1000, 1500, 1.0
NAME = "bench"
SCHEMA = {"type": "array", "minItems": 40, "items": {
    "type": "object", "additionalProperties": False, "required": ["name", "count", "good"],
    "properties": {"name": {"type": "string", "maxLength": 12}, "count": {"type": "integer", "minimum": 0, "maximum": 999},
                   "good": {"type": "boolean"}}}}


@dataclasses.dataclass
class Context:
    """What a case may ask: one server in one round."""

    side: object
    target: object
    rng: object  # alike for both sides
    vocabulary: int
    kept: dict  # from case to case within the round and side


@dataclasses.dataclass
class Case:
    name: str
    slots: int
    run: typing.Callable


def clients(count, turns, **fields):
    def run(context):
        prompts = prompts_of(context.rng, context.vocabulary, count, turns, 128)
        return run_clients(context.target, prompts, 64, fields)[0]
    return run


def with_schema(count, turns):
    def run(context):
        fields = {**context.side.schema(SCHEMA), "ignore_eos": None}
        prompts = prompts_of(context.rng, context.vocabulary, count, turns, 128)
        return run_clients(context.target, prompts, 64, fields)[0]
    return run


def beside_long(context):
    """Short prompts that are being answered when a long one arrives."""
    long_prompt = random_tokens(context.rng, LONG, context.vocabulary)

    async def long_one(target):
        await asyncio.sleep(LONG_AFTER_S)
        return await ask(target, long_prompt, 16)

    prompts = prompts_of(context.rng, context.vocabulary, 8, 1, 16)
    figures, answer = run_clients(context.target, prompts, 192, beside=long_one)
    figures["failed"] += answer.failed
    return {**figures, "long_first": None if answer.failed else 1e3 * answer.first}


def shared_prefix(again):
    def run(context):
        if not again:
            context.kept["prefix"] = random_tokens(context.rng, PREFIX, context.vocabulary)
        prompts = prompts_of(context.rng, context.vocabulary, 8, 1, 16, context.kept["prefix"])
        return run_clients(context.target, prompts, 32)[0]
    return run


CASES = (Case("1 client", 9, clients(1, 3)), Case("8 clients", 9, clients(8, 2)),
         Case("8 clients while a 1,500-token prompt arrives", 9, beside_long),
         Case("8 clients, common prefix of 1,000, first time", 9, shared_prefix(False)),
         Case("the same prefix again", 9, shared_prefix(True)),
         Case("1 client, JSON schema", 9, with_schema(1, 3)), Case("8 clients, JSON schema", 9, with_schema(8, 2)),
         Case("1 client, 5 log probabilities", 9, clients(1, 3, logprobs=5)),
         Case("8 clients, 5 log probabilities", 9, clients(8, 2, logprobs=5)),
         Case("16 clients", 64, clients(16, 1)), Case("32 clients", 64, clients(32, 1)),
         Case("64 clients", 64, clients(64, 1)))
PLAIN = {"1 client, JSON schema": "1 client", "8 clients, JSON schema": "8 clients",
         "1 client, 5 log probabilities": "1 client", "8 clients, 5 log probabilities": "8 clients"}


def run_cases(sides, cases, rounds, vocabulary):
    """{case: {side: figures of each round}}."""
    found = {case.name: {name: [] for name in sides} for case in cases}
    for side in sides.values():
        run_clients(side.target(NAME), prompts_of(rng_of("warm"), vocabulary, 2, 1, 64), 8)
    for turn in range(rounds):
        kept = {name: {} for name in sides}
        for case in cases:
            for name in sides if turn % 2 == 0 else reversed(sides):
                context = Context(sides[name], sides[name].target(NAME), rng_of(case.name, turn), vocabulary, kept[name])
                found[case.name][name].append(case.run(context))
    return found


def medians_of(rounds):
    keys = [key for key in rounds[0] if key not in ("failed", "errors")]
    return {**{key: median([figures[key] for figures in rounds]) for key in keys},
            "failed": sum(figures["failed"] for figures in rounds),
            "errors": sorted({error for figures in rounds for error in figures["errors"]})}


def rows_of(name, sides):
    medians = {side: medians_of(rounds) for side, rounds in sides.items()}
    for side, figures in medians.items():
        long_first = f" (the long one {number(figures['long_first'])})" if figures.get("long_first") else ""
        yield [name, side, number(figures["tokens_per_s"]),
               f"{number(figures['first_p50'])} / {number(figures['first_p99'])}{long_first}",
               f"{number(figures['gap_p50'])} / {number(figures['gap_p99'])} / {number(figures['gap_worst'])}",
               str(figures["failed"]) + (f": {figures['errors'][0][:80]}" if figures["errors"] else "")]
    if "peer" in medians:
        mine, theirs = medians["ours"], medians["peer"]
        yield ["", "ratio", *(ratio(mine[key], theirs[key]) for key in ("tokens_per_s", "first_p99", "gap_p99")), ""]


def overheads(found):
    """How much longer a token takes than in a plain answer."""
    for name, plain in PLAIN.items():
        if name in found and plain in found:
            for side in found[name]:
                with_it, without = (median([f["gap_p50"] for f in found[key][side]]) for key in (name, plain))
                if with_it and without:
                    yield f"{name}, {side}: {100 * (with_it / without - 1):+.0f} % a token"


def measure_serving(arguments, models, ours, report):
    for shape in arguments.models:
        for form in arguments.formats:
            path = models.path(shape, form)
            ours.import_model(servers.model_name(shape, form), path)
            ours.undeploy(NAME)
            ours.deploy(NAME, servers.model_name(shape, form))
            vocabulary = VOCABULARIES[shape]
            found = {}
            for slots in (9, 64):
                cases = [case for case in CASES if case.slots == slots and arguments.case in case.name]
                if cases:
                    found |= with_peer(arguments, path, slots,
                                       lambda sides: run_cases({"ours": ours, **sides}, cases, arguments.rounds, vocabulary))
            ours.undeploy(NAME)
            report.keep("serving", {"model": shape, "format": form, "rounds": found})
            rows = [row for name, sides in found.items() for row in rows_of(name, sides)]
            report.table(f"{shape} {form}, servers with {max(arguments.threads)} threads (median of {arguments.rounds}; "
                         f"load average {load_average()})",
                         ["case", "who", "tokens/s", "first token p50 / p99 ms", "per token p50 / p99 / worst ms", "failed"],
                         rows)
            report.note("\n".join(overheads(found)))


def with_peer(arguments, path, slots, work):
    """work({"peer": its server}), or work({}) where there is none."""
    if not arguments.peer:
        return work({})
    peer = servers.Peer(arguments.peer, path, max(arguments.threads), slots, arguments.work / "llama-server.log").start()
    try:
        return work({"peer": peer})
    finally:
        peer.stop()
