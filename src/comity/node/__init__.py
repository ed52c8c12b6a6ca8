"""The deeds of a node, one transaction each. Faces call these; nothing else writes to the store."""
