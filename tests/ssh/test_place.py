"""Places on other machines: what a name means, what is refused, and that it survives writing."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.model.errors import SecretInUrl, UsageError
from reconcile.trees.ssh.place import SshPlace, parse_host, parse_place

MEANT = {
    "ssh://h/srv": SshPlace("ssh", "h", b"/srv"),
    "SSH://me@h:2222/srv/": SshPlace("ssh", "h", b"/srv", "me", 2222),
    "ssh://h/": SshPlace("ssh", "h", b"/"),
    "ssh://h/~": SshPlace("ssh", "h", b"~"),
    "ssh://h/~/a%20b/./c": SshPlace("ssh", "h", b"~/a b/c"),
    "ssh://h/%7E/x": SshPlace("ssh", "h", b"/~/x"),
    "ssh://h/~bob": SshPlace("ssh", "h", b"/~bob"),
    "ssh://h/a%ff": SshPlace("ssh", "h", b"/a\xff"),
    "ssh://a@realm@h/x": SshPlace("ssh", "h", b"/x", "a@realm"),
    "ssh://[fe80::1%25eth0]:22/x": SshPlace("ssh", "fe80::1%eth0", b"/x", "", 22),
    "sftp://h/x?identity=/k&jump=a@b:2,c": SshPlace(
        "sftp", "h", b"/x", identity="/k", jump="a@b:2,c"
    ),
    "ssh://h/x?agent=never&config=/c%20d": SshPlace(
        "ssh", "h", b"/x", agent="never", config="/c d"
    ),
    "ssh://h/x?agent=/opt/r/bin/reconcile": SshPlace(
        "ssh", "h", b"/x", agent="/opt/r/bin/reconcile"
    ),
    "h:": SshPlace("ssh", "h", b"~"),
    "h:photos//2026/": SshPlace("ssh", "h", b"~/photos/2026"),
    "me@h:/srv": SshPlace("ssh", "h", b"/srv", "me"),
    "h:~/x": SshPlace("ssh", "h", b"~/x"),
    "h:a:b": SshPlace("ssh", "h", b"~/a:b"),
    "h:./~x": SshPlace("ssh", "h", b"~/~x"),
    "[::1]:x": SshPlace("ssh", "::1", b"~/x"),
    "me@[::1]:/x": SshPlace("ssh", "::1", b"/x", "me"),
}


@pytest.mark.parametrize("text", MEANT)
def test_a_name_means_this_place(text: str) -> None:
    assert parse_place(text) == MEANT[text]


@pytest.mark.parametrize("text", ["/srv", "srv", "./h:x", "a/b:c", "file:///x", "s3://b/x", "x"])
def test_what_has_no_host_is_no_place(text: str) -> None:
    assert parse_place(text) is None


REFUSED = [
    "ssh://-oProxyCommand=id/x", "ssh://-l@h/x", "-oX:y", "ssh://h;id/x", "ssh://$(id)@h/x",
    "ssh://h%0a/x", "ssh://a%0ab@h/x", "ssh://%2doX/x", "ssh://h'/x", "ssh:///x", ":x", "a b:x",
    "ssh://h", "ssh://h/a/../b", "h:../x", "ssh://h/%00", "h:~bob/x", "ssh://h/" + "x" * 4097,
    "ssh://h:0/x", "ssh://h:99999/x", "ssh://h:22x/x", "ssh://[::1/x", "ssh://[h]/x",
    "ssh://h/x?agent=auto&agent=auto", "ssh://h/x?agent=bin/reconcile", "ssh://h/x?agent=/a%0ab",
    "ssh://h/x?jump=-oX", "ssh://h/x?jump=a,,b", "ssh://h/x?jump=[fe80::1%25e]",
    "ssh://h/x?identity=", "ssh://h/x?agent",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_this_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_place(text)


def test_an_unknown_option_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        parse_place("ssh://h/x?key=/k")
    assert caught.value.hint == "known are agent=, config=, identity=, jump="
    with pytest.raises(UsageError, match="agent"):
        parse_place("sftp://h/x?agent=never")


@pytest.mark.parametrize(
    "text", ["ssh://me:geheim@h/x", "me:geheim@h:/x", "ssh://h/x?jump=me:geheim@j"]
)
def test_a_password_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SecretInUrl) as caught:
        parse_place(text)
    assert "geheim" not in f"{caught.value.message} {caught.value.where} {caught.value.hint}"


def test_one_directory_has_one_name_whatever_lets_us_in() -> None:
    one = parse_place("ssh://h/x?identity=/k&agent=carry")
    two = parse_place("h:/x")
    other = parse_place("ssh://h/x?jump=j")
    assert one is not None
    assert two is not None
    assert other is not None
    assert one.name == two.name == "ssh://h/x"
    assert other.name == "ssh://h/x?jump=j"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("nas", "nas"),
        ("me@nas:2222", "me@nas:2222"),
        ("ssh://nas", "nas"),
        ("ssh://me@[::1]:22/x?config=/c", "me@[::1]:22"),
    ],
)
def test_a_host_alone_is_enough_to_be_trusted(text: str, address: str) -> None:
    assert parse_host(text).address == address


@pytest.mark.parametrize("text", ["", "nas:photos", "-oX", "http://nas/", "/srv"])
def test_this_is_no_host(text: str) -> None:
    with pytest.raises(UsageError):
        parse_host(text)


LETTERS = string.ascii_letters + string.digits
HOSTS = st.from_regex(r"[a-z0-9_][a-z0-9_.-]{0,20}", fullmatch=True) | st.sampled_from(
    ["::1", "fe80::1%eth0", "2001:db8::7"]
)
PART = st.binary(min_size=1, max_size=12).filter(
    lambda part: part not in (b".", b"..") and not {0, 47} & set(part)
)
PATHS = st.lists(PART, max_size=5).flatmap(
    lambda parts: st.sampled_from([b"/" + b"/".join(parts), b"/".join([b"~", *parts])])
)
FILES = st.just("") | st.text(LETTERS + " ?&=%#~é", min_size=1).map(lambda name: "/" + name)
PLACES = st.builds(
    SshPlace,
    scheme=st.just("ssh"),
    host=HOSTS,
    path=PATHS,
    user=st.just("") | st.from_regex(r"[a-zäé][a-z.@+=,-]{0,9}", fullmatch=True),
    port=st.integers(0, 65535),
    agent=st.sampled_from(["auto", "carry", "never", "/opt/a b/reconcile"]),
    identity=FILES,
    jump=st.sampled_from(["", "j", "me@j:22,[::1]:2"]),
    config=FILES,
)


@given(PLACES)
def test_what_is_written_is_read_back(place: SshPlace) -> None:
    assert parse_place(place.url) == place
    assert place.url.isascii()


@given(st.text())
def test_no_text_is_understood_in_part(text: str) -> None:
    for scheme in ("ssh://", "sftp://", ""):
        try:
            place = parse_place(scheme + text)
        except UsageError:
            continue
        if place is not None:
            assert parse_place(place.url) == place
            assert not place.host.startswith("-")
            assert not place.user.startswith("-")
            assert place.host.isprintable()
