"""One file a kind of place that results are written to."""
