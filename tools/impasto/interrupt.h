// Ctrl-C and SIGTERM. The first asks the run to stop; the second ends the program at once.
#pragma once

namespace impasto::command {

// Also lets writes to closed pipes and beyond file size limits fail as errors instead of ending the program.
void install_signal_handlers();

// The signal that asked to stop; 0: none.
int interrupting_signal();

}  // namespace impasto::command
