#include "libs/os/signal.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "libs/base/check.h"

namespace voltwell::os {
namespace {

sigset_t TerminationSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

void BlockTerminationSignals() {
  const sigset_t set = TerminationSignals();
  VW_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  signal(SIGPIPE, SIG_IGN);
}

int WaitForTermination() {
  const sigset_t set = TerminationSignals();
  int number = 0;
  VW_CHECK(sigwait(&set, &number) == 0);
  // From here the default action is back in this thread: the next signal ends the process.
  VW_CHECK(pthread_sigmask(SIG_UNBLOCK, &set, nullptr) == 0);
  return number;
}

void RequestTermination() { VW_CHECK(kill(getpid(), SIGTERM) == 0); }

}  // namespace voltwell::os
