#include "kernels/cuda_module.h"

#include <dlfcn.h>

#include <filesystem>
#include <string_view>

#include "impasto/error.h"

// Null in a program that has no CUDA backend linked in.
extern "C" __attribute__((weak)) const impasto::CudaModule* impasto_cuda_module();

namespace impasto {
namespace {

constexpr const char* kName = "libimpasto_cuda.so";

// Beside the program and where an installed program has it.
std::vector<std::string> usual_places() {
  std::error_code failed;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return {};
  const std::filesystem::path folder = program.parent_path();
  return {(folder / kName).string(), (folder.parent_path() / "lib" / "impasto" / kName).string()};
}

std::string last_error() {
  const char* words = dlerror();
  return words == nullptr ? "unknown error" : words;
}

// nullptr where there is no such file; what is there and cannot be loaded is an error.
void* open_if_there(const std::string& path) {
  std::error_code failed;
  if (!std::filesystem::exists(path, failed)) return nullptr;
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) throw DeviceError("the CUDA module cannot be loaded: " + last_error());
  return module;
}

void* open_module(const std::string& path) {
  if (!path.empty()) {
    if (void* module = open_if_there(path)) return module;
    throw DeviceError("there is no CUDA module " + path);
  }
  std::string looked_at;
  for (const std::string& place : usual_places()) {
    if (void* module = open_if_there(place)) return module;
    looked_at += place + ", ";
  }
  if (void* module = dlopen(kName, RTLD_NOW | RTLD_LOCAL)) return module;
  const std::string error = last_error();
  // The system's loader names what it missed: the module, or a library that the module needs.
  if (error.find(kName) == std::string::npos) throw DeviceError("the CUDA module cannot be loaded: " + error);
  throw DeviceError(std::string("this installation has no CUDA module (") + kName + "; looked at " + looked_at +
                    "and where the system looks for libraries)");
}

}  // namespace

const CudaModule& load_cuda_module(const std::string& path) {
  using Entry = const CudaModule* (*)();
  Entry entry = path.empty() ? impasto_cuda_module : nullptr;
  if (entry == nullptr) {
    entry = reinterpret_cast<Entry>(dlsym(open_module(path), kCudaModuleEntry));
    if (entry == nullptr) throw DeviceError(std::string("the CUDA module lacks ") + kCudaModuleEntry + "; it is of another program");
  }
  const CudaModule& module = *entry();
  if (module.build != std::string_view(kCudaModuleBuild)) {
    throw DeviceError(std::string("the CUDA module is of build '") + module.build + "'; expected '" + kCudaModuleBuild + "'");
  }
  return module;
}

}  // namespace impasto
