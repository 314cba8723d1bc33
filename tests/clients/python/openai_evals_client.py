"""OpenAI's SDK: evals."""

import json

import openai
from common import KEY, URL, fails, run, until

client = openai.OpenAI(base_url=URL + "/v1", api_key=KEY)
SCHEMA = {"type": "object", "properties": {"question": {"type": "string"}, "answer": {"type": "string"}}}
SAME = {"type": "string_check", "name": "same", "operation": "eq", "input": "{{sample.output_text}}",
        "reference": "{{item.answer}}"}
CLOSE = {"type": "text_similarity", "name": "close", "evaluation_metric": "rouge_l", "pass_threshold": 0.4,
         "input": "{{sample.output_text}}", "reference": "{{item.answer}}"}


def create(**changes):
    return client.evals.create(**{"name": "stories", "testing_criteria": [SAME, CLOSE], "metadata": {"team": "red"},
                                  "data_source_config": {"type": "custom", "item_schema": SCHEMA}, **changes})


def ended(started):
    until(lambda: client.evals.runs.retrieve(started.id, eval_id=started.eval_id).status != "in_progress", "the run")
    return client.evals.runs.retrieve(started.id, eval_id=started.eval_id)


def evals():
    made = create()
    assert made.object == "eval" and made.data_source_config.schema_["properties"]["item"] == SCHEMA, made
    assert client.evals.retrieve(made.id).to_dict() == made.to_dict()
    assert client.evals.update(made.id, name="tales").name == "tales"
    assert made.id in {one.id for one in client.evals.list(limit=1)}
    assert client.evals.delete(made.id).deleted
    fails(openai.NotFoundError, lambda: client.evals.retrieve(made.id), 404)


def asks_a_model():
    """Of what a greedy model says twice the same holds."""
    questions = [f"Tell me about {what}" for what in ("a dog", "a cat", "the sun", "a tree", "the sea", "a ball")]
    sampling = {"temperature": 0, "max_completion_tokens": 12}
    said = [client.chat.completions.create(model="chat", messages=[{"role": "user", "content": question}],
                                           **sampling).choices[0].message.content for question in questions]
    rows = [{"item": {"question": question, "answer": answer}} for question, answer in zip(questions, said)]
    rows[0]["item"]["answer"] = "no such thing"
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    file = client.files.create(file=("rows.jsonl", data), purpose="evals")
    made = create()
    started = client.evals.runs.create(made.id, name="greedy", data_source={
        "type": "completions", "model": "chat", "source": {"type": "file_id", "id": file.id}, "sampling_params": sampling,
        "input_messages": {"type": "template", "template": [{"role": "user", "content": "{{item.question}}"}]}})
    assert started.object == "eval.run" and started.status in ("in_progress", "completed"), started
    done = ended(started)
    counts = done.result_counts
    assert done.status == "completed" and (counts.total, counts.passed, counts.failed) == (6, 5, 1), done
    same = next(one for one in done.per_testing_criteria_results if one.testing_criteria == "same")
    assert (same.passed, same.failed) == (5, 1), done
    usage = done.per_model_usage[0]
    assert usage.model_name == "chat" and usage.invocation_count == 6 and usage.completion_tokens > 6, usage
    items = list(client.evals.runs.output_items.list(done.id, eval_id=made.id, limit=4))
    assert [item.datasource_item for item in items] == [row["item"] for row in rows], items
    assert items[1].sample.output[0].content == said[1] and items[1].results[0].passed, items[1]
    failed = list(client.evals.runs.output_items.list(done.id, eval_id=made.id, status="fail"))
    assert [item.id for item in failed] == [items[0].id], failed
    assert client.evals.runs.output_items.retrieve(items[0].id, eval_id=made.id, run_id=done.id).status == "fail"
    assert [one.id for one in client.evals.runs.list(made.id, status="completed")] == [done.id]
    assert client.evals.runs.delete(done.id, eval_id=made.id).deleted


def grades_what_is_given():
    made = create()
    rows = [{"item": {"answer": "the cat sat"}, "sample": {"output_text": text}} for text in ("the cat sat", "a dog")]
    done = ended(client.evals.runs.create(made.id, data_source={
        "type": "jsonl", "source": {"type": "file_content", "content": rows}}))
    assert (done.result_counts.passed, done.result_counts.failed) == (1, 1), done


def cancels():
    made = create()
    rows = [{"item": {"question": f"Tell me {i}", "answer": "x"}} for i in range(5000)]
    started = client.evals.runs.create(made.id, data_source={
        "type": "completions", "model": "chat", "source": {"type": "file_content", "content": rows},
        "sampling_params": {"max_completion_tokens": 50},
        "input_messages": {"type": "template", "template": [{"role": "user", "content": "{{item.question}}"}]}})
    client.evals.runs.cancel(started.id, eval_id=made.id)
    done = ended(started)
    assert done.status == "canceled" and done.result_counts.errored == 0, done
    fails(openai.ConflictError, lambda: client.evals.runs.cancel(started.id, eval_id=made.id), 409)


def refuses():
    for changes in ({"testing_criteria": []}, {"testing_criteria": [{**SAME, "operation": "is"}]},
                    {"testing_criteria": [{**CLOSE, "evaluation_metric": "meteor"}]},
                    {"data_source_config": {"type": "logs"}}):
        raised = fails(openai.BadRequestError, lambda: create(**changes), 400)
        assert raised.param, raised.body
    made = create()
    bad = client.files.create(file=("rows.jsonl", b'{"item": {}}\n{"item": 1}\n'), purpose="evals")
    for source, status in (({"type": "file_id", "id": bad.id}, 400), ({"type": "file_id", "id": "file-0"}, 404)):
        error = {404: openai.NotFoundError, 400: openai.BadRequestError}[status]
        raised = fails(error, lambda: client.evals.runs.create(made.id, data_source={"type": "jsonl", "source": source}),
                       status)
        assert status == 404 or "line 2" in raised.message, raised


run(evals, asks_a_model, grades_what_is_given, cancels, refuses)
