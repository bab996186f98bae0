// Whole training iterations: rollout, weights, gradient, optimizer, statistics, in one native call.
package org.swarmgrad.bench;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Setup;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.measurement.Answers;

/** The figure that matters. */
public class IterationBenchmark extends EngineBenchmark {
  private static final int COMPARED_ITERATIONS = 2;

  /** So large that two trainings would part if they differed anywhere. */
  private static final double COMPARED_LEARNING_RATE = 0.01;

  /** So small that the policy, and with it the length of episodes, stays what it was. */
  private static final double LEARNING_RATE = 1e-5;

  /** Opens the engine, after two trainings of this configuration gave the same parameters. */
  @Setup(Level.Trial)
  public void open() {
    String first = train(config());
    String second = train(config());
    require(first.equals(second), "two runs gave parameters_sha256 " + first + " and " + second);
    engine = Engine.open(config());
    require(!first.equals(engine.parametersSha256()), "training left the parameters as they were");
  }

  private static String train(EngineConfig config) {
    try (Engine engine = Engine.open(config)) {
      for (int i = 0; i < COMPARED_ITERATIONS; i++) {
        engine.train(COMPARED_LEARNING_RATE);
      }
      return engine.parametersSha256();
    }
  }

  /** One iteration. */
  @Benchmark
  public void iteration(Counter counter) {
    counter.agentSteps += Answers.check(engine, engine.train(LEARNING_RATE).get(0), environments);
  }
}
