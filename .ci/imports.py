"""Imports every dependency that the installed package declares, and holds them to the lock.

The names of extras are those to look at too: ``python .ci/imports.py test``.
"""

import sys
from importlib import import_module, resources
from importlib.metadata import distribution, distributions, packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

wanted = {
    canonicalize_name(requirement.name)
    for requirement in map(Requirement, distribution("automix").requires or ())
    for extra in ("", *sys.argv[1:])
    if requirement.marker is None or requirement.marker.evaluate({"extra": extra})
}
modules: dict[str, list[str]] = {}
for module, packages in packages_distributions().items():
    for package in packages:
        modules.setdefault(canonicalize_name(package), []).append(module)
for package in sorted(wanted):
    for module in modules[package]:
        if module.isidentifier() and not module.startswith("_"):
            import_module(module)
print("imported:", *sorted(wanted))

lock = resources.files("automix").joinpath("constraints.txt").read_text("utf-8").split()
installed = {
    f"{canonicalize_name(found.metadata['Name'])}=={found.version}" for found in distributions()
}
unlocked = [
    name for name in sorted(installed - set(lock)) if not name.startswith(("automix==", "pip=="))
]
if unlocked:
    sys.exit(f"not in automix/constraints.txt: {' '.join(unlocked)}")
