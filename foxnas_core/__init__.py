"""The core of FOX-NAS Studio: everything but the pages.

Data flows one way: checkpoint, measurements, predictors, explanation and search, export.
"""
