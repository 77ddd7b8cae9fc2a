"""What this machine has: Python, Java, jars, ports, room on the disk."""

import shutil
import socket
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from jobs.config import Config
from jobs.config_terms import split_address
from jobs.doctor.findings import Finding, not_checked, ok, warning, wrong
from jobs.doctor.listeners import ancestors, command_of, listener
from jobs.errors import DependencyMissing, PortInUse
from jobs.local.assets import REQUIRED
from jobs.local.jars import require_jars
from jobs.local.java import find_java
from jobs.local.ports import require_free
from jobs.local.run_folder import RunFolder

GIB = 1024**3
LEAST_ROOM_BYTES = GIB
WITHOUT_FLINK = "PyFlink is not installed: this machine can run gateway and delivery, not the job"
_PARTS = ("stack", "cluster")
"""What may work in a data folder."""


def machine(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Everything that needs no service to run."""
    yield python()
    yield java(environ)
    yield jars(config)
    if config.delivery.enabled:
        yield charts(config)
    for name, address in addresses(config).items():
        yield port(config, name, address)
    yield disk(config)


def python() -> Finding:
    """Whether the JVM can embed this Python."""
    from jobs.local.setup import check_python

    if find_spec("pyflink") is None:
        return not_checked("Python", WITHOUT_FLINK, "pip install 'tickloom[flink]'")
    try:
        version = check_python()
    except DependencyMissing as error:
        return wrong("Python", str(error), error.hint)
    library = f"pemja_core{sysconfig.get_config_var('EXT_SUFFIX')}"
    pemja = find_spec("pemja")
    if pemja is None or pemja.origin is None or not Path(pemja.origin).with_name(library).exists():
        return wrong("Python", f"PemJa, which embeds Python in the JVM, lacks {library}", "pip install --force-reinstall pemja")
    return ok("Python", f"{version}, fit for the job's thread mode: shared libpython and PemJa found")


def java(environ: Mapping[str, str]) -> Finding:
    """Whether there is a Java that broker and job run on."""
    try:
        found = find_java(environ)
    except DependencyMissing as error:
        return wrong("Java", str(error), error.hint)
    return ok("Java", f"{found.version} ({found.home})")


def jars(config: Config) -> Finding:
    """Whether set-up has fetched the jars."""
    try:
        folder = require_jars(config.stack.jars)
    except DependencyMissing as error:
        return wrong("jars", str(error), error.hint)
    return ok("jars", f"complete in {folder}")


def charts(config: Config) -> Finding:
    """Whether set-up has fetched what the chart page draws with; all else that a delivery serves does without."""
    if missing := [name for name in REQUIRED if not (config.assets / name).is_file()]:
        return warning("charts", f"{config.assets} lacks {', '.join(missing)}: the page draws no charts", "tickloom setup")
    return ok("charts", f"their library is in {config.assets}")


def addresses(config: Config) -> dict[str, str]:
    """Key -> `host:port` of everything that is to listen on this machine; parts that run on their own included.

    A Flink elsewhere is not among them.
    """
    found = {"job.flink_rest": urlsplit(config.job.flink_rest).netloc}
    if config.embedded:
        host, number = split_address(config.kafka.listen)
        found |= {"kafka.listen": config.kafka.listen, "kafka.listen, the controller": f"{host}:{number + 1}"}
    found |= {key: str(config.value(key)) for key in ("job.metrics", "gateway.listen", "gateway.admin", "delivery.listen")}
    return {key: address for key, address in found.items() if ":" in address and _is_here(split_address(address)[0])}


def _is_here(host: str) -> bool:
    """Whether `host` is an IPv4 address or name of this machine."""
    with socket.socket() as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def port(config: Config, key: str, address: str) -> Finding:
    """Whether `address` is free, or held by this stack."""
    check = f"port {address}"
    try:
        require_free([address], key)
    except PortInUse:
        return _held(config, key, check, split_address(address)[1])
    except OSError as error:
        return warning(check, f"cannot be looked at: {error} ({config.cite(key.partition(',')[0])})")
    return ok(check, f"free ({key})")


def _held(config: Config, key: str, check: str, number: int) -> Finding:
    pid = listener(number)
    if pid is None:
        return warning(check, f"held by a process of another user ({key})", "configure another port if that is not yours")
    chain = set(ancestors(pid))
    if chain & {RunFolder(config.stack.data_dir, what).stack_pid() for what in _PARTS}:
        return ok(check, f"held by this stack, process {pid} ({key})")
    if any(_is_tickloom(command_of(each)) for each in chain):
        return warning(check, f"held by a tickloom command of its own, process {pid} ({key})", "fine if you started it for this stack")
    command = " ".join(command_of(pid))[:60]
    return wrong(check, f"held by process {pid}: {command} ({config.cite(key.partition(',')[0])})", "end it, or configure another port")


def _is_tickloom(command: list[str]) -> bool:
    return any(word == "jobs.cli.main" or Path(word).name == "tickloom" for word in command[:4])


def disk(config: Config) -> Finding:
    """Whether the data folder has room for what may be kept in it."""
    folder = next(each for each in (config.stack.data_dir, *config.stack.data_dir.parents) if each.exists())
    free = shutil.disk_usage(folder).free
    said = f"{free / GIB:.1f} GiB free for {config.stack.data_dir}"
    if free < LEAST_ROOM_BYTES:
        return wrong("disk", said, "make room, or configure another stack.data_dir")
    kept = config.retention.stock_data + config.retention.indicator_results if config.embedded else 0
    used = _size(config.stack.data_dir / "broker")
    if free < kept - used:
        hint = "lower retention.stock_data and retention.indicator_results, or configure another stack.data_dir"
        return warning("disk", f"{said}; topics may grow by {max(0, kept - used) / GIB:.0f} GiB", hint)
    return ok("disk", said)


def _size(folder: Path) -> int:
    """Bytes in a folder's files; one that goes away meanwhile counts nothing."""
    return sum(_file_size(file) for file in folder.rglob("*")) if folder.is_dir() else 0


def _file_size(file: Path) -> int:
    try:
        status = file.lstat()
    except OSError:
        return 0
    return status.st_blocks * 512  # Kafka's indexes are sparse
