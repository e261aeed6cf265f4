"""What runs, societies and scenarios look like in a terminal and in a notebook."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

import mpnet
from mpnet import markup
from mpnet.record import Record
from tests.nodes.societies import load

VOID = {"br", "hr", "img"}
HOSTILE = "<script>alert(1)"

TEXT = """
nodes:
  "<script>alert(1)": {type: feature, states: ["<b>", "$x$", "c"]}
  "a\\"onclick=": {type: model, prior: 0.1, predicts: {"<script>alert(1)": {"<b>": 0.9}}}
  twin: {type: model, prior: 0.1, predicts: {"<script>alert(1)": {"<b>": 0.9}}}
evidence: {"<script>alert(1)": "<b>"}
expect:
  - {node: twin, above: 0.99}
"""
SCENARIO = load(TEXT)
RUN = mpnet.run(SCENARIO)


class Reader(HTMLParser):
    """Collects tags and text, and fails where tags do not close in order."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.words, self.attributes = [], [], [], []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [key for key, _ in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


def read(thing):
    html = thing._repr_html_()
    assert len(html) < 60_000
    return Reader(html)


@pytest.mark.parametrize("thing", [RUN, RUN.record, SCENARIO, SCENARIO.society], ids=type)
def test_names_of_anybody_are_text_and_nothing_is_loaded(thing):
    page = read(thing)
    assert HOSTILE in page.text
    assert not {"script", "b", "link", "iframe"} & set(page.tags)
    assert set(page.attributes) <= {"style", "title", "role"}
    assert "http" not in thing._repr_html_()


def test_a_run_says_how_it_ended_what_is_believed_and_what_is_exact():
    text = read(RUN).text
    assert text.startswith("s converged 0 of 1 expectations met")
    assert RUN.verdict in text
    assert f"{RUN.beliefs['twin']['active']:.3f}" in text
    assert f"{RUN.exact['twin']['active']:.3f}" in text
    assert "belief twin=active above 0.99 (got" in text


def test_a_failed_run_is_marked_and_one_without_beliefs_says_so():
    failed = replace(RUN, status="oscillating")
    assert markup._BADGES["bad"] in failed._repr_html_()
    assert "oscillating" in read(failed).text
    assert "no beliefs" in read(replace(RUN, beliefs={}, exact=None)).text


def test_representations_are_one_line():
    assert repr(RUN).startswith("<Run s: converged after ")
    assert repr(RUN).endswith("nats, 3 nodes, 1 of 1 expectations not met>")
    assert repr(RUN.record).startswith("<Record s: converged after ")
    counts = "3 nodes (1 feature, 2 model), 2 predictions"
    assert repr(SCENARIO) == f"<Scenario s: {counts}, 1 seen, 1 in question>"
    assert repr(SCENARIO.society) == f"<Society: {counts}>"
    long = replace(RUN, scenario="x\n" * 500)
    assert "\n" not in repr(long)
    assert len(repr(long)) < 250


def test_a_society_of_a_stream_is_shown_as_it_was_written():
    text = read(mpnet.load("multi_step")).text
    assert "@" not in text.partition("prediction")[0].partition("node")[2]


def test_large_societies_are_cut_and_counted():
    nodes = "\n".join(f"  n{i}: {{type: feature}}" for i in range(300))
    society = load(f"nodes:\n{nodes}").society
    assert "280 more rows" in read(society).text


def test_large_runs_are_cut_and_counted():
    nodes = "\n".join(f"  n{i}: {{type: feature}}" for i in range(300))
    run = mpnet.run(load(f"nodes:\n{nodes}"))
    assert f"{2 * 300 - 20} more rows" in read(run).text


@pytest.mark.parametrize("name", ["digits_test", "brain_paragraph", "contradiction", "awakening"])
def test_every_kind_of_scenario_shows_itself(name):
    scenario = mpnet.load(name)
    assert read(scenario).text.startswith(name)


def test_bars_are_as_wide_as_the_probability():
    assert "width:25%" in markup.bar(0.25)
    assert "width:0%" in markup.bar(float("nan"))
    assert "width:100%" in markup.bar(1.5)


def test_the_plain_record_of_a_run_has_no_more_than_the_data():
    assert type(RUN.record) is Record
    assert RUN.to_json() == RUN.record.to_json()


def test_a_comparison_shows_what_differs_and_says_when_nothing_does():
    other = mpnet.run(SCENARIO, evidence={}, expect=[])
    found = RUN.compare(other)
    page = read(found)
    assert HOSTILE in page.text
    assert "s 1 → s 2 3 beliefs differ" in page.text
    assert "script" not in page.tags
    assert repr(found) == "<Comparison s 1 → s 2: 3 of 3 beliefs differ, 0 other winners>"
    same = RUN.compare(RUN)
    assert repr(same) == "<Comparison s 1 → s 2: same answers within 1e-06>"
    assert "same answers" in read(same).text
