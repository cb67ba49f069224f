"""Asks CPython's own parser about modules, each given as a line of JSON: {"source": hex} or {"path": …}.

Prints one line for each: the last value of every name that the module assigns, null if the value is not a literal,
or null as a whole if the module doesn't parse.
"""

import ast
import json
import sys
import warnings

warnings.simplefilter("ignore")


def text(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def literal(value):
    if (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and value.func.id == "gettext"
        and value.args
    ):
        return text(value.args[0])
    return text(value)


def values(source):
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name):
                found[target.id] = literal(node.value)
    return found


with open(sys.argv[1], encoding="utf-8") as modules:
    for line in modules:
        module = json.loads(line)
        try:
            if "path" in module:
                with open(module["path"], "rb") as file:
                    source = file.read()
            else:
                source = bytes.fromhex(module["source"])
            print(json.dumps(values(source)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            print("null")
