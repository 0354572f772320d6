"""The views of Search: of one problem, within the same limits."""
