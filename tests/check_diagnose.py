"""Each finding of `tonnage diagnose` is provoked by a log, and each remedy is planned again by another run of the program.

usage: check_diagnose.py PROGRAM RECORDS DOCS [--update]      RECORDS: data/finding, DOCS: docs/diagnose.md

--update writes the table of findings into DOCS; else it must be there.

The logs have the shapes of real ones, with other numbers. A remedy's `after` must be what `tonnage plan` says of the deployment that the
diagnosis names as its plan, with the remedy's change.
"""
import concurrent.futures
import glob
import json
import os
import re
import shlex
import subprocess
import sys

PROGRAM, RECORDS, DOCS = sys.argv[1:4]
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "diagnose")
FAULTS = []


def run(arguments, text=None):
    return subprocess.run([PROGRAM, *arguments], input=text, capture_output=True, timeout=120)


def diagnose(text, options):
    done = run(["diagnose", "-", "--json", *options], text if isinstance(text, bytes) else text.encode())
    try:
        return json.loads(done.stdout), done.returncode
    except ValueError:
        sys.exit(f"no JSON: {done.stdout[-300:]} {done.stderr[-300:]}")


# ---- logs -------------------------------------------------------------------------------------------------------------


def vllm(version="0.10.2", args="'model': 'meta-llama/Llama-3.1-8B-Instruct'", context=8192, dtype="bfloat16", rest=""):
    """The beginning of a start of vLLM's engine V1."""
    return f"""(APIServer pid=1) INFO 11-02 10:00:01 [api_server.py:1896] vLLM API server version {version}
(APIServer pid=1) INFO 11-02 10:00:01 [utils.py:328] non-default args: {{{args}}}
(EngineCore_DP0 pid=77) INFO 11-02 10:00:12 [core.py:76] Initializing a V1 LLM engine (v{version}) with config: dtype=torch.{dtype}, max_seq_len={context}, kv_cache_dtype=auto, served_model_name=x
{rest}"""


def profile(weights="14.99", activation="1.27", non_torch="0.10", pool="54.88", tokens="449,536", context="8,192", concurrency="54.87", graphs="0.62", free="78.70", total="79.19"):
    """The measurements of a start that worked out."""
    return f"""(EngineCore_DP0 pid=77) INFO 11-02 10:00:20 [gpu_model_runner.py:2338] Model loading took {weights} GiB memory and 4.1 seconds
(EngineCore_DP0 pid=77) DEBUG 11-02 10:00:44 [gpu_worker.py:276] Memory profiling takes 3.1 seconds. Total non KV cache memory: 16.36GiB; torch peak memory increase: {activation}GiB; non-torch forward increase memory: {non_torch}GiB; weights memory: {weights}GiB.
(EngineCore_DP0 pid=77) INFO 11-02 10:00:44 [gpu_worker.py:298] Available KV cache memory: {pool} GiB
(EngineCore_DP0 pid=77) INFO 11-02 10:00:45 [kv_cache_utils.py:1087] GPU KV cache size: {tokens} tokens
(EngineCore_DP0 pid=77) INFO 11-02 10:00:45 [kv_cache_utils.py:1091] Maximum concurrency for {context} tokens per request: {concurrency}x
(EngineCore_DP0 pid=77) INFO 11-02 10:00:52 [gpu_model_runner.py:3118] Graph capturing finished in 7 secs, took {graphs} GiB
(EngineCore_DP0 pid=77) DEBUG 11-02 10:00:52 [gpu_worker.py:391] Free memory on device ({free}/{total} GiB) on startup. Desired GPU memory utilization is (0.9, 71.27 GiB). Actual usage is {weights} GiB for weight, {activation} GiB for peak activation, {non_torch} GiB for non-torch memory, and {graphs} GiB for CUDAGraph memory.
(APIServer pid=1) INFO:     Application startup complete.
"""


def load(weights="14.99"):
    return f"(EngineCore_DP0 pid=77) INFO 11-02 10:00:20 [gpu_model_runner.py:2338] Model loading took {weights} GiB memory and 4.1 seconds\n"


def out_of_memory(tried="1.50 GiB", total="79.19 GiB", free="900.06 MiB", process="78.30 GiB", allocated="76.00 GiB", unallocated="1.20 GiB", other=""):
    return f"(EngineCore_DP0 pid=77) ERROR 11-02 10:00:59 [core.py:718] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {tried}. GPU 0 has a total capacity of {total} of which {free} is free. {other}Including non-PyTorch memory, this process has {process} memory in use. Of the allocated memory {allocated} is allocated by PyTorch, and {unallocated} is reserved by PyTorch but unallocated. If reserved but unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation.\n"


def status(running, waiting, usage, times=1):
    line = f"(APIServer pid=1) INFO 11-02 11:00:00 [loggers.py:123] Engine 000: Avg prompt throughput: 812.4 tokens/s, Avg generation throughput: 95.0 tokens/s, Running: {running} reqs, Waiting: {waiting} reqs, GPU KV cache usage: {usage}%, Prefix cache hit rate: 1.0%\n"
    return line * times


def sglang(model="meta-llama/Llama-3.1-8B-Instruct", more="", context=8192, weights="15.08", keys="26.00", tokens="425984", graphs="1.10"):
    return f"""[2026-10-02 09:11:31] server_args=ServerArgs(model_path='{model}', tokenizer_path='{model}', dtype='auto', kv_cache_dtype='auto', quantization=None, context_length={context}, mem_fraction_static=0.84, max_running_requests=None, chunked_prefill_size=8192, tp_size=1, dp_size=1, speculative_algorithm=None, disable_cuda_graph=False, cuda_graph_max_bs=256{more})
[2026-10-02 09:11:40] Load weight begin. avail mem=78.60 GB
[2026-10-02 09:11:49] Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=63.50 GB, mem usage={weights} GB.
[2026-10-02 09:11:49] KV Cache is allocated. #tokens: {tokens}, K size: {keys} GB, V size: {keys} GB
[2026-10-02 09:11:49] Memory pool end. avail mem=10.91 GB
[2026-10-02 09:11:57] Capture cuda graph end. Time elapsed: 7.20 s. mem usage={graphs} GB. avail mem=9.70 GB.
[2026-10-02 09:11:57] max_total_num_tokens={tokens}, chunked_prefill_size=8192, max_prefill_tokens=16384, max_running_requests=2048, context_len={context}
[2026-10-02 09:12:00] The server is fired up and ready to roll!
"""


def llamacpp(layers="33/33", cells=8192, sequences=1, flash="1", types="f16", ubatch=512, train=131072, more="", tail="", host="281.81", gpu="4403.49", kv=None, unified="", build=6500):
    kv = kv if kv is not None else cells // 8
    half = kv / 2
    return f"""build: {build} (1a2b3c4d) with cc (Ubuntu 13.3.0) 13.3.0 for x86_64-linux-gnu
system_info: n_threads = 8 (n_threads_batch = 8) / 16 | CUDA : ARCHS = 860,890 | USE_GRAPHS = 1 |
llama_model_load_from_file_impl: using device CUDA0 (NVIDIA GeForce RTX 4090) (0000:01:00.0) - 23876 MiB free
llama_model_loader: loaded meta data with 33 key-value pairs and 292 tensors from /models/Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf (version GGUF V3 (latest))
llama_model_loader: - kv   0:                       general.architecture str              = llama
llama_model_loader: - kv   2:                               general.name str              = Meta Llama 3.1 8B Instruct
print_info: file type   = Q4_K - Medium
print_info: file size   = 4.58 GiB (4.89 BPW)
print_info: n_ctx_train      = {train}
load_tensors: offloading 32 repeating layers to GPU
load_tensors: offloaded {layers} layers to GPU
load_tensors:   CPU_Mapped model buffer size =   {host} MiB
load_tensors:        CUDA0 model buffer size =  {gpu} MiB
{more}llama_context: n_seq_max     = {sequences}
llama_context: n_ctx         = {cells}
llama_context: n_batch       = 2048
llama_context: n_ubatch      = {ubatch}
llama_context: flash_attn    = {flash}
{unified}llama_context:  CUDA_Host  output buffer size =     0.49 MiB
llama_kv_cache:      CUDA0 KV buffer size =  {kv:.2f} MiB
llama_kv_cache: size = {kv:.2f} MiB (  {cells} cells,  32 layers,  1/1 seqs), K ({types}):  {half:.2f} MiB, V ({types}):  {half:.2f} MiB
llama_context:      CUDA0 compute buffer size =   258.50 MiB
llama_context:  CUDA_Host compute buffer size =    24.01 MiB
{tail}main: server is listening on http://127.0.0.1:8080 - starting the main loop
"""


def ollama(context=4096, parallel=1, tail="", layers="33", model="llama"):
    return f"""time=2026-09-03T09:00:00.000Z level=INFO source=routes.go:1304 msg="Listening on [::]:11434 (version 0.30.2)"
time=2026-09-03T09:00:00.000Z level=INFO source=routes.go:1235 msg="server config" env="map[CUDA_VISIBLE_DEVICES: OLLAMA_CONTEXT_LENGTH:4096 OLLAMA_FLASH_ATTENTION:false OLLAMA_NUM_PARALLEL:{parallel}]"
time=2026-09-03T09:00:00.100Z level=INFO source=types.go:42 msg="inference compute" id=GPU-1 library=CUDA compute=8.9 name="NVIDIA GeForce RTX 4090" total="23.5 GiB" available="23.2 GiB"
time=2026-09-03T09:01:00.000Z level=INFO source=server.go:106 msg="system memory" total="62.7 GiB" free="3.2 GiB" free_swap="8.0 GiB"
time=2026-09-03T09:01:00.000Z level=INFO source=server.go:436 msg="starting llama server" cmd="/usr/bin/llama-server --model /usr/share/ollama/.ollama/models/blobs/sha256-667b0c1932bc6ffc --ctx-size {context * parallel} --parallel {parallel}"
llama_model_loader: loaded meta data with 29 key-value pairs and 292 tensors from /usr/share/ollama/.ollama/models/blobs/sha256-667b0c1932bc6ffc (version GGUF V3 (latest))
llama_model_loader: - kv   0:                       general.architecture str              = {model}
llama_model_loader: - kv   2:                               general.name str              = Meta Llama 3.1 8B Instruct
print_info: file type   = Q4_K - Medium
print_info: file size   = 4.58 GiB (4.89 BPW)
print_info: n_ctx_train      = 131072
load_tensors: offloaded {layers}/33 layers to GPU
load_tensors:   CPU_Mapped model buffer size =  4281.81 MiB
load_tensors:        CUDA0 model buffer size =  4403.49 MiB
llama_context: n_seq_max     = {parallel}
llama_context: n_ctx         = {context * parallel}
llama_context: n_batch       = 512
llama_context: n_ubatch      = 512
llama_context: flash_attn    = auto
llama_kv_cache:      CUDA0 KV buffer size =   {context * parallel / 8:.2f} MiB
llama_context:      CUDA0 compute buffer size =   300.01 MiB
llama_context:  CUDA_Host compute buffer size =    24.01 MiB
{tail}[GIN] 2026/09/03 - 09:01:09 | 200 |  1.2s | 127.0.0.1 | POST "/api/chat"
"""


def trtllm(pool="50.10", tokens="820736", batch=""):
    return f"""[TensorRT-LLM] TensorRT-LLM version: 1.0.0
[10/02/2026-09:11:02] [TRT-LLM] [I] LLM Args: model='meta-llama/Llama-3.1-8B-Instruct' backend='pytorch' max_num_tokens=8192 tensor_parallel_size=1
[10/02/2026-09:11:12] [TRT-LLM] [I] Memory used after loading model weights (inside torch) in memory usage profiling: 14.96 GiB
[TensorRT-LLM][INFO] [MemUsageChange] Allocated 1.02 GiB for max tokens in paged KV cache (8352).
[10/02/2026-09:11:22] [TRT-LLM] [I] Peak memory during memory usage profiling (torch + non-torch): 20.21 GiB, available KV cache memory when calculating max tokens: 53.00 GiB, fraction is set 0.9
[TensorRT-LLM][INFO] Number of blocks in KV cache primary pool: 25648
[TensorRT-LLM][INFO] [MemUsageChange] Allocated {pool} GiB for max tokens in paged KV cache ({tokens}).
{batch}INFO:     Uvicorn running on http://localhost:8000
"""


H100 = ["--gpu", "h100-sxm5-80gb"]
SMALL = ["--gpu", "rtx-4090"]
LLAMA70 = "'model': 'meta-llama/Llama-3.1-70B-Instruct', 'tensor_parallel_size': 4, 'max_model_len': 32768"

# what is provoked, the log, the options; whether remedies are expected
CASES = [
    ("context_longer_than_pool", open(os.path.join(FOLDER, "vllm_short_pool.log"), encoding="utf-8").read(), SMALL, True),
    ("context_longer_than_tokens", """INFO 01-11 15:51:02 llm_engine.py:70] Initializing an LLM engine (v0.4.2) with config: model='/home/me/models/Llama-2-7b-hf', tokenizer='x', dtype=torch.float16, max_seq_len=4096, tensor_parallel_size=1, quantization=None, enforce_eager=False, seed=0)
INFO 01-11 15:51:10 model_runner.py:167] Loading model weights took 12.5518 GB
INFO 01-11 15:51:18 gpu_executor.py:81] # GPU blocks: 171, # CPU blocks: 512
ValueError: The model's max seq len (4096) is larger than the maximum number of tokens that can be stored in KV cache (2736). Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.
""", ["--gpu-memory", "17GiB"], True),
    ("no_memory_for_kv_cache", vllm(rest=load("14.99") + "ERROR ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.\n"), ["--gpu-memory", "16GiB"], True),
    ("free_memory_too_little", vllm(rest="ValueError: Free memory on device (52.11/79.19 GiB) on startup is less than desired GPU memory utilization (0.9, 71.27 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.\n"), H100, True),
    ("weights_do_not_fit", vllm(args="'model': 'meta-llama/Llama-3.1-70B-Instruct'", rest=out_of_memory()), H100, True),
    ("step_does_not_fit", vllm(args="'model': 'meta-llama/Llama-3.1-8B-Instruct', 'max_num_batched_tokens': 65536, 'max_num_seqs': 1024", rest=load() + out_of_memory(total="23.52 GiB", process="22.6 GiB", allocated="21.9 GiB", unallocated="0.1 GiB", free="1 MiB", tried="3.50 GiB")), ["--gpu", "rtx-4090"], True),
    ("graphs_do_not_fit", vllm(rest=profile().split("(EngineCore_DP0 pid=77) INFO 11-02 10:00:52")[0] + out_of_memory()), H100, True),
    ("sampler_does_not_fit", vllm(args="'model': 'meta-llama/Llama-3.1-8B-Instruct', 'gpu_memory_utilization': 0.98", rest=load() + "RuntimeError: CUDA out of memory occurred when warming up sampler with 1024 dummy requests. Please try lowering `max_num_seqs` or `gpu_memory_utilization` when initializing the engine.\n"), H100, True),
    ("memory_ran_out_running", vllm(rest=profile() + status(3, 0, 4.0) + out_of_memory()), H100, True),
    ("memory_ran_out_running", sglang() + "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.96 GiB. GPU 0 has a total capacity of 79.19 GiB of which 1.00 GiB is free.\n", H100, True),
    ("buffer_does_not_fit", llamacpp(cells=131072, kv=16384).split("llama_context:  CUDA_Host  output")[0] + "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 16384.00 MiB on device 0: cudaMalloc failed: out of memory\nalloc_tensor_range: failed to allocate CUDA0 buffer of size 17179869184\nllama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache\n", ["--gpu", "rtx-3060-12gb"], True),
    ("quantised_values_need_flash_attention", llamacpp(flash="0", types="q8_0").split("llama_context:  CUDA_Host  output")[0] + "llama_init_from_model: V cache quantization requires flash_attn\nfailed to create context with model '/m.gguf'\n", [], True),
    ("memory_ran_out", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 32.00 MiB. GPU 0 has a total capacty of 4.00 GiB of which 41.56 MiB is free.\n", [], False),
    ("killed_by_the_system", vllm(rest="Last State: Terminated  Reason: OOMKilled  Exit Code: 137\n"), H100, False),
    ("ended_for_another_reason", vllm(rest=load() + "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}\n"), H100, False),
    ("fragmentation", vllm(rest=load() + out_of_memory(tried="1.70 GiB", free="0 bytes", unallocated="2.30 GiB")), H100, False),
    ("fragmentation_old", "RuntimeError: CUDA out of memory. Tried to allocate 128.00 MiB (GPU 0; 11.17 GiB total capacity; 9.10 GiB already allocated; 24.81 MiB free; 10.86 GiB reserved in total by PyTorch)\n", [], False),
    ("another_process_on_the_gpu", vllm(rest=profile(free="66.20") + out_of_memory(other="Process 4021 has 12.35 GiB memory in use. ")), H100, True),
    ("memory_taken_before_start", vllm(rest=profile(free="72.10")), H100, True),
    ("memory_not_accounted_for", vllm(rest=load() + out_of_memory(process="60.00 GiB", free="1.00 GiB")), H100, False),
    ("much_outside_of_pytorch", vllm(rest=profile(non_torch="6.41")), H100, False),
    ("gb_are_gib", sglang(), H100, False),
    ("ranks_differ", vllm(args=LLAMA70, rest="".join(f"(Worker_TP{k} pid={90 + k}) INFO 11-02 10:00:20 [gpu_model_runner.py:2338] Model loading took {32.9 + 2 * k} GiB memory and 4.1 seconds\n" for k in range(4))), H100, False),
    ("pools_of_ranks_differ", vllm(args=LLAMA70, rest="".join(f"(VllmWorker rank={k} pid={90 + k}) INFO 11-02 10:00:44 [gpu_worker.py:298] Available KV cache memory: {35.1 - 3 * k} GiB\n" for k in range(4))), H100, False),
    ("weights_are_not_those_planned", vllm(rest=profile(weights="8.50")), H100, False),
    ("pool_is_small", vllm(args="'model': 'meta-llama/Llama-3.1-8B-Instruct', 'max_model_len': 4096, 'max_num_seqs': 1024", context=4096, rest=profile(pool="2.10", tokens="17,200", concurrency="4.20", free="22.90", total="23.52")), SMALL, True),
    ("one_request_fills_the_pool", vllm(args="'model': 'meta-llama/Llama-3.1-8B-Instruct', 'max_model_len': 24576", context=24576, rest=profile(pool="3.30", tokens="27,024", context="24,576", concurrency="1.10", free="23.10", total="23.52")), SMALL, True),
    ("step_takes_much", vllm(args="'model': 'meta-llama/Llama-3.1-8B-Instruct', 'max_num_batched_tokens': 65536", rest=profile(activation="9.10")), H100, True),
    ("sampler_takes_much", vllm(args="'model': 'meta-llama/Llama-3.1-8B-Instruct', 'max_model_len': 131072", context=131072, rest=profile(context="131,072", concurrency="3.40")), H100, True),
    ("encoder_is_profiled", vllm(args="'model': 'Qwen/Qwen2.5-VL-7B-Instruct', 'max_model_len': 32768", context=32768, rest="(EngineCore_DP0 pid=77) INFO 11-02 10:00:21 [gpu_model_runner.py:2990] Encoder cache will be initialized with a budget of 16384 tokens, and profiled with 1 image items of the maximum feature size.\n" + profile(weights="15.63", context="32,768", concurrency="20.1")), H100, True),
    ("graphs_take_much", vllm(rest=profile(graphs="3.90")), H100, True),
    ("graphs_are_off", vllm(args="'model': 'meta-llama/Llama-3.1-8B-Instruct', 'enforce_eager': True", rest="INFO Cudagraph is disabled under eager mode\n" + profile()), H100, True),
    ("share_is_the_default", vllm(rest="".join(line + "\n" for line in profile().split("\n") if "on startup" not in line)), H100, True),
    ("length_is_the_models", vllm(args="'model': 'meta-llama/Llama-3.1-70B-Instruct', 'tensor_parallel_size': 4", context=131072, rest=profile(weights="32.89", pool="34.10", tokens="446,000", context="131,072", concurrency="3.41")), H100, True),
    ("cache_could_be_smaller", vllm(args=LLAMA70, context=32768, rest=profile(weights="32.89", pool="35.00", tokens="120,000", context="32,768", concurrency="3.66")), H100, True),
    ("tokens_are_no_capacity", vllm(args="'model': 'google/gemma-3-27b-it', 'max_model_len': 16384", context=16384, rest=profile(weights="51.40", pool="14.00", tokens="60,000", context="16,384", concurrency="9.10")), H100, False),
    ("speculation_takes_memory", vllm(args="'model': 'zai-org/GLM-4.5-Air', 'tensor_parallel_size': 4, 'speculative_config': {'method': 'mtp', 'num_speculative_tokens': 3}", rest=profile(weights="52.10", pool="10.20", tokens="232,000", concurrency="28.3")), H100, True),
    ("adapters_take_memory", vllm(args="'model': 'meta-llama/Llama-3.1-8B-Instruct', 'enable_lora': True, 'max_loras': 8, 'max_lora_rank': 64", rest=profile(weights="17.10")), H100, True),
    ("graphs_were_misjudged", vllm("0.19.0", rest="(EngineCore_DP0 pid=77) INFO 11-02 10:00:42 [gpu_model_runner.py:5900] Estimated CUDA graph memory: 2.60 GiB total\n" + profile(graphs="0.61")), H100, False),
    ("prefix_of_a_version", vllm("0.22.0", rest="".join(line + "\n" for line in profile().split("\n") if "on startup" not in line)), H100, False),
    ("share_of_sglang_is_low", sglang(model="meta-llama/Llama-3.1-8B-Instruct", context=131072, tokens="150000", keys="9.10") + "(x) Maximum concurrency for 131,072 tokens per request: 1.10x\n", SMALL[:0] + ["--gpu", "a100-sxm4-40gb"], True),
    ("batch_default_of_trtllm", trtllm(), H100, True),
    ("requests_are_taken_back", vllm(args="'model': 'meta-llama/Llama-3.1-8B-Instruct', 'max_model_len': 16384", context=16384, rest=profile() + "WARNING 11-02 11:00:00 [scheduler.py:1057] Sequence group 17 is preempted by PreemptionMode.RECOMPUTE mode because there is not enough KV cache space. total_num_cumulative_preemption=51\n"), H100, True),
    ("pool_is_full", vllm(rest=profile() + status(48, 212, 99.3)), H100, True),
    ("requests_wait_for_a_slot", vllm(args="'model': 'meta-llama/Llama-3.1-8B-Instruct', 'max_num_seqs': 16", rest=profile() + status(16, 40, 22.5)), H100, True),
    ("pool_is_hardly_used", vllm(rest=profile() + status(2, 0, 1.5, 25)), H100, True),
    ("prompts_are_cut", ollama(tail='time=2026-09-03T09:02:00Z level=WARN source=runner.go:157 msg="truncating input prompt" limit=4096 prompt=9120 keep=5 new=4096\n'), [], True),
    ("prompts_are_cut", llamacpp(tail="srv  send_error: task id = 0, error: request (9120 tokens) exceeds the available context size (8192 tokens), try increasing it\n"), [], True),
    ("layers_on_the_processor", llamacpp(layers="20/33", gpu="2500.10", host="4403.49"), [], True),
    ("no_layers_on_gpus", llamacpp(layers="0/33").replace("CUDA0", "CPU"), ["--gpu", "rtx-4090"], False),
    ("no_layers_on_gpus", llamacpp(layers="0/33").replace("load_tensors:        CUDA0 model buffer size =  4403.49 MiB\n", ""), [], True),
    ("context_is_divided", llamacpp(cells=8192, sequences=4), [], True),
    ("context_of_ollama", ollama(), [], True),
    ("context_beyond_training", llamacpp(cells=32768, train=8192), [], True),
    ("flash_attention_is_off", llamacpp(flash="0", cells=32768), [], True),
    ("windows_keep_all_tokens", llamacpp(cells=32768, tail="llama_kv_cache_unified_iswa: using full-size SWA cache (ref: https://github.com/ggml-org/llama.cpp/pull/13194)\n").replace("Meta-Llama-3.1-8B-Instruct", "gemma-3-12b-it").replace("Meta Llama 3.1 8B Instruct", "gemma 3 12b it"), [], True),
    ("passes_are_large", llamacpp(ubatch=2048).replace("258.50", "1300.00"), [], True),
    ("cache_is_larger_than_weights", llamacpp(cells=65536), [], True),
    ("cache_on_the_processor", llamacpp().replace("CUDA0 KV buffer", "CPU KV buffer"), [], True),
    ("host_memory_is_short", ollama(layers="20"), [], False),
    ("second_model", llamacpp(tail="llama_model_loader: loaded meta data with 30 key-value pairs and 147 tensors from /models/Llama-3.2-1B-Instruct-Q8_0.gguf (version GGUF V3 (latest))\n"), [], False),
]


GIB, MIB = 2**30, 2**20

# A log of each engine: what it is of, what was set, and what was measured, as one reads it in the file.
ENGINES = [
    ("vllm_v0.log", H100, {"engine": "vllm", "version": "0.6.6", "model": "meta-llama/Meta-Llama-3-8B", "outcome": "started"},
     {"gpu_memory_utilization": "0.9", "max_num_seqs": "256", "max_model_len": "8192", "enforce_eager": "false"},
     {"weights": 14.9595 * GIB, "activation": 1.26 * GIB, "non_torch": 1.79 * GIB, "graphs": 0.21 * GIB, "kv_pool": 53.29 * GIB,
      "kv_tokens": 27284 * 16, "gpu_total": 79.22 * GIB, "requested": 71.29 * GIB}),
    ("vllm_v1_tp2.log", H100, {"engine": "vllm", "version": "0.19.0", "model": "meta-llama/Llama-3.1-70B-Instruct", "outcome": "started"},
     {"gpu_memory_utilization": "0.95", "max_num_seqs": "256", "max_model_len": "16384"},
     {"weights": 32.89 * GIB, "activation": 2.17 * GIB, "non_torch": 1.04 * GIB, "graphs": 1.27 * GIB, "kv_pool": 39.05 * GIB, "kv_tokens": 511840}),
    ("vllm_short_pool.log", SMALL, {"engine": "vllm", "version": "0.10.0", "outcome": "failed"}, {"max_model_len": "131072"},
     {"weights": 14.9889 * GIB, "kv_pool": 3.35 * GIB, "kv_tokens": 27424, "kv_needed": 16 * GIB}),
    ("sglang_tp2.log", H100, {"engine": "sglang", "version": None, "model": "Qwen/Qwen3-32B", "outcome": "started"},
     {"mem_fraction_static": "0.85", "chunked_prefill_size": "8192", "attention_backend": "fa3", "context_length": "40960"},
     {"weights": 30.81 * GIB, "graphs": 1.24 * GIB, "kv_pool": 35.02 * GIB, "kv_tokens": 286912, "gpu_free": 77.93 * GIB}),
    ("trtllm.log", H100, {"engine": "trtllm", "version": "1.0.0", "model": "meta-llama/Llama-3.1-8B-Instruct", "outcome": "started"},
     {"max_batch_size": "256", "max_num_tokens": "4096", "tokens_per_block": "32"},
     {"weights": 14.96 * GIB, "kv_pool": 54.66 * GIB, "kv_tokens": 447776, "peak": 18.44 * GIB}),
    ("llamacpp_two_gpus.log", [], {"engine": "llamacpp", "version": "b6500", "model": "Qwen2.5-32B-Instruct", "outcome": "started"},
     {"n_ctx": "16384", "n_gpu_layers": "65", "flash_attn": "on", "free_memory": "23880MiB,23880MiB"},
     {"model CUDA0": 9077.30 * MIB, "model CUDA1": 9430.66 * MIB, "model host": 417.66 * MIB, "kv CUDA0": 2112 * MIB, "kv CUDA1": 1984 * MIB,
      "compute CUDA0": 368.01 * MIB, "compute CUDA1": 473.02 * MIB, "compute host": 138.02 * MIB, "output host": 0.58 * MIB}),
    ("ollama.log", [], {"engine": "ollama", "version": "0.30.2", "outcome": "started"},
     {"num_ctx": "8192", "OLLAMA_NUM_PARALLEL": "2", "num_gpu": "33"},
     {"model CUDA0": 4403.49 * MIB, "model host": 281.81 * MIB, "kv CUDA0": 2048 * MIB, "compute CUDA0": 258.5 * MIB, "host_free": 57.2 * GIB}),
]


# ---- checking ---------------------------------------------------------------------------------------------------------


def changed(command, remedy):
    """The plan's command with the change of a remedy."""
    words = shlex.split(command)[2:]
    model, pairs = words[0], list(zip(words[1::2], words[2::2]))
    added = shlex.split(remedy["option"] or "--set free_memory_at_start=")
    for option, value in zip(added[::2], added[1::2]):
        key = value.split("=")[0] if option == "--set" else None
        pairs = [(o, v) for o, v in pairs if not (o == option and (key is None or v.split("=")[0] == key))]
        if key in ("max_model_len", "context_length", "max_seq_len", "n_ctx", "num_ctx"):
            pairs = [(o, v) for o, v in pairs if o != "--context"]
        if key in ("kv_cache_dtype", "OLLAMA_KV_CACHE_TYPE"):
            pairs = [(o, v) for o, v in pairs if o != "--kv-dtype"]
        if not value.endswith("="):
            pairs.append((option, value))
    return ["plan", model, *[word for pair in pairs for word in pair], "--json"]


def check_remedy(place, answer, remedy):
    done = run(changed(answer["plan"], remedy))
    plan = json.loads(done.stdout)
    if plan["schema"] != "tonnage.plan/1":
        FAULTS.append(f"{place}: {remedy['option']}: {plan['message']}")
        return
    after = remedy["after"]
    tokens = plan["kv"]["pool_tokens"]
    if after["pool_tokens"] is not None and after["pool_tokens"] != tokens:
        FAULTS.append(f"{place}: {remedy['option']}: after {after['pool_tokens']} tokens, planned again {tokens}")
    if plan["verdict"]["fits"] is not None and after["fits"] != plan["verdict"]["fits"]:
        FAULTS.append(f"{place}: {remedy['option']}: fits {after['fits']}, planned again {plan['verdict']['fits']}")


def check_case(place, code, text, options, helps):
    answer, exit_code = diagnose(text, options)
    if answer["schema"] != "tonnage.diagnose/1":
        FAULTS.append(f"{place}: {answer['message']}")
        return set()
    findings = {finding["code"]: finding for finding in answer["findings"]}
    if code not in findings:
        FAULTS.append(f"{place}: not found, only {sorted(findings)}; {[n['message'] for n in answer['notes']]}")
        return set()
    if helps and not findings[code]["remedies"]:
        FAULTS.append(f"{place}: no remedy; {[n['message'] for n in answer['notes']]}")
    if exit_code != (answer["outcome"] in ("failed", "failed_later")):
        FAULTS.append(f"{place}: exit code {exit_code} with outcome {answer['outcome']}")
    if "{" in findings[code]["message"] or not findings[code]["message"]:
        FAULTS.append(f"{place}: message {findings[code]['message']}")
    for finding in answer["findings"]:
        for remedy in finding["remedies"]:
            check_remedy(f"{place} ({finding['code']})", answer, remedy)
    return set(findings)


def check_engine(name, options, told, settings, measured):
    path = os.path.join(FOLDER, name)
    done = run(["diagnose", path, "--json", *options])
    answer = json.loads(done.stdout)
    if done.returncode != (told["outcome"] == "failed"):
        FAULTS.append(f"{name}: exit code {done.returncode}")
    for key, wanted in told.items():
        if answer.get(key) != wanted:
            FAULTS.append(f"{name}: {key} is {answer.get(key)}, {wanted} stands in the log")
    for key, wanted in settings.items():
        if answer["settings"].get(key) != wanted:
            FAULTS.append(f"{name}: {key} is {answer['settings'].get(key)}, {wanted} stands in the log")
    terms = {term["term"] + (" " + term["device"] if "device" in term else ""): term for term in answer["terms"]}
    lines = open(path, encoding="utf-8").read().split("\n")
    for key, wanted in measured.items():
        # digits of MiB come back as two decimals
        if key not in terms or abs(terms[key]["measured"] - wanted) > 0.01 * MIB:
            FAULTS.append(f"{name}: {key} is {terms.get(key)}, {wanted:.0f} stands in the log")
        elif terms[key]["line"] and not re.search(r"\d", lines[terms[key]["line"] - 1]):
            FAULTS.append(f"{name}: {key} does not stand in line {terms[key]['line']}")
    if not answer["plan"] or not any(term["predicted"] is not None for term in answer["terms"]):
        FAULTS.append(f"{name}: no plan stands beside it: {answer['notes']}")


def dressed(text):
    """The same log in other clothes: they must not change what it says."""
    lines = text.split("\n")
    yield "CR LF", text.replace("\n", "\r\n").encode()
    yield "UTF-16", text.encode("utf-16")
    yield "docker", "".join(json.dumps({"log": "\x1b[36m" + line + "\x1b[0m\n", "stream": "stdout", "time": "2026-07-01T10:00:00Z"}) + "\n" for line in lines).encode()
    yield "kubernetes", "".join(f"2026-07-01T10:00:00.000000001Z stderr F {line}\n" for line in lines).encode()
    yield "compose", "".join(f"\x1b[36mserver-1  |\x1b[0m {line}\n" for line in lines).encode()
    yield "noise", b"\x00\xff\x80 noise\n" + text.encode() + b"\x7f\xfe" * 500


def check_dressed(name, options):
    text = open(os.path.join(FOLDER, name), encoding="utf-8").read()

    def said(answer):
        return [{key: value for key, value in term.items() if key != "line"} for term in answer["terms"]], answer["settings"], answer["model"], [f["code"] for f in answer["findings"]]

    plain = said(diagnose(text, options)[0])
    for clothes, changed_text in dressed(text):
        if said(diagnose(changed_text, options)[0]) != plain:
            FAULTS.append(f"{name}: says something else as {clothes}")


def records():
    """code -> whether its record has remedies"""
    found = {}
    for path in sorted(glob.glob(os.path.join(RECORDS, "*.rec"))):
        for line in open(path, encoding="utf-8"):
            if line.startswith("finding "):
                code = line.split()[1]
                found[code] = False
            elif re.match(r"  (remedy|offers)", line):
                found[code] = True
    return found


BEGIN, END = "<!-- findings: written by tests/check_diagnose.py --update -->\n", "<!-- end of findings -->"


def table():
    """The findings as docs have them."""
    lines = ["| finding | weight | says | may help |", "|---|---|---|---|"]
    for path in sorted(glob.glob(os.path.join(RECORDS, "*.rec"))):
        for record in open(path, encoding="utf-8").read().split("\nfinding ")[1:]:
            statements = [line.strip().partition(" ")[::2] for line in record.split("\n")[1:] if line.startswith("  ")]
            said = {word: rest for word, rest in statements}
            helps = []
            for word, rest in statements:
                name = "the engine's own remedies" if word == "offers" else f"`{rest.split()[0].removeprefix('--')}`"
                if word in ("offers", "remedy") and name not in helps:
                    helps.append(name)
            lines.append(f"| `{record.split()[0]}` | {said['weight']} | {said['says']} | {', '.join(helps)} |")
    return "\n".join(lines) + "\n"


def check_docs():
    text = open(DOCS, encoding="utf-8").read()
    before, after = text.split(BEGIN)[0], text[text.index(END):]
    wanted = before + BEGIN + table() + after
    if "--update" in sys.argv:
        open(DOCS, "w", encoding="utf-8").write(wanted)
    elif text != wanted:
        FAULTS.append(f"{DOCS}: the table of findings is out of date: run with --update")


with concurrent.futures.ThreadPoolExecutor() as threads:
    jobs = [threads.submit(check_engine, *engine) for engine in ENGINES]
    jobs += [threads.submit(check_dressed, name, options) for name, options, *_ in ENGINES]
    jobs += [threads.submit(check_case, f"case {number} {case[0]}", *case) for number, case in enumerate(CASES)]
    for job in jobs:
        job.result()
provoked = {}
for code, _, _, helps in CASES:
    provoked[code] = provoked.get(code, False) or helps
known = records()
for code in known:
    if code not in provoked:
        FAULTS.append(f"{code}: no log provokes it")
for code in sorted(set(provoked) - set(known)):
    FAULTS.append(f"{code}: there is no such record")
check_docs()
if len(known) < 25:
    FAULTS.append(f"{len(known)} findings")
unproved = [code for code, has in known.items() if has and not provoked.get(code)]
print("\n".join(FAULTS))
print(f"{len(ENGINES) + len(CASES)} logs, {len(known)} findings, of which no remedy was seen: {' '.join(unproved) or 'none'}")
sys.exit(bool(FAULTS))
