"""No file that git keeps, or would keep, names a place on somebody's machine, a secret or a package host."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from notebook_checks import ABSOLUTE_PATH, BASE64_RUN

ROOT = Path(__file__).resolve().parents[2]
RULES = {
    "a path on one machine": ABSOLUTE_PATH,
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "a token": re.compile(r"\b(?:gh[opsu]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|hf_[A-Za-z0-9]{30,}|AKIA[0-9A-Z]{16})\b"),
    "a package host": re.compile(r"(?:files\.pythonhosted|download\.pytorch|conda\.anaconda|pypi)\.org", re.I),
    "a package index": re.compile(r"(?:index-url|find-links|INDEX_URL|FIND_LINKS)[ =:]+[\"']?(?:https?|file|/)", re.I),
}


def kept_files():
    """Return the files that git tracks or would add; skip where the course is no git clone."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git clone")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def faults_of_text(text):
    """Return one line for each rule that a text breaks."""
    plain = BASE64_RUN.sub("", text)
    found = {name: rule.search(plain) for name, rule in RULES.items()}
    return [f"{name}: {match[0][:60]}" for name, match in found.items() if match]


def test_no_kept_file_holds_a_machine_path_a_secret_or_a_package_host():
    faults = []
    for path in kept_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        faults += [f"{path.relative_to(ROOT)}: {fault}" for fault in faults_of_text(text)]
    assert faults == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a path on one machine", "open('" + "/".join(["", "home", "me", "song.mid"]) + "')"),
        ("a path on one machine", "saved in C:" + r"\Users\me\song.mid"),
        ("a private key", "-----BEGIN RSA " + "PRIVATE KEY-----"),
        ("a token", "ghp_" + "a1" * 18),
        ("a package host", "https://files." + "pythonhosted.org/torch.whl"),
        ("a package index", "--extra-index-url " + "https://example.org/simple"),
    ],
)
def test_a_rule_catches(name, text):
    assert [fault.partition(":")[0] for fault in faults_of_text(text)] == [name]


def test_plain_words_pass():
    assert faults_of_text("See the arXiv page, data/cache, https://pytorch.org and set PIP_EXTRA_INDEX_URL.") == []
