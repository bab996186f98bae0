// The kernel that weighs, against the definitions of docs/estimator.md written out for sixteen lanes: weights, every sum of
// a cohort and every fault, bit for bit, whatever the grid, the block and the order of threads.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <random>

#include "cuda/kernel.h"
#include "cuda/plan.h"
#include "cuda/tests/device_memory.h"

SWARMGRAD_KERNEL_HANDLE(swarmgrad_weigh);

namespace {

using namespace swarmgrad_tests;
using namespace swarmgrad::cuda;
using swarmgrad::Moments;

enum Kind { total_return, reward_to_go, own_return, discounted_state };
enum Baseline { none, leave_one_out, previous_batch };

// The episodes of a wave: two groups, some agents dead, some episodes over early, in rows that were never written.
struct Episodes {
  int count, horizon;
  std::vector<int> agents = {3, 2};
  std::vector<int64_t> cohort_first;
  std::vector<int32_t> length;              // [slot]
  std::vector<std::vector<float>> reward;   // [group][slot][row]
  std::vector<std::vector<float>> entropy;  // likewise
  std::vector<std::vector<uint8_t>> alive;  // likewise

  int cohorts() const { return static_cast<int>(cohort_first.size()) - 1; }
  int members(int c) const {
    return static_cast<int>(cohort_first[static_cast<size_t>(c) + 1] - cohort_first[static_cast<size_t>(c)]);
  }
  size_t at(int g, int slot, int step, int agent) const {
    const int rows = horizon * agents[static_cast<size_t>(g)];
    return static_cast<size_t>(slot * rows + step * agents[static_cast<size_t>(g)] + agent);
  }
  bool plays(int slot, int step) const {
    return slot % 16 < members(slot / 16) && step < length[static_cast<size_t>(slot)];
  }
};

Episodes episodes_of(int count, int horizon, bool ends_early) {
  std::mt19937 random(static_cast<unsigned>(count * 100 + horizon));
  std::normal_distribution<float> normal(0.0f, 3.0f);
  Episodes e = {};
  e.count = count;
  e.horizon = horizon;
  const int cohorts = (count + 15) / 16;
  for (int c = 0; c <= cohorts; ++c) e.cohort_first.push_back(int64_t{c} * count / cohorts);
  e.length.assign(static_cast<size_t>(cohorts) * 16, -1);
  for (int c = 0; c < cohorts; ++c)
    for (int lane = 0; lane < e.members(c); ++lane)
      e.length[static_cast<size_t>(16 * c + lane)] =
          ends_early ? 1 + static_cast<int>(random() % static_cast<unsigned>(horizon)) : horizon;
  for (int g = 0; g < 2; ++g) {
    const size_t cells = static_cast<size_t>(cohorts * 16 * horizon * e.agents[static_cast<size_t>(g)]);
    e.reward.emplace_back(cells, std::numeric_limits<float>::quiet_NaN());
    e.entropy.emplace_back(cells, std::numeric_limits<float>::quiet_NaN());
    e.alive.emplace_back(cells, uint8_t{0xff});
    for (int slot = 0; slot < 16 * cohorts; ++slot)
      for (int step = 0; step < horizon; ++step)
        for (int agent = 0; agent < e.agents[static_cast<size_t>(g)]; ++agent) {
          if (!e.plays(slot, step)) continue;
          const size_t k = e.at(g, slot, step, agent);
          e.alive[static_cast<size_t>(g)][k] = random() % 4 != 0;
          e.reward[static_cast<size_t>(g)][k] = normal(random);
          e.entropy[static_cast<size_t>(g)][k] =
              e.alive[static_cast<size_t>(g)][k] != 0 ? std::abs(normal(random)) : 0.0f;
        }
  }
  return e;
}

struct Setting {
  int kind = reward_to_go, baseline = leave_one_out;
  double discount = 0.97;
  bool mean = true, scales = true;
  Moments moments = {48, -7.25, 911.0};
  std::vector<double> previous = {};  // [horizon]
  double reward_scale = 0.75;
};

// ---- what the kernel leaves ---------------------------------------------------------------------------------------------

struct Outcome {
  std::vector<std::vector<float>> weight;  // [group][slot][row]
  std::vector<double> statistics;
  std::vector<int32_t> cohort_steps;
  Control control;
  std::vector<Fault> fault;
  unsigned long long cohorts;
};

struct Run {
  bool learns = true;
  int given_steps = 0;
  int64_t first_episode = 40;
  uint32_t fault_environment = UINT32_MAX;
  int blocks = 2, threads = 64;
  const char *order = "forward";
};

Outcome weigh(const Episodes &e, const Setting &setting, const Run &run = {}) {
  swarmgrad_emulation_set("order", run.order);
  const auto slots = static_cast<size_t>(16 * e.cohorts());
  std::vector<std::unique_ptr<Array<float>>> floats;
  std::vector<std::unique_ptr<Array<uint8_t>>> bytes;
  std::vector<std::unique_ptr<Array<double>>> doubles;
  const Array<Moments> moments(setting.moments);
  const Array<double> previous(setting.previous.empty() ? std::vector<double>(static_cast<size_t>(e.horizon))
                                                        : setting.previous);
  std::vector<Group> groups;
  std::vector<Rule> rules;
  int statistics = 0, first_agent = 0;
  for (size_t g = 0; g < 2; ++g) {
    Group group = {};
    group.first_agent = first_agent;
    group.agents = e.agents[g];
    group.rows = e.horizon * group.agents;
    group.statistics = statistics;
    floats.push_back(std::make_unique<Array<float>>(e.reward[g]));
    group.reward = floats.back()->get();
    floats.push_back(std::make_unique<Array<float>>(e.entropy[g]));
    group.entropy = floats.back()->get();
    bytes.push_back(std::make_unique<Array<uint8_t>>(e.alive[g]));
    group.alive = bytes.back()->get();
    const auto most = static_cast<size_t>(std::max(e.horizon, group.agents));
    doubles.push_back(std::make_unique<Array<double>>(slots * most, std::numeric_limits<double>::quiet_NaN()));
    group.value = doubles.back()->get();
    groups.push_back(group);
    rules.push_back({setting.kind, setting.baseline, setting.discount, 1.0, setting.reward_scale, 0,
                     setting.mean ? group.agents : 1, setting.scales, setting.kind == own_return ? group.agents : 1,
                     previous.get(), moments.get(), nullptr});
    statistics += static_cast<int>(swarmgrad::statistics_of_group(group.agents, e.horizon, 0));
    first_agent += group.agents;
  }
  const Array<Group> device_groups(groups);
  const Array<Rule> device_rules(rules);
  const Array<int64_t> cohort_first(e.cohort_first);
  const Array<int32_t> length(e.length), cohort_steps(static_cast<size_t>(e.cohorts()), -1);
  const Array<Fault> fault(slots, Fault{Fault::none, -1, -1, -1});
  const Array<double> cohort_statistics(static_cast<size_t>(e.cohorts() * statistics),
                                        std::numeric_limits<double>::quiet_NaN());
  const Array<Control> control(Control{run.fault_environment, 0, -1, -1, UINT32_MAX, 0});
  const Array<Shared> shared(Shared{});
  Weigh arguments = {};
  Pass &pass = arguments.pass;
  pass.groups = device_groups.get();
  pass.rules = device_rules.get();
  pass.group_count = 2;
  pass.agent_count = first_agent;
  pass.horizon = e.horizon;
  pass.statistics_per_cohort = statistics;
  pass.learns = run.learns;
  pass.first_episode = run.first_episode;
  pass.episodes = e.count;
  pass.cohorts = e.cohorts();
  pass.cohort_first = run.given_steps > 0 ? cohort_first.get() : nullptr;
  pass.wave_cohorts = e.cohorts();
  pass.length = length.get();
  pass.cohort_steps = cohort_steps.get();
  pass.fault = fault.get();
  pass.cohort_statistics = cohort_statistics.get();
  pass.control = control.get();
  pass.shared = shared.get();
  arguments.group = -1;
  arguments.steps = run.given_steps;
  launch(swarmgrad_weigh_handle, arguments, run.blocks, run.threads);
  swarmgrad_emulation_reset();
  return {{floats[0]->values(), floats[2]->values()},
          cohort_statistics.values(),
          cohort_steps.values(),
          control.value(),
          fault.values(),
          shared.value().cohorts};
}

// ---- what it should leave -----------------------------------------------------------------------------------------------

struct Expected {
  std::vector<std::vector<float>> weight;
  std::vector<double> statistics;
  std::vector<int32_t> cohort_steps;
};

// One cohort's group: rewards become weights, and out the sums.
void expect_group(const Episodes &e, const Setting &setting, bool learns, int c, int g, int steps,
                  std::vector<float> &cells, double *out) {
  const int agents = e.agents[static_cast<size_t>(g)], members = e.members(c);
  const auto cell = [&](int lane, int step, int agent) -> float & {
    return cells[e.at(g, 16 * c + lane, step, agent)];
  };
  const auto lives = [&](int lane, int step, int agent) {
    return e.plays(16 * c + lane, step) && e.alive[static_cast<size_t>(g)][e.at(g, 16 * c + lane, step, agent)] != 0;
  };
  double team_return[16] = {}, entropy[16] = {};
  int agent_steps = 0, length = 0;
  for (int lane = 0; lane < 16; ++lane)
    for (int step = 0; step < steps; ++step)
      for (int agent = 0; agent < agents; ++agent) {
        if (!e.plays(16 * c + lane, step)) cell(lane, step, agent) = 0.0f;
        agent_steps += lives(lane, step, agent);
        if (lives(lane, step, agent))
          entropy[lane] += static_cast<double>(e.entropy[static_cast<size_t>(g)][e.at(g, 16 * c + lane, step, agent)]);
      }
  for (int lane = 0; lane < members; ++lane) length += e.length[static_cast<size_t>(16 * c + lane)];
  for (int agent = 0; agent < agents; ++agent) {
    double own[16] = {};
    for (int lane = 0; lane < members; ++lane) {
      for (int step = 0; step < steps; ++step) own[lane] += static_cast<double>(cell(lane, step, agent));
      team_return[lane] += own[lane];
    }
    out[swarmgrad::agent_return_at(agent)] = tree_over_lanes(own);
  }
  double squares[16] = {}, least = HUGE_VAL, most = -HUGE_VAL;
  for (int lane = 0; lane < members; ++lane) {
    squares[lane] = team_return[lane] * team_return[lane];
    least = std::min(least, team_return[lane]);
    most = std::max(most, team_return[lane]);
  }
  out[swarmgrad::return_sum] = tree_over_lanes(team_return);
  out[swarmgrad::return_square_sum] = tree_over_lanes(squares);
  out[swarmgrad::return_minimum] = least;
  out[swarmgrad::return_maximum] = most;
  out[swarmgrad::length_sum] = length;
  out[swarmgrad::agent_step_count] = agent_steps;
  out[swarmgrad::entropy_sum] = tree_over_lanes(entropy);
  if (!learns) return;

  const bool per_step = setting.kind == reward_to_go || setting.kind == discounted_state;
  const int count = per_step ? steps : setting.kind == own_return ? agents : 1;
  std::vector<std::vector<double>> value(16, std::vector<double>(static_cast<size_t>(count)));  // [lane][step or agent]
  for (int lane = 0; lane < members; ++lane) {
    const auto reward = [&](int step) {
      double sum = 0;
      for (int agent = 0; agent < agents; ++agent) sum += static_cast<double>(cell(lane, step, agent));
      return sum;
    };
    double to_go = 0, power = 1;
    for (int step = steps - 1; step >= 0; --step) {
      to_go = reward(step) + setting.discount * to_go;
      if (per_step) value[static_cast<size_t>(lane)][static_cast<size_t>(step)] = to_go;
    }
    if (setting.kind == total_return) value[static_cast<size_t>(lane)][0] = to_go;
    for (int step = 0; setting.kind == discounted_state && step < steps; ++step, power *= setting.discount)
      value[static_cast<size_t>(lane)][static_cast<size_t>(step)] *= power;
    for (int agent = 0; setting.kind == own_return && agent < agents; ++agent) {
      to_go = 0;
      for (int step = steps - 1; step >= 0; --step)
        to_go = static_cast<double>(cell(lane, step, agent)) + setting.discount * to_go;
      value[static_cast<size_t>(lane)][static_cast<size_t>(agent)] = to_go;
    }
  }
  double factor = setting.mean ? setting.reward_scale / agents : setting.reward_scale;
  if (setting.scales) factor *= 1.0 / std::sqrt(setting.moments.squares / setting.moments.count);
  double weights[16] = {}, weight_squares[16] = {}, magnitudes[16] = {};
  for (int step = 0; step < steps; ++step)
    for (int agent = 0; agent < agents; ++agent) {
      const auto index = static_cast<size_t>(per_step ? step : setting.kind == own_return ? agent : 0);
      double all[16];
      for (int lane = 0; lane < 16; ++lane) all[lane] = value[static_cast<size_t>(lane)][index];
      for (int lane = 0; lane < 16; ++lane) {
        double baseline = 0;
        if (setting.baseline == leave_one_out) baseline = (tree_over_lanes(all) - all[lane]) / (members - 1);
        if (setting.baseline == previous_batch) baseline = setting.previous[per_step ? static_cast<size_t>(step) : 0];
        float &where = cell(lane, step, agent);
        where = lives(lane, step, agent) ? static_cast<float>((all[lane] - baseline) * factor) : 0.0f;
        weights[lane] += static_cast<double>(where);
        weight_squares[lane] += static_cast<double>(where) * static_cast<double>(where);
        magnitudes[lane] += static_cast<double>(std::abs(where));
      }
    }
  out[swarmgrad::weight_sum] = tree_over_lanes(weights);
  out[swarmgrad::weight_square_sum] = tree_over_lanes(weight_squares);
  out[swarmgrad::weight_magnitude_sum] = tree_over_lanes(magnitudes);
  double total[16] = {};
  for (int k = 0; k < count; ++k) {
    double all[16] = {};
    for (int lane = 0; lane < 16; ++lane) {
      all[lane] = value[static_cast<size_t>(lane)][static_cast<size_t>(k)];
      total[lane] += all[lane];
    }
    out[swarmgrad::value_sum_at(agents, per_step ? k : 0)] = per_step ? tree_over_lanes(all) : tree_over_lanes(total);
  }
}

Expected expected_of(const Episodes &e, const Setting &setting, bool learns) {
  Expected all = {e.reward, {}, {}};
  for (int c = 0; c < e.cohorts(); ++c) {
    int steps = 0;
    for (int lane = 0; lane < e.members(c); ++lane)
      steps = std::max(steps, e.length[static_cast<size_t>(16 * c + lane)]);
    all.cohort_steps.push_back(steps);
    for (int g = 0; g < 2; ++g) {
      const size_t first = all.statistics.size();
      all.statistics.resize(
          first + static_cast<size_t>(swarmgrad::statistics_of_group(e.agents[static_cast<size_t>(g)], e.horizon, 0)));
      expect_group(e, setting, learns, c, g, steps, all.weight[static_cast<size_t>(g)], all.statistics.data() + first);
    }
  }
  return all;
}

void compare(const Outcome &found, const Expected &expected) {
  CHECK(first_difference(found.weight[0], expected.weight[0]) == -1);
  CHECK(first_difference(found.weight[1], expected.weight[1]) == -1);
  CHECK(first_difference(found.statistics, expected.statistics) == -1);
  CHECK(found.cohort_steps == expected.cohort_steps);
  CHECK(found.control.fault_environment == UINT32_MAX);
}

TEST_CASE("weights and sums are those of the definitions, whatever the size of the batch") {
  for (const int count : {2, 15, 16, 17, 18, 33})
    for (const int horizon : {1, 25})
      for (const bool ends_early : {false, true}) {
        CAPTURE(count);
        CAPTURE(horizon);
        CAPTURE(ends_early);
        const Episodes e = episodes_of(count, horizon, ends_early);
        const Outcome found = weigh(e, {});
        compare(found, expected_of(e, {}, true));
        CHECK(found.cohorts == static_cast<unsigned>(e.cohorts()));
      }
}

TEST_CASE("every kind of weight with every baseline and scale") {
  const Episodes e = episodes_of(18, 7, true);
  for (const int kind : {total_return, reward_to_go, own_return, discounted_state})
    for (const int baseline : {none, leave_one_out, previous_batch})
      for (const bool mean : {false, true})
        for (const bool scales : {false, true}) {
          CAPTURE(kind);
          CAPTURE(baseline);
          CAPTURE(mean);
          CAPTURE(scales);
          Setting setting = {kind, baseline, 0.9, mean, scales, {48, -7.25, 911.0}, {}};
          for (int step = 0; step < 7; ++step) setting.previous.push_back(0.3 * step - 1.1);
          compare(weigh(e, setting), expected_of(e, setting, true));
        }
}

TEST_CASE("one episode alone has no others to compare with, but a baseline of the batch before") {
  const Episodes e = episodes_of(1, 25, true);
  Setting setting;
  setting.baseline = previous_batch;
  setting.previous.assign(25, 0.125);
  compare(weigh(e, setting), expected_of(e, setting, true));
}

TEST_CASE("the same bits whatever the grid, the block and the order of threads") {
  const Episodes e = episodes_of(50, 5, true);
  const Expected expected = expected_of(e, {}, true);
  for (const int blocks : {1, 3, 8})
    for (const int threads : {16, 32, 48, 128})
      for (const char *order : orders) {
        CAPTURE(blocks);
        CAPTURE(threads);
        CAPTURE(order);
        Run run;
        run.blocks = blocks;
        run.threads = threads;
        run.order = order;
        compare(weigh(e, {}, run), expected);
      }
}

TEST_CASE("an evaluation has returns, lengths and entropies, and keeps its rewards") {
  const Episodes e = episodes_of(17, 6, true);
  Run run;
  run.learns = false;
  compare(weigh(e, {}, run), expected_of(e, {}, false));
}

TEST_CASE("given rewards come with a partition and steps of their own, and leave no sums") {
  Episodes e = episodes_of(18, 6, true);
  e.cohort_first = {0, 11, 13, 18};
  const Episodes wider = episodes_of(48, 6, true);  // slots for three cohorts
  e.reward = wider.reward;
  e.entropy = wider.entropy;
  e.alive = wider.alive;
  e.length = wider.length;
  Run run;
  run.given_steps = 6;
  const Outcome found = weigh(e, {}, run);
  Expected expected = expected_of(e, {}, true);
  // Rows from the longest episode's end to the given steps are zeros too.
  for (int g = 0; g < 2; ++g)
    for (int slot = 0; slot < 48; ++slot)
      for (int step = 0; step < 6; ++step)
        for (int agent = 0; agent < e.agents[static_cast<size_t>(g)]; ++agent)
          if (!e.plays(slot, step)) expected.weight[static_cast<size_t>(g)][e.at(g, slot, step, agent)] = 0.0f;
  CHECK(first_difference(found.weight[0], expected.weight[0]) == -1);
  CHECK(first_difference(found.weight[1], expected.weight[1]) == -1);
  CHECK(found.cohort_steps == std::vector<int32_t>{6, 6, 6});
  CHECK(std::isnan(found.statistics[0]));
  CHECK(found.cohorts == 0);
}

TEST_CASE("the fault told is the lowest cohort's first, in any order") {
  Episodes e = episodes_of(50, 5, false);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  // Cohort 3's, and in cohort 1 first by agent, then by step, then by lane.
  e.reward[0][e.at(0, 16 * 3 + 1, 0, 0)] = nan;
  e.reward[1][e.at(1, 16 * 1 + 7, 3, 1)] = nan;
  e.reward[1][e.at(1, 16 * 1 + 5, 3, 1)] = nan;
  e.reward[1][e.at(1, 16 * 1 + 2, 4, 0)] = std::numeric_limits<float>::infinity();
  for (const char *order : orders)
    for (const int blocks : {1, 4}) {
      Run run;
      run.order = order;
      run.blocks = blocks;
      run.threads = 32;
      const Outcome found = weigh(e, {}, run);
      const auto lowest = static_cast<uint32_t>(40 + e.cohort_first[1] + 5);
      CHECK(found.control.fault_environment == lowest);
      const Fault &fault = found.fault[16 + 5];
      CHECK(fault.kind == Fault::reward);
      CHECK(fault.agent == 3 + 1);
      CHECK(fault.step == 3);
      CHECK(found.fault[16 + 7].kind == Fault::none);
    }
}

TEST_CASE("rewards that are finite and make a weight that is not") {
  Episodes e = episodes_of(20, 5, false);
  e.reward[0][e.at(0, 4, 2, 0)] = 3e38f;
  e.reward[0][e.at(0, 4, 2, 1)] = 3e38f;
  const Outcome found = weigh(e, {reward_to_go, none, 1.0, false, false, {}, {}});
  CHECK(found.control.fault_environment == 44);
  CHECK(found.fault[4].kind == Fault::weight);
  CHECK(found.fault[4].agent == 0);
  CHECK(found.fault[4].step == 0);
}

TEST_CASE("after the rollout's fault earlier cohorts are still looked at, the others are left alone") {
  Episodes e = episodes_of(50, 5, false);
  Run run;
  run.fault_environment = static_cast<uint32_t>(40 + e.cohort_first[2] + 3);
  const Outcome clean = weigh(e, {}, run);
  CHECK(clean.control.fault_environment == run.fault_environment);
  CHECK(clean.cohorts == 2);
  CHECK(clean.cohort_steps == std::vector<int32_t>{5, 5, -1, -1});
  e.reward[0][e.at(0, 16, 1, 2)] = std::numeric_limits<float>::quiet_NaN();
  CHECK(weigh(e, {}, run).control.fault_environment == static_cast<uint32_t>(40 + e.cohort_first[1]));
}

}  // namespace
