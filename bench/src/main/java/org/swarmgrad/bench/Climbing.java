// The climbing game from many starts: does sampled training end in the equilibrium that exact
// gradient ascent ends in? Engine and reference do the learning; this counts and hands to plots.
package org.swarmgrad.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import org.swarmgrad.Engine;
import org.swarmgrad.EngineConfig;
import org.swarmgrad.Policy;
import org.swarmgrad.Schedule;
import org.swarmgrad.reference.ExactAscent;

final class Climbing {
  static final String USAGE =
      "--climbing [STARTS [FOLDER]] compares where training and exact gradient ascent end in the"
          + " climbing game, and plots it into FOLDER";

  private static final int STARTS = 100;
  private static final double SHARE = 0.95;
  private static final double SECONDS = 10;

  private static final int ACTIONS = 3;
  private static final int EPISODES = 256;
  private static final int ITERATIONS = 2000;
  private static final Schedule SCHEDULE = Schedule.constant(0.02);

  /**
   * On the way to (1, 1) players linger at (2, 2) and (1, 2), where the gradient is nearly 0. With
   * its usual decay of 0.999 Adam would go on dividing by the steep beginning for thousands of
   * iterations.
   */
  private static final double ADAM_BETA2 = 0.95;

  /** A joint action counts as reached when it is played this often. */
  private static final double REACHED = 0.9;

  private Climbing() {}

  /** Where a training starts: how often each player plays action 0; the others equally often. */
  record Start(double player0, double player1) {
    /** [player][weight, bias][action]: the weights are 0, the biases log-probabilities. */
    float[] parameters() {
      float[] parameters = new float[2 * 2 * ACTIONS];
      for (int player = 0; player < 2; player++) {
        double first = player == 0 ? player0 : player1;
        for (int action = 0; action < ACTIONS; action++) {
          double probability = action == 0 ? first : (1 - first) / (ACTIONS - 1);
          parameters[(2 * player + 1) * ACTIONS + action] = (float) Math.log(probability);
        }
      }
      return parameters;
    }
  }

  /**
   * Which joint action policies have settled on.
   *
   * @param row of player 0
   * @param column of player 1
   * @param reached whether it is played nearly always
   */
  record End(int row, int column, boolean reached) {
    static End of(double[][] policy) {
      int[] best = new int[2];
      for (int player = 0; player < 2; player++) {
        for (int action = 1; action < ACTIONS; action++) {
          if (policy[player][action] > policy[player][best[player]]) {
            best[player] = action;
          }
        }
      }
      return new End(best[0], best[1], policy[0][best[0]] * policy[1][best[1]] >= REACHED);
    }

    @Override
    public String toString() {
      return (reached ? "" : "near ") + "(" + row + ", " + column + ")";
    }
  }

  /** Both ends of one start. */
  record Pair(Start start, End exact, End sampled) {
    boolean agrees() {
      return exact.reached && exact.equals(sampled);
    }
  }

  static Engine open(Start start, long seed) {
    Engine engine =
        Engine.open(
            EngineConfig.builder("climbing")
                .policy(Policy.linear())
                .environments(EPISODES)
                .adamBeta2(ADAM_BETA2)
                .threads(1)
                .seed(seed)
                .build());
    engine.setParameters(start.parameters());
    return engine;
  }

  static End exact(Start start) {
    try (Engine engine = open(start, 0)) {
      ExactAscent ascent = new ExactAscent(engine);
      for (int iteration = 0; iteration < ITERATIONS; iteration++) {
        ascent.step(SCHEDULE.rate(iteration));
      }
      return End.of(ascent.policy());
    }
  }

  private static End sampled(Start start, long seed) {
    try (Engine engine = open(start, seed)) {
      engine.train(SCHEDULE.rates(0, ITERATIONS));
      return End.of(ExactAscent.policy(engine));
    }
  }

  /** Starts spread evenly over the square, the same ones always; engine k has seed k. */
  static List<Pair> compare(int starts) {
    Random random = new Random(1);
    List<Start> drawn = new ArrayList<>();
    for (int i = 0; i < starts; i++) {
      // 1 - u: above 0, so that every action can be played.
      drawn.add(new Start(1 - random.nextDouble(), 1 - random.nextDouble()));
    }
    return IntStream.range(0, starts)
        .parallel()
        .mapToObj(k -> new Pair(drawn.get(k), exact(drawn.get(k)), sampled(drawn.get(k), k)))
        .toList();
  }

  /** Reads the arguments after --climbing; exit status 0 where enough runs agree. */
  static int run(List<String> arguments) throws IOException {
    if (arguments.size() > 2) {
      throw new IllegalArgumentException(
          "--climbing is given " + arguments + "; allowed: " + USAGE);
    }
    int starts =
        arguments.isEmpty()
            ? STARTS
            : (int) ScoreTable.number("--climbing", arguments.get(0), Integer.MAX_VALUE);
    List<Pair> pairs = compare(starts);
    long agreeing = pairs.stream().filter(Pair::agrees).count();
    double seconds =
        (System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime()) * 1e-3;
    say("climbing: %d starts, %d iterations of %d episodes", starts, ITERATIONS, EPISODES);
    for (Pair pair : pairs) {
      if (!pair.agrees()) {
        say(
            "  from (%.3f, %.3f) exact ascent ends %s, training %s",
            pair.start.player0, pair.start.player1, pair.exact, pair.sampled);
      }
    }
    pairs.stream()
        .map(Pair::exact)
        .distinct()
        .forEach(
            end ->
                say(
                    "  exact ascent ends %s from %d starts",
                    end, pairs.stream().filter(pair -> pair.exact.equals(end)).count()));
    boolean enough = agreeing >= SHARE * starts;
    say(
        "%s: %d of %d trainings end in the equilibrium of exact ascent, at least %.0f%% must; %.1f"
            + " s since the JVM started, allowed %.0f",
        enough && seconds <= SECONDS ? "HOLDS" : "MISSES",
        agreeing,
        starts,
        100 * SHARE,
        seconds,
        SECONDS);
    if (arguments.size() == 2) {
      Path folder = Path.of(arguments.get(1));
      Charts.climbing(pairs, folder);
    }
    return enough && seconds <= SECONDS ? 0 : 1;
  }

  private static void say(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }
}
