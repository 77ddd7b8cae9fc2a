"""Bytes that somebody sent, as text that no terminal and no page acts upon."""


def safe_text(original: bytes) -> str:
    r"""Bytes as text that no terminal acts upon; nothing is lost.

    What is not printable is escaped as Python would, bytes that are not UTF-8 as `\xNN`; a backslash is doubled.
    """
    text = original.decode(errors="surrogateescape").replace("\\", "\\\\")
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return character.encode("unicode_escape").decode()
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
