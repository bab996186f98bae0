// One batch as seen by one group, computed in the same native pass as the gradient.
package org.swarmgrad;

/**
 * Statistics of a batch. Returns are undiscounted team returns: the sum over steps and over all
 * agents of the group.
 *
 * @param group index of the group
 * @param iteration the iteration whose parameters made this batch
 * @param episodes in the batch
 * @param agentSteps living agents acting
 * @param teamReturnMean over episodes
 * @param teamReturnDeviation standard deviation over episodes
 * @param teamReturnMinimum over episodes
 * @param teamReturnMaximum over episodes
 * @param agentReturnMean teamReturnMean / agents of the group
 * @param episodeLengthMean steps
 * @param entropyMean nats per agent-step
 * @param gradientNorm of the group, before clipping; 0 where no gradient was asked for
 * @param weightVariance over agent-steps, after the baseline
 * @param effectiveSampleSize (sum |w|)^2 / sum w^2 over agent-steps
 * @param scale the constant that multiplied the weights of this batch
 * @param valueLoss mean square of (aim - value) over the value network's rows, in units of the
 *     running deviation; 0 without one
 * @param valueGradientNorm of the value network, before clipping; 0 without one
 */
public record Statistics(
    int group,
    long iteration,
    long episodes,
    long agentSteps,
    double teamReturnMean,
    double teamReturnDeviation,
    double teamReturnMinimum,
    double teamReturnMaximum,
    double agentReturnMean,
    double episodeLengthMean,
    double entropyMean,
    double gradientNorm,
    double weightVariance,
    double effectiveSampleSize,
    double scale,
    double valueLoss,
    double valueGradientNorm) {
  /**
   * Standard error of the mean team return.
   *
   * @return deviation / sqrt(episodes)
   */
  public double teamReturnStandardError() {
    return teamReturnDeviation / Math.sqrt(episodes);
  }

  /**
   * Half the width of the 95% confidence interval of the mean team return, by the normal
   * approximation.
   *
   * @return 1.96 x standard error
   */
  public double teamReturnConfidence95() {
    return 1.96 * teamReturnStandardError();
  }
}
