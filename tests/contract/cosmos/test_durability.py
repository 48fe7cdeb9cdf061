"""What was answered is kept: over a clean stop, and over a kill in the middle of writes."""

import http.client
import resource
import threading
from pathlib import Path

import pytest
from azure.cosmos import CosmosClient, PartitionKey
from azure.cosmos.exceptions import CosmosHttpResponseError, CosmosResourceNotFoundError

from tests.contract.cosmos.raw import KEY, Account
from tests.processes import Service, start


def _start(folder: Path, *arguments: str) -> Service:
    return start("local.cosmos", "--port", "0", "--data", str(folder / "data"), *arguments, folder=folder)


def test_every_answered_write_outlives_kill_9(tmp_path: Path) -> None:
    service = _start(tmp_path, "--ranges", "2")
    account = Account(service.url)
    account.call("POST", "dbs", {"id": "db"})
    account.call("POST", "dbs/db/colls", {"id": "c", "partitionKey": {"paths": ["/pk"]}, "defaultTtl": 3600})
    enough, answered = threading.Event(), dict[str, str]()

    def write() -> None:
        for n in range(10_000):
            try:
                reply = account.call("POST", "dbs/db/colls/c/docs", {"id": str(n), "pk": str(n % 5)}, key=[str(n % 5)])
            except (OSError, http.client.HTTPException):
                return
            assert reply.status == 201
            answered[str(n)] = reply.headers["etag"]
            if n == 30:
                enough.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert enough.wait(30)
    service.kill()
    writer.join(30)
    service = _start(tmp_path, "--ranges", "2")
    try:
        again = Account(service.url)
        for name, etag in answered.items():
            reply = again.call("GET", f"dbs/db/colls/c/docs/{name}", key=[str(int(name) % 5)])
            assert (reply.status, reply.headers.get("etag")) == (200, etag)
        change = int(reply.headers["lsn"])
        created = again.call("POST", "dbs/db/colls/c/docs", {"id": "after", "pk": "0"}, key=["0"])
        assert int(created.headers["lsn"]) > change >= len(answered)
    finally:
        service.stop()


def test_containers_policies_and_throughput_outlive_a_restart(tmp_path: Path) -> None:
    service = _start(tmp_path)
    with CosmosClient(service.url, KEY) as client:
        container = client.create_database("db").create_container(
            "c",
            PartitionKey(path=["/a", "/b"], kind="MultiHash"),
            unique_key_policy={"uniqueKeys": [{"paths": ["/email"]}]},
            offer_throughput=700,
        )
        container.create_item({"id": "1", "a": "x", "b": "y", "email": "e"})
        properties = container.read()
    assert service.stop() == 0
    service = _start(tmp_path)
    try:
        with CosmosClient(service.url, KEY) as client:
            container = client.get_database_client("db").get_container_client("c")
            assert container.read() == properties
            assert container.get_throughput().offer_throughput == 700
            assert container.read_item("1", ["x", "y"])["email"] == "e"
            with pytest.raises(CosmosHttpResponseError, match="Unique"):
                container.create_item({"id": "2", "a": "x", "b": "y", "email": "e"})
    finally:
        service.stop()


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    service = start("local.cosmos", "--port", "0", folder=tmp_path, environment={"TMPDIR": str(tmp_path)})
    Account(service.url).call("POST", "dbs", {"id": "db"})
    assert list(tmp_path.glob("local-cosmos-*"))
    assert service.stop() == 0
    assert not list(tmp_path.glob("local-cosmos-*"))


def test_a_deleted_container_takes_its_items_along(tmp_path: Path) -> None:
    service = _start(tmp_path)
    try:
        with CosmosClient(service.url, KEY) as client:
            database = client.create_database("db")
            database.create_container("c", PartitionKey(path="/pk")).create_item({"id": "a", "pk": "p"})
            database.delete_container("c")
            container = database.create_container("c", PartitionKey(path="/pk"))
            with pytest.raises(CosmosResourceNotFoundError):
                container.read_item("a", "p")
            assert list(container.read_all_items()) == []
    finally:
        service.stop()


def test_a_folder_in_use_or_with_another_s_file_is_refused_in_words(tmp_path: Path) -> None:
    service = _start(tmp_path)
    try:
        with pytest.raises(RuntimeError, match="already serves the data"):
            start("local.cosmos", "--port", "0", "--data", str(tmp_path / "data"), folder=tmp_path, name="second")
    finally:
        service.stop()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "cosmos.sqlite").write_text("this is no database, and long enough to be read as one" * 50)
    with pytest.raises(RuntimeError, match="Cannot use"):
        start("local.cosmos", "--port", "0", "--data", str(tmp_path / "other"), folder=tmp_path, name="other")


@pytest.mark.parametrize("arguments", [["--key", "not base64!"], ["--ranges", "0"]])
def test_a_wrong_option_is_one_line_and_an_exit(tmp_path: Path, arguments: list[str]) -> None:
    with pytest.raises(RuntimeError) as failed:
        _start(tmp_path, *arguments)
    assert "Traceback" not in str(failed.value)


def test_a_full_disk_refuses_writes_and_keeps_what_was_answered_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    service = _start(tmp_path)
    try:
        account = Account(service.url)
        account.call("POST", "dbs", {"id": "db"})
        unique = {"uniqueKeys": [{"paths": ["/name"]}]}
        account.call("POST", "dbs/db/colls", {"id": "c", "partitionKey": {"paths": ["/pk"]}, "uniqueKeyPolicy": unique})

        def create(name: str) -> int:
            return account.call("POST", "dbs/db/colls/c/docs", {"id": name, "pk": "a", "name": name}, key=["a"]).status

        before = create("before")
        _, most = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (0, most))
        full = {create("full") for _ in range(3)}
        read = account.call("GET", "dbs/db/colls/c/docs/before", key=["a"]).status
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (most, most))
        after = create("after")
        found = [account.call("GET", f"dbs/db/colls/c/docs/{name}", key=["a"]).status for name in ("full", "before")]
        running = service.process.poll() is None
    finally:
        service.stop()

    assert (before, full, read, after) == (201, {503}, 200, 201)
    assert found == [404, 200]
    assert running
