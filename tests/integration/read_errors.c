/* LD_PRELOAD: reads of the file READ_ERROR_PATH fail with errno READ_ERROR from READ_ERROR_FROM
 * bytes on. Each failure adds a byte to the file READ_ERROR_MARK. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(int fd, off_t at) {
  const char *wanted = getenv("READ_ERROR_PATH");
  char link[64], path[4096];
  if (!wanted) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (strcmp(path, wanted) || at < atol(getenv("READ_ERROR_FROM"))) return 0;
  int mark = open(getenv("READ_ERROR_MARK"), O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (mark >= 0) {
    if (write(mark, "x", 1) < 0) abort();
    close(mark);
  }
  errno = atoi(getenv("READ_ERROR"));
  return 1;
}

ssize_t read(int fd, void *buffer, size_t size) {
  static ssize_t (*real)(int, void *, size_t);
  if (!real) real = dlsym(RTLD_NEXT, "read");
  return fails(fd, lseek(fd, 0, SEEK_CUR)) ? -1 : real(fd, buffer, size);
}

ssize_t pread64(int fd, void *buffer, size_t size, off_t at) {
  static ssize_t (*real)(int, void *, size_t, off_t);
  if (!real) real = dlsym(RTLD_NEXT, "pread64");
  return fails(fd, at) ? -1 : real(fd, buffer, size, at);
}
