// The engine seen from Java: equal bits whatever the machine's choices, and errors in place of
// crashes.
package org.swarmgrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("contract")
class EngineTest {
  private static final double RATE = 0.003;

  private static EngineConfig.Builder small() {
    return EngineConfig.builder("simple_spread_v3?agents=2")
        .policy(Policy.mlp(8))
        .environments(33)
        .device(TestDevice.DEVICE)
        .seed(5);
  }

  private static double[] rates(int iterations) {
    return Schedule.constant(RATE).rates(0, iterations);
  }

  @Test
  void threadsAndInstructionSetsChangeNoBit() {
    Set<String> hashes = new HashSet<>();
    for (InstructionSet set : Swarmgrad.instructionSets()) {
      for (int threads : new int[] {1, 2, 3, 7}) {
        try (Engine engine =
            Engine.open(
                small()
                    .environments(150)
                    .device(Device.CPU)
                    .threads(threads)
                    .instructionSet(set)
                    .build())) {
          assertThat(engine.info().threads()).isEqualTo(threads);
          assertThat(engine.info().instructionSet()).isEqualTo(set);
          engine.train(rates(50));
          hashes.add(engine.parametersSha256());
        }
      }
    }
    assertThat(hashes).hasSize(1);
  }

  @Test
  void theSeedChangesTheBits() {
    try (Engine one = Engine.open(small().seed(1).build());
        Engine two = Engine.open(small().seed(2).build())) {
      assertThat(one.parametersSha256()).isNotEqualTo(two.parametersSha256());
    }
  }

  @Test
  void aGradientThenAStepIsAnIteration() {
    try (Engine apart = Engine.open(small().build());
        Engine together = Engine.open(small().build())) {
      for (int i = 0; i < 5; i++) {
        Gradient gradient = apart.gradient();
        assertThat(apart.gradient().values()).isEqualTo(gradient.values());
        apart.step(gradient, RATE);
        List<List<Statistics>> trained = together.train(RATE);
        assertThat(trained).hasSize(1);
        assertThat(trained.get(0)).isEqualTo(gradient.statistics());
      }
      assertThat(apart.parametersSha256()).isEqualTo(together.parametersSha256());
      assertThat(apart.iteration()).isEqualTo(5);
    }
  }

  @Test
  void iterationsInOneCallAreTheSameIterations() {
    try (Engine one = Engine.open(small().build());
        Engine many = Engine.open(small().build())) {
      List<List<Statistics>> batches = many.train(rates(7));
      for (int i = 0; i < 7; i++) {
        assertThat(one.train(RATE).get(0)).isEqualTo(batches.get(i));
        assertThat(batches.get(i).get(0).iteration()).isEqualTo(i);
      }
      assertThat(one.parametersSha256()).isEqualTo(many.parametersSha256());
    }
  }

  @Test
  void statisticsDescribeTheBatch() {
    try (Engine engine = Engine.open(small().build())) {
      Statistics batch = engine.gradient().statistics().get(0);
      assertThat(batch.episodes()).isEqualTo(33);
      assertThat(batch.agentSteps()).isEqualTo(33L * 2 * 25);
      assertThat(batch.episodeLengthMean()).isEqualTo(25);
      assertThat(batch.agentReturnMean() * 2).isEqualTo(batch.teamReturnMean());
      assertThat(batch.entropyMean()).isBetween(0.0, Math.log(5) + 1e-6);
      assertThat(batch.teamReturnMinimum()).isLessThan(batch.teamReturnMean());
      assertThat(batch.effectiveSampleSize()).isBetween(1.0, (double) batch.agentSteps());
    }
  }

  @Test
  void aRecordedBatchAgreesWithItself() {
    try (Engine engine = Engine.open(small().build())) {
      String before = engine.parametersSha256();
      Recording recording = engine.record();
      Trajectories trajectories = recording.trajectories().get(0);
      Group group = trajectories.group();
      assertThat(group.observationSize()).isEqualTo(12);
      assertThat(trajectories.observation()).hasSize(25 * 2 * 12 * 33);
      assertThat(trajectories.mask()).isNull();
      assertThat(trajectories.episodeLength()).containsOnly(25);
      double returns = 0;
      for (float reward : trajectories.reward()) {
        returns += reward;
      }
      assertThat(returns / 33)
          .isCloseTo(recording.gradient().statistics().get(0).teamReturnMean(), within(1e-3));
      float[] gradient =
          engine.gradientOf(
              new Batch(
                  0,
                  33,
                  25,
                  trajectories.observation(),
                  trajectories.action(),
                  trajectories.weight(),
                  trajectories.alive(),
                  null));
      assertThat(gradient).isEqualTo(recording.gradient().values());
      float[] weights =
          engine
              .weights(
                  new Rewards(
                      0,
                      33,
                      25,
                      null,
                      trajectories.reward(),
                      trajectories.alive(),
                      trajectories.episodeLength(),
                      trajectories.truncated(),
                      null))
              .weight();
      assertThat(weights).isEqualTo(trajectories.weight());
      assertThat(engine.parametersSha256()).isEqualTo(before);
    }
  }

  @Test
  void logitsOfRowsAndForwardAgreeInShape() {
    try (Engine engine = Engine.open(small().build())) {
      Forward forward = engine.forward(0, new float[3 * 12]);
      assertThat(forward.hidden()).hasSize(3 * 8);
      assertThat(forward.logit()).hasSize(3 * 5);
      LogitRows.Result drawn =
          engine.logits(new LogitRows(3, 5, forward.logit(), null, null, null, 0, 0));
      assertThat(drawn.action()).hasSize(3);
      assertThat(drawn.action()[0]).isBetween(0, 4);
      float sum = 0;
      for (int action = 0; action < 5; action++) {
        sum += (float) Math.exp(drawn.logProbability()[action]);
      }
      assertThat(sum).isBetween(0.99999f, 1.00001f);
    }
  }

  @Test
  void parametersCanBeReplaced() {
    try (Engine one = Engine.open(small().seed(1).build());
        Engine two = Engine.open(small().seed(2).build())) {
      two.setParameters(one.parameters());
      assertThat(two.parametersSha256()).isEqualTo(one.parametersSha256());
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void parametersThatAreNoNumbersAreRefused(float value) {
    try (Engine engine = Engine.open(small().build())) {
      String before = engine.parametersSha256();
      float[] values = engine.parameters();
      values[17] = value;
      assertThatThrownBy(() -> engine.setParameters(values)).hasMessageContaining("17");
      assertThat(engine.parametersSha256()).isEqualTo(before);
      engine.train(RATE);
    }
  }

  @Test
  void arraysOfAnotherLengthAreRefused() {
    try (Engine engine = Engine.open(small().build())) {
      long count = engine.info().parameterCount();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> engine.setParameters(new float[3]))
          .withMessage("parameters has 3 elements; allowed: " + count + " = [parameter]");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> engine.step(new float[3], new Rates(RATE, RATE, 0)))
          .withMessage("gradient has 3 elements; allowed: " + count + " = [parameter]");
      assertThatIllegalArgumentException().isThrownBy(() -> engine.forward(0, new float[13]));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> engine.forward(1, new float[12]))
          .withMessage("network is 1; allowed: 0 to 0");
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  engine.weights(new Rewards(0, 2, 25, null, new float[3], null, null, null, null)))
          .withMessage("reward has 3 elements; allowed: 100 = [step][agent][environment]");
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  engine.weights(
                      new Rewards(0, 1, 26, null, new float[52], null, null, null, null)))
          .withMessageContaining("26");
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  engine.weights(
                      new Rewards(
                          0, 2, 1, new long[] {0, 5}, new float[4], null, null, null, null)));
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  engine.gradientOf(
                      new Batch(
                          0, 1, 1, new float[24], new int[] {0, 9}, new float[2], null, null)))
          .withMessageContaining("9");
    }
  }

  @Test
  void learningRatesThatAreNoRatesAreRefused() {
    try (Engine engine = Engine.open(small().build())) {
      assertThatIllegalArgumentException().isThrownBy(() -> engine.train(Double.NaN));
      assertThatIllegalArgumentException().isThrownBy(() -> engine.train(-1));
      assertThatIllegalArgumentException().isThrownBy(() -> engine.train(new double[0]));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> engine.evaluate(0, 0, Acting.SAMPLED))
          .withMessage("episodes is 0; allowed: 1 to 2147483647");
    }
  }

  @Test
  void configurationsThatFitNoMachineAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> Engine.open(small().policies(List.of(Policy.linear(), Policy.linear())).build()));
    for (InstructionSet set : InstructionSet.values()) {
      if (!Swarmgrad.isAvailable(set)) {
        assertThatThrownBy(() -> Engine.open(small().instructionSet(set).build()))
            .isInstanceOf(LibraryException.class)
            .hasMessageContaining(set.toString());
      }
    }
    assertThatThrownBy(
            () ->
                Engine.open(
                    small().horizon(Integer.MAX_VALUE).environments(Integer.MAX_VALUE).build()))
        .isInstanceOfAny(SwarmgradException.class, IllegalArgumentException.class)
        .hasMessageNotContaining("\n");
  }

  @Test
  void aClosedEngineSaysSo() {
    Engine engine = Engine.open(small().build());
    engine.close();
    engine.close();
    List<ThrowingCallable> calls =
        List.of(
            () -> engine.train(RATE),
            engine::gradient,
            () ->
                engine.step(
                    new float[(int) engine.info().parameterCount()], new Rates(RATE, RATE, 0)),
            engine::record,
            () -> engine.evaluate(0, 1, Acting.GREEDY),
            engine::parameters,
            engine::iteration,
            engine::parametersSha256,
            () -> engine.forward(0, new float[12]),
            engine::fmaPeak,
            engine::cancel,
            engine::progress);
    for (var call : calls) {
      assertThatThrownBy(call)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("the engine is closed; open a new one");
    }
  }

  @Test
  void aSecondThreadIsRefusedAndCancelStopsTheFirst() throws Exception {
    EngineConfig large = small().environments(TestDevice.amount(4096, 64)).build();
    try (Engine engine = Engine.open(large)) {
      AtomicReference<Throwable> ended = new AtomicReference<>();
      Thread trainer =
          new Thread(
              () -> {
                try {
                  engine.train(rates(1_000_000));
                } catch (Throwable failure) {
                  ended.set(failure);
                }
              },
              "trainer");
      trainer.start();
      while (engine.progress() == 0) {
        Thread.onSpinWait();
      }
      assertThatThrownBy(engine::gradient)
          .isInstanceOf(BusyException.class)
          .hasMessage("the engine is in use by thread 'trainer'; it serves one thread at a time");
      assertThatThrownBy(engine::close).isInstanceOf(BusyException.class);
      engine.cancel();
      trainer.join();
      assertThat(ended.get()).isInstanceOf(CancelledException.class);
      int completed = ((CancelledException) ended.get()).completed().size();
      assertThat(engine.iteration()).isEqualTo(completed);
      try (Engine other = Engine.open(large)) {
        if (completed > 0) {
          other.train(rates(completed));
        }
        assertThat(engine.parametersSha256()).isEqualTo(other.parametersSha256());
        assertThat(engine.train(RATE)).isEqualTo(other.train(RATE));
      }
    }
  }

  @Test
  void aCancelBeforeACallStopsThatCallOnly() {
    try (Engine engine = Engine.open(small().build())) {
      engine.cancel();
      assertThatThrownBy(() -> engine.train(RATE)).isInstanceOf(CancelledException.class);
      assertThat(engine.iteration()).isZero();
      assertThat(engine.train(RATE)).hasSize(1);
    }
  }

  @Test
  void manyThreadsUsingAndClosingNeverCrash() throws Exception {
    for (int round = 0; round < TestDevice.amount(20, 3); round++) {
      Engine engine = Engine.open(small().build());
      Thread[] threads = new Thread[4];
      for (int i = 0; i < threads.length; i++) {
        threads[i] =
            new Thread(
                () -> {
                  for (int call = 0; call < 50; call++) {
                    try {
                      engine.progress();
                      engine.cancel();
                      engine.train(RATE);
                    } catch (BusyException | CancelledException | IllegalStateException expected) {
                      Thread.yield();
                    }
                  }
                });
        threads[i].start();
      }
      boolean closed = false;
      while (!closed) {
        try {
          engine.close();
          closed = true;
        } catch (BusyException busy) {
          engine.cancel();
        }
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThatThrownBy(engine::progress).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void groupsCanActDifferently() {
    EngineConfig config =
        EngineConfig.builder("simple_tag_v3")
            .policy(Policy.linear())
            .environments(2)
            .device(TestDevice.DEVICE)
            .build();
    try (Engine engine = Engine.open(config)) {
      List<Statistics> greedy = engine.evaluate(0, 5, Acting.GREEDY);
      assertThat(engine.evaluate(0, 5, List.of(Acting.GREEDY, Acting.GREEDY))).isEqualTo(greedy);
      List<Statistics> mixed = engine.evaluate(0, 5, List.of(Acting.GREEDY, Acting.RANDOM));
      assertThat(mixed.get(0)).isNotEqualTo(greedy.get(0));
      assertThat(mixed.get(1).entropyMean()).isZero(); // who acts at random asks no policy
      assertThat(mixed.get(0).entropyMean()).isPositive();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> engine.evaluate(0, 5, List.of(Acting.GREEDY)))
          .withMessage("acting has 1 elements; allowed: 2 = [group]");
    }
  }

  @Test
  void evaluationLeavesTrainingAlone() {
    try (Engine one = Engine.open(small().build());
        Engine two = Engine.open(small().build())) {
      one.train(rates(3));
      two.train(rates(2));
      List<Statistics> first = two.evaluate(0, 40, Acting.SAMPLED);
      assertThat(two.evaluate(0, 40, Acting.SAMPLED)).isEqualTo(first);
      assertThat(first.get(0).episodes()).isEqualTo(40);
      two.evaluate(0, 5, Acting.GREEDY);
      two.evaluate(0, 5, Acting.RANDOM);
      two.train(RATE);
      assertThat(two.parametersSha256()).isEqualTo(one.parametersSha256());
    }
  }

  @Test
  void aSimulatorStepsOneEnvironment() {
    EnvironmentSpec spread = EnvironmentSpec.parse("simple_spread_v3?agents=2");
    try (Simulator simulator = Simulator.open(spread, 5, InstructionSet.AUTO)) {
      simulator.reset(0, 0);
      assertThat(simulator.agentCount()).isEqualTo(2);
      assertThat(simulator.observe(1).features()).hasSize(12);
      assertThat(simulator.observe(1).mask()).containsOnly(1).hasSize(5);
      Simulator.Step step = simulator.step(0, 1);
      assertThat(step.reward()).hasSize(2);
      assertThat(step.done()).isFalse();
      Simulator.Field field = simulator.fields().get(0);
      double[] state = simulator.get(field);
      state[0] += 0.5;
      simulator.set(field, state);
      assertThat(simulator.get(field)[0]).isCloseTo(state[0], within(1e-6));
      assertThatIllegalArgumentException().isThrownBy(() -> simulator.step(0));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> simulator.step(0, 5))
          .withMessageContaining("5");
      assertThatIllegalArgumentException().isThrownBy(() -> simulator.observe(2));
      assertThatIllegalArgumentException().isThrownBy(() -> simulator.set(field, 1, 2, 3, 4, 5));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> simulator.field("colour"))
          .withMessageStartingWith("field is 'colour'; allowed: ");
    }
  }

  @Test
  void aClosedSimulatorSaysSo() {
    Simulator simulator = Simulator.open(EnvironmentSpec.of("meeting"), 5, InstructionSet.AUTO);
    simulator.close();
    simulator.close();
    assertThatThrownBy(() -> simulator.step(0, 0))
        .hasMessage("the simulator is closed; open a new one");
  }

  @Test
  void evaluationPlaysTheEnvironmentItselfWhateverTrainingPlaysWith() {
    EngineConfig plain =
        EngineConfig.builder("overcooked_cramped_room")
            .policy(Policy.linear())
            .environments(16)
            .horizon(60)
            .seed(3)
            .device(TestDevice.DEVICE)
            .build();
    EngineConfig shaped = plain.toBuilder().trainingParameter("shaped_reward=1").build();
    assertThat(EngineConfig.fromMap(shaped.toMap()).toMap())
        .isEqualTo(shaped.toMap())
        .isNotEqualTo(plain.toMap());
    try (Engine engine = Engine.open(plain);
        Engine other = Engine.open(shaped)) {
      List<Statistics> training = other.gradient().statistics();
      assertThat(training).isNotEqualTo(engine.gradient().statistics());
      assertThat(other.evaluate(0, 64, Acting.SAMPLED))
          .isEqualTo(engine.evaluate(0, 64, Acting.SAMPLED));
      assertThat(other.gradient().statistics()).isEqualTo(training);
      assertThat(other.environmentParameters()).containsEntry("shaped_reward", 1.0);
    }
  }

  @Test
  void anEvaluationBetweenGradientAndStepChangesNoBit() {
    EngineConfig config =
        EngineConfig.builder("meeting")
            .policy(Policy.linear())
            .environments(16)
            .baseline(Baseline.PREVIOUS_BATCH)
            .trainingParameter("reward=1")
            .device(TestDevice.DEVICE)
            .build();
    try (Engine engine = Engine.open(config);
        Engine other = Engine.open(config)) {
      engine.step(engine.gradient(), RATE);
      Gradient gradient = other.gradient();
      other.evaluate(0, 5, Acting.SAMPLED);
      other.step(gradient, RATE);
      assertThat(other.train(RATE)).isEqualTo(engine.train(RATE));
    }
  }
}
