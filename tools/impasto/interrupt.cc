#include "tools/impasto/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "tools/impasto/failure.h"

namespace impasto::command {

namespace {

volatile sig_atomic_t g_signal = 0;

void handle(int signal) {
  if (g_signal != 0) _exit(kSignal + signal);
  g_signal = signal;
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  // While one is handled the other waits, so that the pair cannot be lost between test and set.
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

int interrupting_signal() { return g_signal; }

}  // namespace impasto::command
