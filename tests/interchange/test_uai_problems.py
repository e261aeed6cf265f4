"""The problems of the UAI 2014 competition: all are read, evidence fits, references are met."""

import numpy as np
import pytest

from mpnet.inference import infer
from mpnet.interchange import read_model
from mpnet.interchange.evidence import read_evidence
from tests.interchange.texts import DATA

PROBLEMS = sorted((DATA / "uai").rglob("*.uai")) if (DATA / "uai").is_dir() else []
pytestmark = pytest.mark.skipif(
    not PROBLEMS, reason="the UAI problems are not here (MPNET_DATA names their folder)"
)


def evidence(path):
    return path.with_name(f"{path.name}.evid")


@pytest.mark.parametrize("path", PROBLEMS, ids=lambda p: p.name)
def test_a_problem_is_read_and_its_evidence_fits(path):
    graph = read_model(path).graph
    rows = (DATA / "uai_manifest.tsv").read_text().splitlines()
    columns = dict(
        zip(rows[0].split("\t"), next(r for r in rows if f"/{path.name}\t" in r).split("\t"))
    )
    assert len(graph.variables) == int(columns["n_vars"])
    assert graph.cardinalities.max() == int(columns["max_card"])
    found = read_evidence(evidence(path).read_bytes(), "e", graph.cardinalities)
    assert len(found.states) == int(columns["n_evid"])
    assert bool(found.note) == (path.name == "relational_3.uai")


@pytest.mark.parametrize(
    ("name", "log10_z_error", "marginal_error"),
    [
        # Loops make the difference: these are the errors of belief propagation, not of reading.
        ("ObjectDetection/ObjectDetection_25", 0.02, 0.05),
        ("Promedas_sum/Promedus_19", 0.01, 0.05),
        ("BN/BN_69", 1e-9, None),
    ],
)
def test_answers_are_near_the_references(name, log10_z_error, marginal_error):
    path = DATA / "uai" / f"{name}.uai"
    result = infer(path, evidence(path))
    assert result.converged
    reference = float(path.with_name(f"{path.name}.PR").read_text().split()[1])
    assert result.log10_z == pytest.approx(reference, abs=log10_z_error)
    if marginal_error is not None:
        tokens = path.with_name(f"{path.name}.MAR").read_text().split()[2:]
        wanted = []
        while tokens:
            count = int(tokens[0])
            wanted += map(float, tokens[1 : count + 1])
            tokens = tokens[count + 1 :]
        assert np.abs(result.beliefs - wanted).max() < marginal_error
