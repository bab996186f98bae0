// Weights, log-probabilities and gradients of the engine against the reference.
package org.swarmgrad.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.swarmgrad.ActivationFunction;
import org.swarmgrad.AgentReduction;
import org.swarmgrad.Baseline;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Policy;
import org.swarmgrad.Recording;
import org.swarmgrad.Scale;
import org.swarmgrad.Statistics;
import org.swarmgrad.TestDevice;
import org.swarmgrad.ValueInput;
import org.swarmgrad.Weight;

/**
 * Recorded batches of the engine against the double-precision reference: weights, log-probabilities
 * and gradients for every policy, weight and baseline, spread over the sizes where a tail or a
 * cohort could go wrong.
 */
@Tag("contract")
class GradientJudgeTest {
  private static final int[] ENVIRONMENTS = {1, 2, 15, 16, 17, 18, 33};
  private static final int[] AGENTS = {1, 2, 3, 5, 10};
  private static final int[] HORIZONS = {1, 25};
  private static final int SIZES_PER_CASE = TestDevice.amount(3, 1);

  private static final List<String> POLICIES =
      List.of(
          "linear",
          "mlp:1",
          "mlp:33,5",
          "mlp:16,17,3",
          "mlp:8,15,7,9",
          "mlp:64:relu",
          "mlp:5,32:relu",
          "mlp:7,3,16:relu",
          "mlp:9,8,17,4:relu");

  record Size(int environments, int agents, int horizon) {}

  record Case(String policy, Weight weight, Baseline baseline, List<Size> sizes) {}

  static Stream<Case> cases() {
    List<Size> sizes = new ArrayList<>();
    for (int environments : ENVIRONMENTS) {
      for (int agents : AGENTS) {
        for (int horizon : HORIZONS) {
          sizes.add(new Size(environments, agents, horizon));
        }
      }
    }
    Collections.shuffle(sizes, new Random(1));
    List<Case> cases = new ArrayList<>();
    int next = 0;
    for (String policy : POLICIES) {
      for (Weight weight : Weight.values()) {
        for (Baseline baseline : Baseline.values()) {
          List<Size> own = new ArrayList<>();
          while (own.size() < SIZES_PER_CASE) {
            Size size = sizes.get(next++ % sizes.size());
            if (baseline != Baseline.LEAVE_ONE_OUT || size.environments > 1) {
              own.add(size);
            }
          }
          cases.add(new Case(policy, weight, baseline, own));
        }
      }
    }
    // Every size must have had its turn.
    assertThat(next).isGreaterThan(sizes.size());
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyPolicyWeightAndBaseline(Case given) {
    for (Size size : given.sizes) {
      boolean odd = (size.environments + size.agents) % 2 == 1;
      EngineConfig config =
          EngineConfig.builder(EnvironmentSpec.of("simple_spread_v3").with("agents", size.agents))
              .policy(Policy.parse(given.policy))
              .weight(given.weight)
              .baseline(given.baseline)
              .environments(size.environments)
              .horizon(size.horizon)
              .discount(odd ? 1 : 0.9)
              .agentReduction(odd ? AgentReduction.MEAN : AgentReduction.SUM)
              .observationNormalisation(size.agents != 3)
              .rewardScale(size.agents > 2 ? 1 : 0.1)
              .entropyCoefficient(size.agents > 2 ? 0 : 0.7)
              .seed(size.environments)
              .threads(odd ? 1 : 2)
              .device(TestDevice.DEVICE)
              .build();
      judge(withValues(config, Policy.parse(given.policy), odd));
    }
  }

  /**
   * The learned-value baseline with the other input in turn, and where it is allowed with values in
   * returns too; other configurations stay as they are.
   */
  private static EngineConfig withValues(EngineConfig config, Policy policy, boolean own) {
    ValueInput input =
        own || config.weight() == Weight.OWN_RETURN ? ValueInput.OWN : ValueInput.JOINT;
    boolean predicts =
        config.baseline() == Baseline.LEARNED_VALUE
            && config.weight() == Weight.REWARD_TO_GO
            && input == ValueInput.JOINT;
    return config.toBuilder()
        .valuePolicy(policy)
        .valueInput(input)
        .lambda(predicts ? 0.8 : 1)
        .bootstrap(predicts)
        .build();
  }

  @ParameterizedTest
  @MethodSource("weightsAndBaselines")
  void episodesThatEndEarly(Weight weight, Baseline baseline) {
    EngineConfig config =
        EngineConfig.builder(EnvironmentSpec.of("CartPole-v1"))
            .policy(Policy.mlp(17))
            .weight(weight)
            .baseline(baseline)
            .environments(33)
            .horizon(40)
            .discount(0.95)
            .entropyCoefficient(0.1)
            .observationNormalisation(true)
            .device(TestDevice.DEVICE)
            .build();
    Recording recording = judge(withValues(config, Policy.mlp(9), false));
    int[] lengths = recording.trajectories().getFirst().episodeLength();
    assertThat(Arrays.stream(lengths).min().orElseThrow()).isLessThan(40);
  }

  static Stream<Arguments> weightsAndBaselines() {
    return Stream.of(Weight.values())
        .flatMap(
            weight -> Stream.of(Baseline.values()).map(baseline -> Arguments.of(weight, baseline)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "simple_tag_v3",
        "smax_2s3z",
        "Foraging-2s-6x6-3p-2f-coop-v3?mask=1",
        "CartPole-v1"
      })
  void valuesWithGroupsMasksAndDeath(String environment) {
    for (ValueInput input : ValueInput.values()) {
      EngineConfig config =
          EngineConfig.builder(environment)
              .policy(Policy.mlp(6))
              .baseline(Baseline.LEARNED_VALUE)
              .observationNormalisation(true)
              .scale(Scale.RUNNING_DEVIATION)
              .environments(17)
              .horizon(TestDevice.amount(30, 12))
              .discount(0.97)
              .device(TestDevice.DEVICE)
              .build();
      judge(withValues(config, Policy.parse("mlp:5:relu"), input == ValueInput.OWN));
    }
  }

  @ParameterizedTest
  @MethodSource("weightsAndBaselines")
  void scaleIsKnownBeforeTheBatch(Weight weight, Baseline baseline) {
    EngineConfig config =
        EngineConfig.builder(EnvironmentSpec.of("simple_spread_v3"))
            .policy(Policy.linear())
            .weight(weight)
            .baseline(baseline)
            .scale(Scale.RUNNING_DEVIATION)
            .environments(18)
            .device(TestDevice.DEVICE)
            .build();
    try (Engine engine = Engine.open(withValues(config, Policy.linear(), false))) {
      Recording first = JudgedEngine.assertAgrees(engine);
      assertThat(first.gradient().statistics().getFirst().scale()).isEqualTo(1);
      List<List<Statistics>> earlier = engine.train(0.01, 0.01);
      Recording third = JudgedEngine.assertAgrees(engine);
      assertThat(third.gradient().statistics().getFirst().scale())
          .isCloseTo(1 / deviation(earlier), within(1e-9));
    }
  }

  /**
   * Root of the mean squared deviation of all earlier returns; each batch reports the unbiased one
   * of its own.
   */
  private static double deviation(List<List<Statistics>> batches) {
    double sum = 0;
    double squares = 0;
    for (List<Statistics> batch : batches) {
      double mean = batch.getFirst().teamReturnMean();
      double deviation = batch.getFirst().teamReturnDeviation();
      sum += mean / batches.size();
      double episodes = batch.getFirst().episodes();
      squares += (deviation * deviation * (episodes - 1) / episodes + mean * mean) / batches.size();
    }
    return Math.sqrt(squares - sum * sum);
  }

  @ParameterizedTest
  @MethodSource("weightsAndBaselines")
  void givenRewardsHaveTheWeightsOfTheReference(Weight weight, Baseline baseline) {
    EngineConfig config =
        EngineConfig.builder(EnvironmentSpec.of("simple_spread_v3").with("agents", 3))
            .policy(Policy.linear())
            .weight(weight)
            .baseline(baseline)
            .discount(0.9)
            .environments(2)
            .device(TestDevice.DEVICE)
            .build();
    try (Engine engine = Engine.open(withValues(config, Policy.linear(), false))) {
      engine.train(0.01);
      GivenRewards.assertWeights(engine, 17, 9, null);
      GivenRewards.assertWeights(engine, 20, 25, new long[] {0, 2, 18, 20});
      if (baseline != Baseline.LEAVE_ONE_OUT) {
        GivenRewards.assertWeights(engine, 1, 1, new long[] {0, 1});
      }
    }
  }

  @Test
  void anEntropyGradientThatAllButCancelsAgrees() {
    judge(
        EngineConfig.builder(EnvironmentSpec.of("CartPole-v1"))
            .policy(Policy.parse("mlp:1:relu"))
            .discount(0)
            .entropyCoefficient(0.01)
            .seed(2)
            .weight(Weight.TOTAL_RETURN)
            .baseline(Baseline.LEAVE_ONE_OUT)
            .environments(2)
            .horizon(1)
            .device(TestDevice.DEVICE)
            .build());
  }

  @Property(tries = 80, seed = "20261122") // fixed: the same commit must give the same verdict
  void randomConfigurationsAgree(@ForAll("configurations") EngineConfig config) {
    judge(config);
  }

  @Provide
  Arbitrary<EngineConfig> configurations() {
    Arbitrary<EnvironmentSpec> environments =
        Arbitraries.oneOf(
            Combinators.combine(
                    Arbitraries.integers().between(1, 6), Arbitraries.doubles().between(0, 1))
                .as(
                    (agents, ratio) ->
                        EnvironmentSpec.of("simple_spread_v3")
                            .with("agents", agents)
                            .with("local_ratio", ratio)),
            Arbitraries.integers()
                .between(0, 2)
                .map(rule -> EnvironmentSpec.of("meeting").with("reward", rule)),
            Arbitraries.just(EnvironmentSpec.of("CartPole-v1")));
    Arbitrary<Policy> policies =
        Combinators.combine(
                Arbitraries.integers().between(1, 40).list().ofMaxSize(4),
                Arbitraries.of(ActivationFunction.values()))
            .as(Policy::new);
    Arbitrary<double[]> numbers =
        Combinators.combine(
                Arbitraries.doubles().between(0, 1),
                Arbitraries.of(0.0, 0.01, 1.0),
                Arbitraries.longs())
            .as((discount, entropy, seed) -> new double[] {discount, entropy, seed});
    Arbitrary<List<Object>> choices =
        Combinators.combine(
                Arbitraries.of(Weight.values()),
                Arbitraries.of(Baseline.values()),
                Arbitraries.of(AgentReduction.values()),
                Arbitraries.of(Scale.values()),
                Arbitraries.of(true, false),
                Arbitraries.of(true, false))
            .as(Arrays::asList);
    return Combinators.combine(
            environments,
            policies,
            numbers,
            choices,
            Arbitraries.integers().between(2, 40),
            Arbitraries.integers().between(1, 30),
            Arbitraries.integers().between(1, 3))
        .as(
            (environment, policy, number, choice, count, horizon, threads) ->
                withValues(
                    EngineConfig.builder(environment)
                        .policy(policy)
                        .discount(number[0])
                        .entropyCoefficient(number[1])
                        .seed((long) number[2])
                        .weight((Weight) choice.get(0))
                        .baseline((Baseline) choice.get(1))
                        .agentReduction((AgentReduction) choice.get(2))
                        .scale((Scale) choice.get(3))
                        .observationNormalisation((boolean) choice.get(4))
                        .environments(count)
                        .horizon(horizon)
                        .threads(threads)
                        .device(TestDevice.DEVICE)
                        .build(),
                    policy,
                    (boolean) choice.get(5)));
  }

  /**
   * Two iterations first, so that baselines and scale of earlier batches are not those of a fresh
   * engine.
   */
  private static Recording judge(EngineConfig config) {
    try (Engine engine = Engine.open(config)) {
      engine.train(0.01, 0.01);
      JudgedEngine.drawParameters(engine, config.seed());
      return JudgedEngine.assertAgrees(engine);
    }
  }
}
