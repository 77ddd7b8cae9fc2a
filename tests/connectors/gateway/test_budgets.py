from connectors.gateway.budgets import Allowances, ErrorBudget


def test_a_second_of_lines_may_come_at_once_and_more_has_to_be_waited_for() -> None:
    allowances = Allowances(100)
    assert allowances.spend("feed", 100, 50.0) == 0.0
    assert allowances.spend("feed", 50, 50.0) == 0.5
    assert allowances.spend("feed", 50, 50.5) == 0.5
    assert allowances.spend("other", 100, 50.5) == 0.0


def test_over_time_nobody_gets_more_than_the_rate() -> None:
    allowances, now_s, lines = Allowances(1_000), 0.0, 0
    while now_s < 60.0:
        pause_s = allowances.spend("feed", 700, now_s)
        lines += 700
        now_s += pause_s
    assert 59_000 <= lines <= 61_700


def test_without_a_limit_nobody_waits_and_nobody_is_remembered() -> None:
    allowances = Allowances(0)
    assert allowances.spend("feed", 10**9, 0.0) == 0.0
    assert len(allowances) == 0


def test_who_has_rested_is_forgotten_and_who_has_not_is_not() -> None:
    allowances = Allowances(100)
    allowances.spend("rested", 50, 10.0)
    allowances.spend("busy", 150, 10.0)
    allowances.forget_rested(10.4)
    assert len(allowances) == 2
    allowances.forget_rested(10.5)
    assert len(allowances) == 1
    assert allowances.spend("busy", 100, 10.5) == 1.0
    allowances.forget_rested(12.5)
    assert len(allowances) == 0


def test_what_is_held_back_can_be_asked_for_at_last_whatever_the_time() -> None:
    budget = ErrorBudget(2)
    assert [budget.allows(10.0) for _ in range(5)] == [True, True, False, False, False]
    assert budget.held_back(10.1) == 0
    assert budget.held_back(10.1, at_last=True) == 3
    assert budget.held_back(11.5, at_last=True) == 0
