// The training loop: stopping and going on changes no bit, conditions and listeners see every
// iteration once.
package org.swarmgrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.swarmgrad.Trainer.Evaluated;
import org.swarmgrad.Trainer.StopReason;
import org.swarmgrad.Trainer.TrainedBatch;

@Tag("contract")
class TrainerTest {
  private static final int ITERATIONS = TestDevice.amount(30, 12);
  private static final Schedule SCHEDULE = Schedule.cosine(0.01, 25);

  private static EngineConfig.Builder small() {
    return EngineConfig.builder("meeting")
        .policy(Policy.mlp(7))
        .environments(37)
        .device(TestDevice.DEVICE)
        .seed(11);
  }

  /** What a listener saw, without the seconds. */
  private static String seen(TrainedBatch batch) {
    return batch.iteration()
        + " "
        + batch.learningRate()
        + " "
        + batch.agentSteps()
        + " "
        + batch.groups();
  }

  /** What an evaluation's listener saw, without the seconds. */
  private static String seen(Evaluated evaluated) {
    return evaluated.iteration()
        + " "
        + evaluated.agentSteps()
        + " "
        + evaluated.groups()
        + " "
        + evaluated.score()
        + " "
        + evaluated.best();
  }

  private record Result(String parameters, List<String> seen) {}

  /** Everything that a training may hold beside its engine's buffers. */
  private static Trainer begin(Engine engine) {
    Schedules schedules =
        new Schedules(SCHEDULE, Schedule.constant(0.02), Schedule.linear(0.1, ITERATIONS));
    return new Trainer(engine, schedules).evaluation(new Evaluation(4, 21, Evaluation.SUM));
  }

  private static Trainer listen(Trainer trainer, List<String> seen) {
    return trainer
        .curriculum(iteration -> Map.of("reward", iteration < 7 ? 1.0 : iteration % 5 / 4 * 2.0))
        .onBatch(batch -> seen.add(seen(batch)))
        .onEvaluation(evaluated -> seen.add(seen(evaluated)))
        .best(best -> seen.add("best " + best.iteration() + " " + best.found()));
  }

  private static Result straight(EngineConfig config) {
    try (Engine engine = Engine.open(config)) {
      List<String> seen = new ArrayList<>();
      Trainer trainer = listen(begin(engine), seen);
      Trainer.Outcome outcome = trainer.train(ITERATIONS);
      assertThat(outcome.reason()).isEqualTo(StopReason.ITERATIONS);
      assertThat(outcome.iterations()).isEqualTo(ITERATIONS);
      assertThat(outcome.agentSteps()).isEqualTo(trainer.agentSteps());
      return new Result(engine.parametersSha256(), seen);
    }
  }

  @ParameterizedTest
  @EnumSource(Baseline.class)
  void stoppingAtRandomPointsChangesNoBit(Baseline baseline) {
    for (Optimizer optimizer : Optimizer.values()) {
      EngineConfig config =
          small()
              .baseline(baseline)
              .optimizer(optimizer)
              .scale(Scale.RUNNING_DEVIATION)
              .observationNormalisation(true)
              .gradientClip(0.5)
              .build();
      Result straight = straight(config);
      Random random = new Random(baseline.ordinal());
      List<String> seen = new ArrayList<>();
      Checkpoint checkpoint = null;
      String parameters = null;
      for (long left = ITERATIONS; left > 0; ) {
        long now = Math.min(left, 1 + random.nextInt(9));
        EngineConfig other = config.toBuilder().threads(1 + random.nextInt(3)).build();
        try (Engine engine = Engine.open(other)) {
          Trainer trainer = checkpoint == null ? begin(engine) : Trainer.resume(engine, checkpoint);
          listen(trainer, seen).iterationsPerCall(1 + random.nextInt(4)).train(now);
          checkpoint = trainer.checkpoint();
          parameters = engine.parametersSha256();
        }
        left -= now;
      }
      assertThat(parameters).isEqualTo(straight.parameters());
      assertThat(seen).isEqualTo(straight.seen());
    }
  }

  @Test
  void checkpointsAreMadeAtTheirIterationsAndAtTheEnd() {
    try (Engine engine = Engine.open(small().build())) {
      List<Long> iterations = new ArrayList<>();
      Trainer trainer =
          new Trainer(engine, SCHEDULE).checkpoints(point -> iterations.add(point.iteration()));
      trainer.checkpointEvery(4).iterationsPerCall(3).train(10);
      assertThat(iterations).containsExactly(4L, 8L, 10L);
      trainer.train(2);
      assertThat(iterations).containsExactly(4L, 8L, 10L, 12L);
    }
  }

  @Test
  void aCurriculumChangesTheTrainingAndNoEvaluation() {
    EngineConfig config = small().build();
    List<Map<String, Double>> played = new ArrayList<>();
    List<Statistics> evaluated;
    try (Engine engine = Engine.open(config)) {
      Trainer trainer = new Trainer(engine, SCHEDULE).iterationsPerCall(10);
      trainer.curriculum(iteration -> iteration < 3 ? Map.of("reward", 2.0) : Map.of());
      trainer.onBatch(batch -> played.add(engine.environmentParameters()));
      trainer.train(4);
      evaluated = trainer.evaluate(50, Acting.RANDOM);
    }
    double usual = config.environment().parameter("reward");
    assertThat(played.stream().map(parameters -> parameters.get("reward")))
        .containsExactly(2.0, 2.0, 2.0, usual);
    try (Engine engine = Engine.open(config)) {
      Trainer trainer = new Trainer(engine, SCHEDULE);
      trainer.curriculum(iteration -> Map.of("reward", 2.0)).train(1);
      assertThat(trainer.evaluate(50, Acting.RANDOM).get(0).teamReturnMean())
          .isEqualTo(evaluated.get(0).teamReturnMean());
      assertThat(engine.environmentParameters()).containsEntry("reward", 2.0);
      trainer.curriculum(iteration -> Map.of("reward", 99.0));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> trainer.train(1))
          .withMessageContaining("reward is 99");
    }
  }

  @Test
  void aConditionStopsAfterItsIteration() {
    try (Engine engine = Engine.open(small().build())) {
      Trainer trainer = new Trainer(engine, SCHEDULE).stopWhen(batch -> batch.iteration() == 6);
      Trainer.Outcome outcome = trainer.train(Long.MAX_VALUE);
      assertThat(outcome.reason()).isEqualTo(StopReason.CONDITION);
      assertThat(outcome.iterations()).isEqualTo(7);
      assertThat(engine.iteration()).isEqualTo(7);
    }
  }

  @Test
  void cancellingLeavesTheLastCompleteIteration() {
    try (Engine engine = Engine.open(small().build())) {
      List<Long> seen = new ArrayList<>();
      List<Long> points = new ArrayList<>();
      Trainer trainer =
          new Trainer(engine, SCHEDULE).checkpoints(point -> points.add(point.iteration()));
      trainer.onBatch(
          batch -> {
            seen.add(batch.iteration());
            if (batch.iteration() == 3) {
              engine.cancel();
            }
          });
      assertThat(trainer.train(100).reason()).isEqualTo(StopReason.CANCELLED);
      assertThat(seen).containsExactly(0L, 1L, 2L, 3L);
      assertThat(points).containsExactly(4L);
      trainer.train(1);
      assertThat(seen).containsExactly(0L, 1L, 2L, 3L, 4L);
    }
  }

  @Test
  void trainingLearns() {
    try (Engine engine = Engine.open(small().environments(256).build())) {
      Trainer trainer = new Trainer(engine, Schedule.constant(0.02));
      double before = trainer.evaluate(2000, Acting.SAMPLED).get(0).teamReturnMean();
      trainer.iterationsPerCall(100).train(TestDevice.amount(300, 60));
      double after = trainer.evaluate(2000, Acting.SAMPLED).get(0).teamReturnMean();
      assertThat(after).isGreaterThan(before + 1);
    }
  }

  @Test
  void valuesOutsideTheirRangeAreRefused() {
    try (Engine engine = Engine.open(small().build())) {
      Trainer trainer = new Trainer(engine, SCHEDULE);
      assertThatIllegalArgumentException().isThrownBy(() -> trainer.iterationsPerCall(0));
      assertThatIllegalArgumentException().isThrownBy(() -> trainer.checkpointEvery(0));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> trainer.checkpointEverySeconds(Double.NaN));
      assertThatIllegalArgumentException().isThrownBy(() -> trainer.train(-1));
      assertThat(trainer.train(0).iterations()).isZero();
    }
  }
}
