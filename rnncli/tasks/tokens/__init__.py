"""The next token of a document: a character, a word, a byte, an event."""
