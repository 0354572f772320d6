"""Training: one loop, and what one step of it does as an update."""
