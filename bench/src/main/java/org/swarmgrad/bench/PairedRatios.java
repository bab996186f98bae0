// Ratios that a busy machine cannot bend: two engines take turns in one run, and the median of
// their pairs is printed. Threads, instruction sets, batch sizes, and policies against the peak.
package org.swarmgrad.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Swarmgrad;
import org.swarmgrad.measurement.Answers;
import org.swarmgrad.measurement.Machine;
import org.swarmgrad.measurement.Throughput;

final class PairedRatios {
  private static final String ENVIRONMENT = "simple_spread_v3";
  private static final String POLICY = "mlp:64x64";
  private static final int ENVIRONMENTS = 4096;
  private static final int MANY_ENVIRONMENTS = 1_000_000;
  private static final double LEARNING_RATE = 1e-5;
  private static final double DEFAULT_SECONDS = 10;
  private static final int LEAST_PAIRS = 3;

  /**
   * One side of a pair lasts at least so long, so that a timer tick or a context switch is small.
   */
  private static final double TURN_SECONDS = 0.2;

  private PairedRatios() {}

  /** Prints a line for each ratio; `arguments`: nothing, or the seconds a line may take (10). */
  static void run(List<String> arguments) {
    double seconds = seconds(arguments);
    int cores = Runtime.getRuntime().availableProcessors();
    say(
        "%s, %d cores; whole iterations of %s, learning included",
        Machine.processorName(), cores, ENVIRONMENT);
    say("%-44s %8s   %s", "", "median", "middle half, pairs");
    int threads = Math.min(2, cores);
    ratio(
        threads + " threads : 1 thread, agent-steps/s",
        config(POLICY, ENVIRONMENTS, threads, "auto"),
        config(POLICY, ENVIRONMENTS, 1, "auto"),
        seconds);
    if (Swarmgrad.isAvailable(InstructionSet.AVX512)) {
      ratio(
          "avx2 : avx512, agent-steps/s",
          config(POLICY, ENVIRONMENTS, 0, "avx2"),
          config(POLICY, ENVIRONMENTS, 0, "avx512"),
          seconds);
    }
    // Inverted: time an agent-step.
    ratio(
        MANY_ENVIRONMENTS + " : " + ENVIRONMENTS + " environments, time",
        config(POLICY, ENVIRONMENTS, 0, "auto"),
        config(POLICY, MANY_ENVIRONMENTS, 0, "auto"),
        seconds);
    say("%n%-44s %8s   %s", "", "fraction", "of the peak; million agent-steps/s, GFLOP/s peak");
    fraction("linear", ENVIRONMENTS, seconds);
    fraction("mlp:64x64", ENVIRONMENTS, seconds);
    fraction("mlp:128x128", ENVIRONMENTS, seconds);
    fraction("mlp:256x256", ENVIRONMENTS, seconds);
    fraction("mlp:1024x1024", ENVIRONMENTS / 8, seconds);
  }

  private static double seconds(List<String> arguments) {
    if (arguments.isEmpty()) {
      return DEFAULT_SECONDS;
    }
    try {
      double seconds = Double.parseDouble(arguments.get(0));
      if (arguments.size() == 1 && seconds > 0) {
        return seconds;
      }
    } catch (NumberFormatException failure) {
      // Falls through to the one message for both cases.
    }
    throw new IllegalArgumentException(
        "--ratios is given " + arguments + "; allowed: nothing, or one number of seconds above 0");
  }

  private static EngineConfig config(String policy, int environments, int threads, String isa) {
    return EngineBenchmark.config(ENVIRONMENT, policy, environments, threads, isa);
  }

  /** The speed of one engine by that of another. */
  private static void ratio(
      String name, EngineConfig numerator, EngineConfig denominator, double seconds) {
    List<Double> ratios = new ArrayList<>();
    try (Engine first = Engine.open(numerator);
        Engine second = Engine.open(denominator)) {
      turn(first);
      turn(second);
      long begin = System.nanoTime();
      while (ratios.size() < LEAST_PAIRS || (System.nanoTime() - begin) * 1e-9 < seconds) {
        // Whoever begins changes, so that a drift of the machine favours neither.
        boolean forward = ratios.size() % 2 == 0;
        double earlier = turn(forward ? first : second);
        double later = turn(forward ? second : first);
        ratios.add(forward ? earlier / later : later / earlier);
      }
    }
    ratios.sort(null);
    int count = ratios.size();
    say(
        "%-44s %8.3f   %.3f to %.3f, %d",
        name,
        Throughput.median(ratios),
        ratios.get(count / 4),
        ratios.get(count - 1 - count / 4),
        count);
  }

  /** Iterations for a while; agent-steps per second. */
  private static double turn(Engine engine) {
    long agentSteps = 0;
    long begin = System.nanoTime();
    double elapsed = 0;
    while (elapsed < TURN_SECONDS) {
      agentSteps +=
          Answers.check(engine, engine.train(LEARNING_RATE).get(0), engine.config().environments());
      elapsed = (System.nanoTime() - begin) * 1e-9;
    }
    return agentSteps / elapsed;
  }

  /** As `swarmgrad bench` does it. */
  private static void fraction(String policy, int environments, double seconds) {
    try (Engine engine = Engine.open(config(policy, environments, 0, "auto"))) {
      Throughput measured = Throughput.measure(engine, seconds);
      double agentSteps = Throughput.median(measured.agentStepsPerSecond());
      double peak = Throughput.best(measured.peakGflopPerSecond());
      say(
          "%-44s %8.3f   %.3f, %.0f",
          EngineConfig.formatPolicies(engine.config().policies())
              + ", "
              + environments
              + " environments",
          agentSteps * engine.info().flopPerAgentStep() * 1e-9 / peak,
          agentSteps * 1e-6,
          peak);
    }
  }

  private static void say(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }
}
