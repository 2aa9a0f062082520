"""The commands ``vidtag caches …``: what VidTAG keeps on this machine, and how to be rid of it."""

from __future__ import annotations

import json as json_module
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ..types import InputError
from .options import JsonOption
from .terminal import console, escaped, plain_errors, say_error

if TYPE_CHECKING:
    from ..cache_clearing import Outcome
    from ..cache_items import Item, Measured

LIST_EXAMPLES = """Examples:

    vidtag caches list

    vidtag caches list my-references my-town --json
"""
CLEAR_EXAMPLES = """Examples:

    vidtag caches clear --dry-run

    vidtag caches clear gallery network --older-than 30

    vidtag caches clear environment --dry-run

    vidtag caches clear reference-database my-references --dry-run
"""
_GROUPED = ("gallery", "guess")  # hundreds of them have names that tell a person nothing
_WIDTH_WITHOUT_TERMINAL = 220


class _ListByDefault(TyperGroup):
    """A group whose command ``list`` need not be named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in front of anything else than a command or a wish for help."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ListByDefault,
    help="What VidTAG keeps on this machine, how large it is, and how to be rid of it. `vidtag caches` alone lists it.",
)


@app.command("list", epilog=LIST_EXAMPLES)
def list_caches(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders in which stores of results, reference databases and stored features are looked for, too, at any depth."
        ),
    ] = None,
    *,
    each: Annotated[bool, typer.Option("--each", help="A line for every gallery and guess.")] = False,
    json: JsonOption = False,
) -> None:
    """List what VidTAG keeps in its folder of caches, the registered checkpoints, and what lies in folders that you name. Nothing is changed."""
    with plain_errors(json=json):
        from ..cache_items import measured, told
        from ..caches import below, cache_folder, checkpoints, elsewhere, in_cache

        cache = cache_folder()
        items = [*in_cache(cache), *checkpoints()]
        paths = {item.path.resolve() for item in items}
        items += [item for item in below(folders or [], cache) if item.path.resolve() not in paths]
        found = [(item, size) for item in items if (size := measured(item)) is not None]
        shared = elsewhere()
    total_bytes = sum(size.size_bytes for _, size in found)
    if json:
        entries = [told(item, size) for item, size in found]
        _print_json({"folder": str(cache), "total_bytes": total_bytes, "entries": entries, "elsewhere": shared})
        return
    _print_table(found, each=each)
    print(f"{_mb(total_bytes)} in all. VidTAG's folder of caches is {cache}.")
    for one in shared:
        print(f"Shared with other programs and left alone: {one['what']}, in {one['path']}.")


@app.command(epilog=CLEAR_EXAMPLES)
def clear(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            help="Kinds (gallery, network, guess, unfinished, pictures, environment, features, store, reference-database), and for the last three their "
            "very folders. Without any: gallery, network, guess and unfinished."
        ),
    ] = None,
    *,
    older_than: Annotated[float | None, typer.Option("--older-than", help="Only what was last used before so many days.")] = None,
    even_unmerged: Annotated[
        bool, typer.Option("--even-unmerged", help="Also a store whose results no GeoPackage beside it has: they are gone then.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Clear caches: show what would go and how much space that frees, ask, and remove it. Without arguments nothing goes that is not made again by itself.

    What is in use stays, and so does what VidTAG does not know. The exit status is 2 where something could not be cleared; the rest is done then.
    """
    with plain_errors(json=json):
        from ..cache_clearing import clear as run
        from ..cache_clearing import planned, request_of
        from ..caches import cache_folder

        if json and not (yes or dry_run):
            raise InputError("With --json nobody is asked: add --yes to clear, or --dry-run to see what would go.")
        request = request_of(what or [], older_than, even_unmerged=even_unmerged)
        plan = planned(request, cache_folder())
        if not json:
            _print_table(plan.cleared, each=False)
            _print_kept(plan)
            print(f"{len(plan.cleared)} to clear, which frees {_mb(plan.freed_bytes)}.")
        go_on = plan.cleared and not dry_run and (yes or _agreed())
        done = run(plan, request) if go_on else None
    if json:
        _print_json(_told(done or plan, dry_run=dry_run))
    elif done is not None:
        _print_kept(done, but=plan)
        print(f"Freed {_mb(done.freed_bytes)}.")
    elif not dry_run:
        print("Nothing was cleared.")
    if done is not None and done.error:
        say_error(done.error)
        raise typer.Exit(InputError.exit_status)


def _agreed() -> bool:
    """Ask the person at the terminal. Raises InputError where nobody answers."""
    try:
        return typer.confirm("Clear them?", default=False)
    except typer.Abort:
        raise InputError("Nothing was cleared, because nobody answered: add --yes, or answer the question.") from None


def _told(done: Outcome, *, dry_run: bool) -> dict[str, Any]:
    from ..cache_items import told

    return {
        "dry_run": dry_run,
        "freed_bytes": done.freed_bytes,
        "cleared": [told(item, size) for item, size in done.cleared],
        "kept": [{"kind": item.kind, "path": str(item.path), "why": why} for item, why in done.kept],
        "failed": [{"kind": item.kind, "path": str(item.path), "why": why} for item, why in done.failed],
        **({"error": done.error} if done.error else {}),
    }


def _print_json(values: dict[str, Any]) -> None:
    print(json_module.dumps(values, ensure_ascii=False))


def _print_kept(done: Outcome, but: Outcome | None = None) -> None:
    """What stays and why, as notes; without what was said before."""
    for item, why in done.kept[len(but.kept) if but else 0 :]:
        console().print(f"[yellow]Note:[/] {escaped(str(item.path))} stays: {escaped(why)}.", highlight=False, soft_wrap=True)


def _print_table(found: list[tuple[Item, Measured]], *, each: bool) -> None:
    """A line a thing, of some kinds a line for all in a folder, and what clearing each kind costs."""
    from rich.console import Console
    from rich.table import Table

    from ..cache_items import KINDS

    screen = Console()
    if not screen.is_terminal:
        screen = Console(width=_WIDTH_WITHOUT_TERMINAL)
    table = Table("kind", "what")
    for heading in ("MB", "files"):
        table.add_column(heading, justify="right")
    table.add_column("last used", no_wrap=True)
    table.add_column("where", overflow="fold")
    shown = list(KINDS)
    rows = _rows(found, each=each)
    for kind, what, size_bytes, files, used_s, where in sorted(rows, key=lambda row: (shown.index(row[0]), -row[2], row[1])):
        day = f"{datetime.fromtimestamp(used_s).astimezone():%Y-%m-%d}"
        table.add_row(kind, escaped(what), f"{size_bytes / 1e6:,.1f}", f"{files:,}", day, escaped(str(where)))
    if rows:
        screen.print(table)
    for name in shown:
        if any(row[0] == name for row in rows):
            print(f"{name}, when it is cleared: {KINDS[name].cost}" if KINDS[name].cleared else f"{name}: {KINDS[name].cost}")


def _rows(found: list[tuple[Item, Measured]], *, each: bool) -> list[tuple[str, str, int, int, float, Path]]:
    """Kind, what, bytes, files, last use in seconds since 1970, and where."""
    from ..cache_items import KINDS

    rows = []
    groups: dict[tuple[str, Path], list[Measured]] = {}
    for item, size in found:
        if item.kind in _GROUPED and not each:
            groups.setdefault((item.kind, item.path.parent), []).append(size)
        else:
            rows.append((item.kind, item.name, size.size_bytes, size.files, size.last_used_s, item.path))
    for (kind, folder), sizes in groups.items():
        said = f"{len(sizes):,} {KINDS[kind].plural if len(sizes) > 1 else kind}"
        newest_s = max(one.last_used_s for one in sizes)
        rows.append((kind, said, sum(one.size_bytes for one in sizes), sum(one.files for one in sizes), newest_s, folder))
    return rows


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"
