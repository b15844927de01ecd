// The CUDA runtime over host memory: every call does its work before it returns, unless its stream is being captured.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/emulation/emulator.h"

namespace impasto::emulation {

// What a stream is given to do.
using Work = std::function<cudaError_t()>;

struct Capture {
  std::thread::id thread;
  bool valid = true;
  std::vector<Work> work;
};

}  // namespace impasto::emulation

struct CUstream_st {
  impasto::emulation::Order order;
  bool blocking;
  std::optional<impasto::emulation::Capture> capture;
};

struct CUgraph_st {
  std::vector<impasto::emulation::Work> work;
};

struct CUgraphExec_st {
  std::vector<impasto::emulation::Work> work;
};

struct CUevent_st {
  bool recorded = false;
  std::chrono::nanoseconds time{};
};

namespace impasto::emulation {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr int kVersion = 12000;

std::size_t first_device_memory() {
  const char* const bytes = std::getenv("IMPASTO_EMULATED_MEMORY");
  return bytes == nullptr ? std::size_t{16} << 30 : std::strtoull(bytes, nullptr, 10);
}

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
  std::int64_t submissions = 0;
  std::int64_t graph_launches = 0;
  std::int64_t waits = 0;
  // That the device has worked.
  std::chrono::nanoseconds time{};
  // The call that is to fail, counted down to it.
  std::int64_t failing = 0;
  std::string fault;
  std::map<std::uintptr_t, Piece> pieces;
  std::size_t device_memory = first_device_memory();
  std::size_t device_bytes = 0;
  std::size_t host_bytes = 0;
  std::set<cudaStream_t> streams;
  std::set<cudaEvent_t> events;
  std::set<cudaGraph_t> graphs;
  std::set<cudaGraphExec_t> executables;

  // None where the memory has been set to less than is taken.
  std::size_t free_bytes() const { return device_memory - std::min(device_memory, device_bytes); }
  bool has(cudaStream_t stream) const { return stream == nullptr || streams.contains(stream); }

  // Invalidates the captures of the streams that `chosen` chooses. Whether there are any.
  template <class Chosen>
  bool invalidate(const Chosen& chosen) {
    bool any = false;
    for (cudaStream_t stream : streams) {
      if (!stream->capture || !chosen(*stream)) continue;
      stream->capture->valid = false;
      any = true;
    }
    return any;
  }

  // Of a call that a thread must not make while it captures: whether it does, and then it captures in vain.
  bool refuses_unsafe_call() {
    return invalidate([](const CUstream_st& stream) { return stream.capture->thread == std::this_thread::get_id(); });
  }
};

Runtime& runtime() {
  static Runtime* const runtime = new Runtime;
  return *runtime;
}

thread_local cudaError_t last_error = cudaSuccess;
thread_local std::string error_words;
thread_local std::string ranges;

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

// Does the work, or leaves it to the graph that is being captured.
cudaError_t submit(Runtime& state, cudaStream_t stream, Work work) {
  if (!state.has(stream)) return cudaErrorInvalidResourceHandle;
  if (stream == nullptr && state.invalidate([](const CUstream_st& other) { return other.blocking; })) return cudaErrorStreamCaptureImplicit;
  if (stream != nullptr && stream->capture) {
    if (!stream->capture->valid) return cudaErrorStreamCaptureInvalidated;
    stream->capture->work.push_back(std::move(work));
    return cudaSuccess;
  }
  ++state.submissions;
  return work();
}

// What a kernel, a copy or a fill takes of the device's time, whatever it does.
constexpr std::chrono::microseconds kPieceOfWork{1};

cudaError_t allocate(Runtime& state, void** memory, std::size_t bytes, bool on_device) {
  if (state.refuses_unsafe_call()) return cudaErrorStreamCaptureUnsupported;
  if (memory == nullptr) return cudaErrorInvalidValue;
  *memory = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (on_device && bytes > state.free_bytes()) return cudaErrorMemoryAllocation;
  void* const piece = ::operator new (bytes, std::align_val_t{kAlignment}, std::nothrow);
  if (piece == nullptr) return cudaErrorMemoryAllocation;
  std::memset(piece, 0xff, bytes);
  state.pieces[reinterpret_cast<std::uintptr_t>(piece)] = {bytes, on_device};
  (on_device ? state.device_bytes : state.host_bytes) += bytes;
  *memory = piece;
  return cudaSuccess;
}

cudaError_t give_back(Runtime& state, void* memory, bool on_device) {
  if (state.refuses_unsafe_call()) return cudaErrorStreamCaptureUnsupported;
  if (memory == nullptr) return cudaSuccess;
  const auto piece = state.pieces.find(reinterpret_cast<std::uintptr_t>(memory));
  if (piece == state.pieces.end() || piece->second.on_device != on_device) return cudaErrorInvalidValue;
  (on_device ? state.device_bytes : state.host_bytes) -= piece->second.bytes;
  state.pieces.erase(piece);
  ::operator delete (memory, std::align_val_t{kAlignment});
  return cudaSuccess;
}

bool pageable(const Runtime& state, const void* memory) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const auto next = state.pieces.upper_bound(address);
  return next == state.pieces.begin() || address - std::prev(next)->first >= std::prev(next)->second.bytes;
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

cudaError_t copy(Runtime& state, void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (!state.has(stream)) return cudaErrorInvalidResourceHandle;
  if (bytes == 0) return cudaSuccess;
  if (to == nullptr || from == nullptr) return cudaErrorInvalidValue;
  if (kind != cudaMemcpyDefault) {
    if (!lies(state, to, bytes, kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice)) return cudaErrorInvalidValue;
    if (!lies(state, from, bytes, kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice)) return cudaErrorInvalidValue;
  }
  if (stream != nullptr && stream->capture && (pageable(state, to) || pageable(state, from))) {
    stream->capture->valid = false;
    return cudaErrorStreamCaptureUnsupported;
  }
  return submit(state, stream, [=, &state] {
    std::memmove(to, from, bytes);
    state.time += kPieceOfWork;
    return cudaSuccess;
  });
}

cudaError_t fill(Runtime& state, void* to, int value, std::size_t bytes, cudaStream_t stream) {
  if (!state.has(stream)) return cudaErrorInvalidResourceHandle;
  if (bytes == 0) return cudaSuccess;
  if (to == nullptr || !lies(state, to, bytes, true)) return cudaErrorInvalidValue;
  return submit(state, stream, [=, &state] {
    std::memset(to, value, bytes);
    state.time += kPieceOfWork;
    return cudaSuccess;
  });
}

// Of the calls that wait.
cudaError_t waited(Runtime& state) {
  ++state.waits;
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
    {cudaErrorIllegalState, "cudaErrorIllegalState", "the operation cannot be performed in the present state"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported", "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated", "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureImplicit, "cudaErrorStreamCaptureImplicit",
     "operation would make the legacy stream depend on a capturing blocking stream"},
    {cudaErrorStreamCaptureWrongThread, "cudaErrorStreamCaptureWrongThread",
     "attempt to terminate a thread-local capture sequence from another thread"},
};

ErrorText text_of(cudaError_t error) {
  for (const ErrorText& text : kErrors)
    if (text.error == error) return text;
  return {error, "unrecognized error code", "unrecognized error code"};
}

void forget_fault() {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  runtime().fault.clear();
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

std::int64_t submissions() {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  return runtime().submissions;
}

std::int64_t graph_launches() {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  return runtime().graph_launches;
}

std::int64_t waits() {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  return runtime().waits;
}

void set_device_memory(std::size_t bytes) {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  runtime().device_memory = bytes;
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

std::int64_t live_graphs() {
  const std::lock_guard<std::mutex> lock(runtime().mutex);
  return std::ssize(runtime().graphs) + std::ssize(runtime().executables);
}

std::string take_ranges() { return std::exchange(ranges, {}); }

void log_range(const std::string& part) { ranges += part; }

cudaError_t enqueue(cudaStream_t stream, std::function<void()> work, std::chrono::nanoseconds takes) {
  return call(cudaErrorInvalidValue, [&](Runtime& state) {
    return submit(state, stream, [&state, takes, work = std::move(work)] {
      work();
      state.time += takes;
      return cudaSuccess;
    });
  });
}

cudaError_t launch(const cudaLaunchConfig_t& config, void (*thread)(const void* context), std::shared_ptr<const void> context) {
  forget_fault();
  return call(cudaErrorLaunchFailure, [&](Runtime& state) {
    if (!state.has(config.stream)) return cudaErrorInvalidResourceHandle;
    if (config.dynamicSmemBytes != 0) return cudaErrorInvalidValue;
    const Order order = config.stream == nullptr ? state.order : config.stream->order;
    return submit(state, config.stream, [&state, grid = config.gridDim, block = config.blockDim, order, thread, context] {
      state.fault = run(grid, block, order, thread, context.get());
      state.time += kPieceOfWork;
      return state.fault.empty() ? cudaSuccess : cudaErrorLaunchFailure;
    });
  });
}

}  // namespace impasto::emulation

using impasto::emulation::allocate;
using impasto::emulation::call;
using impasto::emulation::call_unfailing;
using impasto::emulation::copy;
using impasto::emulation::error_words;
using impasto::emulation::fill;
using impasto::emulation::forget_fault;
using impasto::emulation::give_back;
using impasto::emulation::kVersion;
using impasto::emulation::last_error;
using impasto::emulation::last_fault;
using impasto::emulation::Needs;
using impasto::emulation::Runtime;
using impasto::emulation::submit;
using impasto::emulation::text_of;
using impasto::emulation::waited;
using impasto::emulation::Work;

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
    properties->totalGlobalMem = state.device_memory;
    properties->sharedMemPerBlock = std::size_t{48} << 10;
    properties->warpSize = 32;
    properties->maxThreadsPerBlock = 1024;
    properties->major = state.major;
    properties->minor = state.minor;
    properties->multiProcessorCount = 4;
    properties->l2CacheSize = 1 << 20;
    return cudaSuccess;
  });
}

cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total) {
  return call(cudaErrorInvalidValue, [&](const Runtime& state) {
    *available = state.free_bytes();
    *total = state.device_memory;
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
  return call(cudaErrorInvalidValue,
              [](Runtime& state) { return state.refuses_unsafe_call() ? cudaErrorStreamCaptureUnsupported : waited(state); });
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
  return call(cudaErrorInvalidValue, [&](Runtime& state) {
    if (state.refuses_unsafe_call()) return cudaErrorStreamCaptureUnsupported;
    ++state.waits;
    return copy(state, to, from, bytes, kind, nullptr);
  });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return call(cudaErrorInvalidValue, [&](Runtime& state) { return copy(state, to, from, bytes, kind, stream); });
}

cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  return call(cudaErrorInvalidValue, [&](Runtime& state) {
    return state.refuses_unsafe_call() ? cudaErrorStreamCaptureUnsupported : fill(state, to, value, bytes, nullptr);
  });
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  return call(cudaErrorInvalidValue, [&](Runtime& state) { return fill(state, to, value, bytes, stream); });
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, cudaStreamDefault); }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return call(cudaErrorInvalidValue, [&](Runtime& state) {
    if (stream == nullptr || flags > cudaStreamNonBlocking) return cudaErrorInvalidValue;
    *stream = new CUstream_st{state.order, flags == cudaStreamDefault, {}};
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
  return call(cudaErrorInvalidValue, [&](Runtime& state) {
    if (!state.has(stream)) return cudaErrorInvalidResourceHandle;
    if (stream != nullptr && stream->capture) {
      stream->capture->valid = false;
      return cudaErrorStreamCaptureUnsupported;
    }
    return waited(state);
  });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return call(cudaErrorInvalidValue, [&](const Runtime& state) {
    if (mode != cudaStreamCaptureModeThreadLocal) return cudaErrorInvalidValue;
    if (stream == nullptr) return cudaErrorStreamCaptureUnsupported;
    if (!state.has(stream)) return cudaErrorInvalidResourceHandle;
    if (stream->capture) return cudaErrorIllegalState;
    stream->capture.emplace().thread = std::this_thread::get_id();
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const cudaError_t status = call(cudaErrorInvalidValue, [&](Runtime& state) {
    if (graph == nullptr) return cudaErrorInvalidValue;
    *graph = nullptr;
    if (stream == nullptr || !state.has(stream)) return cudaErrorInvalidResourceHandle;
    if (!stream->capture) return cudaErrorIllegalState;
    if (stream->capture->thread != std::this_thread::get_id()) return cudaErrorStreamCaptureWrongThread;
    if (!stream->capture->valid) return cudaErrorStreamCaptureInvalidated;
    *graph = new CUgraph_st{std::move(stream->capture->work)};
    state.graphs.insert(*graph);
    return cudaSuccess;
  });
  call_unfailing([&](const Runtime& state) {
    if (status != cudaErrorStreamCaptureWrongThread && stream != nullptr && state.has(stream)) stream->capture.reset();
    return cudaSuccess;
  });
  return status;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags) {
  return call(cudaErrorInvalidValue, [&](Runtime& state) {
    if (executable == nullptr || flags != 0 || !state.graphs.contains(graph)) return cudaErrorInvalidValue;
    *executable = new CUgraphExec_st{graph->work};
    state.executables.insert(*executable);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  forget_fault();
  return call(cudaErrorLaunchFailure, [&](Runtime& state) {
    if (!state.executables.contains(executable)) return cudaErrorInvalidValue;
    return submit(state, stream, [&state, executable] {
      ++state.graph_launches;
      for (const Work& work : executable->work) {
        if (const cudaError_t status = work(); status != cudaSuccess) return status;
      }
      return cudaSuccess;
    });
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return call_unfailing([&](Runtime& state) {
    if (state.graphs.erase(graph) == 0) return cudaErrorInvalidValue;
    delete graph;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return call_unfailing([&](Runtime& state) {
    if (state.executables.erase(executable) == 0) return cudaErrorInvalidValue;
    delete executable;
    return cudaSuccess;
  });
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
    if (stream != nullptr && stream->capture) {
      stream->capture->valid = false;
      return cudaErrorStreamCaptureUnsupported;
    }
    event->recorded = true;
    event->time = state.time;
    return cudaSuccess;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return call(cudaErrorInvalidValue,
              [&](Runtime& state) { return state.events.contains(event) ? waited(state) : cudaErrorInvalidResourceHandle; });
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
