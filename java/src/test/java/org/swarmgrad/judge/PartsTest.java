// The engine's calls for single parts against whole batches, and the judge against spoilt ones.
package org.swarmgrad.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.swarmgrad.Baseline;
import org.swarmgrad.Batch;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Group;
import org.swarmgrad.Policy;
import org.swarmgrad.Recording;
import org.swarmgrad.Rewards;
import org.swarmgrad.Statistics;
import org.swarmgrad.TestDevice;
import org.swarmgrad.Trajectories;
import org.swarmgrad.ValueInput;
import org.swarmgrad.Weight;
import org.swarmgrad.Weights;
import org.swarmgrad.reference.Judge;

/**
 * Weights and gradients of given batches are the code that training uses; and a judge that finds
 * nothing is no judge.
 */
@Tag("contract")
class PartsTest {
  @ParameterizedTest
  @CsvSource({
    "simple_spread_v3, 'mlp:17,9', 33, 25",
    "CartPole-v1, linear, 18, 50",
    "meeting, 'mlp:5:relu', 2, 2"
  })
  void partsGiveTheBitsOfTheWhole(
      String environment, String policy, int environments, int horizon) {
    EngineConfig config =
        EngineConfig.builder(EnvironmentSpec.of(environment))
            .policy(Policy.parse(policy))
            .environments(environments)
            .horizon(horizon)
            .entropyCoefficient(0.01)
            .discount(0.9)
            .device(TestDevice.DEVICE)
            .build();
    try (Engine engine = Engine.open(config)) {
      JudgedEngine.drawParameters(engine, 11);
      Recording recording = engine.record();
      Trajectories batch = recording.trajectories().getFirst();
      assertThat(
              engine
                  .weights(
                      new Rewards(
                          0,
                          environments,
                          horizon,
                          null,
                          batch.reward(),
                          batch.alive(),
                          batch.episodeLength(),
                          batch.truncated(),
                          batch.value()))
                  .weight())
          .isEqualTo(batch.weight());
      assertThat(
              engine.gradientOf(
                  new Batch(
                      0,
                      environments,
                      horizon,
                      batch.observation(),
                      batch.action(),
                      batch.weight(),
                      batch.alive(),
                      batch.mask())))
          .isEqualTo(recording.gradient().values());
    }
  }

  @ParameterizedTest
  @EnumSource(ValueInput.class)
  void partsOfValueNetworksGiveTheBitsOfTheWhole(ValueInput input) {
    EngineConfig config =
        EngineConfig.builder(EnvironmentSpec.of("simple_spread_v3"))
            .policy(Policy.mlp(5))
            .environments(18)
            .horizon(30)
            .baseline(Baseline.LEARNED_VALUE)
            .valuePolicy(Policy.mlp(7, 4))
            .valueInput(input)
            .observationNormalisation(true)
            .device(TestDevice.DEVICE)
            .build();
    try (Engine engine = Engine.open(config)) {
      engine.train(0.01);
      JudgedEngine.drawParameters(engine, 11);
      Recording recording = engine.record();
      Trajectories batch = recording.trajectories().getFirst();
      Group.ValueNetwork network = batch.group().valueNetwork();
      Weights weights =
          engine.weights(
              new Rewards(
                  0,
                  18,
                  30,
                  null,
                  batch.reward(),
                  batch.alive(),
                  batch.episodeLength(),
                  batch.truncated(),
                  batch.value()));
      assertThat(weights.weight()).isEqualTo(batch.weight());
      assertThat(weights.valueError()).isEqualTo(batch.valueError());
      int offset = (int) network.parameterOffset();
      Batch given = new Batch(1, 18, 30, batch.observation(), null, batch.valueError(), null, null);
      assertThat(engine.gradientOf(given))
          .isEqualTo(
              Arrays.copyOfRange(
                  recording.gradient().values(), offset, offset + (int) network.parameterCount()));
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  engine.gradientOf(
                      new Batch(
                          1,
                          18,
                          30,
                          batch.observation(),
                          batch.action(),
                          batch.valueError(),
                          null,
                          null)))
          .withMessage(
              "network is 1, a value network, with an action or a mask; allowed: null for both");
      double squares = 0;
      for (float error : batch.valueError()) {
        squares += (double) error * error;
      }
      assertThat(recording.gradient().statistics().getFirst().valueLoss())
          .isCloseTo(squares / batch.valueError().length, within(1e-9 * squares));
    }
  }

  @ParameterizedTest
  @EnumSource(Weight.class)
  void previousBatchIsTheMeanOfTheBatchBefore(Weight weight) {
    EngineConfig config =
        EngineConfig.builder(EnvironmentSpec.of("simple_spread_v3"))
            .policy(Policy.linear())
            .environments(17)
            .weight(weight)
            .baseline(Baseline.PREVIOUS_BATCH)
            .device(TestDevice.DEVICE)
            .build();
    try (Engine engine = Engine.open(config)) {
      assertThat(new Judge(engine).past(0).mean()).containsOnly(0);
      engine.train(0.01);
      Statistics last = engine.train(0.01).getFirst().getFirst();
      boolean own = weight == Weight.OWN_RETURN;
      assertThat(new Judge(engine).past(0).mean()[0])
          .isCloseTo(own ? last.agentReturnMean() : last.teamReturnMean(), within(1e-9));
    }
  }

  @Test
  void theJudgeFindsAndNamesWhatIsWrong() {
    assertFinds(
        "weight",
        "environment 2, step 1, agent 1: expected",
        batch -> spoil(batch, batch.weight()));
    assertFinds(
        "log-probability",
        "environment 2, step 1, agent 1: expected",
        batch -> spoil(batch, batch.logProbability()));
    assertFinds(
        "weight",
        "environment 2, step 0, agent 0: expected",
        batch -> spoil(batch, batch.reward()));
    assertFinds("policy gradient", "policy.0.", batch -> batch.observation()[0] += 1);
    assertFinds(
        "policy gradient",
        "policy.0.",
        batch -> batch.action()[0] = (batch.action()[0] + 1) % batch.group().actionCount());
  }

  private static void spoil(Trajectories batch, float[] values) {
    values[batch.index(1, 1, 2)] += 1e-3f;
  }

  private static void assertFinds(String quantity, String place, Consumer<Trajectories> spoil) {
    EngineConfig config =
        EngineConfig.builder(EnvironmentSpec.of("simple_spread_v3"))
            .policy(Policy.linear())
            .environments(3)
            .baseline(Baseline.NONE)
            .device(TestDevice.DEVICE)
            .build();
    try (Engine engine = Engine.open(config)) {
      Recording recording = engine.record();
      spoil.accept(recording.trajectories().getFirst());
      List<Judge.Finding> findings = new Judge(engine).judge(recording);
      assertThat(findings)
          .anySatisfy(
              finding -> {
                assertThat(finding.agrees()).isFalse();
                assertThat(finding.quantity()).isEqualTo(quantity);
                assertThat(finding.worst()).startsWith(place);
              });
    }
  }
}
