"""Random inputs of every kind, and the law that each ends in a result or in a sentence.

A family is a module with ``case(rng)``, which draws an input; ``attempt(case, folder)``, which
gives it to the package and may be refused by UsageError; and ``hold(case, taken, folder)``, the
laws of what was taken. ``judge`` runs one case, ``families`` lists them, ``python -m tests.fuzz``
runs many. A family and one whole number make a case again.
"""
