// The same environment headers with sixteen lanes and with one: equal bits in every step (the test), and how many times
// faster sixteen are (the benchmark). Not the engine's speed: no policy, one thread, actions drawn beforehand.
// Usage: one_lane_<isa> checks every environment; one_lane_<isa> SECONDS [ID...] also times them.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "host/catalogue.h"
#include "host/failure.h"

namespace swarmgrad::one_lane {
#define SWARMGRAD_CATALOGUE_ENTRY(name) extern const host::EnvironmentTable name##_table;
#include "catalogue.inc"
#undef SWARMGRAD_CATALOGUE_ENTRY
const host::EnvironmentTable *const environment_tables[] = {
#define SWARMGRAD_CATALOGUE_ENTRY(name) &name##_table,
#include "catalogue.inc"
#undef SWARMGRAD_CATALOGUE_ENTRY
};
}  // namespace swarmgrad::one_lane

namespace {

using namespace swarmgrad;
using host::cohort_size;
using host::EnvironmentTable;
using host::GroupShape;

constexpr int checked_steps = 100;
constexpr int checked_cohorts = 4;
constexpr int timed_cohorts = 8;

struct alignas(host::cache_line) Line {
  char bytes[host::cache_line];
};

// Zeroed memory that may hold vectors.
class Memory {
 public:
  explicit Memory(size_t bytes) : lines_(bytes / sizeof(Line) + 1) {}
  template <class T>
  T *as() {
    return reinterpret_cast<T *>(lines_.data());
  }

 private:
  std::vector<Line> lines_;
};

// One game with so many lanes: what it is made of, and its latest step. Arrays as in host::EnvironmentTable.
class Game {
 public:
  Game(const EnvironmentTable &table, const std::vector<double> &parameters, int lanes)
      : table_(table), lanes_(lanes), parameters_(parameters), object_(table.object_bytes) {
    table_.construct(table_, parameters_.data(), object(), nullptr);
    memory_ = std::make_unique<Memory>(table_.memory_bytes(object()));
    horizon_ = table_.horizon(object());
    size_t agents = 0;
    for (int g = 0; g < table_.group_count(object()); ++g) {
      groups_.push_back(table_.group(object(), g));
      const GroupShape &shape = groups_.back();
      const size_t rows = static_cast<size_t>(shape.agents * lanes_);
      observations_.emplace_back(rows * static_cast<size_t>(shape.observation_size) * sizeof(float));
      masks_.emplace_back(static_cast<size_t>(shape.agents * shape.action_count), uint16_t{0xffff});
      agents += static_cast<size_t>(shape.agents);
    }
    rewards_ = std::make_unique<Memory>(agents * static_cast<size_t>(lanes_) * sizeof(float));
    table_.construct(table_, parameters_.data(), object(), memory_->as<char>());
  }

  int lanes() const { return lanes_; }
  int horizon() const { return horizon_; }
  const std::vector<GroupShape> &groups() const { return groups_; }
  int agents() const {
    int sum = 0;
    for (const GroupShape &group : groups_) sum += group.agents;
    return sum;
  }

  void reset(int first_environment) {
    context_ = {first_environment, lanes_, 0, Stream::training, 1};
    table_.reset(object(), context_);
  }
  void observe() {
    int first = 0;
    for (size_t g = 0; g < groups_.size(); first += groups_[g].agents, ++g)
      table_.observe(object(), first, groups_[g].agents, observations_[g].as<float>(), groups_[g].agents * lanes_,
                     groups_[g].has_mask ? masks_[g].data() : nullptr, groups_[g].action_count);
  }
  // actions: [agent][lane]. Returns the bits of the lanes whose episode has ended.
  uint32_t step(int step, const int32_t *actions) {
    table_.draw(object(), context_, step);
    return table_.step(object(), actions, rewards_->as<float>());
  }

  float observation(size_t group, int agent, int feature, int lane) {
    return observations_[group].as<float>()[(feature * groups_[group].agents + agent) * lanes_ + lane];
  }
  bool available(size_t group, int agent, int action, int lane) const {
    return (masks_[group][static_cast<size_t>(agent * groups_[group].action_count + action)] >> lane & 1) != 0;
  }
  float reward(int agent, int lane) { return rewards_->as<float>()[agent * lanes_ + lane]; }
  bool alive(int agent, int lane) { return (table_.alive(object(), agent) >> lane & 1) != 0; }
  int state_size() { return static_cast<int>(table_.state_bytes(object()) / sizeof(float)) / lanes_; }
  uint32_t state(int element, int lane) { return memory_->as<uint32_t>()[element * lanes_ + lane]; }

 private:
  void *object() { return object_.as<void>(); }

  const EnvironmentTable &table_;
  int lanes_, horizon_ = 0;
  std::vector<double> parameters_;
  Memory object_;
  std::unique_ptr<Memory> memory_, rewards_;
  std::vector<GroupShape> groups_;
  std::vector<Memory> observations_;
  std::vector<std::vector<uint16_t>> masks_;
  host::EnvironmentContext context_ = {};
};

// Numbers from which actions are chosen, the same for any number of lanes; [step][agent][environment].
uint32_t choice_number(int environment, int step, int agent) {
  uint32_t x = static_cast<uint32_t>(environment) * 0x9e3779b9u + static_cast<uint32_t>(step) * 0x85ebca6bu +
               static_cast<uint32_t>(agent) * 0xc2b2ae35u + 1;
  for (const uint32_t multiplier : {0x7feb352du, 0x846ca68bu}) x = (x ^ x >> 16) * multiplier;
  return x ^ x >> 16;
}

// The actions of one cohort over an episode, [step][agent][lane]; those of groups with a mask are chosen in play.
class Actions {
 public:
  Actions(Game &game, int first_environment)
      : game_(game), numbers_(static_cast<size_t>(game.horizon() * game.agents() * game.lanes())) {
    size_t k = 0;
    for (int step = 0; step < game.horizon(); ++step) {
      int agent = 0;
      for (const GroupShape &group : game.groups())
        for (int member = 0; member < group.agents; ++member, ++agent)
          for (int lane = 0; lane < game.lanes(); ++lane, ++k) {
            const uint32_t number = choice_number(first_environment + lane, step, agent) >> 8;
            numbers_[k] =
                static_cast<int32_t>(group.has_mask ? number : number % static_cast<uint32_t>(group.action_count));
          }
    }
    for (const GroupShape &group : game.groups()) masked_ |= group.has_mask;
    if (masked_) chosen_.resize(static_cast<size_t>(game.agents() * game.lanes()));
  }
  // After observe().
  const int32_t *at(int step) {
    const size_t rows = static_cast<size_t>(game_.agents() * game_.lanes());
    const int32_t *numbers = numbers_.data() + static_cast<size_t>(step) * rows;
    if (!masked_) return numbers;
    size_t k = 0;
    for (size_t g = 0; g < game_.groups().size(); ++g) {
      const GroupShape &group = game_.groups()[g];
      for (int agent = 0; agent < group.agents; ++agent)
        for (int lane = 0; lane < game_.lanes(); ++lane, ++k)
          chosen_[k] = group.has_mask ? nth_available(g, agent, lane, numbers[k]) : numbers[k];
    }
    return chosen_.data();
  }

 private:
  int nth_available(size_t group, int agent, int lane, int number) const {
    const int actions = game_.groups()[group].action_count;
    int count = 0;
    for (int a = 0; a < actions; ++a) count += game_.available(group, agent, a, lane);
    if (count == 0) return 0;
    for (int a = 0, left = number % count;; ++a)
      if (game_.available(group, agent, a, lane) && left-- == 0) return a;
  }

  Game &game_;
  std::vector<int32_t> numbers_, chosen_;
  bool masked_ = false;
};

bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// Where one environment in a lane of `wide` and alone in `narrow` differ after `step`; "" where they do not.
std::string difference(Game &wide, Game &narrow, int lane) {
  int agent = 0;
  for (size_t g = 0; g < wide.groups().size(); ++g)
    for (int member = 0; member < wide.groups()[g].agents; ++member, ++agent) {
      const std::string where = ", agent " + std::to_string(agent);
      for (int f = 0; f < wide.groups()[g].observation_size; ++f)
        if (!same_bits(wide.observation(g, member, f, lane), narrow.observation(g, member, f, 0)))
          return where + ", observation " + std::to_string(f);
      for (int a = 0; wide.groups()[g].has_mask && a < wide.groups()[g].action_count; ++a)
        if (wide.available(g, member, a, lane) != narrow.available(g, member, a, 0))
          return where + ", availability of action " + std::to_string(a);
      if (!same_bits(wide.reward(agent, lane), narrow.reward(agent, 0))) return where + ", reward";
      if (wide.alive(agent, lane) != narrow.alive(agent, 0)) return where + ", alive";
    }
  for (int k = 0; k < wide.state_size(); ++k)
    if (wide.state(k, lane) != narrow.state(k, 0)) return ", state element " + std::to_string(k);
  return "";
}

// An environment in both forms.
struct Forms {
  const char *id;
  const EnvironmentTable &wide, &narrow;
  std::vector<double> parameters;
};

// Plays both forms in lockstep; false, with a line that says where, at the first difference.
bool check(const Forms &forms) {
  for (int cohort = 0; cohort < checked_cohorts; ++cohort) {
    Game wide(forms.wide, forms.parameters, cohort_size);
    Actions actions(wide, cohort * cohort_size);
    std::vector<std::unique_ptr<Game>> narrow;
    wide.reset(cohort * cohort_size);
    for (int lane = 0; lane < cohort_size; ++lane) {
      narrow.push_back(std::make_unique<Game>(forms.narrow, forms.parameters, 1));
      narrow.back()->reset(cohort * cohort_size + lane);
    }
    uint32_t ended = 0;
    for (int step = 0; step < std::min(wide.horizon(), checked_steps) && ended != 0xffff; ++step) {
      wide.observe();
      const int32_t *action = actions.at(step);
      const uint32_t wide_ended = wide.step(step, action);
      for (int lane = 0; lane < cohort_size; ++lane) {
        if ((ended >> lane & 1) != 0) continue;
        Game &game = *narrow[static_cast<size_t>(lane)];
        game.observe();
        std::vector<int32_t> own;
        for (int agent = 0; agent < wide.agents(); ++agent) own.push_back(action[agent * cohort_size + lane]);
        std::string where;
        if ((game.step(step, own.data()) & 1) != (wide_ended >> lane & 1))
          where = ", end of the episode";
        else
          where = difference(wide, game, lane);
        if (where.empty()) continue;
        std::printf("%s: one lane differs from sixteen: environment %d, step %d%s\n", forms.id,
                    cohort * cohort_size + lane, step, where.c_str());
        return false;
      }
      ended |= wide_ended;
    }
  }
  return true;
}

// Plays whole episodes and counts environment-steps, those after an episode's end not among them.
class Timed {
 public:
  Timed(const EnvironmentTable &table, const std::vector<double> &parameters, int lanes)
      : game_(table, parameters, lanes) {
    for (int first = 0; first < timed_cohorts * cohort_size; first += lanes) actions_.emplace_back(game_, first);
  }
  // Nanoseconds an environment-step.
  double play() {
    const auto start = std::chrono::steady_clock::now();
    int64_t steps = 0;
    const uint32_t all = (1u << game_.lanes()) - 1;
    for (size_t cohort = 0; cohort < actions_.size(); ++cohort) {
      game_.reset(static_cast<int>(cohort) * game_.lanes());
      uint32_t ended = 0;
      for (int step = 0; step < game_.horizon() && ended != all; ++step) {
        steps += __builtin_popcount(all & ~ended);
        game_.observe();
        ended |= game_.step(step, actions_[cohort].at(step));
      }
    }
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
    return time.count() / static_cast<double>(steps);
  }

 private:
  Game game_;
  std::vector<Actions> actions_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Both forms by turns, so that what else the machine does slows both.
void time(const Forms &forms, double seconds) {
  Timed wide(forms.wide, forms.parameters, cohort_size), narrow(forms.narrow, forms.parameters, 1);
  std::vector<double> wide_times, narrow_times, ratios;
  const auto start = std::chrono::steady_clock::now();
  do {
    wide_times.push_back(wide.play());
    narrow_times.push_back(narrow.play());
    ratios.push_back(narrow_times.back() / wide_times.back());
  } while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < seconds);
  std::printf("%-32s %10.2f %10.2f %8.2f\n", forms.id, median(wide_times), median(narrow_times), median(ratios));
}

}  // namespace

int main(int argc, char **argv) try {
  const host::Kernels *kernels = host::kernels_of(SWARMGRAD_ISA);
  if (kernels == nullptr) {
    std::printf("skipped: this processor has no %s\n", host::isa_name(SWARMGRAD_ISA));
    return SWARMGRAD_SKIPPED;
  }
  const double seconds = argc > 1 ? std::atof(argv[1]) : 0;
  std::vector<const char *> ids(argv + std::min(argc, 2), argv + argc);
  for (int k = 0; argc <= 2 && k < kernels->environment_count; ++k) ids.push_back(kernels->environments[k]->id);
  if (seconds > 0) std::printf("%-32s %10s %10s %8s\n", host::isa_name(SWARMGRAD_ISA), "16: ns", "1: ns", "ratio");
  bool equal = true;
  for (const char *id : ids) {
    const host::NamedEnvironment named = host::find_environment(id);
    const Forms forms = {id, *kernels->environments[named.index], *one_lane::environment_tables[named.index],
                         named.parameters};
    equal &= check(forms);
    if (seconds > 0) time(forms, seconds);
  }
  return equal ? 0 : 1;
} catch (const host::Failure &failure) {
  std::printf("%s\n", failure.what());
  return 1;
}
