"""Anthropic's SDK."""

import json

import anthropic
import httpx2 as httpx
from common import ENDLESS_TOKENS, KEY, MESSAGES, URL, WEATHER, aborts_and_retries, fails, outlives_the_worker, run

statuses = []
watching = httpx.Client(event_hooks={"response": [lambda answer: statuses.append(answer.status_code)]})
client = anthropic.Anthropic(base_url=URL, api_key=KEY, http_client=watching)
GREEDY = {"model": "chat", "max_tokens": 20, "extra_body": {"temperature": 0}, "messages": MESSAGES}
RANDOM = {"model": "chat", "max_tokens": 200, "messages": MESSAGES}
ENDLESS = {"model": "endless", "max_tokens": ENDLESS_TOKENS, "messages": MESSAGES}
SHORT = {"model": "endless", "max_tokens": 3, "messages": MESSAGES}
TOOL = {"name": "get_weather", "input_schema": WEATHER}


def models():
    listed = list(client.models.list())
    assert {model.id for model in listed} == {"chat", "bert", "endless"}, listed
    assert all(model.type == "model" and model.display_name and model.created_at.year > 2020 for model in listed), listed
    fails(anthropic.NotFoundError, lambda: client.models.retrieve("nobody"), 404)


def chat():
    answer = client.messages.create(**GREEDY)
    assert answer.content[0].text and answer.stop_reason == "max_tokens" and answer.usage.output_tokens == 20, answer
    count = client.messages.count_tokens(model="chat", messages=MESSAGES).input_tokens
    assert count == answer.usage.input_tokens + answer.usage.cache_read_input_tokens, (count, answer.usage)


def streaming():
    with client.messages.stream(**GREEDY) as stream:
        text = "".join(stream.text_stream)
        assert text and text == stream.get_final_message().content[0].text
    assert text == client.messages.create(**GREEDY).content[0].text


def tools():
    called = client.messages.create(**RANDOM, tools=[TOOL], tool_choice={"type": "any"})
    call = called.content[-1]
    assert called.stop_reason == "tool_use" and call.input["city"] in ("Paris", "Rome"), called
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "rain"}]}
    history = [*MESSAGES, {"role": "assistant", "content": called.content}, result]
    assert client.messages.create(**{**GREEDY, "messages": history}, tools=[TOOL]).content
    choice = {"type": "tool", "name": "get_weather"}
    with client.messages.stream(**RANDOM, tools=[TOOL], tool_choice=choice) as stream:
        pieces = [event.partial_json for event in stream if event.type == "input_json"]
        assert json.loads("".join(pieces)) == stream.get_final_message().content[-1].input, pieces


def structured():
    form = {"format": {"type": "json_schema", "schema": WEATHER}}
    answer = client.messages.create(**RANDOM, output_config=form)
    assert json.loads(answer.content[0].text)["city"] in ("Paris", "Rome"), answer


def errors():
    fails(anthropic.NotFoundError, lambda: client.messages.create(**{**GREEDY, "model": "nobody"}), 404)
    fails(anthropic.BadRequestError, lambda: client.messages.create(**{**GREEDY, "max_tokens": 20000}), 400)
    stranger = client.with_options(api_key="wrong")
    fails(anthropic.AuthenticationError, lambda: stranger.messages.create(**GREEDY), 401)


def retries():
    def begin():
        stream = client.messages.create(**ENDLESS, stream=True)
        next(stream)
        return stream.close

    aborts_and_retries(statuses, begin, lambda: client.messages.create(**SHORT))
    outlives_the_worker(statuses, lambda: client.with_options(max_retries=8).messages.create(**SHORT))


run(models, chat, streaming, tools, structured, errors, retries)
