"""From a supernet and an architecture to files that run elsewhere."""
