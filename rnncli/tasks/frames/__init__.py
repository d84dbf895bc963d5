"""Frames: sequences of pictures or maps, and what comes next."""
