// The plain judge of the native tests: policy, weights and gradient in double precision, one row at a time.
// Never optimised, shares no code with the engine.
#pragma once

#include <algorithm>
#include <cmath>

#include "engine_fixture.h"

namespace swarmgrad_tests {

// A network in double precision, one row at a time. Which relu units are on is the engine's word, checked where rounding
// cannot explain it.
class PlainNetwork {
 public:
  using Activations = std::vector<std::vector<double>>;  // of every layer, the observation first

  PlainNetwork(const Engine &engine, int network, const std::vector<int> &widths, int activation, int64_t offset)
      : engine_(engine),
        network_(network),
        widths_(widths),
        layers_(widths.size() - 1),
        activation_(activation),
        parameters_(engine.parameters()) {
    parameters_.erase(parameters_.begin(), parameters_.begin() + offset);
    for (size_t l = 0; l < layers_; ++l) {
      weight_at_.push_back(count_);
      count_ += static_cast<size_t>(widths[l]) * static_cast<size_t>(widths[l + 1]);
      bias_at_.push_back(count_);
      count_ += static_cast<size_t>(widths[l + 1]);
      if (l + 1 < layers_) hidden_.resize(hidden_.size() + static_cast<size_t>(widths[l + 1]));
    }
  }
  size_t parameter_count() const { return count_; }

  Activations forward(const std::vector<float> &observation) {
    const bool is_relu = activation_ == SWARMGRAD_RELU && layers_ > 1;
    if (is_relu)
      require_ok(swarmgrad_forward(engine_.handle(), network_, 1, observation.data(), hidden_.data(), nullptr));
    Activations x(layers_ + 1);
    x[0].assign(observation.begin(), observation.end());
    size_t unit = 0;
    for (size_t l = 0; l < layers_; ++l)
      for (int o = 0; o < widths_[l + 1]; ++o) {
        const auto row = static_cast<size_t>(o) * static_cast<size_t>(widths_[l]);
        double z = parameters_[bias_at_[l] + static_cast<size_t>(o)], magnitude = std::abs(z);
        for (size_t i = 0; i < x[l].size(); ++i) {
          z += parameters_[weight_at_[l] + row + i] * x[l][i];
          magnitude += std::abs(parameters_[weight_at_[l] + row + i] * x[l][i]);
        }
        if (l + 1 == layers_) {
          x[l + 1].push_back(z);
        } else if (!is_relu) {
          x[l + 1].push_back(std::tanh(z));
        } else {
          const bool on = hidden_[unit++] > 0;
          if (on != (z > 0)) {
            REQUIRE(std::abs(z) <= 1e-6 * magnitude);
          }
          x[l + 1].push_back(on ? z : 0.0);
        }
      }
    return x;
  }
  // Adds what the row gives whose last layer's slope is `delta`.
  void backward(const Activations &x, std::vector<double> delta, std::vector<double> &gradient) const {
    for (size_t l = layers_; l-- > 0;) {
      std::vector<double> back(x[l].size());
      for (size_t o = 0; o < delta.size(); ++o) {
        gradient[bias_at_[l] + o] += delta[o];
        for (size_t i = 0; i < x[l].size(); ++i) {
          const size_t at = weight_at_[l] + o * x[l].size() + i;
          gradient[at] += delta[o] * x[l][i];
          back[i] += delta[o] * parameters_[at];
        }
      }
      for (size_t i = 0; l > 0 && i < back.size(); ++i)
        back[i] *= activation_ == SWARMGRAD_TANH ? 1.0 - x[l][i] * x[l][i] : (x[l][i] > 0 ? 1.0 : 0.0);
      delta = back;
    }
  }

 private:
  const Engine &engine_;
  int network_;
  std::vector<int> widths_;
  size_t layers_, count_ = 0;
  int activation_;
  std::vector<float> parameters_, hidden_;
  std::vector<size_t> weight_at_, bias_at_;
};

struct Judgement {
  std::vector<double> gradient;         // of the group, mean over environments
  std::vector<double> log_probability;  // [step][agent][environment] of the action taken; 0 where not alive
  double entropy_sum = 0, largest_logit = 0;
};

// Layer sizes of a group: observation, hidden..., actions.
inline std::vector<int> widths_of(const Engine &engine, int g, const std::vector<int> &hidden) {
  std::vector<int> widths = {engine.group(g).observation_size};
  widths.insert(widths.end(), hidden.begin(), hidden.end());
  widths.push_back(engine.group(g).action_count);
  return widths;
}

inline Judgement judge(const Engine &engine, const Setup &setup, int g, const Batch &batch) {
  PlainNetwork network(engine, g, widths_of(engine, g, setup.hidden), setup.activation,
                       engine.group(g).parameter_offset);
  Judgement judgement;
  judgement.gradient.assign(network.parameter_count(), 0.0);
  judgement.log_probability.assign(batch.action.size(), 0.0);
  REQUIRE(network.parameter_count() == static_cast<size_t>(engine.group(g).parameter_count));

  std::vector<float> observation(static_cast<size_t>(batch.features));
  for (int step = 0; step < batch.steps; ++step)
    for (int agent = 0; agent < batch.agents; ++agent)
      for (int64_t e = 0; e < batch.environments; ++e) {
        const size_t cell = batch.cell(step, agent, e);
        if (batch.alive[cell] == 0) continue;
        for (int f = 0; f < batch.features; ++f)
          observation[static_cast<size_t>(f)] = batch.observation[batch.element(step, agent, f, batch.features, e)];
        const PlainNetwork::Activations x = network.forward(observation);
        const auto is_open = [&](int a) {
          return !batch.has_mask || batch.mask[batch.element(step, agent, a, batch.actions, e)] != 0;
        };
        const std::vector<double> &logit = x.back();
        for (const double z : logit) judgement.largest_logit = std::max(judgement.largest_logit, std::abs(z));
        double maximum = -HUGE_VAL, total = 0, entropy = 0;
        for (int a = 0; a < batch.actions; ++a)
          if (is_open(a)) maximum = std::max(maximum, logit[static_cast<size_t>(a)]);
        for (int a = 0; a < batch.actions; ++a)
          if (is_open(a)) total += std::exp(logit[static_cast<size_t>(a)] - maximum);
        std::vector<double> log_p(static_cast<size_t>(batch.actions)), p(static_cast<size_t>(batch.actions));
        for (int a = 0; a < batch.actions; ++a) {
          const auto k = static_cast<size_t>(a);
          if (!is_open(a)) continue;
          log_p[k] = logit[k] - maximum - std::log(total);
          p[k] = std::exp(log_p[k]);
          entropy -= p[k] * log_p[k];
        }
        const auto taken = static_cast<size_t>(batch.action[cell]);
        judgement.log_probability[cell] = log_p[taken];
        judgement.entropy_sum += entropy;
        std::vector<double> delta(static_cast<size_t>(batch.actions));
        for (size_t k = 0; k < delta.size(); ++k)
          delta[k] = ((k == taken ? 1.0 : 0.0) - p[k]) * batch.weight[cell] -
                     setup.entropy_coefficient * p[k] * (log_p[k] + entropy);
        network.backward(x, delta, judgement.gradient);
      }
  for (double &value : judgement.gradient) value /= static_cast<double>(batch.environments);
  return judgement;
}

// |found - expected| / |expected| over a group's whole gradient.
inline double relative_error(const std::vector<double> &expected, const float *found) {
  double difference = 0, norm = 0;
  for (size_t k = 0; k < expected.size(); ++k) {
    difference += (found[k] - expected[k]) * (found[k] - expected[k]);
    norm += expected[k] * expected[k];
  }
  return norm == 0 ? std::sqrt(difference) : std::sqrt(difference / norm);
}

// What an agent's row is worth before any baseline.
inline double judge_value(const Setup &setup, const Batch &batch, int64_t e, int step, int agent) {
  const bool own = setup.weight == SWARMGRAD_OWN_RETURN;
  const bool whole = own || setup.weight == SWARMGRAD_TOTAL_RETURN;
  double sum = 0;
  for (int k = whole ? 0 : step; k < batch.steps; ++k)
    for (int i = 0; i < batch.agents; ++i)
      if (!own || i == agent) sum += std::pow(setup.discount, whole ? k : k - step) * batch.reward[batch.cell(k, i, e)];
  return setup.weight == SWARMGRAD_DISCOUNTED_STATE ? std::pow(setup.discount, step) * sum : sum;
}

// The weights of a recorded batch in which no episode came before; the cohorts are the engine's own partition.
inline std::vector<double> judge_weights(const Setup &setup, const Batch &batch) {
  std::vector<double> result(batch.reward.size(), 0.0);
  const int64_t environments = batch.environments, cohorts = (environments + 15) / 16;
  const double factor = setup.agent_reduction == SWARMGRAD_MEAN ? 1.0 / batch.agents : 1.0;
  for (int64_t c = 0; c < cohorts; ++c) {
    const int64_t first = c * environments / cohorts, last = (c + 1) * environments / cohorts;
    for (int step = 0; step < batch.steps; ++step)
      for (int agent = 0; agent < batch.agents; ++agent) {
        double sum = 0;
        for (int64_t e = first; e < last; ++e) sum += judge_value(setup, batch, e, step, agent);
        for (int64_t e = first; e < last; ++e) {
          const double own = judge_value(setup, batch, e, step, agent);
          const double baseline =
              setup.baseline == SWARMGRAD_LEAVE_ONE_OUT ? (sum - own) / static_cast<double>(last - first - 1) : 0.0;
          const size_t cell = batch.cell(step, agent, e);
          if (batch.alive[cell] != 0) result[cell] = (own - baseline) * factor;
        }
      }
  }
  return result;
}

// Holds a recording of every group against the judge.
inline void check_recording(const Engine &engine, const Setup &setup, const Recording &recording) {
  for (int g = 0; g < engine.group_count(); ++g) {
    CAPTURE(g);
    const Batch &batch = recording.groups[static_cast<size_t>(g)];
    const Judgement judgement = judge(engine, setup, g, batch);
    const double tolerance = 2e-6 + 2e-7 * judgement.largest_logit;
    CHECK(relative_error(judgement.gradient, recording.gradient.data() + engine.group(g).parameter_offset) <=
          tolerance);

    const std::vector<double> weights = judge_weights(setup, batch);
    double largest_weight = 0, worst_weight = 0, worst_log_probability = 0;
    double weight_sum = 0, weight_squares = 0, weight_magnitudes = 0, agent_steps = 0;
    for (size_t k = 0; k < weights.size(); ++k) {
      largest_weight = std::max(largest_weight, std::abs(weights[k]));
      worst_weight = std::max(worst_weight, std::abs(weights[k] - batch.weight[k]));
      worst_log_probability =
          std::max(worst_log_probability, std::abs(judgement.log_probability[k] - batch.log_probability[k]));
      if (batch.alive[k] != 0) {
        agent_steps += 1;
        weight_sum += batch.weight[k];
        weight_squares += double{batch.weight[k]} * batch.weight[k];
        weight_magnitudes += std::abs(batch.weight[k]);
      } else {
        const bool is_silent =
            batch.alive[k] == 0 && batch.weight[k] == 0 && batch.log_probability[k] == 0 && batch.action[k] == 0;
        REQUIRE(is_silent);
      }
    }
    CHECK(worst_weight <= 1e-6 * (1 + largest_weight));
    CHECK(worst_log_probability <= 2e-6 + 1e-6 * judgement.largest_logit);

    const swarmgrad_statistics &s = recording.statistics[static_cast<size_t>(g)];
    double mean = 0, squares = 0, minimum = HUGE_VAL, maximum = -HUGE_VAL, length = 0;
    std::vector<double> returns;
    for (int64_t e = 0; e < batch.environments; ++e) {
      double team = 0;
      for (int step = 0; step < batch.steps; ++step)
        for (int agent = 0; agent < batch.agents; ++agent) {
          team += batch.reward[batch.cell(step, agent, e)];
          if (step >= batch.episode_length[static_cast<size_t>(e)]) {
            const bool is_over =
                batch.alive[batch.cell(step, agent, e)] == 0 && batch.reward[batch.cell(step, agent, e)] == 0;
            REQUIRE(is_over);
          }
        }
      returns.push_back(team);
      mean += team / static_cast<double>(batch.environments);
      minimum = std::min(minimum, team);
      maximum = std::max(maximum, team);
      length +=
          static_cast<double>(batch.episode_length[static_cast<size_t>(e)]) / static_cast<double>(batch.environments);
    }
    for (const double team : returns) squares += (team - mean) * (team - mean);
    const double deviation =
        batch.environments > 1 ? std::sqrt(squares / static_cast<double>(batch.environments - 1)) : 0;
    CHECK(s.size == sizeof s);
    CHECK(s.group == g);
    CHECK(s.episodes == batch.environments);
    CHECK(s.agent_steps == static_cast<int64_t>(agent_steps));
    CHECK(s.team_return_mean == doctest::Approx(mean).epsilon(1e-9));
    CHECK(s.team_return_deviation == doctest::Approx(deviation).epsilon(1e-6));
    CHECK(s.team_return_minimum == doctest::Approx(minimum).epsilon(1e-9));
    CHECK(s.team_return_maximum == doctest::Approx(maximum).epsilon(1e-9));
    CHECK(s.agent_return_mean == doctest::Approx(mean / batch.agents).epsilon(1e-9));
    CHECK(s.episode_length_mean == doctest::Approx(length).epsilon(1e-9));
    CHECK(s.entropy_mean == doctest::Approx(judgement.entropy_sum / agent_steps).epsilon(1e-5));
    const double weight_mean = weight_sum / agent_steps;
    CHECK(s.weight_variance == doctest::Approx(weight_squares / agent_steps - weight_mean * weight_mean)
                                   .epsilon(1e-6)
                                   .scale(largest_weight > 0 ? largest_weight : 1));
    CHECK(
        s.effective_sample_size ==
        doctest::Approx(weight_squares > 0 ? weight_magnitudes * weight_magnitudes / weight_squares : 0).epsilon(1e-6));
    double norm = 0;
    for (size_t k = 0; k < judgement.gradient.size(); ++k) {
      const double value = recording.gradient[static_cast<size_t>(engine.group(g).parameter_offset) + k];
      norm += value * value;
    }
    CHECK(s.gradient_norm == doctest::Approx(std::sqrt(norm)).epsilon(1e-9));
  }
}

}  // namespace swarmgrad_tests
