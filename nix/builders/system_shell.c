/* nvcc starts its passes by system(), which runs /bin/sh; a sandbox need not have one. This one has its own. */
#include <sys/wait.h>
#include <unistd.h>

int system(const char *command)
{
    int status;
    pid_t child;

    if (command == NULL)
        return 1;
    child = fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        execl(SHELL, "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    return waitpid(child, &status, 0) == child ? status : -1;
}
