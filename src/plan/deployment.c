#include "plan/deployment.h"

struct tn_device tn_deployment_device(const struct tn_deployment *deployment, uint32_t rank)
{
    return rank < deployment->device_count ? deployment->devices[rank]
                                           : (struct tn_device){deployment->gpu, deployment->gpu_memory_bytes};
}

struct tn_device tn_deployment_stage_device(const struct tn_deployment *deployment, uint32_t stage)
{
    uint32_t ranks = deployment->tp * deployment->dp;
    struct tn_device least = tn_deployment_device(deployment, stage * ranks);
    for (uint32_t k = 1; k < ranks && deployment->device_count; k++) {
        struct tn_device device = tn_deployment_device(deployment, stage * ranks + k);
        least = device.memory_bytes < least.memory_bytes ? device : least;
    }
    return least;
}
