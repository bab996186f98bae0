// Equal bits whatever the threads, the instruction set, the caller's floating-point mode, the split into calls, or what
// the engine did before; checkpoints that are complete; memory that does not grow with the number of environments.
#include "engine_fixture.h"

using namespace swarmgrad_tests;

namespace {

// Shapes that between them take every path: stored and replayed, early ends, every weight, baseline and optimizer; then
// every environment.
std::vector<Setup> varied_setups() {
  Setup adam;
  adam.hidden = {16, 9};
  adam.environments = 50;
  adam.baseline = SWARMGRAD_LEAVE_ONE_OUT;
  adam.scale = SWARMGRAD_SCALE_RUNNING_DEVIATION;
  adam.entropy_coefficient = 0.01;
  adam.gradient_clip = 1;

  Setup replayed = adam;
  replayed.hidden = {24};
  replayed.activation = SWARMGRAD_RELU;
  replayed.environments = 35;
  replayed.horizon = 150;
  replayed.stored_bytes = 1;
  replayed.baseline = SWARMGRAD_PREVIOUS_BATCH;
  replayed.weight = SWARMGRAD_TOTAL_RETURN;
  replayed.optimizer = SWARMGRAD_SGD;

  Setup early;
  early.environment = "CartPole-v1";
  early.environments = 33;
  early.weight = SWARMGRAD_DISCOUNTED_STATE;
  early.baseline = SWARMGRAD_PREVIOUS_BATCH;
  early.discount = 0.99;

  Setup own;
  own.environment = "meeting";
  own.hidden = {};
  own.environments = 1300;  // more cohorts than blocks
  own.weight = SWARMGRAD_OWN_RETURN;
  own.baseline = SWARMGRAD_PREVIOUS_BATCH;
  own.agent_reduction = SWARMGRAD_MEAN;
  own.scale = SWARMGRAD_SCALE_RUNNING_DEVIATION;

  Setup joint = adam;
  joint.baseline = SWARMGRAD_LEARNED_VALUE;
  joint.lambda = 0.9;
  joint.bootstraps = true;
  joint.normalises = true;

  Setup values = replayed;
  values.environment = "simple_tag_v3";
  values.baseline = SWARMGRAD_LEARNED_VALUE;
  values.value_input = SWARMGRAD_VALUE_OWN;
  values.weight = SWARMGRAD_OWN_RETURN;
  values.normalises = true;
  std::vector<Setup> setups = {adam, replayed, early, own, joint, values};
  for (const Setup &setup : catalogue_setups()) setups.push_back(setup);
  return setups;
}

std::vector<float> trained(const Setup &setup, int iterations) {
  Engine engine(setup);
  engine.train(iterations);
  return engine.parameters();
}

// The register of rounding, flush-to-zero and exception masks.
#if defined(__x86_64__)
using ModeRegister = uint32_t;
constexpr ModeRegister hostile_modes[] = {0x1f80 | 0x8040, 0x1f80 | 0x6000, 0x1f80 | 0x2000 | 0x8040};
ModeRegister read_mode() { return __builtin_ia32_stmxcsr() & ~ModeRegister{0x3f}; }  // without the sticky flags
void write_mode(ModeRegister mode) { __builtin_ia32_ldmxcsr(mode); }
constexpr ModeRegister usual_mode = 0x1f80;
#else
using ModeRegister = uint64_t;
constexpr ModeRegister hostile_modes[] = {1u << 24, 3u << 22, 1u << 24 | 2u << 22};
ModeRegister read_mode() {
  ModeRegister mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
void write_mode(ModeRegister mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
constexpr ModeRegister usual_mode = 0;
#endif

}  // namespace

TEST_CASE("threads and instruction sets give the same training") {
  for (Setup setup : varied_setups()) {
    CAPTURE(std::string(setup.environment));
    const std::vector<float> expected = trained(setup, 3);
    const std::vector<int> thread_counts = computes_on_cpu() ? std::vector{1, 2, 3, 7} : std::vector{1};
    for (const int isa : available_isas())
      for (const int threads : thread_counts) {
        setup.isa = isa;
        setup.threads = threads;
        CAPTURE(isa);
        CAPTURE(threads);
        CHECK(same_bits(trained(setup, 3), expected));
      }
  }
}

TEST_CASE("every environment replays to the bits that it stores") {
  for (int index = 0; index < swarmgrad_environment_count(); ++index) {
    swarmgrad_environment_info info = {};
    info.size = sizeof info;
    require_ok(swarmgrad_environment(index, &info));
    CAPTURE(std::string(info.id));
    Setup setup;
    setup.environment = info.id;
    setup.environments = 18;
    setup.horizon = 150;
    setup.entropy_coefficient = 0.1;  // a gradient even where random play earns nothing
    setup.stored_bytes = INT64_MAX;
    Engine storing(setup);
    REQUIRE(storing.info().replays == 0);
    setup.stored_bytes = 1;
    Engine replaying(setup);
    REQUIRE(replaying.info().replays == 1);
    storing.scramble_parameters();
    replaying.scramble_parameters();
    std::vector<swarmgrad_statistics> statistics;
    const std::vector<float> gradient = storing.gradient(&statistics);
    CHECK(statistics[0].gradient_norm > 0);
    CHECK(same_bits(replaying.gradient(), gradient));
  }
}

TEST_CASE("the caller's floating-point mode changes nothing and comes back") {
  for (const Setup &setup : varied_setups()) {
    CAPTURE(std::string(setup.environment));
    Engine expected(setup);
    expected.train(2);
    const Recording recording = expected.record();
    for (const ModeRegister mode : hostile_modes) {
      CAPTURE(mode);
      Setup threaded = setup;
      threaded.threads = 2;
      const Configuration configuration(threaded);
      const std::vector<swarmgrad_rates> rates(2, expected.rates_of(0.02));
      std::vector<float> gradient(recording.gradient.size()), parameters(gradient.size());
      std::vector<swarmgrad_trajectories> none(recording.groups.size());
      for (size_t g = 0; g < none.size(); ++g) {
        none[g].size = sizeof(swarmgrad_trajectories);
        none[g].group = static_cast<int32_t>(g);
      }
      swarmgrad_engine *engine = nullptr;
      swarmgrad_status statuses[5];
      ModeRegister after[5];
      write_mode(mode);
      statuses[0] = swarmgrad_create(&configuration.config, &engine);
      after[0] = read_mode();
      statuses[1] = swarmgrad_train(engine, 2, rates.data(), nullptr);
      after[1] = read_mode();
      statuses[2] = swarmgrad_record(engine, none.data(), gradient.data(), nullptr);
      after[2] = read_mode();
      statuses[3] = swarmgrad_read(engine, 0, parameters.data(), static_cast<int64_t>(parameters.size()));
      after[3] = read_mode();
      // A call that fails restores the mode as well.
      statuses[4] = swarmgrad_train(engine, -1, rates.data(), nullptr);
      after[4] = read_mode();
      write_mode(usual_mode);
      for (int k = 0; k < 5; ++k) {
        CHECK(statuses[k] == (k < 4 ? SWARMGRAD_OK : SWARMGRAD_INVALID_ARGUMENT));
        CHECK(after[k] == mode);
      }
      CHECK(same_bits(parameters, expected.parameters()));
      CHECK(same_bits(gradient, recording.gradient));
      swarmgrad_destroy(engine);
    }
  }
}

TEST_CASE("train is gradient and step, repeated") {
  for (const Setup &setup : varied_setups()) {
    CAPTURE(std::string(setup.environment));
    Engine at_once(setup), by_hand(setup), by_copy(setup);
    const auto groups = static_cast<size_t>(at_once.group_count());
    std::vector<swarmgrad_statistics> statistics(3 * groups), each;
    const swarmgrad_rates rates[] = {at_once.rates_of(0.05), at_once.rates_of(0.02), at_once.rates_of(0)};
    require_ok(swarmgrad_train(at_once.handle(), 3, rates, statistics.data()));
    for (size_t k = 0; k < 3; ++k) {
      by_hand.gradient(&each);
      CHECK(std::memcmp(each.data(), &statistics[k * groups], groups * sizeof each[0]) == 0);
      CHECK(each[0].iteration == static_cast<int64_t>(k));
      require_ok(swarmgrad_step(by_hand.handle(), nullptr, &rates[k]));
      const std::vector<float> gradient = by_copy.gradient();
      CHECK(same_bits(gradient, by_copy.gradient()));  // asked twice, answered twice
      require_ok(swarmgrad_step(by_copy.handle(), gradient.data(), &rates[k]));
    }
    for (const Engine *engine : {&by_hand, &by_copy}) {
      CHECK(same_bits(engine->parameters(), at_once.parameters()));
      CHECK(engine->checkpoint() == at_once.checkpoint());
    }
  }
}

TEST_CASE("calls between gradient and step do not lose the batch's baselines and moments") {
  for (const Setup &setup : varied_setups()) {
    CAPTURE(std::string(setup.environment));
    Engine plain(setup), busy(setup);
    const swarmgrad_rates rates = busy.rates_of(0.02);
    for (int k = 0; k < 2; ++k) {
      plain.train(1);
      const std::vector<float> gradient = busy.gradient();
      const Recording recording = busy.record();
      busy.gradient_of(0, recording.groups[0]);
      std::vector<swarmgrad_statistics> statistics(static_cast<size_t>(busy.group_count()));
      require_ok(busy.evaluate(0, 20, SWARMGRAD_ACT_SAMPLED, statistics.data()));
      require_ok(swarmgrad_step(busy.handle(), gradient.data(), &rates));
    }
    CHECK(busy.checkpoint() == plain.checkpoint());
  }
}

TEST_CASE("a fresh engine continues from the checkpointed buffers alone") {
  for (Setup setup : varied_setups()) {
    CAPTURE(std::string(setup.environment));
    Engine original(setup);
    original.train(3);
    const Snapshot snapshot = original.checkpoint();
    original.train(3);

    setup.threads = 3;
    Engine fresh(setup);
    fresh.restore(snapshot);
    fresh.train(3);
    CHECK(fresh.checkpoint() == original.checkpoint());

    // An engine whose scratch memory is full of other work: other parameters, batches, records and evaluations.
    Engine used(setup);
    used.scramble_parameters(0.3);
    used.train(4, 0.5);
    used.gradient_of(0, used.record().groups[0]);
    std::vector<swarmgrad_statistics> statistics(static_cast<size_t>(used.group_count()));
    require_ok(used.evaluate(100, 70, SWARMGRAD_ACT_RANDOM, statistics.data()));
    used.gradient();
    used.restore(snapshot);
    used.train(3);
    CHECK(used.checkpoint() == original.checkpoint());
  }
}

TEST_CASE("work in between does not disturb a training") {
  for (const Setup &setup : varied_setups()) {
    CAPTURE(std::string(setup.environment));
    Engine plain(setup), busy(setup);
    for (int k = 0; k < 3; ++k) {
      plain.train(1);
      busy.train(1);
      std::vector<swarmgrad_statistics> statistics(static_cast<size_t>(busy.group_count()));
      for (const int acting : {SWARMGRAD_ACT_SAMPLED, SWARMGRAD_ACT_GREEDY, SWARMGRAD_ACT_RANDOM})
        require_ok(busy.evaluate(5, 40, acting, statistics.data()));
      busy.gradient_of(0, busy.record().groups[0]);
      busy.gradient();
    }
    CHECK(busy.checkpoint() == plain.checkpoint());
  }
}

TEST_CASE("all memory is listed as buffers, and none of it grows with the environments") {
  for (Setup setup : varied_setups()) {
    CAPTURE(std::string(setup.environment));
    const Engine engine(setup);
    int64_t bytes = 0;
    for (int k = 0; k < engine.info().buffer_count; ++k) {
      const swarmgrad_buffer_info buffer = engine.buffer(k);
      bytes += (buffer.count * (buffer.type == SWARMGRAD_F32 ? 4 : 8) + 63) / 64 * 64;
    }
    CHECK(bytes == engine.info().bytes_total);
    CHECK(engine.info().bytes_per_cohort > 0);
    setup.environments = 4096;
    const Engine many(setup);
    setup.environments = 1000000;
    const Engine more(setup);
    // A GPU takes what the cohorts of a wave need, as long as it has room.
    if (computes_on_cpu()) CHECK(many.info().bytes_total == more.info().bytes_total);
    CHECK(many.info().cohort_count == 256);
    CHECK(more.info().cohort_count == 62500);
  }
}

TEST_CASE("an environment's episode does not depend on how many there are") {
  for (Setup setup : varied_setups()) {
    CAPTURE(std::string(setup.environment));
    setup.environments = 40;
    Engine many(setup);
    setup.environments = 17;
    Engine few(setup);
    many.scramble_parameters();
    few.scramble_parameters();
    const Recording a = many.record(), b = few.record();
    size_t differences = 0;
    for (size_t g = 0; g < a.groups.size(); ++g) {
      const Batch &x = a.groups[g], &y = b.groups[g];
      for (int64_t e = 0; e < 17; ++e) {
        differences += x.episode_length[static_cast<size_t>(e)] != y.episode_length[static_cast<size_t>(e)];
        for (int step = 0; step < x.steps; ++step)
          for (int agent = 0; agent < x.agents; ++agent) {
            const size_t p = x.cell(step, agent, e), q = y.cell(step, agent, e);
            differences += x.action[p] != y.action[q] || x.reward[p] != y.reward[q] || x.alive[p] != y.alive[q] ||
                           x.log_probability[p] != y.log_probability[q];
            for (int f = 0; f < x.features; ++f)
              differences += x.observation[x.element(step, agent, f, x.features, e)] !=
                             y.observation[y.element(step, agent, f, y.features, e)];
          }
      }
    }
    CHECK(differences == 0);
  }
}

TEST_CASE("iterations, seeds and streams draw different episodes") {
  Setup setup;
  Engine engine(setup);
  std::vector<swarmgrad_statistics> first, second;
  engine.gradient(&first);
  const Recording recording = engine.record();
  CHECK(recording.statistics[0].team_return_mean != first[0].team_return_mean);
  engine.write("iteration", std::vector<int64_t>{1});
  engine.gradient(&second);
  CHECK(second[0].team_return_mean != first[0].team_return_mean);
  CHECK(engine.record().statistics[0].team_return_mean != recording.statistics[0].team_return_mean);
  setup.seed = 2;
  Engine other(setup);
  CHECK(!same_bits(other.parameters(), engine.parameters()));
  other.write("parameters", engine.parameters());
  other.gradient(&second);
  CHECK(second[0].team_return_mean != first[0].team_return_mean);
}
