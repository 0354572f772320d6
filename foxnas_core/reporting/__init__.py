"""The study as one HTML file that needs no server and asks nobody for anything.

Sections are plain values (`layout`), computed from a study by pure functions and written by one
template. Figures are drawn here as SVG, so that the file is small and reads without JavaScript;
only its what-if, which computes predictions from the regression's own numbers, needs it.
"""
