"""From files to a ragged panel of sequences, and from forecasts to files."""
