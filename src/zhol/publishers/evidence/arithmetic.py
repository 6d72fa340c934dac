"""Plain arithmetic written as text: how a number follows from a row of evidence, readable and computed."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from zhol.core.errors import ZholError

_BINARY: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[[float], float]] = {"log": math.log, "exp": math.exp}


def evaluate(text: str, values: Mapping[str, float]) -> float:
    """Value of an expression of numbers, names, + - * /, log and exp; nothing else can be written.

    Examples
    --------
    >>> round(evaluate("log(1 + E013 / 100)", {"E013": -27}), 3)
    -0.315

    Raises
    ------
    ZholError
        If the text is not such an expression, or names something without a value.
    """
    try:
        return _value(ast.parse(text, mode="eval").body, values)
    except (SyntaxError, ValueError, ZeroDivisionError) as error:
        raise ZholError("a derivation that cannot be computed", found=text, hint=str(error)) from error


def names_in(text: str) -> set[str]:
    """Names that an expression uses, without its functions.

    Examples
    --------
    >>> sorted(names_in("E002 * log(2)"))
    ['E002']
    """
    if not text:
        return set()
    return {n.id for n in ast.walk(ast.parse(text, mode="eval")) if isinstance(n, ast.Name)} - set(_FUNCTIONS)


def _value(node: Any, values: Mapping[str, float]) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.Name):
        if node.id not in values:
            raise ZholError("a derivation names something without a number", found=node.id)
        return values[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        return _FUNCTIONS[node.func.id](*[_value(a, values) for a in node.args])
    raise ValueError("only numbers, names, + - * /, log and exp")
