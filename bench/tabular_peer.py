"""scikit-learn's MLP on the very split of a data set version: the peer of our mlp on tables (R2, or accuracy).

python bench/tabular_peer.py DATASET CSV [--seeds 5] [--skip-lines 0]      (needs scikit-learn; ATELIER_URL and
ATELIER_DATA_DIR as usual). The last column is the target: numbers are regressed, or classified with --classes. Strings
become one-hot columns and numbers are standardised, as our preprocessing does.
"""

import argparse
import csv
import json
import os
import pathlib
import urllib.request
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

URL = os.environ.get("ATELIER_URL", "http://127.0.0.1:8080")
DATA_DIR = pathlib.Path(os.environ["ATELIER_DATA_DIR"])
TRAIN, TEST = 0, 2


def manifest(dataset):
    key = (DATA_DIR / "owner.key").read_text().strip()
    request = urllib.request.Request(f"{URL}/v1/datasets/{dataset}/versions/latest", headers={"Authorization": "Bearer " + key})
    return json.load(urllib.request.urlopen(request))["manifest"]


def features(rows):
    columns = []
    for column in zip(*rows):
        try:
            columns.append(np.array(column, float)[:, None])
        except ValueError:
            columns.append(np.array([[value == known for known in sorted(set(column))] for value in column], float))
    return np.hstack(columns)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset")
    parser.add_argument("csv")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--skip-lines", type=int, default=0)
    parser.add_argument("--classes", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    sha256 = manifest(arguments.dataset)["splits"]["sha256"]
    split = np.frombuffer((DATA_DIR / "blobs" / sha256[:2] / sha256[2:]).read_bytes(), np.uint8)
    rows = [row for row in list(csv.reader(open(arguments.csv)))[arguments.skip_lines :] if row]
    x, y = features([row[:-1] for row in rows]), np.array([row[-1] for row in rows])
    network, score = (MLPClassifier, "accuracy") if arguments.classes else (MLPRegressor, "R2")
    if not arguments.classes:
        y = y.astype(float)
    scaler = StandardScaler().fit(x[split == TRAIN])
    scores = []
    for seed in range(arguments.seeds):
        model = network(random_state=seed, max_iter=500).fit(scaler.transform(x[split == TRAIN]), y[split == TRAIN])
        scores.append(model.score(scaler.transform(x[split == TEST]), y[split == TEST]))
    print(f"scikit-learn {network.__name__}: {score} median {np.median(scores):.4f} (of {np.round(scores, 4).tolist()})")


main()
