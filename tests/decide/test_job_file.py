"""What a job file may say, what is wrong with it, and where: one row a slip."""

import pytest

from reconcile.cli.options import options_of
from reconcile.decide.given import own_prefix
from reconcile.decide.job_file import Document, includes_of, read_book
from reconcile.decide.job_keys import ENDPOINT_KEYS, JOB_KEYS, ONCE, VERSION_KEYS, key_named
from tests.decide.job_files import HEAD, book_of, document, faults_of

KNOWN_WORDS = (
    "report, newer, older, larger, smaller, left, right, keep-both, merge, keep_local, "
    "keep_server, create_version, last-write-wins"
)
NO_NAME = "no name: letters, digits, `_`, `-` and `.`, and it begins with none of `-.`"
ONE_FAULT = [
    ("not TOML", "version = 1\n[job.a\n",
        "f.toml:2:7: expected ']' at the end of a table declaration"),
    ("a value is missing", "version =", "f.toml:1:10: invalid value at the end of the file"),
    ("a key stands twice", "version = 1\nversion = 1\n",
        "f.toml:2:12: cannot overwrite a value"),
    ("no version", "[defaults]\n", "f.toml:1:1: `version = 1` is missing"),
    ("a later version", "version = 2\n",
        "f.toml:1:1: this version of reconcile reads `version = 1`"),
    ("true is no version", "version = true\n",
        "f.toml:1:1: this version of reconcile reads `version = 1`"),
    ("a slip at the top", "version = 1\ninclde = 'x'\n",
        "f.toml:2:1: unknown key `inclde`; did you mean `include`?"),
    ("nothing near at the top", "version = 1\nzzz = 1\n",
        "f.toml:2:1: unknown key `zzz`; known: version, include, defaults, endpoint, job"),
    ("a table that is not built", "version = 1\n[queue]\n",
        "f.toml:2:1: `queue` is not built in this version"),
    ("a key that is not built", f"{HEAD}  schedule = 'daily'\n",
        "f.toml:5:3: `schedule` is not built in this version"),
    ("hooks are not built", f"{HEAD}[job.a.hooks]\nbefore = ['rm']\n",
        "f.toml:5:1: `hooks` is not built in this version"),
    ("a secret is not built", "version = 1\n[endpoint.e]\nurl='/x'\nsecret_key='s'\n",
        "f.toml:4:1: `secret_key` is not built in this version"),
    ("a guard lifted for ever", f"{HEAD}allow = 'space'\n",
        ("f.toml:5:1: `allow` is no key: it lifts a guard once: say `--allow GUARD` on the "
        "command line")),
    ("a slip in a job", f"{HEAD}exlude = 'x'\n",
        "f.toml:5:1: unknown key `exlude`; did you mean `exclude`?"),
    ("an option's spelling", f"{HEAD}max-delete = 3\n",
        "f.toml:5:1: unknown key `max-delete`; did you mean `max_delete`?"),
    ("a slip in the defaults", f"{HEAD}[defaults]\nmod = 'mirror'\n",
        "f.toml:6:1: unknown key `mod`; did you mean `mode`?"),
    ("a slip in an endpoint", "version = 1\n[endpoint.e]\nurl='/x'\nidentty='k'\n",
        "f.toml:4:1: unknown key `identty`; did you mean `identity`?"),
    ("no right side", "version = 1\n[job.a]\nleft = 'l'\n", "f.toml:2:1: `right` is missing"),
    ("no url", "version = 1\n[endpoint.e]\n", "f.toml:2:1: `url` is missing"),
    ("a name with a slash", "version = 1\n[job.'a/b']\nleft='l'\nright='r'\n",
        f"f.toml:2:1: `a/b` is {NO_NAME}"),
    ("a name of a file", "version = 1\n[job.'a.rplan']\nleft='l'\nright='r'\n",
        "f.toml:2:1: `a.rplan` is no name: on a command line it is a file"),
    ("a job is a table", "version = 1\n[job]\na = 3\n",
        "f.toml:3:1: `a` is a table: write `[job.a]`"),
    ("jobs are a table", "version = 1\njob = 3\n", "f.toml:2:1: `job` is a table: write `[job]`"),
    ("a switch in quotes", f"{HEAD}compress = 'yes'\n",
        "f.toml:5:1: `compress` takes `true` or `false`, like `true`"),
    ("a text that is a number", f"{HEAD}lock_wait = 5\n",
        "f.toml:5:1: `lock_wait` takes a text in quotes, like `\"5m\"`"),
    ("a count that is true", f"{HEAD}max_delete = true\n",
        "f.toml:5:1: `max_delete` takes a whole number or a text in quotes, like `\"10%\"`"),
    ("a count with a fraction", f"{HEAD}max_delete = 0.5\n",
        "f.toml:5:1: `max_delete` takes a whole number or a text in quotes, like `\"10%\"`"),
    ("a list with a number", f"{HEAD}select = ['a', 3]\n",
        "f.toml:5:1: `select` takes a list of texts, or one text, like `[\"2025\", \"2026\"]`"),
    ("labels as a text", f"{HEAD}labels = 'nas'\n",
        ("f.toml:5:1: `labels` takes a table of `left` and `right`, like "
        "`{ left = \"laptop\", right = \"nas\" }`")),
    ("a third label", f"{HEAD}labels = {{ lft = 'x' }}\n",
        "f.toml:5:12: unknown key `lft`; did you mean `left`?"),
    ("a label that is a number", f"{HEAD}labels = {{ left = 1 }}\n",
        "f.toml:5:12: `labels.left` takes a text in quotes"),
    ("versions as a number", f"{HEAD}versions = 5\n",
        "f.toml:5:1: `versions` takes `true`, `false` or a table"),
    ("a slip in versions", f"{HEAD}versions = {{ kep = 5 }}\n",
        "f.toml:5:14: unknown key `kep`; did you mean `keep`?"),
    ("an unknown mode", f"{HEAD}mode = 'miror'\n",
        ("f.toml:5:1: `mode = miror`: `miror` is none of two-way, mirror, update; "
        "did you mean `mirror`?")),
    ("an unknown policy", f"{HEAD}on_conflict = ['newer', 'lft']\n",
        (f"f.toml:5:16: `on_conflict = newer,lft`: `lft` is none of {KNOWN_WORDS}; "
        "did you mean `left`?")),
    ("an empty list of policies", f"{HEAD}on_conflict = []\n",
        f"f.toml:5:1: `on_conflict = `: `` is none of {KNOWN_WORDS}"),
    ("an unknown right", f"{HEAD}rights = {{ left = 'edt' }}\n",
        ("f.toml:5:12: `rights_left = edt`: `edt` is none of create, edit, delete, all, none; "
        "did you mean `edit`?")),
    ("a pattern in the middle of a list", f"{HEAD}exclude = [\n  'a',\n  '[b',\n]\n",
        "f.toml:7:3: `exclude = [b`: no pattern that could match anything"),
    ("a preset nobody knows", f"{HEAD}preset = ['temp', 'tmp']\n",
        "f.toml:5:19: `preset = tmp`: `tmp` is none of hidden, temp, text; did you mean `temp`?"),
    ("a filter file that is not there", f"{HEAD}filter_from = 'x.ignore'\n",
        ("f.toml:5:1: `filter_from = /dir/x.ignore`: `/dir/x.ignore` cannot be read: "
        "No such file or directory")),
    ("an absolute marker", f"{HEAD}marker = '/here'\n",
        "f.toml:5:1: `require = /here`: not relative to the root of the trees"),
    ("an absolute selection", f"{HEAD}select = '/here'\n",
        "f.toml:5:1: `select = /here`: not relative to the root of the trees"),
    ("a share without its sign", f"{HEAD}max_change = '20'\n",
        "f.toml:5:1: `max_change = 20`: no share like `20%`"),
    ("a deletion under update", f"{HEAD}mode = 'update'\ndelete = true\n",
        "f.toml:6:1: `delete = true`: mode `update` deletes nothing"),
    ("a bad age of versions", f"{HEAD}[job.a.versions]\nmax_age = '90'\n",
        "f.toml:6:1: `versions_max_age = 90`: no duration like `2s`, `5m`, `1h30m` or `90d`"),
    ("a bad value in the defaults only", f"{HEAD}[defaults]\nwindow = '2'\n",
        "f.toml:6:1: `window = 2`: no duration like `2s`, `5m`, `1h30m` or `90d`"),
    ("CRLF moves no line", f"{HEAD}compress = 'yes'\n".replace("\n", "\r\n"),
        "f.toml:5:1: `compress` takes `true` or `false`, like `true`"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sentence"), [row[1:] for row in ONE_FAULT], ids=[row[0] for row in ONE_FAULT]
)
def test_a_slip_is_told_with_its_place(text: str, sentence: str) -> None:
    assert faults_of(text) == [sentence]


def test_everything_is_told_at_once_in_the_order_of_the_lines() -> None:
    text = "version = 3\nx = 1\n[job.a]\nmode = 'z'\nlft = 'l'\n"
    assert [fault.split(": ")[0] for fault in faults_of(text)] == [
        "f.toml:1:1", "f.toml:2:1", "f.toml:3:1", "f.toml:3:1", "f.toml:4:1", "f.toml:5:1",
    ]  # fmt: skip


def test_bytes_that_are_no_text_are_told_with_their_line() -> None:
    _, faults = read_book([Document("f.toml", "/", b"version = 1\n# \xff\n")])
    assert [str(fault) for fault in faults] == ["f.toml:2:3: this is not UTF-8"]


def test_nested_without_end_is_a_fault_and_no_crash() -> None:
    assert faults_of("a = " + "[" * 5000) == ["f.toml:1:1: values are nested too deeply"]


def test_a_mark_of_byte_order_is_no_slip() -> None:
    assert faults_of("\ufeff" + HEAD) == []


def test_a_job_stands_in_the_order_of_the_files_and_knows_its_place() -> None:
    book = book_of('[job.b]\nleft = "x"\nright = "y"\n', HEAD)
    assert [(name, entry.spot.origin) for name, entry in book.jobs.items()] == [
        ("b", "0.toml:1"), ("a", "f.toml:2"),
    ]  # fmt: skip
    assert book.files == ("0.toml", "f.toml")


def test_a_job_in_two_files_is_told() -> None:
    pair = '[job.a]\nleft = "x"\nright = "y"\n'
    _, faults = read_book([document(pair, "0.toml", is_included=True), document(HEAD)])
    assert [str(fault) for fault in faults] == ["f.toml:2:1: job `a` stands in 0.toml:1 already"]


def test_the_including_file_s_defaults_go_before_the_included_ones() -> None:
    book = book_of(
        "[defaults]\nmode = 'mirror'\nwindow = '9s'\n", f"{HEAD}[defaults]\nmode='update'"
    )
    assert [dict(layer).keys() for layer in book.jobs["a"].layers] == [
        {"mode", "window"}, {"mode"}, {"left", "right"},
    ]  # fmt: skip


def test_an_included_file_includes_no_other_and_needs_no_version() -> None:
    _, faults = read_book([document("include = 'x'\n", "0.toml", is_included=True), document(HEAD)])
    assert [str(fault) for fault in faults] == ["0.toml:1:1: an included file includes no other"]


def test_includes_are_told_with_their_places() -> None:
    found = includes_of(document("version = 1\ninclude = ['a.toml',\n 'b/*.toml']\n"))
    assert [(name, spot.line, spot.column) for name, spot in found] == [
        ("a.toml", 2, 12), ("b/*.toml", 3, 2),
    ]  # fmt: skip
    assert includes_of(document("include = 3")) == ()
    assert includes_of(document("not toml")) == ()


def test_marker_and_require_add_up() -> None:
    entry = book_of(f"{HEAD}require = ['a', 'b']\nmarker = 'c'\n").jobs["a"]
    said = entry.said("require")
    assert said is not None
    assert list(said.parts()) == [
        ("a", ("f.toml", 5, 12)), ("b", ("f.toml", 5, 17)), ("c", ("f.toml", 6, 1)),
    ]  # fmt: skip


def test_every_option_of_a_job_has_a_key_or_a_reason_against_one() -> None:
    options = {o.dest for verb in ("diff", "apply") for o in options_of(verb) if not o.face}
    named = {option for key in (*JOB_KEYS, *VERSION_KEYS) for option in key.options}
    assert options - named - {"keep_versions", "state_dir"} == set(ONCE), "a key is missing"
    sides = {"left", "right", "labels_left", "labels_right"}
    lifted = {"allow_empty_side", "space_check"}  # `--allow empty-side`, `--allow space`
    of_versions = {option for key in VERSION_KEYS for option in key.options}
    assert named - options - sides - lifted == of_versions


@pytest.mark.parametrize("key", JOB_KEYS, ids=lambda key: str(key.name))
def test_examples_and_defaults_are_values_that_are_taken(key: object) -> None:
    assert key in JOB_KEYS
    known = key_named(getattr(key, "name", ""))
    assert known is not None
    for value in filter(None, (known.example, known.default)):
        line = f"[defaults]\n{known.name} = {value}\n"
        told = [fault for fault in faults_of(HEAD + line) if "cannot be read" not in fault]
        assert told == []


def test_the_examples_of_an_endpoint_are_taken() -> None:
    lines = "".join(f"{key.name} = {key.example}\n" for key in ENDPOINT_KEYS)
    assert faults_of(f"version = 1\n[endpoint.nas]\n{lines}") == []


def test_a_job_s_own_variables_are_spelled_with_underscores() -> None:
    assert own_prefix("photos-2.old") == "RECONCILE_JOB__PHOTOS_2_OLD__"
