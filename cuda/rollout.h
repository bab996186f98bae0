// Episodes on the device: a block plays neighbouring ones from reset to their end and writes every row that happened:
// observation, mask, alive, action, log-probability, entropy, reward. Compiled once an environment, by nvcc or NVRTC;
// weights and gradients are other kernels' (cuda/plan.h).
//
// Why fused: state, features and logits of a step never leave the block. A step, with barriers between:
//   observe               a thread an agent, a tile of rows at a time
//   policy, choose        matrix products; then a thread a row samples; beside it draw, a thread an episode
//   act, each phase<k>    a thread an agent
//   resolve, share        a thread an episode
//   reward                a thread an agent
//   done, invalid         a thread an episode; those that end leave the list of the playing, so that nothing is worked
//                         out for them any more
// No number depends on which thread of which block works it out: any grid, any block of whole warps and any order give the
// CPU engine's bits.
#pragma once

#include "core/environment.h"
#include "core/moments.h"
#include "core/policy.h"
#include "cuda/kernel.h"
#include "cuda/matrix.h"
#include "cuda/plan.h"

namespace swarmgrad::SWARMGRAD_TARGET {

// This thread's part of the items begin, begin + 1 ..; as pairs (major, minor), item = major x minor_count + minor.
class Share {
 public:
  int item, major, minor;

  __device__ __forceinline__ explicit Share(int minor_count, int begin = 0)
      : item(begin + static_cast<int>(threadIdx.x)),
        major(item / minor_count),
        minor(item % minor_count),
        minor_count_(minor_count),
        major_step_(static_cast<int>(blockDim.x) / minor_count),
        minor_step_(static_cast<int>(blockDim.x) % minor_count) {}
  __device__ __forceinline__ void next() {
    item += static_cast<int>(blockDim.x);
    major += major_step_;
    minor += minor_step_;
    if (minor < minor_count_) return;
    minor -= minor_count_;
    ++major;
  }

 private:
  int minor_count_, major_step_, minor_step_;
};

// Episodes of the environment E. `checks`: whether memory begins as NaN and every observation is looked at, as the CPU
// engine does with users' headers.
template <class E, bool checks>
class BlockRollout {
  SWARMGRAD_CHECK_ENVIRONMENT(E, "an environment");
  static_assert(__is_trivially_copyable(E), "an environment's members must be numbers and Arrays: threads copy it");

 public:
  // Shared by the block, besides the memory that the host lays out.
  struct Common {
    alignas(16) char environment[sizeof(E)];  // constructed, its arrays not bound
    int playing;                              // entries of the list
    int ended, troubled;                      // episodes that ended, faults of rows: they only grow
    int stops;                                // there is a reason to leave
    unsigned beats;                           // steps of the block
    uint32_t iteration;
  };
  static_assert(
      sizeof(Common) + 64 <= cuda::rollout_static_bytes,
      "an environment's members take too much of a GPU's shared memory, 1900 bytes being allowed: let tables be "
      "static constexpr, or Arrays");

  __device__ __forceinline__ BlockRollout(const cuda::Rollout &rollout, Common &common)
      : rollout_(rollout),
        pass_(rollout.pass),
        common_(common),
        memory_(at(rollout.row_memory), rollout.episodes_per_block, rollout.tile_rows),
        state_(at(rollout.state)),
        features_{reinterpret_cast<float *>(at(rollout.features)), rollout.tile_rows + 4} {}

  __device__ __forceinline__ void play() {
    if (pass_.control->gradient_fault_network >= 0 || pass_.control->update_fault_network >= 0) return;
    if (threadIdx.x == 0) {
      const E made(rollout_.parameters);
      __builtin_memcpy(common_.environment, &made, sizeof made);
      common_.ended = common_.troubled = 0;
      common_.beats = 0;
      common_.iteration = static_cast<uint32_t>(*pass_.iteration);
    }
    if (rollout_.panels.in_shared != 0) load_panels();
    const int64_t slots = static_cast<int64_t>(pass_.wave_cohorts) * cuda::cohort_size;
    const int64_t step = static_cast<int64_t>(gridDim.x) * rollout_.episodes_per_block;
    for (first_slot_ = static_cast<int64_t>(blockIdx.x) * rollout_.episodes_per_block; first_slot_ < slots;
         first_slot_ += step)
      if (!play_tile()) break;
    if (threadIdx.x == 0) add_beats(common_.beats % steps_between_looks);
  }

 private:
  static constexpr unsigned steps_between_looks = 64;  // at the host's wish to cancel
  static constexpr bool has_mask = requires(E e, AvailableActions actions) { e.available(0, actions); };
  static constexpr bool has_joint_rule = requires(E e) { e.resolve(); }
  || requires(E e) { e.share(); };
  static constexpr bool may_end_early = requires(E e) { e.done(); }
  || requires(E e) { e.invalid(); };

  // -- memory

  __device__ __forceinline__ char *at(const cuda::Place &place) const {
    return place.in_shared != 0 ? cuda::dynamic_shared() + place.offset
                                : rollout_.scratch + blockIdx.x * rollout_.scratch_bytes_per_block + place.offset;
  }
  __device__ __forceinline__ float not_a_number() const { return __builtin_nanf(""); }

  // All groups' forward panels, one after the other.
  __device__ __forceinline__ void load_panels() {
    float *to = in_shared(rollout_.panels);
    for (int g = 0; g < pass_.group_count; ++g) {
      const cuda::Group &group = pass_.groups[g];
      const int64_t count = cuda::forward_panel_count(group);
      copy_panels(pass_.panels + group.layer[0].forward_panel, count, to);
      to += count;
    }
  }

  struct Bind {
    char *memory;
    template <class T>
    __device__ __forceinline__ void operator()(const char *, Array<T> &array, int rows, int columns) {
      array.bind(reinterpret_cast<T *>(memory));
      memory += static_cast<size_t>(rows * columns) * sizeof(T);
    }
  };

  // The environment with an episode's arrays. Read anew wherever it is needed: what a step does not use costs nothing, and
  // nothing of it occupies registers during the matrix products.
  __device__ __forceinline__ E environment_of(int episode) const {
    E environment = *reinterpret_cast<const E *>(common_.environment);
    Bind bind{state_ + static_cast<size_t>(episode) * rollout_.state_bytes};
    environment.state(bind);
    if constexpr (requires { environment.chance(bind); }) environment.chance(bind);
    if constexpr (requires { environment.scratch(bind); }) environment.scratch(bind);
    return environment;
  }
  __device__ __forceinline__ Draws draws(int episode, int step, Purpose purpose) const {
    return Draws(memory_.episode[episode].environment, common_.iteration, static_cast<uint32_t>(step),
                 in_stream(purpose, pass_.stream), pass_.seed);
  }
  __device__ __forceinline__ int64_t row_of(const cuda::Group &group, int episode, int step, int agent) const {
    return (first_slot_ + episode) * group.rows + static_cast<int64_t>(step) * group.agents + agent;
  }
  __device__ __forceinline__ Rows logits_of(const cuda::Group &group) const { return features_.from(group.features); }

  // -- whether to go on

  // To be asked by all threads; false where the block has nothing left to do.
  __device__ __forceinline__ bool goes_on() {
    if (threadIdx.x == 0) common_.stops = must_stop() ? 1 : 0;
    __syncthreads();  // all threads leave, or none: or those that stay would wait for ever
    return common_.stops == 0;
  }
  // A fault within this wave stops the cohorts after its own: one of the lowest cohort is reported. That cohort and those
  // before it play on, since what is reported must not depend on when blocks run. A fault outside this wave is an earlier
  // launch's.
  __device__ __forceinline__ bool must_stop() {
    if (pass_.shared->cancel != 0) atomicExch(&pass_.control->cancelled, 1);
    if (atomicAdd(&pass_.control->cancelled, 0) != 0) return true;
    const uint32_t faulty = atomicMin(&pass_.control->fault_environment, UINT32_MAX);
    if (faulty == UINT32_MAX) return false;
    const int64_t own = first_slot_ / cuda::cohort_size;
    return faulty < first_environment_of(own) || faulty >= first_environment_of(pass_.wave_cohorts);
  }
  // Of a cohort of the wave.
  __device__ __forceinline__ int64_t first_environment_of(int64_t cohort) const {
    return pass_.first_episode + cuda::first_episode_of(pass_, pass_.first_cohort + cohort);
  }
  __device__ __forceinline__ void add_beats(unsigned steps) {
    if (steps != 0) atomicAdd_system(&pass_.shared->beats, static_cast<unsigned long long>(steps));
  }

  // -- episodes

  // All episodes of a tile. False where the block is to leave.
  __device__ __forceinline__ bool play_tile() {
    if (!goes_on()) return false;
    reset();
    playing_ = rollout_.episodes_per_block;
    __syncthreads();  // whether an episode plays is known to the thread that reset it
    keep_playing();
    int step = 0;
    for (; playing_ > 0; ++step) {
      if (step == pass_.horizon && !wants_last_state()) break;
      if (step > 0 && step % steps_between_looks == 0 && !goes_on()) return false;
      choose_actions(step);
      if (playing_ == 0 || step == pass_.horizon) break;  // all had a fault, or there was only to observe
      advance(step);
      if (threadIdx.x == 0 && ++common_.beats % steps_between_looks == 0) add_beats(steps_between_looks);
    }
    for (int k = static_cast<int>(threadIdx.x); k < playing_; k += static_cast<int>(blockDim.x)) {
      pass_.length[first_slot_ + memory_.list[k]] = step;
      pass_.truncated[first_slot_ + memory_.list[k]] = 1;
    }
    return true;
  }

  __device__ __forceinline__ void reset() {
    for (int k = static_cast<int>(threadIdx.x); k < rollout_.episodes_per_block; k += static_cast<int>(blockDim.x)) {
      memory_.list[k] = k;
      cuda::Playing &episode = memory_.episode[k];
      episode = {no_fault, 0, 0};
      const int64_t slot = first_slot_ + k, cohort = slot / cuda::cohort_size;
      const int lane = static_cast<int>(slot % cuda::cohort_size);
      if (cohort >= pass_.wave_cohorts) continue;
      pass_.length[slot] = 0;
      pass_.truncated[slot] = 0;
      pass_.fault[slot] = {cuda::Fault::none, -1, -1, -1};
      if (lane >= cuda::members_of(pass_, pass_.first_cohort + cohort)) continue;
      episode.environment = static_cast<int32_t>(first_environment_of(cohort) + lane);
      episode.plays = 1;
      if constexpr (checks)
        for (size_t byte = 0; byte < rollout_.state_bytes; byte += sizeof(float))
          *reinterpret_cast<float *>(state_ + k * rollout_.state_bytes + byte) = not_a_number();
      for (int g = 0; g < pass_.group_count; ++g) clear_feature_sums(pass_.groups[g], slot);
      E environment = environment_of(k);
      Draws source = draws(k, 0, Purpose::reset);
      environment.reset(source);
      if (breaks_rules(environment)) end(k, 0, {cuda::Fault::rules, -1, -1, -1});
    }
  }

  __device__ __forceinline__ void clear_feature_sums(const cuda::Group &group, int64_t slot) const {
    for (int f = 0; f < 2 * group.normalised; ++f) group.feature_sums[slot * 2 * group.normalised + f] = 0.0;
  }

  __device__ __forceinline__ bool breaks_rules([[maybe_unused]] E &environment) const {
    if constexpr (requires { environment.invalid(); })
      return any(environment.invalid());
    else
      return false;
  }

  // By one thread an episode: it plays no more.
  __device__ __forceinline__ void end(int episode, int steps, cuda::Fault fault = {}) {
    cuda::Playing &ended = memory_.episode[episode];
    ended.plays = 0;
    pass_.length[first_slot_ + episode] = steps;
    atomicAdd(&common_.ended, 1);
    if (fault.kind == cuda::Fault::none) return;
    pass_.fault[first_slot_ + episode] = fault;
    atomicMin(&pass_.control->fault_environment, static_cast<uint32_t>(ended.environment));
  }

  // Closes the gaps that ended episodes leave in the list. Called by all threads, after a barrier.
  __device__ __forceinline__ void keep_playing() {
    if (threadIdx.x < 32) {
      const unsigned lane = threadIdx.x, everyone = 0xffffffffu;
      int kept = 0;
      for (int first = 0; first < playing_; first += 32) {
        const int k = first + static_cast<int>(lane);
        const int episode = k < playing_ ? memory_.list[k] : 0;
        const bool plays = k < playing_ && memory_.episode[episode].plays != 0;
        const unsigned players = __ballot_sync(everyone, plays);
        __syncwarp();  // or a lane would write where another has yet to read
        if (plays) memory_.list[kept + __popc(players & ((1u << lane) - 1))] = episode;
        kept += __popc(players);
      }
      if (lane == 0) common_.playing = kept;
    }
    __syncthreads();  // the list is complete
    playing_ = common_.playing;
    ended_ = common_.ended;
  }

  // -- a step: actions

  // Whether somebody asks for the value of the state after the last step.
  __device__ __forceinline__ bool wants_last_state() const {
    return pass_.learns != 0 && pass_.groups[0].last_observation != nullptr;
  }

  // After the last step: only observes.
  __device__ __forceinline__ void choose_actions(int step) {
    int panel = 0;  // where the group's begin in the copy
    for (int g = 0; g < pass_.group_count; ++g) {
      const cuda::Group &group = pass_.groups[g];
      const int rows = playing_ * group.agents;
      for (int first = 0; first < rows; first += rollout_.tile_rows) {
        const int count = rows - first < rollout_.tile_rows ? rows - first : rollout_.tile_rows;
        if (g + first > 0) __syncthreads();  // the tile before is still being kept
        observe(g, step, first, count);
        __syncthreads();  // rows are filled by a thread each, and read by all
        if (group.normalised > 0) {
          normalise(g, step, first, count);
          __syncthreads();  // features are filled by a thread each, and read by all
        }
        const bool is_last = step == pass_.horizon;
        if (!is_last && group.acting != cuda::acts_randomly) evaluate(group, panel, count);
        if (group.observation != nullptr) keep_features(group, count, is_last);
        if (!is_last) choose(g, step, first, count);
      }
      panel += static_cast<int>(cuda::forward_panel_count(group));
    }
    if (step == pass_.horizon) return;
    draw(step);
    __syncthreads();  // all actions are chosen, chance is drawn, faults are known
    if (common_.troubled == troubled_) return;
    troubled_ = common_.troubled;
    give_up(step);
  }

  // Features, mask and alive of a tile's rows. Whoever is not alive observes zeros, and has no action. Of the state after
  // the last step only the features are anybody's business.
  __device__ __forceinline__ void observe(int g, int step, int first, int count) {
    const cuda::Group &group = pass_.groups[g];
    for (Share row(group.agents, first); row.item < first + count; row.next()) {
      const int episode = memory_.list[row.major], agent = group.first_agent + row.minor, at = row.item - first;
      const bool is_last = step == pass_.horizon;
      const int64_t stored =
          is_last ? (first_slot_ + episode) * group.agents + row.minor : row_of(group, episode, step, row.minor);
      E environment = environment_of(episode);
      float *feature = features_.base + at;
      uint16_t *available = group.has_mask != 0 && !is_last ? group.available + stored * group.action_count : nullptr;
      if constexpr (checks) {
        for (int f = 0; f < group.observation_size; ++f) feature[f * features_.stride] = not_a_number();
        for (int a = 0; available != nullptr && a < group.action_count; ++a) available[a] = 0;
      }
      environment.observe(agent, Observation(feature, features_.stride));
      if constexpr (has_mask)
        if (available != nullptr) environment.available(agent, AvailableActions(available));
      for (int index = 0; group.index_feature >= 0 && index < group.agents; ++index)
        feature[(group.index_feature + index) * features_.stride] = index == row.minor ? 1.0f : 0.0f;
      bool alive = true;
      if constexpr (requires { environment.alive(agent); }) alive = any(environment.alive(agent));
      if (!alive) {
        for (int f = 0; f < group.observation_size; ++f) feature[f * features_.stride] = 0.0f;
        for (int a = 0; available != nullptr && a < group.action_count; ++a) available[a] = 0;
      }
      if constexpr (checks) {
        const int broken = is_last ? -1 : broken_feature(group, feature);
        if (broken >= 0) note_fault(episode, 2 * g, agent, cuda::Fault::observation, broken);
      }
      if (!is_last) group.alive[stored] = alive ? 1 : 0;
      memory_.row[at] = stored;
      memory_.action[episode * pass_.agent_count + agent] = alive ? 0 : -1;
    }
  }
  // A thread a feature of an episode, so that sums take its agents in ascending order.
  __device__ __forceinline__ void normalise(int g, int step, int first, int count) {
    const cuda::Group &group = pass_.groups[g];
    const int first_played = first / group.agents, last_played = (first + count - 1) / group.agents;
    const bool is_last = step == pass_.horizon;
    for (Share item(group.normalised); item.major <= last_played - first_played; item.next()) {
      const int played = first_played + item.major, episode = memory_.list[played], begin = played * group.agents;
      const Normalisation normalisation = group.normalisation[item.minor];
      double *sum = group.feature_sums + (first_slot_ + episode) * 2 * group.normalised + item.minor;
      double *square_sum = sum + group.normalised;
      for (int row = first < begin ? begin : first; row < first + count && row < begin + group.agents; ++row) {
        const int agent = group.first_agent + row - begin;
        if (memory_.action[episode * pass_.agent_count + agent] < 0) continue;  // not alive
        float &feature = features_.base[item.minor * features_.stride + row - first];
        const float value = feature;
        if (pass_.learns != 0 && !is_last) {
          *sum += static_cast<double>(value);
          *square_sum += static_cast<double>(value) * static_cast<double>(value);
        }
        feature = normalised(Float(value), normalisation).raw;
        if constexpr (checks)
          if (!(value - value == 0.0f) && !is_last)
            note_fault(episode, 2 * g, agent, cuda::Fault::observation, item.minor);
      }
    }
  }
  // The first that is not finite, or -1.
  __device__ __forceinline__ int broken_feature(const cuda::Group &group, const float *feature) const {
    for (int f = 0; f < group.observation_size; ++f) {
      const float value = feature[f * features_.stride];
      if (!(value - value == 0.0f)) return f;
    }
    return -1;
  }

  // To the wave's rows: the observation, while it learns also hidden features, logits following them.
  __device__ __forceinline__ void keep_features(const cuda::Group &group, int count, bool is_last) const {
    const int observed = group.observation_size;
    const int kept = pass_.learns != 0 && !is_last ? group.kept_hidden : 0;
    each_element(count, observed + kept, [&](int row, int feature) {
      const int64_t at = memory_.row[row];
      float *to = feature >= observed ? group.hidden + at * kept + feature - observed
                  : is_last           ? group.last_observation + at * observed + feature
                                      : group.observation + at * observed + feature;
      *to = features_.base[feature * features_.stride + row];
    });
  }

  // What lies in shared memory is named anew, so that the compiler sees where: it then reads it by instructions of its own.
  __device__ __forceinline__ void evaluate(const cuda::Group &group, int panel, int count) const {
    const int64_t first = group.layer[0].forward_panel;
    const Rows features = {in_shared(rollout_.features), features_.stride}, logits = features.from(group.features);
    if (rollout_.panels.in_shared != 0)
      forward<true, true>(group, {in_shared(rollout_.panels) + panel, first}, features, logits, count);
    else if (rollout_.features.in_shared != 0)
      forward<true, false>(group, {pass_.panels, 0}, features, logits, count);
    else
      forward<false, false>(group, {pass_.panels, 0}, features_, logits_of(group), count);
  }
  __device__ __forceinline__ static float *in_shared(const cuda::Place &place) {
    return reinterpret_cast<float *>(cuda::dynamic_shared() + place.offset);
  }

  // Samples a tile's actions from its logits.
  __device__ __forceinline__ void choose(int g, int step, int first, int count) {
    const cuda::Group &group = pass_.groups[g];
    const bool random = group.acting == cuda::acts_randomly;
    for (Share row(group.agents, first); row.item < first + count; row.next()) {
      const int episode = memory_.list[row.major], agent = group.first_agent + row.minor, at = row.item - first;
      const int64_t stored = memory_.row[at];
      int32_t &chosen = memory_.action[episode * pass_.agent_count + agent];
      Int action = 0;
      Float entropy = 0.0f, log_probability = 0.0f;
      if (chosen >= 0 && random && group.has_mask == 0) {
        // What equal logits would give: with n actions, sampling takes the first k for which k + 1 > uniform x n.
        action = truncate(uniform(action_bits(episode, step, agent)) * static_cast<float>(group.action_count));
      } else if (chosen >= 0) {
        float *logit = logits_of(group).base + at, *exponential = logit + group.action_count * features_.stride;
        for (int a = 0; random && a < group.action_count; ++a) logit[a * features_.stride] = 0.0f;
        const Logits logits(logit, features_.stride, group.action_count,
                            group.has_mask != 0 ? group.available + stored * group.action_count : nullptr, exponential,
                            features_.stride);
        if (none(logits.is_valid())) {
          const int broken = broken_feature(group, features_.base + at);
          note_fault(episode, 2 * g + 1, agent, broken >= 0 ? cuda::Fault::observation : cuda::Fault::logits, broken);
        }
        action = group.acting == cuda::acts_greedily ? logits.greedy()
                                                     : logits.sample(uniform(action_bits(episode, step, agent)));
        if (!random) entropy = logits.entropy();
        if (group.log_probability != nullptr) log_probability = logits.log_probability(action);
      }
      chosen = action.raw;
      group.action[stored] = action.raw;
      group.entropy[stored] = entropy.raw;
      if (group.log_probability != nullptr) group.log_probability[stored] = log_probability.raw;
    }
  }

  // Four agents share one block of random words: agent i takes word i mod 4 of the block of agent i - i mod 4.
  __device__ __forceinline__ Int action_bits(int episode, int step, int agent) const {
    const int word = agent % 4;
    const Block drawn =
        philox(counter(memory_.episode[episode].environment, common_.iteration, static_cast<uint32_t>(step),
                       agent - word, in_stream(Purpose::act, pass_.stream), 0),
               static_cast<uint32_t>(pass_.seed), static_cast<uint32_t>(pass_.seed >> 32));
    return word < 2 ? (word == 0 ? drawn.word[0] : drawn.word[1]) : (word == 2 ? drawn.word[2] : drawn.word[3]);
  }

  __device__ __forceinline__ void draw([[maybe_unused]] int step) {
    if constexpr (requires(E e, Draws source) { e.draw(source); })
      for (int k = static_cast<int>(threadIdx.x); k < playing_; k += static_cast<int>(blockDim.x)) {
        const int episode = memory_.list[k];
        E environment = environment_of(episode);
        Draws source = draws(episode, step, Purpose::environment);
        environment.draw(source);
      }
  }

  // -- faults of rows

  static constexpr unsigned long long no_fault = ~0ull;

  // An episode's faults of one step, the first being the lowest number: those of an earlier stage, then of a lower agent.
  // stage:16 | agent:12 | kind:4 | feature + 1:32
  __device__ __forceinline__ void note_fault(int episode, int stage, int agent, int kind, int feature) {
    const unsigned long long number = static_cast<unsigned long long>(stage) << 48 |
                                      static_cast<unsigned long long>(agent) << 36 |
                                      static_cast<unsigned long long>(kind) << 32 | static_cast<uint32_t>(feature + 1);
    atomicMin(&memory_.episode[episode].fault, number);
    atomicAdd(&common_.troubled, 1);
  }

  // Ends the episodes whose rows had one.
  __device__ __forceinline__ void give_up(int step) {
    for (int k = static_cast<int>(threadIdx.x); k < playing_; k += static_cast<int>(blockDim.x)) {
      const unsigned long long number = memory_.episode[memory_.list[k]].fault;
      if (number != no_fault)
        end(memory_.list[k], step,
            {static_cast<int32_t>(number >> 32 & 15), static_cast<int32_t>(number >> 36 & 4095), step,
             static_cast<int32_t>(number & UINT32_MAX) - 1});
    }
    __syncthreads();  // who plays on is known to the thread of the episode
    keep_playing();
  }

  // -- a step: what follows from the actions

  __device__ __forceinline__ void advance(int step) {
    for (Share item(pass_.agent_count); item.major < playing_; item.next()) {
      const int episode = memory_.list[item.major];
      environment_of(episode).act(item.minor, Int(memory_.action[episode * pass_.agent_count + item.minor]));
    }
    __syncthreads();  // what follows reads other agents' intents
    run_phases<0>();
    if constexpr (has_joint_rule) {
      for (int k = static_cast<int>(threadIdx.x); k < playing_; k += static_cast<int>(blockDim.x)) {
        E environment = environment_of(memory_.list[k]);
        if constexpr (requires { environment.resolve(); }) environment.resolve();
        if constexpr (requires { environment.share(); }) environment.share();
      }
      __syncthreads();  // every agent's reward reads what one thread resolved
    }
    for (int g = 0; g < pass_.group_count; ++g) {
      const cuda::Group &group = pass_.groups[g];
      for (Share item(group.agents); item.major < playing_; item.next()) {
        const int episode = memory_.list[item.major];
        const Float reward = environment_of(episode).reward(group.first_agent + item.minor);
        group.reward[row_of(group, episode, step, item.minor)] = reward.raw;
      }
    }
    __syncthreads();  // rewards may write what ends the episode, or is observed next
    if constexpr (may_end_early) end_episodes(step);
  }

  template <int K>
  __device__ __forceinline__ void run_phases() {
    if constexpr (requires { E::phase_count; }) {
      if constexpr (K < E::phase_count) {
        for (Share item(pass_.agent_count); item.major < playing_; item.next()) {
          E environment = environment_of(memory_.list[item.major]);
          environment.template phase<K>(item.minor);
        }
        __syncthreads();  // a phase reads what all agents wrote in the one before
        run_phases<K + 1>();
      }
    }
  }

  __device__ __forceinline__ void end_episodes(int step) {
    for (int k = static_cast<int>(threadIdx.x); k < playing_; k += static_cast<int>(blockDim.x)) {
      const int episode = memory_.list[k];
      E environment = environment_of(episode);
      bool done = false;
      if constexpr (requires { environment.done(); }) done = any(environment.done());
      if (breaks_rules(environment))
        end(episode, step + 1, {cuda::Fault::rules, -1, step, -1});
      else if (done)
        end(episode, step + 1);
    }
    __syncthreads();  // an end is known to the thread of the episode
    if (common_.ended != ended_) keep_playing();
  }

  const cuda::Rollout &rollout_;
  const cuda::Pass &pass_;
  Common &common_;
  const cuda::RowMemory memory_;
  char *const state_;
  const Rows features_;
  int64_t first_slot_ = 0;
  int playing_ = 0;               // entries of the list
  int ended_ = 0, troubled_ = 0;  // what this thread has seen of them
};

// The body of the kernel of one environment, whose argument is `rollout`.
template <class E, bool checks = false>
__device__ __forceinline__ void rollout(const cuda::Rollout &arguments) {
  using Episodes = BlockRollout<E, checks>;
  using Common = typename Episodes::Common;
  SWARMGRAD_SHARED(Common, common);
  Episodes(arguments, common).play();
}

}  // namespace swarmgrad::SWARMGRAD_TARGET
