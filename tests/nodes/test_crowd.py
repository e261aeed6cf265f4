"""Crowds: how many models and features are drawn at most."""

from tests.nodes.societies import faults


def test_a_crowd_too_large_to_draw_is_refused_before_it_takes_memory():
    (told,) = faults("nodes: {c: {type: crowd, models: 100000, features: 100000}}")
    assert told.startswith("nodes.c: ")
    assert "100000 models times 100000 features are too many to draw from" in told
