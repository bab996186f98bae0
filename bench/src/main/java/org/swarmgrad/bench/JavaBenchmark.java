// What rules written in Java cost: the same games as `rollout` and `iteration` play, whose Java
// forms must give the same bits.
package org.swarmgrad.bench;

import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Setup;
import org.swarmgrad.Acting;
import org.swarmgrad.Engine;
import org.swarmgrad.Statistics;
import org.swarmgrad.measurement.Answers;

/** Rollouts and iterations of a Java environment. */
public class JavaBenchmark extends EngineBenchmark {
  private static final double LEARNING_RATE = 1e-5;

  private List<Statistics> expected;

  /** Opens an engine with the Java form and holds it to the native form. */
  @Setup(Level.Trial)
  public void open() {
    engine = Engine.open(config().toBuilder().environment(JavaGames.of(environment)).build());
    try (Engine judge = Engine.open(config())) {
      double[] rates = {LEARNING_RATE, LEARNING_RATE};
      require(judge.train(rates).equals(engine.train(rates)), "Java rules give other batches");
      require(
          judge.parametersSha256().equals(engine.parametersSha256()),
          "Java rules train to other parameters");
      expected = judge.evaluate(0, environments, Acting.SAMPLED);
    }
  }

  /** As many episodes as a batch has. */
  @Benchmark
  public void javaRollout(Counter counter) {
    List<Statistics> statistics = engine.evaluate(0, environments, Acting.SAMPLED);
    require(statistics.equals(expected), "statistics " + statistics + ", natively " + expected);
    counter.agentSteps += Answers.check(engine, statistics, environments);
  }

  /** One iteration. */
  @Benchmark
  public void javaIteration(Counter counter) {
    counter.agentSteps += Answers.check(engine, engine.train(LEARNING_RATE).get(0), environments);
  }
}
