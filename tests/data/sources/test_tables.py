from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from actrec.data.sources.csv_files import read_records
from actrec.data.sources.tables import COLUMNS, Row, locate, read_table
from actrec.types import ActrecError

READ = (*COLUMNS, "fps", "width")


def write(folder: Path, content: str | bytes) -> Path:
    file = folder / "labels.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def read(folder: Path, content: str | bytes) -> list[dict[str, str]]:
    return [dict(row.cells) for row in read_table(write(folder, content), READ)]


@pytest.mark.parametrize(
    "content",
    [
        "file,label,group\na.npy,wave,me\nb.npy,nod,you\n",
        "file;label;group\r\na.npy;wave;me\r\nb.npy;nod;you\r\n",
        "file\tlabel\tgroup\na.npy\twave\tme\nb.npy\tnod\tyou\n",
        "sep=;\r\nfile;label;group\r\na.npy;wave;me\r\nb.npy;nod;you",
        "file,label,group\ra.npy,wave,me\rb.npy,nod,you\r",
        "\ufefffile,label,group\na.npy,wave,me\nb.npy,nod,you\n",
        "file;label;group\na.npy;wave;me\nb.npy;nod;you\n".encode("utf-16"),
        " File , LABEL,Group\na.npy , wave,me\n\n , ,\nb.npy, nod ,you\n,,\n",
        '"file","label","group"\n"a.npy","wave","me"\n"b.npy","nod","you"\n',
        "label,group,file,,\nwave,me,a.npy,,\nnod,you,b.npy,,,,\n",
    ],
    ids=["comma", "semicolon", "tab", "sep", "CR", "BOM", "UTF-16", "spaces", "quotes", "trailing"],
)
def test_one_table_in_many_spellings(tmp_path: Path, content: str | bytes) -> None:
    assert read(tmp_path, content) == [
        {"file": "a.npy", "label": "wave", "group": "me"},
        {"file": "b.npy", "label": "nod", "group": "you"},
    ]


def test_cells_with_separators_and_scripts(tmp_path: Path) -> None:
    content = 'file;label\n"a;b.npy";"a, b"\nc.npy;手を振る\nd.npy;اللوح\ne.npy;махать\n'
    assert [row["label"] for row in read(tmp_path, content)] == ["a, b", "手を振る", "اللوح", "махать"]
    assert read(tmp_path, content)[0]["file"] == "a;b.npy"


def test_accents_are_composed_and_spaces_single(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "épée")
    rows = read(tmp_path, f"file,label\na,{decomposed}\nb,épée\nc,  push \u00a0 up \n")
    assert [row["label"] for row in rows] == ["épée", "épée", "push up"]


@pytest.mark.parametrize(
    ("text", "split"),
    [("train", "train"), ("Val", "val"), (" validation ", "val"), ("TEST", "test"), ("training", "train")],
)
def test_splits(tmp_path: Path, text: str, split: str) -> None:
    assert read(tmp_path, f"file,label,split\na,wave,{text}\n")[0]["split"] == split


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,class\na.npy,wave\n", "has no column label; .* It has: file, class"),
        ("file,label\n", "lists no clips"),
        ("", "has no column file and no label"),
        ("file,label\na.npy,\n", "Row 2 of .* label ''"),
        ("file,label\n\na.npy,  \n", "Row 3 of .* label ''"),
        ("file,label\n..,wave\n", r"Row 2 of .* file '\.\.'"),
        ("file,label,split\na.npy,wave,exam\n", "Row 2 of .*split 'exam'.*'train', 'val', 'test' or nothing"),
        (
            "file,label\na.npy,wave,me\n",
            "Row 2 of .* has 3 cells; its header has 2. Put a cell with a ','",
        ),
        ("file,label,label\na.npy,wave,me\n", "has the column label twice"),
        ("file,label\na.npy,x\nb.npy,y\na.npy,x\n", r"a\.npy is listed twice, in rows 2 and 4 of"),
        ('file,label\n"a.npy,wave\nb.npy,nod\n', "cannot be read .*Quotes must come in pairs"),
        ("file,label\nb.npy,nod\na.npy,épée\n".encode("latin-1"), "line 3 is not utf-8.*in UTF-8"),
        ("file,label\na.npy,x\n".encode("utf-16-le"), "null characters.*UTF-8"),
        (b"PK\x03\x04...", "Excel workbook"),
    ],
)
def test_a_wrong_table(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(ActrecError, match=message):
        read(tmp_path, content)


def test_one_file_may_be_two_clips_of_their_own_names(tmp_path: Path) -> None:
    assert len(read(tmp_path, "file,label,clip_id\na,x,first\na,x,second\n")) == 2


@pytest.mark.parametrize(("name", "nearest"), [("goup", "group"), ("filse", None), ("widht", "width"), ("notes", None)])
def test_unknown_columns_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, nearest: str | None
) -> None:
    rows = read(tmp_path, f"file,label,{name}\na.npy,wave,me\n")
    assert rows == [{"file": "a.npy", "label": "wave"}]
    hint = f" (did you mean {nearest}?)" if nearest else ""
    assert (
        f"has columns that are not read: {name}{hint}. Columns that are read: file, label, clip_id, group"
        in caplog.text
    )


def test_known_columns_are_not_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read(tmp_path, "file,label,Clip ID,GROUP\na.npy,wave,x,me\n")[0]["clip_id"] == "x"
    assert not caplog.text


def test_rows_without_a_split_among_those_with_one_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read(tmp_path, "file,label,split\na,x,train\nb,x,\nc,x,test\n")
    assert "1 of 3 rows have no split (the first: row 3)" in caplog.text
    caplog.clear()
    read(tmp_path, "file,label,split\na,x,\nb,x,\n")
    assert not caplog.text


def row(**cells: str) -> Row:
    return Row(Path("labels.csv"), 7, cells)


@pytest.mark.parametrize(
    ("text", "fps"), [("29.97", 29.97), ("29,97", 29.97), ("30", 30.0), ("2.5e1", 25.0), ("", 15.0)]
)
def test_rates(text: str, fps: float) -> None:
    assert row(fps=text).rate(15.0) == fps


@pytest.mark.parametrize("text", ["0", "-30", "nan", "inf", "1e9", "1001", "fast", "1_0", "30 fps", "1,000.5"])
def test_wrong_rates(text: str) -> None:
    with pytest.raises(
        ActrecError, match=rf"row 7 of labels\.csv has fps '{text}'; expected a number above 0 and at mo"
    ):
        row(fps=text).rate(15.0)


@pytest.mark.parametrize(("text", "pixels"), [("640", 640), ("640.0", 640), ("", 0), ("0", 0)])
def test_sides_of_the_picture(text: str, pixels: int) -> None:
    assert row(width=text).pixels("width") == pixels


@pytest.mark.parametrize("text", ["640.5", "-1", "nan", "inf", "1e7", "wide", "1,920"])
def test_wrong_sides_of_the_picture(text: str) -> None:
    with pytest.raises(
        ActrecError, match=rf"row 7 of labels\.csv has width '{text}'; expected a whole number of pixels"
    ):
        row(width=text).pixels("width")


def test_files_are_found_by_windows_s_separators_and_other_accents(tmp_path: Path) -> None:
    folder = tmp_path / unicodedata.normalize("NFD", "épée")
    folder.mkdir()
    (folder / "é.npy").touch()  # composed, in a folder that is decomposed
    for file in ("épée\\é.npy", "épée/é.npy", unicodedata.normalize("NFD", "épée/é.npy")):
        assert locate(tmp_path, file) == folder / "é.npy"
    (tmp_path / "a\\b.npy").touch()  # as Linux may have it
    assert locate(tmp_path, "a\\b.npy") == tmp_path / "a\\b.npy"
    assert locate(tmp_path, "none\\x.npy") == tmp_path / "none" / "x.npy"
    assert row(file="clips\\a.b.npy").stem == "clips/a.b"


def test_records_of_any_table(tmp_path: Path) -> None:
    header, records = read_records(write(tmp_path, "label,youtube_id\nx,1\n\ny,2\n"))
    assert header == ["label", "youtube_id"]
    assert records == [(2, {"label": "x", "youtube_id": "1"}), (4, {"label": "y", "youtube_id": "2"})]
