/* Owns a disk that syncs slowly: preloaded, it makes each fsync and fdatasync wait while the file that
   SLOW_SYNC_FLAG names is there, for SLOW_SYNC_MS milliseconds. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void wait_if_slow(void) {
  const char *flag = getenv("SLOW_SYNC_FLAG");
  const char *ms = getenv("SLOW_SYNC_MS");
  if (flag == NULL || ms == NULL || access(flag, F_OK) != 0) return;
  long wait = atol(ms);
  struct timespec left = {wait / 1000, (wait % 1000) * 1000000L};
  nanosleep(&left, NULL);
}

int fsync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  wait_if_slow();
  return real(fd);
}

int fdatasync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  wait_if_slow();
  return real(fd);
}
