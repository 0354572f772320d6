"""Answers about one architecture: what would reach a goal, and why a choice is not taken."""
