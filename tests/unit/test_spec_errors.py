"""What is wrong in a spec is said with file, key, both sides and what was probably meant."""

from __future__ import annotations

import io
from contextlib import redirect_stderr

import pytest

from reprobuild.cli import render
from reprobuild.core.spec_checks import refuse_unsupported
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.errors import NotYetSupportedError, ReprobuildError, SpecError

from .spec_examples import SPEC, edited, with_section


def read(text: str) -> None:
    refuse_unsupported(parse_spec(parse_toml(text)), "reprobuild.toml")


def shown(text: str, kind: type[ReprobuildError] = SpecError) -> str:
    with pytest.raises(kind) as caught:
        read(text)
    stderr = io.StringIO()
    with redirect_stderr(stderr):
        render.error(caught.value, as_json=False)
    return stderr.getvalue()


MODEL_KEYS = "name, version, description, license, owners, task, tags, inputs, outputs"
PLAIN = "a plain address: what follows ? or # may be a secret, and the spec becomes part of every artifact"
PATH = "names joined by /, without . and .. among them, such as"

CASES = {
    "unknown key in a section": (
        edited('license = "MIT"', 'license = "MIT"\ntag = ["a"]'),
        f"""\
error: reprobuild.toml: model.tag: unknown key
  expected one of {MODEL_KEYS}
  actual   tag
hint: did you mean `tags`?
""",
    ),
    "unknown key, right but for its capital": (
        edited('version = "1.0.0"', 'version = "1.0.0"\nTags = []'),
        f"""\
error: reprobuild.toml: model.Tags: unknown key
  expected one of {MODEL_KEYS}
  actual   Tags
hint: did you mean `tags`?
""",
    ),
    "unknown key like none": (
        edited('license = "MIT"', 'license = "MIT"\nzzz = 1'),
        f"""\
error: reprobuild.toml: model.zzz: unknown key
  expected one of {MODEL_KEYS}
  actual   zzz
hint: `reprobuild schema` prints all keys
""",
    ),
    "misspelt required key: first the key, then what is missing": (
        edited("owners =", "owner ="),
        f"""\
error: reprobuild.toml: model.owner: unknown key
  expected one of {MODEL_KEYS}
  actual   owner
  | also: model.owners: required, but not there
hint: did you mean `owners`?
""",
    ),
    "unknown section": (
        with_section("[numeric]\nseed = 1"),
        """\
error: reprobuild.toml: numeric: unknown key
  expected one of schema, model, base, python, cuda, driver, hardware, numerics, datasets, \
stages, metrics, artifact
  actual   numeric
hint: did you mean `numerics`?
""",
    ),
    "missing key": (
        edited('license = "MIT"\n', ""),
        """\
error: reprobuild.toml: model.license: required, but not there
  expected licence of the model, an SPDX expression such as Apache-2.0
  actual   nothing
hint: add `license` to [model]
""",
    ),
    "missing section": (
        'schema = "reprobuild.spec/1"\n' + SPEC[SPEC.index("[datasets") :],
        """\
error: reprobuild.toml: model: required, but not there
  expected a section [model]
  actual   nothing
hint: add a section [model]
""",
    ),
    "no stage": (
        SPEC[: SPEC.index("[stages.prepare]")],
        """\
error: reprobuild.toml: stages: required, but not there
  expected at least one section [stages.NAME]
  actual   nothing
hint: add a section [stages.NAME]
""",
    ),
    "missing schema": (
        edited('schema = "reprobuild.spec/1"\n', ""),
        """\
error: reprobuild.toml: schema: required, but not there
  expected name and version of this format
  actual   nothing
hint: begin the file with schema = "reprobuild.spec/1"
""",
    ),
    "another format: its other keys are not the first thing to say": (
        edited('"reprobuild.spec/1"', '"reprobuild.spec/9"\nnew_key = 1'),
        """\
error: reprobuild.toml: schema: format not known to this release
  expected reprobuild.spec/1
  actual   "reprobuild.spec/9"
  | also: new_key: unknown key
hint: take a release that reads it
""",
    ),
    "a number for a string": (
        edited('version = "1.0.0"', "version = 1"),
        """\
error: reprobuild.toml: model.version: value of another type
  expected a string
  actual   1
hint: put it in quotes
""",
    ),
    "a string for a number": (
        edited("minimum = 0.5", 'minimum = "0.5"'),
        """\
error: reprobuild.toml: metrics.accuracy.minimum: value of another type
  expected a number
  actual   "0.5"
""",
    ),
    "a string for a list": (
        edited('outputs = ["rows.safetensors"]', 'outputs = "rows.safetensors"'),
        """\
error: reprobuild.toml: stages.prepare.outputs: value of another type
  expected a list
  actual   "rows.safetensors"
""",
    ),
    "a wrong item of a list": (
        edited('outputs = ["rows.safetensors"]', 'outputs = ["a", 1]'),
        """\
error: reprobuild.toml: stages.prepare.outputs[1]: value of another type
  expected a string
  actual   1
hint: put it in quotes
""",
    ),
    "an empty list where one is needed": (
        edited('outputs = ["rows.safetensors"]', "outputs = []"),
        """\
error: reprobuild.toml: stages.prepare.outputs: empty
  expected at least one entry
  actual   []
""",
    ),
    "a number for a section": (
        edited("minimum = 0.5", "tolerance = 0.1"),
        """\
error: reprobuild.toml: metrics.accuracy.tolerance: value of another type
  expected a section
  actual   0.1
""",
    ),
    "a tolerance that nobody answers for": (
        edited(
            'owner = "me"\nreason = "half of them by chance"', 'tolerance = { absolute = 0.1 }\nowner = " "'
        ),
        """\
error: reprobuild.toml: metrics.accuracy: a tolerance without owner and reason
  expected owner (who answers for it) and reason (why this much is harmless)
  actual   no owner and no reason
hint: add owner and reason, or leave the tolerance out
""",
    ),
    "a tolerance that says nothing": (
        edited("minimum = 0.5", "tolerance = {}"),
        """\
error: reprobuild.toml: metrics.accuracy.tolerance: a tolerance that says nothing
  expected either absolute or relative (or both), or statistical
  actual   an empty section
hint: two runs are judged by numbers, or by what other seeds give
""",
    ),
    "a tolerance of two kinds": (
        edited(
            "minimum = 0.5",
            "tolerance = { absolute = 0.1, statistical = { runs = 10, false_alarm_rate = 0.01 } }",
        ),
        """\
error: reprobuild.toml: metrics.accuracy.tolerance: a tolerance of two kinds
  expected either absolute or relative (or both), or statistical
  actual   absolute, statistical
hint: two runs are judged by numbers, or by what other seeds give
""",
    ),
    "a rate of false alarms that is none": (
        edited("minimum = 0.5", "tolerance = { statistical = { runs = 1, false_alarm_rate = 1.0 } }"),
        """\
error: reprobuild.toml: metrics.accuracy.tolerance.statistical.runs: out of range
  expected at least 2
  actual   1
  | also: metrics.accuracy.tolerance.statistical.false_alarm_rate: out of range
""",
    ),
    "a number for a switch": (
        with_section("[numerics]\ndeterministic = 1"),
        """\
error: reprobuild.toml: numerics.deterministic: value of another type
  expected true or false
  actual   1
""",
    ),
    "a fraction for a whole number": (
        with_section("[numerics]\nseed = 1.5"),
        """\
error: reprobuild.toml: numerics.seed: value of another type
  expected a whole number
  actual   1.5
""",
    ),
    "neither of two types": (
        with_section('[model.inputs.x]\ndtype = "float32"\nshape = [1, 2.5]'),
        """\
error: reprobuild.toml: model.inputs.x.shape[1]: value of another type
  expected a whole number or a string
  actual   2.5
""",
    ),
    "below its range": (
        with_section("[numerics]\nseed = -1"),
        """\
error: reprobuild.toml: numerics.seed: out of range
  expected at least 0
  actual   -1
""",
    ),
    "above its range": (
        with_section("[numerics]\nseed = 4294967296"),
        """\
error: reprobuild.toml: numerics.seed: out of range
  expected less than 4294967296
  actual   4294967296
""",
    ),
    "not one of the known values": (
        with_section('[numerics]\nlevel = "exakt"'),
        """\
error: reprobuild.toml: numerics.level: not a known value
  expected one of exact, portable, tolerant
  actual   "exakt"
hint: did you mean `exact`?
""",
    ),
    "a name with capitals": (
        edited('name = "digits"', 'name = "Digits X"'),
        """\
error: reprobuild.toml: model.name: not in the expected form
  expected small letters, digits and -, such as digits-2
  actual   "Digits X"
""",
    ),
    "a task as people write it": (
        edited('license = "MIT"', 'license = "MIT"\ntask = "Image Classification"'),
        """\
error: reprobuild.toml: model.task: not in the expected form
  expected small letters, digits and -, such as image-classification
  actual   "Image Classification"
""",
    ),
    "a section's name in the wrong form": (
        edited("[metrics.accuracy]", '[metrics."a c"]'),
        """\
error: reprobuild.toml: metrics."a c": not in the expected form
  expected a letter, then letters, digits and . _ -, such as f1_score
  actual   "a c"
""",
    ),
    "an empty text": (
        edited('"reads digits"', '""'),
        """\
error: reprobuild.toml: model.description: empty text
  expected at least one character
  actual   ""
""",
    ),
    "a long name": (
        edited('name = "digits"', f'name = "{"d" * 65}"'),
        f"""\
error: reprobuild.toml: model.name: too long
  expected at most 64 characters
  actual   "{"d" * 65}"
""",
    ),
    "a date in another form": (
        edited('"2026-11-20"', '"20.11.2026"'),
        """\
error: reprobuild.toml: datasets.rows.retrieved: not in the expected form
  expected a date as YYYY-MM-DD, such as 2026-11-20
  actual   "20.11.2026"
""",
    ),
    "a day that does not exist": (
        edited('"2026-11-20"', '"2026-02-30"'),
        """\
error: reprobuild.toml: datasets.rows.retrieved: there is no such day
  expected a date as YYYY-MM-DD, such as 2026-11-20
  actual   "2026-02-30"
""",
    ),
    "a TOML date": (
        edited('"2026-11-20"', "2026-11-20"),
        """\
error: reprobuild.toml: datasets.rows.retrieved: dates are written as strings
  expected "2026-11-20"
  actual   2026-11-20
hint: put it in quotes
""",
    ),
    "nan": (
        edited("lr = 0.1", "lr = nan"),
        """\
error: reprobuild.toml: stages.train.params.lr: not a finite number
  expected a finite number
  actual   nan
""",
    ),
    "infinity inside a list": (
        edited("[0.9, 0.99]", "[0.9, -inf]"),
        """\
error: reprobuild.toml: stages.train.params.betas[1]: not a finite number
  expected a finite number
  actual   -inf
""",
    ),
    "a number beyond 64 bits": (
        edited("epochs = 3", "epochs = 9223372036854775808"),
        """\
error: reprobuild.toml: stages.train.params.epochs: number does not fit 64 bits
  expected -2^63 to 2^63-1
  actual   9223372036854775808
hint: write it as a string
""",
    ),
    "a control character, which Nix would cut the text at": (
        edited('"reads digits"', '"reads\\u0000digits"'),
        """\
error: reprobuild.toml: model.description: control character in a text
  expected printable characters, tabs and newlines
  actual   \\u0000
""",
    ),
    "a key that Nix would take for a derivation": (
        edited("epochs = 3", 'outPath = "/etc"'),
        """\
error: reprobuild.toml: stages.train.params.outPath: this key cannot be used
  expected a key other than outPath, without __ at its beginning and control characters  \
Nix gives these a meaning of its own
  actual   outPath
""",
    ),
    "a key that would be taken for a float": (
        edited("epochs = 3", "epochs = { __float__ = [1, 2] }"),
        """\
error: reprobuild.toml: stages.train.params.epochs.__float__: this key cannot be used
  expected a key other than outPath, without __ at its beginning and control characters  \
Nix gives these a meaning of its own
  actual   __float__
""",
    ),
    "a stage that is not there": (
        edited('needs = ["prepare"]', 'needs = ["prepar"]'),
        """\
error: reprobuild.toml: stages.train.needs: there is no stage prepar
  expected one of prepare, train
  actual   prepar
hint: did you mean `prepare`?
""",
    ),
    "a dataset that is not there": (
        edited('data = ["rows"]', 'data = ["images"]'),
        """\
error: reprobuild.toml: stages.prepare.data: there is no dataset images
  expected one of rows
  actual   images
hint: declare it as [datasets.images]
""",
    ),
    "a metric of a stage that is not there": (
        edited('stage = "train"', 'stage = "trian"'),
        """\
error: reprobuild.toml: metrics.accuracy.stage: there is no stage trian
  expected one of prepare, train
  actual   trian
hint: did you mean `train`?
""",
    ),
    "a metric of a stage that writes none": (
        edited('stage = "train"', 'stage = "prepare"'),
        """\
error: reprobuild.toml: metrics.accuracy.stage: stage prepare writes no metrics.json
  expected a stage with metrics.json among its outputs
  actual   rows.safetensors
hint: add "metrics.json" to [stages.prepare] outputs
""",
    ),
    "stages in a circle": (
        edited('data = ["rows"]', 'needs = ["train"]'),
        """\
error: reprobuild.toml: stages need each other in a circle: prepare → train → prepare
  expected stages that can be built one after the other
hint: take one of the needs out
""",
    ),
    "a stage that needs itself": (
        edited('needs = ["prepare"]', 'needs = ["train"]'),
        """\
error: reprobuild.toml: stages need each other in a circle: train → train
  expected stages that can be built one after the other
hint: take one of the needs out
""",
    ),
    "a stage whose name is taken": (
        with_section('[stages.model]\nrun = "m.py"\noutputs = ["x"]'),
        """\
error: reprobuild.toml: stages.model: this name is taken
  expected a name other than base, default, environment, model
  actual   model
""",
    ),
    "a stage that a flake's default package would hide": (
        with_section('[stages.default]\nrun = "m.py"\noutputs = ["x"]'),
        """\
error: reprobuild.toml: stages.default: this name is taken
  expected a name other than base, default, environment, model
  actual   default
""",
    ),
    "a need named twice": (
        edited('needs = ["prepare"]', 'needs = ["prepare", "prepare"]'),
        """\
error: reprobuild.toml: stages.train.needs: named twice
  expected each name once
  actual   prepare, 2 times
""",
    ),
    "an output named twice": (
        edited('["rows.safetensors"]', '["a", "b", "a"]'),
        """\
error: reprobuild.toml: stages.prepare.outputs: named twice
  expected each name once
  actual   a, 2 times
""",
    ),
    "a data path that leads out": (
        edited('path = "rows.csv"', 'path = "../rows.csv"'),
        f"""\
error: reprobuild.toml: datasets.rows.path: not a path inside the project
  expected {PATH} data/rows.csv
  actual   "../rows.csv"
""",
    ),
    "an absolute path": (
        edited('run = "prepare.py"', 'run = "/srv/prepare.py"'),
        f"""\
error: reprobuild.toml: stages.prepare.run: not a path inside the project
  expected {PATH} data/rows.csv
  actual   "/srv/prepare.py"
""",
    ),
    "a second spelling of a path: Nix compares names": (
        edited('run = "prepare.py"', 'run = "./prepare.py"'),
        f"""\
error: reprobuild.toml: stages.prepare.run: not a path inside the project
  expected {PATH} data/rows.csv
  actual   "./prepare.py"
""",
    ),
    "an output that leads out": (
        edited('["rows.safetensors"]', '["../rows"]'),
        f"""\
error: reprobuild.toml: stages.prepare.outputs[0]: not a path inside the stage's output
  expected {PATH} weights.safetensors
  actual   "../rows"
""",
    ),
    "run is neither script nor function": (
        edited('run = "prepare.py"', 'run = "python prepare.py"'),
        """\
error: reprobuild.toml: stages.prepare.run: neither a script nor a function
  expected script.py, or package.module:function
  actual   "python prepare.py"
""",
    ),
    "run names a function, and no files": (
        edited('run = "prepare.py"', 'run = "digits.data:prepare"'),
        """\
error: reprobuild.toml: stages.prepare: run names a function, and no file holds it
  expected files with the package or module of the function
  actual   run = "digits.data:prepare", no files
hint: such as files = ["digits"]
""",
    ),
    "data with no place": (
        edited('path = "rows.csv"\n', ""),
        """\
error: reprobuild.toml: datasets.rows: where is the data?
  expected either path (a file of the project) or url
  actual   neither
""",
    ),
    "data with two places": (
        edited('path = "rows.csv"', 'path = "rows.csv"\nurl = "https://example.org/rows.csv"'),
        """\
error: reprobuild.toml: datasets.rows: the data has two places
  expected either path (a file of the project) or url
  actual   both
""",
    ),
    "an address without digest": (
        edited('path = "rows.csv"', 'url = "https://example.org/rows.csv"'),
        """\
error: reprobuild.toml: datasets.rows: url without sha256
  expected the digest that the file must have, as sha256
  actual   none
""",
    ),
    "a digest as sha256sum prints it: the right text is given": (
        edited('path = "rows.csv"', f'path = "rows.csv"\nsha256 = "{"00" * 32}"'),
        f"""\
error: reprobuild.toml: datasets.rows.sha256: a digest in another spelling
  expected sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
  actual   "{"00" * 32}"
hint: write the expected text: it is the same digest
""",
    ),
    "not a digest": (
        edited('path = "rows.csv"', 'path = "rows.csv"\nsha256 = "abc"'),
        """\
error: reprobuild.toml: datasets.rows.sha256: not a SHA-256 digest
  expected sha256- and 44 characters of base 64, as `nix hash file FILE` prints it
  actual   "abc"
""",
    ),
    "a secret in an address: it is not printed either": (
        with_section('[base]\nmirrors = ["https://me:hunter2@example.org/debian"]'),
        """\
error: reprobuild.toml: base.mirrors[0]: an address with a user or password in it
  expected an address without secrets: the spec becomes part of every artifact
  actual   https://…@example.org/debian
hint: put user and password into ~/.netrc, or into a keyring
""",
    ),
    "a secret in a requirement": (
        with_section('[python]\nrequirements = ["numpy", "foo @ https://me:hunter2@example.org/foo.whl"]'),
        """\
error: reprobuild.toml: python.requirements[1]: an address with a user or password in it
  expected an address without secrets: the spec becomes part of every artifact
  actual   foo @ https://…@example.org/foo.whl
hint: put user and password into ~/.netrc, or into a keyring
""",
    ),
    "a token in a requirement": (
        with_section('[python]\nrequirements = ["foo @ https://example.org/foo.whl?token=hunter2"]'),
        f"""\
error: reprobuild.toml: python.requirements[0]: an address with a query or fragment in it
  expected {PLAIN}
  actual   foo @ https://example.org/foo.whl?…
hint: leave it out, and put user and password into ~/.netrc
""",
    ),
    "a token in the address of data": (
        edited('path = "rows.csv"', 'url = "https://example.org/rows.csv?token=hunter2"'),
        f"""\
error: reprobuild.toml: datasets.rows.url: an address with a query or fragment in it
  expected {PLAIN}
  actual   https://example.org/rows.csv?…
hint: leave it out, and put user and password into ~/.netrc
""",
    ),
    "a fragment in the address of data": (
        edited('path = "rows.csv"', 'url = "https://example.org/rows.csv#hunter2"'),
        f"""\
error: reprobuild.toml: datasets.rows.url: an address with a query or fragment in it
  expected {PLAIN}
  actual   https://example.org/rows.csv?…
hint: leave it out, and put user and password into ~/.netrc
""",
    ),
    "a secret in where data comes from": (
        edited('"a citation"', '"see https://me:hunter2@example.org/"'),
        """\
error: reprobuild.toml: datasets.rows.source: an address with a user or password in it
  expected an address without secrets: the spec becomes part of every artifact
  actual   see https://…@example.org/
hint: put user and password into ~/.netrc, or into a keyring
""",
    ),
    "a secret in a value that is wrong for another reason": (
        edited('path = "rows.csv"', 'url = ["htps://me:hunter2@example.org/?key=hunter2"]'),
        """\
error: reprobuild.toml: datasets.rows.url: value of another type
  expected a string
  actual   ["htps://…@example.org/?…"]
""",
    ),
    "Debian's keys for another base: they would be ignored": (
        with_section('[base]\nkind = "nixpkgs"\nsuite = "trixie"\npackages = []'),
        """\
error: reprobuild.toml: base: a nixpkgs base has no Debian packages
  expected kind = "nixpkgs" and no other key
  actual   packages, suite as well
hint: leave out packages, suite, or take kind = "debian"
""",
    ),
    "a goal that no value meets": (
        edited("minimum = 0.5", "minimum = 0.5\nmaximum = 0.2"),
        """\
error: reprobuild.toml: metrics.accuracy: no value can meet this goal
  expected minimum at most maximum (0.2)
  actual   minimum 0.5
""",
    ),
    "an artifact file without stage": (
        edited("train/weights.safetensors", "weights.safetensors"),
        """\
error: reprobuild.toml: artifact.files[0]: not STAGE/FILE
  expected such as train/weights.safetensors
  actual   weights.safetensors
""",
    ),
    "an artifact file that no stage writes": (
        edited("train/weights.safetensors", "train/weight.safetensors"),
        """\
error: reprobuild.toml: artifact.files[0]: stage train does not write weight.safetensors
  expected one of weights.safetensors, metrics.json  outputs of [stages.train]
  actual   weight.safetensors
hint: did you mean `train/weights.safetensors`?
""",
    ),
    "an artifact file that every artifact has": (
        edited("train/weights.safetensors", "train/metrics.json"),
        """\
error: reprobuild.toml: artifact.files[0]: every artifact has a metrics.json already
  expected a name other than README.md, hardware.json, manifest.json, metrics.json, reprobuild.lock, source, \
spec.json
  actual   metrics.json
hint: leave the entry out, or give the stage's output another name
""",
    ),
    "two stages that give one file": (
        edited('["rows.safetensors"]', '["weights.safetensors"]').replace(
            'files = ["train', 'files = ["prepare/weights.safetensors", "train'
        ),
        """\
error: reprobuild.toml: artifact.files: two stages give a file of this name
  expected each name once
  actual   weights.safetensors, 2 times
""",
    ),
    "fewer cores than threads": (
        edited("[stages.train]", "[stages.train.resources]\ncores = 1\n\n[stages.train]"),
        """\
error: reprobuild.toml: stages.train.resources.cores: fewer cores than threads
  expected at least 2  numerics.threads
  actual   1
hint: state more cores, or set threads in [numerics]: every stage is then built again
""",
    ),
    "not TOML": (
        edited('name = "digits"', "name = digits"),
        """\
error: reprobuild.toml is not valid TOML: Invalid value (at line 4, column 8)
hint: mend reprobuild.toml at the place named
""",
    ),
}


@pytest.mark.parametrize(("text", "message"), CASES.values(), ids=CASES)
def test_the_message_says_it(text: str, message: str) -> None:
    assert shown(text) == message


@pytest.mark.parametrize(
    ("section", "key", "instead"),
    [
        ('[hardware]\nsystem = "aarch64-linux"', "hardware.system", 'use system = "x86_64-linux"'),
    ],
)
def test_what_this_release_cannot_honour_is_refused(section: str, key: str, instead: str) -> None:
    assert shown(with_section(section), NotYetSupportedError) == (
        f"error: reprobuild.toml: {key}: part of the format, but this release cannot honour it yet\n"
        f"hint: {instead}\n"
    )


def test_a_nixpkgs_base_is_part_of_the_format_and_refused_by_the_command_line() -> None:
    assert shown(with_section('[base]\nkind = "nixpkgs"'), NotYetSupportedError) == (
        "error: reprobuild.toml: base.kind: the `reprobuild` command pins Debian bases only, found nixpkgs\n"
        "hint: the nixpkgs base is for flakes that bring their own pin: docs/how-to/nixpkgs-base.md\n"
    )


def test_portable_is_for_x86_64() -> None:
    section = '[hardware]\nsystem = "aarch64-linux"\n\n[numerics]\nlevel = "portable"'
    assert shown(with_section(section)) == (
        "error: reprobuild.toml: numerics.level: portable means x86-64 processors with AVX2\n"
        '  expected system = "x86_64-linux" in [hardware]\n'
        "  actual   aarch64-linux\n"
        'hint: use level = "exact"\n'
    )


def test_no_message_shows_a_secret() -> None:
    for text, _ in CASES.values():
        assert "hunter2" not in shown(text)


@pytest.mark.parametrize(
    "requirement",
    [
        "foo @ https://example.org/foo-1-py3-none-any.whl#sha256=00",
        "foo @ file:///srv/a@b/foo-1-py3-none-any.whl ; python_version > '3'",
        "foo[a]>=1,!=2",
    ],
)
def test_a_requirement_without_secrets_is_taken(requirement: str) -> None:
    read(with_section(f'[python]\nrequirements = ["{requirement}"]'))


def test_many_problems_are_counted() -> None:
    text = with_section("\n".join(f"[zzz{n}]" for n in range(9)))
    assert "| and 3 more" in shown(text)


@pytest.mark.parametrize("text", [text for text, _ in CASES.values()], ids=CASES)
def test_no_message_speaks_of_the_library_behind_it(text: str) -> None:
    message = shown(text).lower()
    for word in (
        "input should",
        "pydantic",
        "tuple",
        "str_type",
        "valid string",
        "value error",
        "regex",
        "none,",
    ):
        assert word not in message
