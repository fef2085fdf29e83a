from __future__ import annotations

import json
import threading

import pytest

SECONDS = 20


@pytest.fixture
def job(host):
    return host.jobs.Job(key="k", id="j1", task="mesh.lods", title="car", server_url="http://farm")


@pytest.fixture
def writer_of(host):
    made = []

    def make(folder):
        made.append(host.job_writer.JobWriter(folder))
        return made[-1]

    yield make
    for writer in made:
        writer.close(SECONDS)


@pytest.fixture
def slow_disk(host, monkeypatch):
    """A disk that writes nothing until `goes_on` is set."""
    goes_on, written = threading.Event(), []
    plain = host.job_files.write

    def write(path, data):
        assert threading.current_thread() is not threading.main_thread()
        assert goes_on.wait(SECONDS)
        written.append(path.name)
        plain(path, data)

    monkeypatch.setattr(host.job_files, "write", write)
    return goes_on, written


def test_closed_it_has_written_all_and_its_thread_is_gone(host, job, writer_of, tmp_path):
    writer = writer_of(tmp_path)
    writer.save(job, keeper="me")
    assert writer.close(SECONDS)
    assert (tmp_path / "k.json").is_file()
    assert not writer._thread.is_alive()


def test_what_was_asked_for_is_on_disk_after_a_flush(host, job, writer_of, tmp_path):
    writer = writer_of(tmp_path / "new")
    writer.save(job, keeper="me")
    assert writer.flush(SECONDS)
    assert json.loads((tmp_path / "new" / "k.json").read_text())["keeper"] == "me"
    (again,) = host.job_files.load_all(tmp_path / "new")
    assert again.id == "j1"


def test_a_slow_disk_holds_up_nobody_and_gets_the_last_word_only(host, job, writer_of, tmp_path, slow_disk):
    goes_on, written = slow_disk
    writer = writer_of(tmp_path)
    for number in range(50):
        job.message = f"Step {number}"
        writer.save(job, keeper="")
    assert not writer.flush(0.01)
    goes_on.set()
    assert writer.flush(SECONDS)
    assert len(written) <= 2  # the one that was being written, and the last
    assert json.loads((tmp_path / "k.json").read_text())["message"] == "Step 49"


def test_what_a_job_becomes_after_it_was_asked_for_is_not_written(host, job, writer_of, tmp_path, slow_disk):
    goes_on, _ = slow_disk
    writer = writer_of(tmp_path)
    job.message = "then"
    writer.save(job, keeper="")
    job.message = "later"
    goes_on.set()
    assert writer.flush(SECONDS)
    assert json.loads((tmp_path / "k.json").read_text())["message"] == "then"


def test_a_job_that_is_removed_while_it_waits_to_be_written_is_gone(host, job, writer_of, tmp_path, slow_disk):
    goes_on, _ = slow_disk
    writer = writer_of(tmp_path)
    writer.save(job, keeper="")
    writer.save(job, keeper="")
    writer.remove(job)
    goes_on.set()
    assert writer.flush(SECONDS)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_the_artist_goes_on(host, job, writer_of, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    writer = writer_of(tmp_path / "file" / "jobs")
    writer.save(job, keeper="")
    assert writer.flush(SECONDS)
    writer.remove(job)
    assert writer.flush(SECONDS)


def test_a_copy_goes_only_once_it_is_written_that_the_server_has_the_job(host, job, writer_of, slow_disk, tmp_path):
    goes_on, written = slow_disk
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "a.blend").write_bytes(b"x")
    writer = writer_of(tmp_path)
    writer.save(job, keeper="me")
    writer.discard(copy)
    assert not writer.flush(0.2)
    assert (copy / "a.blend").is_file()
    goes_on.set()
    assert writer.flush(SECONDS)
    assert written == ["k.json"]
    assert not copy.exists()


def test_what_else_is_written_is_written_in_the_thread_and_a_full_disk_ends_nothing(host, job, writer_of, tmp_path):
    def full():
        raise OSError("No space left on device")

    threads = []
    writer = writer_of(tmp_path)
    writer.do(full)
    writer.do(lambda: threads.append(threading.current_thread()))
    writer.save(job, keeper="me")
    assert writer.flush(SECONDS)
    assert threads == [writer._thread]
    assert (tmp_path / "k.json").is_file()


def test_a_name_that_is_not_utf_8_is_written_and_read_again(host, job, writer_of, tmp_path):
    writer = writer_of(tmp_path)
    job.source_path = "/p/sc\udce8ne.blend"
    writer.save(job, keeper="me")
    assert writer.flush(SECONDS)
    (again,) = host.job_files.load_all(tmp_path)
    assert again.source_path == job.source_path


def test_what_cannot_be_written_costs_that_text_and_not_the_thread(host, job, writer_of, tmp_path, capsys):
    writer = writer_of(tmp_path)
    job.summary = {"odd": {1, 2}, "name": "caf\udce9"}
    writer.save(job, keeper="me")

    def mistake():
        raise ZeroDivisionError("planted")

    writer.do(mistake)
    copy = tmp_path / "copy"
    copy.mkdir()
    writer.discard(copy)
    assert writer.flush(SECONDS)
    (again,) = host.job_files.load_all(tmp_path)
    assert (again.id, again.summary["name"]) == ("j1", "caf\ufffd")
    assert not copy.exists()
    assert "planted" in capsys.readouterr().err
    assert writer._thread.is_alive()
