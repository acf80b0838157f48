"""How long `tonnage diagnose` takes for a log of 100 MB, as a process: the start, and then days of a server that runs.

usage: diagnose.py PROGRAM

Fails where it takes a second of the processor, or more than 64 MiB of memory.
"""
import os
import resource
import subprocess
import sys
import tempfile

PROGRAM = sys.argv[1]
BYTES = 100 * 10**6
LIMIT_S = 1.0
LIMIT_MIB = 64
START = """INFO 07-14 09:02:15 [api_server.py:1395] vLLM API server version 0.10.0
INFO 07-14 09:02:15 [cli_args.py:325] non-default args: {'model': 'meta-llama/Llama-3.1-8B-Instruct', 'max_model_len': 8192}
INFO 07-14 09:02:38 [gpu_model_runner.py:1892] Model loading took 14.9888 GiB and 3.274310 seconds
INFO 07-14 09:02:58 [gpu_worker.py:255] Available KV cache memory: 54.88 GiB
INFO 07-14 09:02:58 [kv_cache_utils.py:833] GPU KV cache size: 449,536 tokens
"""


def lines():
    """What a server says while it runs: mostly requests, a line of statistics for some of them, now and then a trace."""
    number = 0
    while True:
        number += 1
        for port in range(8):
            yield f'INFO:     10.0.{number % 256}.{port}:{40000 + port} - "POST /v1/chat/completions HTTP/1.1" 200 OK\n'
        yield (f"INFO 07-14 10:{number % 60:02}:11 [logger.py:43] Received request chatcmpl-{number:032x}: prompt: None, params: SamplingParams(n=1, "
               f"temperature=0.7, top_p=0.8, max_tokens={number % 4096}), prompt_token_ids: None, lora_request: None.\n")
        yield (f"INFO 07-14 10:{number % 60:02}:12 [loggers.py:118] Engine 000: Avg prompt throughput: 812.{number % 10} tokens/s, Avg generation "
               f"throughput: 95.0 tokens/s, Running: {number % 64} reqs, Waiting: 0 reqs, GPU KV cache usage: {number % 90}.5%, Prefix cache hit rate: 1.0%\n")
        if number % 50 == 0:
            yield '\x1b[33mWARNING\x1b[0m ' + "x" * 700 + "\n"


def write_log(path):
    with open(path, "w", encoding="utf-8") as log:
        log.write(START)
        size = len(START)
        for line in lines():
            log.write(line)
            size += len(line)
            if size >= BYTES:
                return


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "server.log")
    write_log(path)
    best = 1e9
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([PROGRAM, "diagnose", path, "--gpu", "h100-sxm5-80gb", "--json"], capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode or b'"kv_tokens"' not in done.stdout:
            sys.exit(f"diagnose: exit code {done.returncode}: {done.stdout[-300:]}")
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    peak_mib = after.ru_maxrss / 1024
    print(f"diagnose: a log of {BYTES // 10**6} MB in {best * 1000:.0f} ms, {BYTES / best / 1e6:.0f} MB/s, {peak_mib:.0f} MiB at the most")
    sys.exit(best >= LIMIT_S or peak_mib > LIMIT_MIB)
