// How a process ends: SIGTERM (and Ctrl-C) is a request to drain, and main waits for it.
//   os::BlockTerminationSignals();  // first line of main, before any thread starts
//   ...
//   os::WaitForTermination();       // then drain and return
#pragma once

namespace voltwell::os {

// Blocks SIGTERM and SIGINT in this thread and those it starts later, and ignores SIGPIPE (a peer that went away is an
// error of write, not the end of the process).
void BlockTerminationSignals();

// Returns the number of the first SIGTERM or SIGINT since BlockTerminationSignals. A second one while draining ends the
// process at once, as an impatient operator expects.
int WaitForTermination();

// Ends the wait as a signal would: for a program that must stop by itself, and for tests.
void RequestTermination();

}  // namespace voltwell::os
