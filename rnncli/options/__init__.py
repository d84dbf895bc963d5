"""The options of the program, each written once: flags, Python keywords, settings and checks follow from that."""
