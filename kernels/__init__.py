"""Numba kernels: flat arrays in, flat arrays out; nothing here knows a name, a dict or an error.

Kernels trust what ``mpnet.graph`` has checked, write into the arguments that their docstrings
call *overwritten*, and answer with a number or a status code.
"""

if __name__ != "mpnet.kernels":
    # Under a second name Numba's cache on disk would hold each kernel twice, and mix them up.
    raise ImportError(f"import this package as mpnet.kernels, not as {__name__!r}")
