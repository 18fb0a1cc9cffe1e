/* A FAKE libcuda.so.1: as much of CUDA's driver interface as reprobuild asks. See profile.h. */
#include "profile.h"
#include "compute.h"

enum { SUCCESS = 0, NO_DEVICE = 100, MULTIPROCESSOR_COUNT = 16, MAX_THREADS_PER_MULTIPROCESSOR = 39 };

EXPORT int cuInit(unsigned flags) {
    long long status = number(0, "cuda_init");
    if (status > 0) return (int)status;
    return number(0, "gpus") > 0 ? SUCCESS : NO_DEVICE;
}
EXPORT int cuGetErrorName(int status, const char **name) {
    *name = status == NO_DEVICE ? "CUDA_ERROR_NO_DEVICE"
        : status == 803 ? "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH" : "CUDA_ERROR_UNKNOWN";
    return SUCCESS;
}
EXPORT int cuDeviceGetCount(int *count) {
    *count = (int)number(0, "gpus");
    return SUCCESS;
}
EXPORT int cuDeviceGet(int *device, int index) {
    *device = index;
    return SUCCESS;
}
EXPORT int cuDeviceGetPCIBusId(char *bus, int size, int device) {
    snprintf(bus, size, "0000:%02x:00.0", 0x1B + device);
    return SUCCESS;
}
EXPORT int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = (int)number(device, attribute == MULTIPROCESSOR_COUNT ? "multiprocessors" : "threads");
    return SUCCESS;
}
