"""The page as text: nothing of a name is markup, nothing is fetched, nothing is too large."""

import base64
import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from mpnet.errors import OutputError, UsageError, shown
from mpnet.report import advice, figures, packing
from mpnet.report.choosing import choose, lined, places
from mpnet.report.data import page_data
from mpnet.report.page import build_page
from mpnet.report.sources import Sources, filled_in
from mpnet.report.writing import write_report
from mpnet.trace import Event
from tests.plots import builders
from tests.report import records

SOURCES = Sources("name: a\nnodes: {x: {}}\n", "name: a\nseed: 7\nnodes:\n  x: {type: model}\n")
VOID = {"meta", "input", "img", "br", "link"}
RECORDS = {
    "purple_jar": records.purple_jar,
    "hostile": records.hostile,
    "one_node": builders.one_node,
    "one_row": lambda: builders.purple_jar(flat=1, clamped=0),
    "unfollowed": records.unfollowed,
    "inconsistent": records.inconsistent,
    "oscillating": lambda: builders.purple_jar(
        status="oscillating", exact=None, exact_log_z=None, log_z=None
    ),
    "digits": builders.digits,
    "batch": builders.digits_test,
}


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch, request):
    """Figures are tested by themselves: without them pages are made in no time."""
    if "figures" not in request.node.name:
        monkeypatch.setattr(figures, "default_figures", lambda record: ())


def page(record, megabytes=10.0, sources=SOURCES):
    return build_page(record, sources, int(megabytes * 1e6))


class Elements(HTMLParser):
    """Elements in order, text outside scripts, and whatever is not closed as it was opened."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.found, self.text, self.scripts, self.wrong = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(tag)
        else:
            self.open.pop()

    def handle_data(self, text):
        inside = self.open[-1] if self.open else ""
        (self.scripts if inside == "script" else self.text).append(text)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def data_of(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.S).group(1))


def without_library(text):
    """The page without plotly.js, which is others' text."""
    start = text.index("/**\n* plotly.js")
    return text[:start] + text[text.index("</script>", start) :]


@pytest.mark.parametrize("case", RECORDS)
def test_every_element_is_closed_and_every_id_is_its_own(case):
    read = Elements(page(RECORDS[case]()).html)
    assert read.wrong == []
    assert read.open == []
    ids = [attrs["id"] for _, attrs in read.found if "id" in attrs]
    assert len(ids) == len(set(ids))
    named = [a[k] for _, a in read.found for k in ("aria-labelledby", "for") if k in a]
    links = [a["href"][1:] for t, a in read.found if t == "a" and a["href"].startswith("#")]
    assert set(named + links) <= set(ids)


@pytest.mark.parametrize("case", RECORDS)
def test_nothing_is_fetched_from_anywhere(case):
    text = page(RECORDS[case]()).html
    assert not re.search(r"https?://", without_library(text))
    for tag, attrs in Elements(text).found:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert (attrs.get("src") or "data:").startswith("data:")
        assert (attrs.get("href") or "#").startswith(("#", "data:"))


def test_the_policy_lets_only_the_two_scripts_of_the_page_run():
    import hashlib

    text = page(records.hostile()).html
    policy = next(a["content"] for _, a in Elements(text).found if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe-eval" not in policy
    (allowed,) = re.findall(r"script-src ([^;]*);", policy)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.S)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    assert allowed.split() == [f"'sha256-{digest}'" for digest in digests]
    assert "\r" not in text


def test_hostile_names_are_text_and_nothing_else():
    text = page(records.hostile()).html
    plain = Elements(page(records.purple_jar()).html)
    read = Elements(text)
    assert {tag for tag, _ in read.found} == {tag for tag, _ in plain.found}
    assert not any(name.startswith("on") for _, attrs in read.found for name in attrs)
    assert [t for t, _ in read.found].count("script") == 3
    for name in records.HOSTILE:
        assert " ".join(shown(name, 200).split()) in read.words
        if html.escape(name) != name:
            assert name not in without_library(text)
    assert "49" not in read.words.split()


def test_data_hold_every_name_and_no_character_that_could_end_a_script():
    text = page(records.hostile()).html
    raw = re.search(r'id="data">(.*?)</script>', text, re.S).group(1)
    assert not set("<>&\u2028") & set(raw)
    names = [node["name"] for node in json.loads(raw)["nodes"]]
    assert names == [shown(name, 200) for name in records.HOSTILE]


def test_same_record_same_bytes():
    assert page(records.purple_jar()).html == page(records.purple_jar()).html


def test_same_record_same_bytes_with_figures_too():
    record = replace(builders.purple_jar(), estimates=())
    first, second = page(record), page(record)
    assert first.html == second.html
    assert len(re.findall(r'<img src="data:image/svg\+xml;base64,', first.html)) >= 2


def test_figures_that_do_not_fit_are_named():
    drawn, left_out = figures.pictures(builders.purple_jar(), 0)
    assert drawn == []
    assert "compatibility" in left_out
    assert figures.plain_pictures(builders.purple_jar(), 0) == []


def test_beliefs_survive_the_page_to_five_digits():
    record = records.purple_jar()
    data = data_of(page(record).html)
    packed = np.frombuffer(base64.b64decode(data["beliefs"]), "<u2").reshape(-1, data["columns"])
    for node in data["nodes"]:
        for number, state in enumerate(node["states"]):
            column = node["column"] + (0 if len(node["states"]) == 2 else number)
            values = packed[:, column] / data["whole"]
            if len(node["states"]) == 2 and number == 0:
                values = 1 - values
            wanted = record.trace.belief(node["name"], state)
            # Half a step of 16 bits.
            np.testing.assert_allclose(values, wanted, atol=0.5 / packing.WHOLE + 1e-9)


def test_a_belief_that_is_no_number_is_none():
    data = data_of(page(records.inconsistent()).html)
    packed = np.frombuffer(base64.b64decode(data["beliefs"]), "<u2")
    assert packed.size > 0
    assert set(packed.tolist()) == {packing.WHOLE + 1}


def test_magnitudes_keep_zero_and_nothing_apart_from_small():
    values = np.array([np.nan, 0.0, 1e-30, 1e-16, 100.0, np.inf])
    got = np.frombuffer(base64.b64decode(packing.magnitudes(values)), np.uint8)
    assert got.tolist() == [0, 0, 1, 1, 255, 255]


def test_rows_kept_hold_first_last_and_every_event():
    trace = records.big(4, 1000).trace
    rows = packing.kept_rows(trace, [333, 778], 50)
    assert {0, 333, 778, 999} <= set(rows.tolist())
    assert 25 <= rows.size <= 50
    assert (np.diff(rows) > 0).all()


def test_rows_are_within_the_budget_even_where_all_have_events():
    trace = records.big(4, 1000).trace
    rows = packing.kept_rows(trace, range(1000), 50)
    assert rows.size <= 50
    assert (rows[0], rows[-1]) == (0, 999)


def test_everything_is_kept_where_there_is_room():
    trace = records.big(4, 30).trace
    assert packing.kept_rows(trace, [], 30).tolist() == list(range(30))


def test_a_thousand_nodes_over_500_iterations_fit_into_ten_megabytes_whole():
    made = page(records.big())
    assert len(made.html.encode()) < 10_000_000
    data = data_of(made.html)
    assert len(data["nodes"]) == 1000
    assert len(data["iterations"]) == 500
    assert made.left_out == ()


def test_what_is_left_out_for_lack_of_room_is_said():
    made = page(records.big(), 6.5)
    assert len(made.html.encode()) <= 6_500_000
    shown_rows = len(data_of(made.html)["iterations"])
    assert shown_rows < 500
    assert made.left_out[0].startswith(f"{shown_rows} of 500 iterations are shown")
    assert f"{shown_rows} of 500 iterations are shown" in Elements(made.html).words


def test_a_page_that_can_not_be_that_small_says_what_would_do():
    with pytest.raises(UsageError, match=r"needs 4\.\d MB, more than 1 MB; give --max-size 5"):
        page(builders.one_node(), 1.0)


def test_nodes_that_are_chosen_are_those_in_question_then_the_movers():
    record = records.big(40, 20)
    still = record.trace.beliefs.copy()
    moving = record.nodes[3].name
    for number, node in enumerate(record.nodes):
        if node.name != moving:
            still[:, 2 * number : 2 * number + 2] = 0.5
    nodes = tuple(replace(n, in_question=n.name == record.nodes[7].name) for n in record.nodes)
    record = replace(record, nodes=nodes, trace=replace(record.trace, beliefs=still))
    chosen = choose(record, 2)
    assert [n.name for n in chosen.nodes] == [moving, record.nodes[7].name]
    assert chosen.text.startswith("2 of 40 nodes are shown")
    assert lined(chosen)[0] == 1


@pytest.mark.parametrize("count", [1, 10, 100, 1000])
def test_every_node_stands_at_a_place_of_its_own(count):
    record = records.big(count, 3) if count > 10 else records.purple_jar()
    chosen = choose(record)
    spots = places(record, chosen)
    assert len(set(spots)) == len(spots) == len(chosen.nodes)


def test_events_know_the_row_that_they_are_shown_at():
    record = replace(records.big(4, 1000), events=(Event(333, "clamp", "", "clamped"),))
    data = page_data(record, choose(record), 20)
    iteration, row = data["events"][0][:2]
    assert iteration == data["iterations"][row] == 333


def test_wakers_are_asleep_until_they_wake():
    events = (Event(3, "awaken", "purple", "p"), Event(9, "retire", "purple", "p"))
    record = replace(records.purple_jar(), events=events)
    nodes = page_data(record, choose(record), 100)["nodes"]
    toggles = {node["name"]: node["toggles"] for node in nodes if "toggles" in node}
    assert toggles == {"purple": [[3, 1], [9, 0]]}


def test_messages_and_explanations_name_nodes_by_number():
    record = records.purple_jar()
    data = page_data(record, choose(record), 100)
    names = [node["name"] for node in data["nodes"]]
    reaching = [m for m in data["messages"] if names[m[1]] == "colour"]
    assert [m[0] for m in reaching] == ["prior", "purple", "purple_jar"]
    assert reaching[0][2:] == [[0.0, -1.0, -2.0], 0.25, 0]
    (why,) = data["explanations"].items()
    assert names[int(why[0])] == "purple_jar"
    assert [share[:3] for share in why[1]["shares"]] == [
        ["prior", [], -1.4],
        ["neighbour", ["colour"], 3.0],
        ["together", ["colour"], 0.9],
        ["estimator", [], 0.001],
    ]


def test_infinite_numbers_are_words():
    assert packing.numbers([np.inf, -np.inf, np.nan, None, 1.5]) == ["inf", "-inf", None, None, 1.5]


def test_defaults_are_what_was_not_written():
    assert filled_in(SOURCES) == [("seed", "7"), ("nodes.x.type", '"model"')]
    assert filled_in(Sources("", "")) == []
    assert filled_in(Sources("a: [", "b: 1")) == []


def test_downloads_hold_what_they_say():
    links = [a for t, a in Elements(page(records.purple_jar()).html).found if "download" in a]
    held = {
        a["download"]: base64.b64decode(a["href"].partition("base64,")[2]).decode() for a in links
    }
    assert set(held) == {"beliefs.csv", "events.csv", "summary.json", "resolved.yaml"}
    assert held["resolved.yaml"] == SOURCES.resolved
    assert json.loads(held["summary.json"])["scenario"] == "purple_jar"
    lines = held["beliefs.csv"].splitlines()
    assert lines[0] == "node,state,belief,exact"
    assert len(lines) == 1 + sum(len(n.states) for n in builders.purple_jar().nodes)


def test_a_run_that_failed_is_warned_of_first():
    record = RECORDS["oscillating"]()
    found = advice.findings(record)
    assert found[0].level == "warning"
    assert found[0].text == record.verdict
    assert "not of a fixed point" in found[1].text


def test_a_belief_far_from_the_exact_one_is_a_warning():
    beliefs = {"jar": {"inactive": 0.1, "active": 0.9}}
    exact = {"jar": {"inactive": 0.4, "active": 0.6}}
    record = replace(builders.one_node(), beliefs=beliefs, exact=exact)
    (found,) = (f for f in advice.findings(record) if "exact" in f.text)
    assert found.level == "warning"
    assert "at worst by 0.3 (jar" in found.text
    assert "too strongly" in found.text


@pytest.mark.parametrize(
    ("log_z", "level", "place"), [(-3.0, "good", "inside"), (-1.0, "warning", "outside")]
)
def test_log_z_is_held_against_its_bounds(log_z, level, place):
    record = replace(builders.one_node(), log_z=log_z, bracket=(-4.0, -2.0), exact=None)
    (found,) = (f for f in advice.findings(record) if "proven" in f.text)
    assert found.level == level
    assert place in found.text


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    path, made = write_report(builders.one_node(), tmp_path)
    assert path == tmp_path / "report.html"
    assert path.read_text(encoding="utf-8") == made.html
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(OutputError, match="is a folder"):
        write_report(builders.one_node(), tmp_path, tmp_path)
    with pytest.raises(OutputError, match="can't be written"):
        write_report(builders.one_node(), tmp_path, tmp_path / "none" / "page.html")


def test_a_later_page_takes_the_place_of_an_earlier_one(tmp_path):
    (tmp_path / "report.html").write_text("old")
    write_report(builders.one_node(), tmp_path)
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
