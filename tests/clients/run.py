#!/usr/bin/env python3
"""Stock clients, unmodified, against a server of our own.

    tests/clients/run.py python --server-binary build/bin/atelier --environment build/clients-python
    tests/clients/run.py node --server-binary build/bin/atelier --environment build/clients-node

Installs the clients at --environment, once; skipped (status 77) where that, or the sample data, cannot be had. The
scripts of that folder, python/*_client.py or node/*_client.mjs, then run one after the other; those named with --only,
or all.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from common.atelier import Server  # noqa: E402
from common.gguf import with_number, with_text  # noqa: E402
from e2e.language import SKIPPED, shared_data  # noqa: E402
from e2e.run import Cli  # noqa: E402

INSTALL_S = 600
TEMPLATE = b"""{% if tools %}{% for tool in tools %}{{ tool.function.name }}{% endfor %}\
<tool_call>{"name": , "arguments": }</tool_call>{% endif %}\
{% for message in messages %}{{ message.role }}: {{ message.content }}
{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"""
# One answer at a time, one more may wait; the others are refused.
ENDLESS = {"max_running": 1, "max_queue": 1, "context": 20000, "kv_bytes": 64 << 20}


class Skip(Exception):
    pass


def install(command, cwd=None):
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, check=False, timeout=INSTALL_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Skip(f"the clients cannot be installed: {error}") from error
    if done.returncode != 0:
        raise Skip(f"the clients cannot be installed: {done.stderr.decode(errors='replace')[-300:]}")


def python_scripts(environment):
    """A virtual environment with the clients; returns what runs each script."""
    python = environment / "bin" / "python"
    if not python.exists():
        install([sys.executable, "-m", "venv", environment])
    install([python, "-m", "pip", "install", "-q", "-r", HERE / "python" / "requirements.txt"])
    return [(path.stem, [python, path]) for path in sorted((HERE / "python").glob("*_client.py"))]


def node_scripts(environment):
    """A folder with the scripts and node_modules, where Node finds them; returns what runs each script."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise Skip("there is no Node (nodejs, npm)")
    environment.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "node" / "package.json").read_text(encoding="utf-8")
    done = environment / "installed.json"
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        shutil.copy(HERE / "node" / "package.json", environment)
        install(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"], environment)
        done.write_text(wanted, encoding="utf-8")
    for path in (HERE / "node").glob("*.mjs"):
        shutil.copy(path, environment)
    return [(path.stem, ["node", environment / path.name]) for path in sorted((HERE / "node").glob("*_client.mjs"))]


def deploy_models(server, data):
    """`chat` tells stories, `endless` does not stop doing so, `bert` embeds."""
    cli = Cli(server)
    with tempfile.TemporaryDirectory(prefix="atelier-clients-") as folder:
        cli.run("model", "import", str(data / "weights" / "llama2c_stories260K"), "--name", "stories")
        cli.run("model", "download", "stories", "--to", folder)
        plain = (pathlib.Path(folder) / "stories260K.gguf").read_bytes()
        chat = with_text(plain, b"tokenizer.chat_template", TEMPLATE)
        # Its end is a byte that it never says.
        endless = with_number(with_number(chat, b"llama.context_length", 20000), b"tokenizer.ggml.eos_token_id", 255)
        for name, model in (("chat", chat), ("endless", endless)):
            path = pathlib.Path(folder) / f"{name}.gguf"
            path.write_bytes(model)
            cli.run("model", "import", str(path), "--name", name)
    cli.run("model", "import", str(data / "golden" / "llm" / "models" / "bert-mean-F32.gguf"), "--name", "bert")
    cli.run("deploy", "chat")
    cli.run("deploy", "bert")
    cli.run("deploy", "endless", "--set", *(f"{key}={value}" for key, value in ENDLESS.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("python", "node"))
    parser.add_argument("--server-binary", required=True)
    parser.add_argument("--environment", required=True, type=pathlib.Path)
    parser.add_argument("--only", nargs="*", default=())
    arguments = parser.parse_args()
    data = shared_data()
    try:
        if data is None or not (data / "golden" / "llm").is_dir():
            raise Skip("no sample data (set ATELIER_SHARED_DATA)")
        scripts = (python_scripts if arguments.kind == "python" else node_scripts)(arguments.environment.absolute())
    except Skip as reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    server = Server(arguments.server_binary)
    failed = 0
    try:
        server.start()
        deploy_models(server, data)
        environment = {**os.environ, "ATELIER_URL": f"http://127.0.0.1:{server.port}", "ATELIER_API_KEY": server.key}
        for name, command in scripts:
            if arguments.only and name not in arguments.only:
                continue
            code = subprocess.run(command, env=environment, timeout=300, check=False).returncode
            print(f"{'ok  ' if code == 0 else 'FAIL'} {name}", flush=True)
            failed += code != 0
        if failed:
            print(server.log_text()[-3000:])
    finally:
        server.remove()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
