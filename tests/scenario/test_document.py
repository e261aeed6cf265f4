"""YAML files as plain data: what is accepted, what is refused, and where."""

import contextlib
import csv
import json
import math
import os
import pickle
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpnet.errors import Fault, ScenarioError
from mpnet.scenario.document import Document, parse_scalar, read_document, set_value

ABOVE_REPOSITORY = Path(__file__).parents[2].parent
HOSTILE = Path(os.environ.get("MPNET_HOSTILE") or ABOVE_REPOSITORY / "shared" / "hostile")

REFUSED_HERE = {
    "002_only_comment": "002_only_comment.yaml: the file has no content",
    "004_whitespace_only": "004_whitespace_only.yaml: the file has no content",
    "008_utf16le_bom": "008_utf16le_bom.yaml: the file is UTF-16 or UTF-32",
    "010_truncated_utf8": ":1:10: the file ends inside a character, at byte offset 9",
    "012_control_char_raw": ":1:8: the character U+0007 is not allowed",
    "014_lone_surrogate": ":3:14: this escape is not a character",
    "018_document_end_then_garbage": ":6:1: this stands outside the document",
    "020_unclosed_quote": ":1:7: this quote is never closed",
    "022_mapping_in_scalar": ":1:8: a colon can't stand here; put the text in quotes",
    "030_duplicate_key_top": ":2:1: name: duplicate key 'name', first on line 1",
    "044_top_scalar": ":1:1: the top level must be a mapping, not text",
    "046_null_key": ":3:1: a key is missing or null",
    "088_prob_overflow_literal": ":6:13: nodes[0].table[0]: the number 1.0e+400 is too large",
    "090_int_5000_digits": ":5:18: settings.seed: a number of 5000 digits is too long",
    "153_recursive_mapping": ":4:11: settings: the alias '*top' would contain itself",
    "155_undefined_alias": ":1:7: name: unknown alias '*nope'",
    "157_deep_flow_3000": "nested more than 64 levels deep",
    "159_deep_json_100000": "nested more than 64 levels deep",
    "161_long_key_100kB": ":3:3: a key may have at most 1024 characters",
    "171_tag_object_new": ":1:7: name: the tag '!!python/object/new:type' is not allowed",
    "173_tag_python_module": ":1:7: name: the tag '!!python/module:antigravity'",
    "175_tag_custom": ":1:7: name: the tag '!Include' is not allowed",
    "177_tag_binary_bad": ":1:7: name: the tag '!!binary' is not allowed",
    "179_tag_omap": ":2:8: nodes: the tag '!!omap' is not allowed",
    "181_tag_float_on_text": ":3:17: settings.tol: the tag '!!float' is not allowed",
}


def read(text):
    return read_document("f.yaml", text if isinstance(text, bytes) else text.encode())


def entries(text):
    """What a refused file is told: one string per fault, without the lines shown."""
    with pytest.raises(ScenarioError, match="nothing was run") as caught:
        read(text)
    return [entry.partition("\n")[0] for entry in caught.value.report()[:-1]]


# Content


def test_a_small_file_becomes_plain_data():
    text = "name: jar\nnodes:\n  - {type: feature, states: [red, 'blue']}\nsettings:\n  tol: 1e-6\n"
    assert read(text).data == {
        "name": "jar",
        "nodes": [{"type": "feature", "states": ["red", "blue"]}],
        "settings": {"tol": 1e-6},
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None), ("nULL", "nULL"),
        ("true", True), ("True", True), ("FALSE", False), ("tRUE", "tRUE"),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("0", 0), ("-12", -12), ("+7", 7), ("010", 10), ("0o17", 15), ("0x1F", 31),
        ("-0x1F", "-0x1F"), ("0b1", "0b1"), ("1_000", "1_000"), ("1:30", "1:30"), ("٣", "٣"),
        ("12:30:45", "12:30:45"), ("2001-01-01", "2001-01-01"), ("1.2.3", "1.2.3"),
        ("1e-6", 1e-6), ("1E5", 1e5), ("1.", 1.0), (".5", 0.5), ("-2.5e+3", -2500.0),
        ("1e", "1e"), (".", "."), (".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf),
        ("inf", "inf"), ("nan", "nan"), ("'1'", "1"), ('"true"', "true"), ("''", ""),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema(text, value):
    got = read(f"a: {text}").data["a"]
    assert got == value
    assert type(got) is type(value)
    assert parse_scalar(text) == value


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_nan_needs_its_dot(text):
    assert math.isnan(read(f"a: {text}").data["a"])


def test_block_scalars_are_text():
    assert read("a: |\n  12\nb: >\n  true\n").data == {"a": "12\n", "b": "true\n"}


def test_keys_are_text_as_written():
    data = read("{yes: 1, on: 2, true: 3, 12: 4, 1.0: 5, 0x10: 6, 'null': 7, '<<': 8, '': 9}").data
    assert list(data) == ["yes", "on", "true", "12", "1.0", "0x10", "null", "<<", ""]


def test_keys_are_nfc():
    assert list(read("cafe\u0301: 1").data) == ["caf\u00e9"]


def test_windows_line_ends_and_a_byte_order_mark_change_nothing():
    document = read(b"\xef\xbb\xbfa: 1\r\nb:\r\n  c: x\r\n")
    assert document.data == {"a": 1, "b": {"c": "x"}}
    assert document.place(("b", "c")) == (3, 6)


def test_json_is_read_with_tabs_escapes_and_surrogate_pairs():
    text = '{"a":[1,\n\t\t"x\\/\\u00e9\\ud83d\\ude00\\ud83d\\ude00",2.5e3],"b":null}'
    document = read(text)
    assert document.data == json.loads(text)
    assert document.place(("b",)) == (2, text.split("\n")[1].index("null") + 1)
    assert read('{"a": "\\\\ud83d\\\\ude00 \\ud83d\\ude00"}').data == {"a": "\\ud83d\\ude00 😀"}


def test_a_lone_surrogate_is_refused_in_json_too():
    assert entries('{"a": "\\ud83d", "b": 1}') == ["f.yaml:1:10: this escape is not a character"]


def test_aliases_repeat_the_value_and_keep_its_place():
    document = read("base: &b {x: [1, 2]}\nuse: *b\nlist:\n  - *b\n&k key: *k\n")
    assert document.data["use"] == document.data["list"][0] == {"x": [1, 2]}
    assert document.data["key"] == "key"
    assert document.place(("use", "x", 1)) == document.place(("base", "x", 1)) == (1, 18)
    assert document.place(("use",)) == (1, 7)
    assert document.place(("use",), on_key=True) == (2, 1)
    assert document.place(("list", 0), on_key=True) == (4, 5)


def test_an_anchor_can_be_set_again():
    assert read("a: &x 1\nb: &x 2\nc: *x").data == {"a": 1, "b": 2, "c": 2}


# Places


def test_places_of_keys_and_values():
    document = read("# note\nname: jar\nnodes:\n  - type: a\n    tags: [x, 'y']\n")
    assert document.place(()) == (2, 1)
    assert document.place(("name",)) == (2, 7)
    assert document.place(("name",), on_key=True) == (2, 1)
    assert document.place(("nodes", 0)) == (4, 5)
    assert document.place(("nodes", 0, "tags"), on_key=True) == (5, 5)
    assert document.place(("nodes", 0, "tags", 1)) == (5, 15)


def test_a_path_that_is_not_there_has_the_place_of_its_nearest_ancestor():
    document = read("a:\n  b: {c: 1}\n")
    assert document.place(("a", "b", "x", "y")) == document.place(("a", "b")) == (2, 6)
    assert document.place(("a", "b", "x"), on_key=True) == (2, 3)
    assert document.place(("a", "b", "c", 0)) == (2, 10)
    assert document.place(("zzz",)) == (1, 1)


def test_columns_count_characters():
    assert read("{é😀: 1, b: 2}").place(("b",)) == (1, 12)


def test_locate_fills_in_the_places_that_are_missing():
    document = read("a: 1\nb: [2, 3]\n")
    error = document.locate(
        [
            Fault(("b", 1), "is odd"),
            Fault(("a",), "is unknown", on_key=True),
            Fault((), "is here", line=2, column=4),
        ]
    )
    assert str(error) == (
        "f.yaml:1:1: a: is unknown\n     1 | a: 1\n       | ^\n"
        "f.yaml:2:4: is here\n     2 | b: [2, 3]\n       |    ^\n"
        "f.yaml:2:8: b[1]: is odd\n     2 | b: [2, 3]\n       |        ^\n"
        "3 faults; nothing was run"
    )


def test_data_without_a_file_has_no_places():
    document = Document({"a": 1}, "made here", "")
    assert document.place(("a",)) == (0, 0)
    assert str(document.locate([Fault(("a",), "is odd")])).startswith("made here: a: is odd\n")


def test_documents_pickle():
    document = read("a: &x [1]\nb: *x")
    again = pickle.loads(pickle.dumps(document))  # noqa: S301
    assert again == document
    assert again.place(("b", 0)) == (1, 8)


# Refusals


@pytest.mark.parametrize("text", ["", " \n\n", "# only this\n", "---\n", "---\n...\n", "\ufeff"])
def test_no_content(text):
    assert entries(text) == ["f.yaml: the file has no content"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("- 1", "a list"),
        ("x", "text"),
        ("5", "a number"),
        ("2.5", "a number"),
        ("true", "true or false"),
    ],
)
def test_the_top_level_is_a_mapping(text, kind):
    assert entries(f"\n{text}\n") == [
        f"f.yaml:2:1: the top level must be a mapping, not {kind}; write 'key: value'"
    ]


@pytest.mark.parametrize(
    ("raw", "entry"),
    [
        (b"\xff\xfea\x00", "f.yaml: the file is UTF-16 or UTF-32; save it as UTF-8"),
        (b"\xfe\xff\x00a", "f.yaml: the file is UTF-16 or UTF-32; save it as UTF-8"),
        (
            b"a: 1\nb: caf\xc3",
            "f.yaml:2:7: the file ends inside a character, at byte offset 11; save it as UTF-8",
        ),
        (b"a:\n  caf\xe9 b", "f.yaml:2:6: byte 0xe9 at offset 8 is not UTF-8; save it as UTF-8"),
        (b"\xef\xbb\xbf\xff", "f.yaml:1:1: byte 0xff at offset 3 is not UTF-8; save it as UTF-8"),
        (b"a: \xed\xa0\x80", "f.yaml:1:4: byte 0xed at offset 3 is not UTF-8; save it as UTF-8"),
    ],
)
def test_only_utf8(raw, entry):
    assert entries(raw) == [entry]


@pytest.mark.parametrize("code", [0x00, 0x07, 0x1B, 0x7F, 0x85, 0x9F, 0x2028, 0x2029, 0xFFFE])
def test_raw_control_characters(code):
    hint = f'write it as "\\u{code:04x}" if it is meant'
    assert entries(f"a: 1\nb: x{chr(code)}y\n") == [
        f"f.yaml:2:5: the character U+{code:04X} is not allowed; {hint}"
    ]


def test_each_line_with_a_control_character_is_named():
    assert [entry[:11] for entry in entries("a: \x01\x02\nb: 1\nc: \x03")] == [
        "f.yaml:1:4:",
        "f.yaml:3:4:",
    ]


def test_fifty_megabytes_are_the_limit():
    assert entries(b"#" * 50_000_001) == [
        "f.yaml: the file has 50000001 bytes; at most 50000000 are allowed"
    ]


@pytest.mark.parametrize(
    ("text", "place"), [("a: 1\n---\nb: 2", "2:1"), ("--- {a: 1}\n--- {a: 1}", "2:1")]
)
def test_one_document_per_file(text, place):
    assert entries(text) == [f"f.yaml:{place}: a second document begins here; use one file each"]


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("!x", "!x"),
        ("!", "!"),
        ("!!str", "!!str"),
        ("!!python/name:os.system", "!!python/name:os.system"),
        ("!<tag:yaml.org,2002:int>", "!!int"),
    ],
)
@pytest.mark.parametrize("value", ["b", "'b'", "[1]", "{c: 1}"])
def test_tags_are_refused(tag, name, value):
    expected = [f"f.yaml:1:4: a: the tag '{name}' is not allowed; write the plain value"]
    assert entries(f"a: {tag} {value}\n") == expected


def test_refused_keys():
    text = "~: 1\n: 2\n[a]: 3\n? {b: 1}\n: 4\n!t c: 5\n<<: {d: 1}\n&x y: 6\n*x : 7\n"
    text = text.replace(": 2\n", "? \n: 2\n", 1)
    assert entries(text) == [
        "f.yaml:1:1: a key is missing or null; quote it if it is text",
        "f.yaml:2:2: a key is missing or null; quote it if it is text",
        "f.yaml:4:1: a key must be text, not a list or mapping",
        "f.yaml:5:3: a key must be text, not a list or mapping",
        "f.yaml:7:1: the tag '!t' is not allowed; write the plain value",
        "f.yaml:8:1: merge keys ('<<') are not supported; write the keys out",
        "f.yaml:10:1: a key can't be an alias; write the key out",
    ]


def test_a_duplicate_key_names_the_line_of_the_first():
    assert entries("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\na: 4\n") == [
        "f.yaml:5:3: b.c: duplicate key 'c', first on line 3",
        "f.yaml:6:1: a: duplicate key 'a', first on line 1",
    ]


def test_keys_equal_after_normalisation_are_duplicates():
    assert entries("caf\u00e9: 1\ncafe\u0301: 2\n") == [
        "f.yaml:2:1: caf\u00e9: duplicate key 'caf\u00e9', first on line 1"
    ]


def test_long_keys_are_shown_cut():
    key = "k" * 1000
    shown = "k" * 59 + "…"
    assert entries(f"{key}: 1\n{key}: 2\n") == [
        f"f.yaml:2:1: {shown}: duplicate key '{shown}', first on line 1"
    ]
    what = "a key may have at most 1024 characters"
    assert entries("k" * 1025 + ": 1") == [f"f.yaml:1:1: {what}"]
    assert entries("? " + "k" * 1025) == [f"f.yaml:1:3: {what}"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("9" * 4301, "a number of 4301 digits is too long (at most 4300)"),
        ("0x" + "f" * 4000, "a number of 4816 digits is too long (at most 4300)"),
        ("1e400", "the number 1e400 is too large for a float"),
        ("-1e400", "the number -1e400 is too large for a float"),
    ],
)
def test_numbers_that_do_not_fit(text, what):
    assert entries(f"a:\n  - {text}\n") == [f"f.yaml:2:5: a[0]: {what}; quote it if it is text"]
    with pytest.raises(ScenarioError) as caught:
        parse_scalar(text)
    assert caught.value.faults[0].what == what


def test_a_number_of_4300_digits_fits():
    assert read("a: -" + "9" * 4300).data == {"a": 1 - 10**4300}


def test_sixty_four_levels_are_the_limit():
    assert read("a: " + "[" * 63 + "]" * 63).data["a"][0]
    expected = "f.yaml:1:67: a[0][0][0][0][0][0][0]: nested more than 64 levels deep"
    assert entries("a: " + "[" * 64 + "]" * 64) == [expected]


@pytest.mark.parametrize("start", ["[", "{", "{a: ", "- ", "? ", "[a, "])
def test_a_hundred_thousand_levels_end_in_a_message(start):
    assert entries(start * 100_000)[-1].endswith("nested more than 64 levels deep")


def test_aliases_can_not_nest_deeper_either():
    text = "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 80))
    assert entries(text)[0] == "f.yaml:64:12: a63[0]: nested more than 64 levels deep, by aliases"


def test_aliases_that_multiply_are_refused_at_the_largest():
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    what = "the aliases expand 91 values to 490329055; at most 10 times are allowed"
    assert entries("\n".join(lines)) == [f"f.yaml:9:8: {what}"]


def test_small_files_may_repeat_themselves():
    row = "[" + ", ".join("x" * 1 for _ in range(90)) + "]"
    assert len(read(f"a: &a {row}\nb: [{', '.join(['*a'] * 100)}]").data["b"]) == 100


def test_recursive_and_unknown_aliases():
    assert entries("a: &x\n  b: [*x]\nc: *y\n") == [
        "f.yaml:2:7: a.b[0]: the alias '*x' would contain itself; write it out",
        "f.yaml:3:4: c: unknown alias '*y'; no '&y' before it",
    ]


NO_COLON = "a colon is missing after this; write 'key: value' (a key has at most 1024 characters)"
COLON = (
    "a colon can't stand here; "
    "put the text in quotes if the colon is part of it, or check the indentation"
)


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("name: a: b", f"1:8: {COLON}"),
        ("a: {b: c: d}", f"1:9: {COLON}"),
        ("a: 1\n b: 2", f"2:3: {COLON}"),
        ("a: 'x\nb: 1", "1:4: this quote is never closed"),
        ('a: "x\n---\n', "1:4: this quote is never closed"),
        ("a: [1,\n  2\n", "1:4: this list is never closed; add ']'"),
        ("a: {b: 1", "1:4: this mapping is never closed; add '}'"),
        ("a: {b: [1}", "1:10: a comma or ']' is missing here; the list begins on line 1"),
        ("a: 1\nb\n", f"2:1: {NO_COLON}"),
        ("a: 'b' c", "1:8: this does not fit here; check indentation and quotes"),
        ("a:\n  - 1\n  b: 2", "3:3: this does not fit here; check indentation and dashes"),
        ("a: ]", "1:4: a value is missing here"),
        ("a: - b", "1:4: a list can't begin here; begin it on the next line"),
        ("a: ? b", "1:4: '? ' can't stand here; put the text in quotes"),
        ("a: @b", "1:4: a value can't begin with '@'; put the text in quotes"),
        ("a:\n\tb: 1", "2:1: a tab can't indent; use spaces"),
        ("a: b\n\tc: 1", "2:1: a tab can't indent; use spaces"),
        ("a: * b", "1:4: '&' and '*' need a name right after them; put the text in quotes"),
        ('a: "\\q"', "1:5: this escape is unknown; write \\\\ for a backslash"),
        ('a: "\\xzz"', "1:7: this escape needs more hexadecimal digits"),
        ('a: "\\ud800"', "1:7: this escape is not a character"),
        ("a: |x\n  b", "1:5: there is text after '|' or '>'; begin it below"),
        ("a: !b!c d", "1:4: tags are not allowed; write the plain value"),
        ("a: 1\n...\nb: 2", "3:1: this stands outside the document; check quotes and '...'"),
        ("%YAML 3.0\n--- {a: 1}", "1:1: this can't be read as YAML; check quotes and indentation"),
    ],
)
def test_syntax_errors_in_plain_words(text, entry):
    assert entries(text) == [f"f.yaml:{entry}"]


def test_all_faults_are_told_up_to_the_syntax_error():
    assert entries("a: 1\na: 2\nb: !x 3\nc: *n\nd: [1\n") == [
        "f.yaml:2:1: a: duplicate key 'a', first on line 1",
        "f.yaml:3:4: b: the tag '!x' is not allowed; write the plain value",
        "f.yaml:4:4: c: unknown alias '*n'; no '&n' before it",
        "f.yaml:5:4: this list is never closed; add ']'",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a: !" + "t" * 200_000,
        "a: *" + "t" * 200_000,
        "a: " + "1" * 200_000,
        "a: '" + "t" * 200_000,
        "t" * 200_000 + ": 1",
        "a: 1\n" * 100_000,
        "~: 1\n" * 100_000,
        "\x01\n" * 100_000,
    ],
)
def test_messages_of_huge_files_are_short(text):
    start = time.process_time()
    with pytest.raises(ScenarioError) as caught:
        read(text)
    assert time.process_time() - start < 60.0  # a safeguard against quadratic work; usually 0.1
    assert len(str(caught.value)) < 5000  # 20 faults of 250 characters
    assert all(len(entry) < 2000 for entry in caught.value.report())


def test_ten_thousand_nodes_are_read_in_time():
    node = "    type: feature\n    states: [red, green, blue]\n    prior: [0.1, 0.2, 0.7]\n"
    text = "nodes:\n" + "".join(f"  n{i}:\n{node}" for i in range(10_000))
    start = time.process_time()
    document = read(text)
    assert time.process_time() - start < 60.0  # usually 1; the margin is for busy machines
    assert document.place(("nodes", "n9999", "states", 2)) == (40_000, 26)


# Values from the command line


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{purple: 0.8, n: [1, no]}", {"purple": 0.8, "n": [1, "no"]}),
        ("[1, 2]", [1, 2]),
        (" 3 ", 3),
        ("'3'", "3"),
        ('"a\\tb"', "a\tb"),
        ("a: b", "a: b"),
        ("#ff0000", "#ff0000"),
        ("!x", "!x"),
        ("*x", "*x"),
        ("- a", "- a"),
    ],
)
def test_values_from_the_command_line(text, value):
    assert parse_scalar(text) == value


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("[1, 2", "value:1:1: this list is never closed; add ']'"),
        ("{a: 1, a: 2}", "value:1:8: a: duplicate key 'a', first on line 1"),
        ("[!x 1]", "value:1:2: [0]: the tag '!x' is not allowed; write the plain value"),
        ("[1] 2", "value:1:5: this stands outside the document; check quotes and '...'"),
        ("\udcff", "value:1:1: the character U+DCFF is not allowed"),
        (
            "a\x07",
            'value:1:2: the character U+0007 is not allowed; write it as "\\u0007" if it is meant',
        ),
    ],
)
def test_faulty_values_from_the_command_line(text, entry):
    with pytest.raises(ScenarioError) as caught:
        parse_scalar(text)
    assert caught.value.report()[0].partition("\n")[0] == entry


def test_a_value_is_replaced_in_a_copy():
    document = read("a: 1\nb:\n  c: [2, 3]\n  d: {e: 4}\n")
    changed = set_value(document, ("b", "c", 1), {"x": 5})
    assert changed.data == {"a": 1, "b": {"c": [2, {"x": 5}], "d": {"e": 4}}}
    assert document.data == {"a": 1, "b": {"c": [2, 3], "d": {"e": 4}}}
    assert changed.place(("b", "c", 1, "x")) == document.place(("b", "c", 1)) == (3, 10)
    assert changed.place(("b", "d", "e")) == (4, 10)


def test_a_value_set_through_an_alias_changes_one_side_only():
    changed = set_value(read("a: &x {b: 1}\nc: *x\n"), ("c", "b"), 2)
    assert changed.data == {"a": {"b": 1}, "c": {"b": 2}}


def test_missing_mappings_are_made():
    changed = set_value(read("a: 1\nb:\n"), ("settings", "damping"), 0.5)
    changed = set_value(changed, ("b", "cafe\u0301"), 2)
    assert changed.data == {"a": 1, "b": {"caf\u00e9": 2}, "settings": {"damping": 0.5}}
    assert changed.place(("settings", "damping")) == (1, 1)
    assert changed.place(("b", "caf\u00e9")) == (2, 3)


def test_a_list_grows_by_one():
    assert set_value(read("a: [1]"), ("a", 1), 2).data == {"a": [1, 2]}


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ((), "1:1: the whole document can't be replaced"),
        (("a", "x"), "1:4: a: a number has no entry 'x'"),
        (("b", 2), "2:4: b: a list needs an index from 0 to 1, got 2"),
        (("b", -1), "2:4: b: a list needs an index from 0 to 1, got -1"),
        (("b", "x"), "2:4: b: a list needs an index from 0 to 1, got 'x'"),
        ((0,), "1:1: a mapping has no entry 0"),
        (("c", 0), "1:1: c: null has no entry 0"),
    ],
)
def test_paths_that_lead_nowhere(path, entry):
    with pytest.raises(ScenarioError) as caught:
        set_value(read("a: 1\nb: [1]\n"), path, 0)
    assert caught.value.report()[0].partition("\n")[0] == f"f.yaml:{entry}"


# Anything at all


ALPHABET = st.sampled_from(list("ab01:-?[]{},#&*!|>'\"%@`~<.= \n\t\\x\r\ufeff\u0301😀\x07"))
TEXTS = st.one_of(st.text(), st.text(ALPHABET, max_size=60))
# JSON allows DEL raw, YAML does not; keys that are not NFC come back changed.
KEYS = st.text(max_size=20).map(lambda text: unicodedata.normalize("NFC", text))
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


def check_outcome(raw):
    try:
        document = read_document("f.yaml", raw)
    except ScenarioError as error:
        refusal = error
    else:
        assert isinstance(document.data, dict)
        return
    assert str(refusal).startswith("f.yaml:")
    assert all(fault.column > 0 for fault in refusal.faults if fault.line)


@given(st.binary(max_size=200))
@settings(deadline=None, derandomize=True)
def test_any_bytes_are_read_or_refused(raw):
    check_outcome(raw)


@given(TEXTS)
@settings(deadline=None, derandomize=True, max_examples=400)
def test_any_text_is_read_or_refused(text):
    check_outcome(text.encode("utf-8", "surrogatepass"))
    check_outcome(b"a: " + text.encode("utf-8", "surrogatepass"))


@given(TEXTS)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_any_command_line_value_is_read_or_refused(text):
    with contextlib.suppress(ScenarioError):
        parse_scalar(text)


@given(st.dictionaries(KEYS, PLAIN, max_size=4))
@settings(deadline=None, derandomize=True)
def test_plain_data_survives_json(data):
    assert read(json.dumps(data).replace("\x7f", "\\u007f")).data == data
    assert read(json.dumps(data, indent=1).replace("\x7f", "\\u007f")).data == data


# The corpus


def corpus():
    manifest = HOSTILE / "MANIFEST.tsv"
    if not manifest.exists():
        return []
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [HOSTILE / row["file"] for row in rows if row["file"].startswith("yaml/")]


CORPUS = corpus()
needs_corpus = pytest.mark.skipif(not CORPUS, reason="the corpus of hostile files is not here")


@needs_corpus
@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_hostile_files_are_read_or_refused_in_time(path):
    start = time.process_time()
    expected = REFUSED_HERE.get(path.stem)
    if expected is None:
        assert isinstance(read_document(path.name, path.read_bytes()).data, dict)
    else:
        with pytest.raises(ScenarioError) as caught:
            read_document(path.name, path.read_bytes())
        message = str(caught.value)
        assert expected in message
        assert message.startswith(path.name)
        assert len(message) < 2000
    assert time.process_time() - start < 60.0  # what the corpus allows


@needs_corpus
def test_every_file_refused_here_is_in_the_corpus():
    assert set(REFUSED_HERE) <= {path.stem for path in CORPUS}


@needs_corpus
def test_a_file_with_much_comment_has_the_right_lines():
    path = HOSTILE / "yaml" / "163_comments_200kB.yaml"
    document = read_document(path.name, path.read_bytes())
    lines = path.read_text(encoding="utf-8").split("\n")
    line, column = document.place(("nodes", 0, "name"), on_key=True)
    assert lines[line - 1][column - 1 :].startswith("name:")
