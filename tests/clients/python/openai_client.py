"""OpenAI's SDK."""

import asyncio
import base64
import json
import struct
from typing import Literal

import httpx
import openai
from common import (ENDLESS_TOKENS, KEY, MESSAGES, QUESTION, URL, WEATHER, aborts_and_retries, fails, outlives_the_worker,
                    run)
from pydantic import BaseModel

statuses = []
watching = httpx.Client(event_hooks={"response": [lambda answer: statuses.append(answer.status_code)]})
client = openai.OpenAI(base_url=URL + "/v1", api_key=KEY, http_client=watching)
GREEDY = {"model": "chat", "messages": MESSAGES, "max_tokens": 20, "temperature": 0}
RANDOM = {"model": "chat", "messages": MESSAGES, "max_tokens": 200, "seed": 1}
ENDLESS = {"model": "endless", "messages": MESSAGES, "max_tokens": ENDLESS_TOKENS, "stream": True}
SHORT = {"model": "endless", "messages": MESSAGES, "max_tokens": 3}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}
NAMED = {"type": "function", "function": {"name": "get_weather"}}


class Pet(BaseModel):
    kind: Literal["cat", "dog"]
    tame: bool
    toys: list[Literal["ball", "bone"]]


def story():
    return client.chat.completions.create(**GREEDY).choices[0].message.content


def models():
    assert {model.id for model in client.models.list()} == {"chat", "bert", "endless"}
    assert client.models.retrieve("chat").object == "model"


def chat():
    whole = client.chat.completions.create(**GREEDY, logprobs=True, top_logprobs=2)
    choice = whole.choices[0]
    assert choice.message.content and choice.finish_reason == "length" and whole.usage.completion_tokens == 20, whole
    assert len(choice.logprobs.content) == 20 and len(choice.logprobs.content[0].top_logprobs) == 2, choice
    assert whole._request_id.startswith("req_")
    assert client.chat.completions.with_raw_response.create(**GREEDY).headers["x-request-id"]


def streaming():
    events = list(client.chat.completions.create(**GREEDY, stream=True, stream_options={"include_usage": True}))
    assert "".join(event.choices[0].delta.content or "" for event in events if event.choices) == story()
    assert events[-1].usage.completion_tokens == 20, events[-1]
    with client.chat.completions.stream(**GREEDY) as stream:
        assert "".join(event.delta for event in stream if event.type == "content.delta") == story()


def asynchronous():
    async def ask():
        async with openai.AsyncOpenAI(base_url=URL + "/v1", api_key=KEY) as other:
            answers = await asyncio.gather(*(other.chat.completions.create(**GREEDY) for _ in range(4)))
            stream = await other.chat.completions.create(**GREEDY, stream=True)
            pieces = [event.choices[0].delta.content or "" async for event in stream]
            return [answer.choices[0].message.content for answer in answers] + ["".join(pieces)]
    assert asyncio.run(ask()) == [story()] * 5


def tools():
    called = client.chat.completions.create(**RANDOM, tools=[TOOL], tool_choice="required").choices[0]
    assert called.finish_reason == "tool_calls" and called.message.tool_calls[0].function.name == "get_weather", called
    arguments = ""
    for event in client.chat.completions.create(**RANDOM, tools=[TOOL], tool_choice=NAMED, stream=True):
        for call in event.choices[0].delta.tool_calls or []:
            arguments += call.function.arguments or ""
    assert json.loads(arguments)["city"] in ("Paris", "Rome"), arguments
    tool = openai.pydantic_function_tool(Pet, name="keep_pet")
    parsed = client.chat.completions.parse(**RANDOM, tools=[tool], tool_choice="required").choices[0].message
    assert isinstance(parsed.tool_calls[0].function.parsed_arguments, Pet), parsed
    result = {"role": "tool", "tool_call_id": called.message.tool_calls[0].id, "content": "rain"}
    after = client.chat.completions.create(**{**GREEDY, "messages": [*MESSAGES, called.message, result]}, tools=[TOOL])
    assert after.choices[0].message.content, after


def structured():
    parsed = client.chat.completions.parse(**RANDOM, response_format=Pet).choices[0].message.parsed
    assert isinstance(parsed, Pet), parsed
    with client.chat.completions.stream(**RANDOM, response_format=Pet) as stream:
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Pet)
    schema = {"type": "object", "properties": {"n": {"type": "string", "maxLength": 5}}, "required": ["n"],
              "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    formed = client.chat.completions.create(**RANDOM, response_format=form).choices[0].message.content
    assert list(json.loads(formed)) == ["n"], formed


def responses():
    asked = {"model": "chat", "input": QUESTION, "max_output_tokens": 20, "temperature": 0}
    answer = client.responses.create(**asked)
    assert answer.output_text == story() and answer.status == "incomplete", answer
    types = [event.type for event in client.responses.create(**asked, stream=True)]
    assert types[0] == "response.created" and types[-1] == "response.incomplete", types
    formed = {"model": "chat", "input": QUESTION, "max_output_tokens": 200, "text_format": Pet}
    assert isinstance(client.responses.parse(**formed).output_parsed, Pet)
    with client.responses.stream(**formed) as stream:
        assert isinstance(stream.get_final_response().output_parsed, Pet)
    tool = {"type": "function", "name": "get_weather", "parameters": WEATHER, "strict": True}
    called = client.responses.create(model="chat", input=QUESTION, max_output_tokens=200, tools=[tool],
                                     tool_choice="required")
    call = next(item for item in called.output if item.type == "function_call")
    assert json.loads(call.arguments)["city"] in ("Paris", "Rome"), call
    given = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    assert client.responses.create(**{**asked, "input": [given]}, previous_response_id=called.id).output_text


def completions():
    asked = {"model": "chat", "prompt": "Once upon a time", "max_tokens": 10, "temperature": 0}
    text = client.completions.create(**asked).choices[0].text
    assert text.startswith(", there was"), text
    assert "".join(event.choices[0].text for event in client.completions.create(**asked, stream=True)) == text


def embeddings():
    vectors = client.embeddings.create(model="bert", input=["hello world", "the cat"])  # base64 on the wire
    assert [len(item.embedding) for item in vectors.data] == [48, 48], vectors
    packed = client.embeddings.create(model="bert", input="hello world", encoding_format="base64").data[0].embedding
    assert list(struct.unpack("<48f", base64.b64decode(packed))) == vectors.data[0].embedding


def errors():
    def ask(**bad):
        return lambda: client.chat.completions.create(**{**GREEDY, **bad})

    fails(openai.NotFoundError, ask(model="nobody"), 404)
    fails(openai.BadRequestError, ask(max_tokens=100000), 400)
    error = fails(openai.BadRequestError, ask(temperature=9), 400)
    assert error.param == "temperature" and error.type == "invalid_request_error" and error.request_id, error
    fails(openai.AuthenticationError, client.with_options(api_key="wrong").models.list, 401)


def retries():
    def begin():
        stream = client.chat.completions.create(**ENDLESS)
        next(stream)
        stream.close()
        again = client.chat.completions.create(**ENDLESS)
        next(again)
        return again.close

    aborts_and_retries(statuses, begin, lambda: client.chat.completions.create(**SHORT))
    outlives_the_worker(statuses, lambda: client.with_options(max_retries=8).chat.completions.create(**SHORT))


run(models, chat, streaming, asynchronous, tools, structured, responses, completions, embeddings, errors, retries)
