// Environments of the caller's own: the same bits as the same rules in the catalogue, with groups, masks, death, chance
// and early ends; and errors that name the place. The rules are those of contract_environment.h, one lane at a time.
#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>

#include "reference.h"
#include "tests/contract_environment.h"

using namespace swarmgrad_tests;

namespace {

using swarmgrad::Purpose;
using Rules = swarmgrad::scalar::ContractEnvironment;
using swarmgrad::scalar::AvailableActions;
using swarmgrad::scalar::Draws;
using swarmgrad::scalar::Float;
using swarmgrad::scalar::Int;
using swarmgrad::scalar::Observation;

constexpr uint64_t seed = 11;
constexpr int lanes = 16;

// One episode: the rules and their memory.
struct Episode {
  Rules rules;
  std::vector<std::unique_ptr<float[]>> memory;  // of 4-byte slots, whatever their type

  explicit Episode(const double *parameter) : rules(parameter) {
    const auto bind = [this](const char *, auto &array, int rows, int columns) {
      memory.push_back(std::make_unique<float[]>(static_cast<size_t>(rows) * static_cast<size_t>(columns)));
      array.bind(reinterpret_cast<decltype(&array[0])>(memory.back().get()));
    };
    rules.state(bind);
    rules.chance(bind);
    rules.scratch(bind);
  }
};

// What the callbacks' context is: parameters, and a deed that a test adds to a step.
struct Game {
  double parameters[2] = {0.02, 4};
  int32_t (*deed)(swarmgrad_cohort *) = nullptr;
  swarmgrad::Stream stream = swarmgrad::Stream::training;
  std::atomic<int> wrong_words{0};
  std::mutex mutex;
  std::vector<std::unique_ptr<std::vector<Episode>>> cohorts;  // one an engine's thread
};

std::vector<Episode> &episodes_of(Game &game, swarmgrad_cohort *cohort) {
  if (cohort->caller == nullptr) {
    auto made = std::make_unique<std::vector<Episode>>();
    for (int lane = 0; lane < lanes; ++lane) made->emplace_back(game.parameters);
    cohort->caller = made.get();
    const std::lock_guard lock(game.mutex);
    game.cohorts.push_back(std::move(made));
  }
  return *static_cast<std::vector<Episode> *>(cohort->caller);
}

Draws draws_of(const Game &game, const swarmgrad_cohort *cohort, int lane, Purpose purpose) {
  return Draws(Int(cohort->first_environment + lane), cohort->iteration, static_cast<uint32_t>(cohort->step),
               swarmgrad::scalar::in_stream(purpose, game.stream), seed);
}

// The engine's random words are those that the rules draw.
void compare_words(Game &game, const swarmgrad_cohort *cohort, Purpose purpose) {
  int32_t words[2][4][lanes];
  for (int block = 0; block < 2; ++block)
    if (cohort->draw(cohort, block, words[block][0]) != SWARMGRAD_OK) ++game.wrong_words;
  for (int lane = 0; lane < cohort->episodes; ++lane) {
    Draws draws = draws_of(game, cohort, lane, purpose);
    for (int word = 0; word < 8; ++word)
      if (words[word / 4][word % 4][lane] != draws.bits().raw) ++game.wrong_words;
  }
}

void observe(std::vector<Episode> &episodes, swarmgrad_cohort *cohort) {
  for (int lane = 0; lane < cohort->episodes; ++lane) {
    Rules &rules = episodes[static_cast<size_t>(lane)].rules;
    float *observation = cohort->observation + lane;
    uint16_t *available = cohort->available;
    const auto bit = static_cast<uint16_t>(1u << lane);
    for (int agent = 0; agent < Rules::agents; ++agent) {
      const auto group = rules.group(agent < Rules::walkers ? 0 : 1);
      rules.observe(agent, Observation(observation, lanes));
      observation += group.observation_size * lanes;
      cohort->alive[agent] = static_cast<uint16_t>((cohort->alive[agent] & ~bit) | (rules.alive(agent).raw ? bit : 0));
      if (!group.has_mask) continue;
      uint16_t open[3];
      rules.available(agent, AvailableActions(open));
      for (int a = 0; a < group.action_count; ++a, ++available)
        *available = static_cast<uint16_t>((*available & ~bit) | (open[a] != 0 ? bit : 0));
    }
  }
}

int32_t reset(void *context, swarmgrad_cohort *cohort) {
  Game &game = *static_cast<Game *>(context);
  std::vector<Episode> &episodes = episodes_of(game, cohort);
  compare_words(game, cohort, Purpose::reset);
  for (int lane = 0; lane < cohort->episodes; ++lane) {
    Draws draws = draws_of(game, cohort, lane, Purpose::reset);
    episodes[static_cast<size_t>(lane)].rules.reset(draws);
  }
  observe(episodes, cohort);
  return 0;
}

// Episodes that have ended do as badly as they can: it must have no effect.
int32_t step(void *context, swarmgrad_cohort *cohort) {
  Game &game = *static_cast<Game *>(context);
  std::vector<Episode> &episodes = episodes_of(game, cohort);
  compare_words(game, cohort, Purpose::environment);
  for (int lane = 0; lane < lanes; ++lane) {
    float *reward = cohort->reward + lane;
    if ((cohort->playing >> lane & 1) == 0) {
      for (int agent = 0; agent < Rules::agents; ++agent)
        reward[agent * lanes] = std::numeric_limits<float>::infinity();
      cohort->observation[lane] = std::numeric_limits<float>::quiet_NaN();
      continue;
    }
    Rules &rules = episodes[static_cast<size_t>(lane)].rules;
    Draws draws = draws_of(game, cohort, lane, Purpose::environment);
    rules.draw(draws);
    for (int agent = 0; agent < Rules::agents; ++agent) rules.act(agent, Int(cohort->action[agent * lanes + lane]));
    for (int agent = 0; agent < Rules::agents; ++agent) rules.phase<0>(agent);
    for (int agent = 0; agent < Rules::agents; ++agent) rules.phase<1>(agent);
    rules.resolve();
    for (int agent = 0; agent < Rules::agents; ++agent) reward[agent * lanes] = rules.reward(agent).raw;
    cohort->done |= static_cast<int32_t>(rules.done().raw) << lane;
  }
  observe(episodes, cohort);
  return game.deed == nullptr ? 0 : game.deed(cohort);
}

// The callbacks' structs, which need to live only while an engine is made.
struct Callbacks {
  swarmgrad_group groups[2] = {};
  swarmgrad_callbacks callbacks = {};

  explicit Callbacks(Game &game) {
    const Rules rules(game.parameters);
    for (int g = 0; g < 2; ++g) {
      const auto shape = rules.group(g);
      groups[g].size = sizeof groups[g];
      groups[g].name = shape.name;
      groups[g].agent_count = shape.agents;
      groups[g].observation_size = shape.observation_size;
      groups[g].action_count = shape.action_count;
      groups[g].has_mask = shape.has_mask;
    }
    callbacks.size = sizeof callbacks;
    callbacks.group_count = 2;
    callbacks.horizon = rules.horizon();
    callbacks.groups = groups;
    callbacks.context = &game;
    callbacks.reset = reset;
    callbacks.step = step;
  }
};

Setup own_setup(const Callbacks *callbacks, int threads = 1) {
  Setup setup;
  setup.environment = callbacks == nullptr ? "contract" : "own";
  setup.callbacks = callbacks == nullptr ? nullptr : &callbacks->callbacks;
  setup.hidden = {9};
  setup.environments = 35;
  setup.baseline = SWARMGRAD_LEAVE_ONE_OUT;
  setup.entropy_coefficient = 0.05;
  setup.seed = seed;
  setup.threads = threads;
  return setup;
}

std::string failure_of(int32_t (*deed)(swarmgrad_cohort *), swarmgrad_status status) {
  Game game;
  game.deed = deed;
  const Callbacks callbacks(game);
  const Engine engine(own_setup(&callbacks));
  const swarmgrad_rates rates = engine.rates_of(0.01);
  CHECK(swarmgrad_train(engine.handle(), 1, &rates, nullptr) == status);
  return swarmgrad_last_error();
}

}  // namespace

TEST_CASE("callbacks train to the bits of the catalogue's form, whatever the threads and instruction set") {
  Engine judge(own_setup(nullptr));
  judge.train(10);
  judge.scramble_parameters();
  const std::vector<float> expected = judge.gradient();
  for (const int isa : available_isas())
    for (const int threads : {1, 2, 3}) {
      CAPTURE(isa);
      CAPTURE(threads);
      Game game;
      const Callbacks callbacks(game);
      Setup setup = own_setup(&callbacks, threads);
      setup.isa = isa;
      Engine engine(setup);
      CHECK(engine.group(1).name == std::string("carrier"));
      engine.train(10);
      CHECK(same_bits(engine.read<double>("baseline"), judge.read<double>("baseline")));
      engine.scramble_parameters();
      CHECK(same_bits(engine.gradient(), expected));
      CHECK(game.wrong_words == 0);
      CHECK(game.cohorts.size() <= static_cast<size_t>(threads));
    }
}

TEST_CASE("records and evaluations draw from streams of their own") {
  Engine judge(own_setup(nullptr));
  judge.scramble_parameters();
  const Recording expected = judge.record();
  Game game;
  game.stream = swarmgrad::Stream::record;
  const Callbacks callbacks(game);
  Engine engine(own_setup(&callbacks));
  engine.scramble_parameters();
  const Recording found = engine.record();
  for (size_t g = 0; g < 2; ++g) {
    CHECK(same_bits(found.groups[g].observation, expected.groups[g].observation));
    CHECK(same_bits(found.groups[g].mask, expected.groups[g].mask));
    CHECK(same_bits(found.groups[g].alive, expected.groups[g].alive));
    CHECK(same_bits(found.groups[g].reward, expected.groups[g].reward));
  }
  CHECK(game.wrong_words == 0);
}

TEST_CASE("long episodes are stored, since nobody can bring a caller's state back") {
  Game game;
  game.parameters[0] = 0.001;
  game.parameters[1] = 100;
  const Callbacks callbacks(game);
  Setup setup = own_setup(&callbacks), native = own_setup(nullptr);
  native.parameters = {{"end_probability", 0.001}, {"energy", 100}};
  for (Setup *each : {&setup, &native}) {
    each->stored_bytes = 1;
    each->horizon = 100;
  }
  for (const bool learns_values : {false, true}) {
    for (Setup *each : {&setup, &native}) {
      if (!learns_values) continue;
      each->baseline = SWARMGRAD_LEARNED_VALUE;
      each->lambda = 0.8;
      each->bootstraps = true;
      each->normalises = true;
    }
    Engine engine(setup), judge(native);
    CHECK(judge.info().replays == 1);
    CHECK(engine.info().replays == 0);
    engine.train(2);
    judge.train(2);
    CHECK(same_bits(engine.parameters(), judge.parameters()));
    CHECK(same_bits(engine.gradient(), judge.gradient()));
  }
}

TEST_CASE("a callback that fails, or writes what is no number, is named with the place") {
  CHECK(failure_of([](swarmgrad_cohort *cohort) { return cohort->step == 2 && cohort->first_environment > 0 ? 7 : 0; },
                   SWARMGRAD_ENVIRONMENT_FAILED) ==
        "own, iteration 0, environment 11, step 2: step failed with status 7");
  CHECK(failure_of(
            [](swarmgrad_cohort *cohort) {
              cohort->observation[(3 + 3 + 5 + 2) * lanes + 4] = std::numeric_limits<float>::infinity();
              return 0;
            },
            SWARMGRAD_ENVIRONMENT_FAILED) ==
        "own, iteration 0, environment 4, step 0: feature 2 of agent 3's observation is inf; allowed: finite numbers");
  CHECK(failure_of(
            [](swarmgrad_cohort *cohort) {
              cohort->reward[lanes + 1] = std::numeric_limits<float>::quiet_NaN();
              return 0;
            },
            SWARMGRAD_NUMERIC) == "own, iteration 0, environment 1, agent 1, step 0: the reward is not finite");
  CHECK(failure_of(
            [](swarmgrad_cohort *cohort) {
              for (int a = 0; a < 3; ++a) cohort->available[3 + a] &= static_cast<uint16_t>(~(1u << 2));
              return 0;
            },
            SWARMGRAD_NUMERIC)
            .find("environment 2, agent 3, step 1: ") != std::string::npos);
}

TEST_CASE("random words beyond what the counter tells apart are refused") {
  CHECK(failure_of(
            [](swarmgrad_cohort *cohort) {
              int32_t words[4 * lanes];
              const bool refused = cohort->draw(cohort, 65536, words) == SWARMGRAD_INVALID_ARGUMENT &&
                                   cohort->draw(cohort, -1, words) == SWARMGRAD_INVALID_ARGUMENT;
              return cohort->draw(cohort, 65535, words) == SWARMGRAD_OK && refused ? 5 : 6;
            },
            SWARMGRAD_ENVIRONMENT_FAILED)
            .find("status 5") != std::string::npos);
}

TEST_CASE("what is missing in the callbacks is named") {
  const auto refused = [](auto change) {
    Game game;
    Callbacks callbacks(game);
    Setup setup = own_setup(&callbacks);
    change(callbacks, setup);
    const Configuration configuration(setup);
    swarmgrad_engine *engine = nullptr;
    CHECK(swarmgrad_create(&configuration.config, &engine) == SWARMGRAD_INVALID_ARGUMENT);
    CHECK(engine == nullptr);
    return std::string(swarmgrad_last_error());
  };
  CHECK(refused([](Callbacks &c, Setup &) { c.callbacks.size = 3; }).find("callbacks.size is 3") == 0);
  CHECK(refused([](Callbacks &c, Setup &) { c.callbacks.step = nullptr; }) ==
        "callbacks.reset or callbacks.step is null");
  CHECK(refused([](Callbacks &c, Setup &) { c.callbacks.groups = nullptr; }).find("callbacks.group_count is 2") == 0);
  CHECK(refused([](Callbacks &c, Setup &) { c.callbacks.horizon = 0; }) ==
        "callbacks.horizon is 0; allowed: 1 or more");
  CHECK(refused([](Callbacks &c, Setup &) { c.groups[1].size = 0; }).find("callbacks.groups[1].size is 0") == 0);
  CHECK(refused([](Callbacks &c, Setup &) { c.groups[1].name = nullptr; }) == "callbacks.groups[1].name is empty");
  CHECK(refused([](Callbacks &c, Setup &) { c.groups[0].agent_count = 0; }) ==
        "callbacks.groups[0].agent_count is 0; allowed: 1 to 1048576");
  CHECK(refused([](Callbacks &, Setup &s) { s.environment = nullptr; }).find("environment is empty") == 0);
  CHECK(refused([](Callbacks &, Setup &s) {
          s.parameters = {{"energy", 3}};
        }) == "parameter_count is 1; allowed: 0 with callbacks");
  CHECK(refused([](Callbacks &c, Setup &) { c.groups[0].agent_count = 4095; }) ==
        "own has 4098 agents or more; allowed: up to 4096, as many as the random numbers tell apart");
}
