"""Cases: procedures that several parties run together, kept, ordered where we convene, and carried by the control streams."""
