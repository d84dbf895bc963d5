"""Files that a URL leads to: in a bucket, or on a web server. Read in ranges, and written whole."""
