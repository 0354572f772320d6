"""Explanations of fitted predictors: plain tables and values, drawn elsewhere."""
