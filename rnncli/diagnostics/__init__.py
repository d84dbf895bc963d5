"""What happens to gradients on their way back through time."""
