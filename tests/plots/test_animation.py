"""The society at an iteration, and as a moving picture."""

import itertools
import shutil
from dataclasses import replace
from io import BytesIO

import builders
import numpy as np
import pytest
import stories
from inspecting import assert_readable, words
from PIL import Image

from mpnet.errors import PluginError, UsageError
from mpnet.plots import society
from mpnet.plots.animation import choose, save_animation
from mpnet.plots.film import encode_gif
from mpnet.plots.moment import moment_at
from mpnet.trace import Event


def test_beliefs_are_those_of_the_row():
    record = stories.timeline(models=("cat", "dog", "teapot"))
    moment = moment_at(record, 12)
    row = record.trace.beliefs[12]
    assert moment.record.beliefs["ears"]["yes"] == row[1]
    assert moment.record.exact is None


def test_thinned_traces_answer_with_the_next_row():
    record = stories.lively(100, every=10)
    assert moment_at(record, 41).iteration == 50
    assert moment_at(record, None).iteration == 100


@pytest.mark.parametrize(
    ("at", "who"), [(0, {"cat", "dog"}), (4, {"cat", "dog"}), (5, {"dog"}), (21, {"cat"})]
)
def test_models_take_part_from_the_row_after_they_woke(at, who):
    events = (
        Event(4, "awaken", "cat", "cat wakes"),
        Event(20, "awaken", "dog", "dog wakes"),
        Event(20, "retire", "cat", "cat goes"),
    )
    assert moment_at(stories.lively(events=events), at).absent == who


def test_evidence_shows_from_when_it_came_until_it_is_withdrawn():
    events = (
        Event(5, "evidence", "ears", "ears: yes"),
        Event(9, "withdraw", "ears", "ears is observed no more"),
    )
    record = stories.lively(events=events)
    seen = {at: moment_at(record, at).record.nodes[0].evidence for at in (5, 6, 9, 10, 30)}
    assert seen == {5: "", 6: "yes", 9: "yes", 10: "", 30: ""}


def test_nodes_stand_in_the_same_places_at_every_iteration():
    record = builders.purple_jar()
    layout = society.society_layout(record)
    figure = society.draw(record)
    places = [
        {n: (s.x, s.y) for n, s in society.spots_of(figure, moment_at(record, at), layout).items()}
        for at in (0, 3, 21)
    ]
    assert places[0] == places[1] == places[2]


@pytest.mark.parametrize("record", [builders.many_nodes(100), builders.many_nodes(1000)])
def test_around_a_node_are_its_neighbours(record):
    name = record.nodes[-1].name
    layout = society.society_layout(record, name)
    names = {n for row in layout.rows for n in row}
    beside = {p.target for p in record.predictions if p.source == name}
    assert {name} | beside <= names
    assert len(names) <= 40
    figure = society.draw(record, node=name)
    assert_readable(figure)
    said = words(figure)
    assert any(f"the {len(names)} nearest to" in text for text in said)
    with pytest.raises(UsageError, match="no node 'nobody'"):
        society.draw(record, node="nobody")


def test_first_last_and_event_rows_are_kept():
    events = tuple(Event(at, "overtake", "cat", f"at {at}") for at in (17, 333, 334, 900))
    record = stories.lively(1000, events=events)
    shots = choose(record, 20)
    rows = [shot.row for shot in shots]
    assert len(rows) == 20
    assert {0, 18, 334, 335, 901, 1000} <= set(rows)
    told = [event.text for shot in shots for event in shot.events]
    assert told == ["at 17", "at 333", "at 334", "at 900"]


def test_short_runs_show_every_row():
    assert [shot.row for shot in choose(stories.lively(30))] == list(range(31))


def frames_of(path):
    film = Image.open(BytesIO(path.read_bytes()))
    for number in range(film.n_frames):
        film.seek(number)
        yield np.asarray(film.convert("RGB")).copy(), film.info["duration"]


def test_a_gif_moves_where_the_beliefs_do_and_nowhere_else(tmp_path):
    record = stories.timeline(iterations=6, count=2)
    frames = list(frames_of(save_animation(record, tmp_path / "society")))
    assert len(frames) == 7
    assert frames[-1][1] > frames[0][1] >= 100
    pictures = [picture for picture, _ in frames]
    assert all((one != other).any() for one, other in itertools.pairwise(pictures))
    heads = [picture[:55] for picture in pictures]  # title and verdict
    assert all((head == heads[0]).all() for head in heads)


def test_a_gif_has_the_same_bytes_every_time(tmp_path):
    record = stories.timeline(iterations=6, count=2)
    one, other = (save_animation(record, tmp_path / name).read_bytes() for name in "ab")
    assert one == other


def test_colours_of_a_gif_are_near_those_drawn():
    shades = np.linspace(0, 1, 50)
    row = np.array([society.BELIEF(s)[:3] for s in shades])
    picture = (np.tile(row, (4, 1, 1)) * 255).astype(np.uint8)
    again = np.asarray(Image.open(BytesIO(encode_gif([picture], [100]))).convert("RGB"))
    assert np.abs(again.astype(int) - picture).max() <= 10
    white = np.full((4, 4, 3), 255, dtype=np.uint8)
    assert (np.asarray(Image.open(BytesIO(encode_gif([white], [9]))).convert("RGB")) == 255).all()


def test_hundreds_of_iterations_stay_small(tmp_path):
    record = replace(builders.many_nodes(60), events=())
    path = save_animation(record, tmp_path / "society")
    assert path.stat().st_size < 3_000_000


def test_hostile_names_move_too(tmp_path):
    record = stories.lively(4, models=stories.HOSTILE)
    events = tuple(Event(i % 4, "overtake", n, n) for i, n in enumerate(stories.HOSTILE))
    assert save_animation(replace(record, events=events), tmp_path / "s") is not None


def test_nothing_to_show_is_none(tmp_path):
    record = builders.one_node()
    assert save_animation(replace(record, nodes=()), tmp_path / "s") is None
    assert not list(tmp_path.iterdir())


def test_other_kinds_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match=r"unknown animation 'webm' \(known: gif, mp4\)"):
        save_animation(builders.one_node(), tmp_path / "s", "webm")


def test_an_mp4_without_ffmpeg_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PluginError, match="needs the program ffmpeg") as caught:
        save_animation(builders.one_node(), tmp_path / "s", "mp4")
    assert caught.value.exit_code == 6
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not on the PATH")
def test_an_mp4_is_one_and_has_the_same_bytes_every_time(tmp_path):
    record = stories.timeline(iterations=4, count=2)
    one, other = (save_animation(record, tmp_path / name, "mp4").read_bytes() for name in "ab")
    assert one[4:8] == b"ftyp"
    assert one == other


def test_a_failing_ffmpeg_is_an_output_error(tmp_path, monkeypatch):
    from mpnet.errors import OutputError

    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\ncat > /dev/null\necho unknown encoder >&2\nexit 1\n")
    program.chmod(0o755)
    import os

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(OutputError, match="ffmpeg can't write the animation: unknown encoder"):
        save_animation(stories.lively(2), tmp_path / "s", "mp4")
