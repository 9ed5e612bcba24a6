/* Writes down every address of the internet that a program connects or sends to, and every name it looks up, and lets it. Loaded with LD_PRELOAD; the file is
   named by CONNECTS. Built by the story that uses it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void put(const char *what, const char *more) {
  const char *file = getenv("CONNECTS");
  int log = file == NULL ? -1 : open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (log < 0) return;
  dprintf(log, "%s%s\n", what, more);
  close(log);
}

static void note(const struct sockaddr *to) {
  char host[INET6_ADDRSTRLEN] = "", line[INET6_ADDRSTRLEN + 16];
  int port = 0;
  if (to == NULL) return;
  if (to->sa_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)to;
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    port = ntohs(in->sin_port);
  } else if (to->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)to;
    inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
    port = ntohs(in->sin6_port);
  } else {
    return;
  }
  snprintf(line, sizeof line, "%s %d", host, port);
  put(line, "");
}

int connect(int socket, const struct sockaddr *to, socklen_t length) {
  int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
  note(to);
  return next(socket, to, length);
}

ssize_t sendto(int socket, const void *bytes, size_t many, int flags, const struct sockaddr *to, socklen_t length) {
  ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "sendto");
  note(to);
  return next(socket, bytes, many, flags, to, length);
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
  ssize_t (*next)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");
  note(message == NULL ? NULL : message->msg_name);
  return next(socket, message, flags);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
  if (name != NULL) put("look up ", name);
  return next(name, service, hints, found);
}
