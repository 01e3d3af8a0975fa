"""What is published works where it is installed: the wheel, made from the sdist, in a fresh environment."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tigertag.store import schema
from tigertag.store.database import Database

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Its output. Nothing of this checkout is in its reach but what the command names."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**environment, **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with the wheel; its dependencies are lent by this one."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False, symlinks=True)
    wheel = next(built.glob("*.whl"))
    pip = (sys.executable, "-m", "pip", "--python", home / "bin" / "python")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=home)
    # A path in a .pth file is added at the end, and the .pth files behind it are not read: the wheel comes
    # first, and the editable install of this environment stays out of sight.
    packages = next(home.glob("lib/python*/site-packages"))
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib"))
    return home / "bin"


def test_the_wheel_holds_the_migrations_and_no_tests(built: Path) -> None:
    names = set(zipfile.ZipFile(next(built.glob("*.whl"))).namelist())
    assert {"tigertag/migrations/env.py", "tigertag/migrations/versions/0001_first.py"} <= names
    assert {"tigertag/py.typed", "tigertag/contract/engine.py"} <= names
    assert not [name for name in names if name.startswith(("tests/", "migrations/", "benchmarks/"))]


def test_the_sdist_holds_what_a_packager_needs(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "alembic.ini",
        "migrations/env.py",
        "tests/conftest.py",
        "Makefile",
        "LICENSE",
        "README.md",
        ".env.example",
    } <= names


def test_the_migrations_are_those_inside_the_package(installed: Path, tmp_path: Path) -> None:
    program = "from tigertag.store import versions; print(versions.folder())"
    folder = Path(run(installed / "python", "-c", program, cwd=tmp_path).strip())
    assert folder.is_relative_to(installed.parent) and folder.parts[-2:] == ("tigertag", "migrations")


def test_an_installed_program_upgrades_from_any_folder(installed: Path, tmp_path: Path) -> None:
    run(installed / "tigertag", "db", "upgrade", cwd=tmp_path, DB_URL=f"sqlite:///{tmp_path}/photos.db")
    assert revision(tmp_path / "photos.db") == schema.head()


def test_an_installed_program_reads_the_env_file_beside_it(installed: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"DB_URL=sqlite:///{tmp_path}/photos.db\n")
    run(installed / "tigertag", "db", "upgrade", cwd=tmp_path)
    assert revision(tmp_path / "photos.db") == schema.head()


def revision(path: Path) -> str:
    with Database.open(f"sqlite:///{path}", create=False, read_only=True) as database:
        return schema.current(database)
