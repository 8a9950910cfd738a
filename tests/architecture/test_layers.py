"""Imports point down only, and the package's modules keep to its forms."""

import ast
import re
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "automix"

LAYERS = (
    (
        "errors",
        "units",
        "parameters",
        "settings",
        "plan",
        "version",
        "plan_file",
        "plan_difference",
        "audio",
        "roles",
        "conditioning",
    ),
    (
        "compiled",
        "streams",
        "workers",
        "machine",
        "files",
        "session",
        "song_folder",
        "datasets",
        "analysis",
        "dsp",
        "demo",
    ),
    ("nn", "checkpoints"),
    ("consoles",),
    ("methods", "reference"),
    (
        "mixing",
        "premaster",
        "goal",
        "macros",
        "candidates",
        "finishing",
        "delivery",
        "information",
        "training",
        "benchmark",
        "batch",
        "evaluation",
        "listening",
        "export",
        "explanation",
        "synthesis",
    ),
    ("cli", "__main__"),
)
LAYER = {part: number for number, layer in enumerate(LAYERS, 1) for part in layer}

WITHOUT_PACKAGES = (
    "errors",
    "units",
    "parameters",
    "settings",
    "plan",
    "version",
    "plan_file",
    "methods.catalog",
    "methods.vocal_settings",
)
"""They need nothing but the standard library and each other: help pages import them."""

HEAVY = {"torch", "torchaudio", "scipy", "matplotlib", "pedalboard", "pyloudnorm", "librosa"}
ALLOWED_HEAVY = {
    "nn": {"torch", "torchaudio"},
    "checkpoints": {"torch"},
    "reference": {"torch"},
    "training": {"torch", "torchaudio"},
    "evaluation.plots": {"matplotlib"},
    "evaluation.explanation_plot": {"matplotlib"},
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


def part(module):
    return module.split(".")[0]


def test_the_modules_were_found():
    assert {"plan", "dsp.biquad", "cli.app", "files", "__init__"} <= set(MODULES)
    assert own(imports("plan")) == {"errors", "parameters", "settings"}
    assert "consoles.plugin" in own(imports("cli.jobs"))
    assert "consoles.plugin" not in own(imports("cli.jobs", only_at_load=True))


def test_every_module_has_a_layer():
    assert {part(module) for module in MODULES} - {"__init__"} <= set(LAYER)


@pytest.mark.parametrize("module", [module for module in MODULES if module != "__init__"])
def test_imports_point_down(module):
    upward = [name for name in own(imports(module)) if LAYER[part(name)] > LAYER[part(module)]]
    assert upward == []


def test_no_module_depends_on_itself():
    graph = {module: own(imports(module)) - {module} for module in MODULES}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the cycle


@pytest.mark.parametrize("module", WITHOUT_PACKAGES)
def test_the_foundation_imports_the_standard_library_only(module):
    others = {part(name) for name in imports(module)} - sys.stdlib_module_names
    assert others <= {"automix"}
    assert own(imports(module)) <= set(WITHOUT_PACKAGES)


@pytest.mark.parametrize("module", MODULES)
def test_heavy_packages_are_not_imported_at_load(module):
    allowed = ALLOWED_HEAVY.get(part(module), set()) | ALLOWED_HEAVY.get(module, set())
    if module.startswith("consoles.differentiable"):
        allowed = {"torch"}
    loaded = {part(name) for name in imports(module, only_at_load=True)}
    assert loaded & HEAVY <= allowed


@pytest.mark.parametrize("module", MODULES)
def test_only_the_command_line_prints(module):
    # The plug-in child is a program of its own; its standard output goes to its parent.
    if part(module) in ("cli", "__main__") or module == "consoles.plugin_child":
        return
    calls = [node.func for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
    assert not any(isinstance(call, ast.Name) and call.id == "print" for call in calls)


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_asserted_and_nothing_is_swallowed_without_a_reason(module):
    source = MODULES[module].read_text().splitlines()
    for node in ast.walk(tree(module)):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}"
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else ""
            handled = node.name or any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            if caught in ("", "Exception", "BaseException") and not handled:
                near = source[node.lineno - 1 : node.lineno + 1]
                assert any("#" in line for line in near), f"line {node.lineno}: say why"


@pytest.mark.parametrize("module", MODULES)
def test_modules_are_short_and_explain_themselves(module):
    assert len(MODULES[module].read_text().splitlines()) <= 300
    assert ast.get_docstring(tree(module))


def test_no_module_has_a_name_that_says_nothing():
    empty = r"(?:^|\.)(?:utils?|helpers?|common|manager|core|misc)(?:$|\.)"
    assert [module for module in MODULES if re.search(empty, module)] == []
