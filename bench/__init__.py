"""Measures Comity beside its peers, in one run, on the same input; written as ratios, above 1 where we are better.

    python -m bench            the whole, in some 15 minutes
    python -m bench --quick    small inputs, in two
    python -m bench --only parse,log

Every side of a measure runs in a fresh process: ours and the floors in this environment, the peers in hash-locked environments of their own
under ``bench/scratch/``. A floor is what nobody can beat: the same bytes without the work. The result is ``bench/latest.json``.
"""
