"""Networks with a planted fault, and healthy ones: a few in every run, all of them with `-m slow`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "planted"))

from planting import Case, cases, report_on
from remedies import GRADIENTS, costs, first_remedy, helped

FEW = {
    "an Elman network of gain 0.5",
    "a ReLU network of gain 1.3",
    "a random tanh network of gain 3",
    "biases that hold a tanh at its end",
    "a second layer of dead ReLU units",
    "a learning rate of 0.3 for a GRU",
    "input gates that are shut",
    "a context of 6 months for a yearly season",
    "two series that lost their decimal point",
    "dropout of nine in ten units",
    "a first layer that forgets",
    "five plain layers with weak inputs",
    "LSTM units that are copies",
    "LSTM inputs of weight 0",
    "an echo of the last hour",
    "months out of order",
    "from base, jobs",
    "LSTM, jobs",
    "GRU, sea",
    "ReLU, bikes",
}
CASES = cases()


@pytest.mark.parametrize("case", [case for case in CASES if case.name in FEW], ids=lambda case: case.name)
def test_a_planted_fault_is_found_and_a_healthy_network_is_called_so(case: Case) -> None:
    assert report_on(case).diagnosis in case.expected


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_of_all_planted_faults_nine_in_ten_are_found_and_of_healthy_networks_none_in_twenty_is_blamed() -> None:
    found = [(case, report_on(case).diagnosis) for case in CASES]
    right = [said in case.expected for case, said in found if case.expected != ("healthy",)]
    alarms = [said != "healthy" for case, said in found if case.expected == ("healthy",)]
    assert len(right) >= 24
    assert sum(right) >= 0.9 * len(right)
    assert sum(alarms) <= 0.05 * len(alarms)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_the_first_remedy_mends_four_in_five_gradients_and_lowers_their_loss() -> None:
    """Of those that explode, are chaotic, or vanish where memory is needed."""
    tried = [first_remedy(case) for case in CASES if case.expected[0] in GRADIENTS and costs(case)]
    assert len(tried) >= 24
    assert sum(helped(before, after) for before, after in tried) >= 0.8 * len(tried)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_gradients_that_vanish_where_memory_is_not_needed_are_mended_too() -> None:
    tried = [first_remedy(case, steps=60)[1] for case in CASES if case.expected[0] == "vanishing" and not costs(case)]
    assert sum(after is not None and after.healthy for after in tried) >= 0.8 * len(tried)
