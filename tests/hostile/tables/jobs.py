"""Jobs and trainings (catalogue C9, C10), lists, deployments that cannot be."""

import json

from hostile.harness import FunctionRow, Row, check, check_answer, get, post

SETTINGS = {
    "learning_rate": [1e30, -1, 0, "fast", [], True], "epochs": [10**9, 0, -1, 1.5, "many"],
    "batch_size": [0, -1, 10**12, 0.5], "dropout": [1, -0.1, 2, "x"], "optimizer": ["magic", 1], "loss": ["magic"],
    "momentum": [-1, 2], "l1": [-1], "l2": [-1, 1e300], "weight_decay": [-1], "schedule": ["zigzag"],
    "gradient_clip": [-1], "early_stopping": [-1, 0.5], "validation": [1, -0.1, 5], "seed": [-1, "x", 1.5],
    "precision": ["fp4"], "activation": ["magic", 7], "batch_norm": ["maybe", 2],
    "layers": ["0", "-5", "1000000000", "conv32x3", "dense", "x" * 100000, [0], [10**9], [{"type": "magic"}],
               [{}], {"a": 1}, ",".join(["64"] * 10000), 1.5],
    "colour": ["red"], "__proto__": [{}], "input_size": [[0, 0], [10**6, 10**6], "big", [8]], "channels": [2, -1, 1000],
}


def train(settings, **more):
    body = {"kind": "train", "family": "mlp", "dataset": "hostile-rows", "model": "hostile-c10", "settings": settings}
    return post("/v1/jobs", json.dumps({**body, **more}))


def settings_rows():
    for key, values in SETTINGS.items():
        for value in values:
            yield Row(f"C10 {key} = {json.dumps(value)[:24]}", train({key: value}), 400, text=key)


QUERIES = ["limit=0", "limit=10001", "limit=-1", "limit=x", "limit=1.5", "limit=99999999999999999999", "order=sideways",
           "limit=%00", "limit="]


def list_rows():
    for path in ("/v1/jobs", "/v1/datasets", "/v1/registry/models", "/v1/files", "/v1/evaluations"):
        for query in QUERIES:
            yield Row(f"L1 {path}?{query}", get(f"{path}?{query}"), 400)
        yield Row(f"L2 {path} after what is not there", get(f"{path}?after=no-such"), {200, 400, 404})


MISSING = [
    ("GET", "/v1/jobs/job_no-such"), ("POST", "/v1/jobs/job_no-such/cancel"), ("POST", "/v1/jobs/job_no-such/resume"),
    ("GET", "/v1/jobs/job_no-such/log"), ("GET", "/v1/jobs/job_no-such/events"), ("GET", "/v1/files/file-no-such"),
    ("DELETE", "/v1/files/file-no-such"), ("GET", "/v1/uploads/upload_no-such"), ("GET", "/v1/datasets/no-such"),
    ("DELETE", "/v1/datasets/no-such"), ("GET", "/v1/datasets/hostile-rows/versions/99"),
    ("GET", "/v1/registry/models/no-such"), ("DELETE", "/v1/registry/models/no-such"),
    ("GET", "/v1/registry/models/hostile-mlp/versions/99"), ("GET", "/v1/registry/models/hostile-mlp/versions/1/files/x"),
    ("DELETE", "/v1/registry/models/hostile-mlp/aliases/no-such"), ("GET", "/v1/evaluations/eval_no-such"),
    ("GET", "/v1/deployments/no-such"), ("DELETE", "/v1/deployments/no-such"), ("POST", "/v1/deployments/no-such/rollback"),
    ("DELETE", "/v1/keys/key_no-such"), ("GET", "/v1/models/no-such"),
]


def missing_row(method, target):
    def build(context):
        return context.server.head(method, target, length=None if method == "GET" else 0)

    return Row(f"L3 {method} {target}", build, 404)


REFERENCES = [
    Row("L4 train on a data set that is not there", train({}, dataset="no-such"), 404),
    Row("L4 train on a version that is not there", train({}, dataset="hostile-rows@99"), 404),
    Row("L4 train cnn on a table", train({}, family="cnn"), 400),
    Row("L4 evaluate a model that is not there",
        post("/v1/evaluations", '{"model":"no-such","dataset":"hostile-rows"}'), 404),
    Row("L4 evaluate on other columns",
        post("/v1/evaluations", '{"model":"hostile-mlp","dataset":"hostile-pictures"}'), {200, 400, 409}),
    Row("L4 deploy a version that is not there", post("/v1/deployments", '{"model":"hostile-mlp@99","name":"x"}'), 404),
    Row("L4 deploy an alias that is not there", post("/v1/deployments", '{"model":"hostile-mlp@gone","name":"x"}'), 404),
    Row("L4 predict by what is not there", post("/v1/predict", '{"model":"no-such","inputs":[[1,2,3,4]]}'), 404),
    Row("L4 events after -1", get("/v1/jobs/@JOB@/events?after=-1"), 400),
    Row("L4 events after text", get("/v1/jobs/@JOB@/events?after=x"), 400),
]


def unlearnable(rows):
    """C9: a target that says nothing. Refused at once, or a job that fails with a reason."""

    def run(context):
        name = context.fresh_name()
        context.server.run_job("/v1/datasets", {"name": name, "target": "label", "task": "classification", "files": [
            {"file_id": context.server.upload("one.csv", ("a,b,label\n" + rows).encode())}]})
        answer = context.server.request("POST", "/v1/jobs", {"kind": "train", "family": "mlp", "dataset": name,
                                                            "model": "hostile-c9", "settings": {}})
        check_answer(answer)
        if answer.status == 400:
            return
        check(answer.status == 200, f"{answer}")
        job = context.server.wait_job(answer.json()["id"])
        check(job["status"] == "failed" and job["error"]["message"], f"a training on nothing: {job}")

    return run


def finished_jobs(context):
    """A job that has ended can be neither cancelled nor, where it succeeded, resumed."""
    for action in ("cancel", "resume"):
        answer = context.server.request("POST", f"/v1/jobs/{context.job_id}/{action}", b"")
        check(answer.status == 409, f"{action} of a finished job: {answer}")
        check_answer(answer)


def diverging(context):
    """The largest rate that is taken must end in a failed job or in finite metrics, never in NaN."""
    body = {"kind": "train", "family": "mlp", "dataset": "hostile-rows", "model": "hostile-diverging",
            "settings": {"learning_rate": 10, "optimizer": "sgd", "epochs": 3}}
    answer = context.server.request("POST", "/v1/jobs", body)
    check_answer(answer)
    if answer.status != 200:
        return
    job = context.server.wait_job(answer.json()["id"])
    check(job["status"] in ("failed", "succeeded"), f"{job['status']}")
    check("NaN" not in json.dumps(job), f"a job with NaN: {job}")


def cancel_and_resume(context):
    """Cancelling a running training leaves a cancelled job, and the next job runs."""
    body = {"kind": "train", "family": "mlp", "dataset": "hostile-rows", "model": "hostile-cancel",
            "settings": {"epochs": 10000, "batch_size": 1}}
    answer = context.server.request("POST", "/v1/jobs", body)
    check(answer.status == 200, f"{answer}")
    job_id = answer.json()["id"]
    check(context.server.request("POST", f"/v1/jobs/{job_id}/cancel", b"").status == 200, "cancel is refused")
    job = context.server.wait_job(job_id, 30)
    check(job["status"] == "cancelled", f"the job is {job['status']}")
    check(context.server.request("GET", "/v1/registry/models/hostile-cancel").status == 404, "a cancelled model is listed")


ROWS = [
    *settings_rows(),
    *list_rows(),
    *[missing_row(method, target) for method, target in MISSING],
    *REFERENCES,
    FunctionRow("C9 one class only", unlearnable("".join(f"{i},{i * 2},only\n" for i in range(40)))),
    FunctionRow("C9 a target that is always missing", unlearnable("".join(f"{i},{i * 2},\n" for i in range(40)))),
    FunctionRow("C9 one row", unlearnable("1,2,x\n")),
    FunctionRow("C10 a rate at which nothing is learned", diverging),
    FunctionRow("C11 finished jobs", finished_jobs),
    FunctionRow("C11 cancelling", cancel_and_resume),
]
