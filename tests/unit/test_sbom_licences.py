"""What packages say about their licence, and nothing else, becomes an SPDX expression."""

from __future__ import annotations

import pytest

from reprobuild.core.sbom.licences import Licence, of_debian, of_wheel, stated

DEP5 = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"


@pytest.mark.parametrize(
    ("metadata", "expression"),
    [
        ("License-Expression: mit or apache-2.0", "MIT OR Apache-2.0"),
        ("License: BSD-3-Clause", "BSD-3-Clause"),
        ("License: Apache License 2.0", "Apache-2.0"),
        ("License: MIT\nLicense-Expression: ISC", "ISC"),
        ("Classifier: License :: OSI Approved :: MIT License", "MIT"),
        ("Classifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
        (
            "License: GPL-3.0-or-later\nClassifier: License :: OSI Approved :: Apache Software License",
            "GPL-3.0-or-later",
        ),
        (
            "License: "
            + "the whole text of a licence " * 9
            + "\nClassifier: License :: OSI Approved :: MIT License",
            "MIT",
        ),
    ],
)
def test_a_wheel_that_says_it_exactly(metadata: str, expression: str) -> None:
    assert of_wheel(f"Metadata-Version: 2.1\nName: x\n{metadata}\n\nText") == Licence(expression)


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ("License: BSD\nClassifier: License :: OSI Approved :: BSD License", "BSD License"),
        ("License: BSD", "BSD"),
        ("Classifier: License :: OSI Approved :: Apache Software License", "Apache Software License"),
        (
            "Classifier: License :: OSI Approved :: MIT License\n"
            "Classifier: License :: OSI Approved :: ISC License (ISCL)",
            "MIT License; ISC License (ISCL)",
        ),
    ],
)
def test_a_wheel_that_leaves_it_open_keeps_the_name(metadata: str, name: str) -> None:
    found = of_wheel(f"Name: x\n{metadata}\n\n")
    assert found.text == name
    assert (found.expression or "").startswith("LicenseRef-")


@pytest.mark.parametrize("metadata", ["", "License: UNKNOWN", "Classifier: License :: OSI Approved"])
def test_a_wheel_that_says_nothing_is_unknown(metadata: str) -> None:
    found = of_wheel(f"Name: x\n{metadata}\n\nLicense: in the description")
    assert found.expression is None and found.text == "unknown"
    assert found.why_unknown == "METADATA names no licence"


# how the files begin in nvidia-cuda-nvrtc 13.5.37 and nvidia-cudnn-cu13 9.28.0.42
CUDA_EULA = "End User License Agreement\n------\n\nPreface\n\nthe NVIDIA CUDA Toolkit installation package"
CUDNN_SLA = (
    "LICENSE AGREEMENT FOR NVIDIA SOFTWARE DEVELOPMENT KITS\n\nThis license\n\n"
    "cuDNN SUPPLEMENT TO SOFTWARE LICENSE AGREEMENT FOR NVIDIA SOFTWARE DEVELOPMENT KITS\n"
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (CUDA_EULA, "NVIDIA CUDA Toolkit End User License Agreement"),
        (CUDNN_SLA, "License Agreement for NVIDIA Software Development Kits, cuDNN supplement"),
        ("Apache License", "NVIDIA-Proprietary"),
    ],
)
def test_nvidias_agreements_are_called_by_their_own_names(text: str, name: str) -> None:
    assert of_wheel("Name: x\nLicense-Expression: LicenseRef-NVIDIA-Proprietary\n\n", [text]).text == name


def test_nvidias_free_wheels_keep_their_licence() -> None:
    assert of_wheel("Name: x\nLicense-Expression: BSD-3-Clause\n\n", [CUDA_EULA]) == Licence("BSD-3-Clause")


@pytest.mark.parametrize(
    ("line", "expression"),
    [
        ("Expat", "MIT"),
        ("GPL-2+", "GPL-2.0-or-later"),
        ("LGPL-2.1", "LGPL-2.1-only"),
        ("GPL-3.0", "GPL-3.0-only"),
        ("BSD-3-clause", "BSD-3-Clause"),
        ("zlib", "Zlib"),
        ("MPL-1.1 or GPL-2+ or LGPL-2.1+", "MPL-1.1 OR GPL-2.0-or-later OR LGPL-2.1-or-later"),
        ("Expat or GPL-2, and ISC", "(MIT OR GPL-2.0-only) AND (ISC)"),
        ("Expat and X11, and ISC", "(MIT AND X11) AND (ISC)"),
        ("public-domain", "LicenseRef-Debian-public-domain"),
        ("GPL", "LicenseRef-Debian-GPL"),
        ("GPL-2+ with Texinfo exception", "LicenseRef-Debian-GPL-2-with-Texinfo-exception"),
    ],
)
def test_short_names_of_debian(line: str, expression: str) -> None:
    assert of_debian(f"{DEP5}\nFiles: *\nLicense: {line}\n the text\n").expression == expression


def test_all_licences_of_a_packages_files_hold_together() -> None:
    found = of_debian(
        f"{DEP5}\nFiles: *\nCopyright: x\nLicense: GPL-2 and Expat\n\nFiles: a\nLicense: Expat\n\n"
        "Files: b\nLicense: Artistic or ISC\n\nLicense: CC0\n a text that no file refers to\n"
    )
    assert found.expression == "GPL-2.0-only AND (LicenseRef-Debian-Artistic OR ISC) AND MIT"
    assert found.text == "GPL-2.0-only AND (Artistic OR ISC) AND MIT"


@pytest.mark.parametrize("text", ["This package was debianised by hand.\n\nLicense: GPL", "", DEP5])
def test_a_copyright_file_for_people_is_unknown(text: str) -> None:
    assert of_debian(text).expression is None
    assert "copyright file" in of_debian(text).why_unknown


def test_a_name_in_a_spec_stays_a_name() -> None:
    assert stated("apache-2.0") == Licence("Apache-2.0")
    assert stated("the owner's terms, 2026") == Licence(
        "LicenseRef-the-owner-s-terms-2026",
        (("LicenseRef-the-owner-s-terms-2026", "the owner's terms, 2026"),),
    )
