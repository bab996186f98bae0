// Calls from several threads: cancelling, progress, handles that are in use, numeric faults found by any of the threads.
#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

#include "engine_fixture.h"

using namespace swarmgrad_tests;

namespace {

void wait_for_progress(swarmgrad_engine *engine, int64_t beyond) {
  int64_t cohorts = 0;
  while (cohorts <= beyond) {
    require_ok(swarmgrad_progress(engine, &cohorts));
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

int64_t progress_of(const Engine &engine) {
  int64_t cohorts = 0;
  require_ok(swarmgrad_progress(engine.handle(), &cohorts));
  return cohorts;
}

}  // namespace

TEST_CASE("a cancelled training stops after a whole iteration and goes on as if never stopped") {
  for (const int threads : {1, 3}) {
    Setup setup;
    setup.threads = threads;
    setup.environments = 100;
    setup.baseline = SWARMGRAD_PREVIOUS_BATCH;
    Engine engine(setup);
    // Longer than any test would wait.
    const std::vector<swarmgrad_rates> rates(2000000, engine.rates_of(0.01));
    swarmgrad_status status = SWARMGRAD_OK;
    std::string text;
    std::thread training([&] {
      status = swarmgrad_train(engine.handle(), static_cast<int32_t>(rates.size()), rates.data(), nullptr);
      text = swarmgrad_last_error();
    });
    wait_for_progress(engine.handle(), 40);
    require_ok(swarmgrad_cancel(engine.handle()));
    training.join();
    CHECK(status == SWARMGRAD_CANCELLED);
    CHECK(text.find("last complete iteration") != std::string::npos);

    const int64_t iterations = engine.read<int64_t>("iteration")[0];
    REQUIRE(iterations >= 1);
    REQUIRE(iterations < 100000);
    Engine expected(setup);
    expected.train(static_cast<int>(iterations), 0.01);
    CHECK(engine.checkpoint() == expected.checkpoint());
    engine.train(3);
    expected.train(3);
    CHECK(engine.checkpoint() == expected.checkpoint());
  }
}

TEST_CASE("cancel reaches into a single long call, and a call that is yet to come") {
  Setup setup;
  setup.threads = 2;
  Engine engine(setup);
  std::vector<swarmgrad_statistics> statistics(1);
  swarmgrad_status status = SWARMGRAD_OK;
  std::thread evaluation([&] { status = engine.evaluate(0, 2147483647, SWARMGRAD_ACT_SAMPLED, statistics.data()); });
  wait_for_progress(engine.handle(), 3);
  require_ok(swarmgrad_cancel(engine.handle()));
  evaluation.join();
  CHECK(status == SWARMGRAD_CANCELLED);

  require_ok(swarmgrad_cancel(engine.handle()));
  CHECK(swarmgrad_gradient(engine.handle(), nullptr, nullptr) == SWARMGRAD_CANCELLED);
  CHECK(swarmgrad_gradient(engine.handle(), nullptr, nullptr) == SWARMGRAD_OK);
  Engine other(setup);
  CHECK(same_bits(engine.gradient(), other.gradient()));
}

TEST_CASE("a gradient of a batch whose making was cancelled cannot be applied") {
  Engine engine(Setup{});
  engine.gradient();
  require_ok(swarmgrad_cancel(engine.handle()));
  REQUIRE(swarmgrad_gradient(engine.handle(), nullptr, nullptr) == SWARMGRAD_CANCELLED);
  const swarmgrad_rates rates = engine.rates_of(0.1);
  CHECK(swarmgrad_step(engine.handle(), nullptr, &rates) == SWARMGRAD_INVALID_ARGUMENT);
}

TEST_CASE("progress counts cohorts and never goes back") {
  Setup setup;
  setup.environments = 33;
  setup.threads = 2;
  Engine engine(setup);
  CHECK(progress_of(engine) == 0);
  engine.gradient();
  CHECK(progress_of(engine) == 3);
  engine.train(2);
  CHECK(progress_of(engine) == 9);

  std::atomic<bool> running{true};
  std::atomic<int> backward{0};
  std::thread watching([&] {
    for (int64_t last = 0, now = 0; running.load(); last = now) {
      swarmgrad_progress(engine.handle(), &now);
      backward += now < last;
    }
  });
  engine.train(50);
  running.store(false);
  watching.join();
  CHECK(backward.load() == 0);
  CHECK(progress_of(engine) == 9 + 150);
}

TEST_CASE("a handle in use turns a second thread away") {
  Setup setup;
  Engine engine(setup);
  const std::vector<swarmgrad_rates> rates(2000000, engine.rates_of(0.01));
  std::thread training(
      [&] { swarmgrad_train(engine.handle(), static_cast<int32_t>(rates.size()), rates.data(), nullptr); });
  wait_for_progress(engine.handle(), 0);

  swarmgrad_engine *handle = engine.handle();
  std::vector<float> values(static_cast<size_t>(engine.info().parameter_count));
  std::vector<swarmgrad_statistics> statistics(1);
  const int32_t acting = SWARMGRAD_ACT_SAMPLED;
  swarmgrad_info info = {};
  info.size = sizeof info;
  swarmgrad_group group = {};
  group.size = sizeof group;
  swarmgrad_buffer_info buffer = {};
  buffer.size = sizeof buffer;
  swarmgrad_trajectories trajectories = {};
  trajectories.size = sizeof trajectories;
  swarmgrad_batch batch = {};
  batch.size = sizeof batch;
  swarmgrad_rewards rewards = {};
  rewards.size = sizeof rewards;
  swarmgrad_logit_rows rows = {};
  rows.size = sizeof rows;
  double peak = 0;
  const auto expect_busy = [](swarmgrad_status status) {
    CHECK(status == SWARMGRAD_BUSY);
    CHECK(std::string(swarmgrad_last_error()).find("another thread is using this handle") == 0);
  };
  expect_busy(swarmgrad_get_info(handle, &info));
  expect_busy(swarmgrad_get_group(handle, 0, &group));
  expect_busy(swarmgrad_train(handle, 1, rates.data(), nullptr));
  expect_busy(swarmgrad_gradient(handle, values.data(), nullptr));
  expect_busy(swarmgrad_step(handle, values.data(), rates.data()));
  expect_busy(swarmgrad_record(handle, &trajectories, nullptr, nullptr));
  expect_busy(swarmgrad_evaluate(handle, 0, 1, &acting, statistics.data()));
  expect_busy(swarmgrad_buffer(handle, 0, &buffer));
  expect_busy(swarmgrad_read(handle, 0, values.data(), static_cast<int64_t>(values.size())));
  expect_busy(swarmgrad_write(handle, 0, values.data(), static_cast<int64_t>(values.size())));
  expect_busy(swarmgrad_forward(handle, 0, 0, nullptr, nullptr, nullptr));
  expect_busy(swarmgrad_logits(handle, &rows));
  expect_busy(swarmgrad_weights(handle, &rewards));
  expect_busy(swarmgrad_gradient_of(handle, &batch, values.data()));
  expect_busy(swarmgrad_fma_peak(handle, &peak));
  expect_busy(swarmgrad_destroy(handle));

  require_ok(swarmgrad_cancel(handle));
  training.join();
  CHECK(swarmgrad_get_info(handle, &info) == SWARMGRAD_OK);
}

TEST_CASE("engines of several threads live side by side") {
  const Setup setup;
  Engine expected(setup);
  expected.train(3);
  std::vector<std::vector<float>> found(3);
  std::vector<std::thread> threads;
  for (std::vector<float> &parameters : found)
    threads.emplace_back([&setup, &parameters] {
      Engine engine(setup);
      engine.train(3);
      parameters = engine.parameters();
    });
  for (std::thread &thread : threads) thread.join();
  for (const std::vector<float> &parameters : found) CHECK(same_bits(parameters, expected.parameters()));
}

// Logits overflow exactly where agent 0 starts in cell 2 and agent 1 in cell 1 (feature 3 x 2 + 1): a fault that the
// simulator foretells.
TEST_CASE("a numeric fault names iteration, environment, agent and step, whichever thread finds it") {
  Setup setup;
  setup.environment = "meeting";
  setup.hidden = {};
  setup.environments = 640;
  for (const int threads : {1, 2, 7}) {
    setup.threads = threads;
    Engine engine(setup);
    const std::vector<float> good = engine.parameters();
    for (const int64_t iteration : {0, 5}) {
      Simulator simulator("meeting");
      uint32_t first = 0;
      for (;; ++first) {
        simulator.reset(first, static_cast<uint32_t>(iteration));
        const std::vector<double> cell = simulator.get(0);
        if (cell[0] == 2 && cell[1] == 1) break;
      }
      std::vector<float> huge(good.size(), 0.0f);
      huge[3 * 9 + 1] = 3e38f;  // bias of staying, finite by itself: everyone stays where it starts
      huge[1 * 9 + 7] = 3e38f;  // weight of staying at feature 7
      engine.write("iteration", std::vector<int64_t>{iteration});
      engine.write("parameters", huge);
      const Snapshot before = engine.checkpoint();
      const swarmgrad_rates rates = engine.rates_of(0.1);
      CHECK(swarmgrad_train(engine.handle(), 1, &rates, nullptr) == SWARMGRAD_NUMERIC);
      // The earliest step of a cohort comes first, then its lowest environment.
      const std::string text = swarmgrad_last_error();
      const std::string expected = "meeting, iteration " + std::to_string(iteration) + ", environment " +
                                   std::to_string(first) + ", agent 0, step 0: ";
      CHECK(text.substr(0, expected.size()) == expected);
      CHECK(engine.checkpoint() == before);

      engine.write("parameters", good);
      CHECK(swarmgrad_train(engine.handle(), 1, &rates, nullptr) == SWARMGRAD_OK);
    }
  }
}

TEST_CASE("a logit of minus infinity is an overflow too, a very small one is not") {
  Setup setup;
  setup.environment = "meeting";
  setup.hidden = {};
  Engine engine(setup);
  std::vector<float> parameters(static_cast<size_t>(engine.info().parameter_count), 0.0f);
  parameters[3 * 9 + 2] = -3e38f;  // bias of going right
  engine.write("parameters", parameters);
  CHECK(swarmgrad_gradient(engine.handle(), nullptr, nullptr) == SWARMGRAD_OK);
  for (size_t feature = 0; feature < 9; ++feature) parameters[2 * 9 + feature] = -3e38f;
  engine.write("parameters", parameters);
  CHECK(swarmgrad_gradient(engine.handle(), nullptr, nullptr) == SWARMGRAD_NUMERIC);
  CHECK(std::string(swarmgrad_last_error()).find("meeting, iteration 0, environment 0, agent 0, step 0") == 0);
}

TEST_CASE("parameters and gradients too large for single precision are numeric errors") {
  Setup setup;
  setup.environments = 2;
  setup.optimizer = SWARMGRAD_SGD;
  Engine engine(setup);
  engine.write("parameters", std::vector<float>(static_cast<size_t>(engine.info().parameter_count), 1e38f));
  CHECK(swarmgrad_gradient(engine.handle(), nullptr, nullptr) == SWARMGRAD_NUMERIC);
  CHECK(std::string(swarmgrad_last_error()).find("simple_spread_v3, iteration 0, environment 0, agent 0, step 0") == 0);
  std::vector<swarmgrad_statistics> statistics(1);
  CHECK(engine.evaluate(70, 40, SWARMGRAD_ACT_SAMPLED, statistics.data()) == SWARMGRAD_NUMERIC);
  CHECK(std::string(swarmgrad_last_error()).find("environment 70, agent 0, step 0") != std::string::npos);
  CHECK(engine.evaluate(70, 40, SWARMGRAD_ACT_RANDOM, statistics.data()) == SWARMGRAD_OK);

  engine.scramble_parameters();
  const std::vector<float> before = engine.parameters();
  std::vector<float> gradient(before.size(), 1.0f);
  gradient[3] = NAN;
  const swarmgrad_rates usual = engine.rates_of(0.1), enormous = engine.rates_of(1000);
  CHECK(swarmgrad_step(engine.handle(), gradient.data(), &usual) == SWARMGRAD_NUMERIC);
  CHECK(same_bits(engine.parameters(), before));
  gradient[3] = 3e38f;
  CHECK(swarmgrad_step(engine.handle(), gradient.data(), &enormous) == SWARMGRAD_NUMERIC);
  CHECK(std::string(swarmgrad_last_error()).find("iteration 0, group agent: the update left parameters") == 0);
  engine.write("parameters", before);
  engine.gradient();
}
