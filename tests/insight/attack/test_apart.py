"""The attack is written apart from the protection: only the harness meets the product."""

import ast
from pathlib import Path

HERE = Path(__file__).parent
MEETS_THE_PRODUCT = "harness.py"


def test_the_attack_imports_nothing_of_what_it_attacks() -> None:
    files = sorted(HERE.glob("*.py"))
    assert len(files) > 5
    strangers = {
        file.name: imported
        for file in files
        if file.name != MEETS_THE_PRODUCT and (imported := _of_the_product(file))
    }
    assert strangers == {}


def _of_the_product(file: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return [name for name in found if name.split(".")[0] in {"panel", "importlib"}]
