"""One file a kind of folder that is one table, and no heap of files with a series in each."""
