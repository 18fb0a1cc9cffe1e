/* A FAKE libnvidia-ml.so.1: as much of NVML as reprobuild asks. See profile.h. */
#include "profile.h"

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6 };

/* A handle is the GPU's index + 1; of a slice of GPU g at place s it is 1000 * (g + 1) + s + 1. */
static int index_of(void *handle) {
    long value = (long)handle;
    return (int)(value >= 1000 ? value / 1000 - 1 : value - 1);
}

static int give(int gpu, const char *key, unsigned *target) {
    long long value = number(gpu, key);
    if (value < 0) return NOT_SUPPORTED;
    *target = (unsigned)value;
    return SUCCESS;
}

EXPORT int nvmlInitWithFlags(unsigned flags) {
    long long status = number(0, "init");
    return status > 0 ? (int)status : SUCCESS;
}
EXPORT int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
EXPORT int nvmlShutdown(void) { return SUCCESS; }
EXPORT const char *nvmlErrorString(int status) { return "an error of the fake NVML"; }

EXPORT int nvmlSystemGetDriverVersion(char *version, unsigned size) {
    return text(0, "driver", version, (int)size) ? SUCCESS : NOT_SUPPORTED;
}
EXPORT int nvmlSystemGetCudaDriverVersion_v2(int *version) { return give(0, "cuda", (unsigned *)version); }

EXPORT int nvmlDeviceGetCount_v2(unsigned *count) { return give(0, "gpus", count); }
EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    long long lost = number((int)index, "lost");
    if (lost > 0) return (int)lost;
    *handle = (void *)(long)(index + 1);
    return SUCCESS;
}
EXPORT int nvmlDeviceGetName(void *handle, char *name, unsigned size) {
    return text(index_of(handle), "name", name, (int)size) ? SUCCESS : NOT_SUPPORTED;
}
EXPORT int nvmlDeviceGetMemoryInfo(void *handle, unsigned long long *total_free_used) {
    long long mib = number(index_of(handle), "memory_mib");
    if (mib < 0) return NOT_SUPPORTED;
    total_free_used[0] = total_free_used[1] = (unsigned long long)mib << 20;
    total_free_used[2] = 0;
    return SUCCESS;
}
EXPORT int nvmlDeviceGetCudaComputeCapability(void *handle, int *major, int *minor) {
    long long capability = number(index_of(handle), "capability");
    if (capability < 0) return NOT_SUPPORTED;
    *major = (int)(capability / 10);
    *minor = (int)(capability % 10);
    return SUCCESS;
}
EXPORT int nvmlDeviceGetEccMode(void *handle, unsigned *current, unsigned *pending) {
    *pending = 0;
    return give(index_of(handle), "ecc", current);
}
EXPORT int nvmlDeviceGetMigMode(void *handle, unsigned *current, unsigned *pending) {
    *pending = 0;
    return give(index_of(handle), "mig", current);
}
EXPORT int nvmlDeviceGetMaxPcieLinkGeneration(void *handle, unsigned *generation) {
    return give(index_of(handle), "pcie_generation", generation);
}
EXPORT int nvmlDeviceGetMaxPcieLinkWidth(void *handle, unsigned *lanes) {
    return give(index_of(handle), "pcie_lanes", lanes);
}
EXPORT int nvmlDeviceGetNvLinkState(void *handle, unsigned link, unsigned *active) {
    long long links = number(index_of(handle), "nvlinks");
    if (links < 0) return NOT_SUPPORTED;
    if (link >= links) return INVALID_ARGUMENT;
    *active = 1;
    return SUCCESS;
}
EXPORT int nvmlDeviceGetNvLinkVersion(void *handle, unsigned link, unsigned *version) {
    return give(index_of(handle), "nvlink_number", version);
}
/* nvmlPciInfo_t: 16 characters, five numbers, 32 characters. */
EXPORT int nvmlDeviceGetPciInfo_v3(void *handle, char *info) {
    memset(info, 0, 16 + 5 * 4 + 32);
    snprintf(info + 36, 32, "00000000:%02X:00.0", 0x1B + index_of(handle));
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned *count) {
    *count = 7;
    return SUCCESS;
}
EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned place, void **slice) {
    if (place >= number(index_of(handle), "slices")) return NOT_FOUND;
    *slice = (void *)(1000L * (index_of(handle) + 1) + place + 1);
    return SUCCESS;
}
/* nvmlDeviceAttributes_t: eight numbers, then the memory in MiB. */
EXPORT int nvmlDeviceGetAttributes_v2(void *handle, unsigned *attributes) {
    int gpu = index_of(handle);
    unsigned memory_mib;
    memset(attributes, 0, 8 * sizeof *attributes);
    if (give(gpu, "slice_multiprocessors", &attributes[0]) || give(gpu, "slice_size", &attributes[6])
        || give(gpu, "slice_size", &attributes[7]) || give(gpu, "slice_memory_mib", &memory_mib))
        return NOT_SUPPORTED;
    *(unsigned long long *)(attributes + 8) = memory_mib;
    return SUCCESS;
}
