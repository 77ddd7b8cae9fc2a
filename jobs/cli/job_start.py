"""What a job is started with: how it begins, and with which Kafka."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.config import Config
    from jobs.resume import Beginning


def beginning_here(config: "Config", *, fresh: bool) -> "tuple[Beginning, str]":
    """How a job begins that is not submitted to a cluster, and the id of its Kafka. Raises what stands in its way."""
    from jobs.cluster import require_partitions
    from jobs.found_in_kafka import found_in_results, partitions_of_ticks
    from jobs.last_job import require_ended, states_left
    from jobs.resume import beginning

    require_ended(config)
    require_partitions(config, partitions_of_ticks(config))
    kafka, results = kafka_at_hand(config, whichever=fresh), found_in_results(config)
    left = () if fresh else states_left(config)
    return beginning(config, fresh=fresh, results_topic=results.topic, has_results=results.has_results, elsewhere=left), kafka


def kafka_at_hand(config: "Config", *, whichever: bool = False) -> str:
    """The id of the Kafka at hand. Raises KafkaUnreachable, and ConfigError unless it is `whichever` or that of the state."""
    from connectors.topic_metadata import cluster_id
    from jobs.kafka_of_state import require_same_kafka

    kafka = cluster_id(config.kafka_connection())
    if not whichever:
        require_same_kafka(config, kafka)
    return kafka
