// The kernels after a pass (measure, update, commit) against the same rules written out: norms, optimizers, baselines and
// moments bit for bit over several iterations without the host, what is logged of each, and what a fault leaves alone.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <random>

#include "cuda/kernel.h"
#include "cuda/plan.h"
#include "cuda/tests/device_memory.h"

SWARMGRAD_KERNEL_HANDLE(swarmgrad_measure);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_update);
SWARMGRAD_KERNEL_HANDLE(swarmgrad_commit);

namespace {

using namespace swarmgrad_tests;
using namespace swarmgrad::cuda;
using swarmgrad::Moments;
using swarmgrad::Optimizer;

constexpr int horizon = 4, iterations = 3;
constexpr double episodes = 33;
const std::vector<int> agents = {3, 1, 2};
const std::vector<int> normalised = {2, 0, 1};  // features of each group
constexpr size_t features = 3;
const std::vector<int64_t> sizes = {1, 16, 1003, 5};  // parameters of each network: the last one is a value network
constexpr int64_t parameters = 1 + 16 + 1003 + 5;

struct Batch {
  std::vector<float> gradient;
  std::vector<double> statistics;
  double rate;
};

std::vector<float> random_floats(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float &value : values) value = normal(random);
  return values;
}

std::vector<Batch> batches() {
  std::vector<Batch> all;
  for (unsigned k = 0; k < iterations; ++k) {
    Batch batch = {random_floats(parameters, 10 + k), {}, 0.01 / (k + 1)};
    std::mt19937 random(20 + k);
    std::normal_distribution<double> normal(-40, 9);
    for (size_t g = 0; g < agents.size(); ++g) {
      const size_t first = batch.statistics.size();
      for (int64_t n = 0; n < swarmgrad::statistics_of_group(agents[g], horizon, normalised[g]); ++n)
        batch.statistics.push_back(normal(random));
      double &squares = batch.statistics[first + swarmgrad::return_square_sum];
      const double sum = batch.statistics[first + swarmgrad::return_sum];
      squares = sum * sum / episodes + (k == 1 ? -1e-9 : 500.0);  // rounding may leave less than nothing
      const double rows = k == 1 ? 0 : 70;
      batch.statistics[first + swarmgrad::agent_step_count] = rows;
      double *of_features = batch.statistics.data() + first + swarmgrad::feature_sums_at(agents[g], horizon);
      for (int f = 0; rows > 0 && f < normalised[g]; ++f)
        of_features[normalised[g] + f] = of_features[f] * of_features[f] / rows + 3.0 * f;
    }
    all.push_back(batch);
  }
  return all;
}

// What survives an iteration, and what is told of each.
struct State {
  std::vector<float> parameters, first, second;
  std::vector<double> products = {1, 1};
  std::vector<double> baseline = std::vector<double>(agents.size() * horizon);
  std::vector<Moments> moments = std::vector<Moments>(agents.size()), of_features = std::vector<Moments>(features);
  std::vector<double> agent_return = {}, statistics_log = {}, norm_log = {}, factor_log = {};
};

struct Setting {
  int kind = Optimizer::adam;
  double clip = 20;  // only the largest group's gradient is longer
  bool own_return = false, commits = true;
};

Optimizer optimizer_of(const Setting &setting) { return {setting.kind, setting.clip, 0.9, 0.999, 1e-8}; }

// ---- the rules written out ------------------------------------------------------------------------------------------------

double norm_of(const float *values, int64_t count) {
  double lane[16] = {};
  for (int64_t k = 0; k < count; ++k) lane[k % 16] += static_cast<double>(values[k]) * static_cast<double>(values[k]);
  return std::sqrt(tree_over_lanes(lane));
}

double value_rate_of(const Batch &batch) { return 3 * batch.rate; }

void step(State &s, const Setting &setting, const Batch &batch) {
  const Optimizer optimizer = optimizer_of(setting);
  s.products[0] *= optimizer.beta1;
  s.products[1] *= optimizer.beta2;
  int64_t first = 0;
  for (size_t n = 0; n < sizes.size(); ++n) {
    const int64_t size = sizes[n];
    const double norm = norm_of(batch.gradient.data() + first, size);
    const float factor = norm > setting.clip ? static_cast<float>(setting.clip / norm) : 1.0f;
    for (int64_t k = first; k < first + size; ++k) {
      const auto p = static_cast<size_t>(k);
      const float g = batch.gradient[p] * factor,
                  rate = static_cast<float>(n == agents.size() ? value_rate_of(batch) : batch.rate);
      if (setting.kind == Optimizer::sgd) {
        s.parameters[p] += rate * g;
        continue;
      }
      const auto beta1 = static_cast<float>(optimizer.beta1), beta2 = static_cast<float>(optimizer.beta2);
      s.first[p] = beta1 * s.first[p] + (1.0f - beta1) * g;
      s.second[p] = beta2 * s.second[p] + (1.0f - beta2) * (g * g);
      const float mean = s.first[p] / static_cast<float>(1.0 - s.products[0]);
      const float deviation =
          std::sqrt(s.second[p] / static_cast<float>(1.0 - s.products[1])) + static_cast<float>(optimizer.epsilon);
      s.parameters[p] += rate * (mean / deviation);
    }
    first += size;
  }
}

void add_to(Moments &m, double count, double sum, double square_sum) {
  const double mean = sum / count, total = m.count + count, difference = mean - m.mean;
  m.squares += std::max(0.0, square_sum - count * mean * mean) + difference * difference * m.count * count / total;
  m.mean += difference * count / total;
  m.count = total;
}

void commit(State &s, const Setting &setting, const Batch &batch) {
  const double *sum = batch.statistics.data();
  size_t feature = 0;
  for (size_t g = 0; g < agents.size(); ++g) {
    for (int k = 0; k < horizon; ++k)
      s.baseline[g * horizon + static_cast<size_t>(k)] =
          sum[swarmgrad::value_sum_at(agents[g], k)] / (setting.own_return ? episodes * agents[g] : episodes);
    add_to(s.moments[g], episodes, sum[swarmgrad::return_sum], sum[swarmgrad::return_square_sum]);
    const double rows = sum[swarmgrad::agent_step_count];
    const double *of_features = sum + swarmgrad::feature_sums_at(agents[g], horizon);
    for (int f = 0; f < normalised[g]; ++f, ++feature)
      if (rows > 0) add_to(s.of_features[feature], rows, of_features[f], of_features[normalised[g] + f]);
    sum += swarmgrad::statistics_of_group(agents[g], horizon, normalised[g]);
  }
}

void measure(State &s, const Batch &batch) {
  s.statistics_log.insert(s.statistics_log.end(), batch.statistics.begin(), batch.statistics.end());
  s.agent_return.clear();
  const double *sum = batch.statistics.data();
  int64_t first = 0;
  for (size_t g = 0; g < agents.size(); ++g) {
    for (int k = 0; k < agents[g]; ++k) s.agent_return.push_back(sum[swarmgrad::agent_return_at(k)] / episodes);
    const double deviation = std::sqrt(s.moments[g].squares / s.moments[g].count);
    s.factor_log.push_back(1.0 / agents[g] * (s.moments[g].count > 0 ? 1.0 / deviation : 1.0));
    sum += swarmgrad::statistics_of_group(agents[g], horizon, normalised[g]);
  }
  for (const int64_t size : sizes) {
    s.norm_log.push_back(norm_of(batch.gradient.data() + first, size));
    first += size;
  }
}

// ---- the kernels ----------------------------------------------------------------------------------------------------------

// An engine's memory of what survives, in which the test puts each batch.
class Device {
 public:
  Device(const State &s, const Setting &setting)
      : parameters_(s.parameters),
        first_(s.first),
        second_(s.second),
        gradient_(size_t{parameters}),
        products_(s.products),
        baseline_(s.baseline),
        moments_(s.moments),
        of_features_(s.of_features),
        agent_return_(size_t{6}),
        norms_(sizes.size()),
        rates_(size_t{iterations}),
        statistics_(statistics_count()),
        batch_statistics_(statistics_count()),
        statistics_log_(statistics_count() * iterations),
        norm_log_(sizes.size() * iterations),
        factor_log_(agents.size() * iterations),
        launch_iteration_(int32_t{0}),
        control_(Control{UINT32_MAX, 0, -1, -1, UINT32_MAX, 7}) {
    std::vector<Group> groups;
    std::vector<Rule> rules;
    int first_agent = 0, statistics = 0, feature = 0;
    int64_t offset = 0;
    for (size_t g = 0; g < sizes.size(); ++g) {
      Group group = {};
      group.parameter_offset = offset;
      group.parameter_count = sizes[g];
      offset += sizes[g];
      group.is_value = g == agents.size();
      if (group.is_value == 0) {
        group.first_agent = first_agent;
        group.agents = agents[g];
        group.normalised = normalised[g];
        group.statistics = statistics;
        first_agent += agents[g];
        statistics += static_cast<int>(swarmgrad::statistics_of_group(agents[g], horizon, normalised[g]));
      }
      groups.push_back(group);
    }
    for (size_t g = 0; g < agents.size(); ++g) {
      rules.push_back({0, 0, 1.0, 1.0, 1.0, 0, agents[g], 1, setting.own_return ? agents[g] : 1,
                       baseline_.get() + g * horizon, moments_.get() + g, of_features_.get() + feature});
      feature += normalised[g];
    }
    groups_ = std::make_unique<Array<Group>>(groups);
    rules_ = std::make_unique<Array<Rule>>(rules);
    Pass &pass = update_.pass;
    pass.groups = groups_->get();
    pass.rules = rules_->get();
    pass.group_count = static_cast<int>(agents.size());
    pass.network_count = static_cast<int>(sizes.size());
    pass.rates = rates_.get();
    pass.launch_iteration = launch_iteration_.get();
    pass.agent_count = first_agent;
    pass.horizon = horizon;
    pass.statistics_per_cohort = statistics;
    pass.parameter_count = parameters;
    pass.learns = 1;
    pass.episodes = static_cast<int64_t>(episodes);
    pass.control = control_.get();
    update_.statistics = statistics_.get();
    update_.gradient = gradient_.get();
    update_.norms = norms_.get();
    update_.agent_return = agent_return_.get();
    update_.batch_statistics = batch_statistics_.get();
    update_.statistics_log = statistics_log_.get();
    update_.norm_log = norm_log_.get();
    update_.factor_log = factor_log_.get();
    update_.optimizer = optimizer_of(setting);
    update_.parameters = parameters_.get();
    update_.first_moment = first_.get();
    update_.second_moment = second_.get();
    update_.products = products_.get();
    update_.commits_batch = setting.commits;
    update_.launch_iteration = launch_iteration_.get();
    std::vector<Rates> rates;
    for (const Batch &batch : batches()) rates.push_back({batch.rate, value_rate_of(batch), 0});
    rates_.write(rates);
  }

  // A batch's pass has ended.
  void put(const Batch &batch) {
    gradient_.write(batch.gradient);
    statistics_.write(batch.statistics);
  }
  void measure(int threads = 512) { launch(swarmgrad_measure_handle, update_, 1, threads); }
  void update(int blocks = 3, int threads = 64) { launch(swarmgrad_update_handle, update_, blocks, threads); }
  void commit(int threads = 256) { launch(swarmgrad_commit_handle, update_, 1, threads); }
  void iterate(const Batch &batch) {
    put(batch);
    measure();
    update();
    commit();
  }

  Update &arguments() { return update_; }
  Control control() const { return control_.value(); }
  void set_control(const Control &control) { control_.write({control}); }
  int launch_iteration() const { return launch_iteration_.value(); }
  std::vector<double> norms() const { return norms_.values(); }
  std::vector<double> batch_statistics() const { return batch_statistics_.values(); }
  State state() const {
    return {parameters_.values(),     first_.values(),    second_.values(),      products_.values(),
            baseline_.values(),       moments_.values(),  of_features_.values(), agent_return_.values(),
            statistics_log_.values(), norm_log_.values(), factor_log_.values()};
  }

 private:
  static size_t statistics_count() { return batches()[0].statistics.size(); }

  Array<float> parameters_, first_, second_, gradient_;
  Array<double> products_, baseline_;
  Array<Moments> moments_, of_features_;
  Array<double> agent_return_, norms_;
  Array<Rates> rates_;
  Array<double> statistics_, batch_statistics_, statistics_log_, norm_log_, factor_log_;
  Array<int32_t> launch_iteration_;
  Array<Control> control_;
  std::unique_ptr<Array<Group>> groups_;
  std::unique_ptr<Array<Rule>> rules_;
  Update update_ = {};
};

State beginning() {
  return {random_floats(parameters, 1), std::vector<float>(parameters), std::vector<float>(parameters)};
}

void compare_kept(const State &found, const State &expected) {
  CHECK(first_difference(found.parameters, expected.parameters) == -1);
  CHECK(first_difference(found.first, expected.first) == -1);
  CHECK(first_difference(found.second, expected.second) == -1);
  CHECK(first_difference(found.products, expected.products) == -1);
  CHECK(first_difference(found.baseline, expected.baseline) == -1);
  CHECK(first_difference(found.moments, expected.moments) == -1);
  CHECK(first_difference(found.of_features, expected.of_features) == -1);
}
void compare(const State &found, const State &expected) {
  compare_kept(found, expected);
  CHECK(first_difference(found.agent_return, expected.agent_return) == -1);
  CHECK(first_difference(found.statistics_log, expected.statistics_log) == -1);
  CHECK(first_difference(found.norm_log, expected.norm_log) == -1);
  CHECK(first_difference(found.factor_log, expected.factor_log) == -1);
}

TEST_CASE("iterations follow each other without the host, and each is logged as it was") {
  for (const int kind : {Optimizer::sgd, Optimizer::adam})
    for (const bool own_return : {false, true}) {
      CAPTURE(kind);
      CAPTURE(own_return);
      Setting setting;
      setting.kind = kind;
      setting.own_return = own_return;
      State expected = beginning();
      Device device(expected, setting);
      for (const Batch &batch : batches()) {
        measure(expected, batch);
        step(expected, setting, batch);
        commit(expected, setting, batch);
        device.iterate(batch);
      }
      compare(device.state(), expected);
      CHECK(device.control().iteration == 7 + iterations);
      CHECK(device.launch_iteration() == iterations);
    }
}

TEST_CASE("the same bits whatever the grid, the block and the order of threads") {
  const Batch batch = batches()[0];
  State expected = beginning();
  step(expected, {}, batch);
  commit(expected, {}, batch);
  for (const int threads : {16, 32, 96, 256})
    for (const int blocks : {1, 7})
      for (const char *order : orders) {
        swarmgrad_emulation_set("order", order);
        Device device(beginning(), {});
        device.put(batch);
        device.measure(threads);
        device.update(blocks, threads);
        device.commit(threads);
        swarmgrad_emulation_reset();
        compare_kept(device.state(), expected);
      }
}

TEST_CASE("a gradient that is not finite ends the launch and changes nothing, then or later") {
  Batch broken = batches()[0];
  broken.gradient[3] = std::numeric_limits<float>::infinity();
  broken.gradient[900] = std::numeric_limits<float>::quiet_NaN();
  Device device(beginning(), {});
  device.iterate(broken);
  CHECK(device.control().gradient_fault_network == 1);
  device.iterate(batches()[1]);
  compare_kept(device.state(), beginning());
  CHECK(device.control().iteration == 7);
  CHECK(device.launch_iteration() == 0);
}

TEST_CASE("parameters that the update broke are told, after what the CPU does too; nothing follows") {
  const Batch batch = batches()[0];
  State expected = beginning();
  expected.parameters[2] = expected.parameters[500] = 3e38f;
  Device device(expected, {Optimizer::sgd, 0.0, false, true});
  Batch huge = batch;
  huge.gradient[2] = huge.gradient[500] = 3.4e38f;
  huge.rate = 0.9;
  Array<Rates> rates(std::vector<Rates>(iterations, {huge.rate, value_rate_of(huge), 0}));
  device.arguments().pass.rates = rates.get();
  device.iterate(huge);
  step(expected, {Optimizer::sgd, HUGE_VAL, false, true}, huge);
  commit(expected, {}, huge);
  CHECK(std::isinf(expected.parameters[2]));
  CHECK(device.control().update_fault_network == 1);
  CHECK(device.control().iteration == 7);
  CHECK(device.launch_iteration() == 0);
  device.iterate(batches()[1]);
  compare_kept(device.state(), expected);
}

TEST_CASE("an earlier kernel's fault and a cancel leave everything as it was") {
  for (const Control &control :
       {Control{12, 0, -1, -1, UINT32_MAX, 7}, Control{UINT32_MAX, 1, -1, -1, UINT32_MAX, 7}}) {
    Device device(beginning(), {});
    device.set_control(control);
    device.iterate(batches()[0]);
    compare_kept(device.state(), beginning());
    CHECK(device.control().iteration == 7);
    CHECK(device.state().statistics_log[0] == 0.0);
  }
}

TEST_CASE("a gradient alone is measured and applied; the batch before it may be committed with it") {
  const std::vector<Batch> all = batches();
  for (const bool commits : {false, true}) {
    Setting setting;
    setting.commits = commits;
    State expected = beginning();
    Device device(expected, setting);
    device.put(all[0]);
    device.measure();
    Batch given = all[1];
    given.rate = all[0].rate;
    device.put(given);
    device.arguments().statistics = nullptr;
    device.measure();
    device.update();
    device.commit();
    step(expected, setting, given);
    if (commits) commit(expected, setting, all[0]);
    compare_kept(device.state(), expected);
    const State found = device.state();
    CHECK(std::memcmp(found.statistics_log.data(), all[0].statistics.data(),
                      all[0].statistics.size() * sizeof(double)) == 0);
    CHECK(device.control().iteration == 8);
  }
}

TEST_CASE("other passes are described, and the training batch's sums kept") {
  const std::vector<Batch> all = batches();
  Device device(beginning(), {});
  device.put(all[0]);
  device.measure();
  const std::vector<double> norms = device.norms();
  device.put(all[1]);
  device.arguments().gradient = nullptr;
  device.arguments().batch_statistics = nullptr;
  device.measure();
  CHECK(first_difference(device.norms(), norms) == -1);
  CHECK(first_difference(device.batch_statistics(), all[0].statistics) == -1);
  State expected = beginning();
  measure(expected, all[1]);
  CHECK(first_difference(device.state().agent_return, expected.agent_return) == -1);
  CHECK(device.state().statistics_log[0] == all[1].statistics[0]);
}

}  // namespace
