"""A `.drv` file that Nix wrote is read back as it was meant.

Refresh the golden file: cp $(nix-instantiate tests/golden/drv/odd.nix) tests/golden/drv/odd.drv
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.domain.drv import parse_drv

TEXT = (Path(__file__).parents[1] / "golden/drv/odd.drv").read_text(encoding="utf-8")


def test_every_field_is_read() -> None:
    drv = parse_drv(TEXT)
    assert drv.outputs == {"out": "/nix/store/9b21rsvbzhi6clwi8hihvfxrisr29yy9-odd"}
    assert drv.input_drvs == {"/nix/store/mgmv8bym9yc0lj5jcd28419dchk1wbrr-dep.drv": ("out",)}
    assert drv.input_srcs == ("/nix/store/zmlvw8c60jm35z8fjksjwjdzgyc19b8b-in.txt",)
    assert (drv.system, drv.builder) == ("x86_64-linux", "/bin/sh")


def test_escapes_are_undone() -> None:
    drv = parse_drv(TEXT)
    assert drv.arguments == ("-c", 'echo "a\\b"\n\t[x](y),z')
    assert drv.environment["text"] == 'line one\nline "two" \\ \t tab\r end é'
    assert drv.environment["empty"] == ""


@pytest.mark.parametrize("length", range(0, len(TEXT) - 1, 37))
def test_a_cut_off_file_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="not a derivation"):
        parse_drv(TEXT[:length])


@pytest.mark.parametrize(
    "text", ["", "{}", "Derive()", 'Derive("a")', "Derive([],[],[],[],[],[])", "Derive(]"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a derivation"):
        parse_drv(text)
