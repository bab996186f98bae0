// The kernel behind swarmgrad_logits against core/policy.h, a row at a time: which numbers each row takes and where its
// results go, with and without each of them.
#include <random>

#include "core/policy.h"
#include "core/random.h"
#include "cuda/kernel.h"
#include "cuda/plan.h"
#include "cuda/tests/device_memory.h"

SWARMGRAD_KERNEL_HANDLE(swarmgrad_given_logits);

namespace {

using namespace swarmgrad_tests;
using namespace swarmgrad::SWARMGRAD_TARGET;
using swarmgrad::cuda::LogitRows;

TEST_CASE("each row of logits alone") {
  for (const int actions : {1, 5, 18})
    for (const bool sample : {false, true})
      for (const bool masked : {false, true})
        for (const bool weighted : {false, true})
          for (const char *order : orders) {
            swarmgrad_emulation_set("order", order);
            constexpr int rows = 37;
            const auto count = static_cast<size_t>(actions), cells = count * rows;
            std::mt19937 random(static_cast<unsigned>(actions));
            std::normal_distribution<float> normal(0.0f, 4.0f);
            std::vector<float> logit(cells), weight(rows);
            std::vector<uint16_t> available(cells, 1);
            std::vector<int32_t> action(rows);
            for (float &value : logit) value = normal(random);
            for (float &value : weight) value = normal(random);
            for (size_t row = 0; row < rows; ++row) {
              for (size_t a = 0; a + 1 < count; ++a) available[row * count + a] = random() % 2;
              action[row] = actions - 1;
            }
            const Array<float> device_logit(logit), device_weight(weight), log_probability(cells),
                entropy(size_t{rows}), gradient(cells), exponential(cells);
            const Array<uint16_t> device_available(available);
            const Array<int32_t> device_action(action);
            LogitRows arguments = {};
            arguments.action_count = actions;
            arguments.rows = rows;
            arguments.first_row = 1000;
            arguments.sample = sample;
            arguments.iteration = 3;
            arguments.seed = 0x123456789abcdefu;
            arguments.entropy_coefficient = 0.01f;
            arguments.logit = device_logit.get();
            arguments.available = masked ? device_available.get() : nullptr;
            arguments.weight = weighted ? device_weight.get() : nullptr;
            arguments.action = device_action.get();
            arguments.log_probability = log_probability.get();
            arguments.entropy = entropy.get();
            arguments.gradient = gradient.get();
            arguments.exponential = exponential.get();
            launch(swarmgrad_given_logits_handle, arguments, 2, 16);
            swarmgrad_emulation_reset();

            std::vector<float> expected_probability, expected_entropy, expected_gradient;
            std::vector<int32_t> expected_action;
            for (int row = 0; row < rows; ++row) {
              std::vector<float> scratch(count), slope(count);
              const size_t first = static_cast<size_t>(row) * count;
              const Logits policy(logit.data() + first, 1, actions, masked ? available.data() + first : nullptr,
                                  scratch.data());
              const Block drawn =
                  philox(counter(1000 + row, 3, 0, 0, swarmgrad::Purpose::act, 0), 0x89abcdefu, 0x1234567u);
              const Int taken = sample ? policy.sample(uniform(drawn.word[0])) : Int(actions - 1);
              expected_action.push_back(taken.raw);
              expected_entropy.push_back(policy.entropy().raw);
              for (int a = 0; a < actions; ++a) expected_probability.push_back(policy.log_probability(a).raw);
              policy.gradient(taken, weighted ? weight[static_cast<size_t>(row)] : 1.0f, 0.01f, true, slope.data());
              expected_gradient.insert(expected_gradient.end(), slope.begin(), slope.end());
            }
            CHECK(device_action.values() == expected_action);
            CHECK(first_difference(log_probability.values(), expected_probability) == -1);
            CHECK(first_difference(entropy.values(), expected_entropy) == -1);
            CHECK(first_difference(gradient.values(), expected_gradient) == -1);
          }
}

TEST_CASE("only the actions of rows, where nothing else is asked for") {
  const Array<float> logit(std::vector<float>{1, 2, 3, 3, 2, 1}), exponential(size_t{6});
  const Array<int32_t> action(size_t{2}, -1);
  LogitRows arguments = {};
  arguments.action_count = 3;
  arguments.rows = 2;
  arguments.sample = 1;
  arguments.logit = logit.get();
  arguments.action = action.get();
  arguments.exponential = exponential.get();
  launch(swarmgrad_given_logits_handle, arguments, 1, 32);
  for (const int32_t taken : action.values()) CHECK((taken >= 0 && taken < 3));
}

}  // namespace
