// What a run will take: memory before it is allocated, time before it is spent.
#pragma once

#include <string>
#include <vector>

#include "impasto/session.h"
#include "tools/impasto/report.h"
#include "tools/impasto/settings.h"

namespace impasto::command {

// By purpose, on top of what the process holds already (program, weights, decoded pictures): the session's plan and the pictures at their
// working size.
std::vector<MemoryUse> memory_needed(const Session& session, const Settings& settings, const Inputs& inputs);

// Throws Failure (out of memory) where the machine has less than the run needs.
void check_memory(const std::vector<MemoryUse>& uses);

// The text of --dry-run: settings, sizes, memory, time. Measures a few evaluations of a small picture.
std::string dry_run_text(Session& session, const Settings& settings, const Inputs& inputs);

}  // namespace impasto::command
