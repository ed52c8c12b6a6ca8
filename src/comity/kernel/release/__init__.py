"""Who may see it: agreements, facets, classes, decisions, explanations."""
