"""Calls to peers: one outgoing road, guarded by address, pinned by key, signed at both ends."""
