"""How well what comes next is foretold in documents of tokens, beside n-grams."""
