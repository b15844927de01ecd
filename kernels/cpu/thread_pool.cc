#include "kernels/cpu/thread_pool.h"

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace impasto::cpu {
namespace {

// Looks before a thread sleeps: some 200 microseconds. Operations of one evaluation follow each other within a few microseconds, but a
// thread that finished its share first waits for the other's last task, and waking a sleeping thread costs 10 to 50. 400 looks: 1% slower.
constexpr int kLooks = 4000;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <class Condition>
bool look_for(const Condition& condition) {
  for (int i = 0; i < kLooks; ++i) {
    if (condition()) return true;
    pause();
  }
  return condition();
}

}  // namespace

ThreadPool::ThreadPool(int threads) : stretches_(std::make_unique<Stretch[]>(static_cast<std::size_t>(threads))) {
  threads_.reserve(static_cast<std::size_t>(threads - 1));
  for (int worker = 1; worker < threads; ++worker) threads_.emplace_back([this, worker] { serve(worker); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_.store(true);
    round_.fetch_add(1);
  }
  started_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run(std::int64_t count, Call call, const void* context) {
  if (threads_.empty() || count <= 1) {
    for (std::int64_t i = 0; i < count; ++i) call(context, 0, i);
    return;
  }
  call_ = call;
  context_ = context;
  for (int worker = 0; worker < size(); ++worker) {
    stretches_[worker].next.store(count * worker / size());
    stretches_[worker].end = count * (worker + 1) / size();
  }
  busy_.store(static_cast<int>(threads_.size()));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    round_.fetch_add(1);
  }
  started_.notify_all();
  work(0);
  const auto done = [this] { return busy_.load() == 0; };
  if (look_for(done)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  finished_.wait(lock, done);
}

void ThreadPool::work(int worker) {
  for (int k = 0; k < size(); ++k) {
    Stretch& stretch = stretches_[(worker + k) % size()];
    for (std::int64_t i = stretch.next.fetch_add(1); i < stretch.end; i = stretch.next.fetch_add(1)) call_(context_, worker, i);
  }
}

void ThreadPool::serve(int worker) {
  for (std::uint64_t seen = 0;;) {
    const auto changed = [this, seen] { return round_.load() != seen; };
    if (!look_for(changed)) {
      std::unique_lock<std::mutex> lock(mutex_);
      started_.wait(lock, changed);
    }
    if (stop_.load()) return;
    // Rounds cannot be skipped: the next one starts only when this worker has reported.
    ++seen;
    work(worker);
    if (busy_.fetch_sub(1) == 1) {
      const std::lock_guard<std::mutex> lock(mutex_);
      finished_.notify_one();
    }
  }
}

int available_processors() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  const unsigned count = std::thread::hardware_concurrency();
  return count == 0 ? 1 : static_cast<int>(count);
}

}  // namespace impasto::cpu
