// Everything of a training that follows a schedule, as one value; which iteration it is, the
// Trainer knows.
package org.swarmgrad;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The schedules of a training.
 *
 * @param learningRate of the policies
 * @param valueLearningRate of the value networks; without meaning where there are none
 * @param entropy coefficient, see {@link EngineConfig#entropyCoefficient()}; it takes the place of
 *     the configuration's
 */
public record Schedules(Schedule learningRate, Schedule valueLearningRate, Schedule entropy) {
  private static final String LEARNING_RATE = "learning_rate";
  private static final String VALUE_LEARNING_RATE = "value_learning_rate";
  private static final String ENTROPY = "entropy";

  /** The names of the learning rates in {@link #toMap()}. */
  public static final List<String> LEARNING_RATES = List.of(LEARNING_RATE, VALUE_LEARNING_RATE);

  /** The names of everything scheduled in {@link #toMap()}. */
  public static final List<String> NAMES = List.of(LEARNING_RATE, VALUE_LEARNING_RATE, ENTROPY);

  /** Checks that all are there. */
  public Schedules {
    Checks.present("schedule of learning-rate", learningRate);
    Checks.present("schedule of value-learning-rate", valueLearningRate);
    Checks.present("schedule of entropy", entropy);
  }

  /**
   * One learning rate for policies and value networks, and the configuration's entropy coefficient
   * throughout.
   *
   * @param learningRate of both
   * @param config whose entropy coefficient stays
   * @return the schedules
   */
  public static Schedules of(Schedule learningRate, EngineConfig config) {
    return new Schedules(
        learningRate, learningRate, Schedule.constant(config.entropyCoefficient()));
  }

  /**
   * The schedules as text.
   *
   * @return names with underscores and values that {@link #fromMap} reads back exactly
   */
  public SortedMap<String, String> toMap() {
    SortedMap<String, String> map = new TreeMap<>();
    map.putAll(learningRate.toMap(LEARNING_RATE));
    map.putAll(valueLearningRate.toMap(VALUE_LEARNING_RATE));
    map.putAll(entropy.toMap(ENTROPY));
    return Collections.unmodifiableSortedMap(map);
  }

  /**
   * What others differ in.
   *
   * @param other to compare with
   * @return "name: this value, other value" of every difference
   */
  public List<String> differences(Schedules other) {
    return Labels.differences(toMap(), other.toMap());
  }

  /**
   * Reads what {@link #toMap()} wrote.
   *
   * @param map may hold other names as well, which are ignored
   * @return the schedules
   * @throws IllegalArgumentException naming what is missing or not allowed
   */
  public static Schedules fromMap(Map<String, String> map) {
    return new Schedules(
        Schedule.fromMap(map, LEARNING_RATE),
        Schedule.fromMap(map, VALUE_LEARNING_RATE),
        Schedule.fromMap(map, ENTROPY));
  }

  /**
   * The rates of an iteration.
   *
   * @param iteration 0 is the first
   * @return the rates
   */
  public Rates rates(long iteration) {
    return new Rates(
        learningRate.rate(iteration), valueLearningRate.rate(iteration), entropy.rate(iteration));
  }

  /**
   * The rates of consecutive iterations.
   *
   * @param first iteration
   * @param count of iterations
   * @return [count]
   */
  public Rates[] rates(long first, int count) {
    Rates[] rates = new Rates[Checks.range("count", count, 0, Integer.MAX_VALUE)];
    for (int i = 0; i < count; i++) {
      rates[i] = rates(first + i);
    }
    return rates;
  }
}
