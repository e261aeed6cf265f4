"""The library in a few functions: run, look, save, open again, compare."""

import base64
import io

import pytest
from PIL import Image

import mpnet
from mpnet.errors import OutputError, UsageError
from mpnet.plots import FIGURES
from mpnet.record import Record
from tests.nodes.societies import load

TEXT = """
nodes:
  f: {type: feature, states: [x, y]}
  a: {type: model, prior: 0.2, predicts: {f: {x: 0.9}}}
  b: {type: model, prior: 0.2, predicts: {f: {y: 0.9}, a: {wont: 0.99}}}
inference: {ask: [a, b]}
"""
SCENARIO = load(TEXT)
RUN = mpnet.run(SCENARIO)


def test_a_run_is_a_record_that_remembers_its_scenario():
    assert isinstance(RUN, Record)
    assert RUN.checked is SCENARIO
    assert RUN.resolved() == SCENARIO.resolved()


def test_settings_change_a_loaded_scenario_too():
    run = mpnet.run(SCENARIO, evidence={"f": "x"}, damping=0.5)
    assert run.beliefs["f"] == {"x": 1.0, "y": 0.0}
    assert run.resolved()["inference"]["damping"] == 0.5
    assert SCENARIO.resolved()["inference"]["damping"] == 0.0


def test_a_run_is_saved_once_and_opened_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = RUN.save()
    assert folder.parent.parent.name == "runs"
    again = mpnet.open_run()
    assert again.to_json() == RUN.to_json()
    assert again.folder.resolve() == folder.resolve()
    assert again.resolved() == SCENARIO.resolved()
    with pytest.raises(OutputError, match="is there already"):
        RUN.save(folder)
    with pytest.raises(UsageError, match="only a run that was made here can be saved: it is in"):
        again.save(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="there is no run 'latest~1'"):
        mpnet.open_run("latest~1")


def test_a_picture_shows_itself_as_an_image_with_words():
    picture = RUN.plot()
    data, metadata = picture._repr_mimebundle_()
    image = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    width, height = picture.figure.get_size_inches()
    assert image.size == (round(100 * width), int(100 * height))
    assert data["text/plain"] == metadata["image/png"]["alt"]
    assert "a is inactive" in data["text/plain"]
    assert set(picture._repr_mimebundle_(exclude={"image/png"})[0]) == {"text/plain"}
    assert repr(picture).startswith("<Picture s · ")


def test_figures_are_those_that_apply_and_each_is_drawn():
    assert RUN.figures
    assert set(RUN.figures) <= set(FIGURES)
    assert "<svg" in RUN.plot(RUN.figures[-1]).svg()


def test_a_picture_is_saved_by_its_ending_or_by_formats(tmp_path):
    picture = RUN.plot("society")
    assert picture.save(tmp_path / "new" / "a.svg") == [tmp_path / "new" / "a.svg"]
    names = [path.name for path in picture.save(tmp_path / "b")]
    assert names == ["b.png", "b.svg"]
    with pytest.raises(UsageError, match="unknown format 'gif'"):
        picture.save(tmp_path / "b", ["gif"])
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can't be made"):
        picture.save(tmp_path / "file" / "a.png")


def test_no_window_opens_and_pyplot_is_not_loaded():
    import subprocess
    import sys

    code = (
        "import mpnet, sys; p = mpnet.run('purple_jar_seen').plot(); p._repr_mimebundle_();"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_figures_with_nothing_to_show_and_figures_that_are_none_are_refused():
    with pytest.raises(UsageError, match=r"^nothing to draw for confusion \(figures: "):
        RUN.plot("confusion")
    with pytest.raises(UsageError, match="unknown figure 'soceity'; did you mean 'society'"):
        RUN.plot("soceity")
    with pytest.raises(UsageError, match=r"^unknown option 'colour' of a figure \("):
        RUN.plot("society", colour="red")


def test_two_runs_are_compared_by_what_differs():
    other = mpnet.run(SCENARIO, evidence={"f": "x"})
    found = RUN.compare(other)
    assert [(c.path, c.kind, c.after) for c in found.settings] == [("evidence.f", "added", "x")]
    assert (found.before, found.after) == ("s 1", "s 2")
    assert not found.same
    assert RUN.compare(other, tolerance=9.0).same


def test_runs_are_drawn_beside_one_another():
    picture = RUN.plot_beside(mpnet.run(SCENARIO, evidence={"f": "x"}), mpnet.run(SCENARIO))
    assert picture.title == "s 1 vs s 2 vs s 3 · compare"
    assert picture.description.startswith("s 1 and s 2: ")
    assert "image/png" in picture._repr_mimebundle_()[0]


def test_errors_are_those_of_the_exact_answer_or_of_another_run():
    exact = mpnet.run(SCENARIO, estimator="exact")
    apart = max(
        abs(RUN.beliefs[n][s] - exact.beliefs[n][s]) for n in RUN.beliefs for s in RUN.beliefs[n]
    )
    assert RUN.errors().max_absolute == pytest.approx(apart, abs=1e-12)
    assert RUN.errors(exact).max_absolute == pytest.approx(apart, abs=1e-12)
    assert RUN.errors(exact).log_z == pytest.approx(RUN.log_z - exact.log_z)


def test_runs_are_labelled_by_what_tells_them_apart():
    exact, damped = mpnet.run(SCENARIO, estimator="exact"), mpnet.run(SCENARIO, damping=0.5)
    assert (RUN.compare(exact).before, RUN.compare(exact).after) == ("s, flat", "s, exact")
    assert RUN.compare(damped).after == "s, damping 0.5"
    other = mpnet.run("purple_jar_seen")
    assert (RUN.compare(other).before, RUN.compare(other).after) == ("s", "purple_jar_seen")


def test_a_run_explains_itself_here_and_from_its_folder(tmp_path):
    here = mpnet.run("purple_jar")
    found = here.explain("stationary_dancing")
    assert found.total == pytest.approx(found.log_odds, abs=1e-6)
    again = mpnet.open_run(here.save(tmp_path / "run")).explain("stationary_dancing")
    assert again == found
    assert repr(found).startswith("<Explanation stationary_dancing: active against inactive, -8.1")
    assert "contradict each other about motion" in found._repr_html_()


def test_a_run_without_its_scenario_is_not_explained():
    bare = mpnet.Run.of(mpnet.run("purple_jar").record)
    with pytest.raises(UsageError, match="a run without its scenario can't be explained"):
        bare.explain("purple")
