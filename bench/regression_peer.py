"""R2 of scikit-learn's MLPRegressor on the very split of a data set version: the peer of our mlp on tables.

python bench/regression_peer.py DATASET CSV [--seeds 5]       (needs scikit-learn; ATELIER_URL and ATELIER_DATA_DIR as usual)
Strings become one-hot columns and numbers are standardised, as our preprocessing does.
"""

import argparse
import csv
import json
import os
import pathlib
import urllib.request

import numpy as np
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPRegressor
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
    arguments = parser.parse_args()
    sha256 = manifest(arguments.dataset)["splits"]["sha256"]
    split = np.frombuffer((DATA_DIR / "blobs" / sha256[:2] / sha256[2:]).read_bytes(), np.uint8)
    rows = [row for row in csv.reader(open(arguments.csv)) if row]
    x, y = features([row[:-1] for row in rows]), np.array([row[-1] for row in rows], float)
    scaler = StandardScaler().fit(x[split == TRAIN])
    scores = []
    for seed in range(arguments.seeds):
        model = MLPRegressor(random_state=seed, max_iter=500).fit(scaler.transform(x[split == TRAIN]), y[split == TRAIN])
        scores.append(r2_score(y[split == TEST], model.predict(scaler.transform(x[split == TEST]))))
    print(f"scikit-learn MLPRegressor: R2 median {np.median(scores):.4f} (of {np.round(scores, 4).tolist()})")


main()
