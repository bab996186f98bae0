// The scheduler of a block's fibers, its barriers, exchanges between lanes and shared memory.
#include "cuda/emulation/executor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <span>

#include "core/floating_point_mode.h"
#include "cuda/emulation/fiber.h"

namespace swarmgrad::emulation {

namespace {

constexpr unsigned warp_size = 32;
constexpr unsigned max_threads = 1024;

enum class State : uint8_t { ready, at_block_barrier, at_warp_collective, done };

struct Thread {
  uint3 index;
  unsigned number;  // in the block
  State state;
  bool started;
  char *stack;
  Fiber fiber;
  Site site;  // where it waits
  // At a collective of its warp.
  Collective kind;
  uint32_t mask;
  int argument, width;
  uint64_t value;   // brought; replaced by what it gets
  const void *tag;  // what orders memory across this collective
  // Atomics since the last fence, for the thread sanitizer; and whether there was a fence at all.
  const volatile void *touched[4];
  unsigned touched_count;
  bool fenced;
};

struct Warp {
  Thread *lanes;
  unsigned lane_count;
  uint32_t waiting, done;     // lanes
  unsigned phase[warp_size];  // collectives completed, by their lowest lane
};

uint64_t next_random(uint64_t &state) {
  state += 0x9e3779b97f4a7c15;  // splitmix64
  uint64_t mixed = state;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  return mixed ^ mixed >> 31;
}

template <class T>
void shuffle(std::vector<T> &items, uint64_t &state) {
  for (size_t left = items.size(); left > 1; --left) std::swap(items[left - 1], items[next_random(state) % left]);
}

// count things in the given order.
template <class T>
void arrange(std::vector<T> &items, size_t count, Order &order) {
  items.resize(count);
  std::iota(items.begin(), items.end(), T{0});
  if (order.kind == Order::reverse) std::reverse(items.begin(), items.end());
  if (order.kind == Order::random) shuffle(items, order.seed);
}

// Shared memory of the running block. Each variable lies in an allocation of its own, where the address sanitizer watches
// its ends. Under the thread sanitizer they lie in pages that are renewed with every block, since blocks share no memory.
class SharedMemory {
 public:
  // Never grown by a thread of a kernel: the thread sanitizer would see that, too.
  SharedMemory() { variables_.reserve(64); }
  ~SharedMemory() { forget(); }

  // For the next block: nothing of the last one's values remains.
  void begin_block() {
    if constexpr (thread_sanitizer::present) {
      pages_.renew();
      used_ = 0;
      variables_.clear();
    }
    for (const Variable &variable : variables_) memset(variable.address, 0xff, variable.size);
  }

  // For another kernel: other variables.
  void forget() {
    if constexpr (!thread_sanitizer::present)
      for (const Variable &variable : variables_) free(variable.address);
    variables_.clear();
  }

  char *find(const void *key, size_t size) {
    for (const Variable &variable : variables_)
      if (variable.key == key) return variable.address;
    char *address;
    if constexpr (thread_sanitizer::present) {
      used_ = (used_ + 15) / 16 * 16;
      address = pages_.begin() + used_;
      used_ += size;
      // Not by memset, which the thread sanitizer would see.
      for (volatile char *byte = address; byte < address + size; ++byte) *byte = static_cast<char>(0xff);
    } else {
      address = static_cast<char *>(memset(malloc(size), 0xff, size));
    }
    if (variables_.size() == variables_.capacity() || used_ > pages_.size()) {
      fputs("swarmgrad emulation: a kernel has more shared variables than the emulation can hold\n", stderr);
      abort();
    }
    variables_.push_back({key, address, size});
    return address;
  }

  bool holds(const void *address) const {
    for (const Variable &variable : variables_)
      if (address >= variable.address && address < variable.address + variable.size) return true;
    return false;
  }

 private:
  struct Variable {
    const void *key;
    char *address;
    size_t size;
  };
  std::vector<Variable> variables_;
  Pages pages_{size_t{512} << 10};  // under the thread sanitizer
  size_t used_ = 0;
};

// The stacks of a block's threads. Under the thread sanitizer each thread has its own, and all are renewed at once; else a
// stack that one thread has left is the next one's, still warm, and a guard page tells overflows.
class Stacks {
 public:
  static constexpr size_t size = size_t{256} << 10;
  // Before the block begins and not when a thread needs one: that thread would then seem to come before the other.
  void begin_block(unsigned count) {
    free_.clear();
    while (thread_sanitizer::present ? memory_.empty() || memory_.back()->size() < count * size
                                     : memory_.size() < count)
      memory_.push_back(std::make_unique<Pages>(thread_sanitizer::present ? count * size : size));
    if constexpr (thread_sanitizer::present) memory_.back()->renew();
    for (unsigned stack = 0; stack < count; ++stack)
      free_.push_back(thread_sanitizer::present ? memory_.back()->begin() + stack * size : memory_[stack]->begin());
  }
  char *take() {
    char *const stack = free_.back();
    free_.pop_back();
    return stack;
  }
  void give_back(char *stack) { free_.push_back(stack); }
  void forget() {
    for (const auto &pages : memory_) pages->renew();
  }

 private:
  std::vector<std::unique_ptr<Pages>> memory_;
  std::vector<char *> free_;
};

// Tags of a block for the thread sanitizer. Two of each alternate, since a thread that is through a barrier may reach the
// next one before another has left the first. Blocks in sequence use different tags and identities, lest the sanitizer
// believe them ordered.
struct Tags {
  char block_barrier[2];
  char warp_collective[max_threads / warp_size][warp_size][2];
  void *identity[max_threads];
};

class Scheduler : public Executor {
 public:
  Scheduler();
  std::string run(const Launch &launch, Order &order);

  void wait_for_block(Site site);
  uint64_t wait_for_warp(Collective kind, uint32_t mask, uint64_t value, int argument, int width, Site site);
  void order_memory();
  void touch(const volatile void *address, bool before);
  SharedMemory shared;

 private:
  static void enter();
  void begin_block(uint64_t number);
  void run_block();
  // Leaves the running thread for the next one that can run.
  void yield(bool last);
  Thread *next();
  bool next_warp();
  void begin_lanes();
  void complete_collective(Warp &warp, Thread &arrived);
  void exchange(Warp &warp, const Thread &first, uint32_t lanes);
  void begin(Thread &thread);
  [[gnu::format(printf, 3, 4)]] void fail(const Thread &thread, const char *format, ...);
  void fail_collective(const Thread &waiting, const Thread &other);
  Warp &warp_of(const Thread &thread) { return warps_[thread.number / warp_size]; }

  const Launch *launch_;
  Order *order_;
  std::unique_ptr<Thread[]> threads_;
  unsigned thread_count_;
  std::vector<Warp> warps_;
  Stacks stacks_;
  char *left_stack_;  // of the thread that ended last
  Fiber host_;
  Thread *running_ = nullptr;
  Fiber *previous_ = nullptr;  // who switched to a fiber that now begins
  std::string error_;

  // Where the scheduler stands.
  std::vector<unsigned> warp_order_;
  std::vector<std::vector<unsigned>> lane_order_;  // of a warp of 1 to 32 lanes
  unsigned warp_position_, lane_position_;
  Warp *warp_;
  bool released_;  // since lane_position_ was 0 a collective let lanes of the warp go on
  unsigned phase_, waiting_, done_;
  Site barrier_;  // of the phase

  Tags tags_[2];
  Tags *block_tags_;
  char launched_, finished_;  // tags: what the host did before the launch, what threads did in it
};

Scheduler &scheduler() {
  static Scheduler *const instance = new Scheduler;  // never destroyed: a thread may still launch when the process ends
  return *instance;
}

const char *file_name(Site site) {
  const char *slash = strrchr(site.file, '/');
  return slash != nullptr ? slash + 1 : site.file;
}

bool same(Site a, Site b) { return a.line == b.line && (a.file == b.file || strcmp(a.file, b.file) == 0); }

const char *name_of(Collective kind) {
  switch (kind) {
    case Collective::synchronize:
      return "__syncwarp";
    case Collective::shuffle:
      return "__shfl_sync";
    case Collective::shuffle_up:
      return "__shfl_up_sync";
    case Collective::shuffle_down:
      return "__shfl_down_sync";
    case Collective::shuffle_xor:
      return "__shfl_xor_sync";
    case Collective::ballot:
      return "a vote";
  }
  return "";
}

// What a thread does that another waits for in vain.
std::string whereabouts(const Thread &thread) {
  if (thread.state == State::done) return "has ended";
  const bool of_block = thread.state == State::at_block_barrier;
  char text[256];
  const int length =
      snprintf(text, sizeof text, "waits at %s of %s:%d", of_block ? "__syncthreads" : name_of(thread.kind),
               file_name(thread.site), thread.site.line);
  if (!of_block) snprintf(text + length, sizeof text - static_cast<size_t>(length), " with mask 0x%08x", thread.mask);
  return text;
}

Scheduler::Scheduler() : threads_(new Thread[max_threads]), lane_order_(warp_size + 1) {
  memset(tags_, 0, sizeof tags_);
  shared_variable = [](const void *key, size_t size) -> void * { return scheduler().shared.find(key, size); };
  is_shared = [](const void *address) { return scheduler().shared.holds(address); };
  block_barrier = [](Site site) { scheduler().wait_for_block(site); };
  warp_collective = [](Collective kind, uint32_t mask, uint64_t value, int argument, int width, Site site) {
    return scheduler().wait_for_warp(kind, mask, value, argument, width, site);
  };
  fence = [] { scheduler().order_memory(); };
  before_atomic = [](const volatile void *address) { scheduler().touch(address, true); };
  after_atomic = [](const volatile void *address) { scheduler().touch(address, false); };
}

std::string Scheduler::run(const Launch &launch, Order &order) {
  const FloatingPointMode mode;
  launch_ = &launch;
  order_ = &order;
  thread_count_ = launch.block.x * launch.block.y * launch.block.z;
  // Here and not by the thread that starts another, which would then seem to come before it.
  for (Tags &tags : tags_)
    for (unsigned number = 0; number < thread_count_; ++number)
      if (tags.identity[number] == nullptr) tags.identity[number] = thread_sanitizer::create_identity();

  block_size = launch.block;
  grid_size = launch.grid;
  error_.clear();
  warps_.resize((thread_count_ + warp_size - 1) / warp_size);
  for (unsigned number = 0; number < thread_count_; ++number) {
    Thread &thread = threads_[number];
    thread.number = number;
    thread.index = {number % block_size.x, number / block_size.x % block_size.y,
                    number / (block_size.x * block_size.y)};
  }
  for (unsigned lanes = 1; lanes <= warp_size; ++lanes) arrange(lane_order_[lanes], lanes, order);
  host_.adopt();
  *launch.kernel->executor = this;
  thread_sanitizer::release(&launched_);

  const uint64_t blocks = uint64_t{grid_size.x} * grid_size.y * grid_size.z;
  std::vector<uint32_t> block_order;
  arrange(block_order, blocks, order);
  for (uint64_t turn = 0; turn < blocks && error_.empty(); ++turn) {
    block_tags_ = &tags_[turn % 2];
    begin_block(block_order[turn]);
    run_block();
  }
  thread_sanitizer::acquire(&finished_);
  shared.forget();
  return error_;
}

void Scheduler::begin_block(uint64_t number) {
  block_index =
      dim3(static_cast<unsigned>(number % grid_size.x), static_cast<unsigned>(number / grid_size.x % grid_size.y),
           static_cast<unsigned>(number / grid_size.x / grid_size.y));
  shared.begin_block();
  dynamic_shared = launch_->dynamic_shared > 0 ? shared.find(nullptr, launch_->dynamic_shared) : nullptr;
  stacks_.begin_block(thread_count_);
  left_stack_ = nullptr;
  for (unsigned thread = 0; thread < thread_count_; ++thread) {
    threads_[thread].state = State::ready;
    threads_[thread].started = false;
    threads_[thread].touched_count = 0;
    threads_[thread].fenced = false;
  }
  for (unsigned warp = 0; warp < warps_.size(); ++warp)
    warps_[warp] = {&threads_[warp * warp_size], std::min(warp_size, thread_count_ - warp * warp_size), 0, 0, {}};
  arrange(warp_order_, warps_.size(), *order_);
  warp_position_ = 0;
  warp_ = nullptr;
  phase_ = waiting_ = done_ = 0;
}

void Scheduler::run_block() {
  next_warp();
  running_ = next();
  thread_index = &running_->index;
  previous_ = &host_;
  host_.switch_to(running_->fiber);
  if (error_.empty()) return;
  // Threads that never reached their end are left where they are.
  for (unsigned thread = 0; thread < thread_count_; ++thread)
    if (threads_[thread].started) thread_sanitizer::release_as(block_tags_->identity[thread], &finished_);
  stacks_.forget();
}

void Scheduler::begin(Thread &thread) {
  thread.stack = stacks_.take();
  thread.started = true;
  // Under the thread sanitizer touching one page costs five.
  const unsigned colour = thread_sanitizer::present ? 0 : thread.number;
  thread.fiber.start(thread.stack, Stacks::size, colour, &Scheduler::enter, block_tags_->identity[thread.number]);
}

void Scheduler::enter() {
  Scheduler &self = scheduler();
  Thread &thread = *self.running_;
  thread.fiber.entered(*self.previous_);
  thread_sanitizer::acquire(&self.launched_);
  self.launch_->kernel->run_thread(self.launch_->argument.data());
  thread_sanitizer::release(&self.finished_);
  thread.state = State::done;
  ++self.done_;
  Warp &warp = self.warp_of(thread);
  warp.done |= 1u << thread.number % warp_size;
  if constexpr (!thread_sanitizer::present) {
    // Not this thread's own, which it has yet to leave.
    if (self.left_stack_ != nullptr) self.stacks_.give_back(self.left_stack_);
    self.left_stack_ = thread.stack;
  }
  for (unsigned lane = 0; lane < warp.lane_count; ++lane)
    if ((warp.waiting >> lane & 1) != 0) self.complete_collective(warp, warp.lanes[lane]);
  self.yield(true);
}

void Scheduler::yield(bool last) {
  Thread *const left = running_;
  Thread *const thread = error_.empty() ? next() : nullptr;
  if (thread == left) return;
  if (thread == nullptr) {  // the block has ended
    left->fiber.switch_to(host_, last);
    return;
  }
  running_ = thread;
  thread_index = &thread->index;
  previous_ = &left->fiber;
  left->fiber.switch_to(thread->fiber, last);
}

// The next thread that can run; none when the block has ended or failed.
Thread *Scheduler::next() {
  for (;;) {
    const std::vector<unsigned> &lanes = lane_order_[warp_->lane_count];
    while (lane_position_ < warp_->lane_count) {
      Thread &thread = warp_->lanes[lanes[lane_position_++]];
      if (thread.state != State::ready) continue;
      if (!thread.started) begin(thread);
      return &thread;
    }
    if (released_) {
      begin_lanes();
      continue;
    }
    if (!next_warp()) return nullptr;
  }
}

// From here on the warp's lanes run in order, as many as can.
void Scheduler::begin_lanes() {
  lane_position_ = 0;
  released_ = false;
  if (order_->kind == Order::random) shuffle(lane_order_[warp_->lane_count], order_->seed);
}

// The running warp can do no more: on to the next, or through the barrier that all have reached.
bool Scheduler::next_warp() {
  if (warp_ != nullptr && warp_->waiting != 0) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(warp_->waiting));
    const Thread &stuck = warp_->lanes[lane];
    const Thread *other = &stuck;
    for (unsigned named_lane = 0; named_lane < warp_->lane_count; ++named_lane) {
      const Thread &candidate = warp_->lanes[named_lane];
      const bool named = (stuck.mask >> named_lane & 1) != 0 && candidate.state != State::done;
      const bool there =
          candidate.state == State::at_warp_collective && candidate.kind == stuck.kind && candidate.mask == stuck.mask;
      if (named && !there) other = &candidate;
    }
    fail_collective(stuck, *other);
    return false;
  }
  if (warp_position_ == warp_order_.size()) {
    if (done_ == thread_count_) return false;
    if (done_ > 0) {
      const std::span<const Thread> threads(threads_.get(), thread_count_);
      const auto has_ended = [](const Thread &thread) { return thread.state == State::done; };
      const Thread &ended = *std::find_if(threads.begin(), threads.end(), has_ended);
      const Thread &stuck = *std::find_if_not(threads.begin(), threads.end(), has_ended);
      fail(stuck, "deadlock: it %s, which thread (%u,%u,%u) never reaches: it has ended", whereabouts(stuck).c_str(),
           ended.index.x, ended.index.y, ended.index.z);
      return false;
    }
    for (unsigned thread = 0; thread < thread_count_; ++thread) threads_[thread].state = State::ready;
    waiting_ = 0;
    ++phase_;
    warp_position_ = 0;
    if (order_->kind == Order::random) shuffle(warp_order_, order_->seed);
  }
  warp_ = &warps_[warp_order_[warp_position_++]];
  begin_lanes();
  return true;
}

void Scheduler::wait_for_block(Site site) {
  Thread &thread = *running_;
  if (waiting_++ == 0) {
    barrier_ = site;
  } else if (!same(barrier_, site)) {
    fail(thread, "it reaches __syncthreads of %s:%d while others of its block wait at that of %s:%d", file_name(site),
         site.line, file_name(barrier_), barrier_.line);
  }
  thread.site = site;
  thread.state = State::at_block_barrier;
  const void *const tag = &block_tags_->block_barrier[phase_ % 2];
  thread_sanitizer::release(tag);
  yield(false);
  thread_sanitizer::acquire(tag);
}

uint64_t Scheduler::wait_for_warp(Collective kind, uint32_t mask, uint64_t value, int argument, int width, Site site) {
  Thread &thread = *running_;
  Warp &warp = warp_of(thread);
  const unsigned lane = thread.number % warp_size;
  thread.site = site;
  thread.kind = kind;
  thread.mask = mask;
  thread.value = value;
  thread.argument = argument;
  thread.width = width;
  if ((mask >> lane & 1) == 0)
    fail(thread, "it calls %s of %s:%d with mask 0x%08x, which leaves the thread itself out (lane %u)", name_of(kind),
         file_name(site), site.line, mask, lane);
  if (width <= 0 || width > 32 || (width & (width - 1)) != 0)
    fail(thread, "it calls %s of %s:%d with width %d; allowed: 1, 2, 4, 8, 16, 32", name_of(kind), file_name(site),
         site.line, width);
  if (!error_.empty()) yield(false);
  thread.state = State::at_warp_collective;
  warp.waiting |= 1u << lane;
  if (kind == Collective::synchronize) {
    // Shuffles and votes exchange values and order no memory.
    const unsigned group = static_cast<unsigned>(__builtin_ctz(mask));
    thread.tag = &block_tags_->warp_collective[thread.number / warp_size][group][warp.phase[group] % 2];
    thread_sanitizer::release(thread.tag);
  }
  complete_collective(warp, thread);
  yield(false);
  if (kind == Collective::synchronize) thread_sanitizer::acquire(thread.tag);
  return thread.value;
}

// Lets all lanes of the collective that `arrived` waits at go on if none is missing.
void Scheduler::complete_collective(Warp &warp, Thread &arrived) {
  const uint32_t existing = warp.lane_count == warp_size ? ~0u : (1u << warp.lane_count) - 1;
  const uint32_t lanes = arrived.mask & existing & ~warp.done;
  if ((lanes & ~warp.waiting) != 0) return;
  for (unsigned lane = 0; lane < warp.lane_count; ++lane) {
    const Thread &other = warp.lanes[lane];
    if ((lanes >> lane & 1) != 0 && (other.kind != arrived.kind || other.mask != arrived.mask))
      fail_collective(arrived, other);
  }
  exchange(warp, arrived, lanes);
  warp.waiting &= ~lanes;
  ++warp.phase[__builtin_ctz(arrived.mask)];
  for (unsigned lane = 0; lane < warp.lane_count; ++lane)
    if ((lanes >> lane & 1) != 0) warp.lanes[lane].state = State::ready;
  released_ = true;
}

void Scheduler::fail_collective(const Thread &waiting, const Thread &other) {
  fail(waiting, "deadlock: it %s, but thread (%u,%u,%u), which the mask names, %s", whereabouts(waiting).c_str(),
       other.index.x, other.index.y, other.index.z, whereabouts(other).c_str());
}

void Scheduler::exchange(Warp &warp, const Thread &first, uint32_t lanes) {
  if (first.kind == Collective::synchronize) return;
  uint64_t brought[warp_size] = {};
  uint32_t votes = 0;
  for (unsigned lane = 0; lane < warp.lane_count; ++lane) {
    brought[lane] = warp.lanes[lane].value;
    if ((lanes >> lane & 1) != 0 && brought[lane] != 0) votes |= 1u << lane;
  }
  for (unsigned lane = 0; lane < warp.lane_count; ++lane) {
    if ((lanes >> lane & 1) == 0) continue;
    Thread &thread = warp.lanes[lane];
    if (thread.kind == Collective::ballot) {
      thread.value = votes;
      continue;
    }
    const unsigned width = static_cast<unsigned>(thread.width), begin = lane & ~(width - 1), end = begin + width;
    const unsigned argument = static_cast<unsigned>(thread.argument);
    unsigned source = lane;
    if (thread.kind == Collective::shuffle) source = begin | (argument & (width - 1));
    if (thread.kind == Collective::shuffle_up && lane - begin >= argument) source = lane - argument;
    if (thread.kind == Collective::shuffle_down && argument < end - lane) source = lane + argument;
    if (thread.kind == Collective::shuffle_xor && (lane ^ argument) < end) source = lane ^ argument;
    if ((lanes >> source & 1) == 0)
      fail(thread, "its %s of %s:%d reads lane %u, which does not take part (mask 0x%08x)", name_of(thread.kind),
           file_name(thread.site), thread.site.line, source, thread.mask);
    thread.value = brought[source];
  }
}

// Of the thread sanitizer's view: a fence orders what came before it with what follows a later atomic's reading.
void Scheduler::order_memory() {
  if constexpr (!thread_sanitizer::present) return;
  Thread &thread = *running_;
  thread.fenced = true;
  for (unsigned k = 0; k < std::min(thread.touched_count, 4u); ++k) thread_sanitizer::acquire(thread.touched[k]);
  thread.touched_count = 0;
}

void Scheduler::touch(const volatile void *address, bool before) {
  if constexpr (!thread_sanitizer::present) return;
  Thread &thread = *running_;
  if (before && thread.fenced) thread_sanitizer::release(address);
  if (!before) thread.touched[thread.touched_count++ % 4] = address;
}

// Ends the block with an error; the first one counts.
void Scheduler::fail(const Thread &thread, const char *format, ...) {
  if (!error_.empty()) return;
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  char place[256];
  snprintf(place, sizeof place, "kernel %s, block (%u,%u,%u), thread (%u,%u,%u): ", launch_->kernel->name,
           block_index.x, block_index.y, block_index.z, thread.index.x, thread.index.y, thread.index.z);
  error_ = std::string(place) + text;
}

}  // namespace

std::string run(const Launch &launch, Order &order) { return scheduler().run(launch, order); }

}  // namespace swarmgrad::emulation
