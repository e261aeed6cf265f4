"""Sequences along a stream by plain forward and backward passes over all joint states.

Slow and obvious; it reads what a scenario says and never imports the engine.
"""

import itertools
import math

import numpy as np
import yaml


def written(text):
    """Sequences (with tables and shares) and features (with base rates) of a scenario's text."""
    nodes = yaml.safe_load(text)["nodes"]
    features = {n: base_rates(k) for n, k in nodes.items() if k["type"] == "feature"}
    sequences = {n: Chain(k) for n, k in nodes.items() if k["type"] == "sequence"}
    return sequences, features


def base_rates(keys):
    states = keys["states"]
    given = {s: float(p) for s, p in keys.get("base_rates", {}).items()}
    rest = (1.0 - sum(given.values())) / max(1, len(states) - len(given))
    return {state: given.get(state, rest) for state in states}


class Chain:
    """The table and the long-run shares of one sequence, entry by entry."""

    def __init__(self, keys):
        self.phases = keys["phases"]
        self.states = ["off"] + [p.get("name", str(k + 1)) for k, p in enumerate(self.phases)]
        self.table = self.read(keys)
        # Half of the steps stand still, so that no chain swings for ever.
        lazy = 0.5 * np.eye(len(self.states)) + 0.5 * self.table
        for _ in range(60):
            lazy = lazy @ lazy
            lazy /= lazy.sum(axis=1, keepdims=True)
        self.shares = lazy[0]

    def read(self, keys):
        count = len(self.phases)
        advance = [{"off": 1.0}]
        for k, phase in enumerate(self.phases):
            repeats = float(keys.get("repeats", 0.0))
            after = {self.states[k + 2]: 1.0} if k + 1 < count else {}
            if not after:
                after = {"off": 1.0 - repeats, self.states[1]: repeats}
            advance.append({s: float(p) for s, p in phase.get("next", after).items()})
        table = np.zeros((count + 1, count + 1))
        start = float(keys.get("start", 0.05))
        table[0, 0] += 1.0 - start
        for state, p in keys.get("begins", {self.states[1]: 1.0}).items():
            table[0, self.states.index(state)] += start * float(p)
        for k, phase in enumerate(self.phases, start=1):
            defaults = {"dwell": 0.2, "skip": 0.0, "abort": 0.02}
            dwell, skip, abort = (float(phase.get(n, keys.get(n, d))) for n, d in defaults.items())
            table[k, k] += dwell
            table[k, 0] += abort
            for first, p in advance[k].items():
                one = self.states.index(first)
                table[k, one] += (1.0 - dwell - skip - abort) * float(p)
                for second, q in advance[one].items():
                    table[k, self.states.index(second)] += skip * p * q
        return table


def spread(said, base):
    """A prediction as probabilities by state: what is left is shared by base rates."""
    if isinstance(said, str):
        said = {said: 0.95}
    if set(said) == {"active"}:
        said = {"off": 1.0 - float(said["active"])}
    said = {s: float(p) for s, p in said.items()}
    left = sum(q for s, q in base.items() if s not in said)
    rest = 1.0 - sum(said.values())
    return {s: said[s] if s in said else rest * q / left for s, q in base.items()}


def ratio(said, base):
    """p / q by state; its mean under the base rates is 1."""
    p = spread(said, base)
    return {s: p[s] / q if q > 0.0 else 1.0 for s, q in base.items()}


class Joint:
    """All sequences of a scenario as one chain over their joint states."""

    def __init__(self, text):
        self.sequences, self.features = written(text)
        self.names = list(self.sequences)
        self.every = list(itertools.product(*(c.states for c in self.sequences.values())))
        shares = {
            name: dict(zip(chain.states, chain.shares, strict=True))
            for name, chain in self.sequences.items()
        }
        bases = {**self.features, **shares}
        self.said = {
            (name, chain.states[k + 1]): {
                target: ratio(p, bases[target]) for target, p in phase["predicts"].items()
            }
            for name, chain in self.sequences.items()
            for k, phase in enumerate(chain.phases)
        }

    def feature(self, state, name):
        """Base rates of a feature times the ratios of all that predict it."""
        found = dict(self.features[name])
        for owner in zip(self.names, state, strict=True):
            for x, r in self.said.get(owner, {}).get(name, {}).items():
                found[x] *= r
        return found

    def weight(self, state, seen):
        """How well a joint state goes with what was seen at its step, and with itself."""
        held = dict(zip(self.names, state, strict=True))
        found = 1.0
        for owner in held.items():
            for target, r in self.said.get(owner, {}).items():
                found *= r[held[target]] if target in held else 1.0
        for name in self.features:
            spoken = self.feature(state, name)
            found *= spoken[seen[name]] if name in seen else sum(spoken.values())
        return found

    def start(self, state):
        chains = zip(self.sequences.values(), state, strict=True)
        return math.prod(c.shares[c.states.index(s)] for c, s in chains)

    def step(self, before, after):
        chains = zip(self.sequences.values(), before, after, strict=True)
        return math.prod(c.table[c.states.index(a), c.states.index(b)] for c, a, b in chains)

    def joints(self, stream):
        """Smoothed probabilities of all joint states, step by step; ``stream`` holds dicts."""
        weights = [[self.weight(z, seen) for z in self.every] for seen in stream]
        steps = np.array([[self.step(a, b) for b in self.every] for a in self.every])
        forward = [np.array([self.start(z) for z in self.every]) * weights[0]]
        for here in weights[1:]:
            forward.append(forward[-1] @ steps * here)
            forward[-1] /= forward[-1].sum()
        backward = [np.ones(len(self.every))]
        for here in weights[:0:-1]:
            backward.insert(0, steps @ (here * backward[0]))
            backward[0] /= backward[0].sum()
        found = [a * b for a, b in zip(forward, backward, strict=True)]
        return [joint / joint.sum() for joint in found]

    def phases(self, joint, name):
        """Probabilities of one sequence's states."""
        place, chain = self.names.index(name), self.sequences[name]
        found = np.zeros(len(chain.states))
        for z, p in zip(self.every, joint, strict=True):
            found[chain.states.index(z[place])] += p
        return found

    def predicted(self, past, name):
        """Probabilities of the next input of a feature, given the inputs so far."""
        (*_, joint) = self.joints([*past, {}])
        found = dict.fromkeys(self.features[name], 0.0)
        for z, p in zip(self.every, joint, strict=True):
            spoken = self.feature(z, name)
            for x, weight in spoken.items():
                found[x] += p * weight / sum(spoken.values())
        return np.array(list(found.values()))
