// Two results of one benchmark on one machine, and whether they differ by more than noise; it
// judges no build.
package org.swarmgrad.measurement;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A result beside the one before it.
 *
 * @param before the earlier result
 * @param now the later one
 */
public record Comparison(BenchmarkResult before, BenchmarkResult now) {
  private static final double RELATIVE_CHANGE = 0.10;
  private static final double ERRORS = 3;

  /** What the change means. */
  public enum Verdict {
    /** Within 10% or within 3 errors. */
    SAME,
    /** Better by more. */
    FASTER,
    /** Worse by more. */
    SLOWER;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * A new result beside the latest comparable one.
   *
   * @param history oldest first
   * @param now the new result
   * @return empty where there is none to compare with
   */
  public static Optional<Comparison> latest(List<BenchmarkResult> history, BenchmarkResult now) {
    for (BenchmarkResult before : history.reversed()) {
      if (before.comparable(now)) {
        return Optional.of(new Comparison(before, now));
      }
    }
    return Optional.empty();
  }

  /**
   * The newest result of every benchmark of a machine beside the one before it.
   *
   * @param history oldest first
   * @param machine whose results to look at
   * @return in the order of the newest results; benchmarks with one result are left out
   */
  public static List<Comparison> newest(List<BenchmarkResult> history, Machine machine) {
    List<Comparison> comparisons = new ArrayList<>();
    for (int i = 0; i < history.size(); i++) {
      BenchmarkResult now = history.get(i);
      boolean newest = history.subList(i + 1, history.size()).stream().noneMatch(now::comparable);
      if (newest && now.machine().equals(machine)) {
        latest(history.subList(0, i), now).ifPresent(comparisons::add);
      }
    }
    return comparisons;
  }

  /**
   * The relative change of the score.
   *
   * @return for example 0.12 for 12% more
   */
  public double change() {
    return now.score() / before.score() - 1;
  }

  /**
   * Whether the change is beyond 10% and beyond 3 errors of the difference.
   *
   * @return the verdict; more is better but for times
   */
  public Verdict verdict() {
    double error = Math.hypot(before.error(), now.error());
    boolean beyond =
        Math.abs(change()) > RELATIVE_CHANGE
            && Math.abs(now.score() - before.score()) > ERRORS * error;
    if (!beyond) {
      return Verdict.SAME;
    }
    boolean moreIsBetter = now.unit().equals(BenchmarkResult.AGENT_STEPS_PER_SECOND);
    return (change() > 0) == moreIsBetter ? Verdict.FASTER : Verdict.SLOWER;
  }
}
