"""The real Panoramax server (geovisio over PostgreSQL with PostGIS) on this machine's loopback, with pictures that are made here."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import numpy as np
from PIL import Image, ImageFilter

ROOT = Path(__file__).resolve().parents[1]
EMAIL = "nobody.real@example.org"
"""Of an invented owner: it stands in the EXIF data of every picture that is made here."""
_READY_S = 120.0
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" GPano:ProjectionType="equirectangular" GPano:UsePanoramaViewer="True" '
    'GPano:FullPanoWidthPixels="{0}" GPano:FullPanoHeightPixels="{1}" GPano:CroppedAreaImageWidthPixels="{0}" '
    'GPano:CroppedAreaImageHeightPixels="{1}" GPano:CroppedAreaLeftPixels="0" GPano:CroppedAreaTopPixels="0"/></rdf:RDF></x:xmpmeta>'
)


@dataclass(frozen=True)
class Shot:
    """A picture to make: ``heading_deg`` NaN for none, ``time_s`` since 1970 (UTC)."""

    lat_deg: float
    lon_deg: float
    heading_deg: float
    time_s: float
    width_px: int = 640
    height_px: int = 480
    panorama: bool = False


def picture_bytes(shot: Shot, seed: int) -> bytes:
    """A JPEG with texture, its place and time, and an owner's e-mail, as cameras write them."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    image = coarse.resize((shot.width_px, shot.height_px), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Invented", "Camera 1"
    moment = datetime.fromtimestamp(shot.time_s, UTC)
    exif.get_ifd(0x8769).update({
        0x9003: moment.strftime("%Y:%m:%d %H:%M:%S"), 0x9011: "+00:00", 0x9291: f"{moment.microsecond // 1000:03d}",
        0xA430: EMAIL, 0xA405: 28, 0x920A: 4.5,
    })  # fmt: skip
    place: dict[int, object] = {
        1: "N" if shot.lat_deg >= 0 else "S", 2: _degrees(abs(shot.lat_deg)),
        3: "E" if shot.lon_deg >= 0 else "W", 4: _degrees(abs(shot.lon_deg)), 31: 6.0,
    }  # fmt: skip
    if np.isfinite(shot.heading_deg):
        place |= {16: "T", 17: shot.heading_deg}
    exif.get_ifd(0x8825).update(place)
    written = io.BytesIO()
    more = {"xmp": _XMP.format(shot.width_px, shot.height_px).encode()} if shot.panorama else {}
    image.save(written, "JPEG", quality=85, exif=exif, **more)
    return written.getvalue()


def _degrees(value: float) -> tuple[float, float, float]:
    """Degrees, minutes, seconds."""
    minutes = (value % 1.0) * 60.0
    return float(int(value)), float(int(minutes)), round((minutes % 1.0) * 60.0, 4)


def why_not() -> str:
    """Why the server cannot be started here; empty where it can."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or not list(
        Path("/usr/share/postgresql").glob("*/extension/postgis.control")
    ):
        return "PostgreSQL with PostGIS is not installed: tools/system-packages tests"
    if _python() is None:
        return "the server's environment is not made: tools/environment.py panoramax"
    return ""


def _python() -> Path | None:
    """Interpreter of the environment that holds the server; one is looked for and not made."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import environment
    finally:
        sys.path.remove(str(ROOT / "tools"))
    key = environment.key_of("panoramax", environment.PANORAMAX_REQUIREMENTS, environment.interpreter_of("panoramax"))
    folder: Path = environment.cache_folder() / key
    return folder / "bin" / "python" if (folder / "READY").is_file() else None


def free_port() -> int:
    """A port of the loopback that nothing listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class _Blurring(BaseHTTPRequestHandler):
    """Stands in for the service that finds faces and plates (SGBlur), and answers as that does: the picture, and what was found in it."""

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        with Image.open(io.BytesIO(sent[sent.index(b"\xff\xd8\xff") :])) as picture:
            written = io.BytesIO()
            picture.convert("RGB").filter(ImageFilter.GaussianBlur(40)).save(written, "JPEG", exif=picture.getexif())
        found = {"annotations": [{"shape": [10, 10, 60, 60], "semantics": [{"key": "detected", "value": "face"}]}]}
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("x-sgblur", json.dumps(found))
        self.end_headers()
        self.wfile.write(written.getvalue())

    def log_message(self, *_: object) -> None:
        """Nothing."""


class PanoramaxServer:
    """A context: within it a server answers at ``url``; its database and files lie in a temporary folder that goes with it.

    PostgreSQL refuses to run as root; there it runs as the user that Debian made for it.
    """

    def __init__(self) -> None:
        self.port, self._postgres_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._api: subprocess.Popen[bytes] | None = None
        self._blurring: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        # Not in a folder of pytest's, which only its owner may walk through.
        self.folder = Path(tempfile.mkdtemp(prefix="vidtag-panoramax-"))
        self.folder.chmod(0o755)
        for name in ("postgres", "files", "home"):
            (self.folder / name).mkdir()
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder / "postgres", user.pw_uid, user.pw_gid)
        try:
            self._start_postgres()
            self._python("-m", "flask", "db", "upgrade")
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._blurring is not None:
            self._blurring.shutdown()
            self._blurring.server_close()
        with contextlib.suppress(subprocess.CalledProcessError):
            self._postgres("pg_ctl", "-D", self._data, "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Let it answer; raises RuntimeError with the end of its log where it does not."""
        # The home folder is where gunicorn leaves a control socket.
        command: list[str | Path] = [
            self._interpreter, "-m", "gunicorn", "-b", f"127.0.0.1:{self.port}", "-w", "1", "--threads", "4", "--graceful-timeout", "1",
            "--access-logfile", self.folder / "access.log", "geovisio:create_app()",
        ]  # fmt: skip
        with (self.folder / "api.log").open("ab") as log:
            self._api = subprocess.Popen(command, cwd=self.folder, env=self._environment, stdout=log, stderr=log, start_new_session=True)
        until = time.monotonic() + _READY_S
        while time.monotonic() < until and self._api.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/api/configuration", trust_env=False).status_code == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError("the Panoramax server does not answer:\n" + (self.folder / "api.log").read_text(errors="replace")[-3000:])

    def stop(self) -> None:
        """Break it off, whatever it is sending."""
        if self._api is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._api.pid, signal.SIGKILL)
            self._api.wait()
            self._api = None

    def upload(self, title: str, pictures: Sequence[bytes]) -> None:
        """One sequence, in this order by name, until it can be searched; raises RuntimeError where pictures are refused."""
        with httpx.Client(base_url=f"{self.url}/api", timeout=60.0, trust_env=False) as client:
            given = {
                "title": title,
                "estimated_nb_files": len(pictures),
                "no_split": True,
                "no_deduplication": True,
                "sort_method": "filename-asc",
            }
            answer = client.post("/upload_sets", json=given).raise_for_status().json()
            for number, picture in enumerate(pictures):
                sent = client.post(f"/upload_sets/{answer['id']}/files", files={"file": (f"{number:04d}.jpg", picture, "image/jpeg")})
                if sent.status_code != 202:
                    raise RuntimeError(f"picture {number} of {title} was refused: {sent.text[:500]}")
            until = time.monotonic() + _READY_S
            while time.monotonic() < until:
                if client.get(f"/upload_sets/{answer['id']}").json().get("ready"):
                    return
                time.sleep(0.1)
        raise RuntimeError(f"{title} was not ready in {_READY_S:g} s")

    def take_down(self, image_id: str) -> None:
        """Let a picture be seen no more, as its owner may; the database's own word for that."""
        at = ("-h", "127.0.0.1", "-p", str(self._postgres_port), "-U", "gvs", "-d", "geovisio", "-v", "ON_ERROR_STOP=1")
        self._postgres("psql", *at, "-q", "-c", f"UPDATE pictures SET status = 'hidden' WHERE id = '{uuid.UUID(image_id)}'")  # nosec B608

    def blur_anew(self, image_id: str) -> None:
        """Let a picture be prepared once more, by a blurring service that finds something in it this time; raises RuntimeError where nothing happens."""
        if self._blurring is None:
            self._blurring = ThreadingHTTPServer(("127.0.0.1", 0), _Blurring)
            threading.Thread(target=self._blurring.serve_forever, daemon=True).start()
            self.stop()
            self.start()
        with httpx.Client(base_url=f"{self.url}/api", timeout=60.0, trust_env=False) as client:
            item = f"/collections/{self._item(client, image_id)['collection']}/items/{image_id}"
            before = self._form(client, image_id)
            client.post(f"{item}/prepare", json={}).raise_for_status()
            until = time.monotonic() + _READY_S
            while time.monotonic() < until:
                if all(now != was for now, was in zip(self._form(client, image_id), before, strict=True)):
                    return
                time.sleep(0.1)
        raise RuntimeError(f"{image_id} was not blurred in {_READY_S:g} s")

    def _form(self, client: httpx.Client, image_id: str) -> tuple[str, bytes]:
        """When the server says that a picture was changed, and its smallest file, which is made last."""
        return self._item(client, image_id)["properties"]["updated"], client.get(f"/pictures/{image_id}/thumb.jpg").content

    def _item(self, client: httpx.Client, image_id: str) -> dict[str, Any]:
        """As the server's search gives it."""
        found: dict[str, Any] = client.get("/search", params={"ids": json.dumps([image_id])}).raise_for_status().json()["features"][0]
        return found

    def requests(self) -> list[str]:
        """Lines of the access log, so far."""
        return (self.folder / "access.log").read_text(errors="replace").splitlines()

    @property
    def _data(self) -> Path:
        return self.folder / "postgres" / "data"

    @property
    def _interpreter(self) -> Path:
        found = _python()
        if found is None:
            raise RuntimeError(why_not())
        return found

    @property
    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LD_LIBRARY_PATH"}}
        blurring = {"API_BLUR_URL": f"http://127.0.0.1:{self._blurring.server_port}"} if self._blurring else {}
        return kept | blurring | {
            "HOME": str(self.folder / "home"), "TMPDIR": str(self.folder / "home"), "OMP_NUM_THREADS": "1", "FLASK_APP": "geovisio",
            "DB_URL": f"postgres://gvs@127.0.0.1:{self._postgres_port}/geovisio", "FS_URL": str(self.folder / "files"),
            "FLASK_SECRET_KEY": "x" * 64, "API_PICTURES_LICENSE_SPDX_ID": "CC-BY-SA-4.0",
            "API_PICTURES_LICENSE_URL": "https://spdx.org/licenses/CC-BY-SA-4.0.html", "PICTURE_PROCESS_DERIVATES_STRATEGY": "PREPROCESS",
        }  # fmt: skip

    def _python(self, *words: str) -> None:
        run = subprocess.run(
            [self._interpreter, *words], cwd=self.folder, env=self._environment, check=False, capture_output=True, text=True
        )
        if run.returncode:
            raise RuntimeError(f"{' '.join(words)} failed:\n{run.stderr[-3000:]}")

    def _start_postgres(self) -> None:
        own = self.folder / "postgres"
        self._postgres("initdb", "-D", self._data, "-U", "gvs", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        settings = {
            "listen_addresses": "127.0.0.1", "unix_socket_directories": own, "fsync": "off", "timezone": "UTC", "shared_buffers": "32MB",
        }  # fmt: skip
        options = " ".join([f"-p {self._postgres_port}", *(f"-c {name}={value}" for name, value in settings.items())])
        self._postgres("pg_ctl", "-D", self._data, "-w", "-l", own / "log", "-o", options, "start")
        at = ("-h", "127.0.0.1", "-p", str(self._postgres_port), "-U", "gvs")
        self._postgres("createdb", *at, "geovisio")
        self._postgres("psql", *at, "-d", "geovisio", "-q", "-c", "CREATE EXTENSION postgis", "-c", "ALTER ROLE gvs SET timezone='UTC'")

    def _postgres(self, program: str, *words: str | Path) -> None:
        """Run one of PostgreSQL's programs; raises CalledProcessError."""
        found = max(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: int(path.parts[-3]))
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        # Into no pipe: the server that pg_ctl leaves behind would hold it open.
        subprocess.run([*as_user, found, *words], cwd="/", check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def running() -> Iterator[PanoramaxServer]:
    """A server; raises RuntimeError where none can be started."""
    if reason := why_not():
        raise RuntimeError(reason)
    with PanoramaxServer() as server:
        yield server
