// Every argument of every function outside what is allowed: a status and one line that names the argument, the value and
// the allowed ones; the handle stays usable.
#include <cmath>
#include <limits>

#include "engine_fixture.h"

using namespace swarmgrad_tests;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr float not_a_float = std::numeric_limits<float>::quiet_NaN();

// The call is refused and its text holds every one of `words`, in this order.
void expect_refused(swarmgrad_status status, std::initializer_list<const char *> words,
                    swarmgrad_status expected = SWARMGRAD_INVALID_ARGUMENT) {
  const std::string text = swarmgrad_last_error();
  CAPTURE(text);
  CHECK(status == expected);
  size_t at = 0;
  for (const char *word : words) {
    const std::string wanted = word;
    CAPTURE(wanted);
    at = text.find(wanted, at);
    CHECK(at != std::string::npos);
    if (at == std::string::npos) break;
  }
  CHECK(text.find('\n') == std::string::npos);
}

void expect_no_engine(const Configuration &configuration, std::initializer_list<const char *> words,
                      swarmgrad_status expected = SWARMGRAD_INVALID_ARGUMENT) {
  // Not null, so that the call has to write it.
  auto *engine = reinterpret_cast<swarmgrad_engine *>(0x10);
  expect_refused(swarmgrad_create(&configuration.config, &engine), words, expected);
  CHECK(engine == nullptr);
}

template <class Change>
void expect_no_engine(const Change &change, std::initializer_list<const char *> words,
                      swarmgrad_status expected = SWARMGRAD_INVALID_ARGUMENT) {
  Configuration configuration{Setup{}};
  change(configuration);
  expect_no_engine(configuration, words, expected);
}

}  // namespace

TEST_CASE("configurations that are refused") {
  swarmgrad_engine *engine = nullptr;
  expect_refused(swarmgrad_create(nullptr, &engine), {"config is null"});
  const Configuration good{Setup{}};
  expect_refused(swarmgrad_create(&good.config, nullptr), {"engine is null"});

  using C = Configuration;
  expect_no_engine([](C &c) { c.config.size = 0; }, {"config.size is 0", "expects"});
  expect_no_engine([](C &c) { c.config.size += 8; }, {"config.size is", "expects"});
  expect_no_engine([](C &c) { c.config.abi_version = 99; }, {"config.abi_version is 99", "version 4"});
  expect_no_engine([](C &c) { c.config.environment = nullptr; }, {"environment is null", "known: ", "meeting"});
  expect_no_engine([](C &c) { c.config.environment = "chess"; }, {"environment is \"chess\"", "simple_spread_v3"});
  expect_no_engine([](C &c) { c.config.environment = ""; }, {"environment is \"\"", "known: "});
  const std::string endless(100000, 'x');
  expect_no_engine([&](C &c) { c.config.environment = endless.c_str(); }, {"environment is \"xxx", "known: "});
  expect_no_engine([](C &c) { c.config.policies = nullptr; }, {"policies is null"});
  for (const int count : {-1, 0, 2})
    expect_no_engine([&](C &c) { c.config.policy_count = count; },
                     {"policy_count is", std::to_string(count).c_str(), "allowed: 1"});
  expect_no_engine([](C &c) { c.policy.size = 4; }, {"policy.size is 4", "expects 32"});
  expect_no_engine([](C &c) { c.policy.activation = 2; }, {"policy.activation is 2", "0 tanh, 1 relu"});
  expect_no_engine([](C &c) { c.policy.activation = -1; }, {"policy.activation is -1", "0 tanh, 1 relu"});
  expect_no_engine([](C &c) { c.policy.hidden_count = 5; }, {"policy.hidden_count is 5", "0 to 4"});
  expect_no_engine([](C &c) { c.policy.hidden_count = -1; }, {"policy.hidden_count is -1", "0 to 4"});
  for (const int size : {0, -3, 1025, std::numeric_limits<int>::max()})
    expect_no_engine([&](C &c) { c.policy.hidden_size[0] = size; }, {"policy.hidden_size is", "1 to 1024"});
  for (const int64_t count : {int64_t{0}, int64_t{-1}, int64_t{1} << 31, std::numeric_limits<int64_t>::max()})
    expect_no_engine([&](C &c) { c.config.environments = count; }, {"environments is", "allowed: 1 to 2147483647"});
  expect_no_engine([](C &c) { c.config.environments = int64_t{1} << 31; }, {"environments is 2147483648"});
  for (const double discount : {-0.1, 1.1, not_a_number, infinity})
    expect_no_engine([&](C &c) { c.config.discount = discount; }, {"discount is", "0 to 1"});
  for (const double coefficient : {-0.1, not_a_number, infinity, 1e300})
    expect_no_engine([&](C &c) { c.config.entropy_coefficient = coefficient; }, {"entropy_coefficient is", "0 to"});
  for (const double clip : {-1.0, not_a_number, infinity})
    expect_no_engine([&](C &c) { c.config.gradient_clip = clip; }, {"gradient_clip is", "0 (off)"});
  for (const double beta : {-0.1, 1.0, not_a_number, infinity}) {
    expect_no_engine([&](C &c) { c.config.adam_beta1 = beta; }, {"adam_beta1 is", "0 to below 1"});
    expect_no_engine([&](C &c) { c.config.adam_beta2 = beta; }, {"adam_beta2 is", "0 to below 1"});
  }
  for (const double epsilon : {0.0, -1.0, not_a_number, infinity, 1e-60, 1e300})
    expect_no_engine([&](C &c) { c.config.adam_epsilon = epsilon; }, {"adam_epsilon is", "1.2e-38 to 3.4e38"});
  expect_no_engine([](C &c) { c.config.stored_bytes = -1; }, {"stored_bytes is -1", "1 or more, or 0 for 32 MiB"});
  for (const int horizon : {-1, (1 << 24) + 1, std::numeric_limits<int>::max()})
    expect_no_engine([&](C &c) { c.config.horizon = horizon; }, {"horizon is", "1 to 16777216"});
  for (const int value : {-1, 7}) {
    expect_no_engine([&](C &c) { c.config.weight = value; }, {"weight is", "1 reward to go"});
    expect_no_engine([&](C &c) { c.config.baseline = value; }, {"baseline is", "1 leave one out"});
    expect_no_engine([&](C &c) { c.config.agent_reduction = value; }, {"agent_reduction is", "0 sum, 1 mean"});
    expect_no_engine([&](C &c) { c.config.scale = value; }, {"scale is", "1 running deviation"});
    expect_no_engine([&](C &c) { c.config.optimizer = value; }, {"optimizer is", "0 sgd, 1 adam"});
    expect_no_engine([&](C &c) { c.config.isa = value; }, {"isa is", "0 auto, 1 avx2"});
  }
  for (const int threads : {-1, 1025})
    expect_no_engine([&](C &c) { c.config.threads = threads; }, {"threads is", "1 to 1024"});
  for (const int isa : {SWARMGRAD_ISA_AVX2, SWARMGRAD_ISA_AVX512, SWARMGRAD_ISA_NEON})
    if (swarmgrad_isa_available(isa) == 0)
      expect_no_engine([&](C &c) { c.config.isa = isa; }, {"isa ", "is not to be had", "auto"}, SWARMGRAD_UNSUPPORTED);
  for (const double scale : {0.0, -1.0, not_a_number, infinity, 1e39})
    expect_no_engine([&](C &c) { c.config.reward_scale = scale; }, {"reward_scale is", "above 0, to 3.4e38"});
  for (const int value : {-1, 2})
    expect_no_engine([&](C &c) { c.config.normalises = value; }, {"normalises is", "0 no, 1 yes"});
  expect_no_engine(
      [](C &c) {
        c.config.environments = 1;
        c.config.baseline = SWARMGRAD_LEAVE_ONE_OUT;
      },
      {"environments is 1", "leave-one-out", "2 or more"});
}

TEST_CASE("value networks that are refused") {
  using C = Configuration;
  for (const double lambda : {-0.1, 1.1, not_a_number, infinity})
    expect_no_engine([&](C &c) { c.config.lambda = lambda; }, {"lambda is", "0 to 1"});
  for (const int value : {-1, 2}) {
    expect_no_engine([&](C &c) { c.config.bootstraps = value; }, {"bootstraps is", "0 no, 1 yes"});
    expect_no_engine([&](C &c) { c.config.value_input = value; }, {"value_input is", "0 joint, 1 own"});
  }
  expect_no_engine([](C &c) { c.config.value_policy_count = 1; },
                   {"value_policy_count is 1", "0 without the learned-value baseline"});
  constexpr const char *needs = "with the learned-value baseline, the weight reward-to-go and the joint value input";
  expect_no_engine([](C &c) { c.config.lambda = 0.5; }, {"lambda is 0.5; allowed: 1, or below it", needs});
  expect_no_engine([](C &c) { c.config.bootstraps = 1; }, {"bootstraps is 1; allowed: 0, or 1", needs});

  Setup setup;
  setup.baseline = SWARMGRAD_LEARNED_VALUE;
  const Engine good(setup);
  const auto refuse = [](const Setup &wrong, const auto &change, std::initializer_list<const char *> words) {
    C configuration(wrong);
    change(configuration);
    expect_no_engine(configuration, words);
  };
  const auto as_it_is = [](C &) {};
  refuse(setup, [](C &c) { c.config.value_policies = nullptr; }, {"value_policies is null"});
  for (const int count : {-1, 0, 2})
    refuse(setup, [&](C &c) { c.config.value_policy_count = count; }, {"value_policy_count is", "allowed: 1"});
  refuse(setup, [](C &c) { c.value_policy.size = 4; }, {"value_policy.size is 4", "expects 32"});
  refuse(setup, [](C &c) { c.value_policy.activation = 2; }, {"value_policy.activation is 2"});
  refuse(setup, [](C &c) { c.value_policy.hidden_count = 5; }, {"value_policy.hidden_count is 5", "0 to 4"});
  refuse(setup, [](C &c) { c.value_policy.hidden_size[0] = 0; }, {"value_policy.hidden_size is 0", "1 to 1024"});
  for (const int weight : {SWARMGRAD_TOTAL_RETURN, SWARMGRAD_DISCOUNTED_STATE}) {
    setup.weight = weight;
    refuse(setup, [](C &c) { c.config.lambda = 0; }, {"lambda is 0", needs});
    refuse(setup, [](C &c) { c.config.bootstraps = 1; }, {"bootstraps is 1", needs});
  }
  setup.weight = SWARMGRAD_OWN_RETURN;
  refuse(setup, as_it_is, {"value_input is 0 (joint) with the weight own-return", "1 (own)"});
  setup.weight = SWARMGRAD_REWARD_TO_GO;
  setup.parameters = {{"agents", 1024}};
  setup.horizon = 1;
  refuse(setup, as_it_is, {"value_input is 0 (joint) with 1024 agents of 6144 features", "1 (own)", "1048576"});
  setup.parameters = {};
  setup.value_input = SWARMGRAD_VALUE_OWN;
  refuse(setup, [](C &c) { c.config.lambda = 0.99; }, {"lambda is 0.99", needs});
  refuse(setup, [](C &c) { c.config.bootstraps = 1; }, {"bootstraps is 1", needs});
}

TEST_CASE("environment parameters that are refused") {
  const auto refuse = [](const swarmgrad_value &value, std::initializer_list<const char *> words) {
    expect_no_engine(
        [&](Configuration &c) {
          c.config.parameters = &value;
          c.config.parameter_count = 1;
        },
        words);
    swarmgrad_simulator *simulator = nullptr;
    expect_refused(swarmgrad_simulator_create("simple_spread_v3", &value, 1, 0, SWARMGRAD_ISA_AUTO, &simulator), words);
    CHECK(simulator == nullptr);
  };
  refuse({"agents", 0}, {"parameter agents of simple_spread_v3 is 0", "whole numbers from 1 to 1024"});
  refuse({"agents", -2}, {"agents", "is -2"});
  refuse({"agents", 1025}, {"agents", "is 1025"});
  refuse({"agents", 2.5}, {"agents", "is 2.5", "whole numbers"});
  refuse({"agents", not_a_number}, {"agents", "nan"});
  refuse({"local_ratio", 1.5}, {"local_ratio", "is 1.5", "numbers from 0 to 1"});
  refuse({"local_ratio", infinity}, {"local_ratio", "inf"});
  refuse({"colour", 1}, {"parameter \"colour\" does not exist in simple_spread_v3", "known: agents, local_ratio"});
  refuse({nullptr, 1}, {"parameter \"(null)\"", "known: agents"});
  expect_no_engine([](Configuration &c) { c.config.parameter_count = 1; },
                   {"parameters is null with parameter_count 1"});
  expect_no_engine([](Configuration &c) { c.config.parameter_count = -1; }, {"parameter_count is -1", "allowed"});
}

TEST_CASE("sizes that no machine has") {
  // Episodes of 2^24 x 1024 agent-steps.
  const swarmgrad_value agents = {"agents", 1024};
  expect_no_engine(
      [&](Configuration &c) {
        c.config.parameters = &agents;
        c.config.parameter_count = 1;
        c.config.horizon = 1 << 24;
      },
      {"horizon is 16777216 with 1024 agents", "allowed: fewer than 2147483648"});
  // Terabytes of scratch for a thousand threads.
  Setup setup;
  setup.horizon = 1 << 24;
  setup.hidden = {1024, 1024, 1024, 1024};
  setup.threads = 1024;
  if (computes_on_cpu())
    expect_no_engine(Configuration(setup), {"needs", "bytes, this machine has", "fewer threads"},
                     SWARMGRAD_OUT_OF_MEMORY);
  else
    expect_no_engine(Configuration(setup), {"needs", "bytes, this device", "has", "fewer environments"},
                     SWARMGRAD_OUT_OF_MEMORY);
}

TEST_CASE("null and wrong handles") {
  swarmgrad_info info = {};
  CHECK(swarmgrad_destroy(nullptr) == SWARMGRAD_OK);
  CHECK(swarmgrad_simulator_destroy(nullptr) == SWARMGRAD_OK);
  expect_refused(swarmgrad_get_info(nullptr, &info), {"handle is null"});
  expect_refused(swarmgrad_train(nullptr, 1, nullptr, nullptr), {"handle is null"});
  expect_refused(swarmgrad_gradient(nullptr, nullptr, nullptr), {"handle is null"});
  expect_refused(swarmgrad_step(nullptr, nullptr, nullptr), {"handle is null"});
  expect_refused(swarmgrad_record(nullptr, nullptr, nullptr, nullptr), {"handle is null"});
  expect_refused(swarmgrad_evaluate(nullptr, 0, 1, nullptr, nullptr), {"handle is null"});
  expect_refused(swarmgrad_read(nullptr, 0, nullptr, 0), {"handle is null"});
  expect_refused(swarmgrad_write(nullptr, 0, nullptr, 0), {"handle is null"});
  expect_refused(swarmgrad_buffer(nullptr, 0, nullptr), {"handle is null"});
  expect_refused(swarmgrad_forward(nullptr, 0, 0, nullptr, nullptr, nullptr), {"handle is null"});
  expect_refused(swarmgrad_logits(nullptr, nullptr), {"handle is null"});
  expect_refused(swarmgrad_weights(nullptr, nullptr), {"handle is null"});
  expect_refused(swarmgrad_gradient_of(nullptr, nullptr, nullptr), {"handle is null"});
  expect_refused(swarmgrad_fma_peak(nullptr, nullptr), {"handle is null"});
  expect_refused(swarmgrad_cancel(nullptr), {"engine is null"});
  int64_t cohorts = 0;
  expect_refused(swarmgrad_progress(nullptr, &cohorts), {"engine is null"});
  const Engine engine(Setup{});
  expect_refused(swarmgrad_progress(engine.handle(), nullptr), {"cohorts is null"});
  expect_refused(swarmgrad_fma_peak(engine.handle(), nullptr), {"gflop_per_second is null"});
  expect_refused(swarmgrad_get_info(engine.handle(), nullptr), {"info is null"});
  expect_refused(swarmgrad_get_info(engine.handle(), &info), {"info.size is 0", "expects"});
  swarmgrad_group group = {};
  expect_refused(swarmgrad_get_group(engine.handle(), 0, nullptr), {"info is null"});
  expect_refused(swarmgrad_get_group(engine.handle(), 0, &group), {"info.size is 0"});
  group.size = sizeof group;
  for (const int index : {-1, 1})
    expect_refused(swarmgrad_get_group(engine.handle(), index, &group), {"group is", "allowed: 0 to 0"});
}

TEST_CASE("the catalogue's arguments") {
  swarmgrad_environment_info info = {};
  expect_refused(swarmgrad_environment(0, nullptr), {"info is null"});
  expect_refused(swarmgrad_environment(0, &info), {"info.size is 0"});
  info.size = sizeof info;
  for (const int index : {-1, swarmgrad_environment_count()})
    expect_refused(swarmgrad_environment(index, &info), {"environment index is", "allowed: 0 to"});
  require_ok(swarmgrad_environment(0, &info));
  swarmgrad_parameter_info parameter = {};
  expect_refused(swarmgrad_environment_parameter(0, 0, &parameter), {"info.size is 0"});
  parameter.size = sizeof parameter;
  expect_refused(swarmgrad_environment_parameter(0, 0, nullptr), {"info is null"});
  expect_refused(swarmgrad_environment_parameter(-1, 0, &parameter), {"environment index is -1"});
  for (const int index : {-1, info.parameter_count})
    expect_refused(swarmgrad_environment_parameter(0, index, &parameter), {"parameter index is", "allowed: 0 to"});
  CHECK(swarmgrad_isa_available(-1) == 0);
  CHECK(swarmgrad_isa_available(99) == 0);
  CHECK(swarmgrad_isa_available(SWARMGRAD_ISA_AUTO) == 1);
  int32_t sizes[20] = {};
  const int32_t count = swarmgrad_struct_sizes(nullptr, 0);
  CHECK(swarmgrad_struct_sizes(sizes, 2) == count);
  CHECK(sizes[1] == sizeof(swarmgrad_policy));
  CHECK(sizes[2] == 0);
}

TEST_CASE("training, steps and evaluations that are refused") {
  Engine engine(Setup{});
  swarmgrad_engine *handle = engine.handle();
  const Snapshot before = engine.checkpoint();
  const swarmgrad_rates good = engine.rates_of(0.1);
  std::vector<swarmgrad_rates> rates(3, good);
  expect_refused(swarmgrad_train(handle, -1, rates.data(), nullptr), {"iterations is -1", "0 or more"});
  expect_refused(swarmgrad_train(handle, 3, nullptr, nullptr), {"rates is null"});
  engine.gradient();
  expect_refused(swarmgrad_step(handle, nullptr, nullptr), {"rates is null"});
  const auto refuse_rates = [&](double swarmgrad_rates::*member, const std::string &name) {
    for (const double rate : {not_a_number, -0.1, infinity, 1e39}) {
      rates[2] = good;
      rates[2].*member = rate;
      expect_refused(swarmgrad_train(handle, 3, rates.data(), nullptr),
                     {("rates[2]." + name + " is").c_str(), "allowed: 0 to"});
      engine.gradient();
      expect_refused(swarmgrad_step(handle, nullptr, &rates[2]), {("rates." + name + " is").c_str(), "allowed: 0 to"});
    }
  };
  refuse_rates(&swarmgrad_rates::learning_rate, "learning_rate");
  refuse_rates(&swarmgrad_rates::value_learning_rate, "value_learning_rate");
  refuse_rates(&swarmgrad_rates::entropy_coefficient, "entropy_coefficient");
  CHECK(swarmgrad_train(handle, 0, nullptr, nullptr) == SWARMGRAD_OK);
  CHECK(engine.checkpoint() == before);
  Engine fresh(Setup{});
  expect_refused(swarmgrad_step(fresh.handle(), nullptr, &good), {"gradient is null", "ask for a gradient first"});

  std::vector<swarmgrad_statistics> statistics(1);
  for (const int64_t episodes : {int64_t{0}, int64_t{-5}, int64_t{1} << 31})
    expect_refused(engine.evaluate(0, episodes, SWARMGRAD_ACT_SAMPLED, statistics.data()),
                   {"episodes is", "allowed: 1 to 2147483647"});
  for (const int64_t first : {int64_t{-1}, int64_t{1} << 31, std::numeric_limits<int64_t>::max()})
    expect_refused(engine.evaluate(first, 1, SWARMGRAD_ACT_SAMPLED, statistics.data()),
                   {"first_episode is", "allowed: 0 to 2147483647"});
  for (const int acting : {-1, 3})
    expect_refused(engine.evaluate(0, 1, acting, statistics.data()), {"acting[0] is", "0 sampled, 1 greedy"});
  expect_refused(swarmgrad_evaluate(handle, 0, 1, nullptr, statistics.data()), {"acting is null"});

  swarmgrad_trajectories trajectories = {};
  expect_refused(swarmgrad_record(handle, nullptr, nullptr, nullptr), {"trajectories is null"});
  expect_refused(swarmgrad_record(handle, &trajectories, nullptr, nullptr), {"trajectories.size is 0"});
  trajectories.size = sizeof trajectories;
  trajectories.group = 1;
  expect_refused(swarmgrad_record(handle, &trajectories, nullptr, nullptr), {"trajectories[0].group is 1"});
  engine.train(1);
}

TEST_CASE("reads and writes that are refused") {
  Engine engine(Setup{});
  swarmgrad_engine *handle = engine.handle();
  const Snapshot before = engine.checkpoint();
  std::vector<float> values = engine.parameters();
  const auto count = static_cast<int64_t>(values.size());
  swarmgrad_buffer_info info = {};
  expect_refused(swarmgrad_buffer(handle, 0, &info), {"info.size is 0"});
  expect_refused(swarmgrad_buffer(handle, 0, nullptr), {"info is null"});
  info.size = sizeof info;
  for (const int index : {-1, engine.info().buffer_count}) {
    expect_refused(swarmgrad_buffer(handle, index, &info), {"buffer index is", "allowed: 0 to"});
    expect_refused(swarmgrad_read(handle, index, values.data(), count), {"buffer index is"});
    expect_refused(swarmgrad_write(handle, index, values.data(), count), {"buffer index is"});
  }
  for (const int64_t wrong : {count - 1, count + 1, int64_t{-1}, int64_t{0}}) {
    expect_refused(swarmgrad_read(handle, 0, values.data(), wrong), {"count is", "for buffer parameters; allowed:"});
    expect_refused(swarmgrad_write(handle, 0, values.data(), wrong), {"count is", "for buffer parameters; allowed:"});
  }
  expect_refused(swarmgrad_read(handle, 0, nullptr, count), {"values is null", "parameters"});
  expect_refused(swarmgrad_write(handle, 0, nullptr, count), {"values is null", "parameters"});
  for (const float bad : {not_a_float, HUGE_VALF, -HUGE_VALF}) {
    values[5] = bad;
    expect_refused(swarmgrad_write(handle, 0, values.data(), count), {"parameters[5] is", "finite numbers"});
  }
  const auto refuse_parameters = [&](const std::vector<double> &parameters, std::initializer_list<const char *> words) {
    expect_refused(swarmgrad_write(handle, engine.find("environment_parameters"), parameters.data(), 2), words);
  };
  refuse_parameters({3, not_a_number}, {"environment_parameters[1] is", "finite numbers"});
  refuse_parameters({3, 1.5}, {"parameter local_ratio of simple_spread_v3 is 1.5", "numbers from 0 to 1"});
  refuse_parameters({2.5, 0.5}, {"parameter agents of simple_spread_v3 is 2.5", "whole numbers"});
  refuse_parameters({4, 0.5}, {"environment_parameters would change", "agents of simple_spread_v3 from 3 to 4"});
  const std::vector<double> moments = {1, 0, not_a_number};
  expect_refused(swarmgrad_write(handle, engine.find("return_moments"), moments.data(), 3), {"return_moments[2] is"});
  for (const int64_t bad : {int64_t{-1}, int64_t{1} << 32})
    expect_refused(swarmgrad_write(handle, engine.find("iteration"), &bad, 1),
                   {"iteration is", "allowed: 0 to 4294967295"});
  std::vector<float> gradient(values.size());
  expect_refused(swarmgrad_write(handle, engine.find("gradient"), gradient.data(), count),
                 {"buffer gradient is scratch"});
  CHECK(engine.checkpoint() == before);
}

TEST_CASE("given observations, logits, rewards and batches that are refused") {
  Setup setup;
  setup.horizon = 4;
  setup.baseline = SWARMGRAD_LEAVE_ONE_OUT;
  Engine engine(setup);
  swarmgrad_engine *handle = engine.handle();
  float value = 0;
  for (const int network : {-1, 1})
    expect_refused(swarmgrad_forward(handle, network, 1, &value, nullptr, nullptr), {"network is", "allowed: 0 to 0"});
  expect_refused(swarmgrad_forward(handle, 0, -1, &value, nullptr, nullptr), {"rows is -1", "0 or more"});
  expect_refused(swarmgrad_forward(handle, 0, 1, nullptr, nullptr, nullptr), {"observation is null"});

  // Logits.
  const std::vector<float> logit = {0, 1, 2, 3, 4, 5};
  std::vector<float> weight = {1, 1}, gradient(6);
  std::vector<int32_t> action = {0, 2};
  std::vector<uint8_t> mask(6, 1);
  swarmgrad_logit_rows good = {};
  good.size = sizeof good;
  good.action_count = 3;
  good.rows = 2;
  good.logit = logit.data();
  good.mask = mask.data();
  good.weight = weight.data();
  good.action = action.data();
  good.gradient = gradient.data();
  require_ok(swarmgrad_logits(handle, &good));
  expect_refused(swarmgrad_logits(handle, nullptr), {"rows is null"});
  const auto refuse_rows = [&](const auto &change, std::initializer_list<const char *> words) {
    swarmgrad_logit_rows rows = good;
    change(rows);
    expect_refused(swarmgrad_logits(handle, &rows), words);
  };
  using Rows = swarmgrad_logit_rows;
  refuse_rows([](Rows &r) { r.size = 1; }, {"rows.size is 1"});
  refuse_rows([](Rows &r) { r.action_count = 0; }, {"action_count is 0", "1 to 1024"});
  refuse_rows([](Rows &r) { r.action_count = 1025; }, {"action_count is 1025", "1 to 1024"});
  refuse_rows([](Rows &r) { r.rows = -1; }, {"rows is -1"});
  refuse_rows([](Rows &r) { r.rows = int64_t{1} << 31; }, {"rows is 2147483648"});
  refuse_rows([](Rows &r) { r.logit = nullptr; }, {"logit is null"});
  refuse_rows([](Rows &r) { r.entropy_coefficient = not_a_number; }, {"entropy_coefficient is"});
  refuse_rows([](Rows &r) { r.action = nullptr; }, {"action is null"});
  for (const float bad : {not_a_float, HUGE_VALF, -HUGE_VALF}) {
    const std::vector<float> broken = {0, 1, 2, 3, bad, 5};
    refuse_rows([&](Rows &r) { r.logit = broken.data(); }, {"logit[1][1] is", "finite"});
  }
  for (const int bad : {-1, 3}) {
    action[1] = bad;
    refuse_rows([](Rows &) {}, {"action[1] is", "allowed: 0 to 2"});
  }
  action[1] = 2;
  weight[1] = not_a_float;
  refuse_rows([](Rows &) {}, {"weight[1] is", "finite"});
  weight[1] = 1;
  mask[5] = 0;
  refuse_rows([](Rows &) {}, {"action[1] is 2", "the mask forbids"});
  mask[3] = mask[4] = 0;
  refuse_rows([](Rows &) {}, {"mask[1] leaves no action"});

  // Rewards.
  constexpr int64_t environments = 5;
  const size_t cells = 4 * 3 * environments;
  std::vector<float> reward(cells, 1), out(cells);
  std::vector<int32_t> length(environments, 4);
  std::vector<int64_t> first = {0, 2, 5};
  swarmgrad_rewards good_rewards = {};
  good_rewards.size = sizeof good_rewards;
  good_rewards.environments = environments;
  good_rewards.steps = 4;
  good_rewards.cohort_count = 2;
  good_rewards.cohort_first = first.data();
  good_rewards.reward = reward.data();
  good_rewards.episode_length = length.data();
  good_rewards.weight = out.data();
  require_ok(swarmgrad_weights(handle, &good_rewards));
  expect_refused(swarmgrad_weights(handle, nullptr), {"rewards is null"});
  using Rewards = swarmgrad_rewards;
  const auto refuse_rewards = [&](const auto &change, std::initializer_list<const char *> words) {
    swarmgrad_rewards rewards = good_rewards;
    change(rewards);
    expect_refused(swarmgrad_weights(handle, &rewards), words);
  };
  refuse_rewards([](Rewards &r) { r.size = 3; }, {"rewards.size is 3"});
  refuse_rewards([](Rewards &r) { r.group = 1; }, {"group is 1"});
  refuse_rewards([](Rewards &r) { r.environments = 0; }, {"environments is 0"});
  refuse_rewards([](Rewards &r) { r.environments = int64_t{1} << 31; }, {"environments is 2147483648"});
  refuse_rewards([](Rewards &r) { r.steps = 0; }, {"steps is 0", "1 to the horizon 4"});
  refuse_rewards([](Rewards &r) { r.steps = 5; }, {"steps is 5", "1 to the horizon 4"});
  refuse_rewards([](Rewards &r) { r.reward = nullptr; }, {"reward is null"});
  refuse_rewards([](Rewards &r) { r.weight = nullptr; }, {"weight is null"});
  refuse_rewards([](Rewards &r) { r.cohort_count = -1; }, {"cohort_count is -1", "1 to environments 5"});
  refuse_rewards([](Rewards &r) { r.cohort_count = 6; }, {"cohort_count is 6", "1 to environments 5"});
  refuse_rewards([](Rewards &r) { r.cohort_first = nullptr; }, {"cohort_first is null"});
  for (const std::vector<int64_t> &bad : {std::vector<int64_t>{1, 3, 5}, {0, 3, 4}}) {
    refuse_rewards([&](Rewards &r) { r.cohort_first = bad.data(); }, {"cohort_first runs from", "from 0 to"});
  }
  for (const std::vector<int64_t> &bad :
       {std::vector<int64_t>{0, 1, 5}, {0, 6, 5}, {0, std::numeric_limits<int64_t>::min(), 5}})
    refuse_rewards([&](Rewards &r) { r.cohort_first = bad.data(); }, {"cohort", "members", "2 or more"});
  refuse_rewards(
      [](Rewards &r) {
        r.environments = 1;
        r.cohort_count = 0;
      },
      {"cohort 0 has 1 members", "2 or more"});
  for (const int bad : {0, -1, 5}) {
    length[3] = bad;
    refuse_rewards([](Rewards &) {}, {"episode_length[3] is", "1 to steps 4"});
  }
  length[3] = 4;
  reward[7] = not_a_float;
  refuse_rewards([](Rewards &) {}, {"reward[7] is", "finite"});

  // Batches.
  std::vector<float> observation(cells * 18, 0.5f), weights(cells, 1),
      parameters(static_cast<size_t>(engine.info().parameter_count));
  std::vector<int32_t> actions(cells, 1);
  std::vector<uint8_t> alive(cells, 1), masks(cells * 5, 1);
  swarmgrad_batch good_batch = {};
  good_batch.size = sizeof good_batch;
  good_batch.environments = environments;
  good_batch.steps = 4;
  good_batch.observation = observation.data();
  good_batch.action = actions.data();
  good_batch.weight = weights.data();
  good_batch.alive = alive.data();
  good_batch.mask = masks.data();
  require_ok(swarmgrad_gradient_of(handle, &good_batch, parameters.data()));
  expect_refused(swarmgrad_gradient_of(handle, nullptr, parameters.data()), {"batch is null"});
  expect_refused(swarmgrad_gradient_of(handle, &good_batch, nullptr), {"gradient is null"});
  using Given = swarmgrad_batch;
  const auto refuse_batch = [&](const auto &change, std::initializer_list<const char *> words,
                                swarmgrad_status status = SWARMGRAD_INVALID_ARGUMENT) {
    swarmgrad_batch batch = good_batch;
    change(batch);
    expect_refused(swarmgrad_gradient_of(handle, &batch, parameters.data()), words, status);
  };
  refuse_batch([](Given &b) { b.size = 9; }, {"batch.size is 9"});
  for (const int network : {-1, 1})
    refuse_batch([&](Given &b) { b.network = network; }, {"network is", "allowed: 0 to 0"});
  refuse_batch([](Given &b) { b.environments = 0; }, {"environments is 0"});
  refuse_batch([](Given &b) { b.steps = 5; }, {"steps is 5", "horizon 4"});
  refuse_batch([](Given &b) { b.steps = -1; }, {"steps is -1", "horizon 4"});
  refuse_batch([](Given &b) { b.observation = nullptr; }, {"observation is null"});
  refuse_batch([](Given &b) { b.action = nullptr; }, {"action is null"});
  refuse_batch([](Given &b) { b.weight = nullptr; }, {"weight is null"});
  for (const int bad : {-1, 5}) {
    actions[11] = bad;
    refuse_batch([](Given &) {}, {"action[11] is", "allowed: 0 to 4"});
  }
  actions[11] = 1;
  weights[11] = -HUGE_VALF;
  refuse_batch([](Given &) {}, {"weight[11] is", "finite"});
  weights[11] = 1;
  // Cell 11 is agent 2 of environment 1: its masks begin at (2 x 5 + action) x 5 + 1.
  masks[(2 * 5 + 1) * 5 + 1] = 0;
  refuse_batch([](Given &) {}, {"action[11] is 1", "the mask forbids"});
  masks[(2 * 5 + 1) * 5 + 1] = 1;
  observation[(2 * 18 + 4) * 5 + 1] = not_a_float;
  refuse_batch([](Given &) {}, {"environment 1, agent 2, step 0", "not finite"}, SWARMGRAD_NUMERIC);
  alive[11] = 0;
  require_ok(swarmgrad_gradient_of(handle, &good_batch, parameters.data()));
}

TEST_CASE("simulators refuse as engines do") {
  swarmgrad_simulator *none = nullptr;
  expect_refused(swarmgrad_simulator_create("chess", nullptr, 0, 0, SWARMGRAD_ISA_AUTO, &none),
                 {"environment is \"chess\"", "known: "});
  expect_refused(swarmgrad_simulator_create(nullptr, nullptr, 0, 0, SWARMGRAD_ISA_AUTO, &none),
                 {"environment is null"});
  expect_refused(swarmgrad_simulator_create("meeting", nullptr, 2, 0, SWARMGRAD_ISA_AUTO, &none),
                 {"parameters is null with parameter_count 2"});
  expect_refused(swarmgrad_simulator_create("meeting", nullptr, 0, 0, 9, &none), {"isa is 9"});
  expect_refused(swarmgrad_simulator_create("meeting", nullptr, 0, 0, 0, nullptr), {"simulator is null"});

  Simulator simulator("simple_spread_v3");
  swarmgrad_simulator *handle = simulator.handle();
  swarmgrad_group group = {};
  swarmgrad_field field = {};
  std::vector<double> values(6);
  std::vector<float> observation(18), reward(3);
  std::vector<int32_t> action(3);
  expect_refused(swarmgrad_simulator_group(handle, 0, &group), {"info.size is 0"});
  group.size = sizeof group;
  expect_refused(swarmgrad_simulator_group(handle, 1, &group), {"group is 1", "allowed: 0 to 0"});
  expect_refused(swarmgrad_simulator_field(handle, 0, &field), {"info.size is 0"});
  field.size = sizeof field;
  for (const int index : {-1, 3}) {
    expect_refused(swarmgrad_simulator_field(handle, index, &field), {"field is", "allowed: 0 to 2"});
    expect_refused(swarmgrad_simulator_get(handle, index, values.data()), {"field is", "allowed: 0 to 2"});
    expect_refused(swarmgrad_simulator_set(handle, index, values.data()), {"field is", "allowed: 0 to 2"});
    expect_refused(swarmgrad_simulator_observe(handle, index, observation.data(), nullptr),
                   {"agent is", "allowed: 0 to 2"});
  }
  expect_refused(swarmgrad_simulator_get(handle, 0, nullptr), {"values is null"});
  expect_refused(swarmgrad_simulator_set(handle, 0, nullptr), {"values is null"});
  for (const double bad : {not_a_number, infinity, 1e39}) {
    values[1] = bad;
    expect_refused(swarmgrad_simulator_set(handle, 0, values.data()), {"agent_pos[1] is", "allowed: numbers"});
  }
  expect_refused(swarmgrad_simulator_observe(handle, 0, nullptr, nullptr), {"observation is null"});
  expect_refused(swarmgrad_simulator_step(handle, nullptr, reward.data(), nullptr, nullptr), {"action is null"});
  expect_refused(swarmgrad_simulator_step(handle, action.data(), nullptr, nullptr, nullptr), {"reward is null"});
  for (const int bad : {-1, 5}) {
    action[2] = bad;
    expect_refused(swarmgrad_simulator_step(handle, action.data(), reward.data(), nullptr, nullptr),
                   {"action[2] is", "allowed: 0 to 4"});
  }
  expect_refused(swarmgrad_simulator_reset(handle, 0x80000000u, 0), {"environment is 2147483648"});
  expect_refused(swarmgrad_simulator_reset(nullptr, 0, 0), {"handle is null"});

  Simulator meeting("meeting");
  for (const double bad : {0.5, not_a_number, 3e9}) {
    const std::vector<double> cells = {bad, 0};
    expect_refused(swarmgrad_simulator_set(meeting.handle(), 0, cells.data()), {"cell[0] is", "whole numbers"});
  }
}

TEST_CASE("the text of the last failure belongs to its call") {
  expect_refused(swarmgrad_cancel(nullptr), {"engine is null"});
  CHECK(swarmgrad_destroy(nullptr) == SWARMGRAD_OK);
  CHECK(swarmgrad_last_error() == std::string());
}
