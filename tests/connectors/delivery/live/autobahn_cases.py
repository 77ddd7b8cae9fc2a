"""Autobahn's WebSocket cases against a server, one JSON line each: a program for an environment with `autobahntestsuite` and `autobahn`.

The suite itself needs Python 2. Its cases are small classes that say what to send and what should come back; here they are
translated (lib2to3, and a few words that it leaves alone) and driven by the Autobahn library of this Python. In Python 2 a
string was bytes: in the cases a string holds one byte a character, and becomes bytes where it leaves them.

    python autobahn_cases.py ws://127.0.0.1:9001 1. 2. 10.
"""

import importlib
import json
import re
import sys
from importlib.util import find_spec
from lib2to3.refactor import RefactoringTool, get_fixers_from_package
from pathlib import Path
from tempfile import TemporaryDirectory

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol, connectWS
from twisted.internet import reactor

AT_ONCE = 8
"""Cases under way at the same time; those that measure nothing but time are few."""
GOODBYE_S = 20
"""How long a server may take to close: a busy machine is no fault of it."""
LEFT_OUT = ("case9_9_1.py", "case12_x_x.py")
"""One that the suite does not use, and compression."""
NOT_IN_PYTHON_3 = {
    r"^import binascii$": "from .py2 import binascii",
    r"^from autobahn\.websocket\.utf8validator import Utf8Validator$": "from .py2 import Utf8Validator",
    r"unichr\((\w+)\)\.encode\(\"utf-8\"\)": r"chr(\1).encode('utf-8', 'surrogatepass').decode('latin-1')",
    r"/ self\.p\.autoFragmentSize": "// self.p.autoFragmentSize",
    r"\.tostring\(\)": ".tobytes().decode('latin-1')",
    r"return pickle\.dumps\(obj1\) == pickle\.dumps\(obj2\)": "return obj1 == obj2",
    r"\(object, Case, ?\)": "(Case,)",
    r"^from case(9_9_1|12_x_x) import \*$": "",
    r"^Cases\.extend\(Case1[23]_X_X\)$|^CaseSubCategories\.update\(Case1[23]_X_X_CaseSubCategories\)$": "",
}
PY2 = """
import autobahn.websocket.utf8validator as utf8
class binascii:
    @staticmethod
    def b2a_hex(data):
        return (data if isinstance(data, bytes) else data.encode("latin-1")).hex()
class Utf8Validator(utf8.Utf8Validator):
    def validate(self, data):
        return super().validate(data.encode("latin-1"))
"""


def translate(source: Path, target: Path) -> None:
    """The package of cases for this Python. Sources are read as one byte a character, so that what is quoted stays bytes."""
    tool = RefactoringTool(get_fixers_from_package("lib2to3.fixes"))
    target.mkdir()
    (target / "py2.py").write_text(PY2)
    for file in source.glob("*.py"):
        if file.name not in LEFT_OUT:
            text = file.read_bytes().decode("latin-1").replace("\r\n", "\n")
            for old, new in NOT_IN_PYTHON_3.items():
                text = re.sub(old, new, text, flags=re.MULTILINE)
            text = re.sub(r"^from (case\w*) import", r"from .\1 import", text, flags=re.MULTILINE)
            (target / file.name).write_text(str(tool.refactor_string(text + "\n", file.name)), encoding="utf-8")


def to_bytes(data):
    return data.encode("latin-1") if isinstance(data, str) else data


class CaseProtocol(WebSocketClientProtocol):
    """What a case is given as its connection: sends what it says, and tells it what comes back."""

    createWirelog = connectionWasOpen = False

    def connectionMade(self):
        self.rx, self.txFrameStats = 0, {}
        super().connectionMade()

    def enableWirelog(self, enable):
        """No wire log is kept."""

    def onOpen(self):
        self.connectionWasOpen = True
        self.runCase.onOpen()

    def onMessage(self, payload, isBinary):
        self.runCase.onMessage(payload.decode("latin-1"), isBinary)

    def onPong(self, payload):
        self.runCase.onPong(payload.decode("latin-1"))

    def onClose(self, wasClean, code, reason):
        self.runCase.onClose(wasClean, code, reason)

    def connectionLost(self, reason):
        super().connectionLost(reason)
        self.runCase.onConnectionLost(self.failedByMe)
        self.factory.done(self)

    def sendFrame(self, opcode, payload="", **more):
        super().sendFrame(opcode, to_bytes(payload), **more)

    def logTxFrame(self, header, *_):
        self.txFrameStats[header.opcode] = self.txFrameStats.get(header.opcode, 0) + 1

    def sendMessage(self, payload, isBinary=False, **more):
        super().sendMessage(to_bytes(payload), isBinary, **more)

    def sendMessageFrameData(self, payload, **more):
        return super().sendMessageFrameData(to_bytes(payload), **more)

    def sendCloseFrame(self, code=None, reasonUtf8=None, **more):
        super().sendCloseFrame(code, to_bytes(reasonUtf8), **more)

    def continueLater(self, delay, function, tag=None):
        self._later(delay, function)

    def killAfter(self, delay):
        self._later(delay, lambda: self._fail_connection())

    def closeAfter(self, delay):
        self._later(delay, self.sendClose)

    def _later(self, delay, function):
        reactor.callLater(delay, lambda: None if self.state == self.STATE_CLOSED else function())


class CaseFactory(WebSocketClientFactory):
    """One connection, for one case."""

    protocol = CaseProtocol

    def __init__(self, url, case, run):
        super().__init__(url)
        self.setProtocolOptions(failByDrop=False, closeHandshakeTimeout=GOODBYE_S, serverConnectionDropTimeout=GOODBYE_S)
        self.logFrames = True
        self._case, self._run = case, run

    def buildProtocol(self, addr):
        protocol = super().buildProtocol(addr)
        protocol.runCase = self._case(protocol)
        return protocol

    def done(self, protocol):
        case = protocol.runCase
        said = {"behavior": case.behavior, "close": case.behaviorClose, "why": str(case.result), "code": protocol.remoteCloseCode}
        self._run.done(self._case, said)

    def clientConnectionFailed(self, connector, reason):
        self._run.done(self._case, {"behavior": "FAILED", "close": "FAILED", "why": reason.getErrorMessage(), "code": None})


class Run:
    """All cases, a few at once."""

    def __init__(self, url, cases):
        self._url, self._cases, self._under_way = url, list(cases), 0
        for _ in range(AT_ONCE):
            self._next()

    def _next(self):
        if self._cases:
            self._under_way += 1
            connectWS(CaseFactory(self._url, self._cases.pop(0), self))
        elif not self._under_way:
            reactor.stop()

    def done(self, case, said):
        self._under_way -= 1
        sys.stdout.write(json.dumps({"case": name_of(case)} | said) + "\n")
        sys.stdout.flush()
        reactor.callLater(0, self._next)


def name_of(case):
    return case.__name__.removeprefix("Case").replace("_", ".")


def main(url, *prefixes):
    with TemporaryDirectory() as folder:
        translate(Path(find_spec("autobahntestsuite").submodule_search_locations[0], "case"), Path(folder, "autobahn_cases_3"))
        sys.path.insert(0, folder)
        cases = importlib.import_module("autobahn_cases_3").Cases
    chosen = [case for case in cases if name_of(case).startswith(prefixes)]
    reactor.callWhenRunning(Run, url, chosen)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
