"""Estimators and schedules of other distributions: allowed by name, and broken ones break nothing."""

from importlib.metadata import EntryPoint, entry_points
from types import SimpleNamespace

import pytest

import mpnet.extensions
from mpnet.cli import main as cli
from mpnet.errors import PluginError, ScenarioError
from mpnet.estimators import ESTIMATORS
from mpnet.schedules import SCHEDULES
from mpnet.simulation.running import run_scenario
from tests.nodes.societies import load

TWO = "nodes: {f: {type: feature}, m: {type: model, predicts: {f: 'yes'}}}\nevidence: {f: 'yes'}\n"
ESTIMATED = TWO + "inference: {estimator: mine}\n"
SCHEDULED = TWO + "inference: {estimator: flat, compile: false, schedule: mine}\n"

SOURCE = '''
from mpnet.estimators.flat import Flat
from mpnet.schedules.flooding import Flooding

class Mine(Flat):
    """Flat, under another name."""

class Swept(Flooding):
    """Flooding, under another name."""
'''


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """Offer ``mine`` in a group as if a distribution brought it; tables are put back afterwards."""
    monkeypatch.delenv("MPNET_PLUGINS", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    points = []

    def offered(group):
        return [*entry_points(group=group), *(p for p in points if p.group == group)]

    monkeypatch.setattr(mpnet.extensions, "entry_points", offered)
    monkeypatch.setattr("mpnet.nodes.registry.entry_points", offered)
    monkeypatch.setattr("importlib.metadata.entry_points", offered)
    tables = {"mpnet.estimators": ESTIMATORS, "mpnet.schedules": SCHEDULES}
    for table in tables.values():
        monkeypatch.setitem(table, "mine", "")
        del table["mine"]

    def add(group, attribute, source=SOURCE, name="mine"):
        module = f"extending_{tmp_path.name.replace('-', '_')}"
        (tmp_path / f"{module}.py").write_text(source)
        point = EntryPoint(name, f"{module}:{attribute}", group)
        vars(point)["dist"] = SimpleNamespace(name="extras", version="0.3")
        points.append(point)

    return add


@pytest.mark.parametrize(
    ("group", "attribute", "text"),
    [("mpnet.estimators", "Mine", ESTIMATED), ("mpnet.schedules", "Swept", SCHEDULED)],
)
@pytest.mark.parametrize("enabled", ["mine", "extras"])
def test_what_is_enabled_is_used(offer, group, attribute, text, enabled):
    offer(group, attribute)
    with pytest.raises(ScenarioError, match=r"unknown .* 'mine'"):
        load(text)
    record = run_scenario(load(text, [enabled]))
    assert record.status == "converged"
    # Prior 0.05; "yes" has 0.95 against 0.5.
    assert record.beliefs["m"]["active"] == pytest.approx(0.05 * 0.95 / (0.0475 + 0.475))


def test_a_name_that_is_taken_shows_both(offer):
    offer("mpnet.estimators", "Mine", name="flat")
    with pytest.raises(PluginError, match=r"'flat' of extras 0\.3 .* is there already: mpnet\.est"):
        load(TWO, ["extras"])


def test_one_that_fails_to_import_is_told_and_others_work(offer, capsys, monkeypatch):
    offer("mpnet.estimators", "Mine", source="1 / 0")
    monkeypatch.setattr("warnings.showwarning", None)
    with pytest.raises(
        PluginError, match=r"'mine' \(extending_.*:Mine\) failed to import \(ZeroDiv"
    ):
        run_scenario(load(ESTIMATED, ["mine"]))
    with pytest.raises(SystemExit) as caught:
        cli.main(["list", "estimators", "--plugin", "mine"])
    said = capsys.readouterr().out
    assert caught.value.code == 0
    assert "broken: 'mine' (extending_" in said
    assert "  flat" in said


def test_they_are_listed_as_plugins(offer, capsys, monkeypatch):
    offer("mpnet.schedules", "Swept")
    monkeypatch.setattr("warnings.showwarning", None)
    for options, leave in ([], "not enabled (--plugin mine)"), (["--plugin", "mine"], "enabled"):
        with pytest.raises(SystemExit):
            cli.main(["list", "plugins", *options])
        assert f"mine  mpnet.schedules of extras 0.3, {leave}" in capsys.readouterr().out
