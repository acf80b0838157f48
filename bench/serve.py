"""How many plans `tonnage serve` answers in a second, and how much memory it then has: wrk with 64 connections on the loopback interface. Beside it the
file server of Python's standard library, with an answer of the same size.

usage: serve.py PROGRAM [REQUESTS]     REQUESTS: as many in all for the first row, to see whether memory grows (default: 15 seconds of each)

Skipped without wrk. Exit code 1 where fewer than 20,000 plans a second are answered, 1 of 100 takes longer than 10 ms, or memory grows.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

CONNECTIONS, SECONDS, WARM_SECONDS = 64, 15, 3
LEAST_PER_SECOND, MOST_P99_MS, MOST_GROWTH_KIB = 20000, 10, 4096
MILLISECONDS = {"us": 1e-3, "ms": 1, "s": 1e3}

# What is asked, and whether it is what the figures above are wanted for.
ROWS = [
    ("plan, generic engine", {"model": "llama-3.1-8b", "gpu": "rtx-4090", "context": 8192}, True),
    ("plan, 2 GPUs", {"model": "llama-2-70b", "gpu": "a100-80gbx2", "context": 4096}, False),
    ("plan, vLLM", {"model": "llama-3.1-8b", "engine": "vllm", "gpu": "h100-80gb", "context": 8192}, False),
]


def run_wrk(url, script, seconds):
    """(requests, requests per second, milliseconds of the slowest of 100)"""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "--latency", *(["-s", script] if script else []), url]
    text = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
    if re.search(r"Non-2xx|Socket errors: connect [1-9]", text):
        sys.exit(f"not every request is answered:\n{text}")
    p99, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    return (int(re.search(r"(\d+) requests in", text)[1]), float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
            float(p99) * MILLISECONDS[unit])


def status_kib(process, name):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name))


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        user, system = file.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def write_script(folder, inputs):
    path = os.path.join(folder, "ask.lua")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = '{json.dumps(inputs)}'\n")
    return path


def measure(process, url, script, wanted_requests):
    run_wrk(url, script, WARM_SECONDS)  # the model is loaded, and all threads have run
    before, begun = status_kib(process, "VmRSS"), cpu_seconds(process)
    requests, rates, slowest = 0, [], 0
    while not rates or requests < wanted_requests:
        count, rate, p99 = run_wrk(url, script, SECONDS)
        requests, slowest = requests + count, max(slowest, p99)
        rates.append(rate)
    return {"requests": requests, "rate": sorted(rates)[len(rates) // 2], "p99": slowest,
            "us": (cpu_seconds(process) - begun) / requests * 1e6, "before": before, "after": status_kib(process, "VmRSS")}


def report(name, row):
    print(f"{name:24} {row['rate']:10.0f} {row['p99']:9.2f} {row['us']:14.1f} {row['requests']:10} {row['before']:8} {row['after']:8}", flush=True)


def bench_server(program, wanted_requests):
    good = True
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([program, "serve", "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE)
        url = json.loads(process.stderr.readline())["detail"]
        drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)  # its log
        for name, inputs, is_wanted in ROWS:
            row = measure(process, f"{url}/v1/plan", write_script(folder, inputs), wanted_requests if is_wanted else 0)
            report(name, row)
            if is_wanted:
                good = (row["rate"] >= LEAST_PER_SECOND and row["p99"] < MOST_P99_MS
                        and row["after"] - row["before"] < MOST_GROWTH_KIB)
        process.terminate()
        good = process.wait() == 0 and good
        drain.wait()
    return good


def bench_python(program):
    """Files of Python's standard library: the same number of bytes, and nothing computed."""
    name, inputs, _ = ROWS[0]
    words = [word for key, value in inputs.items() for word in ([str(value)] if key == "model" else [f"--{key}", str(value)])]
    answer = subprocess.run([program, "plan", "--json", *words], stdout=subprocess.PIPE, check=False).stdout
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "plan.json"), "wb") as file:
            file.write(answer)
        process = subprocess.Popen([sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder, "0"],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = re.search(r"port (\d+)", process.stdout.readline())[1]
        time.sleep(0.2)
        report(f"http.server, {len(answer)} bytes", measure(process, f"http://127.0.0.1:{port}/plan.json", None, 0))
        process.terminate()
        process.wait()


def main():
    if not shutil.which("wrk"):
        print("skipped: no wrk (apt-get install wrk)")
        return
    print(f"{'answers on loopback':24} {'requests/s':>10} {'p99 ms':>9} {'CPU us/request':>14} {'requests':>10} {'RSS KiB':>8} {'then':>8}"
          f"   wanted {LEAST_PER_SECOND}, {MOST_P99_MS}")
    good = bench_server(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    bench_python(sys.argv[1])
    sys.exit(0 if good else 1)


main()
