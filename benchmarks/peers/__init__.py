"""One file per contestant: each builds its own structure from the same arrays and is timed alike.

Apart from ``mpnet_lbp``, these run in virtual environments without mpnet, so they import nothing
but numpy, their library and ``benchmarks.exchange``.
"""
