"""Rules and gates before and after a run. Pure."""
