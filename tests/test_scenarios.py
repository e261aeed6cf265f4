"""Every shipped scenario runs and keeps what it promises."""

from functools import cache
from importlib.resources import files

import pytest
import yaml

import mpnet
from mpnet.errors import DataError
from mpnet.scenario.library import shipped

NAMES = [s.name for s in shipped()]


@cache
def record(name):
    try:
        return mpnet.run(name)
    except DataError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", NAMES)
def test_scenario_meets_its_expectations(name):
    claims = record(name).expectations
    assert claims, "a shipped scenario says what must come out"
    assert [(c.text, c.got) for c in claims if not c.met] == []


@pytest.mark.parametrize("name", NAMES)
def test_first_line_says_what_it_shows(name):
    first = files("mpnet.scenarios").joinpath(f"{name}.yaml").read_text("utf-8").splitlines()[0]
    assert first.startswith("# ")
    assert first.endswith(".")
    assert 40 < len(first) <= 160


@pytest.mark.parametrize("name", NAMES)
def test_file_scenario_and_description_go_together(name):
    text = files("mpnet.scenarios").joinpath(f"{name}.yaml").read_text("utf-8")
    data = yaml.safe_load(text)
    assert data["name"] == name
    assert data["description"].strip()


def gains(name):
    return {row.node: row for row in record(name).estimates}


@pytest.mark.parametrize(
    "node", ["purple_jar", "stationary_dancing", "purple", "jar", "stationary", "dancing"]
)
def test_clamped_answers_of_purple_jar_are_within_a_hundredth_of_a_nat_of_exact(node):
    row = gains("purple_jar")[node]
    assert row.clamped == pytest.approx(row.exact, abs=0.01)


def test_purple_jar_lives_and_stationary_dancing_can_not():
    rows = gains("purple_jar")
    assert rows["purple_jar"].exact == pytest.approx(0.0, abs=1e-3)
    # -3.51 by enumeration of the four-feature example.
    assert rows["stationary_dancing"].exact == pytest.approx(-3.5, abs=0.05)


def test_flat_propagation_misses_the_contradiction():
    row = gains("purple_jar")["stationary_dancing"]
    assert abs(row.flat - row.exact) > 2.0


def test_compatibility_says_why_and_nobody_wrote_it_down():
    found = record("purple_jar").compatibility
    place = found.names.index
    assert found.matrix[place("purple")][place("jar")] == 0.0
    assert found.matrix[place("stationary")][place("dancing")] == pytest.approx(-3.55, abs=0.02)
    assert found.matrix[place("jar")][place("stationary")] == pytest.approx(0.58, abs=0.05)


def test_held_out_digits_are_read():
    batch = record("digits_test").batch
    assert (batch.cases, batch.converged) == (597, 597)
    assert batch.accuracy >= 0.99
    assert sum(map(sum, batch.confusion)) == 597


def test_one_scenario_gives_the_same_numbers_twice():
    again = mpnet.run("purple_jar")
    first = record("purple_jar")
    assert again.beliefs == first.beliefs
    assert again.log_z == first.log_z
    assert again.environment == first.environment


def test_settings_change_the_inference():
    assert mpnet.run("frustrated_loop", damping=0.5).status == "converged"


def test_log_z_is_withheld_where_a_run_did_not_converge():
    assert record("frustrated_loop").status == "oscillating"
    assert record("frustrated_loop").log_z is None


def test_a_contradiction_is_named_and_the_innocent_evidence_is_not():
    found = record("contradiction")
    assert (found.status, found.log_z, found.beliefs) == ("inconsistent", None, {})
    assert "fire: active and wood: wet together contradict the model" in found.verdict
    assert "rain" not in found.verdict
