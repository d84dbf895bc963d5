"""Texts and tables of tokens: read, split into tokens, and coded by a vocabulary."""
