"""Ollama's client. It never asks again."""

import json

import ollama
from common import ENDLESS_TOKENS, KEY, MESSAGES, URL, WEATHER, fails, run, until

client = ollama.Client(host=URL, headers={"Authorization": "Bearer " + KEY})
GREEDY = {"model": "chat", "messages": MESSAGES, "options": {"temperature": 0, "num_predict": 20}}
ENDLESS = {"model": "endless", "messages": MESSAGES, "options": {"num_predict": ENDLESS_TOKENS}, "stream": True}
SHORT = {"model": "endless", "messages": MESSAGES, "options": {"num_predict": 3}}


def models():
    assert {model.model.removesuffix(":latest") for model in client.list().models} == {"chat", "bert", "endless"}
    assert {model.model for model in client.ps().models} == {"chat", "bert", "endless"}
    assert "completion" in client.show("chat").capabilities


def chat():
    whole = client.chat(**GREEDY)
    assert whole.message.content and whole.done_reason == "length" and whole.eval_count == 20, whole
    pieces = list(client.chat(**GREEDY, stream=True))
    assert "".join(piece.message.content for piece in pieces) == whole.message.content and pieces[-1].done, pieces


def generate():
    asked = {"model": "chat", "prompt": "Once upon a time", "raw": True, "options": GREEDY["options"]}
    whole = client.generate(**asked).response
    assert whole.startswith(", there was"), whole
    assert "".join(piece.response for piece in client.generate(**asked, stream=True)) == whole


def tools():
    def get_weather(city: str) -> str:
        """The weather.

        Args:
          city: Where.
        """
        return "rain in " + city

    whole = client.chat(**GREEDY, tools=[get_weather])  # nothing can force this model to call it
    assert whole.prompt_eval_count > client.chat(**GREEDY).prompt_eval_count, whole


def structured():
    asked = {"model": "chat", "messages": MESSAGES, "format": WEATHER, "options": {"num_predict": 200}}
    assert json.loads(client.chat(**asked).message.content)["city"] in ("Paris", "Rome")


def embeddings():
    assert [len(vector) for vector in client.embed("bert", ["hello world", "the cat"]).embeddings] == [48, 48]


def errors():
    fails(ollama.ResponseError, lambda: client.chat(**{**GREEDY, "model": "nobody"}), 404)
    fails(ollama.ResponseError, lambda: list(client.chat(**{**GREEDY, "model": "bert"}, stream=True)), 400)
    fails(ollama.ResponseError, ollama.Client(host=URL, headers={"Authorization": "Bearer wrong"}).list, 401)


def aborts():
    stream = client.chat(**ENDLESS)
    next(stream)
    stream.close()

    def is_free():
        try:
            return bool(client.chat(**SHORT))
        except ollama.ResponseError as error:
            assert error.status_code == 429, error
            return False
    until(is_free, "the slot is free")


run(models, chat, generate, tools, structured, embeddings, errors, aborts)
