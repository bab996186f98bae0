// Log-softmax, entropy and the gradient at the logits in double precision; the judge of the
// engine's own.
package org.swarmgrad.reference;

/**
 * The arithmetic between logits and gradient in double precision, masks included; not the engine's
 * own.
 */
public final class Softmax {
  private Softmax() {}

  /**
   * Log-probability of each action.
   *
   * @param logit [action]
   * @param available [action]; an unavailable action gets negative infinity
   * @return [action]
   */
  public static double[] logProbability(double[] logit, boolean[] available) {
    double maximum = Double.NEGATIVE_INFINITY;
    for (int action = 0; action < logit.length; action++) {
      if (available[action]) {
        maximum = Math.max(maximum, logit[action]);
      }
    }
    double total = 0;
    for (int action = 0; action < logit.length; action++) {
      if (available[action]) {
        total += Math.exp(logit[action] - maximum);
      }
    }
    double[] logProbability = new double[logit.length];
    for (int action = 0; action < logit.length; action++) {
      logProbability[action] =
          available[action] ? logit[action] - maximum - Math.log(total) : Double.NEGATIVE_INFINITY;
    }
    return logProbability;
  }

  /**
   * Entropy in nats.
   *
   * @param logProbability [action]
   * @return - sum over actions of p log p, 0 where p is 0
   */
  public static double entropy(double[] logProbability) {
    double entropy = 0;
    for (double value : logProbability) {
      double probability = Math.exp(value);
      if (probability > 0) {
        entropy -= probability * value;
      }
    }
    return entropy;
  }

  /**
   * Derivative of weight x log pi(action) + entropyCoefficient x entropy by each logit.
   *
   * @param logProbability [action]
   * @param action the one taken
   * @param weight of its log-probability
   * @param entropyCoefficient of the entropy
   * @return [action]: (indicator - p) weight - entropyCoefficient p (log p + entropy), 0 where p is
   *     0
   */
  public static double[] gradient(
      double[] logProbability, int action, double weight, double entropyCoefficient) {
    double entropy = entropy(logProbability);
    double[] gradient = new double[logProbability.length];
    for (int other = 0; other < gradient.length; other++) {
      double probability = Math.exp(logProbability[other]);
      gradient[other] = ((other == action ? 1 : 0) - probability) * weight;
      if (probability > 0) {
        gradient[other] -= entropyCoefficient * probability * (logProbability[other] + entropy);
      }
    }
    return gradient;
  }
}
