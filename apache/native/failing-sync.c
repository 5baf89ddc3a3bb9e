/* Preloaded: once the file FAULT_WHEN exists, the next sync of a file whose path holds FAULT_PATH is the one that goes wrong, and FAULT_WHEN is removed in
   the same instant. FAULT_KIND error: the call fails with EIO, nothing is written. FAULT_KIND cut: the power goes: the process ends at once, and the file is
   empty, as a file system leaves one whose bytes were never synced. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value == NULL ? "" : value;
}

/* 1: this sync fails. Does not come back where the power goes. */
static int goes_wrong(const char *path) {
  if (*setting("FAULT_PATH") == '\0' || strstr(path, setting("FAULT_PATH")) == NULL) return 0;
  if (unlink(setting("FAULT_WHEN")) != 0) return 0;
  if (strcmp(setting("FAULT_KIND"), "cut") == 0) {
    int emptied = truncate(path, 0);
    kill(getpid(), emptied == 0 ? SIGKILL : SIGABRT);
    pause();
  }
  errno = EIO;
  return 1;
}

static int descriptor_goes_wrong(int descriptor) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  return goes_wrong(path);
}

static int mapping_goes_wrong(uintptr_t address) {
  char line[4400], path[4096];
  unsigned long from, to;
  int wrong = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %4095[^\n]", &from, &to, path) != 3) continue;
    if (address < from || address >= to) continue;
    wrong = goes_wrong(path);
    break;
  }
  if (maps != NULL) fclose(maps);
  if (wrong) errno = EIO;
  return wrong;
}

#define REAL(type, name) \
  static type real;      \
  if (real == NULL) real = (type)dlsym(RTLD_NEXT, name)

typedef int (*syncing)(int);
typedef int (*mapped_syncing)(void *, size_t, int);

int fsync(int descriptor) {
  REAL(syncing, "fsync");
  return descriptor_goes_wrong(descriptor) ? -1 : real(descriptor);
}

int fdatasync(int descriptor) {
  REAL(syncing, "fdatasync");
  return descriptor_goes_wrong(descriptor) ? -1 : real(descriptor);
}

int msync(void *address, size_t length, int flags) {
  REAL(mapped_syncing, "msync");
  return mapping_goes_wrong((uintptr_t)address) ? -1 : real(address, length, flags);
}
