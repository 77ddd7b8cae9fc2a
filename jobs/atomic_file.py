"""Small files that are whole or not there, whenever somebody looks or we are killed."""

from pathlib import Path


def write_whole(file: Path, text: str) -> None:
    """Put `text` into `file` in one step, its folder made if need be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(file)
