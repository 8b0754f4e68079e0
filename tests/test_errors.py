import ast
import inspect
from pathlib import Path

import bukva
from bukva import errors

INDENT = 4


def drawn_tree() -> dict[str, str | None]:
    """Read parents by name from the tree at the top of the module."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in inspect.getdoc(errors).splitlines():
        bare = line.lstrip("│├└─ ")
        name = bare.split()[0] if bare else ""
        if not name.endswith("Error"):
            continue
        depth = (len(line) - len(bare)) // INDENT
        parents[name] = path[depth - 1] if depth else None
        path[depth:] = [name]
    return parents


def real_tree() -> dict[str, str | None]:
    classes = inspect.getmembers(errors, inspect.isclass)
    return {
        name: None if class_ is errors.BukvaError else class_.__bases__[0].__name__
        for name, class_ in classes
    }


def test_the_drawn_tree_is_the_real_one():
    assert drawn_tree() == real_tree()


def test_every_error_is_caught_as_a_bukva_error():
    classes = [class_ for _, class_ in inspect.getmembers(errors, inspect.isclass)]
    assert len(classes) > 20
    assert all(issubclass(class_, errors.BukvaError) for class_ in classes)


def test_every_error_says_when_it_is_raised():
    for name, class_ in inspect.getmembers(errors, inspect.isclass):
        assert class_.__doc__.startswith(("Raised", "Base of ")), name


def test_no_other_module_adds_to_the_tree():
    known = set(real_tree())
    strays = [
        f"{path.name}: {node.name}"
        for path in Path(bukva.__file__).parent.rglob("*.py")
        if path.name != "errors.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and {base.id for base in node.bases if isinstance(base, ast.Name)} & known
    ]
    assert strays == []


def test_a_request_error_carries_its_code_and_detail():
    error = errors.RequestError("empty_image", "There is no ink.")
    assert (error.code, error.detail, str(error)) == (
        "empty_image",
        "There is no ink.",
        "There is no ink.",
    )
