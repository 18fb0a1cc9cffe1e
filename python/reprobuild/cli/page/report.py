"""A result as one page for people who decide: what it is, how far it is proven, and what speaks against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape

from reprobuild import __version__
from reprobuild.cli.page.closure import closure_picture, part_lists
from reprobuild.cli.page.elements import HOLDS, folded, heading, lines, marked, page, paragraph, table
from reprobuild.cli.page.report_changes import change_parts
from reprobuild.cli.page.report_machines import machine_parts
from reprobuild.cli.page.report_metrics import metric_parts
from reprobuild.cli.page.report_tiles import tiles
from reprobuild.services.report import Report


def report_page(report: Report) -> str:
    """Deterministic: the same artifact and the same documents give the same bytes, whenever it is written."""
    model = report.spec.model
    title = f"{model.name} {model.version}"
    parts = [
        f'<header><p class="faint">Model report</p>\n<h1>{escape(title)}</h1>',
        paragraph(model.description, "lead"),
        f"<p><code>{escape(report.artifact.artifact_id)}</code></p></header>",
        tiles(report),
        *_risks(report),
        *_identity(report),
        *_levels(report),
        heading("Metrics against goals", "metrics"),
        *metric_parts(report.spec, report.metrics),
        *_data(report),
        heading("What it is made of", "parts"),
        closure_picture(report.bill),
        *part_lists(report.bill),
        *_licences(report),
        heading("Machines", "machines"),
        *machine_parts(report.spec, report.runs),
        *_signatures(report),
        heading("What changed", "changes"),
        *change_parts(report.change, report.why),
        *_origins(report),
    ]
    return page(f"{title}: model report", parts)


def _risks(report: Report) -> Iterator[str]:
    yield heading("Risks and open questions", "risks")
    if not report.risks:
        yield paragraph("Nothing was found that speaks against it, and everything asked here is known.")
        return
    yield table(
        "Risks",
        ("about", "what", "how far"),
        (
            [
                escape(one.area),
                escape(one.text),
                marked("found", "bad") if one.known else marked("not known", "open"),
            ]
            for one in report.risks
        ),
    )


def _identity(report: Report) -> Iterator[str]:
    spec, model = report.spec, report.spec.model
    signature = [
        f"{way} {name}: {one.dtype} [{', '.join(map(str, one.shape))}]"
        + (f", {one.description}" if one.description else "")
        for way, named in (("in", model.inputs), ("out", model.outputs))
        for name, one in named.items()
    ]
    rows = [
        ("made for", model.task or "not stated"),
        ("takes and gives", "; ".join(signature) or "not stated"),
        ("owners", ", ".join(model.owners)),
        ("licence", model.license),
        (
            "numbers",
            f"level {spec.numerics.level}, seed {spec.numerics.seed}, {spec.numerics.threads} threads",
        ),
        ("hardware asked for", _hardware(report)),
        ("files", f"{len(report.artifact.files)}, listed with their SHA-256 in manifest.json"),
    ]
    yield heading("What it is", "identity")
    yield table("What it is", ("", ""), ([escape(name), escape(text)] for name, text in rows))


def _hardware(report: Report) -> str:
    asked, driver = report.spec.hardware, report.spec.driver
    words = [asked.system, asked.gpu or (asked.accelerator if asked.accelerator != "none" else "no GPU")]
    words += [f"compute capability {asked.compute_capability}"] if asked.compute_capability else []
    words += [f"driver from {driver.minimum}"] if driver and driver.minimum else []
    words += [f"driver branch {driver.branch}"] if driver and driver.branch else []
    return ", ".join(words)


def _levels(report: Report) -> Iterator[str]:
    yield heading("Does a rebuild give the same?", "rebuild")
    verdict = report.verdict
    if verdict is None:
        yield paragraph("Not verified: no verdict of a rebuild was given to this report.", "open answer")
        return
    against = (
        f"Compared with {verdict.against}."
        if verdict.against
        else "Every stage was built again and compared."
    )
    yield paragraph(f"{against} Demanded of this model: {verdict.demanded}.")
    yield table(
        "Levels",
        ("level", "holds", "because"),
        ([escape(one.level), marked(*HOLDS[one.holds]), escape(one.reason)] for one in verdict.levels),
    )


def _data(report: Report) -> Iterator[str]:
    yield heading("Data", "data")
    pinned = {one.name: one for one in report.bill.components if one.kind == "data"}
    if not pinned:
        yield paragraph("It was made without data.")
        return
    rows = []
    for name, part in pinned.items():
        said = report.spec.datasets[name]
        digest = f"<code>{escape(str(part.sha256))}</code>"
        rows.append([escape(name), escape(said.source), escape(said.license), escape(said.retrieved), digest])
    yield table("Data", ("name", "source", "licence", "retrieved", "SHA-256"), rows)
    yield paragraph(
        "Source, licence and day are what the spec states; the digest is checked at each build.", "faint"
    )


def _licences(report: Report) -> Iterator[str]:
    yield heading("Licences and known vulnerabilities", "licences")
    count = Counter(one.licence.text if one.licence.expression else "unknown" for one in report.bill.licensed)
    rows = sorted(count.items(), key=lambda pair: (pair[0] != "unknown", -pair[1], pair[0]))
    unknown = [one for one in report.bill.licensed if one.licence.expression is None]
    yield folded(
        f"{len(report.bill.licensed)} parts under {len(count) - bool(unknown)} licences, {len(unknown)} unknown",
        table("Licences", ("licence", "parts"), ([escape(name), str(number)] for name, number in rows)),
    )
    if unknown:
        texts = (f"{one.node}: {one.licence.why_unknown}" for one in unknown)
        yield folded("Parts without a known licence", lines(texts))
    if report.judged is None:
        yield paragraph("Known vulnerabilities: not looked for.", "open")
    elif not report.judged.findings:
        yield paragraph("Known vulnerabilities: none in the advisories that were given.")
    else:
        found = report.judged.findings
        yield table(
            "Known vulnerabilities",
            ("advisory", "part", "fixed in", "what"),
            (
                [
                    escape(one.advisory.id),
                    escape(one.node),
                    escape(", ".join(one.fixed) or "not known"),
                    escape(one.advisory.summary),
                ]
                for one in found
            ),
        )


def _signatures(report: Report) -> Iterator[str]:
    yield heading("Who signed it", "signatures")
    signed = report.signatures
    if not signed.statements and not signed.problems:
        yield paragraph("Nobody: there are no statements beside the result.", "open answer")
        return
    rows = []
    for one in signed.statements:
        if not one.checked:
            answer = marked("not checked", "open")
        else:
            answer = marked("rejected", "bad") if one.problems else marked("holds", "good")
        by = (
            ", ".join(one.by if one.checked else (f"keyid {keyid}" for keyid in one.by))
            or "nobody who counts"
        )
        rows.append(
            [escape(one.predicate_type or "not read"), escape(by), answer, escape("; ".join(one.problems))]
        )
    if rows:
        yield table("Signatures", ("statement", "signed by", "answer", "why"), rows)
    yield from (paragraph(problem, "bad") for problem in signed.problems)


def _origins(report: Report) -> Iterator[str]:
    yield heading("What this page was made from", "origins")
    yield table(
        "Documents",
        ("document", "SHA-256"),
        ([escape(name), f"<code>{escape(digest)}</code>"] for name, digest in report.origins.items()),
    )
    yield paragraph(
        f"Written by reprobuild {__version__}. The same documents give the same page, byte by byte. Nobody "
        "signed the page itself: what counts are the documents.",
        "faint",
    )
