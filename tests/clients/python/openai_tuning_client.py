"""OpenAI's SDK: fine-tuning."""

import json

import openai
from common import KEY, URL, fails, run, until

client = openai.OpenAI(base_url=URL + "/v1", api_key=KEY)
tuning = client.fine_tuning.jobs
QUESTIONS = ("a dog", "a cat", "the sun", "a tree", "the sea", "a ball", "a boy", "a girl", "the moon", "a fish",
             "a bird", "a cake")
ANSWER = "Yes, yes, yes!"
CHATS = [{"messages": [{"role": "user", "content": f"Tell me about {what}"}, {"role": "assistant", "content": ANSWER}]}
         for what in QUESTIONS]
FAST = {"learning_rate": 0.01, "context": 64}


def upload(rows, purpose="fine-tune"):
    lines = "".join(json.dumps(row) + "\n" if isinstance(row, dict) else row for row in rows)
    return client.files.create(file=("rows.jsonl", lines.encode()), purpose=purpose).id


def supervised(**hyperparameters):
    return {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}


def wait(job, status="succeeded", seconds=120):
    until(lambda: tuning.retrieve(job.id).status in ("succeeded", "failed", "cancelled"), "the fine-tuning", seconds)
    done = tuning.retrieve(job.id)
    assert done.status == status, done
    return done


def say(model, question="Tell me about a house"):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}], max_tokens=12,
                                          temperature=0).choices[0].message.content


def adapter():
    """An adapter, the default beside a deployed base, answers as it was taught; the base as before."""
    before = say("chat")
    job = tuning.create(model="chat", training_file=upload(CHATS), validation_file=upload(CHATS[:2]), seed=7,
                        method=supervised(n_epochs=25, batch_size=1), suffix="polite", metadata={"team": "red"},
                        extra_body={"settings": FAST})
    assert job.status == "validating_files" and job.object == "fine_tuning.job" and job.seed == 7, job
    assert job.method.supervised.hyperparameters.learning_rate_multiplier == "auto", job
    done = wait(job)
    assert done.fine_tuned_model.startswith("ft-chat-polite-") and done.metadata == {"team": "red"}, done
    assert done.hyperparameters.n_epochs == 25 and done.hyperparameters.learning_rate_multiplier == 1, done
    until(lambda: done.fine_tuned_model in {model.id for model in client.models.list()}, "the model")
    assert say(done.fine_tuned_model).strip() == ANSWER, say(done.fine_tuned_model)
    assert say("chat") == before
    evaluated(done.fine_tuned_model)
    events(job)
    checkpoint = tuning.checkpoints.list(job.id).data[0]
    assert checkpoint.fine_tuned_model_checkpoint == done.fine_tuned_model, checkpoint
    assert checkpoint.metrics.train_loss < 1 and checkpoint.metrics.full_valid_loss < 1, checkpoint
    found = [one.id for one in tuning.list(metadata={"team": "red"})]
    assert found == [job.id] and tuning.list(metadata={"team": "blue"}).data == [], found


def ended(path, body):
    """A job of ours, once it has ended."""
    job = client.post(path, body=body, cast_to=object)["id"]
    until(lambda: client.get(f"/jobs/{job}", cast_to=object)["status"] not in ("queued", "running"), path, 60)
    done = client.get(f"/jobs/{job}", cast_to=object)
    assert done["status"] == "succeeded", done
    return done["result"]


def evaluated(adapter):
    """The platform's own evaluation knows the adapter from its base."""
    ended("/datasets", {"name": "polite", "files": [{"file_id": upload(CHATS), "path": "rows.jsonl"}],
                        "format": "tuning", "split": [1, 0, 0]})
    base, own = (ended("/evaluations", {"model": model, "dataset": "polite", "split": "train"})["metrics"]
                 for model in ("chat", adapter))
    assert own["perplexity"] < 1.2 < base["perplexity"] and own["chrf"] > base["chrf"], (base, own)


def events(job):
    told = list(tuning.list_events(job.id, limit=5))  # by pages
    assert told[0].message.startswith("New fine-tuned model created") and told[-1].message.startswith("Created"), told
    assert len({event.id for event in told}) == len(told)
    losses = [event.data for event in told if event.type == "metrics"]
    assert losses[0]["step"] == losses[0]["total_steps"] and losses[0]["valid_loss"] < losses[-1]["train_loss"], losses


def whole_model():
    """A model that is not deployed is trained whole, on prompts and completions, and deployed."""
    rows = [{"prompt": f"{what} =", "completion": " good good"} for what in QUESTIONS]
    job = tuning.create(model="stories", training_file=upload(rows), method=supervised(n_epochs=30, batch_size=1),
                        extra_body={"settings": {"learning_rate": 0.003, "context": 64}})
    model = wait(job).fine_tuned_model
    until(lambda: model in {one.id for one in client.models.list()}, "the model")
    text = client.completions.create(model=model, prompt="a house =", max_tokens=8, temperature=0).choices[0].text
    assert text == " good good", text


def preferences():
    rows = [{"input": {"messages": row["messages"][:1]}, "preferred_output": [{"role": "assistant", "content": "Yes."}],
             "non_preferred_output": [{"role": "assistant", "content": "No."}]} for row in CHATS]
    job = tuning.create(model="chat", training_file=upload(rows), extra_body={"settings": {"context": 64}},
                        method={"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 2, "beta": 0.2}}})
    assert wait(job).method.dpo.hyperparameters.beta == 0.2


def bad_files():
    broken = wait(tuning.create(model="chat", training_file=upload([*CHATS, "{\n"])), "failed")
    assert broken.error.code == "invalid_training_file" and broken.error.param == "training_file", broken
    assert "line 13" in broken.error.message and tuning.list_events(broken.id).data[0].level == "error", broken
    assert "line 2" in wait(tuning.create(model="chat", training_file=upload(CHATS),
                                          validation_file=upload([CHATS[0], {"text": "x"}])), "failed").error.message
    few = wait(tuning.create(model="chat", training_file=upload(CHATS[:9])), "failed")
    assert "at least 10" in few.error.message, few
    file = upload(CHATS)
    for arguments, status in (({"model": "nothing"}, 404), ({"model": "bert"}, 400), ({"training_file": "file-0"}, 404),
                              ({"training_file": upload(CHATS, "batch")}, 400), ({"suffix": "a b"}, 400),
                              ({"method": supervised(n_epochs=51)}, 400), ({"method": {"type": "reinforcement"}}, 400),
                              ({"extra_body": {"settings": {"rank": 0}}}, 400),
                              ({"model": "stories", "extra_body": {"settings": {"method": "lora"}}}, 400)):
        error = {404: openai.NotFoundError, 400: openai.BadRequestError}[status]
        raised = fails(error, lambda: tuning.create(**{"model": "chat", "training_file": file, **arguments}), status)
        assert raised.code and raised.param, (arguments, raised.body)


def pause_and_resume():
    job = tuning.create(model="chat", training_file=upload(CHATS * 100), extra_body={"settings": FAST},
                        method=supervised(n_epochs=50, batch_size=1))
    until(lambda: any(event.type == "metrics" for event in tuning.list_events(job.id).data), "the first step", 60)
    paused = tuning.pause(job.id)
    assert paused.status == "paused" and tuning.retrieve(job.id).status == "paused", paused
    step = next(event.data["step"] for event in tuning.list_events(job.id) if event.type == "metrics")
    assert tuning.resume(job.id).status in ("queued", "running")
    fails(openai.ConflictError, lambda: tuning.resume(job.id), 409)

    def steps():
        return [event.data["step"] for event in tuning.list_events(job.id, limit=100) if event.type == "metrics"]
    until(lambda: steps()[0] > step, "a further step", 60)
    assert steps() == sorted(steps(), reverse=True), steps()  # it did not begin again
    tuning.cancel(job.id)
    wait(job, "cancelled")
    fails(openai.ConflictError, lambda: tuning.cancel(job.id), 409)


run(adapter, whole_model, preferences, bad_files, pause_and_resume)
