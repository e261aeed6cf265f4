"""``mpnet check --fix``: only what is beyond doubt, and nothing else of the text."""

import json
import os
import stat

import pytest

from mpnet.cli import main as cli
from mpnet.errors import OutputError
from mpnet.names import surely_meant
from mpnet.simulation.mending import write_mended

WRONG = """# A comment that stays.
name: wrong   # no version
nodes:
  colour: {type: featrue, states: [red, blue, purple, 7]}   # here
  shape:
    type: feature
    sates: ["round", 'long']
  jar: {type: modle, predicts: {colur: {purpel: 0.9}, "shape": longg}}
evidence:
  colour: 'purpl'
inference: {dampin: 0.5, estimater: clampd}
expect:
  - {node: jarr, above: 0.1}
"""

RIGHT = """# A comment that stays.
mpnet: 1
name: wrong   # no version
nodes:
  colour: {type: feature, states: [red, blue, purple, "7"]}   # here
  shape:
    type: feature
    states: ["round", 'long']
  jar: {type: model, predicts: {colour: {purple: 0.9}, "shape": long}}
evidence:
  colour: 'purple'
inference: {damping: 0.5, estimator: clamped}
expect:
  - {node: jar, above: 0.1}
"""

FINE = "mpnet: 1\nname: s\nnodes:\n  f: {type: feature}\n"


@pytest.fixture
def fix(tmp_path, monkeypatch, capsys):
    """Write a file and run ``check --fix`` on it: exit code, stdout, stderr, and the file after."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", None)

    def call(text, *options):
        path = tmp_path / "s.yaml"
        raw = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(raw)
        with pytest.raises(SystemExit) as caught:
            cli.main(["check", "--fix", "s.yaml", *options])
        said = capsys.readouterr()
        after = path.read_bytes()
        return caught.value.code, said.out, said.err, after if text is raw else after.decode()

    return call


def test_slips_are_mended_and_comments_and_layout_stay(fix, tmp_path):
    code, out, err, after = fix(WRONG)
    assert (code, err) == (0, "")
    assert after == RIGHT
    lines = out.splitlines()
    assert lines[0] == "s.yaml:2:1: fixed: added mpnet: 1 (the key 'mpnet' is missing)"
    assert "s.yaml:8:5: fixed: sates → states (unknown key 'sates')" in lines
    assert lines[-1] == "s.yaml: no faults (3 nodes, 2 predictions)"
    assert len(lines) == 14
    assert [path.name for path in tmp_path.iterdir()] == ["s.yaml"]


def test_lines_of_fixes_are_those_of_the_mended_file(fix):
    _, out, _, after = fix(WRONG)
    for said in out.splitlines()[1:-1]:
        new = said.partition(" → ")[2].partition(" (")[0]
        assert new in after.splitlines()[int(said.split(":")[1]) - 1]


def test_a_file_without_faults_is_not_touched(fix, tmp_path):
    fix(FINE)
    before = (tmp_path / "s.yaml").stat()
    os.utime(tmp_path / "s.yaml", ns=(1, 1))
    with pytest.raises(SystemExit):
        cli.main(["check", "--fix", "s.yaml"])
    after = (tmp_path / "s.yaml").stat()
    assert (after.st_mtime_ns, after.st_ino) == (1, before.st_ino)


def test_what_is_in_doubt_stays_and_is_told(fix):
    text = (
        FINE + "  m: {type: modle, prio: 0.1, prior: 0.2}\n  n: {type: xyz}\nevidence: {f: maybe}\n"
    )
    code, out, err, after = fix(text)
    assert code == 3
    assert after == text.replace("modle", "model")
    assert "fixed: modle → model" in out
    # The right key is there already; nothing is near to the others.
    for told in (
        "unknown key 'prio'",
        "'xyz' is provided by no installed plugin",
        "unknown state 'maybe'",
    ):
        assert told in err


@pytest.mark.parametrize(
    ("names", "written"),
    [
        ("jar1: {type: feature}\n  jar2: {type: feature}", "jar3"),
        ("ab: {type: feature}", "abc"),
        ("cat: {type: feature}", "car"),
    ],
)
def test_names_that_could_be_several_or_are_short_are_not_guessed(fix, names, written):
    text = f"mpnet: 1\nname: s\nnodes:\n  {names}\n  m: {{type: model, predicts: {{{written}: 'yes'}}}}\n"
    code, _, _, after = fix(text)
    assert (code, after) == (3, text)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_marks_stay(fix, end, mark):
    raw = mark + WRONG.replace("\n", end).encode()
    assert fix(raw)[3] == mark + RIGHT.replace("\n", end).encode()


def test_what_can_not_be_read_is_not_touched(fix):
    text = "nodes: [\n"
    code, out, err, after = fix(text)
    assert (code, out, after) == (3, "", text)
    assert "a value is missing here" in err


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("mpnet: 1.0\n", "mpnet: 1.0\n"),
        ('mpnet: "1"\n', "mpnet: 1\n"),
        ("mpnet: 2\n", "mpnet: 2\n"),
        ("", "mpnet: 1\n"),
    ],
)
def test_the_version_of_the_format(fix, wrong, right):
    rest = "name: s\nnodes: {f: {type: feature}}\n"
    assert fix(wrong + rest)[3] == right + rest


def test_a_flow_mapping_gets_no_version(fix):
    text = "{name: s, nodes: {f: {type: feature}}}\n"
    code, _, _, after = fix(text)
    assert (code, after) == (3, text)


@pytest.mark.parametrize(
    ("states", "wrong", "right"),
    [
        ('["1", "2"]', "1", '"1"'),
        ('["true", "false"]', "true", '"true"'),
        ('["1.50", "2"]', "1.50", "1.50"),
        ('["yes, sir", other]', "yess, sir", None),
        ('["yes, sir", other]', '"yes, sri"', '"yes, sir"'),
        ("[onwards, other]", "onward", "onwards"),
        ('["it: is", other]', "'it: si'", '"it: is"'),
    ],
)
def test_values_are_quoted_as_they_need(fix, states, wrong, right):
    text = f"mpnet: 1\nname: s\nnodes: {{f: {{type: feature, states: {states}}}}}\nevidence:\n  f: "
    code, _, _, after = fix(text + wrong + "  # seen\n")
    if right is None or right == wrong:
        assert after == text + wrong + "  # seen\n"
    else:
        assert (code, after) == (0, text + right + "  # seen\n")


def test_what_aliases_stand_for_is_left_alone(fix):
    text = "mpnet: 1\nname: s\nnodes:\n  f: {type: &kind featrue}\n  g: {type: *kind}\n"
    code, _, _, after = fix(text)
    assert (code, after) == (3, text)


def test_only_files_are_mended(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        cli.main(["check", "--fix", "purple_jar"])
    assert caught.value.code == 2
    assert "--fix changes files, and 'purple_jar' is none" in capsys.readouterr().err


def test_fixes_as_json(fix):
    code, out, _, _ = fix(FINE.replace("type: feature", "type: featrue"), "--format", "json")
    (report,) = json.loads(out)
    assert (code, report["faults"]) == (0, [])
    (made,) = report["fixes"]
    assert (made["line"], made["column"]) == (4, 13)
    assert made["text"].startswith("featrue → feature")


def test_permissions_and_links_stay(fix, tmp_path):
    real = tmp_path / "real.yaml"
    real.write_text(WRONG)
    real.chmod(0o640)
    (tmp_path / "link.yaml").symlink_to(real)
    with pytest.raises(SystemExit):
        cli.main(["check", "--fix", str(tmp_path / "link.yaml")])
    assert (tmp_path / "link.yaml").is_symlink()
    assert real.read_text() == RIGHT
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_bytes(b"new")
    with pytest.raises(
        OutputError, match="changed by somebody else meanwhile; nothing was written"
    ):
        write_mended(path, b"old", "mended")
    assert path.read_bytes() == b"new"
    with pytest.raises(OutputError, match="can't be written"):
        write_mended(tmp_path / "gone.yaml", b"old", "mended")


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("sates", ["states", "base_rates"], "states"),
        ("modle", ["model", "place"], "model"),
        ("Model", ["model"], "model"),
        ("on", ["ON", "off"], "ON"),
        ("jarx", ["jary", "jarz"], ""),
        ("purple", ["purple ", "purpel"], ""),
        ("estimatr", ["estimator"], "estimator"),
        ("estmatr", ["estimator"], ""),
        ("abc", ["abd"], ""),
        ("word", [], ""),
    ],
)
def test_what_is_surely_meant(name, known, meant):
    assert surely_meant(name, known) == meant
