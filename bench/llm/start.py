"""How long each server takes to be ready, and what memory it holds then."""

import asyncio
import shutil

import servers
from load import ask, random_tokens, rng_of
from models import VOCABULARIES
from report import median, number, ratio

NAME = "start"


def figures_of(side, ready_s, vocabulary):
    """With the first token of the first answer: ready means that it answers."""
    memory = side.memory()
    answer = asyncio.run(ask(side.target(NAME), random_tokens(rng_of("start"), 16, vocabulary), 2))
    if answer.failed:
        raise RuntimeError(f"the first answer failed: {answer.status} {answer.error}")
    return {"ready_s": ready_s, "first_answer_ms": 1e3 * answer.first, **memory}


def our_starts(arguments, path, name, vocabulary):
    """Of a new data folder: the first deployment, later ones, and starts of the whole server with it."""
    folder = arguments.work / "start"
    shutil.rmtree(folder, ignore_errors=True)
    ours = servers.Ours(arguments.atelier, folder, max(arguments.threads)).start()
    found = {"first": [], "again": [], "whole server": []}
    try:
        ours.import_model(name, path)
        found["first"].append(figures_of(ours, ours.deploy(NAME, name), vocabulary))
        for _ in range(arguments.rounds):
            ours.undeploy(NAME)
            found["again"].append(figures_of(ours, ours.deploy(NAME, name), vocabulary))
        for _ in range(arguments.rounds):
            ours.stop()
            seconds = servers.timed(lambda: ours.start().wait_ready(NAME))
            found["whole server"].append(figures_of(ours, seconds, vocabulary))
    finally:
        ours.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return found


def peer_starts(arguments, path, vocabulary):
    found = []
    for _ in range(arguments.rounds):
        peer = servers.Peer(arguments.peer, path, max(arguments.threads), 9, arguments.work / "llama-server.log").start()
        try:
            found.append(figures_of(peer, peer.ready_s, vocabulary))
        finally:
            peer.stop()
    return found


def measure_start(arguments, models, report):
    rows = []
    for shape in arguments.models:
        for form in arguments.formats:
            path = models.path(shape, form)
            peers = peer_starts(arguments, path, VOCABULARIES[shape]) if arguments.peer else []
            found = {f"ours, {name}": rounds for name, rounds in our_starts(
                arguments, path, servers.model_name(shape, form), VOCABULARIES[shape]).items()} | {"peer": peers}
            report.keep("start", {"model": shape, "format": form, "file": path.stat().st_size, "rounds": found})
            theirs = {key: median([figures[key] for figures in peers]) for key in ("ready_s", "proportional")}
            for name, rounds in found.items():
                mine = {key: median([figures[key] for figures in rounds]) for key in rounds[0]} if rounds else {}
                if mine:
                    rows.append([f"{shape} {form}", name, number(mine["ready_s"]), ratio(mine["ready_s"], theirs["ready_s"]),
                                 number(mine["first_answer_ms"]), number(mine["proportional"] / 1e6),
                                 ratio(mine["proportional"], theirs["proportional"]),
                                 number(path.stat().st_size / 1e6)])
    report.table(f"Start (median of {arguments.rounds})",
                 ["model", "who", "ready s", "to the peer's", "first token ms", "memory MB", "to the peer's", "file MB"], rows)
