"""More bad files: shapes, rules of pages, lists, ids and counts. See `make_reject`."""

from hashlib import sha256
from itertools import pairwise

from backports import zstd

from tests.vectors.handmade import (
    DIR,
    FILE,
    IGNORED,
    LINK,
    SPECIAL,
    Handmade,
    Row,
    directory,
    file,
    pack,
    page_id,
    tree_id,
)
from tests.vectors.make_reject import GOOD, ROWS, breaks, of_raw, of_rows


@breaks("shape")
def page_that_is_no_msgpack() -> bytes:
    """A reserved byte."""
    return of_raw(b"\xc1")


@breaks("shape")
def bytes_after_a_page() -> bytes:
    """Something follows the page."""
    return of_raw(pack([ROWS, []]) + b"\xc0")


@breaks("shape")
def array_of_4_billion() -> bytes:
    """An array that claims 2^32 − 1 entries."""
    return of_raw(b"\x92\xdd\xff\xff\xff\xff\x90")


@breaks("shape")
def nested_10000_deep() -> bytes:
    """Arrays in arrays."""
    return of_raw(b"\x91" * 10000 + b"\x90")


@breaks("shape")
def kind_7() -> bytes:
    """A kind that is not known."""
    return of_raw(pack([[[b"a", 7, 0, 0, 0, b"", []]], []]))


@breaks("shape")
def name_that_is_text() -> bytes:
    """A name as `str`."""
    return of_raw(pack([[["a", IGNORED]], []]))


@breaks("shape")
def name_of_256_bytes() -> bytes:
    """A name one byte too long."""
    return of_raw(pack([[[b"x" * 256, IGNORED]], []]))


@breaks("shape")
def negative_size() -> bytes:
    """A file of −1 bytes."""
    return of_raw(pack([[[b"a", FILE, -1, 0, 0, b"\0" * 32, []]], []]))


@breaks("shape")
def mode_past_7777() -> bytes:
    """A mode with a type bit."""
    return of_raw(pack([[[b"a", FILE, 0, 0, 0o100644, b"\0" * 32, []]], []]))


@breaks("shape")
def seventeen_extras() -> bytes:
    """One pair too many."""
    extra = [[f"k{number:02}", b""] for number in range(17)]
    return of_raw(pack([[[b"a", FILE, 0, 0, 0, b"\0" * 32, extra]], []]))


@breaks("page")
def empty_name() -> bytes:
    """A name without a byte."""
    return of_rows(file(b""))


@breaks("page")
def name_dot() -> bytes:
    """`.`"""
    return of_rows(file(b"."))


@breaks("page")
def name_dot_dot() -> bytes:
    """`..`, after another name."""
    return of_rows(file(b"-"), file(b".."))


@breaks("page")
def name_with_a_slash() -> bytes:
    """`../x`"""
    return of_rows(file(b"../x"))


@breaks("page")
def name_with_a_nul() -> bytes:
    """A NUL in a name."""
    return of_rows(file(b"a\0b"))


@breaks("page")
def names_out_of_order() -> bytes:
    """`b` before `a`."""
    return of_rows(file(b"b"), file(b"a"))


@breaks("page")
def name_twice() -> bytes:
    """`a` two times."""
    return of_rows(file(b"a"), file(b"a", b"other"))


@breaks("page")
def file_without_an_id() -> bytes:
    """A file whose id is empty."""
    return of_rows([b"a", FILE, 0, 0, 0, b"", []])


@breaks("page")
def directory_with_half_an_id() -> bytes:
    """A directory whose id has 16 bytes."""
    made = Handmade()
    child = made.page([])
    return made.simple([[b"d", DIR, 0, 0, 0, b"\0" * 16, []]], [child])


@breaks("page")
def link_to_nothing() -> bytes:
    """A link whose target is empty."""
    return of_rows([b"a", LINK, 0, 0, 0, b"", []])


@breaks("page")
def reason_of_256_bytes() -> bytes:
    """A reason that is too long."""
    return of_rows([b"a", SPECIAL, 0, 0, 0, b"x" * 256, []])


@breaks("page")
def ignored_with_an_id() -> bytes:
    """An IGNORED entry with an id."""
    return of_rows([b"a", IGNORED, 0, 0, 0, b"\0" * 32, []])


@breaks("page")
def extras_out_of_order() -> bytes:
    """Two extras of one name."""
    return of_rows([b"a", FILE, 0, 0, 0, b"\0" * 32, [["token", b"1"], ["token", b"2"]]])


@breaks("places")
def directory_without_a_place() -> bytes:
    """One directory, no place."""
    return of_rows(directory(b"d", page_id([])))


@breaks("places")
def place_without_a_directory() -> bytes:
    """No directory, one place."""
    made = Handmade()
    child = made.page([])
    return made.simple(ROWS, [child])


@breaks("tree-id")
def child_of_another_id() -> bytes:
    """A directory's id is not that of its entries."""
    made = Handmade()
    child = made.page(ROWS)
    return made.simple([directory(b"d", b"\1" * 32)], [child])


@breaks("tree-id")
def root_of_another_id() -> bytes:
    """The root's id is not that of its entries."""
    made = Handmade()
    return made.finish(made.page(ROWS), directory(b"", b"\1" * 32))


@breaks("tree-id")
def poison_that_claims_an_id() -> bytes:
    """A fifo in a directory that has an id."""
    made = Handmade()
    rows = [[b"p", SPECIAL, 0, 0, 0, b"fifo", []]]
    return made.finish(made.page(rows), directory(b"", b"\1" * 32))


@breaks("tree-id")
def clean_directory_without_an_id() -> bytes:
    """Nothing below is unknown, and the id is empty."""
    made = Handmade()
    return made.finish(made.page(ROWS), directory(b"", b""))


@breaks("depth")
def name_at_depth_129() -> bytes:
    """129 names, one under the other."""
    made = Handmade()
    rows: list[Row] = []
    places = []
    for _ in range(129):
        places = [made.page(rows, places)]
        rows = [directory(b"d", page_id(rows))]
    return made.simple(rows, places)


@breaks("depth")
def path_of_4097_bytes() -> bytes:
    """Sixteen names of 255 bytes and one that is a byte too long."""
    made = Handmade()
    rows: list[Row] = [file(b"xx")]
    places = []
    for _ in range(16):
        places = [made.page(rows, places)]
        rows = [directory(b"d" * 255, page_id(rows))]
    return made.simple(rows, places)


def is_cut(name: bytes) -> bool:
    """FORMAT.md §4.3."""
    end = sha256(name).digest()[-2:]
    return end[1] == 0 and end[0] % 4 == 0


NAMES = [b"%05d" % number for number in range(20_000)]
CUTS = [number for number, name in enumerate(NAMES) if is_cut(name)]
CUT, NEXT_CUT = next((a, b) for a, b in pairwise(CUTS) if 1100 < b - a < 8000)
"""Two cuts with a page of more than 1,024 names between them."""


def small(names: list[bytes]) -> list[Row]:
    """Visible entries of few bytes: links to `x`."""
    return [[name, LINK, 0, 0, 0, b"x", []] for name in names]


FIRST = small([NAMES[CUT]])
REST = small(NAMES[CUT + 1 : CUT + 1026])
"""The two pages of a directory of 1,026 entries."""


def listed(*groups: list[Row], **changes: object) -> bytes:
    """A root of several pages; `changes` to the second row of the list."""
    made = Handmade()
    rows = []
    for number, group in enumerate(groups):
        last = b"" if number == len(groups) - 1 else group[-1][0]
        rows.append([page_id(group), last, len(group), made.page(group)])
    for position, field in enumerate(("id", "last", "entries")):
        rows[1][position] = changes.get(field, rows[1][position])
    return made.finish(made.pages(rows), directory(b"", tree_id([row[0] for row in rows])))


@breaks("list")
def last_page_with_a_bound() -> bytes:
    """The last page of a list has an upper bound."""
    return listed(FIRST, REST, last=REST[-1][0])


@breaks("list")
def bounds_that_do_not_ascend() -> bytes:
    """Two pages that end in one name."""
    return listed(FIRST, REST, small([b"y"]), last=NAMES[CUT])


@breaks("list")
def page_that_lists_no_entries() -> bytes:
    """A page of no entries."""
    return listed(FIRST, REST, entries=0)


@breaks("list")
def page_of_another_count() -> bytes:
    """A list that counts one entry too many."""
    return listed(FIRST, REST, entries=len(REST) + 1)


@breaks("list")
def page_id_of_31_bytes() -> bytes:
    """A page id that is too short."""
    return listed(FIRST, REST, id=b"\1" * 31)


@breaks("page")
def name_past_its_page() -> bytes:
    """The second page holds a name of the first page's range."""
    return listed(FIRST, small([NAMES[CUT - 1]]) + REST)


@breaks("cut")
def page_that_ends_where_no_cut_is() -> bytes:
    """The bound of the first page is no cut."""
    return listed(FIRST + REST[:1], REST[1:])


@breaks("tree-id")
def page_of_another_id() -> bytes:
    """A list names an id that its page has not."""
    return listed(FIRST, REST, id=b"\1" * 32)


@breaks("tree-id")
def large_directory_of_another_id() -> bytes:
    """The id of a directory in pages is not that of its pages."""
    made = Handmade()
    rows = [[page_id(FIRST), NAMES[CUT], 1, made.page(FIRST)]]
    rows.append([page_id(REST), b"", len(REST), made.page(REST)])
    return made.finish(made.pages(rows), directory(b"", b"\1" * 32))


@breaks("shape")
def list_of_one_page() -> bytes:
    """A list with a single row."""
    made = Handmade()
    place = made.page(ROWS)
    own_id = page_id(ROWS)
    return made.finish(made.pages([[own_id, b"", 2, place]]), directory(b"", own_id))


@breaks("cut")
def page_of_8193_entries() -> bytes:
    """One visible entry more than a page may hold."""
    made = Handmade(coding="zstd")
    rows = small(NAMES[:8193])
    made.count(rows)
    raw = pack([rows, []])
    place = made.record(raw, code=1, stored=zstd.compress(raw, 19))
    return made.finish(place, directory(b"", page_id(rows)))


@breaks("cut", whole=True)
def small_directory_in_pages() -> bytes:
    """Two pages for fewer than 1,025 visible entries."""
    return listed(FIRST, REST[:2])


@breaks("cut", whole=True)
def large_directory_in_one_page() -> bytes:
    """One page for 1,025 visible entries."""
    return of_rows(*small(NAMES[:1025]))


@breaks("cut", whole=True)
def page_that_runs_past_a_cut() -> bytes:
    """A cut stands inside the second page."""
    cut = next(a for a, b in pairwise(CUTS) if b - a < 1000)
    return listed(small(NAMES[cut : cut + 1]), small(NAMES[cut + 1 : cut + 1100]))


@breaks("record-type")
def list_in_a_list() -> bytes:
    """A page list where a page should be."""
    made = Handmade()
    inner = []
    for group, last in ((FIRST, NAMES[CUT]), (REST, b"")):
        inner.append([page_id(group), last, len(group), made.page(group)])
    inner_id = tree_id([row[0] for row in inner])
    outer: list[Row] = [[inner_id, NAMES[NEXT_CUT], 1026, made.pages(inner)]]
    final = small(NAMES[NEXT_CUT + 1 : NEXT_CUT + 3])
    outer.append([page_id(final), b"", 2, made.page(final)])
    return made.finish(made.pages(outer), directory(b"", tree_id([row[0] for row in outer])))


@breaks("counts", whole=True)
def one_file_too_few() -> bytes:
    """The trailer counts one file of two."""
    made = Handmade()
    counts = [1, 0, 0, 0, 0, 2, 1]
    return made.finish(made.page(ROWS), directory(b"", page_id(ROWS)), counts=counts)


@breaks("counts", whole=True)
def one_byte_too_many() -> bytes:
    """The trailer counts three bytes of two."""
    made = Handmade()
    counts = [2, 0, 0, 0, 0, 3, 1]
    return made.finish(made.page(ROWS), directory(b"", page_id(ROWS)), counts=counts)


@breaks("digest")
def spliced() -> bytes:
    """The front of one file, the rest of another."""
    other = Handmade([1, "sha256", [True, False, False, False], "zstd", "by hand", 0])
    return other.front + GOOD[len(other.front) :]
