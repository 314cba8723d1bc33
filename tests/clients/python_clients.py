#!/usr/bin/env python3
"""The stock Python clients of OpenAI, Anthropic and Ollama against a server of our own.

    tests/clients/python_clients.py --server-binary build/bin/atelier --environment build/clients

Makes a virtual environment with the clients at --environment, once; skipped (status 77) where that, or the sample data,
cannot be had.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from common.atelier import Server  # noqa: E402
from common.gguf import with_text  # noqa: E402
from e2e.language import SKIPPED, shared_data  # noqa: E402
from e2e.run import Cli  # noqa: E402

CLIENTS = ["openai==3.57.0", "anthropic==2.14.0", "ollama==0.6.3"]
TEMPLATE = b"""{% if tools %}{% for tool in tools %}{{ tool.function.name }}{% endfor %}\
<tool_call>{"name": , "arguments": }</tool_call>{% endif %}\
{% for message in messages %}{{ message.role }}: {{ message.content }}
{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"""
MESSAGES = [{"role": "user", "content": "Tell me a story"}]
GREEDY = {"model": "chat", "messages": MESSAGES, "max_tokens": 20, "temperature": 0}
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": {
    "type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"],
    "additionalProperties": False}}}


def openai_client(url, key):
    import openai

    client = openai.OpenAI(base_url=url + "/v1", api_key=key)
    assert {model.id for model in client.models.list()} == {"chat", "bert"}
    whole = client.chat.completions.create(**GREEDY)
    text = whole.choices[0].message.content
    assert whole.choices[0].finish_reason == "length" and whole.usage.completion_tokens == 20, whole
    stream = client.chat.completions.create(**GREEDY, stream=True)
    assert "".join(event.choices[0].delta.content or "" for event in stream if event.choices) == text

    asked = {**GREEDY, "temperature": 1, "max_tokens": 200, "seed": 1}
    called = client.chat.completions.create(**asked, tools=[WEATHER], tool_choice="required").choices[0]
    assert called.finish_reason == "tool_calls" and called.message.tool_calls[0].function.name == "get_weather", called
    named = {"type": "function", "function": {"name": "get_weather"}}
    arguments = ""
    for event in client.chat.completions.create(**asked, tools=[WEATHER], tool_choice=named, stream=True):
        for call in event.choices[0].delta.tool_calls or []:
            arguments += call.function.arguments or ""
    assert json.loads(arguments)["city"] in ("Paris", "Rome"), arguments

    schema = {"type": "object", "properties": {"n": {"type": "string", "maxLength": 5}}, "required": ["n"],
              "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    formed = client.chat.completions.create(**asked, response_format=form).choices[0].message.content
    assert list(json.loads(formed)) == ["n"], formed

    answer = client.responses.create(model="chat", input="Tell me a story", max_output_tokens=20, temperature=0)
    assert answer.output_text == text and answer.status == "incomplete", answer
    types = [event.type for event in client.responses.create(model="chat", input="x", max_output_tokens=3, stream=True)]
    assert types[0] == "response.created" and types[-1] == "response.incomplete", types

    vectors = client.embeddings.create(model="bert", input=["hello world", "the cat"])  # base64 is the default
    assert [len(item.embedding) for item in vectors.data] == [48, 48], vectors

    for error, bad in ((openai.NotFoundError, {"model": "nobody"}), (openai.BadRequestError, {"max_tokens": 100000}),
                       (openai.BadRequestError, {"temperature": 9})):
        try:
            client.chat.completions.create(**{**GREEDY, **bad})
            raise AssertionError(f"taken: {bad}")
        except error:
            pass
    try:
        openai.OpenAI(base_url=client.base_url, api_key="wrong").models.list()
        raise AssertionError("a wrong key was taken")
    except openai.AuthenticationError:
        pass


def anthropic_client(url, key):
    import anthropic

    client = anthropic.Anthropic(base_url=url, api_key=key)
    answer = client.messages.create(model="chat", max_tokens=20, messages=MESSAGES)
    assert answer.content[0].text and answer.stop_reason == "max_tokens" and answer.usage.output_tokens == 20, answer
    with client.messages.stream(model="chat", max_tokens=10, messages=MESSAGES) as stream:
        assert "".join(stream.text_stream)


def ollama_client(url, key):
    import ollama

    client = ollama.Client(host=url, headers={"Authorization": "Bearer " + key})
    options = {"temperature": 0, "num_predict": 20}
    whole = client.chat(model="chat", messages=MESSAGES, options=options).message.content
    pieces = client.chat(model="chat", messages=MESSAGES, options=options, stream=True)
    assert whole and "".join(piece.message.content for piece in pieces) == whole
    assert "chat" in [model.model.removesuffix(":latest") for model in client.list().models]


def import_models(server, data):
    cli = Cli(server)
    with tempfile.TemporaryDirectory(prefix="atelier-clients-") as folder:
        stories = data / "weights" / "llama2c_stories260K"
        cli.run("model", "import", str(stories), "--name", "stories")
        cli.run("model", "download", "stories", "--to", folder)
        plain = (pathlib.Path(folder) / "stories260K.gguf").read_bytes()
        chat = pathlib.Path(folder) / "chat.gguf"
        chat.write_bytes(with_text(plain, b"tokenizer.chat_template", TEMPLATE))
        cli.run("model", "import", str(chat), "--name", "chat")
    cli.run("model", "import", str(data / "golden" / "llm" / "models" / "bert-mean-F32.gguf"), "--name", "bert")
    for name in ("chat", "bert"):
        cli.run("deploy", name)


def reenter(environment):
    """Goes on in the environment with the clients, if this is not it already."""
    python = environment / "bin" / "python"
    if pathlib.Path(sys.prefix).resolve() == environment.resolve():
        return
    made = subprocess.run([sys.executable, "-m", "venv", environment], capture_output=True, check=False)
    if made.returncode != 0:
        print("skipped: no virtual environment can be made (python3-venv)")
        sys.exit(SKIPPED)
    if subprocess.run([python, "-m", "pip", "install", "-q", *CLIENTS], capture_output=True, check=False).returncode != 0:
        print("skipped: the clients cannot be installed")
        sys.exit(SKIPPED)
    os.execv(python, [str(python), *sys.argv])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-binary", required=True)
    parser.add_argument("--environment", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    data = shared_data()
    if data is None or not (data / "golden" / "llm").is_dir():
        print("skipped: no sample data (set ATELIER_SHARED_DATA)")
        sys.exit(SKIPPED)
    reenter(arguments.environment)
    server = Server(arguments.server_binary)
    try:
        server.start()
        import_models(server, data)
        for client in (openai_client, anthropic_client, ollama_client):
            client(f"http://127.0.0.1:{server.port}", server.key)
            print(f"ok   {client.__name__}", flush=True)
    finally:
        server.remove()


if __name__ == "__main__":
    main()
