"""One file a scheme of URLs: what is at a URL as sources of tables."""
