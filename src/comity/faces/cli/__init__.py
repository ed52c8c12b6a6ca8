"""The command line: the deeds of a node for people in a shell and for programs that read one JSON object (docs/cli.md)."""
