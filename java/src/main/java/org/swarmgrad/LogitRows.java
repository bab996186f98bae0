// Rows of logits given from outside, and what the engine makes of them: the arithmetic between the
// last layer and the gradient.
package org.swarmgrad;

/**
 * What {@link Engine#logits} is asked.
 *
 * @param rows number of rows, at least 1
 * @param actionCount actions of a row
 * @param logit [row][action]
 * @param mask [row][action], null: every action available
 * @param weight [row], null: 1
 * @param action [row] the actions taken; null: sample them, row r with the draw of environment r,
 *     agent 0, step 0
 * @param iteration of the draws, read as unsigned
 * @param entropyCoefficient multiplies the entropy's gradient
 */
public record LogitRows(
    int rows,
    int actionCount,
    float[] logit,
    byte[] mask,
    float[] weight,
    int[] action,
    int iteration,
    double entropyCoefficient) {
  /** Checks every shape. */
  public LogitRows {
    Checks.range("rows", rows, 1, Integer.MAX_VALUE);
    Checks.range("actionCount", actionCount, 1, Integer.MAX_VALUE);
    long cells = (long) rows * actionCount;
    Checks.length("logit", Checks.present("logit", logit).length, cells, "[row][action]");
    if (mask != null) {
      Checks.length("mask", mask.length, cells, "[row][action]");
    }
    if (weight != null) {
      Checks.length("weight", weight.length, rows, "[row]");
    }
    if (action != null) {
      Checks.length("action", action.length, rows, "[row]");
    }
    Checks.range("entropy-coefficient", entropyCoefficient, 0, Float.MAX_VALUE);
  }

  /**
   * What the engine answers.
   *
   * @param action [row] given or drawn
   * @param logProbability [row][action], -infinity where masked
   * @param entropy [row], nats
   * @param gradient [row][action]: d(weight x log pi(action) + entropyCoefficient x entropy) / d
   *     logit
   */
  public record Result(int[] action, float[] logProbability, float[] entropy, float[] gradient) {}
}
