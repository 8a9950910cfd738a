"""Imports point down an ordered list of rooms, and the package's modules keep to its forms."""

import ast
import re
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "automix"

ROOMS = (
    *("errors", "version", "units", "inputs", "parallel", "audio", "files", "plan"),
    *("dsp", "analysis", "sound", "session", "checking", "datasets"),
    *("networks", "consoles", "methods", "reference", "mixing"),
    *("report", "evaluation", "explanation", "export", "listening", "desk", "demo", "synthesis"),
    *("training", "batch", "benchmark", "library", "cli", "__main__"),
)
"""From the ground up: a room imports itself and those before it."""

RANK = {room: number for number, room in enumerate(ROOMS)}

FOUNDATION = (
    *("errors", "version", "units", "inputs", "plan", "methods.catalog"),
    *("files.extensions", "files.names", "files.regular", "files.text"),
)
"""What needs the standard library and each other only: help pages use it."""

HEAVY = {"torch", "torchaudio", "scipy", "matplotlib", "pedalboard", "pyloudnorm", "librosa"}
ALLOWED_HEAVY = {
    "networks": {"torch", "torchaudio"},
    "reference": {"torch"},
    "training": {"torch", "torchaudio"},
    "consoles.differentiable": {"torch"},
    "evaluation.plots": {"matplotlib"},
    "explanation.plot": {"matplotlib"},
    "explanation.network": {"torch"},
}

MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
"""Paths by dotted name within the package; ``__init__`` is the package itself."""


@cache
def tree(module):
    return ast.parse(MODULES[module].read_text())


def imported(nodes):
    """Full names of the modules that the statements import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name.removeprefix("automix.") in MODULES else node.module


def imports(module, *, only_at_load=False):
    """Names of the imported modules; all, or those at module level."""
    nodes = [tree(module)]
    found = []
    for node in nodes:
        if only_at_load and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        found.append(node)
        nodes.extend(ast.iter_child_nodes(node))
    return set(imported(found))


def own(names):
    """Those that are modules of the package, by their name within it."""
    within = {name.removeprefix("automix.") for name in names if name.startswith("automix.")}
    return within & set(MODULES)


def room(module):
    return module.split(".")[0]


def belongs(module, parts):
    """Whether a module is one of the parts, or lies in one."""
    return any(module == part or module.startswith(f"{part}.") for part in parts)


def test_the_modules_were_found():
    assert {"plan.model", "dsp.biquad", "cli.app", "files", "__init__"} <= set(MODULES)
    assert own(imports("dsp.equalizer")) == {"dsp.biquad", "plan.settings"}
    assert {room(module) for module in MODULES} - {"__init__"} <= set(ROOMS)


def test_imports_point_down():
    upward = [
        f"{module} imports {name}"
        for module in MODULES
        if module != "__init__"
        for name in own(imports(module))
        if RANK[room(name)] > RANK[room(module)]
    ]
    assert upward == []


def test_no_module_depends_on_itself():
    graph = {module: own(imports(module)) - {module} for module in MODULES}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the cycle


def test_the_foundation_imports_the_standard_library_only():
    for module in MODULES:
        if not belongs(module, FOUNDATION):
            continue
        others = {room(name) for name in imports(module)} - sys.stdlib_module_names
        assert others <= {"automix"}, module
        assert all(belongs(name, FOUNDATION) for name in own(imports(module))), module


def test_heavy_packages_are_not_imported_at_load():
    for module in MODULES:
        allowed = set().union(*(ALLOWED_HEAVY[p] for p in ALLOWED_HEAVY if belongs(module, [p])))
        loaded = {room(name) for name in imports(module, only_at_load=True)}
        assert loaded & HEAVY <= allowed, module


def test_only_the_command_line_prints():
    for module in MODULES:
        # The plug-in child is a program of its own; its standard output goes to its parent.
        if belongs(module, ("cli", "__main__", "consoles.plugin.child")):
            continue
        calls = [node.func for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
        assert not any(isinstance(c, ast.Name) and c.id == "print" for c in calls), module


def test_nothing_is_asserted_and_nothing_is_swallowed_without_a_reason():
    for module, path in MODULES.items():
        source = path.read_text().splitlines()
        for node in ast.walk(tree(module)):
            assert not isinstance(node, ast.Assert), f"{module}, line {node.lineno}"
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else ""
                handled = node.name or any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
                if caught in ("", "Exception", "BaseException") and not handled:
                    near = source[node.lineno - 1 : node.lineno + 1]
                    assert any("#" in line for line in near), f"{module}, line {node.lineno}"


def test_modules_explain_themselves_and_have_names_that_say_something():
    empty = r"(?:^|\.)(?:utils?|helpers?|common|manager|core|misc)(?:$|\.)"
    for module in MODULES:
        assert len(ast.get_docstring(tree(module)) or "") > 10, module
        assert not re.search(empty, module), module


def test_no_function_takes_more_than_eight_parameters():
    """The functions that Typer makes commands of are the command line, and have one per option."""
    long = []
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            names = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            count = sum(name.arg not in ("self", "cls") for name in names)
            is_command = room(module) == "cli" and any(
                ast.unparse(d).startswith(("report_errors", "training_command", "app."))
                for d in node.decorator_list
            )
            if count > 8 and not is_command:
                long.append(f"{module}.{node.name}: {count}")
    assert long == []


def test_no_public_name_is_defined_in_two_modules():
    """A class or a function of one name is one thing, but for the verbs that tell rooms apart."""
    homes = {}
    for module in MODULES:
        for node in tree(module).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module)
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


READERS = {
    "files.text": "the home of reading text",
    "files.table": "the home of reading tables",
    "datasets.medleydb": "the one reader of YAML, of text that files.text read",
    "batch.journal": "records of its own, one by one",
    "consoles.plugin.child": "what its own parent wrote",
    "consoles.plugin.host": "what its own child wrote",
    "listening.making": "files of the package",
    "networks.checkpoints": "a field of safetensors, and a file of the package",
    "networks.torchaudio_pair": "a file of the package",
    "parallel.machine": "a file of the system",
    "parallel.memory": "a file of the system",
    "report.page": "files of the package",
    "training.decoded_songs": "a cache of its own",
}
"""Modules that may parse text or read text files, and why."""


def test_texts_are_read_in_one_place():
    """What a user names comes through `automix.files.text`, which bounds it and names its faults.

    There are no other parsers of TOML, CSV, JSON or YAML, and no other reading of text files.
    """
    parsers = re.compile(
        r"tomllib\.loads?|csv\.(reader|DictReader)|json\.loads?|yaml\.\w*load\w*|.*\.read_text"
    )
    found = {}
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if not isinstance(node, ast.Call) or module in READERS:
                continue
            name = ast.unparse(node.func)
            said = [*node.args, *(word.value for word in node.keywords)]
            modes = [word.value for word in said if isinstance(word, ast.Constant)]
            opened = name == "open" or (name.endswith(".open") and name != "os.open")
            is_text = opened and any(word in ("r", "rt", "utf-8", "utf-8-sig") for word in modes)
            is_text = is_text and not {"w", "a", "x"} & set(modes)
            if parsers.fullmatch(name) or is_text:
                found[module] = name
    assert found == {}
    assert set(READERS) <= set(MODULES)


def test_docstrings_are_sentences():
    """No attribute or argument is explained by a fragment such as "Of it."."""
    fragment = re.compile(r"^\s+\w+(?: \([^)]*\))?: (?:Of|Whose|What|In|With)(?: [a-z]+)?\.$", re.M)
    found = {
        module: hits
        for module, path in MODULES.items()
        if (hits := fragment.findall(path.read_text()))
    }
    assert found == {}
