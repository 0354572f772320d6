"""Sampling architectures from a distribution that is learnt (FP-NAS, arXiv 2011.10949)."""
