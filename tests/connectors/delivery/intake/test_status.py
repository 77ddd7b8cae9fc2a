from connectors.delivery.intake.status import Condition, State, Trouble
from connectors.errors import ConnectorError, ConsumeError, KafkaUnreachable, StoreCorrupt, StoreUnusable, TopicMissing


def test_each_error_stands_for_a_trouble() -> None:
    errors: list[ConnectorError] = [
        KafkaUnreachable("k:1"),
        TopicMissing("t"),
        ConsumeError("t", "?"),
        StoreUnusable("f", "full"),
        StoreCorrupt("f", "?"),
    ]
    assert [Trouble.of(error).value for error in errors] == [
        "kafka_unreachable", "topic_missing", "read_failed", "store_failed", "store_failed",
    ]  # fmt: skip


def test_the_state_is_told_once_each_time_it_becomes_another() -> None:
    told: list[tuple[State, Trouble | None, str]] = []
    condition = Condition(lambda: told.append(condition.now()))
    assert condition.now() == (State.CATCHING_UP, None, "")
    condition.works("here")
    condition.trouble("here", KafkaUnreachable("k:1", "gone"))
    condition.trouble("here", KafkaUnreachable("k:1", "still gone"))
    condition.works("elsewhere")
    condition.works("here")
    condition.catch_up(done=True)
    condition.catch_up(done=True)
    condition.trouble("there", StoreUnusable("f", "full"))
    condition.trouble("here", KafkaUnreachable("k:1"))
    condition.works("there")
    condition.works("here")
    condition.catch_up(done=False, why_behind="the topic was made anew")
    assert [(state.value, reason and reason.value) for state, reason, _ in told] == [
        ("degraded", "kafka_unreachable"),
        ("catching_up", None),
        ("ok", None),
        ("degraded", "store_failed"),
        ("degraded", "kafka_unreachable"),
        ("ok", None),
        ("catching_up", None),
    ]  # fmt: skip
    assert told[0][2] == "cannot reach Kafka at k:1: gone"
    assert told[-1][2] == "the topic was made anew"


def test_that_the_store_was_emptied_is_told_in_whatever_state() -> None:
    told: list[tuple[State, int]] = []
    condition = Condition(lambda: told.append((condition.now()[0], condition.emptied)))
    condition.catch_up(done=False, why_behind="the topic was made anew")
    condition.trouble("here", KafkaUnreachable("k:1"))
    condition.catch_up(done=False, why_behind="the topic was made anew")
    assert told == [(State.CATCHING_UP, 1), (State.DEGRADED, 1), (State.DEGRADED, 2)]


def test_a_failure_is_for_good() -> None:
    told: list[State] = []
    condition = Condition(lambda: told.append(condition.now()[0]))
    condition.catch_up(done=True)
    condition.fail(Trouble.STORE_FAILED, "damaged")
    condition.works("here")
    condition.catch_up(done=True)
    assert told == [State.OK, State.FAILED]
    assert condition.now() == (State.FAILED, Trouble.STORE_FAILED, "damaged")
