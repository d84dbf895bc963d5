"""Parameters, kernels and settings of torch."""
