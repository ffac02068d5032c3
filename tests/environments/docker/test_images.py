"""Images: made once, found again by content, refused with a reason, pruned and nothing else."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import main
from harness.environments.docker.catalogue import catalogue
from harness.environments.docker.engine import Engine, EngineFacts
from harness.environments.docker.images import Images, disk_problem
from harness.environments.docker.labels import (
    CONTENT,
    KIND,
    OWNER,
    own_images,
    owner,
    owner_is_alive,
    prune,
    sweep,
)
from harness.environments.docker.recipes import Choice, Image, Recipe
from harness.environments.docker.settings import DockerSettings
from harness.errors import UnavailableError
from tests.environments.confined import PlainPython, recipe
from tests.environments.docker.engine_support import GIVEN


def _ready(engine: Engine, folder: Path, said: list[str]) -> str:
    images = Images(engine, DockerSettings(), said.append)
    return images.ready(Choice(recipe(folder), None), PlainPython(), "1").id  # type: ignore[arg-type]


def test_an_image_is_built_once_and_found_by_its_content(docker_engine: Engine, tmp_path: Path) -> None:
    first, second = [], []  # type: list[str], list[str]

    made = _ready(docker_engine, tmp_path, first)
    found = _ready(docker_engine, tmp_path, second)

    assert made == found
    assert second == []
    labels = docker_engine.client.images.get(made).labels
    assert labels[KIND] == "image"
    assert len(labels[CONTENT]) == 64
    assert labels["io.trtmatrix.recipe"] == "plain"


def test_another_template_is_another_content(docker_engine: Engine, tmp_path: Path) -> None:
    builtin = _ready(docker_engine, tmp_path, [])
    (tmp_path / "wheels.Dockerfile.j2").write_text(
        "FROM {{ base }}\nCOPY site-packages /opt/trtmatrix/site-packages\nENV A=1\n"
        'LABEL{% for key, value in labels.items() %} {{ key }}="{{ value }}"{% endfor %}\n'
    )

    said: list[str] = []
    own = _ready(docker_engine, tmp_path, said)

    assert own != builtin
    assert any(line.startswith("building trtmatrix/plain-python-1:") for line in said)
    assert "A=1" in docker_engine.client.images.get(own).attrs["Config"]["Env"]


def test_a_build_that_fails_keeps_its_log_and_leaves_no_container(
    docker_engine: Engine, docker_cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "wheels.Dockerfile.j2").write_text('FROM {{ base }}\nRUN ["python3", "-c", "exit(7)"]\n')

    with pytest.raises(UnavailableError) as error:
        _ready(docker_engine, tmp_path, [])

    assert "returned a non-zero code: 7" in str(error.value)
    assert "--no-build" in str(error.value)
    assert docker_engine.client.containers.list(all=True) == []
    logs = [path.read_text() for path in (docker_cache / "docker" / "logs").glob("*.log")]
    assert any("exit(7)" in log for log in logs)


def test_the_ngc_template_keeps_what_the_image_has_and_goes_on_without_pycuda(
    docker_engine: Engine, docker_cache: Path, tmp_path: Path
) -> None:
    """Built without network on an image that has NumPy, so that only PyCUDA cannot be added."""
    with_numpy = _ready(docker_engine, tmp_path, [])
    docker_engine.client.images.get(with_numpy).tag("team/trt", "1")
    choice = Choice(catalogue().recipes["ngc-tensorrt"], Image("team/trt:1", "6.0.1", python="3.6"))
    images = Images(docker_engine, DockerSettings(build_network="none"), lambda _line: None)
    try:
        made = images.ready(choice, PlainPython(), "6.0.1")  # type: ignore[arg-type]
    finally:
        docker_engine.client.images.remove("team/trt:1")

    log = Path(made.build_log).read_text()
    assert made.source == "team/trt:1"
    assert made.digest == with_numpy
    assert "\npycuda 2022.1 cannot be built here, the worker uses libcudart\n" in log
    assert log.count("No module named pip") == 1  # for PyCUDA alone: NumPy was found
    assert docker_cache in Path(made.build_log).parents


class _Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="here"')
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def closed_registry() -> Iterator[str]:
    """A registry on this machine that wants a login; engines talk to 127.0.0.0/8 without TLS."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Registry) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_pull_refused_for_lack_of_a_login_says_how_to_log_in(
    docker_engine: Engine, closed_registry: str, tmp_path: Path
) -> None:
    mine = Recipe("mine", tmp_path, ("tensorrt",), "x", login="docker login there with your key")
    images = Images(docker_engine, DockerSettings(), lambda _line: None)

    with pytest.raises(UnavailableError) as error:
        images.pull(mine, f"{closed_registry}/team/trt:1", 0.001)

    assert f"{closed_registry} refuses {closed_registry}/team/trt:1 without a login" in str(error.value)
    assert str(error.value).endswith("log in first: docker login there with your key")


def test_a_disk_that_is_too_small_is_told_before_the_pull(docker_engine: Engine) -> None:
    root = docker_engine.facts.root
    small = Engine(
        docker_engine.client,
        docker_engine.endpoint,
        EngineFacts("docker", "1", (1, 41), disk_free_bytes=5_000),
    )

    assert "17 GB" not in disk_problem(docker_engine, "x:1", 0.001)
    assert disk_problem(small, "x:1", 17).startswith(
        "x:1 needs about 26 GB while it is pulled, and 0 GB are free"
    )
    assert root


def test_prune_removes_what_the_harness_made_and_nothing_else(
    docker_engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if GIVEN and own_images(docker_engine):
        pytest.skip("DOCKER_HOST names an engine with images of somebody's runs, which pruning would remove")
    made = _ready(docker_engine, tmp_path, [])
    foreign = docker_engine.client.api.import_image_from_data(_empty_tar(), repository="team/own", tag="1")
    docker_engine.client.images.get(made).tag("team/derived", "1")
    assert foreign

    assert main(["images", "list"]) == 0
    assert "plain-python-1" in capsys.readouterr().out
    assert main(["images", "prune", "--dry-run"]) == 0
    assert docker_engine.client.images.get(made)
    capsys.readouterr()
    assert main(["images", "prune"]) == 0

    said = capsys.readouterr().out
    tags = {tag for image in docker_engine.client.images.list() for tag in image.tags}
    try:
        assert {"team/own:1", "team/derived:1"} <= tags
        assert not any(tag.startswith("trtmatrix/plain-python") for tag in tags)
        assert "kept" in said
        assert "it has a name of its own: team/derived:1" in said
    finally:
        docker_engine.client.images.remove("team/own:1")
        docker_engine.client.images.remove("team/derived:1")
    prune(docker_engine)
    assert own_images(docker_engine) == []


def _empty_tar() -> bytes:
    import io
    import tarfile

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    return stream.getvalue()


def test_containers_of_a_run_that_was_killed_are_swept_and_those_of_a_live_one_stay(
    docker_engine: Engine, tmp_path: Path
) -> None:
    image = _ready(docker_engine, tmp_path, [])
    boot, pid, created = owner().split("/")
    dead = f"{boot}/{pid}/{float(created) - 1:.2f}"
    living = f"{boot}/1/{_created(1)}"
    create = docker_engine.client.containers.create
    for name in (dead, living, "another-boot/1/1.00"):
        create(image, entrypoint=["python3"], command=["-c", ""], labels={KIND: "container", OWNER: name})

    removed = sweep(docker_engine)

    left = docker_engine.client.containers.list(all=True, filters={"label": OWNER})
    assert len(removed) == 2
    assert [container.labels[OWNER] for container in left] == [living]
    for container in left:
        container.remove(force=True)


def _created(pid: int) -> str:
    import psutil

    return f"{psutil.Process(pid).create_time():.2f}"


def test_the_owner_of_a_container_is_this_very_process() -> None:
    boot, pid, created = owner().split("/")

    assert owner_is_alive(owner())
    assert not owner_is_alive(f"{boot}/{pid}/{float(created) + 5:.2f}")
    assert not owner_is_alive(f"{boot}/999999999/1.00")
    assert not owner_is_alive("torn")
