#include "tests/emulation/emulator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace impasto::emulation {
namespace {

constexpr unsigned kAll = 0xffffffff;
constexpr Order kOrders[] = {Order::kForward, Order::kReverse, Order::kRandom};

template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t size) : size_(size) { EXPECT_EQ(cudaMalloc(&data_, size * sizeof(T)), cudaSuccess); }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
    EXPECT_EQ(cudaMemcpy(data_, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice), cudaSuccess);
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() { cudaFree(data_); }

  T* data() { return data_; }
  std::vector<T> read() const {
    std::vector<T> values(size_);
    EXPECT_EQ(cudaMemcpy(values.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost), cudaSuccess);
    return values;
  }

 private:
  T* data_ = nullptr;
  std::size_t size_;
};

template <class... Parameters, class... Arguments>
cudaError_t start(Order order, dim3 grid, dim3 block, void (*kernel)(Parameters...), Arguments... arguments) {
  set_order_of_new_streams(order);
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  EXPECT_EQ(cudaStreamCreateWithFlags(&config.stream, cudaStreamNonBlocking), cudaSuccess);
  set_order_of_new_streams(Order::kForward);
  const cudaError_t status = cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
  cudaStreamDestroy(config.stream);
  return status;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// ---- Indices.

struct Where {
  uint3 thread, block;
  dim3 block_size, grid_size;
};

__global__ void write_where(Where* out, unsigned* visits) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned i = block * blockDim.x * blockDim.y * blockDim.z + thread;
  out[i] = {threadIdx, blockIdx, blockDim, gridDim};
  atomicAdd(visits + i, 1U);
}

void expect_every_place_once(Order order, dim3 grid, dim3 block) {
  const std::size_t count = std::size_t{grid.x} * grid.y * grid.z * block.x * block.y * block.z;
  DeviceArray<Where> out(count);
  DeviceArray<unsigned> visits(std::vector<unsigned>(count, 0));
  ASSERT_EQ(start(order, grid, block, write_where, out.data(), visits.data()), cudaSuccess);
  EXPECT_EQ(visits.read(), std::vector<unsigned>(count, 1));
  const std::vector<Where> places = out.read();
  std::size_t i = 0;
  for (unsigned bz = 0; bz < grid.z; ++bz) {
    for (unsigned by = 0; by < grid.y; ++by) {
      for (unsigned bx = 0; bx < grid.x; ++bx) {
        for (unsigned z = 0; z < block.z; ++z) {
          for (unsigned y = 0; y < block.y; ++y) {
            for (unsigned x = 0; x < block.x; ++x, ++i) {
              const Where& w = places[i];
              ASSERT_EQ(std::tuple(w.thread.x, w.thread.y, w.thread.z), std::tuple(x, y, z));
              ASSERT_EQ(std::tuple(w.block.x, w.block.y, w.block.z), std::tuple(bx, by, bz));
              ASSERT_EQ(std::tuple(w.block_size.x, w.block_size.y, w.block_size.z), std::tuple(block.x, block.y, block.z));
              ASSERT_EQ(std::tuple(w.grid_size.x, w.grid_size.y, w.grid_size.z), std::tuple(grid.x, grid.y, grid.z));
            }
          }
        }
      }
    }
  }
}

TEST(EmulatorTest, GivesEveryThreadItsIndices) {
  for (Order order : kOrders) {
    expect_every_place_once(order, 1, 1);
    expect_every_place_once(order, 7, 96);
    expect_every_place_once(order, 2, 1024);
    expect_every_place_once(order, dim3(2, 3, 4), dim3(5, 6, 7));
  }
}

__global__ void use_up_parameter(int left, int* out) {
  while (left > 0) {
    --left;
    atomicAdd(out, 1);
  }
}

TEST(EmulatorTest, GivesEveryThreadItsOwnParameters) {
  DeviceArray<int> out(std::vector<int>(1, 0));
  ASSERT_EQ(start(Order::kForward, 2, 10, use_up_parameter, 3, out.data()), cudaSuccess);
  EXPECT_EQ(out.read()[0], 60);
}

// ---- Shared memory and barriers.

constexpr unsigned kTile = 128;

// Each round shifts by one.
template <int kRounds>
__global__ void rotate(const float* in, float* out) {
  __shared__ float tile[kTile];
  const unsigned t = threadIdx.x;
  float value = in[blockIdx.x * kTile + t];
  for (int round = 0; round < kRounds; ++round) {
    tile[t] = value;
    __syncthreads();
    value = tile[(t + 1) % kTile];
    __syncthreads();
  }
  out[blockIdx.x * kTile + t] = value;
}

std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i);
  return values;
}

TEST(EmulatorTest, ExchangesThroughSharedMemoryInEveryOrder) {
  DeviceArray<float> in(numbers(3 * kTile));
  for (Order order : kOrders) {
    DeviceArray<float> out(3 * kTile);
    ASSERT_EQ(start(order, 3, kTile, rotate<5>, in.data(), out.data()), cudaSuccess) << last_fault();
    const std::vector<float> values = out.read();
    for (unsigned i = 0; i < 3 * kTile; ++i) ASSERT_EQ(values[i], static_cast<float>(i / kTile * kTile + (i + 5) % kTile));
  }
}

__device__ float sum_of_block(float value) {
  __shared__ float sums[32];
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(kAll, value, distance);
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = value;
  __syncthreads();
  value = 0;
  for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) value += sums[warp];
  __syncthreads();
  return value;
}

__global__ void normalise(float* values) {
  const float sum = sum_of_block(values[threadIdx.x]);
  const float twice = sum_of_block(2 * values[threadIdx.x]);
  values[threadIdx.x] = sum + twice;
}

TEST(EmulatorTest, MixesShufflesAndBarriers) {
  for (Order order : kOrders) {
    DeviceArray<float> values(numbers(256));
    ASSERT_EQ(start(order, 1, 256, normalise, values.data()), cudaSuccess) << last_fault();
    EXPECT_EQ(values.read(), std::vector<float>(256, 3 * 255 * 128));
  }
}

__global__ void neighbour_without_barrier(const float* in, float* out, unsigned distance) {
  __shared__ float tile[kTile];
  const unsigned t = threadIdx.x;
  tile[t] = in[t];
  out[t] = tile[(t + distance) % kTile];
}

__global__ void rotate_without_second_barrier(const float* in, float* out) {
  __shared__ float tile[kTile];
  const unsigned t = threadIdx.x;
  float value = in[t];
  for (int round = 0; round < 3; ++round) {
    tile[t] = value;
    __syncthreads();
    value = tile[(t + 1) % kTile];
  }
  out[t] = value;
}

// Sums of the block twice: the warp that runs ahead writes its second sum before others have read its first.
__global__ void sum_twice_without_second_barrier(const float* in, float* out) {
  __shared__ float sums[kTile / 32];
  const unsigned t = threadIdx.x;
  float value = in[t];
  for (int round = 0; round < 2; ++round) {
    for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(kAll, value, distance);
    if (t % 32 == 0) sums[t / 32] = value;
    __syncthreads();
    value = 0;
    for (float sum : sums) value += sum;
  }
  out[t] = value;
}

int wrong(const std::vector<float>& values, unsigned distance) {
  int count = 0;
  for (unsigned i = 0; i < kTile; ++i) count += values[i] == static_cast<float>((i + distance) % kTile) ? 0 : 1;
  return count;
}

TEST(EmulatorTest, ShowsAMissingBarrier) {
  DeviceArray<float> in(numbers(kTile));
  for (unsigned distance : {1U, kTile - 1, 40U}) {
    int orders_that_show = 0;
    for (Order order : kOrders) {
      DeviceArray<float> out(kTile);
      ASSERT_EQ(start(order, 1, kTile, neighbour_without_barrier, in.data(), out.data(), distance), cudaSuccess);
      const int count = wrong(out.read(), distance);
      if (count > 0) ++orders_that_show;
      EXPECT_TRUE(count > 0 || order != Order::kRandom);
    }
    EXPECT_GT(orders_that_show, 1) << distance;
  }
  int orders_that_show = 0;
  for (Order order : kOrders) {
    DeviceArray<float> out(kTile);
    ASSERT_EQ(start(order, 1, kTile, rotate_without_second_barrier, in.data(), out.data()), cudaSuccess);
    if (wrong(out.read(), 3) > 0) ++orders_that_show;
  }
  EXPECT_GT(orders_that_show, 0);
  orders_that_show = 0;
  for (Order order : kOrders) {
    DeviceArray<float> out(kTile);
    ASSERT_EQ(start(order, 1, kTile, sum_twice_without_second_barrier, in.data(), out.data()), cudaSuccess);
    if (out.read() != std::vector<float>(kTile, 127 * 64 * 32 * 4)) ++orders_that_show;
  }
  EXPECT_GT(orders_that_show, 0);
}

__shared__ float of_the_file[3];

template <class T>
struct Pair {
  T first, second;
};

template <class T>
__device__ bool all_ones() {
  __shared__ Pair<T> pairs[2][3];
  bool ones = true;
  for (auto& row : pairs) {
    for (Pair<T>& pair : row) {
      const auto* bytes = reinterpret_cast<const unsigned char*>(&pair);
      for (std::size_t i = 0; i < sizeof pair; ++i) ones = ones && bytes[i] == 0xff;
      pair = {};
    }
  }
  return ones;
}

inline __device__ bool all_nan() {
  __shared__ float values[5];
  bool nan = true;
  for (float& value : values) {
    nan = nan && std::isnan(value);
    value = 0;
  }
  for (float& value : of_the_file) {
    nan = nan && std::isnan(value);
    value = 0;
  }
  return nan;
}

__global__ void look_at_shared_memory(int* clean) {
  if (threadIdx.x != 0) return;
  clean[blockIdx.x] = all_ones<float>() && all_ones<double>() && all_ones<short>() && all_nan();
}

TEST(EmulatorTest, FillsSharedMemoryWithNanBeforeEachBlock) {
  for (int launches = 0; launches < 2; ++launches) {
    DeviceArray<int> clean(4);
    ASSERT_EQ(start(Order::kForward, 4, 32, look_at_shared_memory, clean.data()), cudaSuccess);
    EXPECT_EQ(clean.read(), std::vector<int>(4, 1));
  }
}

__global__ void write_order(unsigned* out, unsigned* next) {
  out[atomicAdd(next, 1U)] = threadIdx.x;
  __syncthreads();
  out[atomicAdd(next, 1U)] = threadIdx.x;
}

TEST(EmulatorTest, TakesTurnsInTheOrderOfTheStream) {
  const auto turns = [](Order order) {
    DeviceArray<unsigned> out(4 * 64);
    DeviceArray<unsigned> next(std::vector<unsigned>(1, 0));
    EXPECT_EQ(start(order, 2, 64, write_order, out.data(), next.data()), cudaSuccess);
    const std::vector<unsigned> all = out.read();
    std::vector<std::vector<unsigned>> rounds;
    for (int round = 0; round < 4; ++round) rounds.emplace_back(all.begin() + round * 64, all.begin() + (round + 1) * 64);
    return rounds;
  };
  std::vector<unsigned> rising(64);
  for (unsigned i = 0; i < 64; ++i) rising[i] = i;
  for (const auto& round : turns(Order::kForward)) EXPECT_EQ(round, rising);
  std::set<std::vector<unsigned>> different;
  for (auto round : turns(Order::kRandom)) {
    different.insert(round);
    std::sort(round.begin(), round.end());
    EXPECT_EQ(round, rising);
  }
  EXPECT_EQ(different.size(), 4U);
  std::reverse(rising.begin(), rising.end());
  for (const auto& round : turns(Order::kReverse)) EXPECT_EQ(round, rising);
}

// ---- Warps.

struct Shuffled {
  int from, up, down, flipped;
  double from_8, up_8, down_8;
  float flipped_8;
  unsigned ballot;
  int any, all, none;
};

__global__ void shuffle_all_ways(Shuffled* out) {
  const int t = static_cast<int>(threadIdx.x);
  Shuffled& s = out[t];
  s.from = __shfl_sync(kAll, t, 5);
  s.up = __shfl_up_sync(kAll, t, 3);
  s.down = __shfl_down_sync(kAll, t, 3);
  s.flipped = __shfl_xor_sync(kAll, t, 6);
  s.from_8 = __shfl_sync(kAll, t + 0.25, 13, 8);
  s.up_8 = __shfl_up_sync(kAll, t + 0.25, 3, 8);
  s.down_8 = __shfl_down_sync(kAll, t + 0.25, 3, 8);
  s.flipped_8 = __shfl_xor_sync(kAll, static_cast<float>(t) + 0.5F, 8, 8);
  s.ballot = __ballot_sync(kAll, t % 3 == 0);
  s.any = __any_sync(kAll, t == 33);
  s.all = __all_sync(kAll, t < 32);
  s.none = __any_sync(kAll, t > 100);
  __syncwarp();
}

void expect_shuffles(Order order, int threads) {
  DeviceArray<Shuffled> out(static_cast<std::size_t>(threads));
  ASSERT_EQ(start(order, 1, static_cast<unsigned>(threads), shuffle_all_ways, out.data()), cudaSuccess) << last_fault();
  const std::vector<Shuffled> all = out.read();
  for (int t = 0; t < threads; ++t) {
    const Shuffled& s = all[static_cast<std::size_t>(t)];
    const int lane = t % 32;
    const int warp = t - lane;
    const auto integer = [threads](int source) { return source < threads ? source : -1; };
    EXPECT_EQ(s.from, warp + 5);
    EXPECT_EQ(s.up, lane >= 3 ? t - 3 : t);
    EXPECT_EQ(s.down, integer(lane + 3 < 32 ? t + 3 : t));
    EXPECT_EQ(s.flipped, integer(warp + (lane ^ 6)));
    EXPECT_EQ(s.from_8, t / 8 * 8 + 5 + 0.25);
    EXPECT_EQ(s.up_8, (t % 8 >= 3 ? t - 3 : t) + 0.25);
    EXPECT_EQ(s.down_8, (t % 8 + 3 < 8 ? t + 3 : t) + 0.25);
    EXPECT_EQ(s.flipped_8, static_cast<float>(t / 8 % 2 == 1 ? t - 8 : t) + 0.5F);
    unsigned ballot = 0;
    for (int other = 0; other < 32 && warp + other < threads; ++other)
      if ((warp + other) % 3 == 0) ballot |= 1U << other;
    EXPECT_EQ(s.ballot, ballot);
    EXPECT_EQ(s.any, warp == 32 ? 1 : 0);
    EXPECT_EQ(s.all, warp == 0 ? 1 : 0);
    EXPECT_EQ(s.none, 0);
  }
}

TEST(EmulatorTest, ShufflesAndVotesAsDefined) {
  for (Order order : kOrders)
    for (int threads : {32, 64, 40}) expect_shuffles(order, threads);
}

__global__ void shuffle_beyond_the_block(float* out) { out[threadIdx.x] = __shfl_down_sync(kAll, 1.0F, 4); }

TEST(EmulatorTest, GivesNanFromALaneThatIsNotThere) {
  DeviceArray<float> out(40);
  ASSERT_EQ(start(Order::kForward, 1, 40, shuffle_beyond_the_block, out.data()), cudaSuccess);
  const std::vector<float> values = out.read();
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(std::isnan(values[i]), i >= 36) << i;
}

__global__ void sum_of_halves(int* out) {
  const int t = static_cast<int>(threadIdx.x);
  int sum = t;
  const unsigned mask = t < 16 ? 0x0000ffff : 0xffff0000;
  if (t < 16) {
    for (int distance = 8; distance > 0; distance /= 2) sum += __shfl_xor_sync(mask, sum, distance);
  } else {
    for (int distance = 1; distance < 16; distance *= 2) sum += __shfl_xor_sync(mask, sum, distance);
  }
  out[t] = sum;
}

TEST(EmulatorTest, LetsHalvesOfAWarpGoSeparateWays) {
  for (Order order : kOrders) {
    DeviceArray<int> out(32);
    ASSERT_EQ(start(order, 1, 32, sum_of_halves, out.data()), cudaSuccess) << last_fault();
    const std::vector<int> sums = out.read();
    for (std::size_t i = 0; i < 32; ++i) EXPECT_EQ(sums[i], i < 16 ? 120 : 376);
  }
}

__global__ void count_in_warp(int* out) {
  __shared__ int turns[32];
  const unsigned t = threadIdx.x;
  turns[t] = static_cast<int>(t);
  __syncwarp();
  const int other = turns[31 - t];
  __syncwarp();
  turns[t] = other + 1;
  __syncwarp();
  out[t] = turns[(t + 7) % 32];
}

TEST(EmulatorTest, SynchronisesAWarp) {
  for (Order order : kOrders) {
    DeviceArray<int> out(32);
    ASSERT_EQ(start(order, 1, 32, count_in_warp, out.data()), cudaSuccess) << last_fault();
    const std::vector<int> turns = out.read();
    for (std::size_t i = 0; i < 32; ++i) EXPECT_EQ(turns[i], 32 - static_cast<int>((i + 7) % 32));
  }
}

// ---- Faults.

__global__ void return_before_barrier(unsigned block, unsigned* after) {
  if (blockIdx.x == block && threadIdx.x % 8 == 3) return;
  __syncthreads();
  atomicAdd(after, 1U);
}

TEST(EmulatorTest, ReportsThreadsThatReturnedBeforeABarrier) {
  for (Order order : kOrders) {
    DeviceArray<unsigned> after(std::vector<unsigned>(1, 0));
    ASSERT_EQ(start(order, 4, 16, return_before_barrier, 2U, after.data()), cudaErrorLaunchFailure);
    EXPECT_EQ(after.read()[0], 32U);
    const std::string fault = last_fault();
    EXPECT_TRUE(contains(fault, "block (2, 0, 0) of 4 x 1 x 1, its 16 x 1 x 1 threads")) << fault;
    EXPECT_TRUE(contains(fault, "threads 0-2, 4-10, 12-15 wait in __syncthreads at ")) << fault;
    EXPECT_TRUE(contains(fault, "emulator_test.cc:")) << fault;
    EXPECT_TRUE(contains(fault, "threads 3, 11 returned")) << fault;
    EXPECT_EQ(cudaGetErrorString(cudaErrorLaunchFailure), "unspecified launch failure: " + fault);

    ASSERT_EQ(start(order, 4, 16, return_before_barrier, 4U, after.data()), cudaSuccess);
    EXPECT_EQ(last_fault(), "");
    EXPECT_EQ(after.read()[0], 32U + 64U);
  }
}

__global__ void part_at_barriers() {
  if (threadIdx.y * blockDim.x + threadIdx.x < 5) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

TEST(EmulatorTest, ReportsThreadsAtDifferentBarriers) {
  for (Order order : kOrders) {
    ASSERT_EQ(start(order, 1, dim3(4, 4), part_at_barriers), cudaErrorLaunchFailure);
    const std::string fault = last_fault();
    EXPECT_TRUE(contains(fault, "threads 0-4 wait in __syncthreads at ")) << fault;
    EXPECT_TRUE(contains(fault, "threads 5-15 wait in __syncthreads at ")) << fault;
  }
}

__global__ void return_before_shuffle(float* out) {
  if (threadIdx.x == 9) return;
  out[threadIdx.x] = __shfl_xor_sync(kAll, 1.0F, 1);
}

__global__ void shuffle_or_barrier(unsigned threads) {
  if (threadIdx.x < threads) __shfl_xor_sync(kAll, 1.0F, 1);
  __syncthreads();
}

__global__ void shuffle_or_vote() {
  if (threadIdx.x < 4) {
    __shfl_xor_sync(kAll, 1.0F, 1);
  } else {
    __ballot_sync(kAll, 1);
  }
}

TEST(EmulatorTest, ReportsLanesThatDoNotMeet) {
  for (Order order : kOrders) {
    DeviceArray<float> out(64);
    ASSERT_EQ(start(order, 1, 64, return_before_shuffle, out.data()), cudaErrorLaunchFailure);
    std::string fault = last_fault();
    EXPECT_TRUE(contains(fault, "threads 0-8, 10-31 wait in __shfl_xor_sync (mask 0xffffffff) at ")) << fault;
    EXPECT_TRUE(contains(fault, "threads 9, 32-63 returned")) << fault;

    ASSERT_EQ(start(order, 1, 64, shuffle_or_barrier, 20U), cudaErrorLaunchFailure);
    fault = last_fault();
    EXPECT_TRUE(contains(fault, "threads 0-19 wait in __shfl_xor_sync")) << fault;
    EXPECT_TRUE(contains(fault, "threads 20-63 wait in __syncthreads")) << fault;
    ASSERT_EQ(start(order, 1, 64, shuffle_or_barrier, 32U), cudaSuccess) << last_fault();

    ASSERT_EQ(start(order, 1, 20, shuffle_or_vote), cudaErrorLaunchFailure);
    fault = last_fault();
    EXPECT_TRUE(contains(fault, "threads 0-3 wait in __shfl_xor_sync")) << fault;
    EXPECT_TRUE(contains(fault, "threads 4-19 wait in __ballot_sync")) << fault;
  }
}

__global__ void shuffle_without_itself() { __shfl_xor_sync(0x0000ffff, 1.0F, 1); }

TEST(EmulatorTest, ReportsAMaskThatLeavesOutItsCaller) {
  ASSERT_EQ(start(Order::kReverse, 1, 32, shuffle_without_itself), cudaErrorLaunchFailure);
  const std::string fault = last_fault();
  EXPECT_TRUE(contains(fault, "thread 31 must not wait in __shfl_xor_sync (mask 0x0000ffff) at ")) << fault;
}

__global__ void count_threads(unsigned* count) { atomicAdd(count, 1U); }

TEST(EmulatorTest, ReportsGridsThatCannotBe) {
  DeviceArray<unsigned> count(std::vector<unsigned>(1, 0));
  EXPECT_EQ(start(Order::kForward, 1, 1025, count_threads, count.data()), cudaErrorLaunchFailure);
  EXPECT_TRUE(contains(last_fault(), "1025 x 1 x 1 threads")) << last_fault();
  EXPECT_EQ(start(Order::kForward, 1, dim3(32, 33), count_threads, count.data()), cudaErrorLaunchFailure);
  EXPECT_EQ(start(Order::kForward, 1, dim3(0x10000, 0x10000, 4), count_threads, count.data()), cudaErrorLaunchFailure);
  EXPECT_EQ(start(Order::kForward, 1, dim3(1, 1, 65), count_threads, count.data()), cudaErrorLaunchFailure);
  EXPECT_EQ(start(Order::kForward, 1, 0, count_threads, count.data()), cudaErrorLaunchFailure);
  EXPECT_EQ(start(Order::kForward, dim3(3, 0), 1, count_threads, count.data()), cudaErrorLaunchFailure);
  EXPECT_TRUE(contains(last_fault(), "3 x 0 x 1 blocks")) << last_fault();
  EXPECT_EQ(start(Order::kForward, dim3(1, 65536), 1, count_threads, count.data()), cudaErrorLaunchFailure);
  EXPECT_EQ(count.read()[0], 0U);
  EXPECT_EQ(start(Order::kForward, dim3(1, 65535), 1, count_threads, count.data()), cudaSuccess);
  EXPECT_EQ(count.read()[0], 65535U);
}

#if defined(__SANITIZE_ADDRESS__)
__global__ void write_past_global(float* out, unsigned size) {
  __syncthreads();
  if (threadIdx.x == 7) out[size] = 1;
}

template <class T>
__global__ void write_past_shared(unsigned at, T* out) {
  __shared__ T tile[10];
  // Volatile: UBSan, which would report first, is not to know what it points to.
  T* volatile begin = tile;
  __syncthreads();
  if (threadIdx.x == 7) begin[at] = 1;
  __syncthreads();
  if (threadIdx.x < 10) out[threadIdx.x] = tile[threadIdx.x];
}

TEST(EmulatorDeathTest, LetsAddressSanitizerSeeWritesPastTheEnd) {
  DeviceArray<float> out(32);
  ASSERT_EQ(start(Order::kForward, 1, 32, write_past_global, out.data(), 31U), cudaSuccess);
  EXPECT_DEATH(start(Order::kForward, 1, 32, write_past_global, out.data(), 32U), "heap-buffer-overflow");
  ASSERT_EQ(start(Order::kForward, 1, 32, write_past_shared<float>, 9U, out.data()), cudaSuccess);
  EXPECT_DEATH(start(Order::kForward, 1, 32, write_past_shared<float>, 10U, out.data()), "global-buffer-overflow");
}
#endif

// ---- What device code has that C++ has not.

TEST(EmulatorTest, ComputesAsDeviceCodeDoes) {
  EXPECT_EQ(min(-1, 2), -1);
  EXPECT_EQ(min(-1, 2U), 2U);
  EXPECT_EQ(max(2U, -1), 0xffffffffU);
  EXPECT_EQ(max(1.5F, 2.5), 2.5);
  EXPECT_EQ(max(std::numeric_limits<float>::quiet_NaN(), 1.0F), 1.0F);
  EXPECT_EQ(min(1.0, std::numeric_limits<double>::quiet_NaN()), 1.0);
  EXPECT_EQ(__popc(0xf0f0U), 8);
  EXPECT_EQ(__ffs(0), 0);
  EXPECT_EQ(__ffs(8), 4);
  EXPECT_EQ(__clz(1), 31);
  int integer = std::numeric_limits<int>::max();
  EXPECT_EQ(atomicAdd(&integer, 1), std::numeric_limits<int>::max());
  EXPECT_EQ(integer, std::numeric_limits<int>::min());
  double number = 1.5;
  EXPECT_EQ(atomicAdd(&number, 2.0), 1.5);
  EXPECT_EQ(number, 3.5);
  EXPECT_EQ(__uint_as_float(__float_as_uint(-2.5F)), -2.5F);
}

// ---- The runtime.

TEST(RuntimeTest, FailsTheCallItIsToldTo) {
  fail_call(3);
  const std::int64_t before = calls();
  cudaStream_t stream = nullptr;
  float* memory = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  ASSERT_EQ(cudaMalloc(&memory, 64), cudaSuccess);
  float* other = nullptr;
  EXPECT_EQ(cudaMalloc(&other, 64), cudaErrorMemoryAllocation);
  EXPECT_EQ(other, nullptr);
  EXPECT_EQ(cudaPeekAtLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_EQ(calls(), before + 3);

  const float one = 1;
  fail_call(1);
  EXPECT_EQ(cudaMemcpyAsync(memory, &one, sizeof one, cudaMemcpyHostToDevice, stream), cudaErrorInvalidValue);
  float back = 0;
  EXPECT_EQ(cudaMemcpyAsync(&back, memory, sizeof back, cudaMemcpyDeviceToHost, stream), cudaSuccess);
  EXPECT_TRUE(std::isnan(back));

  cudaLaunchConfig_t config{};
  config.stream = stream;
  void (*const kernel)(unsigned*) = count_threads;
  DeviceArray<unsigned> count(std::vector<unsigned>(1, 0));
  fail_call(1);
  EXPECT_EQ(cudaLaunchKernelEx(&config, kernel, count.data()), cudaErrorLaunchFailure);
  EXPECT_EQ(last_fault(), "");
  EXPECT_STREQ(cudaGetErrorString(cudaErrorLaunchFailure), "unspecified launch failure");
  EXPECT_EQ(cudaLaunchKernelEx(&config, kernel, count.data()), cudaSuccess);
  EXPECT_EQ(count.read()[0], 1U);

  fail_call(1);
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorInvalidValue);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  fail_call(1);
  fail_call(0);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

TEST(RuntimeTest, CountsWhatIsLive) {
  const std::int64_t allocations = live_allocations();
  const std::size_t bytes = live_bytes();
  const std::int64_t streams = live_streams();
  const std::int64_t events = live_events();
  std::size_t available = 0;
  std::size_t total = 0;
  ASSERT_EQ(cudaMemGetInfo(&available, &total), cudaSuccess);
  void* device = nullptr;
  void* host = nullptr;
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaMalloc(&device, 1000), cudaSuccess);
  ASSERT_EQ(cudaMallocHost(&host, 10), cudaSuccess);
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(device) % 256, 0U);
  EXPECT_EQ(live_allocations(), allocations + 2);
  EXPECT_EQ(live_bytes(), bytes + 1010);
  EXPECT_EQ(live_streams(), streams + 1);
  EXPECT_EQ(live_events(), events + 1);
  std::size_t less = 0;
  ASSERT_EQ(cudaMemGetInfo(&less, &total), cudaSuccess);
  EXPECT_EQ(less, available - 1000);
  void* too_much = nullptr;
  EXPECT_EQ(cudaMalloc(&too_much, less + 1), cudaErrorMemoryAllocation);
  const std::size_t all = total;
  for (const std::size_t memory : {all - available + 1500, all - available + 500}) {
    set_device_memory(memory);
    ASSERT_EQ(cudaMemGetInfo(&less, &total), cudaSuccess);
    EXPECT_EQ(total, memory);
    // None where less than is taken is left.
    EXPECT_EQ(less, memory == all - available + 1500 ? 500U : 0U);
    EXPECT_EQ(cudaMalloc(&too_much, less + 1), cudaErrorMemoryAllocation);
  }
  set_device_memory(all);
  EXPECT_EQ(cudaFree(host), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFreeHost(host), cudaSuccess);
  EXPECT_EQ(cudaFree(device), cudaSuccess);
  EXPECT_EQ(cudaFree(device), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(nullptr), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
  EXPECT_EQ(live_allocations(), allocations);
  EXPECT_EQ(live_bytes(), bytes);
  EXPECT_EQ(live_streams(), streams);
  EXPECT_EQ(live_events(), events);
  cudaGetLastError();
}

TEST(RuntimeTest, TellsDeviceMemoryFromHostMemory) {
  DeviceArray<float> a(std::vector<float>{1, 2, 3, 4});
  DeviceArray<float> b(4);
  float host[8] = {};
  EXPECT_EQ(cudaMemcpy(b.data(), a.data(), 16, cudaMemcpyDeviceToDevice), cudaSuccess);
  EXPECT_EQ(b.read(), a.read());
  EXPECT_EQ(cudaMemcpy(host, a.data(), 16, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(host, a.data(), 16, cudaMemcpyHostToHost), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(host, a.data(), 20, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(host, a.data() + 1, 16, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(host, a.data() + 1, 12, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(host[2], 4);
  EXPECT_EQ(cudaMemset(host, 0, 4), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(a.data(), 0, 17), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(a.data(), 0, 8), cudaSuccess);
  EXPECT_EQ(a.read(), (std::vector<float>{0, 0, 3, 4}));
  EXPECT_EQ(cudaMemcpy(nullptr, nullptr, 0, cudaMemcpyDeviceToHost), cudaSuccess);
  cudaGetLastError();
}

TEST(RuntimeTest, DescribesItsDeviceOrHasNone) {
  int count = 0;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_EQ(count, 1);
  EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_EQ(cudaSetDevice(1), cudaErrorInvalidDevice);
  cudaDeviceProp properties;
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_GT(properties.multiProcessorCount, 0);
  set_devices(0);
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorNoDevice);
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, 1), cudaErrorNoDevice);
  EXPECT_EQ(cudaDriverGetVersion(&count), cudaSuccess);
  set_devices(1);
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_STREQ(cudaGetErrorName(cudaErrorNoDevice), "cudaErrorNoDevice");
  EXPECT_STREQ(cudaGetErrorString(cudaErrorNoDevice), "no CUDA-capable device is detected");
  cudaGetLastError();
}

// ---- Capture.

// Doubles the numbers and adds `more`.
__global__ void double_and_add(float* values, float more) { values[threadIdx.x] = 2 * values[threadIdx.x] + more; }

class CaptureTest : public testing::Test {
 protected:
  CaptureTest() { EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess); }
  ~CaptureTest() override {
    fail_call(0);
    cudaStreamDestroy(stream_);
    cudaGetLastError();
    EXPECT_EQ(live_graphs(), 0);
  }

  void begin() { ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess); }
  cudaError_t start(void (*kernel)(float*, float), float* values, float more) {
    cudaLaunchConfig_t config{};
    config.blockDim = 4;
    config.stream = stream_;
    return cudaLaunchKernelEx(&config, kernel, values, more);
  }
  // Ends a capture that must have been invalidated; the stream takes work again.
  void expect_invalidated() {
    cudaGraph_t graph = reinterpret_cast<cudaGraph_t>(this);
    EXPECT_EQ(start(double_and_add, values_.data(), 1), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(graph, nullptr);
    EXPECT_EQ(values_.read(), (std::vector<float>{1, 2, 3, 4}));
    EXPECT_EQ(cudaMemsetAsync(values_.data(), 0, 16, stream_), cudaSuccess);
    EXPECT_EQ(values_.read(), (std::vector<float>{0, 0, 0, 0}));
    EXPECT_EQ(cudaMemcpy(values_.data(), std::vector<float>{1, 2, 3, 4}.data(), 16, cudaMemcpyHostToDevice), cudaSuccess);
  }

  cudaStream_t stream_ = nullptr;
  DeviceArray<float> values_{std::vector<float>{1, 2, 3, 4}};
};

TEST_F(CaptureTest, RunsNothingUntilTheGraphIsLaunched) {
  DeviceArray<float> copies(4);
  DeviceArray<float> cleared(std::vector<float>{5, 6});
  int calls_of_library = 0;
  const std::int64_t submitted = submissions();
  begin();
  {
    // Arguments are copied.
    float more = 1;
    EXPECT_EQ(start(double_and_add, values_.data(), more), cudaSuccess);
    more = 10;
    EXPECT_EQ(start(double_and_add, values_.data(), more), cudaSuccess);
  }
  EXPECT_EQ(cudaMemcpyAsync(copies.data(), values_.data(), 16, cudaMemcpyDeviceToDevice, stream_), cudaSuccess);
  EXPECT_EQ(cudaMemsetAsync(cleared.data(), 0, 4, stream_), cudaSuccess);
  EXPECT_EQ(enqueue(stream_, [&calls_of_library] { ++calls_of_library; }), cudaSuccess);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
  EXPECT_EQ(live_graphs(), 1);
  EXPECT_EQ(submissions(), submitted);
  EXPECT_EQ(calls_of_library, 0);
  EXPECT_EQ(values_.read(), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_TRUE(std::isnan(copies.read()[0]));
  EXPECT_EQ(cleared.read(), (std::vector<float>{5, 6}));

  cudaGraphExec_t executable = nullptr;
  ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
  EXPECT_EQ(live_graphs(), 2);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaErrorInvalidValue);
  const std::int64_t before = submissions();
  const std::int64_t launches = graph_launches();
  EXPECT_EQ(cudaGraphLaunch(executable, stream_), cudaSuccess);
  EXPECT_EQ(submissions(), before + 1);
  EXPECT_EQ(graph_launches(), launches + 1);
  EXPECT_EQ(values_.read(), (std::vector<float>{16, 20, 24, 28}));
  EXPECT_EQ(copies.read(), values_.read());
  EXPECT_EQ(cleared.read(), (std::vector<float>{0, 6}));
  EXPECT_EQ(cudaGraphLaunch(executable, stream_), cudaSuccess);
  EXPECT_EQ(values_.read(), (std::vector<float>{76, 92, 108, 124}));
  EXPECT_EQ(copies.read(), values_.read());
  EXPECT_EQ(calls_of_library, 2);
  EXPECT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
  EXPECT_EQ(cudaGraphExecDestroy(executable), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGraphLaunch(executable, stream_), cudaErrorInvalidValue);
  EXPECT_EQ(live_graphs(), 0);
}

TEST_F(CaptureTest, RefusesWhatAGraphCannotHold) {
  float host[4] = {};
  void* pinned = nullptr;
  void* device = nullptr;
  ASSERT_EQ(cudaMallocHost(&pinned, 16), cudaSuccess);
  ASSERT_EQ(cudaMalloc(&device, 16), cudaSuccess);
  void* memory = nullptr;
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
  const std::vector<std::function<cudaError_t()>> calls = {
      [&] { return cudaStreamSynchronize(stream_); },
      [&] { return cudaDeviceSynchronize(); },
      [&] { return cudaMalloc(&memory, 16); },
      [&] { return cudaMallocHost(&memory, 16); },
      [&] { return cudaFree(device); },
      [&] { return cudaFreeHost(pinned); },
      [&] { return cudaMemcpy(host, values_.data(), 16, cudaMemcpyDeviceToHost); },
      [&] { return cudaMemset(values_.data(), 0, 16); },
      [&] { return cudaMemcpyAsync(host, values_.data(), 16, cudaMemcpyDeviceToHost, stream_); },
      [&] { return cudaMemcpyAsync(values_.data(), host, 16, cudaMemcpyHostToDevice, stream_); },
      [&] { return cudaEventRecord(event, stream_); },
  };
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, "call " + std::to_string(i));
    const std::int64_t waited = waits();
    const std::int64_t allocations = live_allocations();
    begin();
    EXPECT_EQ(start(double_and_add, values_.data(), 1), cudaSuccess);
    EXPECT_EQ(calls[i](), cudaErrorStreamCaptureUnsupported);
    EXPECT_EQ(waits(), waited);
    EXPECT_EQ(live_allocations(), allocations);
    expect_invalidated();
  }
  // Other threads and other streams go on as they like; so do copies of pinned memory.
  begin();
  EXPECT_EQ(cudaMemcpyAsync(pinned, values_.data(), 16, cudaMemcpyDeviceToHost, stream_), cudaSuccess);
  std::thread([&] {
    EXPECT_EQ(cudaFree(device), cudaSuccess);
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaErrorStreamCaptureWrongThread);
  }).join();
  EXPECT_EQ(cudaMemsetAsync(values_.data(), 0, 4, nullptr), cudaSuccess);
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
  cudaGraphExec_t executable = nullptr;
  EXPECT_EQ(cudaGraphInstantiate(&executable, graph), cudaSuccess);
  EXPECT_EQ(cudaGraphLaunch(executable, stream_), cudaSuccess);
  EXPECT_EQ(static_cast<const float*>(pinned)[0], 0);
  EXPECT_EQ(static_cast<const float*>(pinned)[3], 4);
  cudaGraphDestroy(graph);
  cudaGraphExecDestroy(executable);
  EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
  cudaEventDestroy(event);
}

TEST_F(CaptureTest, RefusesTheNullStreamBesideABlockingOne) {
  cudaStream_t blocking = nullptr;
  ASSERT_EQ(cudaStreamCreate(&blocking), cudaSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(blocking, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_EQ(cudaMemsetAsync(values_.data(), 0, 16, nullptr), cudaErrorStreamCaptureImplicit);
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(blocking, &graph), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(cudaMemsetAsync(values_.data(), 0, 16, nullptr), cudaSuccess);
  // A stream may go while it captures.
  ASSERT_EQ(cudaStreamBeginCapture(blocking, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(blocking), cudaSuccess);
}

TEST_F(CaptureTest, BeginsAndEndsInOrder) {
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeThreadLocal), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal), cudaErrorInvalidValue);
  EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaErrorIllegalState);
  begin();
  EXPECT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaErrorIllegalState);
  EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
  cudaGraphExec_t executable = nullptr;
  EXPECT_EQ(cudaGraphInstantiate(&executable, nullptr), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGraphInstantiate(nullptr, graph), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_STREQ(cudaGetErrorName(cudaErrorStreamCaptureUnsupported), "cudaErrorStreamCaptureUnsupported");
}

__global__ void wait_for_some(float*, float) {
  if (threadIdx.x == 0) __syncthreads();
}

TEST_F(CaptureTest, FailsWhereItIsToldToOrAKernelDoes) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  fail_call(1);
  EXPECT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaErrorInvalidValue);
  begin();
  fail_call(1);
  EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaErrorInvalidValue);
  EXPECT_EQ(graph, nullptr);
  // It has ended all the same.
  begin();
  fail_call(1);
  EXPECT_EQ(start(double_and_add, values_.data(), 1), cudaErrorLaunchFailure);
  EXPECT_EQ(start(wait_for_some, values_.data(), 0), cudaSuccess);
  EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
  fail_call(1);
  EXPECT_EQ(cudaGraphInstantiate(&executable, graph), cudaErrorInvalidValue);
  EXPECT_EQ(executable, nullptr);
  EXPECT_EQ(cudaGraphInstantiate(&executable, graph), cudaSuccess);
  fail_call(1);
  EXPECT_EQ(cudaGraphLaunch(executable, stream_), cudaErrorLaunchFailure);
  EXPECT_EQ(last_fault(), "");
  EXPECT_EQ(cudaGraphLaunch(executable, stream_), cudaErrorLaunchFailure);
  EXPECT_TRUE(contains(last_fault(), "__syncthreads")) << last_fault();
  cudaGraphDestroy(graph);
  cudaGraphExecDestroy(executable);
}

TEST(RuntimeTest, CountsWaits) {
  DeviceArray<float> values(std::vector<float>{1});
  const std::int64_t before = waits();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
  values.read();
  float host = 0;
  EXPECT_EQ(cudaMemcpyAsync(&host, values.data(), sizeof host, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(waits(), before + 3);
}

TEST(RuntimeTest, TimesEvents) {
  cudaEvent_t from = nullptr;
  cudaEvent_t to = nullptr;
  float milliseconds = -1;
  ASSERT_EQ(cudaEventCreate(&from), cudaSuccess);
  ASSERT_EQ(cudaEventCreateWithFlags(&to, cudaEventDefault), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, from, to), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecord(from), cudaSuccess);
  EXPECT_EQ(enqueue(
                nullptr, [] {}, std::chrono::microseconds(250)),
            cudaSuccess);
  EXPECT_EQ(enqueue(nullptr, [] {}), cudaSuccess);
  EXPECT_EQ(cudaEventRecord(to), cudaSuccess);
  EXPECT_EQ(cudaEventSynchronize(to), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, from, to), cudaSuccess);
  EXPECT_FLOAT_EQ(milliseconds, 0.251f);
  cudaEventDestroy(from);
  cudaEventDestroy(to);
  cudaGetLastError();
}

}  // namespace
}  // namespace impasto::emulation
