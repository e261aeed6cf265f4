"""The notebooks: whole, small, without stale outputs, and every claim in them holds."""

import os
import re
import warnings
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "tutorials"
BOOKS = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
LIMIT = 300_000


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


@pytest.fixture(scope="module")
def kernel():
    """Skip where no kernel can start, such as without loopback sockets."""
    with warnings.catch_warnings():
        # What these packages deprecate among themselves says nothing of mpnet.
        warnings.simplefilter("ignore")
        from jupyter_client.manager import start_new_kernel

        try:
            manager, client = start_new_kernel(startup_timeout=60)
        except (OSError, RuntimeError) as error:
            pytest.skip(f"no kernel can start here: {error}")
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def execute(book, folder):
    """Execute a notebook in an empty folder, with this mpnet."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nbclient import NotebookClient

        place = {"metadata": {"path": str(folder)}}
        NotebookClient(book, timeout=120, resources=place).execute(env=environment)
    return book


def test_there_are_tutorials():
    assert BOOKS == ["first_run", "when_loops_lie"]


@pytest.mark.parametrize("name", BOOKS)
def test_a_notebook_is_valid_small_and_without_outputs(name):
    book = read(name)
    nbformat.validate(book)
    assert (FOLDER / f"{name}.ipynb").stat().st_size < LIMIT
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert not [cell for cell in code if cell.outputs or cell.execution_count]
    assert sum("assert" in cell.source for cell in code) >= 4


@pytest.mark.parametrize("name", BOOKS)
def test_links_of_a_notebook_lead_somewhere(name):
    for cell in read(name).cells:
        for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", cell.source):
            assert (FOLDER / target).exists(), target


@pytest.mark.slow
@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("name", BOOKS)
def test_a_notebook_runs_and_its_claims_hold(name, tmp_path):
    cells = execute(read(name), tmp_path).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    shown = [set(output.get("data", {})) for output in outputs]
    assert sum("image/png" in kinds for kinds in shown) >= 3
    assert any("text/html" in kinds for kinds in shown)
    images = [output for output in outputs if "image/png" in output.get("data", {})]
    assert all(image.metadata["image/png"]["alt"] for image in images)


@pytest.mark.usefixtures("kernel")
def test_a_claim_that_does_not_hold_fails(tmp_path):
    from nbclient.exceptions import CellExecutionError

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("assert 1 + 1 == 3")])
    with pytest.raises(CellExecutionError, match="AssertionError"):
        execute(book, tmp_path)
