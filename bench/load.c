/* A scripted model and a crowd of readers, in C so that neither is the bottleneck. Built and driven by `bench.streams`.
 *
 *   load model SCRIPT TOKENS_PER_SECOND DELAY_SECONDS
 *     Answers every HTTP request on a connection with the script: a head, then one chunk after the other at its pace.
 *     Prints its port; at SIGTERM one line of JSON about itself.
 *   load readers PORT SCRIPT TICKETS CONNECTIONS RAMP_SECONDS FROM_SECOND TO_SECOND TOKENS REPEAT
 *     Opens the connections over the ramp, says the script's parts on each (the second after the answer's head) and
 *     reads. Prints "from" and "to" as the measured window begins and ends, then one line of JSON. With REPEAT a
 *     connection that has read its end is opened again until the window ends.
 *
 * A script is parts of bytes, each written as "<length>\n<bytes>". In a chunk of the model, sixteen '@' become the
 * moment of sending: microseconds of the monotonic clock. A reader finds them behind '~', or behind '^' in a chunk that
 * closes a field, and compares them with its own clock. Nothing else is parsed, so the same crowd reads every transport.
 *
 * The readers' script: the request, in which "{ticket}" becomes the next line of TICKETS; what to say after the answer's
 * head (may be empty); what the first event looks like; what the end looks like; what a field's event looks like.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STAMP 16
#define TAIL 48
#define BUFFER (1 << 18)
#define MOST_EVENTS 256

static volatile sig_atomic_t told_to_end;
static void end_it(int number) { (void)number; told_to_end = 1; }

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static double cpu_seconds(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void die(const char *what) { perror(what); exit(1); }

/* ------------------------------------------------------------ scripts */

typedef struct { char *bytes; int length; int stamps[4]; int stamp_count; } Part;

static Part *script(const char *path, int *count) {
  FILE *file = fopen(path, "rb");
  if (!file) die(path);
  Part *parts = NULL;
  int length;
  *count = 0;
  while (fscanf(file, "%d", &length) == 1 && fgetc(file) == '\n') {
    parts = realloc(parts, sizeof(Part) * (*count + 1));
    Part *part = &parts[(*count)++];
    *part = (Part){.bytes = malloc(length + 1), .length = length};
    if (fread(part->bytes, 1, length, file) != (size_t)length) die("script");
    part->bytes[length] = 0;
    for (char *at = part->bytes; (at = strstr(at, "@@@@@@@@@@@@@@@@")) && part->stamp_count < 4; at += STAMP)
      part->stamps[part->stamp_count++] = at - part->bytes;
  }
  fclose(file);
  return parts;
}

static void stamp(Part *part, int64_t moment) {
  char digits[STAMP + 1];
  snprintf(digits, sizeof digits, "%016lld", (long long)moment);
  for (int i = 0; i < part->stamp_count; i++) memcpy(part->bytes + part->stamps[i], digits, STAMP);
}

/* ------------------------------------------------------------ samples */

typedef struct { int32_t *at; size_t count, room; } Samples;

static void put(Samples *s, int64_t value) {
  if (s->count == s->room) s->at = realloc(s->at, (s->room = s->room ? s->room * 2 : 4096) * sizeof *s->at);
  s->at[s->count++] = value < 0 ? 0 : value > INT32_MAX ? INT32_MAX : value;
}

static int by_size(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static void tell(const char *name, Samples *s) {
  qsort(s->at, s->count, sizeof *s->at, by_size);
  printf("\"%s\": {\"count\": %zu", name, s->count);
  const double shares[] = {0.5, 0.95, 0.99, 1.0};
  const char *names[] = {"p50", "p95", "p99", "max"};
  for (int i = 0; i < 4 && s->count; i++) {
    size_t place = shares[i] * s->count;
    printf(", \"%s\": %.3f", names[i], s->at[place < s->count ? place : s->count - 1] / 1000.0);
  }
  printf("}");
}

/* ------------------------------------------------------------ the model */

typedef struct Client {
  int fd, next, pending_at; /* next: chunk to send, -1 while a request is being read */
  int64_t begins;
  size_t body_left;
  char head[16384];
  int head_length, in_body;
  struct Client *before, *after;
} Client;

static Client answering = {.before = &answering, .after = &answering};

static void leave(Client *c) {
  if (c->before) { c->before->after = c->after; c->after->before = c->before; }
  c->before = c->after = NULL;
}

static void drop(Client *c) { leave(c); close(c->fd); free(c); }

/* Reads one request; pipelining is not spoken by any of the clients. */
static int request_read(Client *c, const char *bytes, int length) {
  if (!c->in_body) {
    int room = (int)sizeof c->head - 1 - c->head_length, taken = length < room ? length : room;
    memcpy(c->head + c->head_length, bytes, taken);
    c->head_length += taken;
    c->head[c->head_length] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) return 0;
    char *field = strcasestr(c->head, "\r\ncontent-length:");
    size_t body = field && field < end ? strtoul(field + 17, NULL, 10) : 0;
    size_t here = c->head + c->head_length - (end + 4) + (length - taken);
    c->in_body = 1;
    c->body_left = body > here ? body - here : 0;
  } else {
    c->body_left = c->body_left > (size_t)length ? c->body_left - length : 0;
  }
  return c->body_left == 0;
}

static int model(int argc, char **argv) {
  if (argc != 5) return 2;
  int count, on = 1;
  Part *parts = script(argv[2], &count);
  double gap = 1e6 / atof(argv[3]);
  int64_t delay = atof(argv[4]) * 1e6;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(listener, (void *)&address, size) || listen(listener, 1024)) die("listen");
  getsockname(listener, (void *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  int poll = epoll_create1(0);
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN});
  Samples late = {0};
  long sent = 0, requests = 0;
  static char buffer[BUFFER];
  struct epoll_event events[MOST_EVENTS];
  while (!told_to_end) {
    int ready = epoll_wait(poll, events, MOST_EVENTS, answering.after == &answering ? 50 : 1);
    for (int i = 0; i < ready; i++) {
      Client *c = events[i].data.ptr;
      if (!c) {
        int fd;
        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          c = calloc(1, sizeof *c);
          c->fd = fd;
          c->next = -1;
          epoll_ctl(poll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = c});
        }
        continue;
      }
      ssize_t got = read(c->fd, buffer, sizeof buffer);
      if (got == 0 || (got < 0 && errno != EAGAIN)) { drop(c); continue; }
      if (got > 0 && c->next < 0 && request_read(c, buffer, got)) {
        requests++;
        c->head_length = c->in_body = c->next = c->pending_at = 0;
        c->begins = now_us() + delay;
        c->after = &answering;
        c->before = answering.before;
        answering.before->after = c;
        answering.before = c;
      }
    }
    for (Client *c = answering.after, *following; c != &answering; c = following) {
      following = c->after;
      /* The head goes with the first chunk; chunk n is due n gaps after the beginning. */
      while (c->next < count) {
        int64_t due = c->begins + (c->next > 1 ? (c->next - 1) * gap : 0), moment = now_us();
        if (moment < due) break;
        Part *part = &parts[c->next];
        if (!c->pending_at) stamp(part, moment);
        ssize_t wrote = send(c->fd, part->bytes + c->pending_at, part->length - c->pending_at, MSG_NOSIGNAL);
        if (wrote < 0 && errno == EAGAIN) break;
        if (wrote < 0) { drop(c); c = NULL; break; }
        if ((c->pending_at += wrote) < part->length) break;
        c->pending_at = 0;
        c->next++;
        sent++;
        put(&late, moment - due);
      }
      if (c && c->next == count) { leave(c); c->next = -1; }
    }
  }
  printf("{\"requests\": %ld, \"sent\": %ld, \"cpu_seconds\": %.3f, ", requests, sent, cpu_seconds());
  tell("late_ms", &late);
  printf("}\n");
  return 0;
}

/* ------------------------------------------------------------ the readers */

typedef struct {
  int fd, spoke, tokens, first;
  int64_t asked, closes_field; /* the stamp of a chunk whose field's event is still to come */
  char tail[TAIL];
  int tail_length, done;
} Reader;

static int port, poller;
static Part *say;
static Samples token_ms, field_ms, first_ms, start_ms;
static long refused, cut, short_ones, finished, bytes_read;
static int64_t window_from, window_to;
static FILE *tickets;

static void open_reader(Reader *r) {
  int on = 1;
  memset(r, 0, sizeof *r);
  r->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (r->fd < 0) die("socket");
  setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
  if (connect(r->fd, (void *)&address, sizeof address) && errno != EINPROGRESS) die("connect");
  epoll_ctl(poller, EPOLL_CTL_ADD, r->fd, &(struct epoll_event){.events = EPOLLOUT, .data.ptr = r});
}

static void say_part(Reader *r, Part *part) {
  static char bytes[BUFFER];
  char *gap = strstr(part->bytes, "{ticket}"), ticket[4096] = "";
  int length = part->length;
  if (gap) {
    if (!tickets || !fgets(ticket, sizeof ticket, tickets)) die("no ticket left");
    ticket[strcspn(ticket, "\n")] = 0;
    int before = gap - part->bytes, after = length - before - 8;
    length = before + strlen(ticket) + after;
    memcpy(bytes, part->bytes, before);
    memcpy(bytes + before, ticket, strlen(ticket));
    memcpy(bytes + length - after, gap + 8, after);
  } else {
    memcpy(bytes, part->bytes, length);
  }
  if (send(r->fd, bytes, length, MSG_NOSIGNAL) != length) die("request");
  r->asked = now_us();
}

/* The moment in the digits at `at`, or -1. */
static int64_t stamp_at(const char *at) {
  int64_t moment = 0;
  for (int i = 0; i < STAMP; i++) {
    if (at[i] < '0' || at[i] > '9') return -1;
    moment = moment * 10 + at[i] - '0';
  }
  return moment;
}

/* Looks at what is new together with the end of what was there: a mark may lie across two reads. */
static void look(Reader *r, char *bytes, int old, int length, int64_t moment) {
  char *end = bytes + length, *at = bytes, *news = bytes + old - say[4].length + 1;
  if (news < bytes) news = bytes;
  for (;;) {
    while (at < end && *at != '~' && *at != '^') at++;
    if (r->closes_field) {
      char *field = memmem(news, (at < end ? at : end) - news, say[4].bytes, say[4].length);
      if (field) { put(&field_ms, moment - r->closes_field); r->closes_field = 0; }
    }
    if (at + 1 + STAMP > end) break;
    int64_t sent = at + 1 + STAMP > bytes + old ? stamp_at(at + 1) : -1;
    if (sent >= 0) {
      if (++r->tokens == 1) put(&start_ms, moment - r->asked);
      if (moment >= window_from && moment < window_to) put(&token_ms, moment - sent);
      if (*at == '^') { r->closes_field = sent; news = at; }
    }
    at++;
  }
  if (!r->first && memmem(bytes, length, say[2].bytes, say[2].length)) {
    r->first = 1;
    put(&first_ms, moment - r->asked);
  }
  if (memmem(bytes, length, say[3].bytes, say[3].length)) r->done = 1;
}

static int readers(int argc, char **argv) {
  if (argc != 11) return 2;
  static char buffer[TAIL + BUFFER];
  int parts;
  port = atoi(argv[2]);
  say = script(argv[3], &parts);
  tickets = fopen(argv[4], "r");
  int wanted = atoi(argv[5]), tokens = atoi(argv[9]), repeat = atoi(argv[10]), opened = 0, open_now = 0;
  if (parts != 5) die("a readers' script has five parts");
  double ramp = atof(argv[6]) * 1e6;
  int64_t began = now_us();
  window_from = began + atof(argv[7]) * 1e6;
  window_to = began + atof(argv[8]) * 1e6;
  poller = epoll_create1(0);
  Reader *all = calloc(wanted, sizeof *all);
  struct epoll_event events[MOST_EVENTS];
  int from_told = 0, to_told = 0;
  int64_t deadline = window_to + 20000000;
  while (!told_to_end) {
    int64_t moment = now_us();
    if (!from_told && moment >= window_from) { from_told = 1; puts("from"); fflush(stdout); }
    if (!to_told && moment >= window_to) { to_told = 1; puts("to"); fflush(stdout); }
    while (opened < wanted && moment >= began + ramp * opened / wanted) { open_reader(&all[opened++]); open_now++; }
    if ((to_told && open_now == 0) || moment > deadline) break;
    int ready = epoll_wait(poller, events, MOST_EVENTS, 1);
    for (int i = 0; i < ready; i++) {
      Reader *r = events[i].data.ptr;
      if (!r->spoke) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) { refused++; close(r->fd); open_now--; continue; }
        say_part(r, &say[0]);
        r->spoke = 1;
        epoll_ctl(poller, EPOLL_CTL_MOD, r->fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = r});
        continue;
      }
      ssize_t got = read(r->fd, buffer + TAIL, BUFFER);
      if (got < 0 && errno == EAGAIN) continue;
      moment = now_us();
      if (got > 0) {
        char *bytes = buffer + TAIL - r->tail_length;
        memcpy(bytes, r->tail, r->tail_length);
        int length = r->tail_length + got;
        bytes_read += got;
        if (r->spoke == 1 && memmem(bytes, length, "\r\n\r\n", 4)) {
          if (strncmp(bytes, "HTTP/1.1 101", 12) && strncmp(bytes, "HTTP/1.1 200", 12)) { r->done = -1; refused++; }
          else if (say[1].length) say_part(r, &say[1]);
          r->spoke = 2;
        }
        if (r->done != -1) look(r, bytes, r->tail_length, length, moment);
        r->tail_length = length < TAIL ? length : TAIL;
        memcpy(r->tail, bytes + length - r->tail_length, r->tail_length);
      }
      if (got <= 0 || r->done) {
        if (r->done == 1) { finished++; if (tokens && r->tokens != tokens) short_ones++; }
        else if (r->done == 0) cut++;
        close(r->fd);
        open_now--;
        if (repeat && r->done == 1 && now_us() < window_to) { open_reader(r); open_now++; }
      }
    }
  }
  printf("{\"connections\": %d, \"finished\": %ld, \"refused\": %ld, \"cut\": %ld, \"short\": %ld, \"unfinished\": %d, "
         "\"bytes\": %ld, \"cpu_seconds\": %.3f, \"seconds\": %.3f, ", wanted, finished, refused, cut, short_ones,
         open_now, bytes_read, cpu_seconds(), (window_to - window_from) / 1e6);
  tell("token_ms", &token_ms);
  printf(", "); tell("field_ms", &field_ms);
  printf(", "); tell("first_event_ms", &first_ms);
  printf(", "); tell("first_token_ms", &start_ms);
  printf("}\n");
  return 0;
}

int main(int argc, char **argv) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGTERM, end_it);
  signal(SIGPIPE, SIG_IGN);
  if (argc > 1 && !strcmp(argv[1], "model")) return model(argc, argv);
  if (argc > 1 && !strcmp(argv[1], "readers")) return readers(argc, argv);
  fputs("load model|readers …\n", stderr);
  return 2;
}
