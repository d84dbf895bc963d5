"""Labelled tables: their columns, labels and channels, as a panel whose channel 0 is the label."""
