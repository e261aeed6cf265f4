"""Where tables lie in one long array: places are given out and taken back, before any is filled."""

from __future__ import annotations

from bisect import bisect_left, insort


class Arena:
    """A plan of who lies where, in entries; ``peak`` is the length that the array must have."""

    def __init__(self) -> None:
        self.peak = 0
        self._gaps: list[tuple[int, int]] = []  # (start, end), ascending, never touching

    def take(self, size: int) -> int:
        """A place for a table of ``size`` entries: the tightest gap, or the end."""
        fitting = [(end - start, start, end) for start, end in self._gaps if end - start >= size]
        if not fitting:
            start = self.peak
            if self._gaps and self._gaps[-1][1] == self.peak:
                start, _ = self._gaps.pop()
            self.peak = start + size
            return start
        _, start, end = min(fitting)
        self._gaps.remove((start, end))
        if start + size < end:
            insort(self._gaps, (start + size, end))
        return start

    def give_back(self, start: int, size: int) -> None:
        """Free a place that was taken."""
        end = start + size
        at = bisect_left(self._gaps, (start, end))
        if at < len(self._gaps) and self._gaps[at][0] == end:
            _, end = self._gaps.pop(at)
        if at > 0 and self._gaps[at - 1][1] == start:
            at -= 1
            start, _ = self._gaps.pop(at)
        insort(self._gaps, (start, end))
