// Which native optimizer applies the gradient.
package org.swarmgrad;

/** How a gradient changes the parameters; gradients are ascent directions. */
public enum Optimizer {
  /** parameters + learning rate x gradient. */
  SGD,
  /** Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980) with bias correction. */
  ADAM;

  /**
   * Reads a choice as written on the command line.
   *
   * @param text for example "adam"
   * @return the choice
   * @throws IllegalArgumentException naming the allowed choices
   */
  public static Optimizer parse(String text) {
    return Labels.parse(Optimizer.class, "optimizer", text);
  }

  @Override
  public String toString() {
    return Labels.label(this);
  }
}
