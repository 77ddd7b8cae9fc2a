"""What the docstrings under a type's fields say: schemas repeat it."""

import ast
import inspect
from functools import cache
from itertools import pairwise
from textwrap import dedent


@cache
def field_docs(cls: type) -> dict[str, str]:
    """Field -> its docstring, inherited ones included; empty where the source is not at hand."""
    docs: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        docs |= _own_docs(each)
    return docs


def _own_docs(cls: type) -> dict[str, str]:
    try:
        definition = ast.parse(dedent(inspect.getsource(cls))).body[0]
    except (OSError, TypeError):  # built in, or installed without its source
        return {}
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
