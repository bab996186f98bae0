// A gradient with the statistics of the batch it came from; an ascent direction, never applied by
// itself.
package org.swarmgrad;

import java.util.List;

/**
 * The gradient of one batch: the ascent direction of J, mean over episodes of the sum (or mean)
 * over agents.
 *
 * @param values [parameter], in the order of {@link Engine#parameters()}; the array itself, not a
 *     copy
 * @param statistics of the batch, [group]
 */
public record Gradient(float[] values, List<Statistics> statistics) {
  /** Copies the list. */
  public Gradient {
    Checks.present("gradient", values);
    statistics = List.copyOf(statistics);
  }
}
