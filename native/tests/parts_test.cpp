// The parts of an iteration on their own, against plain rewritings in double precision: log-softmax and its gradient,
// sampling, weights, baselines and scale of earlier batches, optimizers, initial parameters.
#include <cmath>

#include "reference.h"

using namespace swarmgrad_tests;

namespace {

// Numbers in (-1, 1) that repeat from run to run.
class Noise {
 public:
  double next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 11) / 4503599627370496.0 - 1.0;
  }

 private:
  uint64_t state_ = 1;
};

}  // namespace

TEST_CASE("log-softmax, entropy and logit gradient of given logits") {
  Engine engine(Setup{});
  Noise noise;
  for (const int actions : {1, 2, 5, 17})
    for (const double size : {0.01, 3.0, 100.0, 10000.0})
      for (const double coefficient : {0.0, 0.3}) {
        constexpr int64_t rows = 37;
        const auto width = static_cast<size_t>(actions);
        std::vector<float> logit(rows * width), weight(rows), log_probability(rows * width), entropy(rows),
            gradient(rows * width);
        std::vector<uint8_t> mask(rows * width);
        std::vector<int32_t> action(rows);
        for (size_t k = 0; k < logit.size(); ++k) {
          logit[k] = static_cast<float>(size * noise.next());
          mask[k] = noise.next() < 0.3;
        }
        for (size_t row = 0; row < rows; ++row) {
          action[row] = static_cast<int32_t>(row % width);
          mask[row * width + row % width] = 1;
          weight[row] = static_cast<float>(10 * noise.next());
        }
        swarmgrad_logit_rows given = {};
        given.size = sizeof given;
        given.action_count = actions;
        given.rows = rows;
        given.entropy_coefficient = coefficient;
        given.logit = logit.data();
        given.mask = mask.data();
        given.weight = weight.data();
        given.action = action.data();
        given.log_probability = log_probability.data();
        given.entropy = entropy.data();
        given.gradient = gradient.data();
        require_ok(swarmgrad_logits(engine.handle(), &given));
        CAPTURE(actions);
        CAPTURE(size);
        for (size_t row = 0; row < rows; ++row) {
          double maximum = -HUGE_VAL, total = 0, expected_entropy = 0;
          for (size_t a = 0; a < width; ++a)
            if (mask[row * width + a] != 0) maximum = std::max(maximum, double{logit[row * width + a]});
          for (size_t a = 0; a < width; ++a)
            if (mask[row * width + a] != 0) total += std::exp(logit[row * width + a] - maximum);
          const auto log_p = [&](size_t a) { return logit[row * width + a] - maximum - std::log(total); };
          for (size_t a = 0; a < width; ++a)
            if (mask[row * width + a] != 0) expected_entropy -= std::exp(log_p(a)) * log_p(a);
          REQUIRE(std::abs(entropy[row] - expected_entropy) <= 2e-6 * std::max(1.0, expected_entropy));
          for (size_t a = 0; a < width; ++a) {
            const size_t k = row * width + a;
            if (mask[k] == 0) {
              REQUIRE(log_probability[k] == -HUGE_VALF);
              REQUIRE(gradient[k] == 0);
              continue;
            }
            REQUIRE(std::abs(log_probability[k] - log_p(a)) <= 2e-6 * std::max(1.0, std::abs(log_p(a))));
            const double p = std::exp(log_p(a)), taken = a == static_cast<size_t>(action[row]) ? 1 : 0;
            const double slope =
                (taken - p) * weight[row] - coefficient * (p > 0 ? p * (log_p(a) + expected_entropy) : 0);
            REQUIRE(std::abs(gradient[k] - slope) <= 2e-6 * std::max(1.0, std::abs(double{weight[row]})));
          }
        }
      }
}

TEST_CASE("actions are drawn by their probabilities, masked ones never") {
  Engine engine(Setup{});
  constexpr int64_t rows = 100000;
  const float logits[4] = {0.5f, -1, 8, 1.5f};
  std::vector<float> logit;
  std::vector<uint8_t> mask;
  for (int64_t row = 0; row < rows; ++row)
    for (int a = 0; a < 4; ++a) {
      logit.push_back(logits[a]);
      mask.push_back(a != 2);
    }
  std::vector<int32_t> action(rows), again(rows);
  swarmgrad_logit_rows given = {};
  given.size = sizeof given;
  given.action_count = 4;
  given.rows = rows;
  given.logit = logit.data();
  given.mask = mask.data();
  given.action = action.data();
  given.sample = 1;
  require_ok(swarmgrad_logits(engine.handle(), &given));
  double total = 0, count[4] = {}, chi_square = 0;
  for (const int a : {0, 1, 3}) total += std::exp(double{logits[a]});
  for (const int32_t a : action) count[a] += 1;
  CHECK(count[2] == 0);
  for (const int a : {0, 1, 3}) {
    const double expected = rows * std::exp(double{logits[a]}) / total;
    chi_square += (count[a] - expected) * (count[a] - expected) / expected;
  }
  CHECK(chi_square < 13.8);  // 2 degrees of freedom: one in a thousand
  given.action = again.data();
  given.iteration = 1;
  require_ok(swarmgrad_logits(engine.handle(), &given));
  CHECK(again != action);
}

TEST_CASE("weights of given rewards, deaths, lengths and cohorts") {
  Noise noise;
  constexpr int steps = 6, agents = 3;
  constexpr int64_t environments = 20;
  const std::vector<int64_t> first = {0, 2, 18, 20};
  for (const int kind :
       {SWARMGRAD_TOTAL_RETURN, SWARMGRAD_REWARD_TO_GO, SWARMGRAD_OWN_RETURN, SWARMGRAD_DISCOUNTED_STATE})
    for (const int baseline : {SWARMGRAD_BASELINE_NONE, SWARMGRAD_LEAVE_ONE_OUT})
      for (const int reduction : {SWARMGRAD_SUM, SWARMGRAD_MEAN}) {
        Setup setup;
        setup.horizon = 9;
        setup.weight = kind;
        setup.baseline = baseline;
        setup.agent_reduction = reduction;
        setup.discount = 0.9;
        Engine engine(setup);
        Batch batch;
        batch.steps = steps;
        batch.agents = agents;
        batch.environments = environments;
        const size_t cells = steps * agents * static_cast<size_t>(environments);
        std::vector<float> weight(cells, -7), reward(cells);
        std::vector<uint8_t> alive(cells);
        std::vector<int32_t> length(environments);
        for (size_t k = 0; k < cells; ++k) {
          reward[k] = static_cast<float>(5 * noise.next());
          alive[k] = noise.next() < 0.6;
        }
        for (size_t e = 0; e < environments; ++e) length[e] = 1 + static_cast<int32_t>(e % steps);
        swarmgrad_rewards given = {};
        given.size = sizeof given;
        given.environments = environments;
        given.cohort_count = 3;
        given.steps = steps;
        given.cohort_first = first.data();
        given.reward = reward.data();
        given.alive = alive.data();
        given.episode_length = length.data();
        given.weight = weight.data();
        require_ok(swarmgrad_weights(engine.handle(), &given));

        const auto value = [&](int64_t e, int step, int agent) {
          const bool own = kind == SWARMGRAD_OWN_RETURN, whole = own || kind == SWARMGRAD_TOTAL_RETURN;
          double sum = 0;
          for (int k = whole ? 0 : step; k < length[static_cast<size_t>(e)]; ++k)
            for (int i = 0; i < agents; ++i)
              if (!own || i == agent) sum += std::pow(0.9, whole ? k : k - step) * reward[batch.cell(k, i, e)];
          return kind == SWARMGRAD_DISCOUNTED_STATE ? std::pow(0.9, step) * sum : sum;
        };
        double worst = 0;
        for (size_t c = 0; c < 3; ++c)
          for (int step = 0; step < steps; ++step)
            for (int agent = 0; agent < agents; ++agent) {
              double sum = 0;
              for (int64_t e = first[c]; e < first[c + 1]; ++e) sum += value(e, step, agent);
              for (int64_t e = first[c]; e < first[c + 1]; ++e) {
                const size_t cell = batch.cell(step, agent, e);
                const double own = value(e, step, agent);
                const double others = (sum - own) / static_cast<double>(first[c + 1] - first[c] - 1);
                double expected = baseline == SWARMGRAD_LEAVE_ONE_OUT ? own - others : own;
                if (reduction == SWARMGRAD_MEAN) expected /= agents;
                if (alive[cell] == 0 || step >= length[static_cast<size_t>(e)]) expected = 0;
                worst = std::max(worst, std::abs(weight[cell] - expected));
              }
            }
        CHECK(worst <= 1e-5);
      }
}

// Actions that are certain make training's own episodes known: a simulator plays them again.
TEST_CASE("baseline and scale come from the batches before, and only from them") {
  constexpr int64_t environments = 17;
  constexpr int horizon = 7, agents = 2, actions = 5, features = 12;
  for (const int kind : {SWARMGRAD_TOTAL_RETURN, SWARMGRAD_REWARD_TO_GO, SWARMGRAD_OWN_RETURN}) {
    Setup setup;
    setup.parameters = {{"agents", agents}};
    setup.hidden = {};
    setup.environments = environments;
    setup.horizon = horizon;
    setup.weight = kind;
    setup.baseline = SWARMGRAD_PREVIOUS_BATCH;
    setup.scale = SWARMGRAD_SCALE_RUNNING_DEVIATION;
    setup.discount = 0.8;
    Engine engine(setup);
    std::vector<float> parameters(static_cast<size_t>(engine.info().parameter_count), 0.0f);
    parameters[features * actions + 1] = 200.0f;  // exp(-200) is 0: everyone goes left
    engine.write("parameters", parameters);

    std::vector<double> returns, previous(horizon, 0.0);
    double factor = 1;
    for (int iteration = 0; iteration < 3; ++iteration) {
      // What this batch is weighed with.
      const Recording recording = engine.record();
      const Batch &batch = recording.groups[0];
      CHECK(recording.statistics[0].scale == doctest::Approx(factor).epsilon(1e-9));
      double worst = 0;
      for (int64_t e = 0; e < environments; ++e)
        for (int step = 0; step < horizon; ++step)
          for (int agent = 0; agent < agents; ++agent) {
            const bool own = kind == SWARMGRAD_OWN_RETURN, to_go = kind == SWARMGRAD_REWARD_TO_GO;
            double value = 0;
            for (int k = to_go ? step : 0; k < horizon; ++k)
              for (int i = 0; i < agents; ++i)
                if (!own || i == agent)
                  value += std::pow(setup.discount, to_go ? k - step : k) * batch.reward[batch.cell(k, i, e)];
            const double baseline = previous[static_cast<size_t>(to_go ? step : 0)];
            worst = std::max(worst, std::abs((value - baseline) * factor - batch.weight[batch.cell(step, agent, e)]));
          }
      CHECK(worst <= 2e-6);

      engine.train(1, 0.0);
      std::fill(previous.begin(), previous.end(), 0.0);
      Simulator simulator("simple_spread_v3", setup.parameters);
      for (int64_t e = 0; e < environments; ++e) {
        simulator.reset(static_cast<uint32_t>(e), static_cast<uint32_t>(iteration));
        double whole = 0;
        for (int step = 0; step < horizon; ++step) {
          const std::vector<float> reward = simulator.step({1, 1});
          const double team = double{reward[0]} + reward[1];
          whole += team;
          if (kind == SWARMGRAD_REWARD_TO_GO)
            for (int t = 0; t <= step; ++t)
              previous[static_cast<size_t>(t)] += std::pow(setup.discount, step - t) * team / environments;
          else
            previous[0] +=
                std::pow(setup.discount, step) * team / environments / (kind == SWARMGRAD_OWN_RETURN ? agents : 1);
        }
        returns.push_back(whole);
      }
      double mean = 0, squares = 0;
      for (const double value : returns) mean += value / static_cast<double>(returns.size());
      for (const double value : returns) squares += (value - mean) * (value - mean);
      factor = 1 / std::sqrt(squares / static_cast<double>(returns.size()));
      const std::vector<double> moments = engine.read<double>("return_moments");
      CHECK(moments[0] == static_cast<double>(returns.size()));
      CHECK(moments[1] == doctest::Approx(mean).epsilon(1e-9));
      CHECK(moments[2] == doctest::Approx(squares).epsilon(1e-9));
      const std::vector<double> baseline = engine.read<double>("baseline");
      for (size_t step = 0; step < horizon; ++step)
        CHECK(baseline[step] == doctest::Approx(previous[step]).epsilon(1e-9));
    }
  }
}

TEST_CASE("each agent's mean return") {
  Setup setup;
  setup.parameters = {{"agents", 5}, {"local_ratio", 1}};
  Engine engine(setup);
  const Recording recording = engine.record();
  const Batch &batch = recording.groups[0];
  const std::vector<double> found = engine.read<double>("agent_return");
  for (int agent = 0; agent < 5; ++agent) {
    double sum = 0;
    for (int step = 0; step < batch.steps; ++step)
      for (int64_t e = 0; e < batch.environments; ++e) sum += batch.reward[batch.cell(step, agent, e)];
    CHECK(found[static_cast<size_t>(agent)] == doctest::Approx(sum / static_cast<double>(batch.environments)));
  }
}

TEST_CASE("optimizers and clipping") {
  for (const int optimizer : {SWARMGRAD_SGD, SWARMGRAD_ADAM})
    for (const double clip : {0.0, 2.0, 1e6}) {
      Setup setup;
      setup.optimizer = optimizer;
      setup.gradient_clip = clip;
      Engine engine(setup);
      Noise noise;
      const std::vector<float> start = engine.parameters();
      std::vector<double> expected(start.begin(), start.end()), first(start.size()), second(start.size());
      for (int step = 1; step <= 3; ++step) {
        std::vector<float> gradient(start.size());
        double norm = 0;
        for (float &value : gradient) {
          value = static_cast<float>(noise.next());
          norm += double{value} * value;
        }
        norm = std::sqrt(norm);
        REQUIRE(norm > 2);
        const double factor = clip > 0 && norm > clip ? clip / norm : 1;
        const swarmgrad_rates rates = engine.rates_of(0.1 / step);
        for (size_t k = 0; k < expected.size(); ++k) {
          const double g = gradient[k] * factor;
          first[k] = 0.9 * first[k] + 0.1 * g;
          second[k] = 0.999 * second[k] + 0.001 * g * g;
          const double mean = first[k] / (1 - std::pow(0.9, step)), square = second[k] / (1 - std::pow(0.999, step));
          expected[k] += rates.learning_rate * (optimizer == SWARMGRAD_SGD ? g : mean / (std::sqrt(square) + 1e-8));
        }
        require_ok(swarmgrad_step(engine.handle(), gradient.data(), &rates));
      }
      CHECK(engine.read<int64_t>("iteration")[0] == 3);
      const std::vector<float> found = engine.parameters();
      double worst = 0;
      for (size_t k = 0; k < found.size(); ++k) worst = std::max(worst, std::abs(found[k] - expected[k]));
      CHECK(worst <= 2e-6);
    }
}

TEST_CASE("initial weights are orthogonal, biases zero") {
  Setup setup;
  setup.hidden = {33, 7};
  const Engine engine(setup);
  const std::vector<float> parameters = engine.parameters();
  const std::vector<int> widths = widths_of(engine, 0, setup.hidden);
  size_t at = 0;
  for (size_t l = 0; l + 1 < widths.size(); ++l) {
    const auto inputs = static_cast<size_t>(widths[l]), outputs = static_cast<size_t>(widths[l + 1]);
    const double gain = l + 2 == widths.size() ? 0.01 : std::sqrt(2.0);
    const size_t vectors = std::min(inputs, outputs), length = std::max(inputs, outputs);
    const auto element = [&](size_t v, size_t k) {
      return double{outputs <= inputs ? parameters[at + v * inputs + k] : parameters[at + k * inputs + v]} / gain;
    };
    double worst = 0;
    for (size_t u = 0; u < vectors; ++u)
      for (size_t v = 0; v < vectors; ++v) {
        double product = 0;
        for (size_t k = 0; k < length; ++k) product += element(u, k) * element(v, k);
        worst = std::max(worst, std::abs(product - (u == v ? 1 : 0)));
      }
    CHECK(worst <= 1e-6);
    at += inputs * outputs;
    for (size_t o = 0; o < outputs; ++o) CHECK(parameters[at++] == 0);
  }
  CHECK(at == parameters.size());
}
