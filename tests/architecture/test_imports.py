"""Who may import whom."""

from __future__ import annotations

import ast
import pkgutil
from pathlib import Path

import pytest

import cardio_core
import cardio_stats as stats
import cardio_ultrasound as ultrasound
from cardio_core import api, hookspecs, testing
from cardio_stats import figures, forensics

from . import source_files as source

PLUGINS = sorted(source.PLUGINS.items())
EXAMPLES = sorted(source.EXAMPLES.items())
FACES = {face.__name__: face for face in (api, stats, forensics, ultrasound)}
"""What a plugin may import of the core: these modules' public names, and no module inside them."""


def test_every_plugin_of_the_workspace_is_under_the_contracts():
    contracts = source.import_contracts()
    packages = {package.name for _, package in PLUGINS}
    assert packages
    for section, key in (
        ("importlinter", "root_packages"),
        ("importlinter:contract:core", "forbidden_modules"),
        ("importlinter:contract:plugins", "source_modules"),
    ):
        assert packages <= set(contracts[section][key].split()), f"{section}, {key}"


def test_every_room_of_the_core_is_closed_to_plugins_except_its_public_faces():
    rooms = {
        f"cardio_core.{path.stem}"
        for path in source.CORE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    inside = {f"{name}.*" for name, face in FACES.items() if hasattr(face, "__path__")}
    closed = rooms - {*FACES, "cardio_core.__init__"} | inside | {"cardio_studies"}
    contracts = source.import_contracts()
    assert set(contracts["importlinter:contract:plugins"]["forbidden_modules"].split()) == closed


def test_the_core_names_no_plugin_in_any_import():
    template = source.python_files(source.CORE / "template")
    for path in set(source.python_files(source.CORE)) - set(template):
        for module in source.imports_of(path):
            below = module.split(".")[0] in ("cardio_core", "cardio_stats")
            assert below or not module.startswith("cardio_"), path


def is_public(module: str) -> bool:
    """Return whether it is a face of the core, or a public name of one."""
    face, _, name = module.rpartition(".")
    return module in FACES or (face in FACES and name in FACES[face].__all__)


def test_a_module_inside_a_face_is_no_public_name():
    assert is_public("cardio_ultrasound.read_loop")
    assert not is_public("cardio_ultrasound.readers")
    assert not is_public("cardio_ultrasound.readers.read")


@pytest.mark.parametrize(("name", "package"), [*PLUGINS, *EXAMPLES, ("template", source.TEMPLATE)])
def test_a_plugin_imports_of_cardio_only_itself_and_the_public_faces(name, package):
    for path in source.python_files(package):
        for module in source.imports_of(path):
            if module.split(".")[0].startswith("cardio_") and module != "cardio_core":
                mine = module.split(".")[0] == package.name
                assert mine or is_public(module), f"{path.name} imports {module}"


@pytest.mark.parametrize(("name", "package"), [*PLUGINS, *EXAMPLES])
def test_the_tests_of_a_plugin_import_of_the_core_only_the_faces_and_the_testing_kit(name, package):
    for path in sorted((package.parents[1] / "tests").rglob("*.py")):
        for module in source.imports_of(path, beside=True):
            if module.split(".")[0].startswith("cardio_") and module != "cardio_core":
                mine = module.startswith((package.name, "cardio_core.testing"))
                assert mine or is_public(module), f"{path.name} imports {module}"


@pytest.mark.parametrize("face", FACES.values(), ids=list(FACES))
def test_every_public_name_can_be_had_and_a_misspelt_one_cannot(face):
    assert dir(face)
    for name in face.__all__:
        assert getattr(face, name) is not None
    assert not hasattr(face, "Bohcort")


@pytest.mark.parametrize("face", [api, ultrasound], ids=["api", "ultrasound"])
def test_a_misspelt_name_is_answered_with_the_names_there_are(face):
    with pytest.raises(AttributeError, match=rf"{face.__name__} has no 'Bohcort'; it offers \w+, "):
        face.Bohcort  # noqa: B018


@pytest.mark.parametrize("face", [*FACES.values(), figures, testing, cardio_core])
def test_type_checkers_see_the_same_names_as_programs(face):
    tree = ast.parse(Path(face.__file__).read_text())
    checked = next(
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    declared = {
        (alias.asname, f"{node.module}.{alias.name}")
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert {name for name, _ in declared} == set(face.__all__)
    for name, home in declared:
        assert getattr(face, name) is pkgutil.resolve_name(home)


@pytest.mark.parametrize("hook", hookspecs.HOOKS)
def test_every_hook_is_documented_where_it_is_declared(hook):
    about = getattr(hookspecs, hook).__doc__ or ""
    assert about.strip().endswith((".", "`"))
    assert len(about.split()) >= 8, f"{hook} says too little of itself"


def test_a_plugin_that_lacks_a_required_hook_could_not_run():
    assert set(hookspecs.REQUIRED) <= set(hookspecs.HOOKS)
    from cardio_core.runner import default_hooks as hooks

    defaults = {name for name in hookspecs.HOOKS if hasattr(hooks, name)}
    assert set(hookspecs.HOOKS) - defaults == set(hookspecs.REQUIRED)
