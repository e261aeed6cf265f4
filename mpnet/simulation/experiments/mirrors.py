"""A relation between two places, recognised in images and not in their mirror images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field
from scipy.ndimage import grey_dilation

from mpnet.errors import Fault, NumericalError
from mpnet.estimators import make_estimator
from mpnet.estimators.base import Options, Problem, ignore
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.messages import Messages
from mpnet.names import Name
from mpnet.nodes.base import NodeFaults, fault
from mpnet.nodes.bitmap import observed
from mpnet.nodes.place import Place
from mpnet.nodes.relation import Relation
from mpnet.record import Findings
from mpnet.schedules import make_schedule
from mpnet.schedules.base import Settings
from mpnet.simulation.experiments.base import Experiment, Tell

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario


class Mirrors(Experiment):
    """Images drawn so that a relation holds, and the same images mirrored."""

    relation: Name = Field(description="The node of type relation.")
    opposite: Name | None = Field(None, description="A relation that holds in mirror images.")
    flip: Literal["across", "down"] = Field(
        "across", description="Whether left and right or top and bottom are swapped."
    )
    trials: int = Field(60, ge=1, le=10**5, description="Images drawn.")

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """How often the relation is recognised, and by how much."""
        found = {
            "recognised": "share of images in which the relation is more likely than not",
            "recognised mirrored": "the same share of the mirror images",
            "log odds gained": "mean log-odds of the relation less its prior log-odds, in nats",
            "log odds gained mirrored": "the same in the mirror images",
            "places found": "share of images in which both places are most believed",
            "dilation error": "largest difference of a max-product message from a dilation, nats",
        }
        if self.opposite is not None:
            found["opposite recognised"] = "share of images in which the opposite is"
            found["opposite recognised mirrored"] = "the same share of the mirror images"
        return found

    def check(self, scenario: Scenario) -> None:
        """Whether there are such relations between places that look at one image."""
        nodes, faults = scenario.society.nodes, []
        for key, name in (("relation", self.relation), ("opposite", self.opposite)):
            if name is not None and not isinstance(nodes.get(name), Relation):
                faults.append(Fault((key,), f"{name!r} is not a node of type relation"))
        if faults:
            raise NodeFaults(faults)
        self._check_places(scenario)

    def _check_places(self, scenario: Scenario) -> None:
        relation, places = self._parts(scenario)
        axis = 1 if self.flip == "across" else 0
        if places[0].sees is None or places[0].sees != places[1].sees:
            raise fault(("relation",), f"the places of {self.relation!r} see no image in common")
        for name, place in zip(relation.between, places, strict=True):
            drawn = place.drawn()
            if not np.array_equal(drawn, np.flip(drawn, axis), equal_nan=True):
                what = f"{name!r} looks otherwise in a mirror; its shape must be symmetric"
                raise fault(("flip",), what)
        if not _layouts(relation, places).size:
            what = "there are no two cells where the relation holds and shapes do not overlap"
            raise fault(("relation",), what)

    def _parts(self, scenario: Scenario) -> tuple[Relation, list[Place]]:
        relation = scenario.society.nodes[self.relation]
        assert isinstance(relation, Relation)  # noqa: S101 - checked before
        found = [scenario.society.nodes[name] for name in relation.between]
        return relation, [place for place in found if isinstance(place, Place)]

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Draw, recognise, mirror, recognise again."""
        from mpnet.simulation.answering import options_of

        options = options_of(scenario)
        relation, places = self._parts(scenario)
        layouts = _layouts(relation, places)
        rng = np.random.default_rng(options.seed)
        asked = [self.relation, *([self.opposite] if self.opposite else [])]
        odds = np.empty((2, self.trials, len(asked)))
        found = 0
        for trial in range(self.trials):
            cells = layouts[rng.integers(len(layouts))]
            image = _draw(places, cells, rng)
            mirrored = np.flip(image, 1 if self.flip == "across" else 0)
            for side, shown in enumerate((image, mirrored)):
                odds[side, trial], best = _ask(scenario, asked, relation, shown, options)
                found += int(side == 0 and best == cells.tolist())
            tell(trial + 1, self.trials)
        curves = self._scene(scenario, relation, places) | {"odds": odds}
        return self._findings(scenario, curves, found / self.trials)

    def _scene(
        self, scenario: Scenario, relation: Relation, places: list[Place]
    ) -> dict[str, FloatArray]:
        """The scenario's own image, where each place may be in it, and its dilation."""
        seen, society = scenario.seen, scenario.society
        image = places[0].sees
        if image not in seen:
            return {}
        scores = [place.log_likelihood(seen, society) for place in places]
        curves = {"image": np.asarray(seen[str(image)].data, dtype=np.float64)}
        fits = [
            np.asarray(s).reshape(p.height, p.width) for s, p in zip(scores, places, strict=True)
        ]
        for name, score, place in zip(("first", "second"), fits, places, strict=True):
            curves[f"{name} fit"] = score
            curves[f"{name} size"] = np.array(place.drawn().shape, dtype=np.float64)
        curves["message"] = max_message(relation, places, fits[0])
        curves["dilated"] = dilated(relation, places, fits[0])
        return curves

    def _findings(
        self, scenario: Scenario, curves: dict[str, FloatArray], found: float
    ) -> Findings:
        odds, prior = curves["odds"], scenario.society.prior_log_odds(self.relation)
        numbers = {
            "recognised": float((odds[0, :, 0] > 0.0).mean()),
            "recognised mirrored": float((odds[1, :, 0] > 0.0).mean()),
            "log odds gained": float(odds[0, :, 0].mean() - prior),
            "log odds gained mirrored": float(odds[1, :, 0].mean() - prior),
            "places found": found,
        }
        if self.opposite is not None:
            numbers["opposite recognised"] = float((odds[0, :, 1] > 0.0).mean())
            numbers["opposite recognised mirrored"] = float((odds[1, :, 1] > 0.0).mean())
        numbers["dilation error"] = np.nan
        if "message" in curves:
            numbers["dilation error"] = _largest(curves["message"], curves["dilated"])
        notes = (
            f"{self.trials} images: {self.relation} recognised in {numbers['recognised']:.0%}, in "
            f"their mirror images in {numbers['recognised mirrored']:.0%}",
        )
        relation, _ = self._parts(scenario)
        labels = {
            "relation": (self.relation, *([self.opposite] if self.opposite else [])),
            "places": tuple(relation.between),
        }
        return Findings("mirrors", numbers, curves, labels, notes)


def _largest(one: FloatArray, other: FloatArray) -> float:
    """Largest difference, 0 where both are the same infinity."""
    same = one == other
    return float(np.abs(np.where(same, 0.0, one) - np.where(same, 0.0, other)).max())


def _ask(
    scenario: Scenario, asked: list[str], relation: Relation, image: FloatArray, options: Options
) -> tuple[FloatArray, list[int]]:
    """Log-odds (nats) of the relations given an image, and the most believed cell of each place."""
    from mpnet.simulation.answering import compile_evidence

    place = scenario.society.nodes[relation.between[0]]
    assert isinstance(place, Place)  # noqa: S101 - checked before
    graph = scenario.society.assemble({**scenario.seen, str(place.sees): observed(image)})
    compiled = compile_evidence(scenario, graph)
    query = tuple(compiled.graph.index[name] for name in asked)
    estimator = make_estimator(scenario.spec.inference.estimator)
    found = estimator.estimate(Problem(compiled.graph, query), options, ignore)
    if found.status != "converged":
        raise NumericalError(f"an image was not recognised: {found.reason}")
    beliefs = compiled.full_beliefs(found.beliefs, found.joint)
    pairs = np.array([beliefs[graph.states_of(graph.index[name])] for name in asked])
    cells = [beliefs[graph.states_of(graph.index[name])].argmax() for name in relation.between]
    return np.log(pairs[:, 1]) - np.log(pairs[:, 0]), [int(cell) for cell in cells]


def _layouts(relation: Relation, places: list[Place]) -> IntArray:
    """Pairs of cells where the relation holds and the shapes do not overlap, shape (n, 2)."""
    first, second = places
    pairs = np.argwhere(relation.allowed(first, second))
    y0, x0 = np.divmod(pairs[:, 0], first.width)
    y1, x1 = np.divmod(pairs[:, 1], second.width)
    (h0, w0), (h1, w1) = first.drawn().shape, second.drawn().shape
    apart = (x0 + w0 <= x1) | (x1 + w1 <= x0) | (y0 + h0 <= y1) | (y1 + h1 <= y0)
    found: IntArray = pairs[apart]
    return found


def _draw(places: list[Place], cells: IntArray, rng: np.random.Generator) -> FloatArray:
    """An image with the shapes at their cells, drawn from what the places expect."""
    height = places[0].height + places[0].drawn().shape[0] - 1
    width = places[0].width + places[0].drawn().shape[1] - 1
    p = np.full((height, width), places[0].background)
    for place, cell in zip(places, cells, strict=True):
        y, x = divmod(int(cell), place.width)
        drawn = place.drawn()
        window = p[y : y + drawn.shape[0], x : x + drawn.shape[1]]
        window[drawn == 1.0], window[drawn == 0.0] = 1.0 - place.noise, place.noise
    return (rng.random(p.shape) < p).astype(np.float64)


def max_message(relation: Relation, places: list[Place], fit: FloatArray) -> FloatArray:
    """What the engine's max-product tells the second place through the bare box, in nats.

    Parameters
    ----------
    relation : Relation
        Whose box holds for certain here.
    places : list of Place
        Both.
    fit : float64[height, width]
        Log-likelihoods of the cells of the first place, in nats.

    Returns
    -------
    float64[height, width]
        Of the second place, largest entry 0; ``-inf`` where the box leaves nothing.

    """
    first, second = places
    box = relation.allowed(first, second).astype(np.float64)
    with np.errstate(divide="ignore"):
        table = np.log(box)
    unary = np.append(fit.reshape(-1), np.zeros(box.shape[1]))
    graph = FactorGraph.from_arrays(box.shape, [([[0, 1]], table)], unary, log=True)
    messages = Messages(graph, maximise=True)
    make_schedule("flooding", Settings()).sweep(messages, 0.0)
    start = graph.arrays.edge_states[1]
    return messages.log_messages()[start:].reshape(second.height, second.width)


def dilated(relation: Relation, places: list[Place], fit: FloatArray) -> FloatArray:
    """The same by grey dilation with the box as structuring element: scipy's, cell by cell."""
    first, second = places
    (left, right), (up, down) = relation.box()
    reach_y, reach_x = max(first.height, second.height), max(first.width, second.width)
    dy, dx = np.mgrid[-reach_y : reach_y + 1, -reach_x : reach_x + 1]
    box = (left <= dx) & (dx <= right) & (up <= dy) & (dy <= down)
    padded = np.full((reach_y, reach_x), -np.inf)
    padded[: first.height, : first.width] = fit
    found = grey_dilation(padded, footprint=box, mode="constant", cval=-np.inf)
    found = found[: second.height, : second.width]
    best: FloatArray = found - found.max()
    return best
