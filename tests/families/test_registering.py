"""Registering kernels: what is entered, and what is refused with both sides named."""

import numpy as np
import pytest

from mpnet.builder import GraphBuilder
from mpnet.errors import GraphError, PluginError
from mpnet.families import FamilyKernels, kernel, register_family
from mpnet.families.registering import origin_of
from mpnet.kernels import foreign
from mpnet.kernels.cache import KernelCacheWarning
from mpnet.kernels.dispatch import SENDERS
from mpnet.kernels.families import FAMILIES
from tests.families.plugs import imported
from tests.graphs import JITTED


def test_importing_the_module_enters_its_kernels(tmp_path, monkeypatch):
    assert "plug" not in FAMILIES
    plug = imported(tmp_path, monkeypatch)
    assert FAMILIES["plug"].send is plug.send
    assert SENDERS[plug.PlugArrays] is plug.send
    assert origin_of("plug") == "plug.py"
    assert origin_of("count") == ""


def test_a_built_in_family_keeps_its_name(tmp_path, monkeypatch):
    wanted = (
        r"factor family 'count' of plug\.PlugArrays \(plug\.py\) can't be registered: 'count' is "
        r"already that of mpnet\.kernels\.counts\.CountArrays \(\S*counts\.py\); choose another name"
    )
    with pytest.raises(PluginError, match=wanted) as caught:
        imported(tmp_path, monkeypatch, name="count")
    assert caught.value.exit_code == 6
    assert "PlugArrays" not in FAMILIES["count"].arrays.__name__


def test_two_plugins_with_one_name_are_both_told(tmp_path, monkeypatch):
    imported(tmp_path, monkeypatch, module="plug_one")
    with pytest.raises(PluginError, match=r"of plug_two\.Plug.*is already that of plug_one\.Plug"):
        imported(tmp_path, monkeypatch, module="plug_two")


def test_one_class_of_arrays_serves_one_family(tmp_path, monkeypatch):
    plug = imported(tmp_path, monkeypatch)
    with pytest.raises(PluginError, match=r"'plug' is already that of.*another class of arrays"):
        register_family("other", FAMILIES["plug"])
    assert "other" not in FAMILIES
    assert FAMILIES["plug"].arrays is plug.PlugArrays


def test_the_same_file_may_register_again(tmp_path, monkeypatch):
    first = imported(tmp_path, monkeypatch)
    again = imported(tmp_path, monkeypatch)
    assert first.PlugArrays is not again.PlugArrays
    assert FAMILIES["plug"].arrays is again.PlugArrays


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "def log_partition(semiring, graph, family, first, last, to_factor):",
            "def log_partition(semiring, graph, family, first, to_factor):\n    last = first + 1",
            r"log_partition \(plug\.py:\d+\) takes \(semiring, graph, family, first, to_factor\); it "
            r"must take \(semiring, graph, family, first, last, to_factor\)",
        ),
        (
            "FamilyKernels(PlugArrays, send, log_partition",
            "FamilyKernels(PlugArrays, log_partition, send",
            r"send \(plug\.py:\d+\) takes \(semiring, graph, family, first, last, to_factor\); it must",
        ),
        (
            "    first: int\n    weights: FloatArray",
            "    weights: FloatArray\n    first: int",
            r"first field of plug\.PlugArrays is 'weights'; it must be 'first'",
        ),
        (
            "FamilyKernels(PlugArrays,",
            "FamilyKernels(int,",
            "arrays is <class 'int'>.*NamedTuple class",
        ),
        ("log_potential))", "None))", "log_potential is None; it must be a kernel"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, monkeypatch, old, new, told):
    with pytest.raises(PluginError, match=rf"factor family 'plug': .*{told}"):
        imported(tmp_path, monkeypatch, exchange={old: new})
    assert "plug" not in FAMILIES


@pytest.mark.skipif(not JITTED, reason="kernels are plain functions here")
def test_a_kernel_that_is_not_compiled_is_refused(tmp_path, monkeypatch):
    with pytest.raises(
        PluginError, match=r"send \(plug\.py:\d+\) is a plain function.*@mpnet\.families\.kernel"
    ):
        imported(tmp_path, monkeypatch, exchange={"@kernel\ndef send": "def send"})


@pytest.mark.skipif(not JITTED, reason="nothing is kept here")
def test_arrays_that_no_other_process_finds_are_not_kept_with_a_note(tmp_path, monkeypatch):
    plug = imported(tmp_path, monkeypatch)
    hidden = type("Hidden", (plug.PlugArrays,), {"__module__": "plug"})
    kernels = FAMILIES["plug"]
    with pytest.warns(KernelCacheWarning, match=r"'hidden': kernels compile again in each process"):
        register_family("hidden", kernels._replace(arrays=hidden))
    assert foreign.PLACES[hidden] is None


def test_contents_without_kernels_are_refused(tmp_path, monkeypatch):
    plug = imported(tmp_path, monkeypatch)
    monkeypatch.delitem(FAMILIES, "plug")
    builder = GraphBuilder()
    for name in "ab":
        builder.add_variable(name, 2)
    builder.add(plug.Plug("a", "b"))
    with pytest.raises(
        GraphError, match=r"no kernels serve the factor family 'plug' \(known: table"
    ):
        builder.build()


def test_what_a_plugin_needs_is_in_one_place():
    from mpnet import families

    assert set(families.__all__) <= set(dir(families))
    assert isinstance(FAMILIES["table"], FamilyKernels)
    found = kernel(lambda values: values * 2)(np.array([1.0]))
    np.testing.assert_array_equal(found, [2.0])
