"""Benchmarks against peers and limits, side by side in one run: `python -m benchmarks [NAME ...]`.

Figures are process CPU time, medians of interleaved rounds; only ratios mean anything on another machine.
"""
