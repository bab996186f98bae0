// What the CPU engine calls, compiled once per instruction set. Scheduling and memory are elsewhere (cpu_engine.cpp).
#include "core/optimizer.h"
#include "core/policy.h"
#include "core/random.h"
#include "cpu/cohort.h"
#include "cpu/networks.h"
#include "cpu/reduction.h"
#include "host/plan.h"

namespace swarmgrad::SWARMGRAD_TARGET {

#define SWARMGRAD_CATALOGUE_ENTRY(name) extern const host::EnvironmentTable name##_table;
#include "catalogue.inc"
#undef SWARMGRAD_CATALOGUE_ENTRY

namespace {

void run_block(const Pass &pass, Worker &worker, int64_t block) {
  const Plan &plan = *pass.plan;
  float *gradient = pass.block_gradient + block * plan.parameter_count;
  double *statistics = pass.block_statistics + block * plan.statistics_per_block;
  for (int64_t p = 0; pass.learns && p < plan.parameter_count; ++p) gradient[p] = 0.0f;
  for (int g = 0; g < plan.group_count; ++g)
    for (int64_t k = 0; k < host::statistics_of(plan.group[g], plan.horizon); ++k)
      statistics[plan.group[g].statistics + static_cast<size_t>(k)] = empty_statistic(k);
  for (int64_t c = host::part_begin(block, pass.cohorts, pass.blocks);
       c < host::part_begin(block + 1, pass.cohorts, pass.blocks); ++c) {
    const int64_t first = host::part_begin(c, pass.episodes, pass.cohorts);
    Cohort cohort(pass, worker, first, host::part_begin(c + 1, pass.episodes, pass.cohorts) - first);
    if (!(pass.given == nullptr ? cohort.play(gradient, statistics) : cohort.differentiate_given(gradient))) return;
    pass.cohorts_finished->fetch_add(1, std::memory_order_relaxed);
  }
}

void optimize(const OptimizerStep &step, float *parameters, float *first_moment, float *second_moment,
              const float *gradient, host::Range range) {
  if (step.kind == Optimizer::sgd) {
    for (int64_t p = range.begin; p < range.end; ++p) sgd_step(step, gradient[p], parameters[p]);
    return;
  }
  for (int64_t p = range.begin; p < range.end; ++p)
    adam_step(step, gradient[p], parameters[p], first_moment[p], second_moment[p]);
}

void forward(const Pass &pass, Worker &worker, int g, int64_t rows, const float *observation, float *hidden,
             float *logit) {
  const GroupPlan &group = pass.plan->group[g];
  const GroupMemory memory(group, worker.memory, group.row_stride);
  for (int64_t first = 0; first < rows; first += lane_count) {
    const int count = rows - first < lane_count ? static_cast<int>(rows - first) : lane_count;
    for (int f = 0; f < group.observation_size; ++f)
      for (int lane = 0; lane < lane_count; ++lane)
        memory.features.at(f, 0)[lane] = lane < count ? observation[(first + lane) * group.observation_size + f] : 0.0f;
    forward_rows(memory, pass.parameters, pass.panels, 0, 1);
    for (int lane = 0; lane < count; ++lane) {
      for (int f = 0; hidden != nullptr && f < group.hidden_total; ++f)
        hidden[(first + lane) * group.hidden_total + f] = memory.features.at(group.observation_size + f, 0)[lane];
      for (int a = 0; logit != nullptr && a < group.action_count; ++a)
        logit[(first + lane) * group.action_count + a] = memory.logits.at(a, 0)[lane];
    }
  }
}

// Rows become lanes; scratch holds logits, exponentials [action][lane] each, and the mask [action].
void logits(const swarmgrad_logit_rows &rows, uint64_t seed, char *scratch) {
  const int actions = rows.action_count;
  float *logit = reinterpret_cast<float *>(scratch), *exponential = logit + actions * lane_count;
  uint16_t *available = reinterpret_cast<uint16_t *>(exponential + actions * lane_count);
  for (int64_t first = 0; first < rows.rows; first += lane_count) {
    const int count = rows.rows - first < lane_count ? static_cast<int>(rows.rows - first) : lane_count;
    Int action = 0;
    Float weight = 0.0f;
    for (int a = 0; a < actions; ++a) available[a] = 0;
    for (int lane = 0; lane < lane_count; ++lane) {
      const int64_t row = first + (lane < count ? lane : count - 1);
      for (int a = 0; a < actions; ++a) {
        logit[a * lane_count + lane] = rows.logit[row * actions + a];
        const bool open = rows.mask == nullptr || rows.mask[row * actions + a] != 0;
        available[a] = static_cast<uint16_t>(available[a] | (open ? 1u : 0u) << lane);
      }
      weight = set_lane(weight, lane, rows.weight == nullptr ? 1.0f : rows.weight[row]);
      if (rows.sample == 0 && rows.action != nullptr) action = set_lane(action, lane, rows.action[row]);
    }
    const Logits policy(logit, lane_count, actions, available, exponential);
    if (rows.sample != 0) {
      const Block drawn =
          philox(counter(Int(static_cast<int32_t>(first)) + lane_index(), rows.iteration, 0, 0, Purpose::act, 0),
                 static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
      action = policy.sample(uniform(drawn.word[0]));
    }
    const Float entropy = policy.entropy();
    for (int lane = 0; lane < count; ++lane) {
      if (rows.sample != 0) rows.action[first + lane] = SWARMGRAD_TARGET::lane(action, lane);
      if (rows.entropy != nullptr) rows.entropy[first + lane] = SWARMGRAD_TARGET::lane(entropy, lane);
    }
    for (int a = 0; rows.log_probability != nullptr && a < actions; ++a) {
      const Float value = policy.log_probability(a);
      for (int lane = 0; lane < count; ++lane)
        rows.log_probability[(first + lane) * actions + a] = SWARMGRAD_TARGET::lane(value, lane);
    }
    if (rows.gradient == nullptr) continue;
    policy.gradient(action, weight, static_cast<float>(rows.entropy_coefficient), true, logit);
    for (int a = 0; a < actions; ++a)
      for (int lane = 0; lane < count; ++lane)
        rows.gradient[(first + lane) * actions + a] = logit[a * lane_count + lane];
  }
}

void weights(const Pass &pass, Worker &worker, const swarmgrad_rewards &rewards, int64_t first, int64_t members) {
  Cohort(pass, worker, first, members).weigh_given(rewards);
}

// Orthogonal initialisation (Saxe, McClelland, Ganguli 2014): Gaussian draws (Box-Muller), their shorter side made
// orthonormal by modified Gram-Schmidt in double. scratch: [min(outputs, inputs)][max, rounded up to whole vectors].
void initialise(float *weight, int outputs, int inputs, float gain, uint32_t group, uint32_t layer, uint64_t seed,
                double *scratch) {
  const bool wide = outputs <= inputs;
  const int vectors = wide ? outputs : inputs, length = wide ? inputs : outputs;
  const int padded = (length + lane_count - 1) / lane_count * lane_count;
  const uint32_t key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
  for (int v = 0; v < vectors; ++v)
    for (int k = 0; k < padded; k += lane_count) {
      const Block drawn =
          philox(counter(Int(v * padded + k) + lane_index(), group, layer, 0, Purpose::initialisation, 0), key0, key1);
      const Float radius = sqrt(-2.0f * log(1.0f - uniform(drawn.word[0])));
      const Float normal = radius * cos(6.2831853f * uniform(drawn.word[1]));
      const Mask inside = lane_index() + k < length;
      store(scratch + static_cast<ptrdiff_t>(v) * padded + k, widen(select(inside, normal, Float(0.0f))));
    }
  for (int v = 0; v < vectors; ++v) {
    double *own = scratch + static_cast<ptrdiff_t>(v) * padded;
    Double squares = 0.0;
    for (int k = 0; k < padded; k += lane_count) squares = fma(Double::load(own + k), Double::load(own + k), squares);
    const Double norm = sqrt(Double(lane_sum(squares)));
    for (int k = 0; k < padded; k += lane_count) store(own + k, Double::load(own + k) / norm);
    for (int u = v + 1; u < vectors; ++u) {
      double *other = scratch + static_cast<ptrdiff_t>(u) * padded;
      Double products = 0.0;
      for (int k = 0; k < padded; k += lane_count)
        products = fma(Double::load(own + k), Double::load(other + k), products);
      const Double overlap = lane_sum(products);
      for (int k = 0; k < padded; k += lane_count)
        store(other + k, fnma(overlap, Double::load(own + k), Double::load(other + k)));
    }
  }
  for (int o = 0; o < outputs; ++o)
    for (int i = 0; i < inputs; ++i) {
      const double value =
          wide ? scratch[static_cast<ptrdiff_t>(o) * padded + i] : scratch[static_cast<ptrdiff_t>(i) * padded + o];
      weight[static_cast<ptrdiff_t>(o) * inputs + i] = static_cast<float>(value * static_cast<double>(gain));
    }
}

void draw(const host::EnvironmentContext &context, uint32_t step, Purpose purpose, int block, int32_t *words) {
  const Int environment = environments_of_lanes(context.first_environment, context.members);
  const Block drawn =
      philox(counter(environment, context.iteration, step, 0, in_stream(purpose, context.stream), block),
             static_cast<uint32_t>(context.seed), static_cast<uint32_t>(context.seed >> 32));
  for (int word = 0; word < 4; ++word) store(words + word * lane_count, drawn.word[word]);
}

// Independent chains of fused multiply-adds, as many as the registers hold and more than their latency needs.
double fma_chain(int64_t iterations, float *sink) {
  constexpr int chains = sizeof(Float) == 64 && tile_outputs == 8 ? 12 : 6;
  const Float factor = sink[0], term = sink[1];
  Float sum[chains];
  for (int k = 0; k < chains; ++k) sum[k] = static_cast<float>(k);
  for (int64_t n = 0; n < iterations; ++n)
#pragma GCC unroll 12
    for (int k = 0; k < chains; ++k) sum[k] = fma(sum[k], factor, term);
  for (int k = 0; k < chains; ++k) sink[2] += lane_sum(sum[k]);
  return 2.0 * chains * lane_count * static_cast<double>(iterations);
}

const host::EnvironmentTable *const environment_tables[] = {
#define SWARMGRAD_CATALOGUE_ENTRY(name) &name##_table,
#include "catalogue.inc"
#undef SWARMGRAD_CATALOGUE_ENTRY
};

}  // namespace

extern const host::Kernels kernels;
constinit const host::Kernels kernels = {environment_tables,
                                         static_cast<int>(sizeof(environment_tables) / sizeof(environment_tables[0])),
                                         pack_panels,
                                         run_block,
                                         reduce_gradient,
                                         sum_of_squares,
                                         optimize,
                                         forward,
                                         logits,
                                         weights,
                                         initialise,
                                         draw,
                                         fma_chain};

}  // namespace swarmgrad::SWARMGRAD_TARGET
