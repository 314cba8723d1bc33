#!/usr/bin/env python3
"""Records what other implementations give for the metrics, as src/learning/metrics/testdata/*.json. By hand:

    python3 -m venv V && V/bin/pip install numpy scipy scikit-learn seqeval sacrebleu rouge-score jiwer fairlearn
    V/bin/python tests/golden/metrics.py
"""
import collections
import itertools
import json
import pathlib
import random
import re
import string

import jiwer
import numpy as np
import sacrebleu
import scipy.stats
import sklearn.metrics
from fairlearn import metrics as fair
from rouge_score import rouge_scorer
from sacrebleu import significance
from sacrebleu.metrics import BLEU, CHRF
from seqeval import metrics as seqeval

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "src/learning/metrics/testdata"

ENGLISH = [
    ("The cat sat on the mat.", ["The cat is sitting on the mat.", "There is a cat on the mat."]),
    ("He paid $3,000.50 for it - a bargain!", ["He paid $3,000.50 for it: quite a bargain.", "It cost him $3,000.50."]),
    ("In 2015-2016, prices rose 4.5%.", ["Prices rose by 4.5% in 2015-2016.", "In 2015-16 prices rose 4,5 %."]),
    ("\"Don't,\" she said, &quot;go there&quot; &amp; left.", ["\"Do not go there\", she said & left.", "Don't go."]),
    ("hello", ["hello world, how are you today?", "hello"]),
    ("A completely unrelated sentence about trains", ["The weather in Paris is fine (mostly).", "Sunny all day."]),
    ("It isn't far: 3.5 km/h, e.g. 10:30a.m. [sic] {ok} ~x^y_z|w", ["It is not far: 3.5 km/h, e.g. 10:30 a.m. [sic].",
                                                                    "3.5 km/h is slow; 10:30."]),
    ("The the the the the the the", ["The cat is on the mat.", "There is the cat."]),
    ("Na\u00efve caf\u00e9 \u2014 \u201cquoted\u201d text\u2026 \u00a35 \u20ac7 \u00bd", ["Naive caf\u00e9 - \"quoted\" text... \u00a35 \u20ac7 1/2", "A caf\u00e9."]),
    ("", ["An empty answer is possible.", "Nothing."]),
]
CHINESE = [
    ("\u6211\u975e\u5e38\u559c\u6b22\u8fd9\u4e2a\u7535\u5f71\u3002", ["\u6211\u5f88\u559c\u6b22\u8fd9\u90e8\u7535\u5f71\u3002", "\u8fd9\u4e2a\u7535\u5f71\u6211\u975e\u5e38\u559c\u6b22\uff01"]),
    ("\u8fd9\u4e2a\u7535\u5f71\u771f\u7684\u5f88\u7cdf\u7cd5\uff0c\u522b\u53bb\u770b\u3002", ["\u8fd9\u90e8\u7535\u5f71\u7cdf\u900f\u4e86\uff0c\u4e0d\u8981\u53bb\u770b\u3002", "\u7cdf\u7cd5\u7684\u7535\u5f71\u3002"]),
    ("2023\u5e74\uff0c\u4ef7\u683c\u4e0a\u6da8\u4e863.5%\uff08\u7ea6100\u5143\uff09\u3002", ["2023\u5e74\u4ef7\u683c\u4e0a\u6da83.5%\uff0c\u7ea6100\u5143\u3002", "\u4ef7\u683c\u6da8\u4e86\u3002"]),
    ("\u4ed6\u7528iPhone 15 Pro\u62cd\u4e86\u4e00\u5f20\u7167\u7247\u2026\u2026", ["\u4ed6\u7528 iPhone 15 Pro \u62cd\u7167\u7247\u3002", "\u4ed6\u62cd\u4e86\u7167\u7247\u2026\u2026"]),
    ("\u201c\u4f60\u597d\u201d\uff0c\u5979\u8bf4\u2014\u2014\u7136\u540e\u79bb\u5f00\u4e86\u3002", ["\u5979\u8bf4\u201c\u4f60\u597d\u201d\uff0c\u7136\u540e\u8d70\u4e86\u3002", "\u300a\u4f60\u597d\u300b"]),
    ("\U00020000\u662f\u4e00\u4e2a\u7f55\u89c1\u5b57\u2460", ["\U00020000\u662f\u7f55\u89c1\u7684\u5b57\u2461", "\u7f55\u89c1\u5b57"]),
]
LABELS = "O B-PER I-PER E-PER S-PER B-LOC I-LOC E-LOC S-LOC B I".split()


def without_space(text):
    return re.sub(r"([\u3400-\u9fff\U00020000-\U0002ffff])", r" \1 ", text.lower())


class CharacterTokens:
    """Each ideograph a token, the rest as the default tokeniser."""
    def tokenize(self, text):
        return re.findall(r"[a-z0-9]+|[\u3400-\u9fff\U00020000-\U0002ffff]", text.lower())


def bleu_variants():
    for tokenize in ("13a", "zh", "char", "intl", "none"):
        yield dict(tokenize=tokenize)
    for smooth, value in (("none", None), ("floor", None), ("floor", 0.01), ("add-k", None), ("add-k", 2.0)):
        yield dict(tokenize="13a", smooth_method=smooth, smooth_value=value)
    yield dict(tokenize="13a", effective_order=True)
    yield dict(tokenize="intl", lowercase=True)


def bleu_cases(pairs):
    hypotheses = [hypothesis for hypothesis, _ in pairs]
    streams = [list(stream) for stream in zip(*[references for _, references in pairs])]
    for options in bleu_variants():
        for count in (1, 2):
            scorer = BLEU(**options)
            corpus = scorer.corpus_score(hypotheses, streams[:count])
            sentences = [scorer.sentence_score(h, r[:count]).score for h, r in pairs]
            yield dict(options=options, references=count, score=corpus.score, precisions=corpus.precisions,
                       brevity_penalty=corpus.bp, sentences=sentences)


def chrf_cases(pairs):
    hypotheses = [hypothesis for hypothesis, _ in pairs]
    streams = [list(stream) for stream in zip(*[references for _, references in pairs])]
    for word_order, lowercase, count in itertools.product((0, 2), (False, True), (1, 2)):
        scorer = CHRF(word_order=word_order, lowercase=lowercase)
        yield dict(word_order=word_order, lowercase=lowercase, references=count,
                   score=scorer.corpus_score(hypotheses, streams[:count]).score,
                   sentences=[scorer.sentence_score(h, r[:count]).score for h, r in pairs])


def squad(text):
    """The official SQuAD 1.1 normalisation, with Chinese characters as tokens."""
    text = "".join(c for c in without_space(text) if c not in set(string.punctuation) | set("\uff0c\u3002\uff01\uff08\uff09\u201c\u201d\u2026\u2014\u300a\u300b"))
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def squad_f1(reference, prediction):
    wanted, given = squad(reference), squad(prediction)
    if not wanted or not given:
        return float(wanted == given)
    same = sum((collections.Counter(wanted) & collections.Counter(given)).values())
    return 0.0 if same == 0 else 2 * same / (len(wanted) + len(given))


def rouge_cases(pairs):
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"],
                                      tokenizer=None if pairs is ENGLISH else CharacterTokens())
    for hypothesis, references in pairs:
        scores = scorer.score(references[0], hypothesis)
        yield dict({name: list(score) for name, score in scores.items()}, answer_f1=squad_f1(references[0], hypothesis),
                   exact=squad(references[0]) == squad(hypothesis))


def edit_cases(pairs):
    pairs = [(references[0], hypothesis) for hypothesis, references in pairs]
    references, hypotheses = map(list, zip(*pairs))
    return dict(wer=jiwer.wer(references, hypotheses), cer=jiwer.cer(references, hypotheses),
                words=[jiwer.wer(r, h) for r, h in pairs], characters=[jiwer.cer(r, h) for r, h in pairs])


def generation():
    return {name: dict(pairs=pairs, bleu=list(bleu_cases(pairs)), chrf=list(chrf_cases(pairs)),
                       rouge=list(rouge_cases(pairs)), edits=edit_cases(pairs))
            for name, pairs in (("english", ENGLISH), ("chinese", CHINESE))}


def probabilities(rng, rows, classes, sharpness):
    truth = rng.integers(0, classes, rows)
    logits = rng.normal(size=(rows, classes)) + sharpness * np.eye(classes)[truth]
    exponents = np.exp(logits)
    return truth, np.round((exponents / exponents.sum(1, keepdims=True)).astype(np.float32), 3)


def calibration_error(truth, scores, bins=15):
    confidence, right = scores.max(1).astype(np.float64), scores.argmax(1) == truth
    place = np.clip(np.ceil(confidence * bins) - 1, 0, bins - 1).astype(int)
    return float(sum(abs(right[place == b].sum() - confidence[place == b].sum()) for b in range(bins)) / len(truth))


def classification_case(rng, rows, classes, sharpness):
    truth, scores = probabilities(rng, rows, classes, sharpness)
    scores = (scores / scores.sum(1, keepdims=True)).astype(np.float32)
    predicted = scores.argmax(1)
    m = sklearn.metrics
    expected = dict(balanced_accuracy=m.balanced_accuracy_score(truth, predicted),
                    mcc=m.matthews_corrcoef(truth, predicted), cohen_kappa=m.cohen_kappa_score(truth, predicted),
                    log_loss=m.log_loss(truth, scores, labels=range(classes)),
                    calibration_error=calibration_error(truth, scores))
    one_hot = np.eye(classes)[truth]
    if classes == 2:
        expected |= dict(roc_auc=m.roc_auc_score(truth, scores[:, 1]), brier=m.brier_score_loss(truth, scores[:, 1]),
                         pr_auc=m.average_precision_score(truth, scores[:, 1]))
    else:
        expected["brier"] = float(np.mean(np.sum((scores.astype(np.float64) - one_hot) ** 2, axis=1)))
        for average in ("macro", "weighted"):
            expected["roc_auc_" + average] = m.roc_auc_score(truth, scores, multi_class="ovr", average=average)
            expected["pr_auc_" + average] = m.average_precision_score(one_hot, scores, average=average)
    return dict(classes=classes, truth=truth.tolist(), scores=scores.flatten().tolist(), expected=expected)


def regression_case(rng, rows):
    truth = np.round(rng.normal(50, 10, rows), 3)
    predicted = np.round(truth + rng.normal(1, 4, rows), 3)
    m = sklearn.metrics
    history = np.round(np.sin(np.arange(60) * 2 * np.pi / 12) * 5 + rng.normal(50, 1, 60), 3)
    naive = np.mean(np.abs(history[12:] - history[:-12]))
    return dict(truth=truth.tolist(), predicted=predicted.tolist(), history=history.tolist(), season=12,
                mase=float(np.mean(np.abs(truth - predicted)) / naive),
                expected=dict(mse=m.mean_squared_error(truth, predicted), mae=m.mean_absolute_error(truth, predicted),
                              r2=m.r2_score(truth, predicted), mape=m.mean_absolute_percentage_error(truth, predicted),
                              median_absolute_error=m.median_absolute_error(truth, predicted),
                              explained_variance=m.explained_variance_score(truth, predicted),
                              smape=float(np.mean(2 * np.abs(truth - predicted) / (np.abs(truth) + np.abs(predicted))))))


def tagging_case(rng, sentences, labels):
    truth = [[rng.choice(labels) for _ in range(rng.randint(1, 9))] for _ in range(sentences)]
    predicted = [[tag if rng.random() < 0.7 else rng.choice(labels) for tag in tags] for tags in truth]
    report = seqeval.classification_report(truth, predicted, output_dict=True, zero_division=0)
    types = sorted(set(report) - {"micro avg", "macro avg", "weighted avg"})
    return dict(truth=truth, predicted=predicted, token_accuracy=seqeval.accuracy_score(truth, predicted),
                micro=report["micro avg"], macro_f1=report["macro avg"]["f1-score"],
                weighted_f1=report["weighted avg"]["f1-score"],
                types={name: report[name] for name in types}, entities=[seqeval.sequence_labeling.get_entities(tags)
                                                                        for tags in truth])


def ranking_case(rng, queries, results):
    relevance = rng.integers(0, 4, (queries, results)) * (rng.random((queries, results)) < 0.3)
    relevance[:, 0] += relevance.sum(1) == 0
    scores = np.round(rng.permuted(np.linspace(0, 1, results)[None, :].repeat(queries, 0), axis=1), 4)
    m = sklearn.metrics
    return dict(relevance=relevance.tolist(), scores=scores.tolist(),
                ndcg_at_5=m.ndcg_score(relevance, scores, k=5), ndcg_at_10=m.ndcg_score(relevance, scores, k=10),
                map=float(np.mean([m.average_precision_score(r > 0, s) for r, s in zip(relevance, scores)])),
                mrr=float(np.mean([1 / (1 + np.argmax(r[np.argsort(-s)] > 0)) for r, s in zip(relevance, scores)])),
                recall_at_5=float(np.mean([np.sum(r[np.argsort(-s)][:5] > 0) / np.sum(r > 0)
                                           for r, s in zip(relevance, scores)])))


def mcnemar(only_a, only_b):
    if only_a + only_b < 25:
        return scipy.stats.binomtest(min(only_a, only_b), only_a + only_b, 0.5).pvalue if only_a + only_b else 1.0
    return scipy.stats.chi2.sf(max(abs(only_a - only_b) - 1, 0) ** 2 / (only_a + only_b), 1)


def bleu_significance(rng):
    """Two systems' answers with sacrebleu's approximate randomisation."""
    words = "the a cat dog house tree runs sees big small red blue on under with and".split()
    references = [" ".join(rng.choice(words) for _ in range(12)) for _ in range(60)]

    def damaged(share):
        return [" ".join(rng.choice(words) if rng.random() < share else w for w in r.split()) for r in references]

    a, b = damaged(0.30), damaged(0.27)
    test = significance.PairedTest([("a", a), ("b", b)], {"BLEU": BLEU()}, [references], test_type="ar", n_samples=20000)
    results = test()[1]["BLEU"]
    return dict(references=references, a=a, b=b, score_a=results[0].score, score_b=results[1].score,
                p=results[1].p_value)


def resampling(rng):
    values = np.round(rng.exponential(2, 200), 3)
    interval = scipy.stats.bootstrap((values,), np.mean, method="percentile", n_resamples=50000, rng=1)
    small, large = np.round(rng.normal(0.4, 1, 11), 3), np.round(rng.normal(0.12, 1, 150), 3)
    exact, drawn = (scipy.stats.permutation_test((x, np.zeros_like(x)), lambda a, b: np.mean(a - b),
                                                 permutation_type="samples", n_resamples=n, rng=1).pvalue
                    for x, n in ((small, np.inf), (large, 100000)))
    return dict(values=values.tolist(), low=interval.confidence_interval.low, high=interval.confidence_interval.high,
                small=small.tolist(), small_p=exact, large=large.tolist(), large_p=drawn,
                mcnemar=[dict(only_a=a, only_b=b, p=mcnemar(a, b))
                         for a, b in ((0, 0), (1, 0), (3, 11), (12, 12), (2, 40), (60, 81), (30, 30))],
                bleu=bleu_significance(random.Random(3)))


def fairness(rng):
    group = rng.integers(0, 3, 400)
    truth = (rng.random(400) < 0.3 + 0.1 * group).astype(int)
    predicted = np.where(rng.random(400) < 0.75 + 0.05 * group, truth, 1 - truth)
    sensitive = dict(sensitive_features=group)
    accuracy = [float(np.mean((truth == predicted)[group == g])) for g in range(3)]
    return dict(group=group.tolist(), truth=truth.tolist(), predicted=predicted.tolist(), accuracy=accuracy,
                demographic_parity=fair.demographic_parity_difference(truth, predicted, **sensitive),
                equal_opportunity=fair.equal_opportunity_difference(truth, predicted, **sensitive),
                equalized_odds=fair.equalized_odds_difference(truth, predicted, **sensitive))


def write(name, value):
    text = json.dumps(value, ensure_ascii=False, default=float, separators=(",", ":"))
    (FOLDER / (name + ".json")).write_text(text + "\n", encoding="utf-8")


def main():
    rng = np.random.default_rng(7)
    write("generation", dict(generation(), sacrebleu=sacrebleu.__version__))
    write("classification", [classification_case(rng, 60, 2, 1.0), classification_case(rng, 80, 5, 1.5)])
    write("regression", regression_case(rng, 31))
    write("tagging", [tagging_case(random.Random(1), 40, LABELS),
                      tagging_case(random.Random(2), 30, "O I-\u4eba\u540d B-\u4eba\u540d I-\u5730\u540d".split())])
    write("ranking", ranking_case(rng, 12, 15))
    write("resampling", resampling(rng))
    write("fairness", fairness(rng))


if __name__ == "__main__":
    main()
