"""Which files of code differ, and which functions of Python?"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from reprobuild.domain.difference import CodeChange, FunctionChange, State

MODULE = "module"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def code_changes(first: Mapping[str, bytes], second: Mapping[str, bytes]) -> tuple[CodeChange, ...]:
    """Changes by file, in path order.

    Args:
        first: path in the project → content.
    """
    changes = []
    for file in sorted(first.keys() | second.keys()):
        one, other = first.get(file), second.get(file)
        if one is None or other is None:
            changes.append(CodeChange(file=file, state="added" if one is None else "removed"))
        elif one != other:
            changes.append(_changed(file, one, other))
    return tuple(changes)


def _changed(file: str, one: bytes, other: bytes) -> CodeChange:
    if not file.endswith(".py"):
        return CodeChange(file=file, state="changed")
    try:
        trees = ast.parse(one), ast.parse(other)
        sides = _parts(trees[0]), _parts(trees[1])
        same = ast.dump(trees[0]) == ast.dump(trees[1])
    except (
        SyntaxError,
        ValueError,
        RecursionError,
    ):  # not Python of this release: the file is all we can say
        return CodeChange(file=file, state="changed")
    functions = []
    for name in sorted(sides[0].keys() | sides[1].keys()):
        if sides[0].get(name) != sides[1].get(name):
            state: State = (
                "added" if name not in sides[0] else "removed" if name not in sides[1] else "changed"
            )
            functions.append(FunctionChange(name=name, state=state))
    if not functions and not same:  # the same statements in another order, which may do something else
        functions.append(FunctionChange(name=MODULE, state="changed"))
    return CodeChange(file=file, state="changed", functions=tuple(functions), layout_only=same)


def _parts(tree: ast.Module) -> dict[str, str]:
    """Qualified name of each function → its meaning; what lies in none is `module`, or the class itself."""
    found: dict[str, list[str]] = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for statement in body:
            if isinstance(statement, _Function):
                found.setdefault(f"{prefix}{statement.name}", []).append(ast.dump(statement))
            elif isinstance(statement, ast.ClassDef):
                head = [ast.dump(part) for part in _head(statement)]
                found.setdefault(f"{prefix}{statement.name}", []).extend(head)
                visit(statement.body, f"{prefix}{statement.name}.")
            else:
                found.setdefault(prefix.removesuffix(".") or MODULE, []).append(ast.dump(statement))

    visit(tree.body, "")
    return {name: "\n".join(parts) for name, parts in found.items()}


def _head(statement: ast.ClassDef) -> Iterator[ast.AST]:
    yield from statement.bases
    yield from statement.keywords
    yield from statement.decorator_list
