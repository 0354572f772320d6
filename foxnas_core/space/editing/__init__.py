"""Editing an architecture: its cells, many choices at once, its history, variants, differences."""
