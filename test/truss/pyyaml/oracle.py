"""Reads documents (one JSON object a line: {"bytes": base64}) and says what PyYAML's safe loader makes of each.

A line out for each line in: the nodes that it composes, with tags and positions, and the data that it constructs.
"""

import base64
import datetime
import json
import sys

import yaml


def position(mark):
    return [mark.line, mark.column]


def nodes(root):
    """Every node once, in the order of the text: [tag, line, column, text or children (as indexes)]."""
    found = {}
    out = []
    # Not recursive: Python's own limit is for PyYAML to hit, not for this.
    todo = [root] if root is not None else []
    while todo:
        node = todo.pop()
        if id(node) in found:
            continue
        found[id(node)] = node
        if isinstance(node, yaml.ScalarNode):
            out.append([node.tag, *position(node.start_mark), node.value])
            continue
        children = node.value
        if isinstance(node, yaml.MappingNode):
            children = [child for pair in children for child in pair]
        out.append([node.tag, *position(node.start_mark), len(children)])
        todo.extend(reversed(children))
    return out


def plain(value, depth=0):
    """Data as JSON. Of numbers, dates and bytes only whether Python holds them for false."""
    if depth > 40:
        return "..."
    if value is None:
        return None
    if isinstance(value, bool):
        return {"boolean": bool(value)}
    if isinstance(value, (int, float)):
        return {"number": bool(value)}
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return {"bytes": bool(value)}
    if isinstance(value, (datetime.date, datetime.datetime)):
        return {"date": True}
    if isinstance(value, list):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, tuple):
        return {"pair": [plain(item, depth + 1) for item in value]}
    if isinstance(value, set):
        return {"set": sorted(item for item in value if isinstance(item, str)), "empty": not value}
    strings = [[key, plain(item, depth + 1)] for key, item in value.items() if isinstance(key, str)]
    return {"mapping": sorted(strings, key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass")), "empty": not value}


def failure(error):
    mark = getattr(error, "problem_mark", None)
    where = None if mark is None else position(mark)
    return {"error": type(error).__name__, "message": str(error)[:300], "at": where}


def read(data):
    try:
        composed = nodes(yaml.compose(data, Loader=yaml.SafeLoader))
    except Exception as error:
        return failure(error)
    try:
        loaded = yaml.safe_load(data)
    except Exception as error:
        return {**failure(error), "nodes": composed}
    return {"nodes": composed, "data": plain(loaded)}


print(json.dumps({"version": yaml.__version__, "python": sys.version.split()[0]}), flush=True)
for line in sys.stdin:
    print(json.dumps(read(base64.b64decode(json.loads(line)["bytes"]))), flush=True)
