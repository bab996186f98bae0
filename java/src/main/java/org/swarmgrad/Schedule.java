// A learning rate, or an entropy coefficient, of every iteration, computed in Java with StrictMath
// so that it is the same number everywhere.
package org.swarmgrad;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A learning rate, or an entropy coefficient, as a function of the iteration alone. Its horizon is
 * stated, never inferred from how long a run lasts; after it the last value stays.
 *
 * @param shape how the rate goes from start to end
 * @param start rate of iteration 0
 * @param end rate of iteration {@code iterations} and all later ones
 * @param iterations horizon; without meaning, and 1, for a constant
 */
public record Schedule(Shape shape, double start, double end, long iterations) {
  /** How the rate goes from start to end. */
  public enum Shape {
    /** It stays. */
    CONSTANT,
    /** A straight line. */
    LINEAR,
    /** Half a cosine wave. */
    COSINE;

    /**
     * Reads a choice as written on the command line.
     *
     * @param text for example "linear"
     * @return the choice
     * @throws IllegalArgumentException naming the allowed choices
     */
    public static Shape parse(String text) {
      return Labels.parse(Shape.class, "schedule", text);
    }

    @Override
    public String toString() {
      return Labels.label(this);
    }
  }

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException naming the value and what is allowed
   */
  public Schedule {
    Checks.present("schedule", shape);
    Checks.range("start of a schedule", start, 0, Float.MAX_VALUE);
    Checks.range("end of a schedule", end, 0, Float.MAX_VALUE);
    Checks.range("schedule iterations", iterations, 1, Long.MAX_VALUE);
    if (shape == Shape.CONSTANT) {
      end = start;
      iterations = 1;
    }
  }

  /**
   * The same rate always.
   *
   * @param rate of every iteration
   * @return the schedule
   */
  public static Schedule constant(double rate) {
    return new Schedule(Shape.CONSTANT, rate, rate, 1);
  }

  /**
   * A straight line down to 0.
   *
   * @param rate of iteration 0
   * @param iterations after which it is 0
   * @return the schedule
   */
  public static Schedule linear(double rate, long iterations) {
    return new Schedule(Shape.LINEAR, rate, 0, iterations);
  }

  /**
   * Half a cosine wave down to 0.
   *
   * @param rate of iteration 0
   * @param iterations after which it is 0
   * @return the schedule
   */
  public static Schedule cosine(double rate, long iterations) {
    return new Schedule(Shape.COSINE, rate, 0, iterations);
  }

  /**
   * The schedule as text.
   *
   * @param name of what it is for, for example "learning_rate"
   * @return name, final_name, name_schedule and name_iterations with values that {@link #fromMap}
   *     reads back exactly
   */
  public SortedMap<String, String> toMap(String name) {
    SortedMap<String, String> map = new TreeMap<>();
    map.put(name, Checks.number(start));
    map.put(endOf(name), Checks.number(end));
    map.put(shapeOf(name), shape.toString());
    map.put(iterationsOf(name), String.valueOf(iterations));
    return map;
  }

  /**
   * The name under which {@link #toMap} puts the end.
   *
   * @param name of what it is for
   * @return the name
   */
  public static String endOf(String name) {
    return "final_" + name;
  }

  /**
   * The name under which {@link #toMap} puts the shape.
   *
   * @param name of what it is for
   * @return the name
   */
  public static String shapeOf(String name) {
    return name + "_schedule";
  }

  /**
   * The name under which {@link #toMap} puts the horizon.
   *
   * @param name of what it is for
   * @return the name
   */
  public static String iterationsOf(String name) {
    return name + "_iterations";
  }

  /**
   * Reads what {@link #toMap} wrote.
   *
   * @param map may hold other names as well, which are ignored
   * @param name of what it is for
   * @return the schedule
   * @throws IllegalArgumentException naming what is missing or not allowed
   */
  public static Schedule fromMap(Map<String, String> map, String name) {
    return new Schedule(
        Shape.parse(Labels.text(map, shapeOf(name))),
        rate(map, name),
        rate(map, endOf(name)),
        Labels.whole(map, iterationsOf(name), Long::valueOf));
  }

  private static double rate(Map<String, String> map, String name) {
    return Checks.range(name, Labels.number(map, name), 0, Float.MAX_VALUE);
  }

  /**
   * The rate of an iteration.
   *
   * @param iteration 0 is the first
   * @return the rate
   */
  public double rate(long iteration) {
    Checks.range("iteration", iteration, 0, Long.MAX_VALUE);
    if (iteration >= iterations) {
      return end;
    }
    double progress = (double) iteration / iterations;
    return switch (shape) {
      case CONSTANT -> start;
      case LINEAR -> start + (end - start) * progress;
      case COSINE -> end + (start - end) * 0.5 * (1 + StrictMath.cos(StrictMath.PI * progress));
    };
  }

  /**
   * The rates of consecutive iterations.
   *
   * @param first iteration
   * @param count of iterations
   * @return [count]
   */
  public double[] rates(long first, int count) {
    double[] rates = new double[Checks.range("count", count, 0, Integer.MAX_VALUE)];
    for (int i = 0; i < count; i++) {
      rates[i] = rate(first + i);
    }
    return rates;
  }
}
