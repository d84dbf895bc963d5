"""Checks of what was measured of a network's gradients, one a file; each is a line in the registry."""
