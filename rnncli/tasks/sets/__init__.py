"""The set task: which tokens are in the next set of a document."""
