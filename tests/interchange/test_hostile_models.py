"""Model and evidence files that mean harm, or are just wrong: through the command line."""

import csv
import time

import pytest

from mpnet.cli import main as cli
from mpnet.inference import infer
from tests.interchange.texts import HOSTILE

pytestmark = pytest.mark.skipif(
    not HOSTILE.is_dir(), reason="the folder of hostile files is not here (MPNET_HOSTILE)"
)

TOLD = {
    "021": ["expected number of variables"],
    "023": [".uai:1:1:", "'BANANA'"],
    "025": ["expected 3 cardinalities"],
    "027": ["factor 0", "expected 4 values, got 3"],
    "029": [".uai:8:9:", "trailing token"],
    "031": ["factor 0", "'5'", "expected 4"],
    "033": [".uai:2:1:"],
    "035": [".uai:4:1:"],
    "037": ["variable 0"],
    "039": ["variable 0"],
    "041": ["factor 0", "variable -1"],
    "043": ["factor 0"],
    "045": ["factor 0", "arity '70'"],
    "047": ["factor 0, value 0"],
    "049": ["factor 0, value 0"],
    "051": [".uai:8:1:"],
    "053": [".uai:8:1:"],
    "055": ["factor 0 has no positive value"],
    "061": ["variable 0 has two CPTs", "variable 1 has no CPT"],
    "063": ["variable 1 has no CPT"],
    "065": ["gzip"],
    "069": ["factor 0, value 0 is negative", "log-space file?"],
    "071": [".uai:1:1:"],
}
EVIDENCE_TOLD = {
    "002": ["in the 2014 form", "in the 2010 form", "--evidence-format 2010"],
    "004": ["ambiguous", "in the 2014 form", "in the 2010 form"],
    "011": ["expected 2 pairs"],
    "013": [".evid:1:1:"],
    "015": ["variable 9"],
    "017": ["variable 0 in state 2 of 2"],
    "019": ["'1.0'"],
    "021": ["variable 0 twice"],
}


def manifest(folder, suffix):
    """Files of a folder with what is expected of each."""
    if not (HOSTILE / "MANIFEST.tsv").is_file():
        return []
    with (HOSTILE / "MANIFEST.tsv").open(newline="", encoding="utf-8") as lines:
        rows = [r for r in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if len(r) > 2]
    return [
        pytest.param(HOSTILE / row[0], row[2], id=row[0])
        for row in rows
        if row[0].startswith(folder) and row[0].endswith(suffix)
    ]


def call(capsys, *arguments):
    """Run ``mpnet infer``; exit code and all that was said, checked for what no message may do."""
    started = time.process_time()  # not the time that others take
    with pytest.raises(SystemExit) as caught:
        cli.main(["infer", *map(str, arguments)])
    said = capsys.readouterr()
    text = said.out + said.err
    assert time.process_time() - started < 120.0  # the first run may compile kernels
    assert len(text) < 20_000
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "Traceback" not in text
    return caught.value.code, text


@pytest.mark.parametrize(("path", "expected"), manifest("uai/", ".uai"))
def test_model_files_are_read_or_refused_in_words(path, expected, capsys):
    code, text = call(capsys, path)
    assert path.name in text
    if expected.startswith("accept") and "limit" not in expected:
        assert code in (0, 4), text
    elif "impossible" in expected:
        assert code == 7, text
    elif not expected.startswith("accept"):
        assert code == 3, text
    for words in TOLD.get(path.name[:3], []):
        assert words in text


@pytest.mark.parametrize(("path", "expected"), manifest("evid/", ".evid"))
def test_evidence_files_are_read_or_refused_in_words(path, expected, capsys):
    model = "011_valid_one_zero" if "hard_zero" in path.name else "001_valid_bayes_child_last"
    code, text = call(capsys, HOSTILE / "uai" / f"{model}.uai", "--evidence", path)
    if expected.startswith("accept"):
        assert code == 0, text
    elif "impossible" in expected:
        assert code == 7, text
        assert "x0 = 0 and x1 = 0 together contradict the model: factor 0" in text
    else:
        assert code == 3, text
        assert path.name in text
    for words in EVIDENCE_TOLD.get(path.name[:3], []):
        assert words in text


@pytest.mark.parametrize(
    ("name", "log_z", "belief"),
    [
        ("001_valid_bayes_child_last", 0.0, ("x1", "1", 0.84)),
        ("003_valid_crlf", 2.302585092994, ("x0", "1", 0.7)),
        ("005_valid_card_1", 1.386294361120, ("x1", "1", 0.75)),
        ("007_valid_isolated_var", 3.912023005428, ("x2", "4", 0.2)),
        ("009_valid_two_components", 5.560681631015, ("x2", "0", 11 / 26)),
        ("011_valid_one_zero", 0.693147180560, ("x0", "0", 0.5)),
        ("057_underflow_product", -138016.476144, ("x0", "1", 1.0)),
        ("059_values_subnormal", -743.053777560, ("x0", "0", 0.5)),
        ("067_bom", 2.302585092994, ("x0", "1", 0.7)),
    ],
)
@pytest.mark.parametrize("estimator", ["flat", "exact"])
def test_models_that_are_only_odd_get_exact_answers(name, log_z, belief, estimator):
    result = infer(HOSTILE / "uai" / f"{name}.uai", estimator=estimator)
    assert result.converged
    assert result.log_z == pytest.approx(log_z, rel=1e-11, abs=1e-11)
    variable, state, probability = belief
    assert result.marginals[variable][state] == pytest.approx(probability, abs=1e-11)
