// What a row of the table of scores came to, whether it holds, and how that is told; what was
// measured is the table's.
package org.swarmgrad.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.swarmgrad.measurement.Throughput;

/**
 * A row and everything that was found.
 *
 * @param row that was measured
 * @param random score of random play
 * @param target that the row's score must reach
 * @param trials one a seed
 */
record ScoreOutcome(ScoreRow row, double random, double target, List<Trial> trials) {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

  /** The first two lines of the Markdown table that {@link #line} goes on. */
  static final String HEAD =
      "| task | random | reach | score | greedy | within | took | agent-steps | first at the mark"
          + " | published steps | holds |\n|"
          + " --- |".repeat(11);

  /**
   * What one training gave. It plays the game that is judged, unless rewards are shaped or the
   * other side plays otherwise; only then does `firstAtTarget` mean anything, and is null where no
   * batch got there. `steadiness` is null where the row does not ask for it.
   */
  record Trial(
      long seed,
      double wallSeconds,
      double sampled,
      double greedy,
      double agentSteps,
      boolean playsWhatIsJudged,
      LearningCurve.Moment firstAtTarget,
      Double steadiness) {}

  boolean reaches() {
    if (row.shareOfSeeds() == null) {
      return median(Trial::sampled) >= target;
    }
    return reaching() >= row.shareOfSeeds() * trials.size();
  }

  long reaching() {
    return trials.stream().filter(trial -> trial.sampled >= target).count();
  }

  boolean isInTime() {
    return median(Trial::wallSeconds) <= row.seconds();
  }

  boolean isSteady() {
    return row.steadiness() == null || median(Trial::steadiness) >= row.steadiness();
  }

  boolean holds() {
    return reaches() && isInTime() && isSteady();
  }

  double median(ToDoubleFunction<Trial> value) {
    return Throughput.median(values(value));
  }

  private List<Double> values(ToDoubleFunction<Trial> value) {
    return trials.stream().map(value::applyAsDouble).toList();
  }

  private List<LearningCurve.Moment> moments() {
    return trials.stream().map(Trial::firstAtTarget).filter(moment -> moment != null).toList();
  }

  /** For people, a few lines. */
  String text() {
    StringBuilder text = new StringBuilder();
    say(
        text,
        "%n%s: %s, %d seeds, %s",
        row.name(),
        String.join(" ", row.training()),
        trials.size(),
        holds() ? "HOLDS" : "MISSES");
    say(text, "  random play   %.4g", random);
    say(
        text,
        "  score         %s by %d of %d seeds; to reach: %.4g, %s",
        spread("%.4g", values(Trial::sampled)),
        reaching(),
        trials.size(),
        target,
        row.source());
    say(text, "  greedy        %s", spread("%.4g", values(Trial::greedy)));
    say(
        text,
        "  wall clock    %s s, allowed %.0f",
        spread("%.1f", values(Trial::wallSeconds)),
        row.seconds());
    say(text, "  agent-steps   %s million", millions());
    say(text, "  batch mean    first there: %s", first());
    if (row.steadiness() != null) {
      say(
          text,
          "  last fifth    %s of the best fifth, at least %.2f",
          spread("%.3f", values(Trial::steadiness)),
          row.steadiness());
    }
    if (row.published() != null) {
      say(text, "  published     %s", row.published());
    }
    return text.toString();
  }

  private static void say(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values)).append('\n');
  }

  private String first() {
    if (!trials.stream().allMatch(Trial::playsWhatIsJudged)) {
      return "training plays otherwise";
    }
    List<LearningCurve.Moment> moments = moments();
    String seeds = moments.size() + " of " + trials.size() + " seeds";
    if (moments.isEmpty()) {
      return seeds;
    }
    return String.format(
        Locale.ROOT,
        "%.3g million agent-steps, %.3g s of training, %s",
        1e-6 * Throughput.median(moments.stream().map(LearningCurve.Moment::agentSteps).toList()),
        Throughput.median(moments.stream().map(LearningCurve.Moment::seconds).toList()),
        seeds);
  }

  private String millions() {
    return spread("%.3g", values(trial -> trial.agentSteps * 1e-6));
  }

  /** Median [least, greatest]. */
  private static String spread(String format, List<Double> values) {
    return String.format(
        Locale.ROOT,
        format + " [" + format + ", " + format + "]",
        Throughput.median(values),
        Collections.min(values),
        Collections.max(values));
  }

  /** A line of a Markdown table. */
  String line() {
    return String.format(
        Locale.ROOT,
        "| %s | %.4g | %.4g | %s | %s | %.0f s | %s s | %s M | %s | %s | %s |",
        row.name(),
        random,
        target,
        spread("%.4g", values(Trial::sampled)),
        spread("%.4g", values(Trial::greedy)),
        row.seconds(),
        spread("%.1f", values(Trial::wallSeconds)),
        millions(),
        first(),
        row.publishedAgentSteps() == null
            ? ""
            : String.format(Locale.ROOT, "%.3g M", row.publishedAgentSteps() * 1e-6),
        holds() ? "yes" : "no");
  }

  /** For programs. */
  ObjectNode json() {
    ObjectNode object = MAPPER.createObjectNode().put("row", row.name());
    object.put("environment", row.environment());
    object.set("arguments", MAPPER.valueToTree(row.arguments()));
    object.put("random", random).put("target", target);
    object.put("seconds_allowed", row.seconds()).put("source", row.source());
    object.put("published", row.published());
    object.put("published_agent_steps", row.publishedAgentSteps());
    object.put("reaches", reaches()).put("in_time", isInTime());
    object.put("steady", isSteady()).put("holds", holds());
    object.set("trials", MAPPER.valueToTree(trials));
    return object;
  }
}
