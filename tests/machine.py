"""What tests of this machine's GPUs share: a made-up machine, and the program run in it."""
import json
import os
import subprocess
import tempfile

GIB = 1 << 30


class Failure(Exception):
    pass


def expect(holds, what):
    if not holds:
        raise Failure(what)


class Machine:
    """An empty folder with the script of the fake NVML, a /sys and a /proc, and the environment in which the program sees these alone."""

    def __init__(self, program, nvml, real_proc=False):
        self.program = program
        self.nvml = nvml
        self.folder = tempfile.TemporaryDirectory()
        self.script = self.path("nvml.txt")
        self.real_proc = real_proc
        self.write("nvml.txt", "driver 550.90.07\n")
        os.makedirs(self.path("sys"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def path(self, *names):
        return os.path.join(self.folder.name, *names)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def card(self, number, **files):
        """A GPU of AMD."""
        for name, text in {"vendor": "0x1002", **files}.items():
            self.write(f"sys/class/drm/card{number}/device/{name}", text + "\n")

    def environment(self, **more):
        keep = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "ASAN_OPTIONS") if name in os.environ}
        own = {"FAKE_NVML": self.script, "TONNAGE_NVML": self.nvml, "TONNAGE_SYS": self.path("sys"), "HOME": self.path(),
               "XDG_DATA_HOME": self.path("data"), "LC_ALL": "C.UTF-8"}
        if not self.real_proc:
            own["TONNAGE_PROC"] = self.path("proc")
        return {**keep, **own, **more}

    def run(self, *arguments, exit_code=0, env=None, **more):
        """The finished process; text unless asked otherwise."""
        done = subprocess.run([self.program, *arguments], env=self.environment(**(env or {})), text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        expect(done.returncode == exit_code,
               f"{' '.join(arguments)}: exit {done.returncode}, not {exit_code}\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *arguments, exit_code=0, **more):
        return json.loads(self.run(*arguments, "--json", exit_code=exit_code, **more).stdout)


TESTS = []


def test(function):
    """Marks a function as a test."""
    TESTS.append(function)
    return function


def run_tests():
    """Runs all of them; exits 1 where one fails."""
    failures = 0
    for function in TESTS:
        try:
            function()
        except Exception as failure:  # a missing key is a failure as any other
            failures += 1
            print(f"{function.__name__}: {type(failure).__name__}: {failure}")
    print(f"{len(TESTS)} tests, {failures} failed")
    raise SystemExit(1 if failures or not TESTS else 0)
