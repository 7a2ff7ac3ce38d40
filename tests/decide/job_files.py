"""Job files by hand, for the tests."""

from reconcile.decide.job_file import Book, Document, Fault, read_book
from reconcile.decide.settle import check
from reconcile.model.errors import UsageError

PAIR = '[job.a]\nleft = "l"\nright = "r"\n'
HEAD = f"version = 1\n{PAIR}"


def document(text: str, name: str = "f.toml", *, is_included: bool = False) -> Document:
    return Document(name, "/dir", text.encode(), is_included)


def no_file(name: str) -> bytes:
    raise UsageError(f"`{name}` cannot be read: No such file or directory")


def book_of(*texts: str) -> Book:
    """The book of a file without a fault, after those it includes."""
    *included, last = texts
    pages = [
        document(text, f"{number}.toml", is_included=True) for number, text in enumerate(included)
    ]
    book, faults = read_book([*pages, document(last)])
    assert faults == ()
    return book


def faults_of(text: str) -> list[str]:
    """What is wrong with a file and with its values, each as it is told."""
    book, shape = read_book([document(text)])
    values = {
        Fault(wrong.spot, wrong.sentence)
        for layers in (book.defaults, *(entry.layers for entry in book.jobs.values()))
        for wrong in check(layers, no_file)
        if wrong.spot is not None
    }
    return [str(fault) for fault in sorted({*shape, *values})]
