// A few numbers as people compare them: mean, median and 95% intervals by Student's t; no test of
// significance.
package org.swarmgrad.measurement;

import java.util.Arrays;
import java.util.Optional;
import org.apache.commons.statistics.distribution.TDistribution;

/**
 * The moments of numbers that were drawn independently.
 *
 * @param count of the numbers
 * @param mean of them
 * @param deviation with n - 1 below; 0 for one number
 */
public record Sample(long count, double mean, double deviation) {
  private static final double UPPER_TAIL = 0.025;

  /**
   * A mean and how sure it is.
   *
   * @param mean the estimate
   * @param halfWidth of its 95% interval
   */
  public record Interval(double mean, double halfWidth) {}

  /**
   * The moments of numbers.
   *
   * @param values at least one
   * @return their sample
   */
  public static Sample of(double... values) {
    double mean = Arrays.stream(values).sum() / values.length;
    double squares = Arrays.stream(values).map(value -> (value - mean) * (value - mean)).sum();
    return new Sample(
        values.length, mean, values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)));
  }

  /**
   * The middle of numbers.
   *
   * @param values at least one
   * @return the middle one, or the mean of the middle two
   */
  public static double median(double... values) {
    double[] ascending = values.clone();
    Arrays.sort(ascending);
    int middle = ascending.length / 2;
    return ascending.length % 2 == 1
        ? ascending[middle]
        : (ascending[middle - 1] + ascending[middle]) / 2;
  }

  /**
   * The 95% interval of the mean.
   *
   * @return empty for fewer than two numbers, which say nothing about their spread
   */
  public Optional<Interval> interval() {
    return count < 2
        ? Optional.empty()
        : Optional.of(new Interval(mean, quantile(count - 1) * Math.sqrt(variance())));
  }

  /**
   * The 95% interval of a difference of means, by Welch: the deviations need not be equal.
   *
   * @param other what is subtracted
   * @return empty where one of them has fewer than two numbers
   */
  public Optional<Interval> minus(Sample other) {
    if (count < 2 || other.count < 2) {
      return Optional.empty();
    }
    double sum = variance() + other.variance();
    double difference = mean - other.mean;
    if (sum == 0) {
      return Optional.of(new Interval(difference, 0));
    }
    double freedom =
        sum
            * sum
            / (variance() * variance() / (count - 1)
                + other.variance() * other.variance() / (other.count - 1));
    return Optional.of(new Interval(difference, quantile(freedom) * Math.sqrt(sum)));
  }

  /** Of the mean. */
  private double variance() {
    return deviation * deviation / count;
  }

  private static double quantile(double freedom) {
    return TDistribution.of(freedom).inverseSurvivalProbability(UPPER_TAIL);
  }
}
