"""`tonnage calibrate`: measurements are kept and narrow plans; other writers, a kill and damage leave the file and the plans whole.

usage: check_calibrate.py PROGRAM FAKE_NVML MEASURED
"""
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

from machine import GIB, Machine, expect, run_tests, test

PROGRAM, FAKE, MEASURED = sys.argv[1:4]
MIB = 1 << 20
ENGINE, GPU = "vllm@0.19.0", "h100-sxm5-80gb"
MODELS = ["qwen3-8b", "qwen3-32b", "llama-3.1-8b", "qwen3-4b", "qwen3-14b"]


def world():
    return Machine(PROGRAM, FAKE)


def plan(machine, model, *options, engine=ENGINE, exit_code=0):
    return machine.json("plan", model, "--engine", engine, "--gpu", GPU, "--context", "8192", *options, exit_code=exit_code)


def entry(answer, label):
    found = next(one for one in answer["devices"][0]["entries"] if label in one["label"])
    return found["low"], found["mid"], found["high"]


def notes(answer):
    return {note["code"]: note["message"] for note in answer["notes"]}


def record(name, model, **measured):
    return {"format": "tonnage.measured/1", "id": name, "engine": "vllm", "version": "0.19.0", "model": model, "gpu": GPU,
            "gpus": 1, "context": 8192, "measured": measured}


def write_records(machine, records, name="records.jsonl"):
    return machine.write(name, "".join(json.dumps(one) + "\n" for one in records))


def at_places(machine, places):
    """Records whose activation lies at these places of the uncalibrated range."""
    records = []
    for model, place in zip(MODELS, places):
        low, mid, high = entry(plan(machine, model, "--no-calibration"), "activation")
        records.append(record(f"run of {model}", model, activation=round(mid + place * (high - mid if place > 0 else mid - low))))
    return records


def database(machine):
    return machine.path("data", "tonnage", "measurements.db")


def calibrated(machine, places=(-0.5, 0, 0.25)):
    """Keeps three measurements; trusted by half, as unit tests show: -0.75 to 0.625 about the half of -0.25 / 3."""
    return machine.json("calibrate", write_records(machine, at_places(machine, places)))


def close_to(a, b, slack=4):
    return abs(a - b) <= slack


# ---- plans ------------------------------------------------------------------------------------------------------------

@test
def plans_are_narrowed_and_say_so():
    with world() as machine:
        before = plan(machine, "qwen3-14b")
        expect("calibrated" not in notes(before), before["notes"])
        answer = calibrated(machine)
        expect((answer["added"], answer["kept"], answer["left_out"]) == (3, 3, []), answer)
        after = plan(machine, "qwen3-14b")
        low, mid, high = entry(before, "activation")
        expected = (mid - 0.75 * (mid - low), mid - 0.25 / 6 * (mid - low), mid + 0.625 * (high - mid))
        expect(all(map(close_to, entry(after, "activation"), expected)), (entry(after, "activation"), expected))
        note = notes(after)["calibrated"]
        expect("calibrated on 3 runs of 3 deployments of vllm 0.19.0" in note and ": activation;" in note, note)
        expect(entry(before, "non-torch") == entry(after, "non-torch"), "a term without measurements stays")
        expect(entry(before, "graphs") == entry(after, "graphs"), "a term without measurements stays")


@test
def the_pool_is_as_much_surer_as_what_shares_the_gpu_with_it():
    with world() as machine:
        before = plan(machine, "qwen3-14b")
        calibrated(machine)
        after = plan(machine, "qwen3-14b")
        pools = [entry(answer, "KV cache pool") for answer in (before, after)]
        terms = [entry(answer, "activation") for answer in (before, after)]
        block = before["kv"]["pool_bytes"] // before["kv"]["blocks"]
        expect(close_to(pools[1][1] - pools[0][1], terms[0][1] - terms[1][1], block), "mid: the pool takes the rest")
        for k in (0, 2):  # the pool's low end is where the activation is high
            gained = abs(pools[0][k] - pools[0][1]) - abs(pools[1][k] - pools[1][1])
            lost = abs(terms[0][2 - k] - terms[0][1]) - abs(terms[1][2 - k] - terms[1][1])
            expect(lost > 0 and close_to(gained, lost, 2 * block), (k, gained, lost, block))


@test
def tables_and_tokens_say_so_too():
    with world() as machine:
        calibrated(machine)
        deployment = ("--engine", ENGINE, "--gpu", GPU)
        table = machine.json("table", "qwen3-8b", "qwen3-14b", "--context", "8192", *deployment)
        expect([note["code"] for note in table["notes"]] == ["calibrated"], table["notes"])
        tokens = machine.json("tokens", "--model", "qwen3-14b", "a text", *deployment)
        expect("calibrated" in notes(tokens), tokens["notes"])
        bare = machine.json("table", "qwen3-8b", "--context", "8192", "--no-calibration", *deployment)
        expect(bare["notes"] == [], bare["notes"])


@test
def without_calibration_nothing_is_other_than_before():
    with world() as machine:
        before = plan(machine, "qwen3-14b")
        calibrated(machine)
        expect(plan(machine, "qwen3-14b", "--no-calibration") == before, "--no-calibration")
        for options, engine in ((("--no-calibration",), "vllm@0.18.0"), ((), "vllm@0.18.0"), ((), "sglang")):
            answer = plan(machine, "qwen3-14b", *options, engine=engine)
            expect("calibrated" not in notes(answer), (engine, notes(answer)))
        other = machine.json("plan", "qwen3-14b", "--engine", ENGINE, "--gpu", "a100-80gb", "--context", "8192")
        expect("calibrated" not in notes(other), "another GPU")
        given = plan(machine, "qwen3-14b", "--set", "peak_activation_memory=2GiB")
        expect(entry(given, "activation") == (2 * GIB,) * 3, "what is given is not corrected")


@test
def two_deployments_narrow_nothing_and_one_outside_widens():
    with world() as machine:
        before = plan(machine, "qwen3-14b")
        machine.json("calibrate", write_records(machine, at_places(machine, (0.1, -0.2))))
        after = plan(machine, "qwen3-14b")
        expect("2 runs of 2 deployments" in notes(after)["calibration_few"], notes(after))
        expect(after["devices"] == before["devices"], "the fitted range")
        machine.json("calibrate", write_records(machine, at_places(machine, (2,))))
        low, mid, high = entry(before, "activation")
        expect(close_to(entry(plan(machine, "qwen3-14b"), "activation")[2], mid + 2 * (high - mid)), "never below what was observed")


@test
def every_engine_with_fitted_entries_is_narrowed():
    with world() as machine:
        for engine, version, label in (("sglang", "0.5.8", "step of prefill"), ("trtllm", "1.0.0", "one step")):
            def of(model, *options):
                return entry(plan(machine, model, *options, engine=f"{engine}@{version}"), label)
            records = []
            for model in MODELS[:3]:
                answer = plan(machine, model, engine=f"{engine}@{version}")
                mids = [one["mid"] for one in answer["devices"][0]["entries"] if one["category"] == "activation"]
                records.append({**record(f"{engine} {model}", model, activation=sum(mids)), "engine": engine, "version": version})
            before = of("qwen3-14b")
            expect(before[0] < before[2], f"{engine}: nothing to narrow")
            machine.json("calibrate", write_records(machine, records))
            after = of("qwen3-14b")
            # three measurements at the middle: half as wide
            expect(close_to(after[2] - after[0], (before[2] - before[0]) / 2), (engine, before, after))


# ---- scores ------------------------------------------------------------------------------------------------------------

@test
def scores_are_those_of_no_calibration():
    with world() as machine:
        path = os.path.join(MEASURED, "vllm.jsonl")
        before = machine.run("score", path, "--details", "--json").stdout
        machine.json("calibrate", path)
        expect("calibrated" in notes(plan(machine, "llama-3.1-8b")), "it is there")
        expect(machine.run("score", path, "--details", "--json").stdout == before, "scores changed")


# ---- keeping ------------------------------------------------------------------------------------------------------------

@test
def what_is_kept_twice_counts_once():
    with world() as machine:
        path = write_records(machine, at_places(machine, (-0.5, 0, 0.25)))
        expect(machine.json("calibrate", path)["added"] == 3, "first")
        again = machine.json("calibrate", path)
        expect((again["added"], again["known"], again["kept"]) == (0, 3, 3), again)


@test
def all_formats_of_records_go_in_and_out_again():
    with world() as first, world() as second:
        paths = [os.path.join(MEASURED, name) for name in sorted(os.listdir(MEASURED)) if name.endswith(".jsonl")]
        kept = first.json("calibrate", *paths)
        lines = first.run("calibrate", "--export").stdout
        expect(kept["kept"] == len(lines.splitlines()) > 50, kept["kept"])
        expect(all(json.loads(line)["format"] == "tonnage.measured/1" for line in lines.splitlines()), "the own format")
        expect(second.json("calibrate", second.write("out.jsonl", lines))["groups"] == kept["groups"], "the same calibration")
        expect(second.run("calibrate", "--export").stdout == lines, "the same lines")
        # and they score as the records that they come from
        ids = {json.loads(line)["id"] for line in lines.splitlines()}
        scores = [{one["id"]: one["terms"] for one in machine.json("score", *where, "--details")["details"] if one["id"] in ids}
                  for machine, where in ((first, paths), (second, [second.path("out.jsonl")]))]
        expect(len(scores[0]) == len(scores[1]) == len(ids), "all are scored")
        different = [name for name in ids if scores[0][name] != scores[1][name]]
        expect(not different, different[:3])


@test
def what_is_of_no_use_is_left_out_with_the_reason():
    with world() as machine:
        base = record("a", "qwen3-8b", activation=GIB)
        records = [base, {**base, "id": "b", "version": None}, {**base, "id": "c", "gpu": "Imaginary (80 GiB)"},
                   {**base, "id": "d", "model": "nobody/nothing"}, {**base, "id": "a", "context": 4096}]
        answer = machine.json("calibrate", write_records(machine, records))
        why = {one["id"]: one["why"] for one in answer["left_out"]}
        expect(answer["added"] == 1 and set(why) == {"a", "b", "c", "d"}, answer)
        expect("version" in why["b"] and "GPU" in why["c"] and "nothing" in why["d"] and "contradictory" in why["a"], why)


@test
def measurements_are_listed_and_forgotten():
    with world() as machine:
        expect(machine.json("calibrate")["kept"] == 0 and not os.path.exists(database(machine)), "a look makes no file")
        calibrated(machine)
        runs = machine.json("calibrate", "--list")["runs"]
        expect([round(run["places"]["activation"], 3) for run in runs] == [-0.5, 0, 0.25], runs)
        text = machine.run("calibrate", "--list").stdout
        expect("run of qwen3-32b" in text and "+0.25" in text and "69 %" in text, text)
        expect(machine.json("calibrate", "--forget", "run of qwen3-8b")["kept"] == 2, "one")
        error = machine.json("calibrate", "--forget", "nobody", exit_code=2)
        expect(error["code"] == "usage" and error["where"] == "--forget", error)
        expect(machine.json("calibrate", "--forget", "all")["kept"] == 0, "all")
        expect("calibrated" not in notes(plan(machine, "qwen3-14b")), "nothing is left")
        machine.run("calibrate", "--export", "--forget", "all", exit_code=2)


@test
def measurements_of_another_program_are_compared_anew():
    with world() as machine:
        calibrated(machine)
        with sqlite3.connect(database(machine)) as file:
            file.execute("UPDATE run SET predictor = 'of yesterday'")
            file.execute("UPDATE residual SET mid = mid * 2, high = high * 2")
        after = plan(machine, "qwen3-14b")
        expect("3 runs were compared by another version" in notes(after)["calibration_stale"], notes(after))
        expect("calibrated" not in notes(after), "they count for nothing")
        answer = machine.json("calibrate")
        expect((answer["renewed"], answer["stale"], answer["kept"]) == (3, 0, 3), answer)
        expect("calibrated" in notes(plan(machine, "qwen3-14b")), "now they count")


# ---- what may go wrong ------------------------------------------------------------------------------------------------------

def unavailable(machine, words):
    """A plan that goes on, and says why it is not calibrated; the same without the note."""
    answer = plan(machine, "qwen3-14b")
    expect(words in notes(answer).get("calibration_unavailable", ""), (words, notes(answer)))
    bare = plan(machine, "qwen3-14b", "--no-calibration")
    expect(answer["devices"] == bare["devices"] and answer["verdict"] == bare["verdict"], "the plan is as without")


@test
def a_locked_file_does_not_hold_up_a_plan():
    with world() as machine:
        calibrated(machine)
        file = sqlite3.connect(database(machine), isolation_level=None)
        file.execute("BEGIN EXCLUSIVE")
        unavailable(machine, "locked")
        file.execute("ROLLBACK")
        file.close()
        expect("calibrated" in notes(plan(machine, "qwen3-14b")), "afterwards it is as before")


@test
def damaged_files_do_not_hold_up_a_plan():
    with world() as machine:
        calibrated(machine)
        with open(database(machine), "rb") as file:
            whole = file.read()
        damages = {"no database": b"this is no database, but it is long enough to be read as one" * 20,
                   "cut": whole[:5000], "zeros": whole[:4096] + bytes(len(whole) - 4096),
                   "noise": whole[:200] + os.urandom(3000) + whole[3200:]}
        for name, content in damages.items():
            with open(database(machine), "wb") as file:
                file.write(content)
            answer = plan(machine, "qwen3-14b")
            code = set(notes(answer)) & {"calibrated", "calibration_unavailable"}
            expect(code or name == "noise", f"{name}: {notes(answer)}")
            done = subprocess.run([PROGRAM, "calibrate", "--json"], env=machine.environment(), text=True, stdout=subprocess.PIPE)
            expect(done.returncode in (0, 3), f"{name}: exit {done.returncode}")
        with open(database(machine), "wb") as file:
            file.write(damages["no database"])
        unavailable(machine, "cannot be used")
        error = machine.json("calibrate", exit_code=3)
        expect(error["code"] == "database" and error["where"] == database(machine) and "import" in error["hint"], error)


@test
def an_empty_file_and_one_of_a_later_program():
    with world() as machine:
        os.makedirs(os.path.dirname(database(machine)))
        machine.write("data/tonnage/measurements.db", "")
        expect("calibration_unavailable" not in notes(plan(machine, "qwen3-14b")), "an empty file is an empty database")
        expect(calibrated(machine)["kept"] == 3, "and can be used")
        with sqlite3.connect(database(machine)) as file:
            file.execute("PRAGMA user_version = 2")
        unavailable(machine, "newer version")
        expect(machine.json("calibrate", exit_code=3)["code"] == "database", "and is not written to")


@test
def figures_that_make_no_sense_are_passed_over():
    with world() as machine:
        calibrated(machine)
        with sqlite3.connect(database(machine)) as file:
            file.execute("UPDATE residual SET low = -5, mid = 'x', high = 1e300 WHERE run = 1")
            file.execute("UPDATE residual SET measured = 9e999 WHERE run = 2")
            file.execute("UPDATE residual SET term = 'nothing' WHERE run = 3")
        answer = plan(machine, "qwen3-14b")
        expect("calibrated" not in notes(answer) and "calibration_unavailable" not in notes(answer), notes(answer))


@test
def a_place_that_cannot_be_written_to():
    with world() as machine:
        path = write_records(machine, at_places(machine, (0, 0, 0)))
        machine.write("data", "a file where the folder should be")
        error = machine.json("calibrate", path, exit_code=3)
        expect(error["code"] == "database", error)
        expect(plan(machine, "qwen3-14b")["verdict"]["fits"], "plans go on")
        error = machine.json("calibrate", path, exit_code=3, env={"XDG_DATA_HOME": "", "HOME": ""})
        expect("neither XDG_DATA_HOME nor HOME" in error["message"], error)


def start(machine, path):
    return subprocess.Popen([PROGRAM, "calibrate", path, "--json"], env=machine.environment(), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def many_records(prefix, count):
    """Records of one deployment that differ in what was measured."""
    return [record(f"{prefix}-{k}", "qwen3-8b", activation=GIB + k * MIB) for k in range(count)]


@test
def several_writers_lose_nothing():
    with world() as machine:
        writers = [start(machine, write_records(machine, many_records(f"w{n}", 40), f"w{n}.jsonl")) for n in range(6)]
        for writer in writers:
            said, error = writer.communicate(timeout=120)
            expect(writer.returncode == 0 and json.loads(said)["added"] == 40, (said, error))
        expect(machine.json("calibrate")["kept"] == 240, "all are kept")


@test
def a_kill_at_any_moment_leaves_all_of_a_file_or_nothing():
    with world() as machine:
        machine.json("calibrate", write_records(machine, many_records("first", 5)))
        killed = 0
        for n in range(24):
            writer = start(machine, write_records(machine, many_records(f"k{n}", 300), f"k{n}.jsonl"))
            time.sleep(0.004 * n)
            writer.send_signal(signal.SIGKILL)
            writer.communicate()
            killed += writer.returncode == -signal.SIGKILL
        with sqlite3.connect(database(machine)) as file:
            expect(file.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "the file is whole")
        names = [json.loads(line)["id"] for line in machine.run("calibrate", "--export").stdout.splitlines()]
        expect(len([name for name in names if name.startswith("first")]) == 5, "what was there is there")
        for n in range(24):
            count = len([name for name in names if name.startswith(f"k{n}-")])
            expect(count in (0, 300), f"the {n}th writer left {count}")
        expect(killed > 0, "no writer was killed in time")
        expect(machine.json("calibrate", machine.path("k0.jsonl"))["kept"] in range(305, 305 + 300 * 24), "and it goes on")


run_tests()
