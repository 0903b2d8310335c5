"""`completion`: a script that makes a shell complete commands, options and their values.

The script is made from the parsers, and starts no Python for what they know. For names that only
a store knows it calls `pipestat-spec __candidates KIND PREFIX WORDS...`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from pipestat_spec.cli.dispatch import CANDIDATES, COMMANDS, build_parser, plugin_commands

if TYPE_CHECKING:
    import argparse

    from pipestat_spec.cli.parser import CommandParser

__all__ = ["configure"]

SHELLS = ("bash", "zsh", "fish")
# What `__candidates` knows of the values of an argument, by the name under which it is kept.
_KINDS = {
    "record_identifier": "records",
    "result_identifier": "results",
    "columns": "columns",
    "sort": "columns",
    "distinct": "columns",
    "status": "statuses",
    "only": "statuses",
    "verdict": "verdicts",
}


class Option(NamedTuple):
    """One option of a command: how it is written, what it takes, what it is for."""

    strings: tuple[str, ...]
    takes_value: bool
    choices: tuple[str, ...]
    kind: str
    help: str


class Completion(NamedTuple):
    """What can follow one command."""

    name: str
    help: str
    options: tuple[Option, ...]
    choices: tuple[str, ...]
    kind: str
    files: bool


def configure(parser: CommandParser) -> None:
    """Fill the parser of `completion`."""
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(run=_run)
    parser.examples(
        "source <(pipestat-spec completion bash)        # in ~/.bashrc",
        "source <(pipestat-spec completion zsh)         # in ~/.zshrc, after compinit",
        "pipestat-spec completion fish > ~/.config/fish/completions/pipestat-spec.fish",
    )


def _run(args: argparse.Namespace) -> int:
    commands = list(_completions())
    print({"bash": _bash, "zsh": _zsh, "fish": _fish}[args.shell](commands))
    return 0


def _completions() -> Iterator[Completion]:
    from pipestat_spec.cli.parser import CommandParser

    for name in COMMANDS:
        yield _completion(name, build_parser(name), COMMANDS[name].help)
    for command in plugin_commands():
        parser = CommandParser(command.name, command.help)
        command.configure(parser)
        yield _completion(command.name, parser, command.help)


def _completion(name: str, parser: CommandParser, help: str) -> Completion:
    options: list[Option] = []
    choices: tuple[str, ...] = ()
    kind = ""
    files = False
    for action in parser.actions():
        values = tuple(map(str, action.choices or ()))
        if action.option_strings:
            shown = (action.help or "").replace("%%", "%")
            known = _KINDS.get(action.dest, "")
            strings = tuple(action.option_strings)
            options.append(Option(strings, action.nargs != 0, values, known, shown))
        else:
            choices += values
            kind = _KINDS.get(action.dest, "")
            files = files or not (values or kind)
    return Completion(name, help, tuple(options), choices, kind, files)


def _words(commands: list[Completion]) -> dict[str, list[str]]:
    """Return the second words by first word, for groups such as `status`."""
    groups: dict[str, list[str]] = {}
    for command in commands:
        first, _, second = command.name.partition(" ")
        groups.setdefault(first, []).extend([second] if second else [])
    return groups


def _bash(commands: list[Completion]) -> str:
    groups = _words(commands)
    seconds = "".join(
        f'            "{first}") words="{" ".join(words)}" ;;\n'
        for first, words in groups.items()
        if words
    )
    options = "".join(
        f'        "{c.name}") words="'
        f'{" ".join([*(s for o in c.options for s in o.strings), *c.choices])}"'
        f"{f' kind={c.kind}' if c.kind else ''} ;;\n"
        for c in commands
    )
    values = "".join(
        f'        "{c.name}:{string}") words="{" ".join(o.choices)}" ;;\n'
        if o.choices
        else f'        "{c.name}:{string}") kind={o.kind} ;;\n'
        if o.kind
        else f'        "{c.name}:{string}") files=1 ;;\n'
        for c in commands
        for o in c.options
        if o.takes_value
        for string in o.strings
    )
    return _BASH.format(
        firsts=" ".join(groups),
        groups="|".join(first for first, words in groups.items() if words),
        seconds=seconds,
        options=options,
        values=values,
        candidates=CANDIDATES,
    ).rstrip()


_BASH = """\
_pipestat_spec() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
    local command="${{COMP_WORDS[1]}}" words="" files="" kind="" line
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{firsts} --help --version" -- "$current"))
        return
    fi
    case "$command" in
        {groups})
            case "$command" in
{seconds}            esac
            case "$COMP_CWORD $current" in
                "2 -"*) ;;
                "2 "*) COMPREPLY=($(compgen -W "$words" -- "$current")); return ;;
            esac
            # A command may have options of its own beside the commands below it.
            case " $words " in
                *" ${{COMP_WORDS[2]}} "*) command="$command ${{COMP_WORDS[2]}}" ;;
            esac
            words="" ;;
    esac
    case "$command:$previous" in
{values}    esac
    if [ -z "$words$files$kind" ]; then
        case "$command" in
{options}        esac
        case "$current" in -*) kind="" ;; *) files=1 ;; esac
    fi
    if [ -n "$kind" ]; then
        # Names are data: compgen would expand what is in them.
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
            "${{COMP_WORDS[0]}}" {candidates} "$kind" "$current" \
                "${{COMP_WORDS[@]:1:COMP_CWORD-1}}" 2> /dev/null
        )
        return
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [ -n "$files" ]; then
        local IFS=$'\\n'
        COMPREPLY+=($(compgen -f -- "$current"))
    fi
}}
complete -o filenames -F _pipestat_spec pipestat-spec
"""


def _zsh(commands: list[Completion]) -> str:
    # zsh runs bash's completion functions, compgen included.
    return f"autoload -U +X bashcompinit && bashcompinit\n{_bash(commands)}"


def _fish(commands: list[Completion]) -> str:
    lines = ["complete -c pipestat-spec -f"]
    groups = _words(commands)
    first_word = "__fish_use_subcommand"
    for first, seconds in groups.items():
        help = next(c.help for c in commands if c.name.partition(" ")[0] == first)
        is_command = any(c.name == first for c in commands)
        about = help if is_command else f"{first} {'|'.join(seconds)}"
        lines.append(
            f"complete -c pipestat-spec -n {first_word} -a {first} -d {_fish_quote(about)}"
        )
        if seconds:
            condition = (
                f"__fish_seen_subcommand_from {first}; "
                f"and not __fish_seen_subcommand_from {' '.join(seconds)}"
            )
            lines += [
                f"complete -c pipestat-spec -n '{condition}' -a {command.name.split()[1]} "
                f"-d {_fish_quote(command.help)}"
                for command in commands
                if command.name.startswith(f"{first} ")
            ]
    for command in commands:
        lines += _fish_command(command, groups.get(command.name, []))
    return "\n".join(lines)


def _fish_command(command: Completion, below: list[str]) -> Iterator[str]:
    seen = [f"__fish_seen_subcommand_from {word}" for word in command.name.split()]
    seen += [f"not __fish_seen_subcommand_from {word}" for word in below]
    condition = "; and ".join(seen)
    head = f"complete -c pipestat-spec -n '{condition}'"
    if command.files:
        yield f"{head} -F"
    if command.choices:
        yield f"{head} -a '{' '.join(command.choices)}'"
    if command.kind:
        yield f"{head} -a {_fish_candidates(command.kind)}"
    for option in command.options:
        parts = [head]
        for string in option.strings:
            parts.append(f"-l {string[2:]}" if string.startswith("--") else f"-s {string[1:]}")
        if option.choices:
            parts.append(f"-x -a '{' '.join(option.choices)}'")
        elif option.kind:
            parts.append(f"-x -a {_fish_candidates(option.kind)}")
        elif option.takes_value:
            parts.append("-r -F")
        yield " ".join([*parts, "-d", _fish_quote(option.help)])


def _fish_candidates(kind: str) -> str:
    return f"'(pipestat-spec {CANDIDATES} {kind} \"\" (commandline -opc)[2..-1])'"


def _fish_quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
