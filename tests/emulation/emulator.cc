#include "tests/emulation/emulator.h"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__) && !defined(IMPASTO_EMULATION_UCONTEXT)
#define IMPASTO_EMULATION_UCONTEXT
#endif
#if defined(IMPASTO_EMULATION_UCONTEXT)
#include <ucontext.h>
#else
// void impasto_emulation_switch(void** save, void* load): keeps what a call must preserve on this stack, then goes on where the stack at
// `load` was left. Some 2 ns, where swapcontext takes two system calls.
asm(R"(
.text
.globl impasto_emulation_switch
.hidden impasto_emulation_switch
.type impasto_emulation_switch, @function
impasto_emulation_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size impasto_emulation_switch, .-impasto_emulation_switch
)");
extern "C" void impasto_emulation_switch(void** save, void* load);
#endif

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace impasto::emulation {
namespace {

constexpr unsigned kMostThreads = 1024;
constexpr unsigned kWarp = 32;
// Instead of the lane to read from: read every lane's vote.
constexpr unsigned kVotes = kWarp;

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kStack = std::size_t{256} << 10;
#else
constexpr std::size_t kStack = std::size_t{64} << 10;
#endif

// Something that runs and can be left and gone back to: the host thread's own stack, or a fiber's.
struct Side {
#if defined(IMPASTO_EMULATION_UCONTEXT)
  ucontext_t state{};
#else
  void* stack_pointer = nullptr;
#endif
  // What AddressSanitizer wants to know; of the host's stack it tells us.
  const void* bottom = nullptr;
  std::size_t size = 0;
  void* fake_stack = nullptr;
};

Side* left_side = nullptr;
Side* entered_side = nullptr;

// To be called first wherever a side goes on.
void arrive() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(entered_side->fake_stack, &left_side->bottom, &left_side->size);
#endif
}

void change(Side& from, Side& to) {
  left_side = &from;
  entered_side = &to;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&from.fake_stack, to.bottom, to.size);
#endif
#if defined(IMPASTO_EMULATION_UCONTEXT)
  swapcontext(&from.state, &to.state);
#else
  impasto_emulation_switch(&from.stack_pointer, to.stack_pointer);
#endif
  arrive();
}

class Fiber {
 public:
  // number: of the fiber, for where on its first page the stack begins: the busy ends of stacks would otherwise share few lines of the
  // cache.
  Fiber(void (*entry)(), std::size_t number) : entry_(entry) {
    const std::size_t page = page_size();
    void* memory = mmap(nullptr, page + kStack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<unsigned char*>(memory);
    side.bottom = memory_ + page;
    side.size = kStack;
    if (mprotect(memory_ + page, kStack, PROT_READ | PROT_WRITE) != 0) {
      munmap(memory_, page + kStack);
      throw std::bad_alloc();
    }
    used_ = kStack - number * 5 % 64 * 64;
    reset();
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() { munmap(memory_, page_size() + kStack); }

  // Forgets what has been running: the next change to it calls entry anew.
  void reset() {
    unsigned char* const bottom = memory_ + page_size();
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(bottom, kStack);
#endif
#if defined(IMPASTO_EMULATION_UCONTEXT)
    getcontext(&side.state);
    side.state.uc_stack.ss_sp = bottom;
    side.state.uc_stack.ss_size = used_;
    side.state.uc_link = nullptr;
    makecontext(&side.state, entry_, 0);
#else
    // As impasto_emulation_switch leaves it: six registers, where to return to; above that, as if entry had been called from nowhere.
    void** top = reinterpret_cast<void**>(bottom + used_);
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(entry_);
    for (int i = 0; i < 6; ++i) *--top = nullptr;
    side.stack_pointer = top;
#endif
  }

  Side side;

 private:
  static std::size_t page_size() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

  void (*entry_)();
  unsigned char* memory_;
  std::size_t used_;
};

// The __shared__ variables of the program and the libraries loaded with it: their sections named .noinit, or .noinit.<variable> for
// templates and -fdata-sections, are the only ones of that name. Section headers are not mapped, so they are read from the files.
std::vector<std::span<unsigned char>> find_shared_memory() {
  std::vector<std::span<unsigned char>> found;
  const auto search = [](dl_phdr_info* module, std::size_t, void* context) {
    std::ifstream file(module->dlpi_name[0] != 0 ? module->dlpi_name : "/proc/self/exe", std::ios::binary);
    const auto read = [&file](std::uint64_t at, void* to, std::size_t bytes) {
      return static_cast<bool>(
          file.seekg(static_cast<std::streamoff>(at)).read(static_cast<char*>(to), static_cast<std::streamsize>(bytes)));
    };
    ElfW(Ehdr) header;
    if (!file || !read(0, &header, sizeof header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_shnum == 0) return 0;
    std::vector<ElfW(Shdr)> sections(header.e_shnum);
    if (!read(header.e_shoff, sections.data(), sections.size() * sizeof sections[0]) || header.e_shstrndx >= sections.size()) return 0;
    std::vector<char> names(sections[header.e_shstrndx].sh_size + 1);
    if (!read(sections[header.e_shstrndx].sh_offset, names.data(), names.size() - 1)) return 0;
    for (const ElfW(Shdr) & section : sections) {
      if (section.sh_name >= names.size() || (section.sh_flags & SHF_ALLOC) == 0) continue;
      if (!std::string_view(&names[section.sh_name]).starts_with(".noinit")) continue;
      auto* const begin = reinterpret_cast<unsigned char*>(module->dlpi_addr + section.sh_addr);
      static_cast<std::vector<std::span<unsigned char>>*>(context)->emplace_back(begin, section.sh_size);
    }
    return 0;
  };
  dl_iterate_phdr(search, &found);
  return found;
}

#if defined(__SANITIZE_ADDRESS__)
// Between the variables lies what AddressSanitizer reserves; volatile: a loop that became memset would be checked.
__attribute__((no_sanitize("address"))) void poison(std::span<unsigned char> memory) {
  volatile unsigned char* const bytes = memory.data();
  for (std::size_t i = 0; i < memory.size(); ++i) bytes[i] = 0xff;
}
#else
void poison(std::span<unsigned char> memory) { std::memset(memory.data(), 0xff, memory.size()); }
#endif

void poison_shared_memory() {
  static const std::vector<std::span<unsigned char>> shared_memory = find_shared_memory();
  for (const std::span<unsigned char> memory : shared_memory) poison(memory);
}

bool same(const char* a, const char* b) { return a == b || std::strcmp(a, b) == 0; }
bool same(Place a, Place b) { return a.line == b.line && same(a.file, b.file); }

std::string dimensions(unsigned x, unsigned y, unsigned z) {
  return std::to_string(x) + " x " + std::to_string(y) + " x " + std::to_string(z);
}

struct Thread {
  enum class State : std::uint8_t { kReady, kAtBarrier, kInWarp, kReturned };

  uint3 index;
  State state;
  // nullptr until it begins.
  Fiber* fiber;
  // While it waits.
  Place place;
  const char* operation;
  unsigned mask;
  unsigned source;
  std::uint64_t value;
  // Of the warp operation.
  std::uint64_t result;
};

struct Warp {
  unsigned present;
  unsigned waiting;
};

std::string wait_in_words(const Thread& thread) {
  switch (thread.state) {
    case Thread::State::kReady:
      return "could go on";
    case Thread::State::kReturned:
      return "returned";
    case Thread::State::kAtBarrier:
    case Thread::State::kInWarp:
      break;
  }
  std::string words = std::string("wait in ") + thread.operation;
  if (thread.state == Thread::State::kInWarp) {
    constexpr char kDigits[] = "0123456789abcdef";
    words += " (mask 0x";
    for (int shift = 28; shift >= 0; shift -= 4) words += kDigits[thread.mask >> shift & 15];
    words += ")";
  }
  return words + " at " + thread.place.file + ":" + std::to_string(thread.place.line);
}

// One block at a time. A fiber that waits hands over to the next thread itself: to its fiber, or to a free one if it has yet to begin; a
// fiber whose thread has returned goes on with the next that has yet to begin. Only when nobody can go on, the host's side does.
class Machine {
 public:
  std::string run(dim3 grid, dim3 block, Order order, void (*thread)(const void* context), const void* context);

  void meet_block(Place place);
  std::uint64_t meet_warp(unsigned mask, std::uint64_t value, unsigned source, const char* operation, Place place);
  unsigned lane() const { return number(*current_) % kWarp; }
  unsigned present_lanes(unsigned mask) const { return mask & warps_[number(*current_) / kWarp].present; }

 private:
  static void enter() noexcept;

  unsigned number(const Thread& thread) const { return static_cast<unsigned>(&thread - threads_.data()); }
  void run_block();
  void run_threads();
  // Hands over from `from` to the thread, which waits on its fiber or has yet to begin; nullptr: to the host.
  void go_on(Side& from, Thread* next);
  // Lets others go on until the current thread is ready and has its turn.
  void wait();
  // The current thread, which is about to wait in a warp operation, must not. Does not return: its frames, and what they own, are dropped.
  void refuse();
  std::string describe_refusal() const;
  std::string describe_standstill() const;
  std::string describe_block() const;

  Fiber* take_fiber();
  unsigned random(unsigned below);
  // ahead: before those that are ready already.
  void make_ready(Thread& thread, bool ahead = false);
  void make_all_ready();
  Thread* next_ready();
  bool agree(const Warp& warp, unsigned lanes) const;

  Side host_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> free_fibers_;

  Order order_ = Order::kForward;
  std::uint32_t random_ = 1;
  void (*thread_)(const void* context) = nullptr;
  const void* context_ = nullptr;

  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  // In the order of the latest round.
  std::vector<Thread*> round_;
  // A ring.
  std::vector<Thread*> ready_;
  std::size_t first_ready_ = 0;
  std::size_t ready_count_ = 0;

  Thread* current_ = nullptr;
  std::size_t returned_ = 0;
  std::size_t at_barrier_ = 0;
  Place barrier_{};
  bool one_barrier_ = true;
  std::string fault_;
};

// Lives as long as the program: fibers that nobody runs hold stacks only.
Machine& machine() {
  static Machine* const machine = new Machine;
  return *machine;
}

std::string Machine::run(dim3 grid, dim3 block, Order order, void (*thread)(const void* context), const void* context) {
  const std::uint64_t size = std::uint64_t{block.x} * block.y * block.z;
  if (block.x == 0 || block.y == 0 || block.z == 0 || block.x > kMostThreads || block.y > kMostThreads || block.z > 64 ||
      size > kMostThreads)
    return "a block of " + dimensions(block.x, block.y, block.z) + " threads: from 1 to 1024 can be, 64 at most along z";
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7fffffff || grid.y > 0xffff || grid.z > 0xffff)
    return "a grid of " + dimensions(grid.x, grid.y, grid.z) + " blocks: each from 1 to 2147483647 along x, to 65535 along y and z can be";
  order_ = order;
  thread_ = thread;
  context_ = context;
  threads_.assign(size, Thread{});
  round_.clear();
  for (Thread& each : threads_) {
    const unsigned i = number(each);
    each.index = {i % block.x, i / block.x % block.y, i / block.x / block.y};
    round_.push_back(&each);
  }
  ready_.assign(size, nullptr);
  warps_.assign((size + kWarp - 1) / kWarp, Warp{0xffffffff, 0});
  if (size % kWarp != 0) warps_.back().present = (1U << size % kWarp) - 1;
  gridDim = grid;
  blockDim = block;
  fault_.clear();
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        blockIdx = {x, y, z};
        run_block();
        if (!fault_.empty()) return std::exchange(fault_, {});
      }
    }
  }
  return {};
}

void Machine::run_block() {
  poison_shared_memory();
  for (Thread& thread : threads_) thread.fiber = nullptr;
  for (Warp& warp : warps_) warp.waiting = 0;
  returned_ = 0;
  at_barrier_ = 0;
  first_ready_ = 0;
  ready_count_ = 0;
  make_all_ready();
  go_on(host_, next_ready());
  if (fault_.empty() && returned_ == threads_.size()) return;
  if (fault_.empty()) fault_ = describe_standstill();
  for (const Thread& thread : threads_) {
    if (thread.fiber == nullptr || thread.state == Thread::State::kReturned) continue;
    thread.fiber->reset();
    free_fibers_.push_back(thread.fiber);
  }
}

void Machine::enter() noexcept {
  arrive();
  machine().run_threads();
}

void Machine::run_threads() {
  for (;;) {
    thread_(context_);
    Fiber* const fiber = current_->fiber;
    current_->state = Thread::State::kReturned;
    ++returned_;
    Thread* const next = next_ready();
    if (next != nullptr && next->fiber == nullptr) {
      next->fiber = fiber;
      current_ = next;
      threadIdx = next->index;
    } else {
      free_fibers_.push_back(fiber);
      go_on(fiber->side, next);
    }
  }
}

void Machine::go_on(Side& from, Thread* next) {
  current_ = next;
  if (next == nullptr) {
    change(from, host_);
    return;
  }
  if (next->fiber == nullptr) next->fiber = take_fiber();
  threadIdx = next->index;
  change(from, next->fiber->side);
}

void Machine::wait() {
  Thread* const self = current_;
  Thread* const next = next_ready();
  if (next != self) go_on(self->fiber->side, next);
}

void Machine::refuse() {
  fault_ = describe_refusal();
  go_on(current_->fiber->side, nullptr);
}

std::string Machine::describe_refusal() const {
  return describe_block() + ": thread " + std::to_string(number(*current_)) + " must not " + wait_in_words(*current_) +
         ", which leaves it out";
}

std::string Machine::describe_block() const {
  return "block (" + std::to_string(blockIdx.x) + ", " + std::to_string(blockIdx.y) + ", " + std::to_string(blockIdx.z) + ") of " +
         dimensions(gridDim.x, gridDim.y, gridDim.z) + ", its " + dimensions(blockDim.x, blockDim.y, blockDim.z) +
         " threads numbered from 0, x first";
}

std::string Machine::describe_standstill() const {
  constexpr int kMostRuns = 8;
  std::vector<std::pair<std::string, std::vector<unsigned>>> groups;
  for (const Thread& thread : threads_) {
    std::string words = wait_in_words(thread);
    auto group = groups.begin();
    while (group != groups.end() && group->first != words) ++group;
    if (group == groups.end()) group = groups.insert(group, {std::move(words), {}});
    group->second.push_back(number(thread));
  }
  std::string text = describe_block() + ", stands still:";
  for (const auto& [words, members] : groups) {
    text += &words == &groups.front().first ? " threads " : "; threads ";
    int runs = 0;
    for (std::size_t i = 0; i < members.size(); ++i, ++runs) {
      if (runs == kMostRuns) {
        text += ", ... (" + std::to_string(members.size()) + " in all)";
        break;
      }
      const std::size_t first = i;
      while (i + 1 < members.size() && members[i + 1] == members[i] + 1) ++i;
      if (runs > 0) text += ", ";
      text += std::to_string(members[first]);
      if (i > first) text.append("-").append(std::to_string(members[i]));
    }
    text += " " + words;
  }
  return text;
}

Fiber* Machine::take_fiber() {
  if (free_fibers_.empty()) {
    fibers_.push_back(std::make_unique<Fiber>(&Machine::enter, fibers_.size()));
    return fibers_.back().get();
  }
  Fiber* const fiber = free_fibers_.back();
  free_fibers_.pop_back();
  return fiber;
}

unsigned Machine::random(unsigned below) {
  random_ = random_ * 1664525 + 1013904223;
  return static_cast<unsigned>(std::uint64_t{random_} * below >> 32);
}

void Machine::make_ready(Thread& thread, bool ahead) {
  thread.state = Thread::State::kReady;
  if (ahead) {
    first_ready_ = (first_ready_ == 0 ? ready_.size() : first_ready_) - 1;
    ready_[first_ready_] = &thread;
    ++ready_count_;
    return;
  }
  std::size_t last = first_ready_ + ready_count_++;
  if (last >= ready_.size()) last -= ready_.size();
  ready_[last] = &thread;
}

void Machine::make_all_ready() {
  const std::size_t count = threads_.size();
  if (order_ == Order::kRandom) {
    for (std::size_t i = count - 1; i > 0; --i) std::swap(round_[i], round_[random(static_cast<unsigned>(i + 1))]);
  }
  for (std::size_t i = 0; i < count; ++i) make_ready(*round_[order_ == Order::kReverse ? count - 1 - i : i]);
}

Thread* Machine::next_ready() {
  if (ready_count_ == 0) return nullptr;
  Thread* const next = ready_[first_ready_];
  if (++first_ready_ == ready_.size()) first_ready_ = 0;
  --ready_count_;
  return next;
}

void Machine::meet_block(Place place) {
  Thread& self = *current_;
  self.state = Thread::State::kAtBarrier;
  self.operation = "__syncthreads";
  self.place = place;
  if (at_barrier_++ == 0) {
    barrier_ = place;
    one_barrier_ = true;
  } else if (!same(place, barrier_)) {
    one_barrier_ = false;
  }
  if (at_barrier_ == threads_.size() && one_barrier_) {
    at_barrier_ = 0;
    make_all_ready();
  }
  wait();
}

bool Machine::agree(const Warp& warp, unsigned lanes) const {
  const Thread* const first = &threads_[static_cast<std::size_t>(&warp - warps_.data()) * kWarp];
  for (unsigned lane = 0; lane < kWarp; ++lane) {
    if ((lanes >> lane & 1) == 0) continue;
    const Thread& other = first[lane];
    if (other.mask != current_->mask || !same(other.operation, current_->operation) || !same(other.place, current_->place)) return false;
  }
  return true;
}

std::uint64_t Machine::meet_warp(unsigned mask, std::uint64_t value, unsigned source, const char* operation, Place place) {
  Thread& self = *current_;
  const unsigned own = lane();
  Warp& warp = warps_[number(self) / kWarp];
  self.operation = operation;
  self.place = place;
  self.mask = mask;
  self.source = source;
  self.value = value;
  self.state = Thread::State::kInWarp;
  if ((mask >> own & 1) == 0) refuse();
  warp.waiting |= 1U << own;
  const unsigned lanes = mask & warp.present;
  if ((warp.waiting & lanes) == lanes && agree(warp, lanes)) {
    warp.waiting &= ~lanes;
    Thread* const first = &self - own;
    std::uint64_t votes = 0;
    for (unsigned lane = 0; lane < kWarp; ++lane)
      if ((lanes >> lane & 1) != 0 && first[lane].value != 0) votes |= std::uint64_t{1} << lane;
    // i * odd + any runs through all lanes.
    const bool random = order_ == Order::kRandom;
    // The last that gets ahead is the first to go on.
    const bool ahead = order_ == Order::kReverse || (random && this->random(2) != 0);
    const unsigned step = random ? this->random(kWarp) | 1 : 1;
    const unsigned start = random ? this->random(kWarp) : 0;
    for (unsigned i = 0; i < kWarp; ++i) {
      const unsigned lane = (i * step + start) % kWarp;
      if ((lanes >> lane & 1) == 0) continue;
      Thread& thread = first[lane];
      if (thread.source == kVotes) {
        thread.result = votes;
      } else {
        thread.result = (lanes >> thread.source & 1) != 0 ? first[thread.source].value : ~std::uint64_t{0};
      }
      make_ready(thread, ahead);
    }
  }
  wait();
  return self.result;
}

}  // namespace

std::string run(dim3 grid, dim3 block, Order order, void (*thread)(const void* context), const void* context) {
  return machine().run(grid, block, order, thread, context);
}

void meet_block(Place place) { machine().meet_block(place); }

std::uint64_t meet_warp(unsigned mask, std::uint64_t value, unsigned source, const char* operation, Place place) {
  return machine().meet_warp(mask, value, source, operation, place);
}

unsigned vote_warp(unsigned mask, bool vote, const char* operation, Place place) {
  return static_cast<unsigned>(machine().meet_warp(mask, vote ? 1 : 0, kVotes, operation, place));
}

unsigned present_lanes(unsigned mask) { return machine().present_lanes(mask); }

unsigned lane() { return machine().lane(); }

}  // namespace impasto::emulation
