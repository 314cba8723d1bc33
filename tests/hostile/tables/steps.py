"""Lists of processing steps (POST /v1/datasets/{name}/process, /preview, /split; jobs of the kind process)."""

import json

from hostile.harness import FunctionRow, Row, check, check_answer, post

PROCESS = "/v1/datasets/hostile-rows/process"
PREVIEW = "/v1/datasets/hostile-rows/preview"
SPLIT = "/v1/datasets/hostile-rows/split"


def wrong(name, step, param, target=PROCESS):
    return Row(f"P1 {name}", post(target, json.dumps({"steps": [step]})), 400, param=param)


NESTED = "(" * 5000 + "f0 > 1" + ")" * 5000

STEPS = [
    wrong("a step that is a number", 7, "steps[0]"),
    wrong("a step without a name", {}, "steps[0].step"),
    wrong("a name that is a list", {"step": []}, "steps[0].step"),
    wrong("a name nobody knows", {"step": "../../bin/sh"}, "steps[0].step"),
    wrong("a name of 64 KiB", {"step": "s" * 65536}, "steps[0].step"),
    wrong("a parameter nobody knows", {"step": "shuffle", "colour": "red"}, "steps[0].colour"),
    wrong("__proto__", {"step": "shuffle", "__proto__": {}}, "steps[0].__proto__"),
    wrong("no columns", {"step": "drop", "columns": []}, "steps[0].columns"),
    wrong("columns that are an object", {"step": "drop", "columns": {"f0": 1}}, "steps[0].columns"),
    wrong("a column that is not there", {"step": "drop", "columns": ["f0", "\u202e"]}, "steps[0].columns[1]"),
    wrong("a column twice", {"step": "drop", "columns": ["f0", "f0"]}, "steps[0].columns[1]"),
    wrong("5,000 columns", {"step": "drop", "columns": ["f0"] * 5000}, "steps[0].columns"),
    wrong("a seed below 0", {"step": "shuffle", "seed": -1}, "steps[0].seed"),
    wrong("a seed of 2^64", {"step": "shuffle", "seed": 2**64}, "steps[0].seed"),
    wrong("a fraction of 1e308", {"step": "sample", "fraction": 1e308}, "steps[0].fraction"),
    wrong("a count of half a row", {"step": "sample", "count": 0.5}, "steps[0].count"),
    wrong("a million folds", {"step": "split", "folds": 1000000, "fold": 1}, "steps[0].folds"),
    wrong("fractions beyond 1", {"step": "split", "fractions": [1, 1, -1]}, "steps[0].fractions[2]"),
    wrong("fractions that are texts", {"step": "split", "fractions": ["f0", "b", "c"]}, "steps[0].fractions[0]"),
    wrong("a range upside down", {"step": "normalize", "minimum": 1, "maximum": 0}, "steps[0].maximum"),
    wrong("a name of 64 KiB for a column", {"step": "rename", "columns": {"f0": "n" * 65536}}, "steps[0]"),
    wrong("two columns of one name", {"step": "rename", "columns": {"f0": "label"}}, "steps[0]"),
    wrong("a condition that is a number", {"step": "filter", "where": 1}, "steps[0].where"),
    wrong("an empty condition", {"step": "filter", "where": ""}, "steps[0].where"),
    wrong("a condition nested 5,000 deep", {"step": "filter", "where": NESTED}, "steps[0].where"),
    wrong("a condition of 60 KiB", {"step": "filter", "where": "f0 > 1 or " * 6600 + "f0 > 1"}, "steps[0].where"),
    wrong("a condition with code", {"step": "filter", "where": "__import__('os').system('id')"}, "steps[0].where"),
    wrong("a quote that never closes", {"step": "filter", "where": "label == 'x"}, "steps[0].where"),
    wrong("at the preview", {"step": "dance"}, "steps[0].step", PREVIEW),
    Row("P2 no steps", post(PROCESS, "{}"), 400, param="steps"),
    Row("P2 steps that are a text", post(PROCESS, '{"steps":"drop"}'), 400, param="steps"),
    Row("P2 1,000 steps", post(PROCESS, json.dumps({"steps": [{"step": "shuffle"}] * 1000})), 400, param="steps"),
    Row("P2 an unknown field", post(PROCESS, '{"steps":[],"colour":1}'), 400, param="colour"),
    Row("P2 a version that is not there", post(PROCESS, '{"steps":[],"version":99}'), 404),
    Row("P2 a version of 0", post(PROCESS, '{"steps":[],"version":0}'), 400, param="version"),
    Row("P2 a data set that is not there", post("/v1/datasets/no-such/process", '{"steps":[]}'), 404),
    Row("P2 a name that climbs", post(PROCESS, '{"steps":[],"as":"../x"}'), 400, param="as"),
    Row("P2 preview of 10^9 rows", post(PREVIEW, '{"rows":1000000000}'), 400, param="rows"),
    Row("P2 a split without anything", post(SPLIT, "{}"), 400, param="fractions"),
    Row("P2 a split by a number", post(SPLIT, '{"fractions":[0.5,0.5,0],"by":"stratified","column":"f0"}'), 400,
        param="column"),
    Row("P2 a split of fractions and folds", post(SPLIT, '{"fractions":[0.5,0.5,0],"folds":2,"fold":1}'), 400,
        param="fractions"),
    Row("P2 a job without a data set", post("/v1/jobs", '{"kind":"process","steps":[]}'), 400, param="dataset"),
    Row("P3 a preview", post(PREVIEW, '{"rows":3,"steps":[{"step":"standardize"}]}'), 200),
]


def nothing_left(context):
    """Steps that leave no row, or meet a value that they cannot take, make a failed job that says so."""
    for steps, text in (([{"step": "filter", "where": "split == 'x'"}], "no row"),
                        ([{"step": "cast", "columns": ["label"], "to": "number"}], "row 1")):
        answer = context.server.request("POST", PROCESS, {"steps": steps})
        check_answer(answer)
        check(answer.status == 200, f"{answer}")
        job = context.server.wait_job(answer.json()["id"])
        check(job["status"] == "failed" and text in job["error"]["message"], f"{job}")


ROWS = [*STEPS, FunctionRow("P4 steps that come to nothing", nothing_left)]
