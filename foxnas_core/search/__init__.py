"""Searching for the best predicted architecture within a budget: annealing, and the optimum."""
