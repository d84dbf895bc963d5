"""One file a format: a forecast to bytes."""
