"""`reconcile help`: a command's options, what an error code means, or a page of the manual."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from reconcile.cli import manual_pages, top_help, verb_help
from reconcile.cli.face import Face
from reconcile.cli.look import Look
from reconcile.cli.manual_pages import TOPICS
from reconcile.cli.markdown import Block
from reconcile.cli.render_manual import page_lines
from reconcile.cli.verb_table import VERBS, verb_named
from reconcile.model.errors import ExitCode, UsageError


def run(face: Face) -> int:
    """0. Raises: UsageError, for what nothing is written about."""
    word = " ".join(face.words)
    if not word:
        return _answer(face, "", "index", [*top_help.lines(face.out.columns), *_topics()])
    if word in TOPICS:
        return _answer(face, word, "topic", _page(manual_pages.topic_blocks(word), face))
    if verb_named(word) is not None or any(v.name.startswith(word + " ") for v in VERBS):
        return _answer(face, word, "command", command_help(face.words, face.out.columns))
    code = manual_pages.error_code(word)
    blocks = manual_pages.error_blocks(code)
    if not blocks:
        raise _unknown(word)
    head = face.out.paint(code, "bold")
    return _answer(face, code, "error", [head, "", *_page(blocks, face)])


def command_help(words: list[str], columns: int = 80) -> list[str]:
    """What `reconcile WORDS --help-all` prints."""
    verb = verb_named(" ".join(words))
    if words[0] in top_help.FAMILIES and len(words) == 1:
        return verb_help.family_lines(words[0], columns)
    assert verb is not None
    return verb_help.verb_lines(verb, columns, whole=True)


def _page(blocks: Sequence[Block], face: Face) -> Iterable[str]:
    return page_lines(blocks, Look() if face.is_json else face.out)


def _topics() -> Iterable[str]:
    yield ""
    yield "reconcile help TOPIC:"
    for name, (_, about) in TOPICS.items():
        yield f"  {name:<12}{about}"
    yield f"  {'E_LOCKED':<12}What an error code means."


def _answer(face: Face, topic: str, kind: str, lines: Iterable[str]) -> int:
    if face.is_json:
        from reconcile.cli.start_json import HelpDocument

        face.document(HelpDocument(topic=topic, kind=kind, text="\n".join(lines) + "\n"))
    else:
        for line in lines:
            face.say(line)
    return ExitCode.OK


def _unknown(word: str) -> UsageError:
    codes = manual_pages.error_codes()
    known = [*TOPICS, *(verb.name for verb in VERBS)]
    close = get_close_matches(word.lower(), known, 1, 0.6)
    close = close or get_close_matches(manual_pages.error_code(word), codes, 1, 0.6)
    hint = f"did you mean: reconcile help {close[0]}" if close else "reconcile help lists all"
    return UsageError(f"nothing is written about `{word}`", hint=hint)
