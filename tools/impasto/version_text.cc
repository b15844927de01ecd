#include "tools/impasto/version_text.h"

#include <string>
#include <vector>

#include "impasto/image_io.h"
#include "impasto/session.h"
#include "tools/impasto/arguments.h"
#include "tools/impasto/report.h"
#include "tools/impasto/settings.h"

namespace impasto::command {

namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#else
constexpr const char* kCompiler = "g++ " __VERSION__;
#endif

}  // namespace

std::string devices_text() {
  std::string text;
  for (const std::string& device : devices(cuda_module())) text += device + "\n";
  return text;
}

std::string version_text() {
  const std::vector<std::string> isas = cpu_isas();
  std::string text = "impasto " + version() + "\n";
  text += std::string("compiler: ") + kCompiler + ", " + IMPASTO_BUILD_TYPE + "\n";
  text += "cpu instructions in use: " + (isas.empty() ? "none" : isas.front()) + "\n";
  text += "cpu instructions available:";
  for (const std::string& isa : isas) text += " " + isa;
  text += "\n";
  for (const std::string& device : devices(cuda_module())) text += "device: " + device + "\n";
  text += "libraries: " + image_io_version() + ", HDF5 " + IMPASTO_HDF5_VERSION + ", Eigen " + IMPASTO_EIGEN_VERSION + ", " +
          arguments_library() + ", " + report_library() + "\n";
  return text;
}

}  // namespace impasto::command
