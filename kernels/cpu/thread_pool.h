// The backend's threads. One pool per backend; its caller is one of the workers.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace impasto::cpu {

class ThreadPool {
 public:
  // threads >= 1, the caller included.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(threads_.size()) + 1; }

  // Calls body(worker, i) once for every i in 0 .. count - 1, in any order, from up to size() threads, worker in 0 .. size() - 1 being
  // theirs alone; returns when all are done. body must not throw and must not call parallel_for. Indices are handed out one at a time:
  // an index should be worth at least some 10 microseconds.
  template <class Body>
  void parallel_for(std::int64_t count, const Body& body) {
    run(
        count, [](const void* context, int worker, std::int64_t i) { (*static_cast<const Body*>(context))(worker, i); }, &body);
  }

 private:
  using Call = void (*)(const void* context, int worker, std::int64_t i);

  void run(std::int64_t count, Call call, const void* context);
  void work(int worker);
  void serve(int worker);

  std::vector<std::thread> threads_;

  // The job under way, written while no worker is busy, published by round_.
  Call call_ = nullptr;
  const void* context_ = nullptr;
  // Each worker begins with a stretch of its own, the same at every call of the same count, so that what an operation leaves in a core's
  // cache the next one finds there; who has done with it helps the others. A line of cache each.
  struct alignas(64) Stretch {
    std::atomic<std::int64_t> next{0};
    std::int64_t end = 0;
  };
  std::unique_ptr<Stretch[]> stretches_;

  std::mutex mutex_;
  std::condition_variable started_;
  std::condition_variable finished_;
  std::atomic<std::uint64_t> round_{0};
  std::atomic<int> busy_{0};
  std::atomic<bool> stop_{false};
};

// Processors this process may run on.
int available_processors();

}  // namespace impasto::cpu
