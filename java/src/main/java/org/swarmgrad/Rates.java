// What one iteration takes from its schedules; how they go is Schedules'.
package org.swarmgrad;

/**
 * The rates of one iteration. None biases the gradient, since all are known before the batch.
 *
 * @param learningRate of the policies
 * @param valueLearningRate of the value networks; without meaning where there are none
 * @param entropyCoefficient multiplies the gradient of the summed entropy at the visited states;
 *     see {@link EngineConfig#entropyCoefficient()}
 */
public record Rates(double learningRate, double valueLearningRate, double entropyCoefficient) {
  /** Checks that each is at least 0 and finite as a float. */
  public Rates {
    Checks.range("learning-rate", learningRate, 0, Float.MAX_VALUE);
    Checks.range("value-learning-rate", valueLearningRate, 0, Float.MAX_VALUE);
    Checks.range("entropy", entropyCoefficient, 0, Float.MAX_VALUE);
  }
}
