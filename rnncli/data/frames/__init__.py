"""Sequences of frames: files and tables to a block of pixels in a memory map, and a panel of its rows."""
