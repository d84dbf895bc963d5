"""How labels score: of sequences or of their steps, classes or numbers, beside baselines."""
