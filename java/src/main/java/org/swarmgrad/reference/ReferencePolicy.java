// Forward and backward pass of a policy, or of a value network, by plain loops in double precision;
// the judge, never optimised.
package org.swarmgrad.reference;

/**
 * A linear or multilayer network in double precision: forward and backward of one observation by
 * plain loops over parameters laid out as the engine's (layer by layer: weight [output][input],
 * then bias [output]); no batching, no speed. A value network is one with a single output.
 */
public final class ReferencePolicy {
  private final int[] sizes;
  private final boolean relu;
  private final double[] parameters;

  /**
   * A policy with given parameters.
   *
   * @param sizes [layer + 1]: observation, hidden layers, actions
   * @param relu true for relu, false for tanh
   * @param parameters layer by layer: weight [output][input], then bias [output]
   */
  public ReferencePolicy(int[] sizes, boolean relu, double[] parameters) {
    if (parameters.length != parameterCount(sizes)) {
      throw new IllegalArgumentException(
          "parameters has "
              + parameters.length
              + " elements; the layers need "
              + parameterCount(sizes));
    }
    this.sizes = sizes.clone();
    this.relu = relu;
    this.parameters = parameters.clone();
  }

  /**
   * Number of parameters.
   *
   * @param sizes [layer + 1]: observation, hidden layers, actions
   * @return weights and biases of all layers
   */
  public static int parameterCount(int[] sizes) {
    int count = 0;
    for (int layer = 1; layer < sizes.length; layer++) {
      count += (sizes[layer - 1] + 1) * sizes[layer];
    }
    return count;
  }

  /**
   * Where the activation pattern of relu layers may come from outside: a sum that rounds to the
   * other side of zero would otherwise make engine and reference differ by a whole row. Each sign
   * that differs is counted, and is an error unless the sum is within rounding of zero.
   */
  public static final class ReluPattern {
    private static final double ROUNDING = 1e-6;

    private float[] hidden;
    private long differing;
    private String firstError;

    /**
     * Sets the engine's activations of the next observation.
     *
     * @param activations of all hidden layers, one after the other; positive where the unit is on
     */
    public void next(float[] activations) {
      hidden = activations;
    }

    /**
     * Units whose sign differed so far.
     *
     * @return count, allowed ones and errors
     */
    public long differing() {
      return differing;
    }

    /**
     * The first sign that differed by more than rounding.
     *
     * @return a sentence, or null if there was none
     */
    public String firstError() {
      return firstError;
    }

    private boolean isOn(int unit, double sum, double magnitude) {
      boolean on = hidden[unit] > 0;
      if (on != sum > 0) {
        differing++;
        if (Math.abs(sum) > ROUNDING * magnitude && firstError == null) {
          firstError =
              "hidden unit "
                  + unit
                  + ": reference sum "
                  + sum
                  + " of magnitude "
                  + magnitude
                  + ", engine activation "
                  + hidden[unit];
        }
      }
      return on;
    }
  }

  /** What one observation made of every layer; kept for backward. */
  public static final class Activations {
    private final double[][] output;
    private final boolean[][] on;

    private Activations(int layers) {
      output = new double[layers + 1][];
      on = new boolean[layers + 1][];
    }

    /**
     * The last layer.
     *
     * @return [action]
     */
    public double[] logit() {
      return output[output.length - 1];
    }
  }

  /**
   * Evaluates the policy.
   *
   * @param observation [feature]
   * @param pattern of the relu layers, or null to decide by the sign of this policy's own sums
   * @return every layer's output
   */
  public Activations forward(double[] observation, ReluPattern pattern) {
    int layers = sizes.length - 1;
    Activations activations = new Activations(layers);
    activations.output[0] = observation;
    int position = 0;
    int unit = 0;
    for (int layer = 1; layer <= layers; layer++) {
      double[] input = activations.output[layer - 1];
      double[] output = new double[sizes[layer]];
      boolean[] on = new boolean[sizes[layer]];
      int bias = position + sizes[layer] * input.length;
      for (int row = 0; row < output.length; row++) {
        double sum = parameters[bias + row];
        double magnitude = Math.abs(sum);
        for (int column = 0; column < input.length; column++) {
          double product = parameters[position + row * input.length + column] * input[column];
          sum += product;
          magnitude += Math.abs(product);
        }
        if (layer == layers) {
          output[row] = sum;
        } else if (relu) {
          on[row] = pattern == null ? sum > 0 : pattern.isOn(unit, sum, magnitude);
          output[row] = on[row] ? sum : 0;
          unit++;
        } else {
          output[row] = Math.tanh(sum);
        }
      }
      activations.output[layer] = output;
      activations.on[layer] = on;
      position = bias + output.length;
    }
    return activations;
  }

  /**
   * Adds the gradient of one observation.
   *
   * @param activations of the forward pass
   * @param logitGradient [action], the derivative by each logit
   * @param gradient [parameter], added to
   */
  public void backward(Activations activations, double[] logitGradient, double[] gradient) {
    double[] delta = logitGradient;
    int position = parameters.length;
    for (int layer = sizes.length - 1; layer >= 1; layer--) {
      double[] input = activations.output[layer - 1];
      int bias = position - sizes[layer];
      position = bias - sizes[layer] * input.length;
      double[] inputDelta = new double[input.length];
      for (int row = 0; row < sizes[layer]; row++) {
        gradient[bias + row] += delta[row];
        for (int column = 0; column < input.length; column++) {
          gradient[position + row * input.length + column] += delta[row] * input[column];
          inputDelta[column] += delta[row] * parameters[position + row * input.length + column];
        }
      }
      if (layer > 1) {
        for (int column = 0; column < input.length; column++) {
          double slope =
              relu
                  ? (activations.on[layer - 1][column] ? 1 : 0)
                  : 1 - input[column] * input[column];
          inputDelta[column] *= slope;
        }
      }
      delta = inputDelta;
    }
  }

  /**
   * Says which parameter an index is.
   *
   * @param network its name
   * @param sizes [layer + 1]: observation, hidden layers, actions
   * @param index of the parameter
   * @return for example "policy.1.weight[3][17]"
   */
  public static String describe(String network, int[] sizes, int index) {
    int position = index;
    for (int layer = 1; layer < sizes.length; layer++) {
      int weights = sizes[layer] * sizes[layer - 1];
      String name = network + "." + (layer - 1);
      if (position < weights) {
        return name
            + ".weight["
            + position / sizes[layer - 1]
            + "]["
            + position % sizes[layer - 1]
            + "]";
      }
      position -= weights;
      if (position < sizes[layer]) {
        return name + ".bias[" + position + "]";
      }
      position -= sizes[layer];
    }
    throw new IllegalArgumentException(
        "index is " + index + "; allowed: 0 to " + (parameterCount(sizes) - 1));
  }
}
