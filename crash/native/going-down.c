/* going-down DIRECTORY: the file system there stops at once, without writing its journal: what was not synced is gone, as after a power cut
   (EXT4_IOC_SHUTDOWN, XFS_IOC_GOINGDOWN). Root only. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define GOING_DOWN _IOR('X', 125, uint32_t)
#define WITHOUT_LOG_FLUSH 2u

int main(int count, char **arguments) {
  uint32_t how = WITHOUT_LOG_FLUSH;
  int directory = count == 2 ? open(arguments[1], O_RDONLY | O_DIRECTORY) : -1;
  if (directory == -1 || ioctl(directory, GOING_DOWN, &how) != 0) {
    perror("going-down");
    return 1;
  }
  return 0;
}
