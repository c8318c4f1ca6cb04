"""The build of the styles and scripts."""

import re
from pathlib import Path

import pytest

from panel.web import assets
from panel.web.manifest import BUILT_FOLDER, AssetsMissing, read_manifest


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    assets.build()


def stylesheet() -> str:
    return (BUILT_FOLDER / read_manifest().files["panel.css"]).read_text(encoding="utf-8")


def test_a_second_build_has_nothing_to_do() -> None:
    assert assets.build() == "The styles and scripts are up to date."


def test_nothing_of_the_brand_of_gov_uk_is_in_the_styles() -> None:
    css = stylesheet()
    for brand in ("GDS Transport", "crest", "govuk-header", "govuk-footer", "@font-face", "url("):
        assert brand not in css


def test_scripts_import_each_other_under_their_built_names() -> None:
    manifest = read_manifest()
    start = (BUILT_FOLDER / manifest.files["start.js"]).read_text(encoding="utf-8")
    imported = re.findall(r'from "\./([^"]+)"', start)
    assert imported
    assert set(imported) <= set(manifest.files.values())


def test_no_script_writes_markup_from_text() -> None:
    for path in (assets.WEB / "static" / "js").glob("*.js"):
        source = path.read_text(encoding="utf-8")
        for risky in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert risky not in source, f"{path.name} uses {risky}"


def test_the_lock_file_names_no_registry() -> None:
    lock = (assets.CHECKOUT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_an_unknown_file_says_which_there_are() -> None:
    with pytest.raises(AssetsMissing, match=r"There is no built file “x\.css”.*panel\.css"):
        read_manifest().url("x.css")


def test_before_the_first_build_the_cure_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssetsMissing, match="Run: make assets"):
        read_manifest(tmp_path)


def test_a_spoilt_manifest_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(AssetsMissing, match="cannot be read"):
        read_manifest(tmp_path)


def test_without_node_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(assets.CannotBuild, match=r"pip install -r requirements/assets\.txt"):
        assets.find_node()
