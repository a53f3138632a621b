// One system call for up to 64 datagrams: sendmmsg and recvmmsg.
#include "peer.h"

#define BATCH 64

static unsigned char data[BATCH][MAX_SIZE];
static struct iovec parts[BATCH];
static struct sockaddr_in froms[BATCH];
static struct mmsghdr messages[BATCH];

static void prepare(size_t length) {
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){data[i], length};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
}

int main(int argc, char **argv) {
  arguments(argc, argv);
  if (is("receive")) {
    int fd = bound();
    prepare(MAX_SIZE);
    listening();
    for (unsigned calls = 0;; calls++) {
      for (int i = 0; i < BATCH; i++) {
        messages[i].msg_hdr.msg_name = &froms[i];
        messages[i].msg_hdr.msg_namelen = sizeof froms[i];
      }
      int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
      if (n < 0) fail("recvmmsg");
      for (int i = 0; i < n; i++) count(messages[i].msg_len);
      if (calls % 16 == 0) meter();
    }
  } else if (is("send")) {
    int fd = connected();
    prepare(size);
    for (unsigned calls = 0;; calls++) {
      int n = sendmmsg(fd, messages, BATCH, 0);
      for (int i = 0; i < n; i++) count(size);
      if (calls % 16 == 0) meter();
    }
  } else {
    fprintf(stderr, "no such role\n");
    return 1;
  }
}
