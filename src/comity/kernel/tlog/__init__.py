"""What was done: acts as leaves of a log that nobody can rewrite unseen.

`tree` hashes and proofs; `tiles` how they are stored; `ticks` the log's minute; `note`, `checkpoint`, `proof` the
C2SP texts; `acts`, `promises`, `rows` what is recorded; `bundle` one file that shows it offline. docs/formats/log.md.
"""
