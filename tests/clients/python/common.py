"""What every Python client is tried with."""

import json
import os
import signal
import sys
import threading
import time
import traceback
import urllib.request

URL = os.environ["ATELIER_URL"]
KEY = os.environ["ATELIER_API_KEY"]
QUESTION = "Tell me a story"
MESSAGES = [{"role": "user", "content": QUESTION}]
ENDLESS_TOKENS = 15000
WEATHER = {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"],
           "additionalProperties": False}


def run(*tests):
    """Runs them one after the other; the first failure ends the process."""
    for test in tests:
        try:
            test()
        except Exception:  # noqa: BLE001: whatever it is
            print(f"FAIL {test.__name__}")
            traceback.print_exc()
            sys.exit(1)
        print(f"  ok   {test.__name__}", flush=True)
    os._exit(0)  # requests that were left alone hold threads


def fails(error, call, status):
    try:
        call()
    except error as raised:
        assert getattr(raised, "status_code", None) == status, raised
        return raised
    raise AssertionError(f"taken; expected {error.__name__}")


def until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.02)


def together(call, times):
    """Calls it so many times at once; gives what waits for all, and raises what one of them raised."""
    errors = []

    def guarded():
        try:
            call()
        except Exception as error:  # noqa: BLE001: raised below
            errors.append(error)

    threads = [threading.Thread(target=guarded, daemon=True) for _ in range(times)]
    for thread in threads:
        thread.start()

    def wait():
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive(), "no answer in time"
        if errors:
            raise errors[0]
    return wait


def aborts_and_retries(statuses, begin, ask):
    """`endless` computes one answer and lets one more wait. `begin` starts an answer that goes on and on, and gives what
    ends it; `ask` wants a few tokens. One of two questions is refused, and asked again by the client itself; both are
    answered only if the first answer has ended indeed."""
    end = begin()
    statuses.clear()
    wait = together(ask, 2)
    until(lambda: 429 in statuses, "a refusal")
    end()
    wait()
    assert statuses.count(200) == 2 and statuses.count(429) == len(statuses) - 2, statuses


def outlives_the_worker(statuses, ask):
    """The worker is killed: the client gets 503 until there is another, and asks again itself."""
    request = urllib.request.Request(URL + "/v1/deployments/endless", headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request) as answer:
        os.kill(json.load(answer)["versions"][0]["pid"], signal.SIGKILL)
    statuses.clear()
    ask()
    assert len(statuses) > 1 and set(statuses[:-1]) == {503} and statuses[-1] == 200, statuses
