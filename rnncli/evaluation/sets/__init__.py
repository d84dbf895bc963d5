"""Scores of what is foretold of the next sets of documents, beside baselines."""
