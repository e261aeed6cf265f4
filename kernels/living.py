"""Belief propagation on a graph that changes: only what a change reaches is computed again.

Variables keep their edges in linked lists, so that a factor comes or goes in time proportional to
its own size. Messages are logs, largest entry 0. A round lets each variable of a front speak and
the factors that heard something new answer; variables that an answer moved are the next front.
A factor whose answer was damped owes the rest, and answers again in the next round. Everything
that a trial overwrites is kept in a journal, from which it can be taken back.
"""

import numpy as np

from mpnet.kernels.jit import inlined, kernel
from mpnet.kernels.layout import FloatArray, IndexArray, IntArray
from mpnet.kernels.living_arrays import TRIAL, WRITING, WRITTEN, LivingArrays

UPDATES, COMPUTED, DEAD_VARIABLE, DEAD_FACTOR, NEXT, OWING = range(6)
"""Places of what a round counts: messages moved, messages computed, the first variable and factor
without a possible state (or -1), the size of the next front, and factors that owe an answer."""


@inlined
def _remember(g: LivingArrays, edge: int, count: int) -> None:
    """Keep an edge's messages before they are overwritten for the first time in a trial."""
    if g.journal_state[WRITING] and g.trial_of[edge] != g.journal_state[TRIAL]:
        g.trial_of[edge] = g.journal_state[TRIAL]
        g.journal_edge[g.journal_state[WRITTEN]] = edge
        g.journal_state[WRITTEN] += 1
        start = g.edge_states[edge]
        for state in range(count):
            g.journal[0, start + state] = g.to_variable[start + state]
            g.journal[1, start + state] = g.to_factor[start + state]
        g.journal_term[edge] = g.edge_term[edge]


@kernel
def add_up(logs: FloatArray, count: int) -> float:
    """Log of the sum of the first ``count`` numbers that are given as logs."""
    best = -np.inf
    for i in range(count):
        # A NaN stays: it is greater than nothing.
        if logs[i] > best or np.isnan(logs[i]):
            best = logs[i]
    if best == -np.inf:
        return best
    total = 0.0
    for i in range(count):
        total += np.exp(logs[i] - best)
    return float(best + np.log(total))


@kernel
def weigh_variable(g: LivingArrays, variable: int, sums: FloatArray, zeros: IntArray) -> bool:
    """Set a variable's belief and term from what it hears; whether some state is possible.

    Parameters
    ----------
    g : LivingArrays
        Belief and term of the variable are overwritten.
    variable : int
        Which.
    sums : float64[most states]
        Overwritten with the sum of all finite logs, by state.
    zeros : int64[most states]
        Overwritten with how many messages rule a state out, the unary potential included.

    """
    count, start = g.cardinality[variable], g.variable_states[variable]
    for state in range(count):
        said = g.unary[start + state]
        zeros[state] = said == -np.inf
        sums[state] = 0.0 if said == -np.inf else said
    edge = g.first_edge[variable]
    while edge >= 0:
        message = g.edge_states[edge]
        for state in range(count):
            said = g.to_variable[message + state]
            if said == -np.inf:
                zeros[state] += 1
            else:
                sums[state] += said
        edge = g.next_edge[edge]
    for state in range(count):
        g.belief[start + state] = -np.inf if zeros[state] else sums[state]
    g.variable_term[variable] = add_up(g.belief[start : start + count], count)
    return bool(g.variable_term[variable] != -np.inf)


@kernel
def weigh_variables(
    g: LivingArrays, variables: IndexArray, size: int, sums: FloatArray, zeros: IntArray
) -> None:
    """Weigh the first ``size`` of some variables; the rest as for ``weigh_variable``."""
    for number in range(size):
        weigh_variable(g, variables[number], sums, zeros)


@kernel
def _speak(
    g: LivingArrays,
    variable: int,
    stamp: int,
    heard: int,
    chance: float,
    luck: FloatArray,
    sums: FloatArray,
    zeros: IntArray,
    fresh: FloatArray,
) -> int:
    """Send what a weighed variable says.

    Returns how many factors have heard something new by now; less than ``heard``, namely
    ``-1 - how many``, if some message did not get through.
    """
    count = g.cardinality[variable]
    held_up = False
    edge = g.first_edge[variable]
    while edge >= 0:
        message = g.edge_states[edge]
        best = -np.inf
        for state in range(count):
            own = g.to_variable[message + state]
            if own == -np.inf:
                fresh[state] = sums[state] if zeros[state] == 1 else -np.inf
            else:
                fresh[state] = sums[state] - own if zeros[state] == 0 else -np.inf
            best = max(best, fresh[state])
        new = False
        for state in range(count):
            fresh[state] -= best if best > -np.inf else 0.0
            new |= fresh[state] != g.to_factor[message + state]
        through = not new or chance >= 1.0 or luck[edge] < chance
        held_up |= not through
        _remember(g, edge, count)
        for state in range(count):
            if through:
                g.to_factor[message + state] = fresh[state]
            fresh[state] = g.to_factor[message + state] + g.to_variable[message + state]
        g.edge_term[edge] = add_up(fresh, count)
        factor = g.edge_factor[edge]
        if new and through and g.factor_round[factor] != stamp:
            g.factor_round[factor] = stamp
            g.heard[heard] = factor
            heard += 1
        edge = g.next_edge[edge]
    return -1 - heard if held_up else heard


@kernel
def _answer(g: LivingArrays, factor: int, axis: int, fresh: FloatArray, place: IntArray) -> None:
    """What a factor would say to one of its variables: ``fresh`` is overwritten with logs.

    One look at the table for the largest term of each state, one for the sums.
    """
    first, arity, table = g.factor_edge[factor], g.arity[factor], g.factor_table[factor]
    own = g.cardinality[g.edge_variable[first + axis]]
    entries = 1
    for other in range(arity):
        entries *= g.cardinality[g.edge_variable[first + other]]
    best = fresh[own : 2 * own]
    for state in range(own):
        best[state] = -np.inf
        fresh[state] = 0.0
    for look in range(2):
        for other in range(arity):
            place[other] = 0
        for entry in range(entries):
            score = g.tables[table + entry]
            for other in range(arity):
                if other != axis:
                    score += g.to_factor[g.edge_states[first + other] + place[other]]
            state = place[axis]
            if look == 0:
                best[state] = max(best[state], score)
            elif score != -np.inf:
                fresh[state] += np.exp(score - best[state])
            other = arity - 1
            while other >= 0:
                place[other] += 1
                if place[other] < g.cardinality[g.edge_variable[first + other]]:
                    break
                place[other] = 0
                other -= 1
    for state in range(own):
        fresh[state] = -np.inf if fresh[state] == 0.0 else best[state] + np.log(fresh[state])


@kernel
def weigh_factor(g: LivingArrays, factor: int, fresh: FloatArray, place: IntArray) -> float:
    """Set a factor's term from what it hears, and return it, in nats."""
    _answer(g, factor, 0, fresh, place)
    edge = g.factor_edge[factor]
    count = g.cardinality[g.edge_variable[edge]]
    for state in range(count):
        fresh[state] += g.to_factor[g.edge_states[edge] + state]
    g.factor_term[factor] = add_up(fresh, count)
    return float(g.factor_term[factor])


@inlined
def _distance(old: float, new: float) -> float:
    """How far two logs are apart; infinite where one of them alone is minus infinity."""
    if old == new:
        return 0.0
    return abs(new - old)


@kernel
def run_round(
    g: LivingArrays,
    front: IndexArray,
    size: int,
    following: IndexArray,
    stamp: int,
    tolerance: float,
    damping: float,
    chance: float,
    luck: FloatArray,
    counts: IntArray,
    fresh: FloatArray,
) -> float:
    """One round of message passing around a front.

    Parameters
    ----------
    g : LivingArrays
        Messages, beliefs and terms are overwritten; ``heard`` begins with the factors that owe
        an answer, and is overwritten with those that owe one afterwards. Where the round ends at
        something impossible, all that have not answered owe it.
    front : int32[V]
        Variables that speak, the first ``size`` of it.
    size : int
        How many.
    following : int32[V]
        Overwritten with the next front.
    stamp : int
        Number of the round, larger than any before.
    tolerance : float
        A message that would move by less stays, in nats.
    damping : float
        Weight of the old message, in [0, 1).
    chance : float
        Probability that what a variable says gets through; where it does not, the variable is
        in the next front.
    luck : float64[E]
        A uniform random number for each edge; not read where ``chance`` is 1.
    counts : int64[6]
        ``OWING`` is read first; overwritten: see ``UPDATES``.
    fresh : float64[2 * most states]
        Overwritten.

    Returns
    -------
    float
        The largest change that an undamped message would have made, in nats.

    """
    counts[UPDATES] = counts[COMPUTED] = counts[NEXT] = 0
    counts[DEAD_VARIABLE] = counts[DEAD_FACTOR] = -1
    sums, zeros = np.empty(fresh.size), np.empty(fresh.size, dtype=np.int64)
    heard = counts[OWING]
    for number in range(heard):
        g.factor_round[g.heard[number]] = stamp
    for number in range(size):
        variable = front[number]
        if not weigh_variable(g, variable, sums, zeros):
            counts[DEAD_VARIABLE] = variable
            counts[OWING] = heard
            return np.inf
        heard = _speak(g, variable, stamp, heard, chance, luck, sums, zeros, fresh)
        if heard < 0:
            heard = -1 - heard
            _enlist(g, variable, stamp, following, counts)
    return _hear(g, heard, following, stamp, tolerance, damping, counts, fresh)


@inlined
def _enlist(
    g: LivingArrays, variable: int, stamp: int, following: IndexArray, counts: IntArray
) -> None:
    """Put a variable into the next front, once."""
    if g.variable_round[variable] != stamp:
        g.variable_round[variable] = stamp
        following[counts[NEXT]] = variable
        counts[NEXT] += 1


@kernel
def _hear(
    g: LivingArrays,
    heard: int,
    following: IndexArray,
    stamp: int,
    tolerance: float,
    damping: float,
    counts: IntArray,
    fresh: FloatArray,
) -> float:
    """Let the factors that heard something answer; the largest change, in nats."""
    place = np.empty(64, dtype=np.int64)
    residual, owing = 0.0, 0
    for number in range(heard):
        factor = g.heard[number]
        if weigh_factor(g, factor, fresh, place) == -np.inf:
            counts[DEAD_FACTOR] = factor
            residual = np.inf
            # Whoever has not answered still has to; never further on than read.
            for rest in range(number, heard):
                g.heard[owing] = g.heard[rest]
                owing += 1
            break
        moved = False
        for axis in range(g.arity[factor]):
            _answer(g, factor, axis, fresh, place)
            edge = g.factor_edge[factor] + axis
            change = _settle_edge(g, edge, tolerance, damping, fresh)
            if change > residual or np.isnan(change):
                residual = change
            counts[COMPUTED] += 1
            if not change <= tolerance:
                counts[UPDATES] += 1
                moved = True
                _enlist(g, g.edge_variable[edge], stamp, following, counts)
        if moved and damping > 0.0:
            g.heard[owing] = factor
            owing += 1
    counts[OWING] = owing
    return residual


@kernel
def _settle_edge(
    g: LivingArrays, edge: int, tolerance: float, damping: float, fresh: FloatArray
) -> float:
    """Move one message to ``fresh`` where that is further away than the tolerance; how far it is."""
    count, start = g.cardinality[g.edge_variable[edge]], g.edge_states[edge]
    best = -np.inf
    for state in range(count):
        best = max(best, fresh[state])
    change = 0.0
    for state in range(count):
        fresh[state] -= best
        step = _distance(g.to_variable[start + state], fresh[state])
        if step > change or np.isnan(step):
            change = step
    if not change <= tolerance:
        _remember(g, edge, count)
        best = -np.inf
        for state in range(count):
            old, new = g.to_variable[start + state], fresh[state]
            if damping > 0.0 and old > -np.inf and new > -np.inf:
                new += damping * (old - new)
            fresh[state] = new
            best = max(best, new)
        for state in range(count):
            g.to_variable[start + state] = fresh[state] - best
            fresh[state] += g.to_factor[start + state] - best
        g.edge_term[edge] = add_up(fresh, count)
    return change


@kernel
def take_back(g: LivingArrays, fresh: FloatArray) -> None:
    """Undo what was overwritten since the journal began; ``fresh`` as for ``run_round``."""
    sums, zeros = np.empty(fresh.size), np.empty(fresh.size, dtype=np.int64)
    place = np.empty(64, dtype=np.int64)
    for number in range(g.journal_state[WRITTEN]):
        edge = g.journal_edge[number]
        start = g.edge_states[edge]
        for state in range(g.cardinality[g.edge_variable[edge]]):
            g.to_variable[start + state] = g.journal[0, start + state]
            g.to_factor[start + state] = g.journal[1, start + state]
        g.edge_term[edge] = g.journal_term[edge]
    for number in range(g.journal_state[WRITTEN]):
        edge = g.journal_edge[number]
        weigh_variable(g, g.edge_variable[edge], sums, zeros)
        weigh_factor(g, g.edge_factor[edge], fresh, place)
    g.journal_state[WRITING] = g.journal_state[WRITTEN] = 0
