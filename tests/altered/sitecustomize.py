"""Python imports this at its start where its folder is in PYTHONPATH."""

import altering

altering.begin()
