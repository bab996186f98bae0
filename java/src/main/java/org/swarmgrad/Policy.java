// The shape of one group's policy network; parameters live in the engine.
package org.swarmgrad;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A policy: logits from observations, through 0 to 4 hidden layers.
 *
 * @param hidden sizes of the hidden layers, 1 to 1024 each; none is the linear policy
 * @param activation of every hidden layer; without meaning, and TANH, for the linear policy
 */
public record Policy(List<Integer> hidden, ActivationFunction activation) {
  /** Most hidden layers. */
  public static final int MAX_HIDDEN_LAYERS = 4;

  /** Most units of one hidden layer. */
  public static final int MAX_HIDDEN_SIZE = 1024;

  private static final String ALLOWED =
      "; allowed: linear, or mlp:h1,...,h4 with 1 to 4 sizes of 1 to 1024, optionally followed by"
          + " :tanh or :relu";

  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException naming the value and what is allowed
   */
  public Policy {
    hidden = List.copyOf(Checks.present("hidden", hidden));
    Checks.present("activation", activation);
    Checks.range("number of hidden layers", hidden.size(), 0, MAX_HIDDEN_LAYERS);
    for (int size : hidden) {
      Checks.range("hidden layer size", size, 1, MAX_HIDDEN_SIZE);
    }
    if (hidden.isEmpty()) {
      activation = ActivationFunction.TANH;
    }
  }

  /**
   * Logits that are an affine function of the observation.
   *
   * @return the linear policy
   */
  public static Policy linear() {
    return new Policy(List.of(), ActivationFunction.TANH);
  }

  /**
   * A multilayer perceptron with tanh.
   *
   * @param hidden sizes of 1 to 4 hidden layers
   * @return the policy
   */
  public static Policy mlp(int... hidden) {
    Checks.range("number of hidden layers", hidden.length, 1, MAX_HIDDEN_LAYERS);
    return new Policy(Arrays.stream(hidden).boxed().toList(), ActivationFunction.TANH);
  }

  /**
   * The same layers with another activation function.
   *
   * @param activation of every hidden layer
   * @return the policy
   */
  public Policy withActivation(ActivationFunction activation) {
    return new Policy(hidden, activation);
  }

  /**
   * Reads "linear", "mlp:64,64" (tanh) or "mlp:64,64:relu".
   *
   * @param text the policy as {@link #toString()} writes it
   * @return the policy
   * @throws IllegalArgumentException naming the text and what is allowed
   */
  public static Policy parse(String text) {
    String[] parts = Checks.present("policy", text).split(":", -1);
    if (parts.length == 1 && parts[0].equals("linear")) {
      return linear();
    }
    if (!parts[0].equals("mlp") || parts.length < 2 || parts.length > 3) {
      throw new IllegalArgumentException("policy is '" + text + "'" + ALLOWED);
    }
    List<Integer> hidden = new ArrayList<>();
    try {
      for (String size : parts[1].split(",", -1)) {
        hidden.add(Integer.valueOf(size));
      }
      return new Policy(
          hidden, parts.length == 3 ? ActivationFunction.parse(parts[2]) : ActivationFunction.TANH);
    } catch (IllegalArgumentException failure) {
      throw new IllegalArgumentException("policy is '" + text + "'" + ALLOWED, failure);
    }
  }

  @Override
  public String toString() {
    if (hidden.isEmpty()) {
      return "linear";
    }
    String sizes = hidden.stream().map(String::valueOf).collect(Collectors.joining(","));
    return "mlp:" + sizes + (activation == ActivationFunction.TANH ? "" : ":" + activation);
  }
}
