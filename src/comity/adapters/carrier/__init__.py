"""Carriers other than the network: files taken from node to node by hand (docs/formats/pack.md)."""
