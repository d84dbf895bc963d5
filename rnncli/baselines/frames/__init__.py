"""What is simpler than a network of convolutions: forecasts of frames from the last ones, or from their mean."""
