// Environments written in Java: the bits of their native form, and errors that name the place where
// they throw, lie, call back or never return; the JVM lives.
package org.swarmgrad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JavaEnvironmentTest {
  private static final JavaEnvironment MEETING = JavaEnvironment.of("meeting", JavaMeeting::new);

  private static EngineConfig.Builder small(EngineConfig.Builder builder) {
    return builder.policy(Policy.mlp(8)).environments(100).seed(5);
  }

  private static EngineConfig.Builder small(Supplier<? extends Environment> factory) {
    return small(EngineConfig.builder(JavaEnvironment.of("tried", factory)));
  }

  private static double[] rates(int iterations) {
    return Schedule.constant(0.01).rates(0, iterations);
  }

  /** What a test does in place of, or besides, a function of the game. */
  private interface Deed {
    void run(Cohort cohort) throws Exception;
  }

  /** The game `meeting`, with a deed of the test's in one of its functions. */
  private static Environment meddled(String function, Deed deed) {
    return new JavaMeeting() {
      @Override
      public void reset(Cohort cohort) throws Exception {
        super.reset(cohort);
        meddle("reset", cohort);
      }

      @Override
      public void observe(Cohort cohort) throws Exception {
        super.observe(cohort);
        meddle("observe", cohort);
      }

      @Override
      public void step(Cohort cohort) throws Exception {
        super.step(cohort);
        meddle("step", cohort);
      }

      private void meddle(String called, Cohort cohort) throws Exception {
        if (called.equals(function)) {
          deed.run(cohort);
        }
      }
    };
  }

  private static Throwable failureOf(String function, Deed deed) {
    try (Engine engine = Engine.open(small(() -> meddled(function, deed)).build())) {
      return catchThrowable(() -> engine.train(0.01));
    }
  }

  @Test
  void trainsToTheBitsOfTheNativeFormWhateverTheThreads() {
    try (Engine judge = Engine.open(small(EngineConfig.builder("meeting")).build())) {
      List<List<Statistics>> expected = judge.train(rates(20));
      List<Statistics> evaluation = judge.evaluate(3, 50, Acting.GREEDY);
      Recording recording = judge.record();
      for (int threads : new int[] {1, 2, 3}) {
        EngineConfig config = small(EngineConfig.builder(MEETING)).threads(threads).build();
        try (Engine engine = Engine.open(config)) {
          assertThat(engine.train(rates(20))).isEqualTo(expected);
          assertThat(engine.evaluate(3, 50, Acting.GREEDY)).isEqualTo(evaluation);
          assertThat(engine.parametersSha256()).isEqualTo(judge.parametersSha256());
          assertThat(engine.record().trajectories().get(0).observation())
              .isEqualTo(recording.trajectories().get(0).observation());
        }
      }
    }
  }

  @Test
  void groupsOfOneShapeCanShareAPolicy() {
    Supplier<Environment> apart =
        () ->
            new JavaMeeting() {
              @Override
              public List<Agents> groups() {
                return List.of(new Agents("left", 1, 9, 3), new Agents("right", 1, 9, 3));
              }
            };
    EngineConfig.Builder builder = small(EngineConfig.builder("meeting")).agentIndex(true);
    try (Engine judge = Engine.open(builder.build());
        Engine engine = Engine.open(small(apart).agentIndex(true).share(Share.ALL).build())) {
      assertThat(engine.train(rates(5))).isEqualTo(judge.train(rates(5)));
    }
  }

  @Test
  void episodesThatWouldBeReplayedAreStoredAllTheSame() {
    EngineConfig.Builder builder =
        EngineConfig.builder("meeting").policy(Policy.mlp(8)).environments(2).horizon(20_000);
    try (Engine judge = Engine.open(builder.threads(1).build());
        Engine engine = Engine.open(builder.environment(MEETING).build())) {
      assertThat(judge.info().replays()).isTrue();
      assertThat(engine.info().replays()).isFalse();
      assertThat(engine.gradient().values()).isEqualTo(judge.gradient().values());
    }
    assertThatThrownBy(
            () -> Engine.open(builder.horizon(1 << 24).policy(Policy.mlp(1024, 1024)).build()))
        .isInstanceOf(SwarmgradException.class)
        .hasMessageContaining("fewer threads, a shorter horizon or a smaller policy need less");
  }

  @Test
  void goesOnFromACheckpointWithTheEnvironmentGivenAgain(@TempDir Path folder) {
    EngineConfig config = small(EngineConfig.builder(MEETING)).build();
    Path file = folder.resolve("checkpoint");
    try (Engine whole = Engine.open(config);
        Engine begun = Engine.open(config)) {
      new Trainer(whole, Schedule.constant(0.01)).train(6);
      new Trainer(begun, Schedule.constant(0.01)).checkpoints(file).train(3);
      Checkpoint checkpoint = Checkpoint.load(file);
      EngineConfig read = checkpoint.config();
      assertThat(read.javaEnvironment()).isEmpty();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Engine.open(read))
          .withMessageContaining("environment is java:meeting, which is written in Java")
          .withMessageContaining(".environment(JavaEnvironment.of(name, factory))");
      try (Engine resumed = Engine.open(read.toBuilder().environment(MEETING).build())) {
        Trainer.resume(resumed, checkpoint).train(3);
        assertThat(resumed.parametersSha256()).isEqualTo(whole.parametersSha256());
      }
      try (Engine other = Engine.open(small(JavaMeeting::new).build())) {
        assertThatThrownBy(() -> checkpoint.restore(other))
            .isInstanceOf(CheckpointException.class)
            .hasMessageContaining("environment: java:meeting, java:tried");
      }
    }
  }

  @Test
  void namesAndPatienceAreChecked() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> JavaEnvironment.of("my game", JavaMeeting::new))
        .withMessage(
            "name of the environment is 'my game'; allowed: letters, digits, '_', '-', '.'");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MEETING.withPatience(Duration.ZERO))
        .withMessage("patience is PT0S; allowed: 1 ms to 365 days");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MEETING.withPatience(ChronoUnit.FOREVER.getDuration()))
        .withMessageEndingWith("; allowed: 1 ms to 365 days");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Environment.Agents(null, 1, 1, 1))
        .withMessage("name of a group is null; a value is needed");
  }

  @ParameterizedTest
  @ValueSource(strings = {"reset", "observe", "step"})
  void whatItThrowsNamesThePlaceAndTheNextRunIsUnharmed(String function) {
    AtomicReference<Exception> thrown = new AtomicReference<>(new IOException("no more ink"));
    Deed deed =
        cohort -> {
          if (thrown.get() != null && cohort.environment(0) >= 42) {
            throw thrown.get();
          }
        };
    for (int threads : new int[] {1, 3}) {
      EngineConfig config = small(() -> meddled(function, deed)).threads(threads).build();
      try (Engine engine = Engine.open(config)) {
        thrown.set(new IOException("no more ink"));
        assertThatThrownBy(() -> engine.train(0.01))
            .isInstanceOf(EnvironmentException.class)
            .hasMessage(
                "java:tried, iteration 0, environments 42 to 56, step 0, "
                    + function
                    + ": java.io.IOException: no more ink")
            .hasCause(thrown.get());
        thrown.set(null);
        try (Engine judge = Engine.open(small(EngineConfig.builder("meeting")).build())) {
          assertThat(engine.train(rates(3))).isEqualTo(judge.train(rates(3)));
        }
      }
    }
  }

  @Test
  void errorsAreCaughtLikeExceptions() {
    assertThat(failureOf("step", cohort -> overflow(0)))
        .isInstanceOf(EnvironmentException.class)
        .hasCauseInstanceOf(StackOverflowError.class);
    assertThat(
            failureOf(
                "step",
                cohort -> {
                  throw new OutOfMemoryError("pretended");
                }))
        .hasMessageContaining("step 0, step: java.lang.OutOfMemoryError: pretended");
  }

  private static int overflow(int depth) {
    return overflow(depth + 1) + 1;
  }

  @Test
  void whatThrowsBeforeTheFirstEpisodeIsNamed() {
    assertThatThrownBy(
            () ->
                Engine.open(
                    small(
                            () -> {
                              throw new IllegalStateException("no licence");
                            })
                        .build()))
        .isInstanceOf(EnvironmentException.class)
        .hasMessage(
            "java:tried, its factory, groups() or horizon():"
                + " java.lang.IllegalStateException: no licence");
    assertThatThrownBy(() -> Engine.open(small(() -> null).build()))
        .hasMessageContaining("the factory of java:tried made null");
    AtomicInteger made = new AtomicInteger();
    Supplier<Environment> once =
        () -> {
          if (made.getAndIncrement() > 0) {
            throw new IllegalStateException("only one seat");
          }
          return meddled("step", cohort -> Thread.sleep(1));
        };
    try (Engine engine = Engine.open(small(once).environments(1000).threads(2).build())) {
      assertThatThrownBy(() -> engine.train(0.01))
          .isInstanceOf(EnvironmentException.class)
          .hasMessageContaining(", its factory: java.lang.IllegalStateException: only one seat");
    }
  }

  @Test
  void shapesAreChecked() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Engine.open(small(() -> shaped(1, 0, 3)).build()))
        .withMessage("callbacks.groups[0].observation_size is 0; allowed: 1 to 1048576");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Engine.open(small(() -> shaped(0, 1, 3)).build()))
        .withMessage("callbacks.horizon is 0; allowed: 1 or more");
  }

  private static Environment shaped(int horizon, int observationSize, int actionCount) {
    return new JavaMeeting() {
      @Override
      public List<Agents> groups() {
        return List.of(new Agents("agent", 2, observationSize, actionCount));
      }

      @Override
      public int horizon() {
        return horizon;
      }
    };
  }

  @Test
  void whatIsNotFiniteIsNamed() {
    assertThat(failureOf("step", cohort -> cohort.reward(1, 3, Float.NaN)))
        .isInstanceOf(NumericException.class)
        .hasMessage(
            "java:tried, iteration 0, environment 3, agent 1, step 0: the reward is not finite");
    Deed infinite =
        cohort -> {
          if (cohort.environment(0) > 0) {
            cohort.observe(1, 7, 5, Float.POSITIVE_INFINITY);
          }
        };
    assertThat(failureOf("observe", infinite))
        .isInstanceOf(EnvironmentException.class)
        .hasMessage(
            "java:tried, iteration 0, environment 19, at its start: feature 7 of agent 1's"
                + " observation is inf; allowed: finite numbers");
  }

  @Test
  void writingOutOfRangeIsAnExceptionNotAWildWrite() {
    assertThat(failureOf("observe", cohort -> cohort.observe(1, 9, 0, 1)))
        .isInstanceOf(EnvironmentException.class)
        .hasCauseInstanceOf(IndexOutOfBoundsException.class);
    assertThat(failureOf("observe", cohort -> cohort.observe(0, 0, 16, 1)))
        .hasCauseInstanceOf(IndexOutOfBoundsException.class);
    assertThat(failureOf("step", cohort -> cohort.reward(2, 0, 1)))
        .hasCauseInstanceOf(IndexOutOfBoundsException.class);
    assertThat(failureOf("observe", cohort -> cohort.forbid(0, 1, 0)))
        .hasCauseInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("agent is 0, whose group is not masked");
    assertThat(failureOf("reset", cohort -> cohort.below(0, 0)))
        .hasMessageContaining("count is 0; allowed: 1 to 2147483647");
    assertThat(
            failureOf(
                "step",
                cohort -> {
                  for (int draw = 0; draw <= 1 << 18; draw++) {
                    cohort.bits(0);
                  }
                }))
        .hasMessageContaining("262144 random numbers in one call");
  }

  @Test
  void anEnvironmentThatCallsItsEngineIsTurnedAway() {
    AtomicReference<Engine> itself = new AtomicReference<>();
    List<Deed> deeds =
        List.of(
            cohort -> itself.get().train(0.01),
            cohort -> itself.get().parameters(),
            cohort -> itself.get().close());
    for (Deed deed : deeds) {
      try (Engine engine = Engine.open(small(() -> meddled("step", deed)).threads(2).build())) {
        itself.set(engine);
        assertThatThrownBy(() -> engine.train(0.01))
            .isInstanceOf(EnvironmentException.class)
            .hasCauseInstanceOf(BusyException.class);
      }
    }
    Deed cancel = cohort -> itself.get().cancel();
    try (Engine engine = Engine.open(small(() -> meddled("step", cancel)).build())) {
      itself.set(engine);
      assertThatThrownBy(() -> engine.train(0.01)).isInstanceOf(CancelledException.class);
      assertThatThrownBy(() -> engine.train(0.01)).isInstanceOf(CancelledException.class);
    }
  }

  @Test
  void anInterruptOfTheCallerWaitsForTheCall() {
    try (Engine engine = Engine.open(small(EngineConfig.builder(MEETING)).build())) {
      Thread.currentThread().interrupt();
      assertThat(engine.train(rates(3))).hasSize(3);
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void aCallThatDoesNotReturnIsInterrupted() {
    AtomicReference<CountDownLatch> gate = new AtomicReference<>(new CountDownLatch(1));
    JavaEnvironment sleepy =
        JavaEnvironment.of("sleepy", () -> meddled("step", cohort -> gate.get().await()))
            .withPatience(Duration.ofSeconds(1)); // longer than any other call on a busy machine
    try (Engine engine = Engine.open(small(EngineConfig.builder(sleepy)).threads(2).build())) {
      Throwable failure = catchThrowable(() -> engine.train(0.01));
      assertThat(failure)
          .isInstanceOf(EnvironmentException.class)
          .hasMessageMatching(
              "java:sleepy, iteration 0, environments \\d+ to \\d+, step 0, step: did not return"
                  + " for 1.0 s and was interrupted");
      assertThat(failure.getCause().getStackTrace())
          .anyMatch(frame -> frame.getMethodName().equals("await"));
      gate.get().countDown();
      assertThat(engine.train(0.01)).hasSize(1);
      assertThat(engine.iteration()).isEqualTo(1);
    }
  }

  @Test
  void aCallThatIgnoresTheInterruptIsLeftAlone() throws InterruptedException {
    AtomicReference<Boolean> goOn = new AtomicReference<>(true);
    CountDownLatch ended = new CountDownLatch(1);
    Deed spin =
        cohort -> {
          while (goOn.get()) {
            Thread.onSpinWait();
          }
          ended.countDown();
        };
    JavaEnvironment stubborn =
        JavaEnvironment.of("stubborn", () -> meddled("observe", spin))
            .withPatience(Duration.ofMillis(50));
    Engine engine = Engine.open(small(EngineConfig.builder(stubborn)).threads(1).build());
    assertThatThrownBy(() -> engine.train(0.01))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("step 0, observe: did not return for 0.05 s and was interrupted,")
        .hasMessageContaining("which it ignores: the engine is lost");
    assertThatThrownBy(() -> engine.train(0.01))
        .isInstanceOf(EnvironmentException.class)
        .hasMessageContaining("the engine is lost");
    assertThatThrownBy(engine::parameters).isInstanceOf(BusyException.class);
    engine.close();
    goOn.set(false);
    ended.await();
  }

  @Test
  void everyThreadHasItsInstanceWhichIsClosedWithTheEngine() {
    Set<Environment> made = ConcurrentHashMap.newKeySet();
    Set<Environment> closed = ConcurrentHashMap.newKeySet();
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    Supplier<Environment> factory =
        () -> {
          Environment instance =
              new JavaMeeting() {
                private final Set<Thread> own = ConcurrentHashMap.newKeySet();

                @Override
                public void step(Cohort cohort) throws Exception {
                  Thread.sleep(1);
                  own.add(Thread.currentThread());
                  threads.add(Thread.currentThread());
                  assertThat(own).hasSize(1);
                  assertThat(Thread.currentThread().isDaemon()).isTrue();
                }

                @Override
                public void close() {
                  assertThat(closed.add(this)).isTrue();
                }
              };
          made.add(instance);
          return instance;
        };
    try (Engine engine = Engine.open(small(factory).threads(3).build())) {
      engine.train(rates(3));
      assertThat(made).hasSameSizeAs(threads).hasSizeBetween(1, 3);
      assertThat(closed).isEmpty();
    }
    assertThat(closed).isEqualTo(made);
    assertThat(threads).allMatch(thread -> !thread.isAlive() || thread.getName().contains("java:"));
  }

  @Test
  void manyEnginesLeaveNothingBehind() {
    int before = Thread.activeCount();
    for (int i = 0; i < 100; i++) {
      try (Engine engine = Engine.open(small(JavaMeeting::new).threads(2).build())) {
        engine.train(0.01);
      }
    }
    assertThat(Thread.activeCount()).isLessThan(before + 20);
  }
}
