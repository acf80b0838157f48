"""`tonnage gpus --detect` and `--gpu auto` on made-up machines: a library in the place of NVML, folders in the place of /sys.

usage: check_gpus.py PROGRAM FAKE_NVML OLD_NVML
"""
import sys

from machine import GIB, Machine, expect, run_tests, test

PROGRAM, FAKE, OLD = sys.argv[1:4]
H100 = """gpu NVIDIA H100 80GB HBM3
uuid GPU-aaaa
memory 85520809984 1073741824 536870912
"""
DIVIDED = """gpu NVIDIA A100-SXM4-80GB
uuid GPU-bbbb
memory 85899345920 629145600 524288000
divided 7
slice 0 NVIDIA A100-SXM4-80GB MIG 1g.10gb
uuid MIG-1
memory 10200547328 13107200 0
process 4242 9000000000
slice 2 NVIDIA A100-SXM4-80GB MIG 3g.40gb
uuid MIG-2
memory 42144366592 13107200 0
"""


def machine_of(script, nvml=FAKE):
    machine = Machine(PROGRAM, nvml)
    machine.write("nvml.txt", "driver 550.90.07\n" + script)
    return machine


def detected(script, nvml=FAKE):
    with machine_of(script, nvml) as machine:
        return machine.json("gpus", "--detect")


@test
def gpus_with_memory_processes_and_the_catalog_s_name():
    answer = detected(H100 + "process 7 1000\ndraws 7 1000\ndraws 8 5\n")
    expect(answer["schema"] == "tonnage.gpus/1" and answer["driver"] == "550.90.07" and answer["fault"] is None, answer)
    expect(answer["detected"] == [{
        "index": 0, "slice": None, "divided": False, "vendor": "NVIDIA", "name": "NVIDIA H100 80GB HBM3",
        "id": "h100-sxm5-80gb", "uuid": "GPU-aaaa", "memory_bytes": 85520809984, "used_bytes": GIB,
        "free_bytes": 85520809984 - GIB - GIB // 2, "processes": 2, "fault": None}], answer)


@test
def slices_of_a_divided_gpu_stand_behind_it():
    answer = detected(DIVIDED)["detected"]
    expect([gpu["slice"] for gpu in answer] == [None, 0, 2], answer)
    expect([gpu["divided"] for gpu in answer] == [True, False, False], answer)
    expect([gpu["memory_bytes"] for gpu in answer] == [85899345920, 10200547328, 42144366592], answer)
    expect({gpu["id"] for gpu in answer} == {"a100-sxm4-80gb"}, answer)
    expect(answer[1]["processes"] == 1 and answer[1]["uuid"] == "MIG-1", answer)
    with machine_of(DIVIDED) as machine:
        text = machine.run("gpus", "--detect").stdout
    expect("0.2" in text and "MIG mode" in text, text)


@test
def a_driver_without_the_newer_functions():
    # it counts what the driver keeps as used: 1 GiB and 0.5 GiB
    answer = detected(H100 + "process 7 1000\ndraws 8 5\n", OLD)["detected"]
    expect(len(answer) == 1 and answer[0]["used_bytes"] == GIB + GIB // 2 and answer[0]["processes"] == 2, answer)
    expect(not detected(DIVIDED, OLD)["detected"][0]["divided"], "an old driver knows no slices")


@test
def functions_that_are_there_and_do_not_work_give_way_to_older_ones():
    answer = detected("fails nvmlDeviceGetMemoryInfo_v2 13\nfails nvmlDeviceGetComputeRunningProcesses_v3 13\n" + H100
                      + "process 7 1000\n")["detected"][0]
    expect(answer["used_bytes"] == GIB + GIB // 2 and answer["processes"] == 1 and answer["fault"] is None, answer)


@test
def more_processes_than_the_first_guess():
    answer = detected(H100 + "".join(f"process {k} 10\n" for k in range(1, 301)))["detected"][0]
    expect(answer["processes"] == 300, answer)


@test
def what_the_driver_refuses_is_said():
    answer = detected("fails nvmlDeviceGetComputeRunningProcesses_v3 4\n" + H100)["detected"][0]
    expect(answer["processes"] is None and answer["fault"] == "Insufficient Permissions", answer)
    expect(answer["memory_bytes"] == 85520809984, answer)


@test
def a_gpu_that_is_lost_does_not_hide_the_others():
    answer = detected("fails nvmlDeviceGetHandleByIndex_v2 15 0\n" + H100 + H100)["detected"]
    expect(len(answer) == 2 and answer[0]["fault"] == "GPU is lost" and answer[0]["memory_bytes"] is None, answer)
    expect(answer[1]["memory_bytes"] == 85520809984, answer)


@test
def a_driver_that_does_not_answer():
    answer = detected("fails nvmlInit_v2 9\n" + H100)
    expect(answer["detected"] == [] and "Driver Not Loaded" in answer["fault"], answer)
    answer = detected("fails nvmlDeviceGetCount_v2 999\n" + H100)
    expect(answer["detected"] == [] and "does not count" in answer["fault"], answer)


@test
def no_library_and_one_that_is_none():
    for path in ("/nowhere/libnvidia-ml.so.1", sys.argv[0]):
        with Machine(PROGRAM, path) as machine:
            answer = machine.json("gpus", "--detect")
            expect(answer["detected"] == [] and "cannot be loaded" in answer["fault"], answer)
            text = machine.run("gpus", "--detect").stdout
            expect("No GPU was found" in text, text)


@test
def cards_of_one_name_are_told_apart_by_their_memory():
    def id_of(size):
        return detected(f"gpu NVIDIA GeForce RTX 3060\nmemory {size} 0 0\n")["detected"][0]["id"]
    expect((id_of(12 * GIB), id_of(8 * GIB)) == ("rtx-3060-12gb", "rtx-3060-8gb"), (id_of(12 * GIB), id_of(8 * GIB)))


@test
def gpus_of_amd():
    with machine_of("") as machine:
        machine.card(0, vendor="0x10de", mem_info_vram_total="1")
        machine.card(1, product_name="AMD Instinct MI210", device="0x740f", uevent="DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0",
                     mem_info_vram_total=str(64 * GIB), mem_info_vram_used=str(GIB), unique_id="abc")
        machine.card(9, device="0x744c", mem_info_vram_total=str(24 * GIB), mem_info_vram_used="0")
        answer = machine.json("gpus", "--detect")["detected"]
    expect([gpu["name"] for gpu in answer] == ["AMD Instinct MI210", "AMD GPU 0x744c"], answer)
    expect([gpu["id"] for gpu in answer] == ["mi210", None] and answer[0]["uuid"] == "abc", answer)
    expect(answer[0]["free_bytes"] == 63 * GIB and answer[1]["memory_bytes"] == 24 * GIB, answer)


def notes_of(answer):
    return {note["code"]: note["message"] for note in answer["notes"]}


@test
def a_plan_for_the_gpus_of_this_machine():
    with machine_of(H100 + H100 + DIVIDED) as machine:
        answer = machine.json("plan", "qwen3-8b", "--context", "4096", "--gpu", "auto")
        expect(len(answer["devices"]) == 2, answer["devices"])
        expect(all(device["memory_bytes"] == 85520809984 for device in answer["devices"]), answer["devices"])
        notes = notes_of(answer)
        expect("2 x NVIDIA H100" in notes["gpu_detected"] and "2 GPUs of other kinds" in notes["gpu_left_out"], notes)
        expect("2 of these GPUs" in notes["gpu_in_use"] and "1.00 GiB" in notes["gpu_in_use"], notes)
        expect("gpu_memory_marketed" not in notes, notes)
        one = machine.json("plan", "qwen3-8b", "--context", "4096", "--gpu", "autox1")
        expect(len(one["devices"]) == 1, one["devices"])
        error = machine.json("plan", "qwen3-8b", "--gpu", "autox3", exit_code=2)
        expect(error["code"] == "unknown_gpu" and "has 2 NVIDIA H100" in error["message"], error)


@test
def engines_that_use_every_gpu_are_planned_on_all_kinds():
    small = "gpu NVIDIA GeForce RTX 3060\nmemory 12884901888 0 0\n"
    with machine_of(H100 + small) as machine:
        answer = machine.json("plan", "qwen3-8b", "--context", "4096", "--gpu", "auto", "--engine", "llamacpp")
        expect([device["memory_bytes"] for device in answer["devices"]] == [85520809984, 12 * GIB], answer["devices"])
        expect("H100" in answer["devices"][0]["gpu"] and "3060" in answer["devices"][1]["gpu"], answer["devices"])
        expect("gpus_unequal" in notes_of(answer), answer["notes"])
        one_kind = machine.json("plan", "qwen3-8b", "--context", "4096", "--gpu", "auto", "--engine", "vllm")
        expect(len(one_kind["devices"]) == 1 and "gpu_left_out" in notes_of(one_kind), one_kind["notes"])


@test
def a_slice_is_planned_by_its_own_memory():
    with machine_of(DIVIDED) as machine:
        answer = machine.json("plan", "qwen3-8b", "--context", "4096", "--gpu", "auto", "--engine", "vllm")
    expect([device["memory_bytes"] for device in answer["devices"]] == [42144366592], answer["devices"])


@test
def a_gpu_that_the_catalog_does_not_have_counts_by_its_memory():
    with machine_of("gpu NVIDIA Imaginary 9000\nmemory 25769803776 0 0\n") as machine:
        answer = machine.json("plan", "qwen3-8b", "--context", "4096", "--gpu", "auto")
    expect(answer["devices"][0]["memory_bytes"] == 24 * GIB and answer["verdict"]["fits"], answer)
    expect("not in the catalog" in notes_of(answer)["gpu_detected"], answer["notes"])


@test
def memory_that_the_driver_does_not_tell_is_the_catalog_s():
    # a GB10 shares the processor's memory, of which NVML says nothing
    with machine_of("fails nvmlDeviceGetMemoryInfo_v2 3\nfails nvmlDeviceGetMemoryInfo 3\ngpu NVIDIA GB10\n") as machine:
        gpu = machine.json("gpus", "--detect")["detected"][0]
        expect(gpu["memory_bytes"] is None and gpu["fault"] == "Not Supported" and gpu["id"] == "gb10", gpu)
        known = next(one for one in machine.json("gpus")["gpus"] if one["id"] == "gb10")
        answer = machine.json("plan", "qwen3-8b", "--context", "4096", "--gpu", "auto")
    expect(answer["devices"][0]["memory_bytes"] == known["memory_bytes"], answer["devices"])


@test
def without_a_gpu_auto_is_an_error_that_says_so():
    with machine_of("") as machine:
        error = machine.json("plan", "qwen3-8b", "--gpu", "auto", exit_code=2)
    expect(error["code"] == "unknown_gpu" and error["where"] == "--gpu" and "--gpu-memory" in error["hint"], error)


run_tests()
