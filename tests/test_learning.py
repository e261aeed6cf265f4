"""The classifier: scikit-learn's own checks, an independent twin, and the society that it is."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import CategoricalNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import mpnet
from mpnet.columns import learn_column, unique_names
from mpnet.errors import UsageError
from mpnet.learning import SocietyClassifier

CHECKS = [
    check
    for _, check in estimator_checks_generator(SocietyClassifier())
    # Needs an environment variable that is set before SciPy is imported.
    if getattr(check, "func", check).__name__ != "check_array_api_input"
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: getattr(c, "func", c).__name__)
def test_scikit_learns_own_checks_pass(check):
    check(SocietyClassifier())


def categories(seed=0, rows=80, columns=5, classes=3):
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=rows)
    x = (rng.integers(4, size=(rows, columns)) + labels[:, None]) % 4
    return x, labels


# Messages stop at 1e-8 nats; a few of them add up.
TWIN = {"atol": 1e-7}


@pytest.mark.parametrize("smoothing", [0.5, 1.0, 3.0])
def test_with_all_features_seen_beliefs_are_those_of_naive_bayes(smoothing):
    x, labels = categories()
    found = SocietyClassifier(smoothing=smoothing, categorical=range(5)).fit(x, labels)
    wanted = CategoricalNB(alpha=smoothing).fit(x, labels)
    np.testing.assert_allclose(found.predict_proba(x), wanted.predict_proba(x), **TWIN)


def naive_bayes(classifier, x, labels, row):
    """p(class | what is seen), straight from the counts."""
    odds = []
    for label in classifier.classes_:
        own = x[labels == label]
        p = len(own) / len(x)
        for column, value in enumerate(row):
            if not np.isnan(value):
                counts = np.sum(own[:, column] == value)
                p *= (counts + 1) / (len(own) + len(np.unique(x[:, column])))
        odds.append(p)
    return np.array(odds) / sum(odds)


def test_what_is_missing_counts_for_nobody():
    x, labels = categories()
    classifier = SocietyClassifier(categorical=range(5)).fit(x.astype(float), labels)
    rows = x[:12].astype(float)
    rows[np.random.default_rng(1).random(rows.shape) < 0.5] = np.nan
    rows[0] = np.nan
    found = classifier.predict_proba(rows)
    for row, proba in zip(rows, found, strict=True):
        np.testing.assert_allclose(proba, naive_bayes(classifier, x, labels, row), **TWIN)
    np.testing.assert_allclose(found[0], np.bincount(labels) / len(labels), **TWIN)


@pytest.mark.parametrize("hide", [0, 3])
def test_the_society_that_is_saved_believes_the_same(tmp_path, hide):
    x, labels = categories()
    classifier = SocietyClassifier(categorical=range(5)).fit(x.astype(float), labels)
    row = x[:1].astype(float)
    row[0, :hide] = np.nan
    path = tmp_path / "learnt.yaml"
    mpnet.SocietyBuilder.of(classifier.society_).save(path)
    society = mpnet.SocietyBuilder.of(path).observe(classifier.evidence(row)[0])
    record = society.run()
    believed = [record.beliefs["class"][model] for model in classifier.models_]
    np.testing.assert_allclose(believed, classifier.predict_proba(row)[0], atol=1e-6)
    assert record.status == "converged"


def test_confidence_weighs_what_is_seen():
    x, labels = categories()
    sure = SocietyClassifier(categorical=range(5)).fit(x, labels).predict_proba(x)
    less = SocietyClassifier(categorical=range(5), confidence=0.3).fit(x, labels).predict_proba(x)
    assert less.max(axis=1).mean() < sure.max(axis=1).mean() - 0.05


def test_a_table_of_words_and_numbers_with_gaps():
    table = pd.DataFrame(
        {
            "colour": ["red", "red", None, "blue", "blue", "blue"],
            "weight": [1.0, 1.5, 1.25, np.nan, 3.0, 3.5],
            "stone": [True, True, True, False, True, False],
        }
    )
    labels = ["cherry", "cherry", "cherry", "plum", "plum", "plum"]
    classifier = SocietyClassifier(bins=3).fit(table, labels)
    assert classifier.feature_names_in_.tolist() == ["colour", "weight", "stone"]
    assert classifier.columns_[0].states == ("blue", "red")
    assert classifier.score(table, labels) == 1.0
    # A colour that was never seen says nothing.
    odd = table.iloc[:1].assign(colour="green")
    gap = table.iloc[:1].assign(colour=None)
    np.testing.assert_array_equal(classifier.predict_proba(odd), classifier.predict_proba(gap))
    assert classifier.evidence(odd) == [{"weight": "below 1.33333", "stone": "from 0.5"}]


def test_names_that_no_scenario_could_hold_are_mended():
    table = pd.DataFrame({"a/b": ["x", "y"] * 4, "class": [0, 1] * 4, "active": ["\x07", "p"] * 4})
    classifier = SocietyClassifier().fit(table, ["active", "class"] * 4)
    nodes = list(classifier.society_.society.nodes)
    assert nodes == ["a_b", "class 2", "active 2", "active 3", "class 3", "class"]
    assert classifier.predict(table).tolist() == ["active", "class"] * 4


def test_names_stay_apart_whatever_they_are():
    found = unique_names(["a", "a", "a 2", "", "..", " a ", "x" * 300, "x" * 300], ["a"])
    assert len(set(found)) == len(found)
    assert all(0 < len(name) <= 100 and name == name.strip() for name in found)
    assert "a" not in found


def test_bins_hold_about_as_many_and_few_values_have_one_each():
    rng = np.random.default_rng(0)
    column = learn_column("x", rng.normal(size=1000).tolist(), 5, None)
    assert np.bincount(column.read(rng.normal(size=5000).tolist())).min() > 800
    few = learn_column("x", [1, 2, 4, 4], 5, None)
    assert few.edges.tolist() == [1.5, 3.0]
    assert few.read([0, 1.4, 1.5, 3.0, 99, float("nan")]).tolist() == [0, 0, 1, 2, 2, -1]
    near = learn_column("x", [1.0, 1.0 + 1e-9, 1.0 + 2e-9], 5, None)
    assert len(set(near.states)) == 3
    assert learn_column("x", [None, None], 5, None).read([1.0, None]).tolist() == [0, -1]


def test_copies_and_pickles_predict_the_same():
    x, labels = load_iris(return_X_y=True)
    classifier = SocietyClassifier(bins=4).fit(x, labels)
    again = pickle.loads(pickle.dumps(classifier))  # noqa: S301
    np.testing.assert_array_equal(again.predict_proba(x[::10]), classifier.predict_proba(x[::10]))
    assert clone(classifier).get_params() == classifier.get_params()


def test_flowers_and_digits_are_told_apart():
    x, labels = load_iris(return_X_y=True)
    assert cross_val_score(SocietyClassifier(), x, labels, cv=5).mean() > 0.9
    pixels, digits = load_digits(return_X_y=True)
    classifier = make_pipeline(MinMaxScaler(), SocietyClassifier())
    classifier.fit(pixels[:1200], digits[:1200])
    # Naive Bayes gets about five in six of these right.
    assert classifier.score(pixels[1200:], digits[1200:]) > 0.8


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"bins": 1}, "bins must be a whole number >= 2, got 1"),
        ({"smoothing": 0}, "smoothing must be a number > 0, got 0"),
        ({"confidence": float("nan")}, "confidence must be a number > 0, got nan"),
        ({"categorical": ["wings"]}, "categorical names the column 'wings', which is not there"),
        ({"categorical": [True]}, "a mask of 1 columns for 4"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, wanted):
    x, labels = load_iris(return_X_y=True)
    with pytest.raises(UsageError, match=wanted):
        SocietyClassifier(**settings).fit(x, labels)


def test_columns_that_change_their_kind_are_refused():
    classifier = SocietyClassifier().fit([["a", 1.0], ["b", 2.0]], [0, 1])
    with pytest.raises(UsageError, match="column 'x1' holds numbers, and now something else"):
        classifier.predict([["a", "b"]])
    with pytest.raises(UsageError, match="column 'x1' holds an infinite number"):
        classifier.predict(np.array([["a", np.inf]], dtype=object))
