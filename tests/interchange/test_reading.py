"""Files as such: found, sniffed, packed, refused, written whole, and answers in UAI's formats."""

import gzip

import numpy as np
import pytest

from mpnet.errors import OutputError, UsageError
from mpnet.interchange import ModelFileError, read_model, shipped, write_model
from mpnet.interchange.files import write_whole
from mpnet.interchange.results import write_mar, write_mpe, write_pr
from tests.interchange.texts import PAIR, assert_same_graph


def test_shipped_models_are_found_by_name_with_or_without_suffix():
    assert shipped() == ["antiferromagnet.uai", "burglary.bif", "sprinkler.uai"]
    assert read_model("sprinkler").name == "sprinkler"
    assert len(read_model("sprinkler.uai").graph.factors) == 3


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"no shipped model 'sprinkle'; did you mean"):
        read_model("sprinkle")
    with pytest.raises(UsageError, match=r"there is no format 'uia'; did you mean 'uai'\?"):
        read_model("sprinkler", "uia")


@pytest.mark.parametrize(
    ("name", "text", "format"),
    [
        ("m.uai", PAIR, "uai"),
        ("m", PAIR, "uai"),
        ("m.txt", "# so\n" + PAIR, "uai"),
        ("m.fg", "0\n", "fg"),
        ("m", "# libDAI\n\n0\n", "fg"),
        ("m", "network n {\n}\nvariable a {\n  type discrete [ 1 ] { x };\n}\n"
         "probability ( a ) {\n  table 1;\n}\n", "bif"),
    ],
)  # fmt: skip
def test_formats_are_told_by_name_or_content(tmp_path, name, text, format):
    (tmp_path / name).write_text(text)
    assert read_model(tmp_path / name).format == format


def test_packed_files_are_unpacked_by_name(tmp_path):
    (tmp_path / "m.uai.gz").write_bytes(gzip.compress(PAIR.encode()))
    assert len(read_model(tmp_path / "m.uai.gz").graph.variables) == 2
    (tmp_path / "cut.uai.gz").write_bytes(gzip.compress(PAIR.encode())[:-9])
    with pytest.raises(ModelFileError, match=r"cut.uai.gz: can't be unpacked"):
        read_model(tmp_path / "cut.uai.gz")
    (tmp_path / "not.uai.gz").write_text(PAIR)
    with pytest.raises(ModelFileError, match=r"not.uai.gz: can't be unpacked"):
        read_model(tmp_path / "not.uai.gz")


def test_packed_files_that_would_fill_memory_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("mpnet.interchange.files.UNPACKED_LIMIT", 1000)
    (tmp_path / "m.uai.gz").write_bytes(gzip.compress(b" " * 10_000))
    with pytest.raises(ModelFileError, match="holds more than 0 MiB when unpacked"):
        read_model(tmp_path / "m.uai.gz")


def test_what_is_no_regular_file_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="not a regular file"):
        read_model(tmp_path)
    with pytest.raises(ModelFileError, match="can't be read"):
        read_model("a\0b")


def test_content_of_no_known_format_is_refused(tmp_path):
    (tmp_path / "m").write_text("{}")
    with pytest.raises(ModelFileError, match=r"this is in no format that is known; uai \(.uai\)"):
        read_model(tmp_path / "m")


@pytest.mark.parametrize("suffix", ["uai", "fg"])
def test_models_are_written_and_read_again(tmp_path, suffix):
    graph = read_model("sprinkler").graph
    write_model(graph, tmp_path / f"s.{suffix}")
    assert_same_graph(read_model(tmp_path / f"s.{suffix}").graph, graph)


def test_formats_without_a_writer_are_refused(tmp_path):
    with pytest.raises(
        UsageError, match=r"can't write the format of 's.net'; formats: uai, fg, bif"
    ):
        write_model(read_model("sprinkler").graph, tmp_path / "s.net")


def test_files_are_never_overwritten_unasked_and_never_half_written(tmp_path):
    target = tmp_path / "a"
    write_whole(target, b"one")
    with pytest.raises(OutputError, match="is there already"):
        write_whole(target, b"two")
    assert target.read_bytes() == b"one"
    write_whole(target, b"two", overwrite=True)
    assert target.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    with pytest.raises(OutputError, match="can't be written"):
        write_whole(tmp_path / "none" / "a", b"one")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="is there already"):
        write_whole(tmp_path / "link", b"one")


def test_answers_have_the_formats_of_uai_2014():
    assert write_pr(np.log(1000.0)).decode().split("\n") == ["PR", "2.9999999999999996", ""]
    mar = write_mar(np.array([0.25, 0.75, 1.0, 0.0, 1e-20, 1.0]), np.array([2, 1, 3]))
    assert mar == b"MAR\n3 2 0.25 0.75 1 1 3 0 1e-20 1\n"
    assert write_mpe([1, 0, 2]) == b"MPE\n3 1 0 2\n"
