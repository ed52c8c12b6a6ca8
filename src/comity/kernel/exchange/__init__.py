"""How it moves: the conversation of two nodes as a state machine without I/O (docs/formats/exchange.md)."""
