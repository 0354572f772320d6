"""Search strategies that need nothing of predictions but their values, through one interface."""
