"""The house as a whole: light imports, no index address, no word that must not stand, no personal path."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
]
TEXT = [
    p for p in TRACKED if p.suffix in {".py", ".md", ".toml", ".yaml", ".yml", ".html", ".j2", ".typ", ".lock", ".cfg"}
]


def test_import_is_light():
    heavy = "('jax', 'altair', 'pandas', 'scipy', 'duckdb')"
    code = f"import sys, zhol, zhol.estimate; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_lock_names_no_index_and_pins_with_hashes():
    lock = (ROOT / "requirements.lock").read_text()
    lines = [line for line in lock.splitlines() if not line.lstrip().startswith("#")]
    assert not any("://" in line or "index-url" in line or "find-links" in line for line in lines)
    requirements = re.split(r"\n(?=\S)", "\n".join(lines).strip())
    assert all("==" in r and "--hash=sha256:" in r for r in requirements)


@pytest.mark.parametrize("path", TEXT, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_path_of_a_machine_and_no_registry_host(path):
    text = path.read_text(encoding="utf-8")
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org"]
    assert not [h for h in hosts if h in text]
    assert "/wo" + "rk/" not in text and "/ro" + "ot/" not in text


def test_no_shared_data_file_is_in_the_project():
    """Names of the publishers' files and reference cases that are for building and testing only."""
    forbidden = re.compile(
        r"(ims_bilateral|wdi_country_year|dist_cepii|abel_cohen|fragile_states|freedom_house|passport_index_2|sparsemse\.json|singlercapture)"
    )
    assert [p for p in TRACKED if forbidden.search(p.name) and p.suffix in {".csv", ".json", ".gz"}] == []


def test_version_is_in_the_changelog():
    import zhol

    assert f"## {zhol.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
