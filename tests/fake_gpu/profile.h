/* A FAKE: no GPU is asked. The two fake libraries answer what a text file says, one `KEY VALUE` a line:
   `name NVIDIA H100 80GB HBM3` for all GPUs, `1.name …` for the second. What is left out is "not supported".
   The file: $REPROBUILD_FAKE_GPU, else fake-gpu.txt where Nix's sandbox has the driver. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static int same(const char *line, const char *key, char *value, int size) {
    size_t length = strlen(key);
    if (strncmp(line, key, length) != 0 || line[length] != ' ') return 0;
    snprintf(value, size, "%s", line + length + 1);
    value[strcspn(value, "\n")] = 0;
    return 1;
}

static int text(int gpu, const char *key, char *value, int size) {
    const char *path = getenv("REPROBUILD_FAKE_GPU");
    FILE *file = fopen(path ? path : "/run/opengl-driver/lib/fake-gpu.txt", "r");
    char line[256], own[64];
    int found = 0;
    if (!file) return 0;
    snprintf(own, sizeof own, "%d.%s", gpu, key);
    while (found < 2 && fgets(line, sizeof line, file)) {
        if (same(line, own, value, size)) found = 2;
        else if (found == 0 && same(line, key, value, size)) found = 1;
    }
    fclose(file);
    return found;
}

/* -1 where the file has no number. Not strtoull: new headers give it a name that old C libraries lack. */
static long long number(int gpu, const char *key) {
    char value[64];
    long long total = 0;
    if (!text(gpu, key, value, sizeof value) || value[0] < '0' || value[0] > '9') return -1;
    for (char *digit = value; *digit >= '0' && *digit <= '9'; digit++) total = total * 10 + (*digit - '0');
    return total;
}
