"""What can be told about belief propagation on a graph before, during and after a run.

``certificate`` bounds how messages contract, ``jacobian`` and ``stability`` linearise them where
they are, ``fixed_point`` finds where they rest, ``rates`` reads a run's residuals, and
``free_energy`` and ``hessian`` look at the surface on which they move.
"""
