"""A new pack loads as it stands, explains itself, and its numbers count nowhere."""

import pytest

import zhol
from zhol.cli import main
from zhol.region.schema import tables
from zhol.region.template import new


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return new("my_region", tmp_path_factory.mktemp("packs"))


def test_it_loads_and_says_what_it_is(pack):
    region = zhol.load(pack)
    assert (region.name, region.focus) == ("my_region", ("KAZ",))
    assert region.places.height == 3


def test_example_rows_are_marked_and_count_nowhere(pack):
    everything = zhol.load(pack, recalled=True)
    for name in everything.tables:
        assert everything.table(name)["note"].str.starts_with("EXAMPLE").all()
        assert everything.table(name).height > 0
        if name not in ("places", "sources"):
            assert zhol.load(pack).table(name).height == 0


def test_readme_explains_every_column(pack):
    text = (pack / "README.md").read_text(encoding="utf-8")
    for name, schema in tables().items():
        section = text.split(f"## `{name}.csv`")[1].split("\n## ")[0]
        for column in schema.columns:
            assert f"| `{column.name}` |" in section
            assert column.about in section


def test_nothing_is_left_beside_it(pack):
    assert [p.name for p in pack.parent.iterdir()] == ["my_region"]


def test_a_failure_halfway_leaves_nothing(tmp_path, monkeypatch):
    def fail(name):
        raise zhol.ZholError("disk is full")

    monkeypatch.setattr("zhol.region.template._files", fail)
    with pytest.raises(zhol.ZholError):
        new("my_region", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_from_the_command_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main(["region", "new", "mine", "--into", str(tmp_path)])
    shown = capsys.readouterr()
    assert left.value.code == 0
    assert shown.out == f"{tmp_path / 'mine'}\n"
    assert "README.md" in shown.err
    with pytest.raises(SystemExit) as left:
        main(["region", "check", str(tmp_path / "mine"), "--csv"])
    assert left.value.code == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "table,rows,recalled,columns",
        "places,3,0,12",
        "sources,1,0,11",
    ]
