"""What a network can be taught, one folder a task."""
