"""`python -m tests.fuzz NAME... --seconds N`: coverage-guided fuzzing with atheris, each target in its own process.

Inputs that reach new code are kept in a folder and used again the next time. A finding is printed and kept beside them.
"""

import argparse
import subprocess
import sys
from pathlib import Path

SECONDS_OF_ONE_INPUT = 20
MOST_BYTES = 2048


def main() -> int:
    """Runs the targets one after another; the number of those with a finding."""
    options = _options()
    if options.within:
        _fuzz(options)
        return 0
    return sum(_run(name, options) for name in options.targets or _names())


def _names() -> list[str]:
    from tests.fuzz.targets import TARGETS

    return list(TARGETS)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help="names of targets (default: all)")
    parser.add_argument("--seconds", type=int, default=600, help="for each target (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(".data/fuzz"), help="where inputs and findings are kept")
    parser.add_argument("--within", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(name: str, options: argparse.Namespace) -> bool:
    command = [sys.executable, "-m", "tests.fuzz", name, "--within", "--seconds", str(options.seconds)]
    log = options.folder / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        code = subprocess.run(
            [*command, "--folder", str(options.folder)],
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=options.seconds + 300,
            check=False,
        ).returncode
    told = log.read_text(errors="replace").splitlines()
    counts = next((line for line in reversed(told) if line.startswith(("Done ", "#"))), "")
    print(f"{name}: {'a FINDING, see ' + str(log) if code else 'nothing found'}. {counts}", flush=True)
    return code != 0


def _fuzz(options: argparse.Namespace) -> None:
    import atheris

    with atheris.instrument_imports(include=["local", "shared", "openai._streaming"], enable_loader_override=False):
        from tests.fuzz.targets import TARGETS

    name = options.targets[0]
    target, folder = TARGETS[name], options.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    words = options.folder / f"{name}.words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in (*target.words, "\x00")))
    arguments = [
        sys.argv[0],
        str(folder),
        f"-max_total_time={options.seconds}",
        f"-timeout={SECONDS_OF_ONE_INPUT}",
        f"-max_len={MOST_BYTES}",
        f"-dict={words}",
        f"-artifact_prefix={options.folder}/{name}-finding-",
        "-print_final_stats=1",
        "-rss_limit_mb=2048",
    ]
    atheris.Setup(arguments, target.run)
    atheris.Fuzz()


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02X}" for byte in word.encode())


if __name__ == "__main__":
    raise SystemExit(main())
