// A short training of several shapes and of every environment through the C ABI; prints a hash of the parameters of each.
// Builds that must agree bit for bit (threads, instruction sets, optimisation levels, sanitizers, emulated processors)
// print the same lines.
// Usage: short_run [threads] [isa: auto|avx2|avx512|neon]; exit 3 where the processor lacks the instruction set.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "swarmgrad/swarmgrad.h"

namespace {

struct Case {
  const char *environment;
  int hidden[2];
  int activation, weight, baseline, optimizer;
  int64_t environments;
  int horizon, iterations;
  int64_t stored_bytes = 0;
  double lambda = 1;  // below 1: with bootstrapping
  bool normalises = false;
};

void require(swarmgrad_status status) {
  if (status == SWARMGRAD_OK) return;
  std::fprintf(stderr, "%s\n", swarmgrad_last_error());
  std::exit(status == SWARMGRAD_UNSUPPORTED ? 3 : 1);
}

uint64_t fnv1a(const std::vector<float> &values) {
  uint64_t hash = 0xcbf29ce484222325u;
  const auto *bytes = reinterpret_cast<const unsigned char *>(values.data());
  for (size_t k = 0; k < values.size() * sizeof(float); ++k) hash = (hash ^ bytes[k]) * 0x100000001b3u;
  return hash;
}

}  // namespace

int main(int argc, char **argv) {
  std::vector<Case> cases = {
      {"simple_spread_v3",
       {16, 16},
       SWARMGRAD_TANH,
       SWARMGRAD_REWARD_TO_GO,
       SWARMGRAD_LEAVE_ONE_OUT,
       SWARMGRAD_ADAM,
       50,
       0,
       3},
      {"simple_spread_v3",
       {24, 0},
       SWARMGRAD_RELU,
       SWARMGRAD_TOTAL_RETURN,
       SWARMGRAD_PREVIOUS_BATCH,
       SWARMGRAD_SGD,
       33,
       60,
       2},
      {"simple_spread_v3",
       {128, 64},
       SWARMGRAD_TANH,
       SWARMGRAD_OWN_RETURN,
       SWARMGRAD_LEAVE_ONE_OUT,
       SWARMGRAD_ADAM,
       17,
       70,
       2,
       1},
      {"CartPole-v1",
       {16, 0},
       SWARMGRAD_TANH,
       SWARMGRAD_DISCOUNTED_STATE,
       SWARMGRAD_LEAVE_ONE_OUT,
       SWARMGRAD_ADAM,
       18,
       0,
       3},
      {"meeting", {0, 0}, SWARMGRAD_TANH, SWARMGRAD_REWARD_TO_GO, SWARMGRAD_BASELINE_NONE, SWARMGRAD_ADAM, 15, 0, 5},
  };
  // Two groups, several segments.
  cases.push_back({"simple_tag_v3",
                   {10, 0},
                   SWARMGRAD_TANH,
                   SWARMGRAD_REWARD_TO_GO,
                   SWARMGRAD_LEARNED_VALUE,
                   SWARMGRAD_ADAM,
                   18,
                   70,
                   3,
                   1,
                   0.9,
                   true});
  const char *names[] = {"auto", "avx2", "avx512", "neon"};
  int isa = 0;
  while (argc > 2 && isa < 4 && std::strcmp(argv[2], names[isa]) != 0) ++isa;
  if (isa == 4) {
    std::fprintf(stderr, "isa is '%s'; allowed are auto, avx2, avx512, neon\n", argv[2]);
    return 2;
  }

  for (int32_t k = 0; k < swarmgrad_environment_count(); ++k) {
    swarmgrad_environment_info environment = {};
    environment.size = sizeof environment;
    require(swarmgrad_environment(k, &environment));
    cases.push_back({environment.id,
                     {12, 0},
                     SWARMGRAD_TANH,
                     SWARMGRAD_REWARD_TO_GO,
                     SWARMGRAD_LEAVE_ONE_OUT,
                     SWARMGRAD_ADAM,
                     18,
                     30,
                     2});
  }

  for (const Case &c : cases) {
    swarmgrad_policy policy = {};
    policy.size = sizeof policy;
    policy.activation = c.activation;
    while (policy.hidden_count < 2 && c.hidden[policy.hidden_count] > 0) {
      policy.hidden_size[policy.hidden_count] = c.hidden[policy.hidden_count];
      ++policy.hidden_count;
    }
    swarmgrad_config config = {};
    config.size = sizeof config;
    config.abi_version = SWARMGRAD_ABI_VERSION;
    config.environment = c.environment;
    config.policies = &policy;
    config.policy_count = 1;
    config.environments = c.environments;
    config.seed = 7;
    config.discount = c.weight == SWARMGRAD_DISCOUNTED_STATE ? 0.99 : 1.0;
    config.entropy_coefficient = 0.01;
    config.gradient_clip = 10;
    config.adam_beta1 = 0.9;
    config.adam_beta2 = 0.999;
    config.adam_epsilon = 1e-8;
    config.horizon = c.horizon;
    config.weight = c.weight;
    config.baseline = c.baseline;
    config.scale = SWARMGRAD_SCALE_RUNNING_DEVIATION;
    config.lambda = c.lambda;
    config.bootstraps = c.lambda < 1;
    config.normalises = c.normalises;
    config.value_policies = &policy;
    config.value_policy_count = c.baseline == SWARMGRAD_LEARNED_VALUE ? 1 : 0;
    config.reward_scale = 1;
    config.optimizer = c.optimizer;
    config.stored_bytes = c.stored_bytes;
    config.threads = argc > 1 ? std::atoi(argv[1]) : 1;
    config.isa = isa;

    swarmgrad_engine *engine = nullptr;
    require(swarmgrad_create(&config, &engine));
    const std::vector<swarmgrad_rates> rates(static_cast<size_t>(c.iterations), {0.01, 0.01, 0.01});
    require(swarmgrad_train(engine, c.iterations, rates.data(), nullptr));
    swarmgrad_info info = {};
    info.size = sizeof info;
    require(swarmgrad_get_info(engine, &info));
    std::vector<float> parameters(static_cast<size_t>(info.parameter_count));
    require(swarmgrad_read(engine, 0, parameters.data(), info.parameter_count));
    require(swarmgrad_destroy(engine));
    std::printf("%s %d,%d %016llx\n", c.environment, c.hidden[0], c.hidden[1],
                static_cast<unsigned long long>(fnv1a(parameters)));
  }
  return 0;
}
