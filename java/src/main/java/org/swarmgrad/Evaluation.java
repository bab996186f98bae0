// How a training judges its policy on the way, and what it found so far; playing is the engine's,
// when to play the Trainer's.
package org.swarmgrad;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * When to play evaluation episodes during a training, how many, and whose return counts as the
 * score. An evaluation changes no bit of the training, and what it finds is a function of the
 * configuration and the iteration alone: it always plays the same episodes, the last of the
 * evaluation stream, which no usual evaluation afterwards plays again.
 *
 * @param every before each iteration whose number is divisible by this, 0 the first; 0: never
 * @param episodes of one evaluation
 * @param group whose mean team return is the score, or {@link #SUM} over all groups
 */
public record Evaluation(long every, long episodes, String group) {
  /** The score is the sum of all groups' mean team returns. */
  public static final String SUM = "sum";

  /** No evaluation on the way. */
  public static final Evaluation NEVER = new Evaluation(0, 500, SUM);

  private static final long EPISODES_OF_THE_STREAM = 1L << 31;

  /**
   * What a training's evaluations found so far.
   *
   * @param iteration of the last one
   * @param bestIteration of the one with the highest score, the earliest of equals
   * @param bestScore its score
   */
  public record Found(long iteration, long bestIteration, double bestScore) {}

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException naming the value and what is allowed
   */
  public Evaluation {
    Checks.range("evaluate-every", every, 0, Long.MAX_VALUE);
    Checks.range("evaluate-episodes", episodes, 1, Integer.MAX_VALUE);
    Checks.present("best-group", group);
  }

  /**
   * The evaluation as text.
   *
   * @return names with underscores and values that {@link #fromMap} reads back exactly
   */
  public SortedMap<String, String> toMap() {
    SortedMap<String, String> map = new TreeMap<>();
    map.put("evaluate_every", String.valueOf(every));
    map.put("evaluate_episodes", String.valueOf(episodes));
    map.put("best_group", group);
    return map;
  }

  /**
   * What others differ in.
   *
   * @param other to compare with
   * @return "name: this value, other value" of every difference
   */
  public List<String> differences(Evaluation other) {
    return Labels.differences(toMap(), other.toMap());
  }

  /**
   * Reads what {@link #toMap()} wrote.
   *
   * @param map may hold other names as well, which are ignored
   * @return the evaluation
   * @throws IllegalArgumentException naming what is missing or not allowed
   */
  public static Evaluation fromMap(Map<String, String> map) {
    return new Evaluation(
        Labels.whole(map, "evaluate_every", Long::valueOf),
        Labels.whole(map, "evaluate_episodes", Long::valueOf),
        Labels.text(map, "best_group"));
  }

  /** Refuses a group that the engine does not have. */
  void check(List<Group> groups) {
    List<String> names = groups.stream().map(Group::name).toList();
    if (!group.equals(SUM) && !names.contains(group)) {
      throw new IllegalArgumentException(
          "best-group is '" + group + "'; allowed: " + SUM + ", or one of " + names);
    }
  }

  /** Whether the parameters of this iteration are to be judged. */
  boolean due(long iteration) {
    return every > 0 && iteration % every == 0;
  }

  /** Iterations until the next evaluation after this one. */
  long iterationsFrom(long iteration) {
    return every == 0 ? Long.MAX_VALUE : every - iteration % every;
  }

  List<Statistics> play(Engine engine) {
    return engine.evaluate(EPISODES_OF_THE_STREAM - episodes, episodes, Acting.SAMPLED);
  }

  double score(List<Group> groups, List<Statistics> statistics) {
    double score = 0;
    for (Statistics of : statistics) {
      if (group.equals(SUM) || groups.get(of.group()).name().equals(group)) {
        score += of.teamReturnMean();
      }
    }
    return score;
  }
}
