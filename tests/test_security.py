"""What must never be: secrets in logs and store, code made of data, SQL made of strings.

Beside these: server headers in tests/api/test_api_problems.py, tests/web/test_pages.py and tests/mcp/test_mcp.py;
names in archives in tests/test_backups.py; targets of alerts in tests/alerts/test_sending.py; signed pushes in
tests/api/test_signing.py.
"""

import ast
import importlib.metadata
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.builders import a_post, fresh_store, put
from tests.conftest import radar

ROOT = Path(__file__).parents[1]
FILES = sorted(
    path for folder in ("radar", "jobs", "models") for path in (ROOT / folder).rglob("*.py") if path.is_file()
)
MODULES = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
CALLS = {"eval", "exec", "compile", "__import__"}
UNSAFE = {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen"}
"""numpy.load refuses pickles unless it is told otherwise, which is looked for."""
BEGINS = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|COPY|PRAGMA|CREATE|DROP|ALTER|TRUNCATE|SET)\s")
SQL = {"text", "exec_driver_sql", "execute", "executemany", "copy", "literal_column", "executescript"}
MADE_SQL = {
    ("radar/store/bulk.py", "executemany"): "names of our own tables and columns, for measurements",
    ("radar/store/bulk.py", "copy"): "names of our own tables and columns, for measurements",
    ("radar/store/copying.py", "copy"): "names that the database itself gave, quoted by its dialect",
    ("radar/store/transfer.py", "copy"): "names of our own tables and columns; files that come in name none",
    ("radar/store/engine.py", "execute"): "pragmas that stand beside it",
    ("radar/store/months.py", "exec_driver_sql"): "names of our own tables and columns, and days as dates are written",
    ("radar/store/migrations/versions/0155_months.py", "exec_driver_sql"): "the same; definitions the database gave",
}
"""SQL that is put together from strings: by whom, and why that is safe."""
DENIED = ("AGPL", "SSPL", "BUSINESS SOURCE", "COMMONS CLAUSE", "PROPRIETARY", "NON-COMMERCIAL")


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Every call with the name of what is called, dotted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, _dotted(node.func)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is_made(node: ast.expr) -> bool:
    """Whether a text is put together when it runs: an f-string with values, +, % or format()."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"


def _imported(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def _begins_sql(node: ast.AST) -> bool:
    """Whether an f-string with values in it begins as a statement of SQL does."""
    if not isinstance(node, ast.JoinedStr) or not _is_made(node):
        return False
    return isinstance(node.values[0], ast.Constant) and bool(BEGINS.match(str(node.values[0].value)))


def test_no_code_is_made_of_data_and_no_sql_of_strings() -> None:
    faults = []
    for file in FILES:
        name, tree = file.relative_to(ROOT).as_posix(), ast.parse(file.read_text(encoding="utf-8"))
        faults += [f"{name}: imports {module}" for module in _imported(tree) & MODULES]
        for call, called in _calls(tree):
            last = called.rpartition(".")[2]
            allows = any(k.arg in ("shell", "allow_pickle") and ast.unparse(k.value) != "False" for k in call.keywords)
            is_made = last in SQL and any(map(_is_made, call.args[:1])) and (name, last) not in MADE_SQL
            if called in CALLS | UNSAFE or allows or is_made:
                faults.append(f"{name}:{call.lineno}: {ast.unparse(call)[:90]}")
        if name not in {allowed for allowed, _ in MADE_SQL}:
            faults += [f"{name}: {ast.unparse(node)[:90]}" for node in ast.walk(tree) if _begins_sql(node)]
    assert faults == []
    assert len(FILES) > 100


def test_what_is_allowed_to_make_sql_still_does() -> None:
    for name, called in MADE_SQL:
        calls = _calls(ast.parse((ROOT / name).read_text(encoding="utf-8")))
        assert any(c.rpartition(".")[2] == called and any(map(_is_made, call.args[:1])) for call, c in calls), name


SECRETS = {
    "TOKEN": "tok-4f9a1c77e2", "RADAR_PUSH_SECRET": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
    "RADAR_SMTP_URL": "smtp://ann:mailpass99@127.0.0.1:1",
}  # fmt: skip
TOLD = ("tok-4f9a1c77e2", "c2VjcmV0c2Vj", "mailpass99", "query-8812", "bearer-5521")


def test_no_secret_is_in_the_log_or_the_store(tmp_path: Path) -> None:
    engine = fresh_store(tmp_path / "radar.db")
    put(engine, a_post("1"))
    engine.dispose()
    environment = SECRETS | {"RADAR_LOG": "json", "RADAR_CONTACT": "ann@example.org"}
    added = radar(
        "sources", "add", "tube", "--kind", "youtube", "--token-env", "TOKEN", data_dir=tmp_path, env=environment
    )
    assert added.returncode == 0, added.stderr
    said = added.stdout + added.stderr
    served = subprocess.Popen(
        [sys.executable, "-m", "radar", "serve", "--port", "0", "--no-scheduler"],
        env=os.environ | environment | {"RADAR_DATA_DIR": str(tmp_path), "COLUMNS": "200"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert served.stdout is not None
    try:
        lines: list[str] = []
        while not any("http://" in line for line in lines):
            lines.append(served.stdout.readline())
            assert served.poll() is None, lines
        found = re.search(r"http://[\d.]+:\d+", "".join(lines))
        assert found
        ask = httpx.Client(base_url=found[0], headers={"Authorization": "Bearer bearer-5521"}, trust_env=False)
        until = time.monotonic() + 30
        while True:
            try:
                ask.get("/v1/coverage?token=query-8812")
                break
            except httpx.ConnectError:
                assert time.monotonic() < until
                time.sleep(0.1)
        ask.get("/no/such/page?key=query-8812")
        refused = ask.post("/v1/posts?secret=query-8812", json=[], headers={"webhook-signature": "v1,bearer-5521"})
        assert refused.status_code in (400, 401, 403, 422)
        ask.close()
    finally:
        served.send_signal(signal.SIGTERM)
        rest, _ = served.communicate(timeout=30)
    said += "".join(lines) + rest
    assert '"level"' in said
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in TOLD:
        assert secret not in said
        assert secret.encode() not in kept


def test_the_licence_of_every_dependency_is_known_and_allowed() -> None:
    wanted = [Requirement(said) for said in importlib.metadata.requires("kol-trend-radar") or []]
    unknown = []
    for requirement in wanted:
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        facts = importlib.metadata.metadata(requirement.name)
        said = [facts.get("License-Expression") or "", (facts.get("License") or "").splitlines()[0:1]]
        said += [c for c in facts.get_all("Classifier") or [] if c.startswith("License ::")]
        files = facts.get_all("License-File") or []
        text = " ".join(map(str, said)).upper()
        if not text.strip(" []") and not files:
            unknown.append(requirement.name)
        assert not any(denied in text for denied in DENIED), requirement.name
    assert unknown == []


def test_every_dependency_fits_and_none_comes_from_elsewhere_than_a_registry() -> None:
    """All that is installed with radar, and with that again: what an audit can say without asking anybody.

    What is known of their weaknesses changes by the day, and only the network knows it: see README.
    """
    seen, waiting, faults = {"kol-trend-radar"}, ["kol-trend-radar"], []
    while waiting:
        name = waiting.pop()
        for said in importlib.metadata.requires(name) or []:
            wanted = Requirement(said)
            if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
                continue
            try:
                found = importlib.metadata.distribution(wanted.name)
            except importlib.metadata.PackageNotFoundError:
                faults.append(f"{wanted.name}, which {name} needs, is not installed")
                continue
            if wanted.url or found.read_text("direct_url.json"):
                faults.append(f"{wanted.name} comes from an address of its own")
            if not wanted.specifier.contains(found.version, prereleases=True):
                faults.append(f"{wanted.name} is {found.version}, and {name} needs {wanted.specifier}")
            key = canonicalize_name(wanted.name)
            if key not in seen:
                seen.add(key)
                waiting.append(wanted.name)
    assert faults == []
    assert len(seen) > 40
