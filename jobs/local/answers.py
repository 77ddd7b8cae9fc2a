"""Whether a service of this machine answers over HTTP."""

import ssl
import urllib.request

_TIMEOUT_S = 1.0


def answers_ok(url: str) -> bool:
    """Whether `url` is answered with a status of success. Whose certificate is shown does not matter: it is this machine's."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=anybody))
    try:
        with opener.open(url, timeout=_TIMEOUT_S):
            return True
    except OSError:
        return False
