"""The catalogue says for each dataset whose it is, where it is, and what may be done with it."""

import re
from pathlib import Path

import pytest
import yaml

from zhol.core.errors import ZholError
from zhol.publishers import formats
from zhol.publishers.catalogue import FILE, catalogue, find
from zhol.publishers.formats import eurostat, unhcr


@pytest.mark.parametrize("dataset", catalogue(), ids=lambda d: d.id)
def test_every_entry_is_complete(dataset):
    assert re.fullmatch(r"[a-z][a-z0-9_]+", dataset.id)
    assert re.fullmatch(r"[a-z]+", dataset.source)
    assert dataset.format in formats.NAMES
    assert dataset.endpoint.startswith("https://")
    assert dataset.page.startswith("https://")
    assert dataset.file.endswith(".csv")
    assert 1 <= dataset.max_mb <= 500
    for text in (dataset.publisher, dataset.title, dataset.licence, dataset.licence_note, dataset.attribution):
        assert len(text) > 3
        assert text == text.strip()
    assert dataset.citation.endswith((".", "/"))
    assert any(word in dataset.citation for word in dataset.publisher.replace(",", "").split())


def test_no_two_datasets_write_one_file():
    files = [d.file for d in catalogue()]
    assert len(set(files)) == len(files)


def test_every_format_is_used_and_offers_both_steps():
    assert {d.format for d in catalogue()} == set(formats.NAMES)
    for name in formats.NAMES:
        module = formats.load(name)
        assert callable(module.fetch)
        assert callable(module.read)


def test_options_fit_the_readers():
    for dataset in catalogue():
        if dataset.format == "eurostat":
            assert dataset.options["layout"] in eurostat.LAYOUTS
            assert dataset.options["flow"].lower() in dataset.page
        if dataset.format == "unhcr":
            assert dataset.options["table"] in unhcr.TABLES
        if dataset.format == "worldbank":
            assert set(dataset.options["databases"]) | set(dataset.options["title_says"]) <= set(
                dataset.options["indicators"]
            )


def test_the_address_of_eurostat_is_the_one_sdmx1_knows():
    import sdmx

    for dataset in find("eurostat"):
        assert dataset.endpoint == sdmx.get_source("ESTAT").url


def test_an_unknown_source_names_the_nearest():
    with pytest.raises(ZholError) as error:
        find("undessa")
    assert str(error.value) == (
        "unknown source; found 'undessa', expected undesa, unhcr, worldbank, eurostat, frontex; did you mean 'undesa'?"
    )


def spoil(tmp_path: Path, change) -> Path:
    entries = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    change(entries["datasets"])
    path = tmp_path / "catalogue.yaml"
    path.write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda d: d[0].pop("licence"), "catalogue.yaml: dataset undesa_ims_2024: field 'licence' is missing"),
        (lambda d: d[0].update(citation=""), "catalogue.yaml: dataset undesa_ims_2024: field 'citation' is missing"),
        (lambda d: d[1].update(id="undesa_ims_2024"), "catalogue.yaml: dataset undesa_ims_2024 stands twice"),
        (
            lambda d: d[0].update(file="../elsewhere.csv"),
            "catalogue.yaml: dataset undesa_ims_2024: bad file; found '../elsewhere.csv', expected folder/file.csv",
        ),
        (
            lambda d: d[0].update(endpoint="ftp://un.org/x"),
            "catalogue.yaml: dataset undesa_ims_2024: bad endpoint; found 'ftp://un.org/x', expected an https address",
        ),
    ],
)
def test_a_spoilt_catalogue_is_refused(tmp_path, change, line):
    with pytest.raises(ZholError) as error:
        catalogue(spoil(tmp_path, change))
    assert str(error.value) == line


def test_an_unknown_field_is_an_error(tmp_path):
    with pytest.raises(ZholError, match="unknown field 'licens'"):
        catalogue(spoil(tmp_path, lambda d: d[0].update(licens="x")))
