"""Faults injected at every boundary of the program, counted in one table: `make torture`."""
