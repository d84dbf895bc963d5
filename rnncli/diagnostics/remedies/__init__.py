"""Remedies, one a file: from findings to options of `train`; each is a line in the registry, the best first."""
