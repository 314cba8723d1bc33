"""JSON (catalogue J): malformed texts, numbers at their edges, wrong types for every field."""

import json

from hostile.harness import Row, post

PREDICT = "/v1/predict"
TARGET = "/v1/evaluations"  # takes an object with a few text fields

MALFORMED = {
    "empty": "", "space": "   ", "an array": "[]", "a text": '"x"', "a number": "1", "null": "null",
    "trailing garbage": '{"model":"m"} x', "two documents": "{}{}", "a line comment": '{"model":"m"} // c',
    "a block comment": '{/*c*/"model":"m"}', "single quotes": "{'model':'m'}", "NaN": '{"model":NaN}',
    "Infinity": '{"model":-Infinity}', "a leading zero": '{"model":01}', "a plus sign": '{"model":+1}',
    "a bare fraction": '{"model":.5}', "an unfinished fraction": '{"model":1.}', "hexadecimal": '{"model":0x1}',
    "a trailing comma": '{"model":"m",}', "an unquoted key": '{model:"m"}', "no colon": '{"model" "m"}',
    "a number as key": '{1:"m"}', "cut off": '{"model":"m', "an unclosed object": '{"model":"m"', "capital True": '{"a":True}',
    "a line feed in a text": '{"model":"a\nb"}', "a tab in a text": '{"model":"a\tb"}',
    "a NUL in a text": '{"model":"a\x00b"}', "an unknown escape": '{"model":"\\x41"}', "a short escape": '{"model":"\\u12"}',
    "a lone high surrogate": '{"model":"\\ud800"}', "a lone low surrogate": '{"model":"\\udc00"}',
    "surrogates in the wrong order": '{"model":"\\udc00\\ud800"}',
}

BYTES = {
    "a byte order mark": b'\xef\xbb\xbf{"model":"m"}', "UTF-16": '{"model":"m"}'.encode("utf-16"),
    "a lone continuation byte": b'{"model":"\x80"}', "overlong UTF-8": b'{"model":"\xc0\x80"}',
    "an encoded surrogate": b'{"model":"\xed\xa0\x80"}', "beyond Unicode": b'{"model":"\xf4\x90\x80\x80"}',
    "a cut UTF-8 character": b'{"model":"\xe8\x8a"}', "Latin-1": b'{"model":"\xe9"}',
}

DEEP = {
    "J5 100,000 lists": b"[" * 100000, "J5 100,000 objects": b'{"a":' * 100000,
    "J5 100,000 lists in an unknown field": b'{"x":' + b"[" * 100000 + b"]" * 100000 + b"}",
    "J5 100,000 lists in inputs": b'{"model":"m","inputs":' + b"[" * 100000 + b"]" * 100000 + b"}",
    "J5 65 lists, closed": b'{"x":' + b"[" * 65 + b"]" * 65 + b"}",
}

# Of requests that are good but for one field.
BASES = {
    "/v1/predict": {"model": "hostile-mlp", "inputs": [[1, 2, 3, 4]]},
    "/v1/jobs": {"kind": "train", "family": "mlp", "dataset": "hostile-rows", "model": "m", "settings": {}},
    "/v1/evaluations": {"model": "hostile-mlp", "dataset": "hostile-rows", "split": "test"},
    "/v1/datasets": {"name": "d", "files": [{"file_id": "@FILE@", "path": "a.csv"}]},
    "/v1/deployments": {"model": "hostile-mlp", "name": "d"},
    "/v1/keys": {"name": "k", "role": "member"},
    "/v1/uploads": {"filename": "a.csv", "purpose": "dataset", "bytes": 5},
    "/v1/fine_tuning/jobs": {"model": "hostile-mlp", "training_file": "@FILE@"},
    "/v1/evals": {"data_source_config": {"type": "custom", "item_schema": {}},
                  "testing_criteria": [{"type": "string_check", "name": "n", "operation": "eq", "input": "a",
                                        "reference": "b"}]},
}

WRONG = {
    "/v1/predict": {"model": [1, None, [], {}, "", True], "top_k": ["5", 0, -1, 101, 1.5, True, [], {}, 2**63, 2**64],
                    "inputs": ["x", 1, {}, [], [None], [True], [[1, "a"]], [[1], [[2]]], [{"a": []}],
                               [{"image": "!!!"}], [[1e39]]]},
    "/v1/jobs": {"kind": [1, None, "", "dance", []], "family": [1, None, "", "no-such-family", {}],
                 "dataset": [1, None, "", "a@b@c", "a@0", "a@-1", "a@x", []], "model": [1, None, "", {}, []],
                 "settings": ["x", 1, [], True]},
    "/v1/evaluations": {"model": [1, None, "", []], "dataset": [1, None, "", []],
                        "split": [1, "", "everything", []]},
    "/v1/datasets": {"name": [1, None, "", []], "files": ["x", 1, {}, [], [1], ["file-x"], [{}], [{"file_id": 1}]],
                     "format": [1, "docx", []], "target": [1, []], "task": [1, "dreaming"],
                     "delimiter": [1, "ab", "\n", '"'], "header": [1, "maybe", True], "skip_lines": [-1, "1", 1.5, 2**63],
                     "types": ["x", [], {"a": "date"}, {"a": 1}],
                     "split": ["x", [], [0.5, 0.6], [1, 1, -1], ["a"], [0.25, 0.25, 0.25, 0.25], [2]],
                     "stratify": ["yes", 1], "seed": ["1", -1, 1.5, 2**64]},
    "/v1/deployments": {"model": [1, None, "", []], "name": [1, "..", []],
                        "versions": ["x", 1, [], [1], [{"version": 0, "weight": 100}], [{"version": 1, "weight": 101}],
                                     [{"version": 1, "weight": 50}], [{"version": "1", "weight": 100}]],
                        "settings": ["x", [], {"max_batch": 0}, {"max_batch": "8"}, {"max_delay_us": -1},
                                     {"max_batch": 10**12}, {"colour": 1}]},
    "/v1/keys": {"name": [1, None, "x" * 201, []], "role": [1, "emperor", []],
                 "expires_at": ["x", 0, -1, 1, 1.5, 2**63, []]},
    "/v1/uploads": {"filename": [1, None, []], "purpose": [1, None, "world domination", []],
                    "bytes": ["5", None, -1, 1.5, 2**63, 10**18, []], "sha256": [1, "x", "A" * 64, []]},
    "/v1/fine_tuning/jobs": {"model": [1, None, []], "training_file": [1, None, []], "validation_file": [1, []],
                             "seed": ["1", -1, 1.5, 2**31], "suffix": [1, "a/b", "x" * 65], "metadata": ["x", {"a": 1}],
                             "method": ["x", 1, {}, {"type": 1}, {"type": "magic"},
                                        {"type": "dpo", "dpo": {"hyperparameters": {"beta": 3}}}],
                             "hyperparameters": ["x", {"n_epochs": 0}, {"batch_size": "many"}, {"colour": 1}],
                             "integrations": ["x", [{"type": "wandb"}]], "settings": ["x", 1, []]},
    "/v1/evals": {"name": [1, [], "x" * 257], "metadata": ["x", {"a": 1}],
                  "data_source_config": ["x", 1, [], {"type": "logs"}, {"type": "custom", "item_schema": []}],
                  "testing_criteria": ["x", {}, [], [1], [{}], [{"type": "score_model"}], [{}] * 21]},
}


def wrong_types():
    for target, fields in WRONG.items():
        for field, values in fields.items():
            for value in values:
                body = json.dumps({**BASES[target], field: value})
                yield Row(f"J12 {target} {field} = {json.dumps(value)[:30]}", post(target, body), {400, 413},
                          text=field)


def missing():
    required = {"/v1/predict": ["model", "inputs"], "/v1/jobs": ["kind", "family", "dataset", "model"],
                "/v1/evaluations": ["model", "dataset"], "/v1/datasets": ["name", "files"], "/v1/deployments": ["model"],
                "/v1/keys": ["name"], "/v1/uploads": ["filename", "purpose", "bytes"],
                "/v1/fine_tuning/jobs": ["model", "training_file"],
                "/v1/evals": ["data_source_config", "testing_criteria"]}
    for target, fields in required.items():
        for field in fields:
            body = {key: value for key, value in BASES[target].items() if key != field}
            yield Row(f"J12 {target} without {field}", post(target, json.dumps(body)), 400, text=field)


def unknown():
    for target, base in BASES.items():
        yield Row(f"J11 an unknown field at {target}", post(target, json.dumps({**base, "colour": "red"})), 400,
                  param="colour")


ROWS = [
    *[Row(f"J2 {name}", post(TARGET, text), 400) for name, text in MALFORMED.items()],
    *[Row(f"J4 {name}", post(TARGET, data), 400) for name, data in BYTES.items()],
    *[Row(name, post(PREDICT, data), 400) for name, data in DEEP.items()],
    Row("J6 a repeated key", post(TARGET, '{"model":"a","model":"b","dataset":"d"}'), 400),
    Row("J6 a repeated key, escaped", post(TARGET, '{"model":"a","mod\\u0065l":"b","dataset":"d"}'), 400),
    Row("J6 a repeated key inside", post(PREDICT, '{"model":"a","inputs":[{"a":1,"a":2}]}'), 400),
    Row("J7 top_k 1e400", post(PREDICT, '{"model":"no-such","inputs":[[1]],"top_k":1e400}'), 400),
    Row("J7 top_k 1e30", post(PREDICT, '{"model":"no-such","inputs":[[1]],"top_k":1e30}'), 400, param="top_k"),
    Row("J7 top_k -0", post(PREDICT, '{"model":"no-such","inputs":[[1]],"top_k":-0}'), 400, param="top_k"),
    Row("J7 top_k 5.0 is 5", post(PREDICT, '{"model":"hostile-mlp","inputs":[[1,2,3,4]],"top_k":5.0}'), 200),
    Row("J7 a number of 100,000 digits", post(PREDICT, '{"model":"m","inputs":[[' + "9" * 100000 + "]]}"), {400, 404}),
    Row("J8 8 MiB and more", post(TARGET, '{"model":"' + "a" * (8 << 20) + '","dataset":"d"}'), 413),
    Row("J8 400,000 keys", post(TARGET, "{" + ",".join(f'"k{i}":0' for i in range(400000)) + "}"), {400, 413}),
    Row("J8 300,000 keys of one hash", post(PREDICT, "{" + ",".join(f'"{i:07d}":0' for i in range(300000)) + "}"), 400),
    Row("J14 __proto__", post(TARGET, '{"model":"m","dataset":"d","__proto__":{"admin":true}}'), 400),
    Row("J14 a key of 64 KiB", post(TARGET, '{"model":"m","dataset":"d","' + "k" * 65536 + '":1}'), 400),
    Row("J14 a key of 2 MiB", post(TARGET, '{"model":"m","dataset":"d","' + "k" * (2 << 20) + '":1}'), {400, 413}),
    Row("J14 a model's name of 1 MiB", post(TARGET, '{"dataset":"d","model":"' + "m" * (1 << 20) + '"}'), 400),
    *wrong_types(),
    *missing(),
    *unknown(),
]
