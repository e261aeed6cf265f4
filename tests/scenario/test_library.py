"""Where scenarios come from, and settings from a command line."""

import io
import os
import sys
from types import SimpleNamespace

import pytest

from mpnet.errors import ScenarioError, UsageError
from mpnet.scenario.document import read_document
from mpnet.scenario.library import open_scenario, override, shipped


def document(text="a: {b: [1, 2]}\n'7': x\n"):
    return read_document("f.yaml", text.encode())


def test_shipped_scenarios_are_sorted_and_say_what_they_show():
    found = shipped()
    assert [s.name for s in found] == sorted(s.name for s in found)
    assert {"purple_jar", "digits", "digits_test"} <= {s.name for s in found}
    assert all(s.shows and not s.shows.startswith("#") for s in found)


def test_a_shipped_scenario_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_scenario("purple_jar").source == "purple_jar.yaml"
    assert open_scenario("@purple_jar").data["name"] == "purple_jar"


def test_a_file_is_in_the_way_of_a_shipped_name_unless_an_at_sign_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "purple_jar").write_text("name: mine\n")
    assert open_scenario("purple_jar").data == {"name": "mine"}
    assert open_scenario("@purple_jar").data["name"] == "purple_jar"


def test_a_dash_is_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"name: piped\n")))
    read = open_scenario("-")
    assert (read.data, read.source) == ({"name": "piped"}, "standard input")


@pytest.mark.parametrize("argument", ["nowhere", "@nowhere", "../purple_jar", "@../x", ""])
def test_what_is_not_there_is_told_with_the_nearest(tmp_path, monkeypatch, argument):
    monkeypatch.chdir(tmp_path)
    if argument == "":
        with pytest.raises((UsageError, ScenarioError), match=r"shipped|regular file"):
            open_scenario(argument)
        return
    with pytest.raises(UsageError, match="there is no file and no shipped scenario") as caught:
        open_scenario(argument)
    if "purple" in argument:
        assert "did you mean 'purple_jar'?" in str(caught.value)


def test_folders_and_pipes_are_refused_without_being_opened(tmp_path):
    with pytest.raises(ScenarioError, match="this is not a regular file"):
        open_scenario(str(tmp_path))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ScenarioError, match="this is not a regular file"):
            open_scenario(str(tmp_path / "pipe"))
    with pytest.raises(ScenarioError, match="this is not a regular file"):
        open_scenario("/dev/null")


def test_files_that_are_too_large_are_refused_before_they_are_read(tmp_path):
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(50_000_001)
    with pytest.raises(ScenarioError, match="the file is larger than 50 MB"):
        open_scenario(str(path))


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ("a.c=1e-3", {"a": {"b": [1, 2], "c": 0.001}, "7": "x"}),
        ("a.b.1=no", {"a": {"b": [1, "no"]}, "7": "x"}),
        ("a.b.2=3", {"a": {"b": [1, 2, 3]}, "7": "x"}),
        ("7=y", {"a": {"b": [1, 2]}, "7": "y"}),
        ("new.7.x={p: [1]}", {"a": {"b": [1, 2]}, "7": "x", "new": {"7": {"x": {"p": [1]}}}}),
        ("a=", {"a": None, "7": "x"}),
        ("a=b=c", {"a": "b=c", "7": "x"}),
    ],
)
def test_settings_replace_or_add_values(setting, wanted):
    assert override(document(), [setting]).data == wanted


def test_settings_apply_in_order_and_leave_the_document_as_it_was():
    before = document()
    after = override(before, ["a.b.0=5", "a.b.0=6"])
    assert (before.data["a"]["b"], after.data["a"]["b"]) == ([1, 2], [6, 2])


@pytest.mark.parametrize("setting", ["a", "=1", "a..b=1", ".a=1", "a.=1"])
def test_what_is_no_setting_is_told(setting):
    with pytest.raises(UsageError, match=r"write KEY\.KEY=VALUE, such as evidence\.shape=jar"):
        override(document(), [setting])


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("a.b.9=1", "a.b: a list needs an index from 0 to 2, got 9"),
        ("a.b.x=1", "a.b: a list needs an index from 0 to 2, got 'x'"),
        ("7.x=1", "7: text has no entry 'x'"),
        ("a={b: [1}", "value:1:7: a comma or ']' is missing here"),
        ("a=!!python/name:os.system", None),
    ],
)
def test_settings_that_lead_nowhere_are_told(setting, told):
    if told is None:
        assert override(document(), [setting]).data["a"] == "!!python/name:os.system"
        return
    with pytest.raises(ScenarioError) as caught:
        override(document(), [setting])
    assert told in str(caught.value)
