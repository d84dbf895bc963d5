"""Training of the network that comes with the program, on made-up series alone: `python -m rnncli.pretraining`."""
