"""`tonnage measure` on commands that end well and badly, and on made-up GPUs whose drivers say much or little of processes.

usage: check_measure.py PROGRAM FAKE_NVML OLD_NVML
"""
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

from machine import GIB, Machine, expect, run_tests, test

PROGRAM, FAKE, OLD = sys.argv[1:4]
MIB = 1 << 20
H100 = "gpu NVIDIA H100 80GB HBM3\nmemory 85520809984 {used} 536870912\n"
# A shell's functions: one gives the machine another state, as a whole, as the fake library may read it at any time; one waits until two GPUs
# have been looked at twice since then.
GIVE = ('give() { printf "$1" > "$FAKE_NVML.new"; mv "$FAKE_NVML.new" "$FAKE_NVML"; }; '
        'asked() { wc -c 2>/dev/null < "$FAKE_NVML.asked" || echo 0; }; '
        'settle() { until [ "$(asked)" -ge "$(($1 + 5))" ]; do sleep 0.02; done; }; ')
SETTLE = 'settle "$(asked)"; '


def machine_of(script="", nvml=FAKE):
    machine = Machine(PROGRAM, nvml, real_proc=True)
    machine.write("nvml.txt", "driver 550.90.07\n" + script)
    return machine


def script_of(*gpus):
    """The text of a script, as printf takes it."""
    return "driver 550.90.07\\n" + "".join(gpus).replace("\n", "\\n")


def gpu(used, *processes):
    return H100.format(used=used) + "".join(f"process {pid} {size}\n" for pid, size in processes)


def measured(machine, command, *options, exit_code=0, env=None):
    """The answer for a shell's command."""
    path = machine.path("answer.json")
    machine.run("measure", "--interval", "20ms", "--output", path, "--json", *options, "--", "sh", "-c", GIVE + command,
                exit_code=exit_code, env=env)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def device(answer, name):
    return next(one for one in answer["devices"] if one["device"] == name)


def codes(answer):
    return [note["code"] for note in answer["notes"]]


# ---- the host -------------------------------------------------------------------------------------------------------

@test
def without_a_gpu_the_host_is_measured_and_said():
    with machine_of() as machine:
        hold = f"{sys.executable} -c 'import time; a = bytearray(b\"x\") * (100 << 20); time.sleep(0.7)'"
        answer = measured(machine, hold)
        expect(answer["schema"] == "tonnage.measure/1" and "host_only" in codes(answer), answer["notes"])
        host = device(answer, "host")
        expect(100 * MIB <= host["peak_bytes"] < 200 * MIB and host["basis"] == "pss", host["peak_bytes"])
        expect(any("python" in process["name"] for process in host["processes"]), host["processes"])
        peak = max(bytes_ for _, bytes_ in host["curve"])
        expect(peak == host["peak_bytes"] and [host["peak_at_ms"], peak] in host["curve"], "the curve has the peak")


@test
def memory_of_children_and_grandchildren_counts():
    with machine_of() as machine:
        hold = f"{sys.executable} -c 'import time; a = bytearray(b\"x\") * (60 << 20); time.sleep(1.2)'"
        host = device(measured(machine, f"{hold} & (sh -c \"{hold.replace(chr(34), chr(92) + chr(34))}\") & wait"), "host")
        large = [process for process in host["processes"] if process["peak_bytes"] >= 60 * MIB]
        expect(len(large) == 2 and host["peak_bytes"] >= 120 * MIB, host["processes"])


@test
def without_the_proportional_share_the_resident_counts():
    with machine_of() as machine:
        # a /proc in which the measured process stands with 5,000 pages, and no smaps_rollup
        entry = '"$TONNAGE_PROC/$$"'
        pages = 5000 * os.sysconf("SC_PAGESIZE")
        os.makedirs(machine.path("proc"))
        stat = "$$ (a (name) ) S $PPID " + "1 " * 17 + "77 0 5000 "
        answer = measured(machine, f"mkdir {entry}; echo \"{stat}\" > {entry}/stat; sleep 0.5",
                          env={"TONNAGE_PROC": machine.path("proc")})
        host = device(answer, "host")
        expect(host["basis"] == "rss" and host["peak_bytes"] == pages, host)
        expect(host["processes"][0]["name"] == "a (name) " and "host_resident" in codes(answer), host)


# ---- how it ends ----------------------------------------------------------------------------------------------------

@test
def the_exit_status_is_passed_on():
    with machine_of() as machine:
        for status in (0, 1, 2, 5, 77, 255):
            answer = measured(machine, f"exit {status}", exit_code=status)
            expect(answer["status"] == status and answer["signal"] is None, answer)
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV):
            answer = measured(machine, f"ulimit -c 0; kill -{int(number)} $$", exit_code=128 + number)
            expect(answer["signal"] == number, answer)


@test
def a_command_that_cannot_be_begun():
    with machine_of() as machine:
        error = json.loads(machine.run("measure", "--json", "--", exit_code=2).stdout)
        expect(error["code"] == "usage" and "--" in error["hint"], error)
        for name, status, code in (("/nowhere/x", 127, "command_not_found"), (machine.path(), 126, "command")):
            done = machine.run("measure", "--json", "--", name, exit_code=status)
            expect(json.loads(done.stdout)["code"] == code, done.stdout)
        done = machine.run("measure", "sleep", "1", exit_code=2)
        expect("behind --" in done.stderr, done.stderr)


@test
def what_is_wrong_is_said_before_the_command_runs():
    with machine_of() as machine:
        mark = machine.path("mark")
        for options, status in ((["--record", "/nowhere/x"], 3), (["--output", "/nowhere/x"], 3), (["--engine", "vlm"], 2),
                                (["--gpu", "h1000"], 2), (["--interval", "0"], 2), (["--interval", "soon"], 2), (["--interval", "2000m"], 2)):
            machine.run("measure", *options, "--", "touch", mark, exit_code=status)
            expect(not os.path.exists(mark), f"{options}: the command ran")


@test
def the_streams_of_the_command_are_its_own():
    with machine_of() as machine:
        done = machine.run("measure", "--output", machine.path("answer"), "--", "sh", "-c", "cat; echo b >&2; exit 4",
                           exit_code=4, input="a\n")
        expect((done.stdout, done.stderr) == ("a\n", "b\n"), done)
        done = machine.run("measure", "--", "echo", "first")
        expect(done.stdout.startswith("first\n") and "exit status 0" in done.stdout and not done.stderr, done)
        # options behind -- are the command's
        done = machine.run("measure", "--", "echo", "--json", "--", "--record", exit_code=0)
        expect(done.stdout.startswith("--json -- --record\n"), done.stdout)


@test
def processes_that_the_command_leaves_behind_are_measured_to_their_end():
    with machine_of() as machine:
        began = time.monotonic()
        daemon = (f"{sys.executable} -c 'import os, sys, time\nif os.fork(): sys.exit(3)\nos.setsid()\n"
                  "if os.fork(): os._exit(0)\na = bytearray(b\"x\") * (80 << 20); time.sleep(1)'")
        answer = measured(machine, daemon + "; exit 9", exit_code=9)
        expect(time.monotonic() - began >= 1 and answer["duration_ms"] >= 1000 > answer["command_ms"], answer["duration_ms"])
        expect(device(answer, "host")["peak_bytes"] >= 80 * MIB, answer["devices"])


def start(machine, *words):
    return subprocess.Popen([PROGRAM, "measure", "--interval", "20ms", "--json", "--output", machine.path("answer"), "--", *words],
                            env=machine.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answer_of(machine):
    with open(machine.path("answer"), encoding="utf-8") as file:
        return json.load(file)


@test
def signals_are_passed_on():
    with machine_of() as machine:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            name = signal.Signals(number).name[3:]
            process = start(machine, "sh", "-c", f"trap 'exit 42' {name}; echo ready; while :; do sleep 0.05; done")
            expect(process.stdout.readline() == "ready\n", "it did not begin")
            process.send_signal(number)
            process.communicate(timeout=20)
            expect(process.returncode == 42, f"{name}: {process.returncode}")


@test
def a_command_may_ignore_an_interrupt():
    with machine_of() as machine:
        process = start(machine, "sh", "-c", "trap '' INT; echo ready; sleep 0.5; exit 6")
        expect(process.stdout.readline() == "ready\n", "it did not begin")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        expect(process.returncode == 6, process.returncode)


@test
def an_interrupt_of_the_terminal_reaches_the_command_once():
    with machine_of() as machine:
        command = "trap 'n=$((n+1))' INT; n=0; echo ready; sleep 0.4; sleep 0.4; exit $n"
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(PROGRAM, [PROGRAM, "measure", "--output", machine.path("answer"), "--", "sh", "-c", command],
                      machine.environment())
        text = b""
        while b"ready" not in text:
            text += os.read(terminal, 100)
        os.write(terminal, b"\x03")  # as Ctrl-C
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
        expect(os.waitstatus_to_exitcode(status) == 1, f"{os.waitstatus_to_exitcode(status)} interrupts")


@test
def an_interrupt_ends_the_measuring_of_what_was_left_behind():
    with machine_of() as machine:
        process = start(machine, "sh", "-c", "setsid sh -c 'echo $$; exec sleep 600 >/dev/null 2>&1' & exit 8")
        left = int(process.stdout.readline())
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        os.kill(left, signal.SIGKILL)  # it was still there
        answer = answer_of(machine)
        expect(process.returncode == 8 and "left_running" in codes(answer), (process.returncode, said, answer["notes"]))


@test
def a_system_that_does_not_tell_of_processes():
    with machine_of() as machine:
        mark = machine.path("mark")
        done = machine.run("measure", "--", "touch", mark, exit_code=3, env={"TONNAGE_PROC": "/nowhere"})
        expect("cannot be listed" in done.stderr and not os.path.exists(mark), done.stderr)


# ---- GPUs -----------------------------------------------------------------------------------------------------------

def given(*gpus):
    return f"give '{script_of(*gpus)}'; ".replace("$$", "'$$'")


@test
def memory_of_gpus_by_process():
    with machine_of(gpu(1000, (1, 1000)) + gpu(0)) as machine:
        command = (given(gpu(3 * GIB, ("$$", 2 * GIB), (1, GIB)), gpu(GIB, ("$$", GIB))) + SETTLE
                   + given(gpu(5 * GIB, ("$$", 4 * GIB), (1, GIB)), gpu(GIB, ("$$", GIB))) + SETTLE
                   + given(gpu(GIB, (1, GIB)), gpu(0)) + SETTLE)
        answer = measured(machine, command)
        first, second = device(answer, "GPU 0"), device(answer, "GPU 1")
        expect((first["peak_bytes"], second["peak_bytes"]) == (4 * GIB, GIB), (first["peak_bytes"], second["peak_bytes"]))
        expect(first["basis"] == second["basis"] == "processes" and first["used_before_bytes"] == 1000, first)
        expect(len(first["processes"]) == 1 and first["processes"][0]["name"] == "sh", first["processes"])
        expect([size for _, size in first["curve"]][-1] == 0, "it gave the memory back")
        expect({2 * GIB, 4 * GIB} <= {size for _, size in first["curve"]}, first["curve"])
        expect(codes(answer) == [], answer["notes"])


@test
def memory_of_gpus_with_an_old_driver():
    with machine_of(gpu(0), OLD) as machine:
        answer = measured(machine, given(gpu(2 * GIB, ("$$", 2 * GIB))) + SETTLE)
        expect(device(answer, "GPU 0")["peak_bytes"] == 2 * GIB, answer["devices"])


@test
def a_driver_that_does_not_list_the_processes_of_a_container():
    # other pids, those of the host's namespace, or none
    for processes in ([(4000000000, 6 * GIB)], []):
        with machine_of(gpu(GIB, (1, GIB)) + gpu(0)) as machine:
            answer = measured(machine, given(gpu(7 * GIB, (1, GIB), *processes), gpu(0)) + SETTLE)
            first = device(answer, "GPU 0")
            expect(first["peak_bytes"] == 6 * GIB and first["basis"] == "device", first)
            expect("by_device" in codes(answer) and device(answer, "GPU 1")["basis"] == "processes", answer["notes"])


@test
def a_driver_that_does_not_say_how_much():
    with machine_of(gpu(GIB)) as machine:
        answer = measured(machine, given(gpu(4 * GIB, ("$$", "na"))) + SETTLE)
        expect((device(answer, "GPU 0")["peak_bytes"], device(answer, "GPU 0")["basis"]) == (3 * GIB, "device"), answer)


@test
def a_driver_that_refuses():
    refusal = "fails nvmlDeviceGetComputeRunningProcesses_v3 4\n"
    with machine_of(refusal + gpu(0)) as machine:
        answer = measured(machine, given(refusal, gpu(2 * GIB)) + SETTLE)
        expect(device(answer, "GPU 0")["peak_bytes"] == 2 * GIB and "gpu_refused" in codes(answer), answer["notes"])
    with machine_of("fails nvmlInit_v2 9\n") as machine:
        answer = measured(machine, "true")
        expect(codes(answer) == ["gpu_fault", "host_only"], answer["notes"])


@test
def a_gpu_that_is_lost_meanwhile():
    with machine_of(gpu(0)) as machine:
        lost = "fails nvmlDeviceGetMemoryInfo_v2 15\nfails nvmlDeviceGetMemoryInfo 15\nfails nvmlDeviceGetComputeRunningProcesses_v3 15\n"
        answer = measured(machine, given(gpu(GIB, ("$$", GIB))) + SETTLE + given(lost, gpu(0)) + SETTLE)
        expect(device(answer, "GPU 0")["peak_bytes"] == GIB, answer["devices"])


@test
def slices_are_devices():
    divided = "gpu NVIDIA A100-SXM4-80GB\nmemory 85899345920 0 0\ndivided 7\nslice 1 NVIDIA A100-SXM4-80GB MIG 3g.40gb\nmemory 42144366592 {} 0\n"
    with machine_of(divided.format(0)) as machine:
        answer = measured(machine, given(divided.format(GIB) + "process $$ 1073741824\n") + SETTLE)
        expect([one["device"] for one in answer["devices"]] == ["GPU 0.1", "host"], answer["devices"])
        expect(answer["devices"][0]["peak_bytes"] == GIB, answer["devices"])
        record = json.loads(answer["record"])
        expect((record["gpu"], record["gpu_memory"]) == ("NVIDIA A100-SXM4-80GB", 42144366592), record)


@test
def gpus_of_amd_by_fdinfo_and_by_device():
    def card(machine, used):
        machine.card(1, product_name="AMD Instinct MI210", uevent="PCI_SLOT_NAME=0000:03:00.0",
                     mem_info_vram_total=str(64 * GIB), mem_info_vram_used=str(used))
    own = ("mkdir -p $TONNAGE_PROC/$$/fdinfo; cd $TONNAGE_PROC/$$; echo \"$$ (sh) S $PPID " + "1 " * 17 + "77 0 50 \" > stat; ")
    client = "drm-driver: amdgpu\\ndrm-pdev: {}\\ndrm-client-id: {}\\ndrm-memory-vram: {} KiB\\n"
    files = "".join(f"printf '{client.format(*row)}' > fdinfo/{k}; " for k, row in enumerate(
        [("0000:03:00.0", 1, 1048576), ("0000:03:00.0", 1, 1048576), ("0000:03:00.0", 2, 2048), ("0000:04:00.0", 3, 999)]))
    with machine_of() as machine:
        os.makedirs(machine.path("proc"))
        card(machine, 0)
        answer = measured(machine, own + files + "sleep 0.5", env={"TONNAGE_PROC": machine.path("proc")})
        first = device(answer, "GPU 0")
        expect((first["peak_bytes"], first["basis"]) == (GIB + 2 * MIB, "processes"), first)
    with machine_of() as machine:
        card(machine, GIB)
        used = machine.path("sys/class/drm/card1/device/mem_info_vram_used")
        answer = measured(machine, f"echo {3 * GIB} > {used}; sleep 0.5")
        expect((device(answer, "GPU 0")["peak_bytes"], device(answer, "GPU 0")["basis"]) == (2 * GIB, "device"), answer)


# ---- records and forms of the answer -----------------------------------------------------------------------------------

@test
def a_record_is_added_and_can_be_scored():
    with machine_of(gpu(0) + gpu(0)) as machine:
        path = machine.write("records.jsonl", "")
        held = given(gpu(17 * GIB, ("$$", 17 * GIB)), gpu(16 * GIB, ("$$", 16 * GIB))) + SETTLE + "exit 3"
        for _ in range(2):
            answer = measured(machine, held, "--record", path, "--model", "qwen3-8b", "--engine", "vllm@0.19.0", "--tp", "2",
                              "--context", "8k", "--kv-dtype", "fp8", "--set", "max_num_seqs=8", exit_code=3)
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        record = json.loads(lines[1])
        expect(len(lines) == 2 and lines[1] == answer["record"] and "recorded" in codes(answer), lines)
        name, source = record.pop("id"), record.pop("source")
        host = record["measured"].pop("host")
        expect(re.match(r"measure-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ-\d+$", name) and source.startswith("tonnage measure -- sh -c"), name)
        expect(host > 0 and record == {
            "format": "tonnage.measured/1", "engine": "vllm", "version": "0.19.0", "model": "qwen3-8b",
            "gpu": "NVIDIA H100 80GB HBM3", "gpus": 2, "tp": 2, "context": 8192, "kv_dtype": "fp8",
            "settings": {"max_num_seqs": "8"}, "measured": {"used": 17 * GIB}}, record)
        score = machine.json("score", path, "--details")
        expect(score["scored"] == 2 and score["details"][0]["terms"]["total"]["measured"] == 17 * GIB, score)


@test
def the_command_of_an_engine_says_itself_what_it_is():
    commands = {
        "vllm": (["serve", "meta-llama/Llama-3.1-8B-Instruct", "--tensor-parallel-size", "2", "--max-model-len", "8192",
                  "--kv-cache-dtype", "fp8", "--max-num-seqs=16", "--dtype", "bfloat16", "--port", "8000"],
                 {"model": "meta-llama/Llama-3.1-8B-Instruct", "tp": 2, "context": 8192, "kv_dtype": "fp8"},
                 {"max_num_seqs": "16"}),
        "sglang": (["serve", "--model-path", "Qwen/Qwen3-8B", "--tp", "2", "--mem-fraction-static", "0.8"],
                   {"model": "Qwen/Qwen3-8B", "tp": 2}, {"mem_fraction_static": "0.8"}),
    }
    for engine, (words, inputs, settings) in commands.items():
        with machine_of(gpu(0) + gpu(0)) as machine:
            path = machine.write("bin/" + engine, "#!/bin/sh\n" + GIVE + given(gpu(2 * GIB, ("$$", 2 * GIB)), gpu(GIB, ("$$", GIB)))
                                 + SETTLE + "\n")
            os.chmod(path, 0o755)
            records = machine.path("records.jsonl")
            machine.run("measure", "--interval", "20ms", "--record", records, "--", engine, *words,
                        env={"PATH": os.path.dirname(path) + ":" + os.environ["PATH"]})
            with open(records, encoding="utf-8") as file:
                record = json.load(file)
            expect(record["engine"] == engine and inputs.items() <= record.items(), record)
            expect(settings.items() <= record["settings"].items() and record["measured"]["used"] == 2 * GIB, record)
            score = machine.json("score", records, "--details")
            expect(score["scored"] == 1 and score["details"][0]["terms"]["total"]["measured"] == 2 * GIB, score)


@test
def a_gpu_that_the_catalog_does_not_have_is_recorded_with_its_size():
    unknown = "gpu NVIDIA Imaginary 9000\nmemory 25769803776 {} 0\n"
    with machine_of(unknown.format(0)) as machine:
        records = machine.path("records.jsonl")
        answer = measured(machine, given(unknown.format(GIB) + "process $$ 1073741824\n") + SETTLE, "--record", records,
                          "--engine", "transformers", "--model", "qwen3-8b", "--context", "4096")
        expect(json.loads(answer["record"])["gpu"] == "NVIDIA Imaginary 9000 (24.00 GiB)", answer["record"])
        expect(machine.json("score", records)["scored"] == 1, "it can be scored")


@test
def a_record_of_a_quantised_file_is_planned_so():
    line = {"format": "tonnage.measured/1", "id": "a", "engine": "llamacpp", "model": "qwen3-8b", "quant": "q4_k_m",
            "gpu": "NVIDIA H100 80GB HBM3", "context": 4096, "measured": {"used": 7000000000}}
    with machine_of() as machine:
        path = machine.write("records.jsonl", json.dumps(line))
        total = machine.json("score", path, "--details")["details"][0]["terms"]["total"]
        plan = machine.json("plan", "qwen3-8b", "--engine", "llamacpp", "--quant", "q4_k_m", "--gpu", "h100-sxm5-80gb",
                            "--context", "4096")
        expect(abs(total["predicted"] / plan["devices"][0]["mid"] - 1) < 0.01, (total, plan["devices"][0]["mid"]))


@test
def a_record_that_cannot_be_written_is_said_and_the_table_is_there():
    if not os.path.exists("/dev/full"):
        return
    with machine_of() as machine:
        answer = measured(machine, "true", "--record", "/dev/full", exit_code=3)
        expect("record_lost" in codes(answer), answer["notes"])
        expect(measured(machine, "exit 9", "--record", "/dev/full", exit_code=9)["status"] == 9, "its own status first")
        for status, passed_on in ((0, 3), (9, 9)):
            done = machine.run("measure", "--output", "/dev/full", "--", "sh", "-c", f"exit {status}", exit_code=passed_on)
            expect("cannot" in done.stderr, done.stderr)


@test
def the_answer_as_text_and_as_a_picture():
    with machine_of(gpu(0)) as machine:
        held = ["sh", "-c", GIVE + given(gpu(17 * GIB, ("$$", 17 * GIB))) + SETTLE + SETTLE]
        text = machine.run("measure", "--interval", "20ms", "--", *held).stdout
        expect("17.00 GiB" in text and "memory over time" in text and "milliseconds" in text and "exit status 0" in text, text)
        machine.write("nvml.txt", gpu(0))
        picture = machine.run("measure", "--interval", "20ms", "--format", "svg", "--", *held).stdout
        expect(picture.startswith("<svg") and "<polyline" in picture and "17.00 GiB" in picture, picture[:300])


run_tests()
