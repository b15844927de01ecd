// Runs CUDA kernels on the host, to prove them where there is no GPU, and lets tests steer the runtime they call (include/cuda_runtime.h).
//
// Blocks run one after the other, the threads of a block in turns, each until it waits or returns. An order that no barrier enforces is
// thus not left to chance: a kernel that lacks one gives wrong numbers, or NaN from shared memory, in at least one of the orders.
// Faults of a kernel that end its launch, and only that: threads of a block that wait for what will not happen (also for threads that have
// returned, which a device may let pass), a mask that leaves out its caller, a grid that cannot be. Not found: a thread that never ends.
// A thread's stack is 64 KiB (256 KiB under AddressSanitizer); one that overflows it ends the program.
#pragma once

#include <cuda_runtime.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace impasto::emulation {

// In which order the threads of a block take turns. A warp that has met goes on after the threads that were ready before (kForward), before
// them (kReverse) or as chance has it (kRandom): so warps keep pace with each other, or one runs ahead to where the block meets. kRandom:
// another order for each block and after each barrier, the same in every run of the program.
enum class Order : std::uint8_t { kForward, kReverse, kRandom };

// Runs thread(context) as every thread of the grid. Returns the fault in words, "" if all ran to their ends. One call at a time.
std::string run(dim3 grid, dim3 block, Order order, void (*thread)(const void* context), const void* context);

// Of streams created from now on, and of the null stream.
void set_order_of_new_streams(Order order);

// How the latest launch went wrong; "" if it did not, or was never begun.
std::string last_fault();

// The n-th call of the runtime from now (1: the next) fails and does nothing; 0: none does. cudaErrorMemoryAllocation from the calls that
// allocate memory, cudaErrorLaunchFailure from launches, cudaErrorInvalidValue from others. Calls that give back what others gave, and
// those about errors, never fail and do not count.
void fail_call(std::int64_t n);
// Since the program began: calls; pieces of work that streams were given to do, a graph being one and what is captured none; launches of
// graphs; calls that waited for a stream, an event or the device.
std::int64_t calls();
std::int64_t submissions();
std::int64_t graph_launches();
std::int64_t waits();

// 0 or 1; 0: every call that needs a device is cudaErrorNoDevice.
void set_devices(int count);

// What the device has, taken or free: at first 16 GiB, or as many bytes as the environment's IMPASTO_EMULATED_MEMORY says.
void set_device_memory(std::size_t bytes);
// Of the device; 9.0 to begin with.
void set_compute_capability(int major, int minor);

// Of cudaMalloc and cudaMallocHost together.
std::int64_t live_allocations();
std::size_t live_bytes();
std::int64_t live_streams();
std::int64_t live_events();
// Of graphs and executable graphs together.
std::int64_t live_graphs();

// The profiler's ranges of this thread since the last call, e.g. "evaluate(forward())".
std::string take_ranges();
// For what stands in for the profiler.
void log_range(const std::string& part);

// For what stands in for a library: gives the stream work to do, now or whenever the graph is launched that is being captured. work must
// not call the runtime. takes: of the device's time, which events read and which has nothing to do with the host's; a kernel, a copy or a
// fill takes a microsecond. A call like those of the runtime.
cudaError_t enqueue(cudaStream_t stream, std::function<void()> work, std::chrono::nanoseconds takes = std::chrono::microseconds(1));

}  // namespace impasto::emulation
