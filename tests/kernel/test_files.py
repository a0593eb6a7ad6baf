"""Files a command writes: whole or not at all, never over what it reads."""

import os
from pathlib import Path

import pytest

from config.kernel.errors import ValidationFailed
from config.kernel.files import require_another_file, whole_file


def test_a_file_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    path.write_text("old")

    def break_off() -> None:
        with whole_file(path) as file:
            file.write("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()

    assert (os.listdir(tmp_path), path.read_text()) == (["rejects.csv"], "old")


def test_a_complete_file_takes_the_place_in_a_new_folder_too(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rejects.csv"

    with whole_file(path) as file:
        file.write("whole")

    assert (os.listdir(path.parent), path.read_text()) == (["rejects.csv"], "whole")


def test_what_cannot_be_written_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(ValidationFailed, match=r"file/rejects\.csv cannot be written: "),
        whole_file(tmp_path / "file" / "rejects.csv"),
    ):
        pass


def test_a_device_is_written_to_and_not_replaced() -> None:
    with whole_file(Path(os.devnull)) as file:
        file.write("gone")

    assert Path(os.devnull).is_char_device()


def test_the_same_file_under_another_name_is_still_the_same(tmp_path: Path) -> None:
    source, link = tmp_path / "sales.csv", tmp_path / "link.csv"
    source.write_text("kept")
    link.symlink_to(source)

    for name in (source, link, tmp_path / "." / "sales.csv"):
        with pytest.raises(ValidationFailed, match="that is the file they come from"):
            require_another_file(name, source)
    require_another_file(tmp_path / "other.csv", source)
