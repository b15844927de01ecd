// Stands in for the CUDA toolkit's header of this name, so that g++ compiles the files of kernels/cuda as C++ and their kernels run on the
// host: what those files use of the language and of the runtime, no more. emulator.cc runs the kernels, runtime.cc is the runtime over host
// memory; how tests steer both: emulator.h.
//
// What differs from a device:
//   A kernel and what it calls run one thread at a time, a thread until it next waits: atomics and memory order are never put to the test.
//   A barrier is met only if every thread of the block waits at the same one. A thread that has returned has not met it.
//   Lanes meet in a warp operation only if all lanes in the mask that the block has call it in the same place with the same mask.
//   A lane that a shuffle reads from must be in the mask; otherwise the result is all ones (NaN). On a device it is undefined.
//   __shared__ memory is static: one set for all blocks, filled with 0xff before each (where GCC 11 or clang compiles for Linux; other
//   compilers leave in it what the block before has written). AddressSanitizer sees a kernel step over the end of a variable. Functions
//   that hold such variables belong into unnamed namespaces: for templates and inline functions elsewhere the assembler warns of their
//   sections. extern __shared__ (memory whose size the launch gives) does not compile.
#pragma once

#include <math.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
// After __shared__, where alignas cannot stand behind static.
#define __align__(bytes) __attribute__((aligned(bytes)))
// GCC before 15 forgets the section of a variable in a template, but keeps noinit, which means section .noinit.
#if defined(__clang__)
#define __shared__ static __attribute__((section(".noinit")))
#elif defined(__GNUC__) && __GNUC__ >= 11
#define __shared__ static __attribute__((noinit))
#else
#define __shared__ static
#endif

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_size = 1, unsigned y_size = 1, unsigned z_size = 1) : x(x_size), y(y_size), z(z_size) {}
};

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(4) char4 {
  signed char x, y, z, w;
};
struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(16) double2 {
  double x, y;
};

inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }

// Those of the thread that runs now. Kernels only read them.
extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;
inline constexpr int warpSize = 32;

namespace impasto::emulation {

// Where a kernel waits.
struct Place {
  const char* file;
  int line;
};

// What the functions below are made of; emulator.cc.
void meet_block(Place place);
// All lanes of the mask meet. Returns the value of lane `source`.
std::uint64_t meet_warp(unsigned mask, std::uint64_t value, unsigned source, const char* operation, Place place);
// Returns the lanes whose vote is set.
unsigned vote_warp(unsigned mask, bool vote, const char* operation, Place place);
// The lanes of the mask that the block has, for a warp that is cut off by the end of the block.
unsigned present_lanes(unsigned mask);
unsigned lane();

template <class T>
T exchange(unsigned mask, T value, unsigned source, const char* operation, Place place) {
  static_assert(std::is_arithmetic_v<T> && sizeof(T) <= sizeof(std::uint64_t), "shuffles take numbers");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = meet_warp(mask, bits, source, operation, place);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace impasto::emulation

// The default argument is evaluated where the function is called.
#define IMPASTO_EMULATION_HERE impasto::emulation::Place here = {__builtin_FILE(), __builtin_LINE()}

inline void __syncthreads(IMPASTO_EMULATION_HERE) { impasto::emulation::meet_block(here); }

inline void __syncwarp(unsigned mask = 0xffffffff, IMPASTO_EMULATION_HERE) {
  impasto::emulation::vote_warp(mask, false, "__syncwarp", here);
}

// width: a power of two; each run of so many lanes exchanges among itself.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, IMPASTO_EMULATION_HERE) {
  const unsigned run = static_cast<unsigned>(width) - 1;
  const unsigned lane = impasto::emulation::lane();
  return impasto::emulation::exchange(mask, value, (lane & ~run) | (static_cast<unsigned>(source) & run), "__shfl_sync", here);
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32, IMPASTO_EMULATION_HERE) {
  const unsigned run = static_cast<unsigned>(width) - 1;
  const unsigned lane = impasto::emulation::lane();
  return impasto::emulation::exchange(mask, value, (lane & run) >= distance ? lane - distance : lane, "__shfl_up_sync", here);
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32, IMPASTO_EMULATION_HERE) {
  const unsigned run = static_cast<unsigned>(width) - 1;
  const unsigned lane = impasto::emulation::lane();
  return impasto::emulation::exchange(mask, value, run - (lane & run) >= distance ? lane + distance : lane, "__shfl_down_sync", here);
}

// Lanes of an earlier run can be read, those of a later one cannot.
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int flipped, int width = 32, IMPASTO_EMULATION_HERE) {
  const unsigned run = static_cast<unsigned>(width) - 1;
  const unsigned lane = impasto::emulation::lane();
  const unsigned source = lane ^ static_cast<unsigned>(flipped);
  return impasto::emulation::exchange(mask, value, source <= (lane | run) ? source : lane, "__shfl_xor_sync", here);
}

inline unsigned __ballot_sync(unsigned mask, int vote, IMPASTO_EMULATION_HERE) {
  return impasto::emulation::vote_warp(mask, vote != 0, "__ballot_sync", here);
}

inline int __any_sync(unsigned mask, int vote, IMPASTO_EMULATION_HERE) {
  return impasto::emulation::vote_warp(mask, vote != 0, "__any_sync", here) != 0;
}

inline int __all_sync(unsigned mask, int vote, IMPASTO_EMULATION_HERE) {
  return impasto::emulation::vote_warp(mask, vote != 0, "__all_sync", here) == impasto::emulation::present_lanes(mask);
}

#undef IMPASTO_EMULATION_HERE

inline int __popc(unsigned value) { return std::popcount(value); }
// 1 + the index of the lowest bit that is set, 0 if none is.
inline int __ffs(int value) { return __builtin_ffs(value); }
inline int __clz(int value) { return std::countl_zero(static_cast<unsigned>(value)); }

inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline float __uint_as_float(unsigned value) { return std::bit_cast<float>(value); }
inline int __float_as_int(float value) { return std::bit_cast<int>(value); }
inline float __int_as_float(int value) { return std::bit_cast<float>(value); }

template <class T>
T __ldg(const T* from) {
  return *from;
}

namespace impasto::emulation {

template <class T>
T add(T* to, T value) {
  const T before = *to;
  *to = before + value;
  return before;
}

}  // namespace impasto::emulation

inline float atomicAdd(float* to, float value) { return impasto::emulation::add(to, value); }
inline double atomicAdd(double* to, double value) { return impasto::emulation::add(to, value); }
inline unsigned atomicAdd(unsigned* to, unsigned value) { return impasto::emulation::add(to, value); }
inline unsigned long long atomicAdd(unsigned long long* to, unsigned long long value) { return impasto::emulation::add(to, value); }
// Wraps around.
inline int atomicAdd(int* to, int value) {
  const int before = *to;
  *to = static_cast<int>(static_cast<unsigned>(before) + static_cast<unsigned>(value));
  return before;
}

// Integers: mixed signs compare as unsigned. Floating point: NaN gives the other argument.
inline int min(int a, int b) { return a < b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned min(int a, unsigned b) { return min(static_cast<unsigned>(a), b); }
inline unsigned min(unsigned a, int b) { return min(a, static_cast<unsigned>(b)); }
inline long min(long a, long b) { return a < b ? a : b; }
inline unsigned long min(unsigned long a, unsigned long b) { return a < b ? a : b; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline unsigned long long min(unsigned long long a, unsigned long long b) { return a < b ? a : b; }
inline float min(float a, float b) { return fminf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double min(float a, double b) { return fmin(static_cast<double>(a), b); }
inline double min(double a, float b) { return fmin(a, static_cast<double>(b)); }

inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline unsigned max(int a, unsigned b) { return max(static_cast<unsigned>(a), b); }
inline unsigned max(unsigned a, int b) { return max(a, static_cast<unsigned>(b)); }
inline long max(long a, long b) { return a > b ? a : b; }
inline unsigned long max(unsigned long a, unsigned long b) { return a > b ? a : b; }
inline long long max(long long a, long long b) { return a > b ? a : b; }
inline unsigned long long max(unsigned long long a, unsigned long long b) { return a > b ? a : b; }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
inline double max(float a, double b) { return fmax(static_cast<double>(a), b); }
inline double max(double a, float b) { return fmax(a, static_cast<double>(b)); }

// The runtime. Everything runs at once, before the call returns; streams differ only in their thread order (emulator.h). Only a stream that
// is being captured runs nothing: kernels with copies of their arguments, copies and fills wait for the launches of its graph.
//
// What differs from a device's captures: events are refused, where a device takes them for branches; captures are the thread's
// (cudaStreamCaptureModeThreadLocal), other modes are invalid values; what a kernel does wrong shows when the graph is launched.

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorInvalidResourceHandle = 400,
  cudaErrorIllegalState = 401,
  cudaErrorLaunchFailure = 719,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901,
  cudaErrorStreamCaptureImplicit = 906,
  cudaErrorStreamCaptureWrongThread = 908,
};

enum cudaMemcpyKind {
  cudaMemcpyHostToHost = 0,
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost = 2,
  cudaMemcpyDeviceToDevice = 3,
  cudaMemcpyDefault = 4,
};

using cudaStream_t = struct CUstream_st*;
using cudaEvent_t = struct CUevent_st*;
using cudaGraph_t = struct CUgraph_st*;
using cudaGraphExec_t = struct CUgraphExec_st*;

enum cudaStreamCaptureMode {
  cudaStreamCaptureModeGlobal = 0,
  cudaStreamCaptureModeThreadLocal = 1,
  cudaStreamCaptureModeRelaxed = 2,
};

inline constexpr unsigned cudaStreamDefault = 0;
inline constexpr unsigned cudaStreamNonBlocking = 1;
inline constexpr unsigned cudaEventDefault = 0;
inline constexpr unsigned cudaEventDisableTiming = 2;

struct cudaDeviceProp {
  char name[256];
  std::size_t totalGlobalMem;
  std::size_t sharedMemPerBlock;
  int warpSize;
  int maxThreadsPerBlock;
  int major;
  int minor;
  int multiProcessorCount;
  int l2CacheSize;
};

// Of a failed launch's fault the text holds emulation::last_fault() too; it is the calling host thread's, until its next call.
const char* cudaGetErrorString(cudaError_t error);
const char* cudaGetErrorName(cudaError_t error);
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();

cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDevice(int* device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total);
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaRuntimeGetVersion(int* version);
cudaError_t cudaDeviceSynchronize();

// Memory is filled with 0xff. The host can read and write device memory, but the calls that copy and fill tell both apart: a pointer of the
// wrong kind, or memory that is not all of one piece, is cudaErrorInvalidValue.
cudaError_t cudaMalloc(void** memory, std::size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMallocHost(void** memory, std::size_t bytes);
cudaError_t cudaFreeHost(void* memory);
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream = nullptr);
cudaError_t cudaMemset(void* to, int value, std::size_t bytes);
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream = nullptr);

template <class T>
cudaError_t cudaMalloc(T** memory, std::size_t bytes) {
  void* piece = nullptr;
  const cudaError_t status = cudaMalloc(&piece, bytes);
  if (status == cudaSuccess) *memory = static_cast<T*>(piece);
  return status;
}

template <class T>
cudaError_t cudaMallocHost(T** memory, std::size_t bytes) {
  void* piece = nullptr;
  const cudaError_t status = cudaMallocHost(&piece, bytes);
  if (status == cudaSuccess) *memory = static_cast<T*>(piece);
  return status;
}

cudaError_t cudaStreamCreate(cudaStream_t* stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);

// While a thread captures, its calls that allocate, free, wait or copy at once, and copies from or to pageable memory on the stream, are
// cudaErrorStreamCaptureUnsupported; work for the null stream is cudaErrorStreamCaptureImplicit while a blocking stream is captured. Both
// invalidate the capture: what the stream is given from then on, and its end, are cudaErrorStreamCaptureInvalidated.
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
// Ends the capture even where it fails, except in another thread than the one that began it.
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
// The graph may be destroyed, what was made from it stays.
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags = 0);
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable);

cudaError_t cudaEventCreate(cudaEvent_t* event);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream = nullptr);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to);
cudaError_t cudaEventDestroy(cudaEvent_t event);

struct cudaLaunchAttribute;

struct cudaLaunchConfig_t {
  dim3 gridDim;
  dim3 blockDim;
  // Must be 0.
  std::size_t dynamicSmemBytes;
  cudaStream_t stream;
  // Without effect.
  cudaLaunchAttribute* attrs;
  unsigned numAttrs;
};

namespace impasto::emulation {

// Calls thread(context) as every thread of the grid; runtime.cc. The context is kept for as long as a graph needs it.
cudaError_t launch(const cudaLaunchConfig_t& config, void (*thread)(const void* context), std::shared_ptr<const void> context);

}  // namespace impasto::emulation

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...), Arguments&&... arguments) {
  static_assert((!std::is_reference_v<Parameters> && ...), "a kernel takes its parameters by value");
  struct Call {
    void (*kernel)(Parameters...);
    std::tuple<Parameters...> arguments;
  };
  auto call = std::make_shared<const Call>(Call{kernel, std::tuple<Parameters...>(static_cast<Arguments&&>(arguments)...)});
  // Every thread gets its own copy of the parameters, which it may change.
  const auto thread = [](const void* context) {
    const Call& same = *static_cast<const Call*>(context);
    std::apply(same.kernel, same.arguments);
  };
  return impasto::emulation::launch(*config, thread, std::move(call));
}
