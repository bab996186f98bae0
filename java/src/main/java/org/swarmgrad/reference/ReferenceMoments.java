// Means and deviations of what earlier batches held, from all of it at once in double precision;
// the judge of the engine's running moments.
package org.swarmgrad.reference;

import java.util.ArrayList;
import java.util.List;

/**
 * The moments of one number, a feature of observations or a team's return, over everything that was
 * added; kept as a list and summed twice over, never merged.
 */
public final class ReferenceMoments {
  /** The engine's, which keeps features that never vary from growing without bound. */
  private static final double LEAST_VARIANCE = 1e-8;

  private static final double LIMIT = 10;
  private static final double ROUNDING = 1e-12;

  private final List<Double> values = new ArrayList<>();

  /** Nothing was added yet. */
  public ReferenceMoments() {}

  /**
   * Adds a value.
   *
   * @param value of a living row, or of an episode
   */
  public void add(double value) {
    values.add(value);
  }

  private double mean() {
    return values.stream().mapToDouble(Double::doubleValue).sum() / values.size();
  }

  private double variance() {
    double mean = mean();
    return values.stream().mapToDouble(value -> (value - mean) * (value - mean)).sum()
        / values.size();
  }

  /**
   * The deviation of a team's returns.
   *
   * @return 1 where there is none but rounding
   */
  public double deviation() {
    return values.isEmpty() || Math.sqrt(variance()) <= ROUNDING * Math.abs(mean())
        ? 1
        : Math.sqrt(variance());
  }

  /**
   * What a network sees of a feature.
   *
   * @param value of the environment
   * @return (value - mean) / sqrt(variance + 1e-8), at most 10 in magnitude; the value itself where
   *     nothing was added
   */
  public double normalise(double value) {
    return values.isEmpty()
        ? value
        : Math.clamp((value - mean()) / Math.sqrt(variance() + LEAST_VARIANCE), -LIMIT, LIMIT);
  }
}
