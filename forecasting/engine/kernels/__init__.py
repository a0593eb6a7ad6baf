"""The inner loops of the everyday methods, compiled: one pass over time, sixteen series side by side, states only at
the origins.

Each kernel treats every series alone and in the same order of operations whatever stands beside it, so a forecast does
not depend on its neighbours by so much as the last bit. The slow plain loops they must equal stand in
tests/engine/forecasting/test_kernels*.py.
"""
