// The plain judge of what an engine learns beside its policies: value networks with lambda-returns and bootstrapping, and
// moments of observations. In double precision, one row at a time; shares no code with the engine.
#pragma once

#include "reference.h"

namespace swarmgrad_tests {

// The rows of a group's value network in a recorded batch: what it saw, and each row's error as its weight.
inline Batch value_rows(const Engine &engine, int g, const Batch &batch) {
  Batch rows;
  rows.steps = batch.steps;
  rows.agents = engine.group(g).value_agents;
  rows.features = engine.group(g).value_observation_size;
  rows.environments = batch.environments;
  rows.weight = batch.value_error;
  rows.alive.resize(rows.weight.size());
  rows.observation.resize(rows.weight.size() * static_cast<size_t>(rows.features));
  const int agents_a_row = batch.agents / rows.agents;
  REQUIRE(rows.features == agents_a_row * batch.features);
  for (int step = 0; step < batch.steps; ++step)
    for (int agent = 0; agent < batch.agents; ++agent)
      for (int64_t e = 0; e < batch.environments; ++e) {
        const int row = agent / agents_a_row, first = agent % agents_a_row * batch.features;
        rows.alive[rows.cell(step, row, e)] |= batch.alive[batch.cell(step, agent, e)];
        for (int f = 0; f < batch.features; ++f)
          rows.observation[rows.element(step, row, first + f, rows.features, e)] =
              batch.observation[batch.element(step, agent, f, batch.features, e)];
      }
  return rows;
}

// The reward-to-go of a step, with what lambda and bootstrapping put in the place of rewards to come. mean: [step] of the
// batch before; a unit of the network's output is worth `deviation`.
inline double judge_predicted_return(const Setup &setup, const Batch &batch, const std::vector<double> &mean,
                                     double deviation, int64_t e, int step) {
  const int length = batch.episode_length[static_cast<size_t>(e)];
  const auto output = [&](int at) { return batch.value[static_cast<size_t>(at * batch.environments + e)]; };
  double value = 0;
  for (int t = length - 1; t >= step; --t) {
    if (t + 1 < length)
      value =
          (1 - setup.lambda) * (mean[static_cast<size_t>(t) + 1] + deviation * output(t + 1)) + setup.lambda * value;
    else if (setup.bootstraps && batch.truncated[static_cast<size_t>(e)] != 0)
      value = mean[static_cast<size_t>(t)] + deviation * output(t + 1);
    value *= setup.discount;
    for (int agent = 0; agent < batch.agents; ++agent) value += batch.reward[batch.cell(t, agent, e)];
  }
  return value;
}

// Holds outputs, errors, weights, gradient and statistics of every group's value network against the judge. `longer`: of an
// engine that plays the same episodes one step longer, whose last outputs are those that bootstrapping uses.
// Returns how many episodes the horizon cut.
inline int64_t check_values(Engine &engine, const Setup &setup, const Recording &recording, const Recording &longer) {
  int64_t cut = 0;
  const std::vector<double> baseline = engine.read<double>("baseline"), moments = engine.read<double>("return_moments");
  for (int g = 0; g < engine.group_count(); ++g) {
    CAPTURE(g);
    const swarmgrad_group &group = engine.group(g);
    const Batch &batch = recording.groups[static_cast<size_t>(g)];
    const Batch &beyond = longer.groups[static_cast<size_t>(g)];
    const Batch rows = value_rows(engine, g, batch);
    const std::vector<double> mean(baseline.begin() + g * batch.steps, baseline.begin() + (g + 1) * batch.steps);
    const double *past = moments.data() + 3 * g;
    double deviation = past[0] > 0 ? std::sqrt(past[2] / past[0]) : 1;
    if (deviation <= 1e-12 * std::abs(past[1])) deviation = 1;
    double factor = setup.reward_scale / (setup.agent_reduction == SWARMGRAD_MEAN ? batch.agents : 1);
    if (setup.scale == SWARMGRAD_SCALE_RUNNING_DEVIATION) factor /= deviation;

    std::vector<int> widths = {rows.features};
    widths.insert(widths.end(), setup.value_hidden.begin(), setup.value_hidden.end());
    widths.push_back(1);
    PlainNetwork network(engine, engine.group_count() + g, widths, setup.activation, group.value_parameter_offset);
    REQUIRE(network.parameter_count() == static_cast<size_t>(group.value_parameter_count));

    const bool per_step = setup.weight == SWARMGRAD_REWARD_TO_GO || setup.weight == SWARMGRAD_DISCOUNTED_STATE;
    const bool predicts = setup.lambda < 1 || setup.bootstraps;
    double worst_output = 0, worst_error = 0, worst_weight = 0, largest_weight = 0, squares = 0, count = 0;
    int64_t wrong_ends = 0;
    std::vector<double> gradient(network.parameter_count());
    std::vector<float> observation(static_cast<size_t>(rows.features));
    for (int64_t e = 0; e < batch.environments; ++e) {
      const int length = batch.episode_length[static_cast<size_t>(e)];
      const bool is_cut = beyond.episode_length[static_cast<size_t>(e)] > batch.steps;
      wrong_ends += batch.truncated[static_cast<size_t>(e)] != (is_cut ? 1 : 0);
      cut += is_cut;
      for (int step = 0; step <= batch.steps; ++step)
        for (int row = 0; row < rows.agents; ++row) {
          const float found = batch.value[rows.cell(step, row, e)];
          if (step >= length) {
            const bool is_used = setup.bootstraps && is_cut && step == length;
            wrong_ends += found != (is_used ? beyond.value[rows.cell(step, row, e)] : 0.0f);
            if (step < batch.steps) wrong_ends += rows.weight[rows.cell(step, row, e)] != 0;
            continue;
          }
          for (int f = 0; f < rows.features; ++f)
            observation[static_cast<size_t>(f)] = rows.observation[rows.element(step, row, f, rows.features, e)];
          const PlainNetwork::Activations x = network.forward(observation);
          worst_output = std::max(worst_output, std::abs(found - x.back()[0]) / (1 + std::abs(x.back()[0])));
          const double value = predicts ? judge_predicted_return(setup, batch, mean, deviation, e, step)
                                        : judge_value(setup, batch, e, step, row);
          const double before = mean[static_cast<size_t>(per_step ? step : 0)];
          const float error = rows.weight[rows.cell(step, row, e)];
          if (rows.alive[rows.cell(step, row, e)] == 0) {
            wrong_ends += error != 0;
          } else {
            const double expected = (value - before) / deviation - found;
            worst_error = std::max(worst_error, std::abs(error - expected) / (1 + std::abs(expected)));
            squares += double{error} * error;
            count += 1;
            network.backward(x, {error}, gradient);
          }
          for (int agent = 0; agent < batch.agents; ++agent) {
            if (rows.agents > 1 && agent != row) continue;
            const size_t cell = batch.cell(step, agent, e);
            const double own = predicts ? value : judge_value(setup, batch, e, step, agent);
            const double weight = batch.alive[cell] == 0 ? 0 : (own - before - deviation * found) * factor;
            worst_weight = std::max(worst_weight, std::abs(weight - batch.weight[cell]));
            largest_weight = std::max(largest_weight, std::abs(weight));
          }
        }
    }
    CHECK(worst_output <= 2e-6);
    CHECK(worst_error <= 2e-6);
    CHECK(worst_weight <= 1e-6 * (1 + largest_weight));
    CHECK(wrong_ends == 0);

    for (double &value : gradient) value /= static_cast<double>(batch.environments);
    const auto begin = recording.gradient.begin() + group.value_parameter_offset;
    const std::vector<float> found(begin, begin + group.value_parameter_count);
    CHECK(relative_error(gradient, found.data()) <= 2e-6);
    CHECK(same_bits(engine.gradient_of(engine.group_count() + g, rows), found));
    const auto policy = recording.gradient.begin() + group.parameter_offset;
    CHECK(same_bits(engine.gradient_of(g, batch), std::vector<float>(policy, policy + group.parameter_count)));
    double norm = 0;
    for (const float value : found) norm += double{value} * value;
    const swarmgrad_statistics &statistics = recording.statistics[static_cast<size_t>(g)];
    CHECK(statistics.value_gradient_norm == doctest::Approx(std::sqrt(norm)).epsilon(1e-9));
    CHECK(statistics.value_loss == doctest::Approx(squares / count).epsilon(1e-9));
    CHECK(statistics.scale == doctest::Approx(factor).epsilon(1e-9));

    std::vector<float> weight(batch.weight.size(), -7), error(rows.weight.size(), -7);
    swarmgrad_rewards given = {};
    given.size = sizeof given;
    given.group = g;
    given.environments = batch.environments;
    given.steps = batch.steps;
    given.reward = batch.reward.data();
    given.alive = batch.alive.data();
    given.episode_length = batch.episode_length.data();
    given.truncated = batch.truncated.data();
    given.value = batch.value.data();
    given.weight = weight.data();
    given.value_error = error.data();
    require_ok(swarmgrad_weights(engine.handle(), &given));
    CHECK(same_bits(weight, batch.weight));
    CHECK(same_bits(error, batch.value_error));
  }
  return cut;
}

// Batches of an engine that has learned for a while, with parameters that make every output count.
inline int64_t check_learned_values(Setup setup) {
  setup.baseline = SWARMGRAD_LEARNED_VALUE;
  Engine engine(setup);
  engine.train(2);
  engine.scramble_parameters(0.3);
  Setup longer_setup = setup;
  longer_setup.horizon = engine.info().horizon + 1;
  Engine longer(longer_setup);
  longer.write("parameters", engine.parameters());
  longer.write("iteration", engine.read<int64_t>("iteration"));
  if (setup.normalises) longer.write("observation_moments", engine.read<double>("observation_moments"));
  return check_values(engine, setup, engine.record(), longer.record());
}

// Holds moments and normalised observations against plain sums. Parameters are 0 but for the biases `favourite` of each
// group's actions, so that actions are certain and a simulator knows the training's episodes; no learning rate moves them.
// limits: some observations are beyond the limit.
inline void check_normalisation(Setup setup, const std::vector<int> &favourite, bool limits = false) {
  constexpr int iterations = 2;
  setup.hidden = {};
  setup.normalises = true;
  Setup raw_setup = setup;
  raw_setup.normalises = false;
  Engine engine(setup), raw(raw_setup);
  std::vector<float> parameters(static_cast<size_t>(engine.info().parameter_count), 0.0f);
  const auto last_bias = [&](int g) {
    const swarmgrad_group &group = engine.group(g);
    return static_cast<size_t>(group.parameter_offset + group.parameter_count - group.action_count);
  };
  for (int g = 0; g < engine.group_count(); ++g)
    parameters[last_bias(g) + static_cast<size_t>(favourite[static_cast<size_t>(g)])] = 200;
  engine.write("parameters", parameters);

  // All but the agent's index, which the engine adds.
  const auto normalised_features = [&](int g) {
    const swarmgrad_group &group = engine.group(g);
    return static_cast<size_t>(group.observation_size - (setup.agent_index ? group.agent_count : 0));
  };
  // [feature of all groups] of the living rows of the training's episodes.
  size_t features = 0;
  for (int g = 0; g < engine.group_count(); ++g) features += normalised_features(g);
  std::vector<double> count(features), sum(features), squares(features);
  const auto play = [&](uint32_t iteration) {
    Simulator simulator(setup.environment, setup.parameters, setup.seed);
    for (int64_t e = 0; e < setup.environments; ++e) {
      simulator.reset(static_cast<uint32_t>(e), iteration);
      std::vector<uint8_t> alive(static_cast<size_t>(simulator.agents()), 1);
      bool done = false;
      for (int step = 0; step < engine.info().horizon && !done; ++step) {
        std::vector<int32_t> action;
        size_t at = 0;
        for (int g = 0; g < engine.group_count(); ++g) {
          const swarmgrad_group &group = engine.group(g);
          std::vector<float> observation(normalised_features(g));
          for (int k = group.first_agent; k < group.first_agent + group.agent_count; ++k) {
            action.push_back(favourite[static_cast<size_t>(g)]);
            require_ok(swarmgrad_simulator_observe(simulator.handle(), k, observation.data(), nullptr));
            for (size_t f = 0; alive[static_cast<size_t>(k)] != 0 && f < observation.size(); ++f) {
              count[at + f] += 1;
              sum[at + f] += observation[f];
              squares[at + f] += double{observation[f]} * observation[f];
            }
          }
          at += observation.size();
        }
        simulator.step(action);
        alive = simulator.alive;
        done = simulator.done;
      }
    }
  };

  for (int iteration = 0; iteration <= iterations; ++iteration) {
    CAPTURE(iteration);
    const std::vector<double> moments = engine.read<double>("observation_moments");
    REQUIRE(moments.size() == 3 * features);
    for (size_t f = 0; f < features; ++f) {
      const double mean = iteration > 0 ? sum[f] / count[f] : 0;
      CHECK(moments[3 * f] == count[f]);
      CHECK(moments[3 * f + 1] == doctest::Approx(mean).epsilon(1e-9));
      CHECK(moments[3 * f + 2] == doctest::Approx(squares[f] - count[f] * mean * mean).epsilon(1e-9));
    }

    // Equal logits: both act alike, whatever they observe.
    const std::vector<float> equal(parameters.size(), 0.0f);
    raw.write("iteration", std::vector<int64_t>{iteration});
    raw.write("parameters", equal);
    engine.write("parameters", equal);
    const Recording seen = engine.record(), was = raw.record();
    engine.write("parameters", parameters);
    size_t at = 0, wrong = 0, limited = 0;
    for (int g = 0; g < engine.group_count(); ++g) {
      const Batch &batch = seen.groups[static_cast<size_t>(g)], &plain = was.groups[static_cast<size_t>(g)];
      REQUIRE(batch.action == plain.action);
      for (int step = 0; step < batch.steps; ++step)
        for (int agent = 0; agent < batch.agents; ++agent)
          for (int64_t e = 0; e < batch.environments; ++e)
            for (int f = 0; f < batch.features; ++f) {
              const size_t where = batch.element(step, agent, f, batch.features, e);
              float expected = plain.observation[where];
              if (iteration > 0 && static_cast<size_t>(f) < normalised_features(g) &&
                  batch.alive[batch.cell(step, agent, e)] != 0) {
                const double *m = moments.data() + 3 * (at + static_cast<size_t>(f));
                const auto mean = static_cast<float>(m[1]);
                const auto inverse = static_cast<float>(1 / std::sqrt(m[2] / m[0] + 1e-8));
                expected = (plain.observation[where] - mean) * inverse;
                limited += std::abs(expected) > 10;
                expected = std::clamp(expected, -10.0f, 10.0f);
              }
              wrong += batch.observation[where] != expected;
            }
      at += normalised_features(g);
    }
    CHECK(wrong == 0);
    if (iteration < iterations) {
      engine.train(1, 0.0);
      play(static_cast<uint32_t>(iteration));
    } else if (limits) {
      CHECK(limited > 0);
    }
  }
}

}  // namespace swarmgrad_tests
