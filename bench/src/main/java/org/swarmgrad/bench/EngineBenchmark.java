// What the benchmarks of the engine have in common: sizes, an open engine, counted agent-steps;
// what is timed is each benchmark's own.
package org.swarmgrad.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Policy;

/** An engine over a few sizes. One call is one operation; agent-steps are counted beside it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(value = 2, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 4, time = 1)
public abstract class EngineBenchmark {
  /** Environment with its parameters, for example "simple_spread_v3?agents=5". */
  @Param({"simple_spread_v3", "CartPole-v1"})
  public String environment;

  /** Shape; layer sizes are joined by 'x', since JMH separates values by commas. */
  @Param({"linear", "mlp:64x64", "mlp:256x256"})
  public String policy;

  /** Episodes per batch. */
  @Param({"256", "4096"})
  public int environments;

  /** Worker threads, 0: one per core. */
  @Param("0")
  public int threads;

  /** Instruction set. */
  @Param("auto")
  public String isa;

  /** Opened by the benchmark's setup. */
  protected Engine engine;

  /** JMH divides it by the time: agent-steps per second. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Counter {
    /** Living agents' steps. */
    public long agentSteps;
  }

  /** The configuration that the parameters name. */
  final EngineConfig config() {
    return config(environment, policy, environments, threads, isa);
  }

  static EngineConfig config(
      String environment, String policy, long environments, int threads, String isa) {
    return EngineConfig.builder(EnvironmentSpec.parse(environment))
        .policy(Policy.parse(policy.replace('x', ',')))
        .environments(environments)
        .threads(threads)
        .instructionSet(InstructionSet.parse(isa))
        .seed(1)
        .build();
  }

  /** Frees the engine. */
  @TearDown(Level.Trial)
  public void close() {
    engine.close();
  }

  static void require(boolean right, String wrong) {
    if (!right) {
      throw new IllegalStateException("the answer of the benchmark is wrong: " + wrong);
    }
  }
}
