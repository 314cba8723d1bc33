"""A load of streaming clients of POST /v1/completions, cheap enough to share the machine with the server."""

import asyncio
import dataclasses
import json
import random
import re
import time

from report import percentile

DATA = b"data: "
NO_TEXT = re.compile(rb'"text":\s*""')
COMPLETION_TOKENS = re.compile(rb'"completion_tokens":\s*(\d+)')
READ_BYTES = 1 << 16
TIMEOUT_S = 1800


@dataclasses.dataclass
class Answer:
    """What a client saw: times in seconds of time.perf_counter()."""

    sent: float = 0.0
    texts: list = dataclasses.field(default_factory=list)  # when each piece of text came
    ended: float = 0.0
    tokens: int = 0
    status: int = 0
    finished: bool = False  # the whole stream came
    error: str = ""

    @property
    def failed(self):
        return self.status != 200 or not self.finished

    @property
    def first(self):
        return self.texts[0] - self.sent if self.texts else None

    def gaps(self):
        return [after - before for before, after in zip(self.texts, self.texts[1:])]


class Target:
    """A server that takes completions: port, more headers, and the fields that its requests need."""

    def __init__(self, port, model, headers=None, fields=None):
        self.port = port
        self.model = model
        self.headers = headers or {}
        self.fields = fields or {}

    def request(self, prompt, max_tokens, fields):
        body = {"model": self.model, "prompt": prompt, "max_tokens": max_tokens, "stream": True, "ignore_eos": True,
                "stream_options": {"include_usage": True}, "temperature": 1.0, "top_k": 40, **self.fields, **fields}
        data = json.dumps({key: value for key, value in body.items() if value is not None}).encode()
        lines = ["POST /v1/completions HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Content-Type: application/json",
                 f"Content-Length: {len(data)}", "Connection: close",
                 *(f"{name}: {value}" for name, value in self.headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + data


def take_lines(answer, lines, now):
    for line in lines:
        if not line.startswith(DATA):
            if line.startswith(b"HTTP/1.1 "):
                answer.status = int(line[9:12])
            elif answer.status not in (0, 200) and line.startswith(b"{"):
                answer.error = line.decode(errors="replace")[:300]
            continue
        if line.startswith(b"data: [DONE]"):
            answer.finished = True
        elif b'"error"' in line:
            answer.error = line.decode(errors="replace")[:300]
        else:
            found = COMPLETION_TOKENS.search(line)
            answer.tokens = int(found[1]) if found else answer.tokens
            if b'"text"' in line and not NO_TEXT.search(line):
                answer.texts.append(now)


async def ask(target, prompt, max_tokens, fields=None, hang_up_after=None):
    """One answer. `hang_up_after`: so many pieces of text, then the client goes away."""
    answer = Answer(sent=time.perf_counter())
    request = target.request(prompt, max_tokens, fields or {})
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await _exchange(target, request, answer, hang_up_after)
    except OSError as error:  # also that of the time
        answer.error = str(error) or type(error).__name__
    answer.ended = time.perf_counter()
    return answer


async def _exchange(target, request, answer, hang_up_after):
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    try:
        writer.write(request)
        rest = b""
        while data := await reader.read(READ_BYTES):
            *lines, rest = (rest + data).split(b"\n")
            take_lines(answer, lines, time.perf_counter())
            if answer.finished or (hang_up_after is not None and len(answer.texts) >= hang_up_after):
                break
        take_lines(answer, [rest], time.perf_counter())
    finally:
        writer.close()


def random_tokens(rng, count, vocabulary):
    """Ids beyond the single bytes and before the control tokens at the end."""
    return [rng.randrange(256, vocabulary - 8) for _ in range(count)]


async def _client(target, prompts, max_tokens, fields):
    return [await ask(target, prompt, max_tokens, {"seed": seed, **fields}) for seed, prompt in prompts]


async def _clients(target, prompts, max_tokens, fields, beside):
    begin = time.perf_counter()
    seeded = [[(1 + client + 1000 * turn, prompt) for turn, prompt in enumerate(own)]
              for client, own in enumerate(prompts)]
    running = [_client(target, own, max_tokens, fields) for own in seeded]
    more = beside(target) if beside else asyncio.sleep(0)
    *answers, extra = await asyncio.gather(*running, more)
    return [answer for own in answers for answer in own], extra, time.perf_counter() - begin


def run_clients(target, prompts, max_tokens, fields=None, beside=None):
    """Clients at once, each with its prompts one after the other: `prompts` is a list of lists. `beside`: a coroutine
    function of the target that runs at the same time. Returns figures and what `beside` returned."""
    answers, extra, seconds = asyncio.run(_clients(target, prompts, max_tokens, fields or {}, beside))
    return summary(answers, seconds), extra


def summary(answers, seconds):
    good = [answer for answer in answers if not answer.failed]
    firsts = [answer.first for answer in good if answer.first is not None]
    gaps = [gap for answer in good for gap in answer.gaps()]
    milliseconds = {"first_p50": percentile(firsts, .5), "first_p99": percentile(firsts, .99),
                    "gap_p50": percentile(gaps, .5), "gap_p99": percentile(gaps, .99), "gap_worst": max(gaps, default=None)}
    return {"tokens_per_s": sum(answer.tokens for answer in good) / seconds, "failed": len(answers) - len(good),
            "errors": sorted({answer.error or f"status {answer.status}" for answer in answers if answer.failed}),
            **{name: None if value is None else 1e3 * value for name, value in milliseconds.items()}}


def prompts_of(rng, vocabulary, clients, turns, length, prefix=()):
    return [[[*prefix, *random_tokens(rng, length, vocabulary)] for _ in range(turns)] for _ in range(clients)]


def rng_of(*names):
    return random.Random("/".join(map(str, names)))
