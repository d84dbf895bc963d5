"""The diagnosis of gradients on their way back through time."""
