"""Open Inference Protocol (catalogue V). Errors are {"error": "..."}."""

import json

from hostile.harness import FunctionRow, Row, check, check_answer, get, post

INFER = "/v2/models/hostile-mlp/infer"


def infer(name, change, statuses=400, target=INFER, headers=None):
    """A good request, changed. The names of the inputs come from the model's metadata."""

    def build(context):
        body = json.dumps(change(context.infer_request())).encode()
        return context.post(target, body, headers)

    return Row(name, build, statuses, shape="kserve")


def put(**values):
    def change(request):
        for tensor in request["inputs"][:1]:
            tensor.update(values)
        return request

    return change


def top(**values):
    return lambda request: {**request, **values}


def good(context):
    answer = context.server.request("POST", INFER, context.infer_request())
    check(answer.status == 200, f"a good request is refused: {answer}")
    check_answer(answer)
    check(answer.json()["outputs"], "no outputs")


SHAPES = {"a product that does not fit": [1, 5], "a negative dimension": [-1, 4], "two negative dimensions": [-1, -4],
          "no dimensions": [], "a zero": [0, 4], "an overflowing product": [2**32, 2**32], "2^63": [2**63, 1],
          "a fraction": [1.5, 4], "a text": ["1", "4"], "not a list": "1,4", "null": None,
          "65,536 dimensions": [1] * 65536}

DATA = {"too few": [1, 2, 3], "too many": [1] * 50, "texts": ["a", "b", "c", "d"], "null": None, "a number": 5,
        "an object": {}, "ragged": [[1, 2], [3]], "booleans": [True, False, True, False], "beyond float": [1e39, 0, 0, 0],
        "empty": []}

ROWS = [
    FunctionRow("V0 a good request", good),
    *[infer(f"V2 shape: {name}", put(shape=shape)) for name, shape in SHAPES.items()],
    *[infer(f"V2 data: {name}", put(data=data)) for name, data in DATA.items()],
    *[infer(f"V2 datatype {datatype}", put(datatype=datatype)) for datatype in ("FP99", "", 5, None, "fp32", "BYTES")],
    infer("V3 no inputs", top(inputs=[])),
    infer("V3 inputs that are no list", top(inputs={})),
    infer("V3 no such input", put(name="no-such")),
    infer("V3 an input without a name", put(name=None)),
    infer("V3 an input twice", lambda request: {**request, "inputs": request["inputs"] + request["inputs"][:1]}),
    infer("V3 an output that is not there", top(outputs=[{"name": "no-such"}])),
    infer("V3 an output twice", lambda request: {**request, "outputs": [{"name": "probabilities"}] * 2}, {200, 400}),
    infer("V3 an id that is no text", top(id=5)),
    infer("V3 an id of 1 MiB", top(id="i" * (1 << 20)), {200, 400}),
    infer("V5 a header length that lies", top(), headers={"Inference-Header-Content-Length": "99999999"}),
    infer("V5 a header length of text", top(), headers={"Inference-Header-Content-Length": "x"}),
    infer("V5 binary data that is not sent", put(parameters={"binary_data_size": 16}, data=[])),
    infer("V6 an unknown model", top(), 404, "/v2/models/no-such/infer"),
    *[infer(f"V6 version {version}", top(), {400, 404}, f"/v2/models/hostile-mlp/versions/{version}/infer")
      for version in ("0", "-1", "99", "x", "%2e%2e", "1.0", "99999999999999999999")],
    *[Row(f"V6 {target}", get(target), {400, 404}, shape="kserve")
      for target in ("/v2/models/no-such", "/v2/models/no-such/ready", "/v2/models/%2e%2e", "/v2/models/a%2fb",
                     "/v2/models/hostile-mlp/versions/99", "/v2/nothing", "/v2/health/dead")],
    Row("V7 no JSON", post(INFER, b"{"), 400, shape="kserve"),
    Row("V7 an empty body", post(INFER, b""), 400, shape="kserve"),
    Row("V7 a list", post(INFER, b"[]"), 400, shape="kserve"),
    Row("V7 deep nesting", post(INFER, b'{"inputs":' + b"[" * 100000), 400, shape="kserve"),
    Row("V7 no key", get("/v2/models", key=None), 401, shape="kserve"),
]
