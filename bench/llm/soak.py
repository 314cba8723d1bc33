"""Minutes of mixed load: prompts of random lengths, clients that go away, grammars, common prefixes, log probabilities.

Nothing may leak and nothing may stall: printed are the slope of memory, the cache's use when all is done, the longest time
in which no answer went on though some were under way, and what failed.
"""

import asyncio
import json
import time

import servers
from load import ask, random_tokens, rng_of
from models import VOCABULARIES
from report import number, percentile
from serving import SCHEMA

NAME = "soak"
CLIENTS, SAMPLE_S = 12, 5.0
PREFIXES, PREFIX = 4, 400


class Soak:
    def __init__(self, ours, seconds, vocabulary):
        self.ours = ours
        self.target = ours.target(NAME)
        self.end = time.perf_counter() + seconds
        self.vocabulary = vocabulary
        rng = rng_of("soak")
        self.prefixes = [random_tokens(rng, PREFIX, vocabulary) for _ in range(PREFIXES)]
        self.answers, self.samples, self.kinds = [], [], {}

    def pick(self, rng):
        """One request: kind, prompt, tokens, fields, and after how many pieces the client goes away."""
        kind = rng.choice(("plain", "plain", "long", "cancel", "cancel early", "grammar", "prefix", "prefix", "logprobs", "n"))
        length = int(2 ** rng.uniform(2, 9 if kind != "long" else 11))
        prompt = random_tokens(rng, length, self.vocabulary)
        tokens, fields, leave = int(2 ** rng.uniform(3, 7)), {"seed": rng.randrange(1 << 30)}, None
        if kind == "cancel":
            leave = rng.randrange(1, 20)
        elif kind == "cancel early":
            leave = 0  # as soon as the first bytes of the answer are there
        elif kind == "grammar":
            fields |= {**self.ours.schema(SCHEMA), "ignore_eos": None}
        elif kind == "prefix":
            prompt = rng.choice(self.prefixes) + prompt
        elif kind == "logprobs":
            fields["logprobs"] = rng.randrange(1, 6)
        elif kind == "n":
            fields["n"] = 3
        return kind, prompt, tokens, fields, leave

    async def client(self, number_of_client):
        rng = rng_of("soak", number_of_client)
        while time.perf_counter() < self.end:
            kind, prompt, tokens, fields, leave = self.pick(rng)
            answer = await ask(self.target, prompt, tokens, fields, leave)
            answer.left = leave is not None
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            self.answers.append(answer)
            if rng.random() < .1:
                await asyncio.sleep(rng.uniform(0, 2))

    async def sampler(self):
        while time.perf_counter() < self.end:
            sample = await asyncio.to_thread(lambda: {**self.ours.memory(), **self.ours.metrics()})
            self.samples.append({"at": time.perf_counter(), **{key: sample.get(key, 0) for key in (
                "worker", "gateway", "vllm:kv_cache_usage_perc", "vllm:num_requests_running")}})
            await asyncio.sleep(SAMPLE_S)

    async def run(self):
        await asyncio.gather(self.sampler(), *(self.client(i) for i in range(CLIENTS)))

    def slope(self, key):
        """Bytes a minute by least squares, of the second half of the samples."""
        samples = self.samples[len(self.samples) // 2:]
        mean_at = sum(sample["at"] for sample in samples) / len(samples)
        mean = sum(sample[key] for sample in samples) / len(samples)
        square = sum((sample["at"] - mean_at) ** 2 for sample in samples)
        if square == 0:
            return 0.0
        return 60 * sum((sample["at"] - mean_at) * (sample[key] - mean) for sample in samples) / square

    def stalls(self):
        """All times between two pieces of text of any answers while at least one answer had begun and not ended."""
        spans = sorted((answer.texts[0], answer.texts[-1]) for answer in self.answers if answer.texts)
        texts = sorted(at for answer in self.answers for at in answer.texts)
        gaps, latest, next_span = [], 0.0, 0
        for before, after in zip(texts, texts[1:]):
            while next_span < len(spans) and spans[next_span][0] <= before:
                latest = max(latest, spans[next_span][1])
                next_span += 1
            if latest >= after:
                gaps.append(after - before)
        return gaps


def settle(ours):
    """The share of the cache in use, and the answers still running, when all clients are gone."""
    metrics = {}

    def idle():
        metrics.update(ours.metrics())
        return metrics.get("vllm:num_requests_running", 0) == 0 and metrics.get("vllm:kv_cache_usage_perc", 0) == 0
    try:
        servers.until(idle, "not idle", 20)
    except TimeoutError:
        pass
    return metrics.get("vllm:kv_cache_usage_perc", 0), metrics.get("vllm:num_requests_running", 0)


def measure_soak(arguments, models, ours, report):
    shape, form = arguments.models[0], arguments.formats[0]
    ours.import_model(servers.model_name(shape, form), models.path(shape, form))
    ours.undeploy(NAME)
    ours.deploy(NAME, servers.model_name(shape, form), max_running=16, kv_bytes=arguments.soak_kv_mib << 20)
    soak = Soak(ours, 60 * arguments.minutes, VOCABULARIES[shape])
    workers = ours.workers()
    asyncio.run(soak.run())
    kv_left, running_left = settle(ours)
    same_worker = workers == ours.workers()
    ours.undeploy(NAME)
    bad = [answer for answer in soak.answers if answer.failed and not (answer.left and answer.status == 200)]
    stalls, own = soak.stalls(), [gap for answer in soak.answers for gap in answer.gaps()]
    figures = {"answers": len(soak.answers), "kinds": soak.kinds, "failed": len(bad),
               "errors": sorted({answer.error or f"status {answer.status}" for answer in bad}),
               "tokens": sum(len(answer.texts) for answer in soak.answers),
               "worker_slope": soak.slope("worker"), "gateway_slope": soak.slope("gateway"), "kv_left": kv_left,
               "running_left": running_left, "same_worker": same_worker, "worst_stall": max(stalls, default=None),
               "stalls_over_500_ms": sum(gap > .5 for gap in stalls), "stream_gap_p99": percentile(own, .99),
               "stream_gap_worst": max(own, default=None), "samples": soak.samples}
    report.keep("soak", figures)
    report.table(f"{arguments.minutes:g} minutes of mixed load, {CLIENTS} clients, {shape} {form}", ["what", "figure"],
                 rows_of(figures))


def rows_of(figures):
    milliseconds = lambda value: number(None if value is None else 1e3 * value) + " ms"
    first, last = figures["samples"][0], figures["samples"][-1]
    return [["answers", f"{figures['answers']} ({json.dumps(figures['kinds'])[1:-1]})"],
            ["failed", f"{figures['failed']} {'; '.join(figures['errors'])[:300]}"],
            ["pieces of text", number(figures["tokens"])],
            ["worker's memory", f"{first['worker'] / 1e6:.0f} to {last['worker'] / 1e6:.0f} MB, "
                                f"{figures['worker_slope'] / 1e6:+.2f} MB a minute in the second half"],
            ["gateway's memory", f"{first['gateway'] / 1e6:.0f} to {last['gateway'] / 1e6:.0f} MB, "
                                 f"{figures['gateway_slope'] / 1e6:+.2f} MB a minute in the second half"],
            ["cache in use, answers running afterwards", f"{figures['kv_left']:.4f}, {figures['running_left']:.0f}"],
            ["worker the same all the time", str(figures["same_worker"])],
            ["no answer went on for at most",
             f"{milliseconds(figures['worst_stall'])}; {figures['stalls_over_500_ms']} times over 500 ms"],
            ["from token to token of one answer, p99 / worst",
             f"{milliseconds(figures['stream_gap_p99'])} / {milliseconds(figures['stream_gap_worst'])}"]]
