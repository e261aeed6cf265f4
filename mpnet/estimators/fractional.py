"""Fractional propagation: every factor counts with the same weight (Wiegerinck and Heskes 2003)."""

from __future__ import annotations

import numpy as np

from mpnet.estimators.base import Estimate, Observer, Options, Problem
from mpnet.estimators.trees import edge_appearance
from mpnet.estimators.trw import (
    check_options,
    proven_estimate,
    run_weighted,
    weigh,
    weighted_estimate,
)


class Fractional:
    """One weight for all factors, ``Options.fraction``: 1 is flat propagation.

    Below 1 the free energy is more convex, like the tree-reweighted one; above, beliefs lean
    towards mean field. In the authors' words the fraction is one over the weight.
    """

    def estimate(self, problem: Problem, options: Options, observe: Observer) -> Estimate:
        """Run from uniform messages; the bound is proven where no forest has less of any factor."""
        check_options("fractional", options)
        graph = problem.graph
        messages = weigh(graph, np.full(len(graph.factors), float(options.fraction)))
        outcome = run_weighted("fractional", messages, options, observe)
        # A subset of a forest is one, so weights below appearance probabilities will do.
        if options.fraction <= edge_appearance(graph, options.seed).min(initial=np.inf):
            return proven_estimate(messages, outcome)
        return weighted_estimate(messages, outcome)
