#include "kernels/cuda/timing.h"

#include <algorithm>
#include <array>

#include "kernels/cuda/graph.h"
#include "kernels/cuda/launch.h"

namespace impasto::cuda {
namespace {

// Odd, for a median; on an idle device times of one kernel differ by a few percent, so that few are enough to tell engines apart that
// differ by more.
constexpr std::size_t kCalls = 5;

class Event {
 public:
  Event() { check(cudaEventCreate(&event_), "creating a CUDA event"); }
  // A destructor has nobody to tell.
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(cudaStream_t stream) const { check(cudaEventRecord(event_, stream), "recording a CUDA event"); }
  void wait() const { check(cudaEventSynchronize(event_), "waiting for the device"); }
  double milliseconds_since(const Event& earlier) const {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, earlier.event_, event_), "reading the time between CUDA events");
    return milliseconds;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace

double median_call_milliseconds(const std::function<void()>& enqueue, cudaStream_t stream) {
  enqueue();
  const std::array<Event, kCalls + 1> events;
  events[0].record(stream);
  for (std::size_t i = 0; i < kCalls; ++i) {
    enqueue();
    events[i + 1].record(stream);
  }
  events.back().wait();
  std::array<double, kCalls> times;
  for (std::size_t i = 0; i < kCalls; ++i) times[i] = events[i + 1].milliseconds_since(events[i]);
  std::nth_element(times.begin(), times.begin() + kCalls / 2, times.end());
  return times[kCalls / 2];
}

double median_milliseconds(const std::function<void()>& operations, cudaStream_t stream) {
  // The first launch of a graph, which takes it to the device, is the call before.
  return median_call_milliseconds(record(operations, stream), stream);
}

}  // namespace impasto::cuda
