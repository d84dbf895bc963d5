"""Networks without a fault: as they begin and trained a little, over cells and sample data."""

from __future__ import annotations

from planting import Case

GRU, ELMAN, RELU = {"cell": "gru"}, {"cell": "rnn"}, {"cell": "rnn", "activation": "relu"}
HEALTHY = ("healthy",)

CASES = [
    Case("LSTM, jobs", HEALTHY, "jobs"),
    Case("LSTM, CO2", HEALTHY, "co2"),
    Case("LSTM, bikes", HEALTHY, "bikes"),
    Case("LSTM, sea", HEALTHY, "sea"),
    Case("GRU, jobs", HEALTHY, "jobs", GRU),
    Case("GRU, CO2", HEALTHY, "co2", GRU),
    Case("GRU, bikes", HEALTHY, "bikes", GRU),
    Case("GRU, sea", HEALTHY, "sea", GRU),
    Case("ReLU, jobs", HEALTHY, "jobs", RELU),
    Case("ReLU, CO2", HEALTHY, "co2", RELU),
    Case("ReLU, bikes", HEALTHY, "bikes", RELU),
    Case("Elman, jobs", HEALTHY, "jobs", ELMAN),
    Case("two layers of 64, CO2", HEALTHY, "co2", {"layers": 2, "hidden": 64}),
    Case("three layers, jobs", HEALTHY, "jobs", {"layers": 3}),
    Case("two GRU layers, bikes", HEALTHY, "bikes", GRU | {"layers": 2}),
    Case("LSTM trained, jobs", HEALTHY, "jobs", {}, steps=60),
    Case("LSTM trained, CO2", HEALTHY, "co2", {}, steps=60),
    Case("LSTM trained, bikes", HEALTHY, "bikes", {}, steps=40),
    Case("LSTM trained, sea", HEALTHY, "sea", {}, steps=60),
    Case("GRU trained, jobs", HEALTHY, "jobs", GRU, steps=60),
    Case("GRU trained, CO2", HEALTHY, "co2", GRU, steps=40),
    Case("ReLU trained, jobs", HEALTHY, "jobs", RELU, steps=60),
    Case("two layers trained, jobs", HEALTHY, "jobs", {"layers": 2}, steps=60),
    Case("no dropout, a high learning rate", HEALTHY, "jobs", {"dropout": 0.0, "learning_rate": 0.01}),
]
