"""Figures: each draws a table that another room has computed. The only user of plotly."""
