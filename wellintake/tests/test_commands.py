"""The commands, as somebody types them."""

import json

import pytest

from wellintake.tests.server import ROOT, Server

SAMPLES = sorted((ROOT / "addin" / "samples").glob("*.eml"))


@pytest.fixture
def place(tmp_path, migrated):
    """An installation of one's own, without a server."""
    server = Server(tmp_path)
    server.copy_database_from(migrated)
    return server


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_intake_gives_a_log_without_a_gap_and_an_exit_status(place, sample):
    done = place.manage("intake", str(sample), "--json", check=False)

    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "complete"
    nothing = events[-1]["data"]["status"] == "nothing_to_file"
    assert done.returncode == (3 if nothing else 0)
    assert nothing == ("newsletter" in sample.stem)


def test_intake_tells_a_person_what_it_does(place):
    done = place.manage("intake", str(SAMPLES[0]), "--mode", "auto")

    text = done.stdout.decode()
    assert "Lindqvist" in text
    assert "Saved" in text
    assert "✓" in text


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), (b"", "empty")])
def test_intake_of_no_mail_says_so_and_fails(place, content, words):
    file = place.folder / "mail.eml"
    if content is not None:
        file.write_bytes(content)

    done = place.manage("intake", str(file), check=False)

    assert done.returncode == 1
    assert words in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_evaluate_scores_a_folder(place):
    done = place.manage("evaluate", str(ROOT / "extraction" / "tests" / "mails"), "--json")

    result = json.loads(done.stdout)
    assert result["mails"] >= 8
    assert {"contact", "other", "intent_accuracy", "people_f1", "filled_precision", "must_not"} <= set(result)
    assert {"unsupported", "calibration_error", "ms", "fields", "misses"} <= set(result)
    assert 0.5 < result["contact"]["f1"] <= 1


def test_evaluate_without_a_model_says_what_to_set(place):
    done = place.manage("evaluate", str(ROOT / "extraction" / "tests" / "mails"), "--engine", "model", check=False)

    assert done.returncode == 1
    assert "OPENAI_API_KEY" in done.stderr.decode()


def test_bootstrap_shows_the_log_in_and_the_key_only_once(place):
    first = place.manage("bootstrap").stdout.decode()
    second = place.manage("bootstrap").stdout.decode()

    assert "admin / " in first
    assert "wi_" in first
    assert "admin / " not in second
    assert "wi_" not in second


def test_settings_at_fault_stop_every_command_with_their_names(place):
    place.environment["OPENAI_TIMEOUT"] = "soon"

    done = place.manage("check", check=False)

    assert done.returncode == 1
    assert "OPENAI_TIMEOUT" in done.stderr.decode()
    assert "soon" not in done.stderr.decode()


def test_purge_runs_deletes_only_what_is_old_and_over(place):
    for _ in range(2):
        place.manage("intake", str(SAMPLES[5]), "--json", check=False)
    age = "from streaming.models import Run; r = Run.objects.first(); r.created_at -= 91 * 86400; r.save()"
    place.manage("shell", "-c", age)

    first, second = (place.manage("purge_runs").stdout.decode() for _ in range(2))

    assert first.startswith("1 runs deleted")
    assert second.startswith("0 runs deleted")


@pytest.mark.embedded
def test_the_first_command_of_a_fresh_clone_makes_its_database(tmp_path):
    fresh = Server(tmp_path)

    done = fresh.manage("intake", str(SAMPLES[0]), "--json", check=False)

    assert done.returncode == 0
