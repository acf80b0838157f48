/* Manifests: the same container written for Compose and for Kubernetes. */
#include "launch/manifest.h"

#include "launch/shell.h"

#include <stdarg.h>
#include <stdio.h>

enum kind { COMPOSE, KUBERNETES };

#define OPTIONS_PATH "/etc/tonnage/options.yaml"
#define MODELFILE_PATH "/etc/tonnage/Modelfile"

/* YAML line by line; text that a person or a file named goes through add_scalar alone. */
struct manifest {
    const struct tn_launch_plan *plan;
    const struct tn_engine_command *command;
    struct tn_builder *out;
    enum kind kind;
    struct tn_builder label;
    struct tn_builder model;  /* as the container names it */
    struct tn_builder folder; /* of this machine with the model's files; empty: it comes from the hub */
};

static void line(const struct manifest *manifest, int indent, const char *format, ...) TN_PRINTF(3, 4);

static void line(const struct manifest *manifest, int indent, const char *format, ...)
{
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    tn_builder_add_repeated(manifest->out, " ", (size_t)indent);
    tn_builder_add_text(manifest->out, text);
    tn_builder_add_char(manifest->out, '\n');
}

/* Both put variables into texts: what is no variable of ours is to stay as it is. */
static void add_scalar(const struct manifest *manifest, struct tn_str text)
{
    struct tn_builder escaped = {0};
    for (size_t k = 0; k < text.size; k++) {
        bool is_variable =
            text.data[k] == '$' && (manifest->kind == COMPOSE || (k + 1 < text.size && text.data[k + 1] == '('));
        tn_builder_add_text(&escaped, is_variable ? "$" : "");
        tn_builder_add_char(&escaped, text.data[k]);
    }
    tn_yaml_write_scalar(manifest->out, tn_builder_str(&escaped));
    manifest->out->failed = manifest->out->failed || escaped.failed;
    tn_builder_free(&escaped);
}

static void item(const struct manifest *manifest, int indent, struct tn_str text)
{
    tn_builder_add_repeated(manifest->out, " ", (size_t)indent);
    tn_builder_add_text(manifest->out, "- ");
    add_scalar(manifest, text);
    tn_builder_add_char(manifest->out, '\n');
}

static void items(const struct manifest *manifest, int indent, struct tn_str words)
{
    for (struct tn_str word = tn_str_word(&words); word.size; word = tn_str_word(&words)) {
        item(manifest, indent, word);
    }
}

static void pair(const struct manifest *manifest, int indent, const char *key, struct tn_str value)
{
    tn_builder_add_repeated(manifest->out, " ", (size_t)indent);
    tn_builder_addf(manifest->out, "%s: ", key);
    add_scalar(manifest, value);
    tn_builder_add_char(manifest->out, '\n');
}

/* A text of several lines under a key, each line at that indentation. */
static void block(const struct manifest *manifest, int indent, struct tn_str text)
{
    while (text.size) {
        size_t end = tn_str_find(text, TN_STR("\n"));
        tn_builder_add_repeated(manifest->out, " ", (size_t)indent);
        tn_builder_add(manifest->out, tn_str_slice(text, 0, end));
        tn_builder_add_char(manifest->out, '\n');
        text = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(text, end + 1, text.size);
    }
}

/* ---- what the container needs ------------------------------------------------------------------------------------- */

/* "vllm/vllm-openai:v0.19.0"; images of other versions than builds have no version in their tag. */
static void add_image(const struct manifest *manifest, struct tn_builder *text)
{
    const struct tn_launch_table *table = manifest->command->table;
    struct tn_str version = manifest->plan->version;
    const struct tn_image *image = NULL;
    for (size_t k = 0; !image && k < table->image_count; k++) {
        bool is_build = tn_str_starts(version, TN_STR("b"));
        image = table->images[k].is_of_builds && !is_build ? NULL : &table->images[k];
    }
    if (!image) {
        return;
    }
    size_t mark = tn_str_find(image->tag, TN_STR("{"));
    tn_builder_add(text, image->repository);
    tn_builder_add_char(text, ':');
    tn_builder_add(text, tn_str_slice(image->tag, 0, mark));
    tn_builder_add(text, mark == SIZE_MAX ? (struct tn_str){0} : version);
}

static size_t behind_slash(struct tn_str path)
{
    size_t from = path.size;
    while (from > 0 && path.data[from - 1] != '/') {
        from--;
    }
    return from;
}

/* A file of weights is mounted with its folder, a folder as it is; what the hub has is loaded from there. */
static void place_model(struct manifest *manifest)
{
    const struct tn_launch_plan *plan = manifest->plan;
    size_t from = behind_slash(plan->model);
    if (!plan->model_is_file) {
        tn_builder_add(&manifest->model, plan->model);
        return;
    }
    tn_builder_add_text(&manifest->model, "/models/");
    tn_builder_add(&manifest->model, tn_str_slice(plan->model, from, plan->model.size));
    tn_builder_add(&manifest->folder, from ? tn_str_slice(plan->model, 0, from) : TN_STR("./"));
    bool is_relative = from && plan->model.data[0] != '/' && plan->model.data[0] != '.';
    if (is_relative) { /* compose takes a bare name for a volume */
        tn_builder_clear(&manifest->folder);
        tn_builder_add_text(&manifest->folder, "./");
        tn_builder_add(&manifest->folder, tn_str_slice(plan->model, 0, from));
    }
}

static bool open_manifest(struct manifest *manifest, struct tn_error *error)
{
    const struct tn_gpu *gpu = manifest->plan->deployment->gpu;
    if (gpu && !tn_str_is(gpu->vendor, "NVIDIA")) {
        tn_fail(error, TN_ERROR_USAGE, "images and devices are written for NVIDIA's GPUs alone, not for " TN_STR_FORMAT,
                TN_STR_ARGUMENTS(gpu->name));
        return tn_fail_at(error, -1, "--emit");
    }
    tn_launch_write_label(manifest->plan->model, &manifest->label);
    place_model(manifest);
    return true;
}

static bool close_manifest(struct manifest *manifest, bool done)
{
    manifest->out->failed =
        manifest->out->failed || manifest->label.failed || manifest->model.failed || manifest->folder.failed;
    tn_builder_free(&manifest->label);
    tn_builder_free(&manifest->model);
    tn_builder_free(&manifest->folder);
    return done;
}

static void add_program(const struct manifest *manifest, int indent)
{
    const struct tn_engine_command *command = manifest->command;
    if (command->table->entrypoint.size) {
        items(manifest, indent, command->table->entrypoint);
        return;
    }
    for (size_t k = 0; k < command->program_words; k++) {
        item(manifest, indent, command->words[k].text);
    }
}

static void add_arguments(const struct manifest *manifest, int indent)
{
    const struct tn_engine_command *command = manifest->command;
    for (size_t k = command->program_words; k < command->word_count; k++) {
        struct tn_str word = command->words[k].text;
        item(manifest, indent, tn_str_equal(word, manifest->plan->model) ? tn_builder_str(&manifest->model) : word);
    }
    if (command->option_count) {
        item(manifest, indent, tn_first_word(command->table->file));
        item(manifest, indent, TN_STR(OPTIONS_PATH));
    }
    items(manifest, indent, command->table->container);
}

/* ollama's server does not end before its model is made: a shell waits for it. */
static void add_ollama_script(const struct manifest *manifest, int indent)
{
    item(manifest, indent, TN_STR("/bin/sh"));
    item(manifest, indent, TN_STR("-c"));
    struct tn_builder script = {0};
    tn_builder_add_text(&script, "ollama serve & until ollama list; do sleep 1; done; ollama create ");
    tn_builder_add(&script, tn_builder_str(&manifest->label));
    tn_builder_add_text(&script, " -f " MODELFILE_PATH "; wait");
    item(manifest, indent, tn_builder_str(&script));
    tn_builder_free(&script);
}

static const char *file_path(const struct manifest *manifest)
{
    return tn_launch_has_modelfile(manifest->command) ? MODELFILE_PATH : OPTIONS_PATH;
}

static bool has_file(const struct manifest *manifest)
{
    return manifest->command->option_count > 0 || tn_launch_has_modelfile(manifest->command);
}

static void add_file_text(const struct manifest *manifest, int indent)
{
    struct tn_builder text = {0};
    tn_launch_write_file(manifest->plan, manifest->command, tn_builder_str(&manifest->model), &text);
    block(manifest, indent, tn_builder_str(&text));
    tn_builder_free(&text);
}

static const char cache_path[] = "/cache";

/* What tells the engine to keep there what it loads: whoever runs in the image, its home is not asked for. */
static const char *cache_variable(const struct manifest *manifest)
{
    return tn_launch_has_modelfile(manifest->command) ? "OLLAMA_MODELS" : "HF_HOME";
}

/* ---- Compose ------------------------------------------------------------------------------------------------------ */

static void add_compose_environment(const struct manifest *manifest)
{
    const struct tn_engine_command *command = manifest->command;
    line(manifest, 4, "environment:");
    line(manifest, 6, "HF_TOKEN: ${HF_TOKEN:-}");
    line(manifest, 6, "%s: %s", cache_variable(manifest), cache_path);
    for (size_t k = 0; k < command->environment_count; k++) {
        tn_builder_add_repeated(manifest->out, " ", 6);
        tn_builder_add(manifest->out, command->environment[k].name);
        tn_builder_add_text(manifest->out, ": ");
        add_scalar(manifest, command->environment[k].value);
        tn_builder_add_char(manifest->out, '\n');
    }
}

static void add_compose_service(const struct manifest *manifest)
{
    struct tn_builder text = {0};
    add_image(manifest, &text);
    line(manifest, 2, "%s:", manifest->command->table->engine->name);
    pair(manifest, 4, "image", tn_builder_str(&text));
    tn_builder_free(&text);
    line(manifest, 4, "entrypoint:");
    if (tn_launch_has_modelfile(manifest->command)) {
        add_ollama_script(manifest, 6);
    } else {
        add_program(manifest, 6);
        line(manifest, 4, "command:");
        add_arguments(manifest, 6);
    }
    add_compose_environment(manifest);
    line(manifest, 4, "ports:");
    line(manifest, 6, "- \"%llu:%llu\"", (unsigned long long)manifest->command->table->port,
         (unsigned long long)manifest->command->table->port);
    line(manifest, 4, "volumes:");
    line(manifest, 6, "- cache:%s", cache_path);
    if (manifest->folder.size) {
        tn_builder_add_text(&text, "");
        tn_builder_add(&text, tn_builder_str(&manifest->folder));
        tn_builder_add_text(&text, ":/models:ro");
        item(manifest, 6, tn_builder_str(&text));
        tn_builder_free(&text);
    }
}

bool tn_launch_write_compose(const struct tn_launch_plan *plan, const struct tn_engine_command *command,
                             struct tn_builder *out, struct tn_error *error)
{
    struct manifest manifest = {.plan = plan, .command = command, .out = out, .kind = COMPOSE};
    if (command->nodes > 1) {
        tn_fail(error, TN_ERROR_USAGE, "a Compose file is for one machine, and this plan takes %u of them",
                command->nodes);
        tn_fail_at(error, -1, "--emit");
        return tn_fail_hint(error, "--emit kubernetes writes a LeaderWorkerSet");
    }
    if (!open_manifest(&manifest, error)) {
        return close_manifest(&manifest, false);
    }
    tn_launch_write_comments(plan, command, out);
    line(&manifest, 0, "services:");
    add_compose_service(&manifest);
    line(&manifest, 4, "ipc: host");
    if (has_file(&manifest)) {
        line(&manifest, 4, "configs:");
        line(&manifest, 6, "- source: options");
        line(&manifest, 8, "target: %s", file_path(&manifest));
    }
    line(&manifest, 4, "deploy:");
    line(&manifest, 6, "resources:");
    line(&manifest, 8, "reservations:");
    line(&manifest, 10, "devices:");
    line(&manifest, 12, "- driver: nvidia");
    line(&manifest, 14, "count: %u", command->gpus);
    line(&manifest, 14, "capabilities: [gpu]");
    if (has_file(&manifest)) {
        line(&manifest, 0, "configs:");
        line(&manifest, 2, "options:");
        line(&manifest, 4, "content: |");
        add_file_text(&manifest, 6);
    }
    line(&manifest, 0, "volumes:");
    line(&manifest, 2, "cache:");
    return close_manifest(&manifest, true);
}

/* ---- Kubernetes --------------------------------------------------------------------------------------------------- */

static void add_object(const struct manifest *manifest, const char *version, const char *kind, const char *name_end)
{
    line(manifest, 0, "apiVersion: %s", version);
    line(manifest, 0, "kind: %s", kind);
    line(manifest, 0, "metadata:");
    line(manifest, 2, "name: %s%s", manifest->label.data ? manifest->label.data : "model", name_end);
}

static void add_container_environment(const struct manifest *manifest, int indent)
{
    const struct tn_engine_command *command = manifest->command;
    line(manifest, indent, "env:");
    line(manifest, indent + 2, "- name: HF_TOKEN");
    line(manifest, indent + 4, "valueFrom:");
    line(manifest, indent + 6, "secretKeyRef: {name: huggingface, key: token, optional: true}");
    line(manifest, indent + 2, "- {name: %s, value: %s}", cache_variable(manifest), cache_path);
    for (size_t k = 0; k < command->environment_count; k++) {
        line(manifest, indent + 2, "- name: %.*s", (int)command->environment[k].name.size,
             command->environment[k].name.data);
        pair(manifest, indent + 4, "value", command->environment[k].value);
    }
}

static void add_container_end(const struct manifest *manifest, int indent)
{
    line(manifest, indent, "resources:");
    line(manifest, indent + 2, "limits:");
    line(manifest, indent + 4, "nvidia.com/gpu: %u", manifest->command->gpus / manifest->command->nodes);
    line(manifest, indent, "volumeMounts:");
    line(manifest, indent + 2, "- {name: shm, mountPath: /dev/shm}");
    line(manifest, indent + 2, "- {name: cache, mountPath: %s}", cache_path);
    if (manifest->folder.size) {
        line(manifest, indent + 2, "- {name: models, mountPath: /models, readOnly: true}");
    }
    if (has_file(manifest)) {
        line(manifest, indent + 2, "- {name: options, mountPath: /etc/tonnage}");
    }
}

static void add_volumes(const struct manifest *manifest, int indent)
{
    line(manifest, indent, "volumes:");
    line(manifest, indent + 2, "- {name: shm, emptyDir: {medium: Memory}}");
    line(manifest, indent + 2, "- {name: cache, emptyDir: {}}");
    if (manifest->folder.size) {
        line(manifest, indent + 2, "- {name: models, persistentVolumeClaim: {claimName: models}}");
    }
    if (has_file(manifest)) {
        line(manifest, indent + 2, "- {name: options, configMap: {name: %s}}",
             manifest->label.data ? manifest->label.data : "model");
    }
}

static void add_container_begin(const struct manifest *manifest, int indent)
{
    struct tn_builder text = {0};
    add_image(manifest, &text);
    line(manifest, indent, "containers:");
    line(manifest, indent + 2, "- name: %s", manifest->command->table->engine->name);
    pair(manifest, indent + 4, "image", tn_builder_str(&text));
    tn_builder_free(&text);
}

static void add_container(const struct manifest *manifest, int indent)
{
    add_container_begin(manifest, indent);
    line(manifest, indent + 4, "command:");
    if (tn_launch_has_modelfile(manifest->command)) {
        add_ollama_script(manifest, indent + 6);
    } else {
        add_program(manifest, indent + 6);
        line(manifest, indent + 4, "args:");
        add_arguments(manifest, indent + 6);
    }
    line(manifest, indent + 4, "ports:");
    line(manifest, indent + 6, "- containerPort: %llu", (unsigned long long)manifest->command->table->port);
    add_container_environment(manifest, indent + 4);
    add_container_end(manifest, indent + 4);
}

/* Ray's cluster first, and in its head the server, which waits for the GPUs of the others. */
static void add_ray_container(const struct manifest *manifest, int indent, bool is_leader)
{
    struct tn_builder script = {0};
    tn_builder_add_text(&script, is_leader ? "ray start --head --port=6379; exec"
                                           : "exec ray start --address=\"$LWS_LEADER_ADDRESS\":6379 --block");
    for (size_t k = 0; is_leader && k < manifest->command->word_count; k++) {
        struct tn_str word = manifest->command->words[k].text;
        tn_builder_add_char(&script, ' ');
        tn_shell_write_word(&script,
                            tn_str_equal(word, manifest->plan->model) ? tn_builder_str(&manifest->model) : word);
    }
    add_container_begin(manifest, indent);
    line(manifest, indent + 4, "command:");
    items(manifest, indent + 6, TN_STR("/bin/sh -c"));
    item(manifest, indent + 6, tn_builder_str(&script));
    tn_builder_free(&script);
    if (is_leader) {
        line(manifest, indent + 4, "ports:");
        line(manifest, indent + 6, "- containerPort: %llu", (unsigned long long)manifest->command->table->port);
    }
    add_container_environment(manifest, indent + 4);
    add_container_end(manifest, indent + 4);
}

/* Each member of the set learns its number and the leader's address from the variables that the set puts into it. */
static void add_sglang_container(const struct manifest *manifest, int indent)
{
    add_container_begin(manifest, indent);
    line(manifest, indent + 4, "command:");
    add_program(manifest, indent + 6);
    line(manifest, indent + 4, "args:");
    add_arguments(manifest, indent + 6);
    line(manifest, indent + 6, "- --nnodes");
    line(manifest, indent + 6, "- $(LWS_GROUP_SIZE)");
    line(manifest, indent + 6, "- --node-rank");
    line(manifest, indent + 6, "- $(LWS_WORKER_INDEX)");
    line(manifest, indent + 6, "- --dist-init-addr");
    line(manifest, indent + 6, "- $(LWS_LEADER_ADDRESS):20000");
    line(manifest, indent + 4, "ports:");
    line(manifest, indent + 6, "- containerPort: %llu", (unsigned long long)manifest->command->table->port);
    add_container_environment(manifest, indent + 4);
    add_container_end(manifest, indent + 4);
}

static void add_member(const struct manifest *manifest, const char *key, bool is_leader)
{
    bool is_sglang = tn_str_is(tn_str_of(manifest->command->table->engine->name), "sglang");
    line(manifest, 4, "%s:", key);
    if (is_leader) {
        line(manifest, 6, "metadata:");
        line(manifest, 8, "labels: {app: %s, role: leader}", manifest->label.data ? manifest->label.data : "model");
    }
    line(manifest, 6, "spec:");
    if (is_sglang) {
        add_sglang_container(manifest, 8);
    } else {
        add_ray_container(manifest, 8, is_leader);
    }
    add_volumes(manifest, 8);
}

static void add_leader_worker_set(const struct manifest *manifest)
{
    add_object(manifest, "leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", "");
    line(manifest, 0, "spec:");
    line(manifest, 2, "replicas: 1");
    line(manifest, 2, "leaderWorkerTemplate:");
    line(manifest, 4, "size: %u", manifest->command->nodes);
    line(manifest, 4, "restartPolicy: RecreateGroupOnPodRestart");
    add_member(manifest, "leaderTemplate", true);
    add_member(manifest, "workerTemplate", false);
}

static void add_deployment(const struct manifest *manifest)
{
    const char *label = manifest->label.data ? manifest->label.data : "model";
    add_object(manifest, "apps/v1", "Deployment", "");
    line(manifest, 0, "spec:");
    line(manifest, 2, "replicas: 1");
    line(manifest, 2, "strategy: {type: Recreate}");
    line(manifest, 2, "selector:");
    line(manifest, 4, "matchLabels: {app: %s}", label);
    line(manifest, 2, "template:");
    line(manifest, 4, "metadata:");
    line(manifest, 6, "labels: {app: %s}", label);
    line(manifest, 4, "spec:");
    add_container(manifest, 6);
    add_volumes(manifest, 6);
}

static void add_service(const struct manifest *manifest)
{
    const char *label = manifest->label.data ? manifest->label.data : "model";
    add_object(manifest, "v1", "Service", "");
    line(manifest, 0, "spec:");
    line(manifest, 2, manifest->command->nodes > 1 ? "selector: {app: %s, role: leader}" : "selector: {app: %s}",
         label);
    line(manifest, 2, "ports:");
    line(manifest, 4, "- port: %llu", (unsigned long long)manifest->command->table->port);
}

bool tn_launch_write_kubernetes(const struct tn_launch_plan *plan, const struct tn_engine_command *command,
                                struct tn_builder *out, struct tn_error *error)
{
    struct manifest manifest = {.plan = plan, .command = command, .out = out, .kind = KUBERNETES};
    if (!open_manifest(&manifest, error)) {
        return close_manifest(&manifest, false);
    }
    tn_launch_write_comments(plan, command, out);
    if (has_file(&manifest)) {
        add_object(&manifest, "v1", "ConfigMap", "");
        line(&manifest, 0, "data:");
        line(&manifest, 2, "%s: |", tn_launch_has_modelfile(command) ? "Modelfile" : "options.yaml");
        add_file_text(&manifest, 4);
        line(&manifest, 0, "---");
    }
    if (command->nodes > 1) {
        add_leader_worker_set(&manifest);
    } else {
        add_deployment(&manifest);
    }
    line(&manifest, 0, "---");
    add_service(&manifest);
    return close_manifest(&manifest, true);
}
