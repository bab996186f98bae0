// The nonlinearity of the hidden layers.
package org.swarmgrad;

/** The activation function of every hidden layer. */
public enum ActivationFunction {
  /** Hyperbolic tangent. */
  TANH,
  /** max(0, x). */
  RELU;

  /**
   * Reads a choice as written on the command line.
   *
   * @param text for example "tanh"
   * @return the choice
   * @throws IllegalArgumentException naming the allowed choices
   */
  public static ActivationFunction parse(String text) {
    return Labels.parse(ActivationFunction.class, "activation", text);
  }

  @Override
  public String toString() {
    return Labels.label(this);
  }
}
