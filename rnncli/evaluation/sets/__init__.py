"""How well the next sets of documents are foretold, beside what is counted."""
