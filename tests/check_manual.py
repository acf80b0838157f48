"""Checks the man page and the completions that tools/manual.c writes: every command and every option of the program occurs in each of
them, the tools that read them find nothing to complain about (where they are installed), and bash completes.

usage: check_manual.py MAN_PAGE BASH ZSH FISH
"""
import os
import re
import shutil
import subprocess
import sys

PROGRAM = os.environ.get("TONNAGE", "build/tonnage")

# (the words before the cursor, one word that must be offered)
COMPLETIONS = [
    (["tonnage", "pl"], "plan"),
    (["tonnage", "table", "--con"], "--context"),
    (["tonnage", "inspect", "--ten"], "--tensors"),
    (["tonnage", "plan", "x", "--format", "c"], "csv"),
    (["tonnage", "plan", "x", "--engine", "g"], "generic"),
    (["tonnage", "plan", "x", "--gpu", "rtx-409"], "rtx-4090"),
    (["tonnage", "help", "mod"], "models"),
    (["tonnage", "engines", "g"], "generic"),
    (["tonnage", "plan", "x", "--s"], "--set"),
    (["tonnage", "measure", "--rec"], "--record"),
    (["tonnage", "measure", "--", "pytho"], "python3"),
]


def output(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def options_of(command):
    """With the dashes, as the help lists them."""
    return set(re.findall(r"^  (--[a-z-]+)", output(PROGRAM, "help", command), re.MULTILINE))


def commands_and_options():
    commands = re.findall(r"^  tonnage ([a-z]+) ", output(PROGRAM, "help"), re.MULTILINE)
    commands = [name for name in commands if name != "help"]
    return set(commands), set().union(*map(options_of, commands))


def occurs(option, path, text):
    if path.endswith(".1"):
        return option.replace("-", "\\-") in text
    if path.endswith(".fish"):
        return re.search(rf"-l {option[2:]}\b", text) is not None
    return re.search(rf"{option}(?![a-z-])", text) is not None


def missing(path, commands, options):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    yield from (name for name in sorted(commands) if not re.search(rf"\b{name}\b", text))
    yield from (option for option in sorted(options) if not occurs(option, path, text))


def complaints(tool, *arguments):
    """What a tool prints about a file; nothing where it is not installed."""
    if not shutil.which(tool):
        return ""
    done = subprocess.run([tool, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout or (f"{tool} gives {done.returncode}" if done.returncode else "")


def bash_offers(path, words):
    script = f'source "{path}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tonnage; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return output("bash", "-c", script, "bash", *words).split("\n")


def zsh_complaints(path, commands):
    """Runs the completion of each command with _arguments printing what it is given: one argument for each option of the help."""
    if not shutil.which("zsh"):
        return
    script = '_arguments() { print -rl -- "$@" }; words=(tonnage $2 x); CURRENT=3; source $1'
    for name in sorted(commands):
        done = subprocess.run(["zsh", "-f", "-c", script, "zsh", path, name], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        given = set(re.findall(r"^(--[a-z-]+)\[", done.stdout, re.MULTILINE))
        wanted = {f"--{option}" for option in ("json", "help")} | options_of(name)
        if done.returncode != 0 or given != wanted:
            yield f"zsh, {name}: {' '.join(sorted(given ^ wanted))} {done.stdout if done.returncode else ''}"


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__.strip())
    man, bash, zsh, fish = sys.argv[1:]
    commands, options = commands_and_options()
    failures = []
    for path in (man, bash, zsh, fish):
        failures += [f"{os.path.basename(path)}: no {name}" for name in missing(path, commands, options)]
    failures.append(complaints("groff", "-ww", "-man", "-z", man))
    failures.append(complaints("mandoc", "-T", "lint", "-W", "error", man))
    failures += [complaints(shell, "-n", path) for shell, path in (("bash", bash), ("zsh", zsh), ("fish", fish))]
    failures += zsh_complaints(zsh, commands)
    for words, wanted in COMPLETIONS:
        if wanted not in bash_offers(bash, words):
            failures.append(f"{' '.join(words)}: {wanted} is not offered")
    failures = [text for text in failures if text]
    print("\n".join(failures) if failures else f"{len(commands)} commands, {len(options)} options: all there")
    sys.exit(1 if failures or not options else 0)


main()
