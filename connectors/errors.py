"""What can go wrong on the way in or out: the broker, a topic, a record, an option.

ConnectorError
├── OptionError          a Kafka option nobody knows, or one that does not fit another        (configuration; do not retry)
├── KafkaUnreachable     no broker answers at the bootstrap addresses                         (broker or network; retry)
├── TopicMissing         a topic that should be read or written does not exist                (set-up; create it, then retry)
├── TopicMismatch        existing topics have other settings than ours                        (operator; do not retry)
├── PublishError         a record was refused for good, or could not be delivered in time     (broker; `retriable` says)
├── GatewayUnreachable   no gateway answers at the addresses known                            (gateway or network; retry)
├── GatewayRefused       the gateway does not want this client                                (its key or its hello; do not retry)
├── DeliveryUnreachable  no delivery answers at the addresses known                           (delivery or network; retry)
├── DeliveryRefused      the delivery does not want this client                               (its key; do not retry)
├── SubscriptionRefused  the delivery does not take a subscription                            (whoever asked; `retriable` says)
├── LinesUnacknowledged  lines of which nobody knows whether they are durable                 (gateway or network; retry)
├── ConsumeError         reading a topic failed                                               (broker; `retriable` says)
├── KeysUnreadable       the file of API keys is not what it should be                        (operator; do not retry)
├── StoreUnusable        delivery's store cannot be opened, read or written                   (disk, permissions; retry)
│   └── StoreCorrupt     its bytes are not what was written; it is made anew from the topic   (disk; start again)
├── CertificateError     certificate, key or authority of TLS do not fit or cannot be read    (operator; do not retry)
├── BadQuery             a parameter of an HTTP query is not what it should be                (client; do not retry)
├── TooBusy              more questions to the store are waiting than are taken               (load; retry later)
└── DecodeError          bytes that are not the record they should be                         (whoever wrote them; do not retry)
    └── LineRefused      one line of a tick record, with the reason its dead letter carries
"""

from collections.abc import Sequence

from udfs.model import Reason


class ConnectorError(Exception):
    """Base of every error raised in `connectors`. `retriable` says whether trying again may help."""

    retriable = False


class OptionError(ConnectorError, ValueError):
    """The Kafka option `name` cannot be passed on. `suggestion` is the known name nearest to it, if any is near."""

    def __init__(self, name: str, why: str, suggestion: str | None = None) -> None:
        hint = f" (did you mean {suggestion!r}?)" if suggestion else ""
        super().__init__(f"Kafka option {name!r}: {why}{hint}")
        self.name = name
        self.why = why
        self.suggestion = suggestion


class KafkaUnreachable(ConnectorError):
    """No broker answered at `bootstrap` within the time given."""

    retriable = True

    def __init__(self, bootstrap: str, why: str = "") -> None:
        super().__init__(f"cannot reach Kafka at {bootstrap}{': ' + why if why else ''}")
        self.bootstrap = bootstrap
        self.why = why


class TopicMissing(ConnectorError):
    """The topic `topic` does not exist; `tickloom topics create` makes it."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic!r} does not exist")
        self.topic = topic


class TopicMismatch(ConnectorError):
    """Existing topics differ from what is configured; they are named, never changed. `differences` says in what."""

    def __init__(self, differences: Sequence[object]) -> None:
        super().__init__("; ".join(str(difference) for difference in differences))
        self.differences = tuple(differences)


class PublishError(ConnectorError):
    """Records of `topic` did not become durable: `why` is the first broker's answer, `count` how many there were."""

    def __init__(self, topic: str, why: str, count: int = 1, *, retriable: bool = False) -> None:
        super().__init__(f"{count} record(s) for topic {topic!r} were not delivered: {why}")
        self.topic = topic
        self.why = why
        self.count = count
        self.retriable = retriable


class GatewayUnreachable(ConnectorError):
    """No gateway said welcome within the time given; `why` is what stood in the way last."""

    retriable = True

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot reach a gateway: {why}")
        self.why = why


class GatewayRefused(ConnectorError):
    """The gateway at `address` said goodbye with `code`, and would again."""

    def __init__(self, address: str, code: str) -> None:
        super().__init__(f"the gateway at {address} does not take this client: {code}")
        self.address = address
        self.code = code


class DeliveryUnreachable(ConnectorError):
    """No delivery took this client, or answered it, within the time given; `why` is what stood in the way last."""

    retriable = True

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot reach a delivery: {why}")
        self.why = why


class DeliveryRefused(ConnectorError):
    """The delivery at `url` does not take this client, and would not the next time: `code` says why."""

    def __init__(self, url: str, code: str) -> None:
        super().__init__(f"the delivery at {url} does not take this client: {code}")
        self.url = url
        self.code = code


class SubscriptionRefused(ConnectorError):
    """Nothing of a subscription was taken: `code` of the closed list, its number `status`, `detail` for people."""

    def __init__(self, code: str, status: int, detail: str) -> None:
        super().__init__(f"the subscription is refused: {code}: {detail}")
        self.code = code
        self.status = status
        self.detail = detail
        self.retriable = status >= 500


class LinesUnacknowledged(ConnectorError):
    """`count` lines were sent and not acknowledged in time; `why` is what stood in the way last."""

    retriable = True

    def __init__(self, count: int, why: str) -> None:
        super().__init__(f"{count:,} line(s) are not acknowledged by a gateway: {why}")
        self.count = count
        self.why = why


class ConsumeError(ConnectorError):
    """Reading `topic` failed: `why` is the client's answer."""

    def __init__(self, topic: str, why: str, *, retriable: bool = False) -> None:
        super().__init__(f"reading topic {topic!r} failed: {why}")
        self.topic = topic
        self.why = why
        self.retriable = retriable


class KeysUnreadable(ConnectorError):
    """The file of API keys cannot be read, or holds something else."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(f"no keys in {file}: {why}")
        self.file = file
        self.why = why


class StoreUnusable(ConnectorError):
    """Delivery's store in `file` cannot be opened, read or written: another process has it, or the disk says no."""

    retriable = True

    def __init__(self, file: str, why: str) -> None:
        super().__init__(f"the store {file}: {why}")
        self.file = file
        self.why = why


class StoreCorrupt(StoreUnusable):
    """The store in `file` is damaged. It is a cache: the next start makes it anew from the topic."""

    retriable = False


class CertificateError(ConnectorError):
    """TLS cannot be served with `file`: it cannot be read, is no PEM, or does not fit the others."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(f"{file}: {why}")
        self.file = file
        self.why = why


class BadQuery(ConnectorError, ValueError):
    """`parameter` of an HTTP query cannot be taken; `code` is stable and names it, `detail` is for people."""

    def __init__(self, code: str, parameter: str, detail: str) -> None:
        super().__init__(f"{parameter}: {detail}")
        self.code = code
        self.parameter = parameter
        self.detail = detail


class TooBusy(ConnectorError):
    """`waiting` questions are before this one, and no more are taken."""

    retriable = True

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting:,} questions are waiting for the store")
        self.waiting = waiting


class DecodeError(ConnectorError, ValueError):
    """Bytes that are not the record they should be."""


class LineRefused(DecodeError):
    """A line that does not count: `reason` of the closed list, `detail` for people."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
