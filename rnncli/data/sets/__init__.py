"""Tables of sets, one a row: read, and coded by a vocabulary of what can be in them."""
