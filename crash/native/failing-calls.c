/* Preloaded: lets the n-th call of one kind to a file whose path holds a word fail, and says so on standard output in the same instant.
   FAIL_CALL pwrite | fdatasync | fsync | ftruncate; FAIL_PATH a word; FAIL_NTH from 1; FAIL_ERRNO; FAIL_SHORT=1: the call before, a pwrite, writes
   only half of its bytes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long seen;

static const char *setting(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value == NULL ? otherwise : value;
}

/* 0: goes on; 1: fails; 2: is the one before a failing one. */
static int fate(const char *call, int descriptor) {
  char link[64], path[1024];
  if (strcmp(call, setting("FAIL_CALL", "")) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  if (strstr(path, setting("FAIL_PATH", "/")) == NULL) return 0;
  long count = atomic_fetch_add(&seen, 1) + 1;
  long nth = atol(setting("FAIL_NTH", "1"));
  if (count == nth - 1 && getenv("FAIL_SHORT") != NULL) return 2;
  if (count != nth) return 0;
  char line[1200];
  int bytes = snprintf(line, sizeof line, "failed %s %s\n", call, path);
  ssize_t told = write(1, line, (size_t)bytes);
  errno = told == bytes ? atoi(setting("FAIL_ERRNO", "5")) : EIO;
  return 1;
}

#define REAL(type, name) \
  static type real;      \
  if (real == NULL) real = (type)dlsym(RTLD_NEXT, name)

typedef ssize_t (*writing)(int, const void *, size_t, off64_t);
typedef int (*syncing)(int);
typedef int (*cutting)(int, off64_t);

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t position) {
  REAL(writing, "pwrite64");
  int its = fate("pwrite", descriptor);
  if (its == 1) return -1;
  return real(descriptor, bytes, its == 2 && count > 1 ? count / 2 : count, position);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t position) {
  return pwrite64(descriptor, bytes, count, position);
}

int fdatasync(int descriptor) {
  REAL(syncing, "fdatasync");
  return fate("fdatasync", descriptor) == 1 ? -1 : real(descriptor);
}

int fsync(int descriptor) {
  REAL(syncing, "fsync");
  return fate("fsync", descriptor) == 1 ? -1 : real(descriptor);
}

int ftruncate64(int descriptor, off64_t size) {
  REAL(cutting, "ftruncate64");
  return fate("ftruncate", descriptor) == 1 ? -1 : real(descriptor, size);
}

int ftruncate(int descriptor, off_t size) {
  return ftruncate64(descriptor, size);
}
