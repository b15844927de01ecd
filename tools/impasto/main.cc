// The impasto command: two pictures in, one out. Every error ends here, as one line on stderr and an exit code (failure.h).
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "impasto/error.h"
#include "tools/impasto/arguments.h"
#include "tools/impasto/failure.h"
#include "tools/impasto/interrupt.h"
#include "tools/impasto/run.h"
#include "tools/impasto/version_text.h"

namespace impasto::command {

namespace {

int fail(int exit_code, std::string message) {
  // File names may hold line breaks and terminal escapes.
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  std::fprintf(stderr, "impasto: %s\n", message.c_str());
  return exit_code;
}

int print(const std::string& text) {
  const bool printed = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return printed ? kOk : fail(kRunFailed, "standard output cannot be written");
}

int run_command(int argc, char** argv) {
  try {
    install_signal_handlers();
    const Request request = parse_arguments(argc, argv);
    switch (request.kind) {
      case Request::Kind::kHelp:
        return print(request.help);
      case Request::Kind::kVersion:
        return print(version_text());
      case Request::Kind::kDevices:
        return print(devices_text());
      case Request::Kind::kRun:
        return run(request.settings);
    }
    return kOk;
  } catch (const Failure& failure) {
    return fail(failure.exit_code, failure.what());
  } catch (const OptionError& error) {
    return fail(kUsage, error.what());
  } catch (const ShapeError& error) {
    return fail(kUsage, error.what());
  } catch (const OutOfMemoryError& error) {
    return fail(kOutOfMemory, error.what());
  } catch (const DeviceError& error) {
    return fail(kNoDevice, error.what());
  } catch (const WeightError& error) {
    return fail(kNoWeights, error.what());
  } catch (const std::bad_alloc&) {
    return fail(kOutOfMemory, "out of memory; a smaller --size or --history needs less (--dry-run shows what takes how much)");
  } catch (const std::exception& error) {
    return fail(kRunFailed, error.what());
  }
}

}  // namespace

}  // namespace impasto::command

int main(int argc, char** argv) { return impasto::command::run_command(argc, argv); }
