"""Runs the commands of a proof: the last point that fits must exit with 0, the first that does not with 1, or 2 where the engine refuses it. Where
the model was made for no longer requests, memory may do.

usage: tonnage fit ... --json | proofs.py
"""
import json
import shlex
import subprocess
import sys


def run(command):
    return subprocess.run(shlex.split(command) + ["--json"], stdout=subprocess.PIPE, check=False)


def main():
    answer = json.load(sys.stdin)
    proof = answer["proof"]
    for name, expected in (("last_fitting", (0,)), ("first_failing", (1, 2))):
        point = proof[name]
        if not point:
            print(f"{name}: none")
            continue
        if point.get("binding") == "model":  # memory would do, and the plan says so
            expected = (0, 2)
        done = run(point["command"])
        plan = json.loads(done.stdout)
        good = done.returncode in expected and point["fits"] == (done.returncode == 0)
        if good and done.returncode < 2:
            settings = plan["settings"]
            good = (settings["context"]["value"], settings["concurrency"]["value"]) == (point["context"], point["concurrency"])
            good = good and len(plan["devices"]) == point["gpus"]
        print(f"{name}: {'is what the plan says' if good else point['command']}")


main()
