// The plans that backends have measured (Backend::measured_plans), kept in a file between sessions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kernels/backend.h"

namespace impasto {

// The file is one JSON object of strings, {"impasto plans": "1", "<what was asked for>": "<the quickest>", ...}, without escapes: so few
// lines read it that the library needs no other. Of the time between sessions nothing is assumed: it may be absent, damaged or another
// program's (notices say so; it is replaced when there is something to keep), and other sessions may write it.
class PlanCache {
 public:
  // path: of the file. Empty: nothing is read or kept.
  explicit PlanCache(std::string path) : path_(std::move(path)) {}

  // What the file holds; nothing where that cannot be read, which a notice then says, unless it is not there.
  const MeasuredPlans& read();
  // Adds to the file what of `plans` has not been read from it or kept before. What it has gained meanwhile stays. The file is written
  // whole or not at all, its folder made where there is none; a notice says where that failed.
  void keep(const MeasuredPlans& plans);
  // Since the last call, a line each.
  std::vector<std::string> take_notices();

 private:
  std::string path_;
  MeasuredPlans known_;
  std::vector<std::string> notices_;
};

}  // namespace impasto
