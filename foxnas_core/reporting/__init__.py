"""The study as one HTML file that needs no server and asks nobody for anything.

Sections are plain values (`layout`), computed from a study by pure functions and written by one
template. Figures are those of the app, drawn by Plotly, which stands once in the file; beside each
stands its table, so that the report reads without JavaScript. Its what-if computes predictions from
the regression's own numbers.
"""
