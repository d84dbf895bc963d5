"""What sets are compared with: how frequent tokens are, and whether they stay."""
