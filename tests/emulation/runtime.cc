// The CUDA runtime over host memory: every call does its work before it returns.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <string>

#include "tests/emulation/emulator.h"

struct CUstream_st {
  impasto::emulation::Order order;
};

struct CUevent_st {
  bool recorded = false;
  std::chrono::steady_clock::time_point time;
};

namespace impasto::emulation {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kDeviceMemory = std::size_t{16} << 30;
constexpr int kVersion = 12000;

struct Piece {
  std::size_t bytes;
  bool on_device;
};

struct Runtime {
  std::mutex mutex;
  int devices = 1;
  int major = 9;
  int minor = 0;
  Order order = Order::kForward;
  std::int64_t calls = 0;
  // The call that is to fail, counted down to it.
  std::int64_t failing = 0;
  std::string fault;
  std::map<std::uintptr_t, Piece> pieces;
  std::size_t device_bytes = 0;
  std::size_t host_bytes = 0;
  std::set<cudaStream_t> streams;
  std::set<cudaEvent_t> events;

  bool has(cudaStream_t stream) const { return stream == nullptr || streams.contains(stream); }
};

Runtime& runtime() {
  static Runtime* const runtime = new Runtime;
  return *runtime;
}

thread_local cudaError_t last_error = cudaSuccess;
thread_local std::string error_words;

cudaError_t remember(cudaError_t status) {
  if (status != cudaSuccess) last_error = status;
  return status;
}

enum class Needs : bool { kNothing, kDevice };

// The gate of all calls that can fail.
template <class Body>
cudaError_t call(cudaError_t failure, const Body& body, Needs needs = Needs::kDevice) {
  Runtime& state = runtime();
  const std::lock_guard<std::mutex> lock(state.mutex);
  ++state.calls;
  if (state.failing > 0 && --state.failing == 0) return remember(failure);
  if (needs == Needs::kDevice && state.devices == 0) return remember(cudaErrorNoDevice);
  return remember(body(state));
}

// Of the calls that give back.
template <class Body>
cudaError_t call_unfailing(const Body& body) {
  Runtime& state = runtime();
  const std::lock_guard<std::mutex> lock(state.mutex);
  return remember(body(state));
}

cudaError_t allocate(Runtime& state, void** memory, std::size_t bytes, bool on_device) {
  if (memory == nullptr) return cudaErrorInvalidValue;
  *memory = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (on_device && bytes > kDeviceMemory - state.device_bytes) return cudaErrorMemoryAllocation;
  void* const piece = ::operator new (bytes, std::align_val_t{kAlignment}, std::nothrow);
  if (piece == nullptr) return cudaErrorMemoryAllocation;
  std::memset(piece, 0xff, bytes);
  state.pieces[reinterpret_cast<std::uintptr_t>(piece)] = {bytes, on_device};
  (on_device ? state.device_bytes : state.host_bytes) += bytes;
  *memory = piece;
  return cudaSuccess;
}

cudaError_t give_back(Runtime& state, void* memory, bool on_device) {
  if (memory == nullptr) return cudaSuccess;
  const auto piece = state.pieces.find(reinterpret_cast<std::uintptr_t>(memory));
  if (piece == state.pieces.end() || piece->second.on_device != on_device) return cudaErrorInvalidValue;
  (on_device ? state.device_bytes : state.host_bytes) -= piece->second.bytes;
  state.pieces.erase(piece);
  ::operator delete (memory, std::align_val_t{kAlignment});
  return cudaSuccess;
}

// Whether all of it is device memory, or all of it is host memory; of pageable memory only that no piece of ours begins inside is known.
bool lies(const Runtime& state, const void* memory, std::size_t bytes, bool on_device) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const auto next = state.pieces.upper_bound(address);
  if (next != state.pieces.begin()) {
    const auto& [begin, piece] = *std::prev(next);
    const std::size_t offset = address - begin;
    if (offset < piece.bytes) return piece.on_device == on_device && bytes <= piece.bytes - offset;
  }
  return !on_device && (next == state.pieces.end() || bytes <= next->first - address);
}

cudaError_t copy(Runtime& state, void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (bytes == 0) return cudaSuccess;
  if (to == nullptr || from == nullptr) return cudaErrorInvalidValue;
  if (kind != cudaMemcpyDefault) {
    if (!lies(state, to, bytes, kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice)) return cudaErrorInvalidValue;
    if (!lies(state, from, bytes, kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice)) return cudaErrorInvalidValue;
  }
  std::memmove(to, from, bytes);
  return cudaSuccess;
}

cudaError_t fill(Runtime& state, void* to, int value, std::size_t bytes) {
  if (bytes == 0) return cudaSuccess;
  if (to == nullptr || !lies(state, to, bytes, true)) return cudaErrorInvalidValue;
  std::memset(to, value, bytes);
  return cudaSuccess;
}

struct ErrorText {
  cudaError_t error;
  const char* name;
  const char* words;
};

constexpr ErrorText kErrors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver", "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
};

ErrorText text_of(cudaError_t error) {
  for (const ErrorText& text : kErrors)
    if (text.error == error) return text;
  return {error, "unrecognized error code", "unrecognized error code"};
}

}  // namespace

void set_order_of_new_streams(Order order) {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  runtime().order = order;
}

std::string last_fault() {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  return runtime().fault;
}

void fail_call(std::int64_t n) {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  runtime().failing = n;
}

std::int64_t calls() {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  return runtime().calls;
}

void set_devices(int count) {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  runtime().devices = count;
}

void set_compute_capability(int major, int minor) {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  runtime().major = major;
  runtime().minor = minor;
}

std::int64_t live_allocations() {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  return std::ssize(runtime().pieces);
}

std::size_t live_bytes() {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  return runtime().device_bytes + runtime().host_bytes;
}

std::int64_t live_streams() {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  return std::ssize(runtime().streams);
}

std::int64_t live_events() {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  return std::ssize(runtime().events);
}

cudaError_t launch(const cudaLaunchConfig_t& config, void (*thread)(const void* context), const void* context) {
  {
    const std::lock_guard<std::mutex> lock(runtime().mutex);
    runtime().fault.clear();
  }
  return call(cudaErrorLaunchFailure, [&](Runtime& state) {
    if (!state.has(config.stream)) return cudaErrorInvalidResourceHandle;
    if (config.dynamicSmemBytes != 0) return cudaErrorInvalidValue;
    const Order order = config.stream == nullptr ? state.order : config.stream->order;
    state.fault = run(config.gridDim, config.blockDim, order, thread, context);
    return state.fault.empty() ? cudaSuccess : cudaErrorLaunchFailure;
  });
}

}  // namespace impasto::emulation

using impasto::emulation::allocate;
using impasto::emulation::call;
using impasto::emulation::call_unfailing;
using impasto::emulation::copy;
using impasto::emulation::error_words;
using impasto::emulation::fill;
using impasto::emulation::give_back;
using impasto::emulation::kDeviceMemory;
using impasto::emulation::kVersion;
using impasto::emulation::last_error;
using impasto::emulation::last_fault;
using impasto::emulation::Needs;
using impasto::emulation::Runtime;
using impasto::emulation::text_of;

const char* cudaGetErrorString(cudaError_t error) {
  const std::string fault = error == cudaErrorLaunchFailure ? last_fault() : "";
  if (fault.empty()) return text_of(error).words;
  error_words = std::string(text_of(error).words) + ": " + fault;
  return error_words.c_str();
}

const char* cudaGetErrorName(cudaError_t error) { return text_of(error).name; }

cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError() { return last_error; }

cudaError_t cudaGetDeviceCount(int* count) {
  return call(cudaErrorInvalidValue, [&](const Runtime& state) {
    *count = state.devices;
    return cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int device) {
  return call(cudaErrorInvalidValue, [&](const Runtime&) { return device == 0 ? cudaSuccess : cudaErrorInvalidDevice; });
}

cudaError_t cudaGetDevice(int* device) {
  return call(cudaErrorInvalidValue, [&](const Runtime&) {
    *device = 0;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return call(cudaErrorInvalidValue, [&](const Runtime& state) {
    if (device != 0) return cudaErrorInvalidDevice;
    *properties = {};
    std::strcpy(properties->name, "Emulated device");
    properties->totalGlobalMem = kDeviceMemory;
    properties->sharedMemPerBlock = std::size_t{48} << 10;
    properties->warpSize = 32;
    properties->maxThreadsPerBlock = 1024;
    properties->major = state.major;
    properties->minor = state.minor;
    properties->multiProcessorCount = 4;
    return cudaSuccess;
  });
}

cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total) {
  return call(cudaErrorInvalidValue, [&](const Runtime& state) {
    *available = kDeviceMemory - state.device_bytes;
    *total = kDeviceMemory;
    return cudaSuccess;
  });
}

cudaError_t cudaDriverGetVersion(int* version) {
  const auto body = [&](const Runtime&) {
    *version = kVersion;
    return cudaSuccess;
  };
  return call(cudaErrorInvalidValue, body, Needs::kNothing);
}

cudaError_t cudaRuntimeGetVersion(int* version) { return cudaDriverGetVersion(version); }

cudaError_t cudaDeviceSynchronize() {
  return call(cudaErrorInvalidValue, [](const Runtime&) { return cudaSuccess; });
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  return call(cudaErrorMemoryAllocation, [&](Runtime& state) { return allocate(state, memory, bytes, true); });
}

cudaError_t cudaFree(void* memory) {
  return call_unfailing([&](Runtime& state) { return give_back(state, memory, true); });
}

cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  return call(cudaErrorMemoryAllocation, [&](Runtime& state) { return allocate(state, memory, bytes, false); });
}

cudaError_t cudaFreeHost(void* memory) {
  return call_unfailing([&](Runtime& state) { return give_back(state, memory, false); });
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  return cudaMemcpyAsync(to, from, bytes, kind, nullptr);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return call(cudaErrorInvalidValue,
              [&](Runtime& state) { return state.has(stream) ? copy(state, to, from, bytes, kind) : cudaErrorInvalidResourceHandle; });
}

cudaError_t cudaMemset(void* to, int value, std::size_t bytes) { return cudaMemsetAsync(to, value, bytes, nullptr); }

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  return call(cudaErrorInvalidValue,
              [&](Runtime& state) { return state.has(stream) ? fill(state, to, value, bytes) : cudaErrorInvalidResourceHandle; });
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, cudaStreamDefault); }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return call(cudaErrorInvalidValue, [&](Runtime& state) {
    if (stream == nullptr || flags > cudaStreamNonBlocking) return cudaErrorInvalidValue;
    *stream = new CUstream_st{state.order};
    state.streams.insert(*stream);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return call_unfailing([&](Runtime& state) {
    if (state.streams.erase(stream) == 0) return cudaErrorInvalidResourceHandle;
    delete stream;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return call(cudaErrorInvalidValue,
              [&](const Runtime& state) { return state.has(stream) ? cudaSuccess : cudaErrorInvalidResourceHandle; });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  return call(cudaErrorInvalidValue, [&](Runtime& state) {
    if (event == nullptr) return cudaErrorInvalidValue;
    *event = new CUevent_st;
    state.events.insert(*event);
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return call(cudaErrorInvalidValue, [&](const Runtime& state) {
    if (!state.events.contains(event) || !state.has(stream)) return cudaErrorInvalidResourceHandle;
    event->recorded = true;
    event->time = std::chrono::steady_clock::now();
    return cudaSuccess;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return call(cudaErrorInvalidValue,
              [&](const Runtime& state) { return state.events.contains(event) ? cudaSuccess : cudaErrorInvalidResourceHandle; });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  return call(cudaErrorInvalidValue, [&](const Runtime& state) {
    if (!state.events.contains(from) || !state.events.contains(to) || !from->recorded || !to->recorded)
      return cudaErrorInvalidResourceHandle;
    *milliseconds = std::chrono::duration<float, std::milli>(to->time - from->time).count();
    return cudaSuccess;
  });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return call_unfailing([&](Runtime& state) {
    if (state.events.erase(event) == 0) return cudaErrorInvalidResourceHandle;
    delete event;
    return cudaSuccess;
  });
}
