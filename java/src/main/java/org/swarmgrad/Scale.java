// A constant known before the batch that multiplies the weight; never the batch's own deviation,
// which is biased.
package org.swarmgrad;

/** A constant, known before the batch, that multiplies the weight. */
public enum Scale {
  /** 1. */
  NONE,
  /** 1 / standard deviation of the group's team return over earlier iterations; 1 in the first. */
  RUNNING_DEVIATION;

  /**
   * Reads a choice as written on the command line.
   *
   * @param text for example "running-deviation"
   * @return the choice
   * @throws IllegalArgumentException naming the allowed choices
   */
  public static Scale parse(String text) {
    return Labels.parse(Scale.class, "scale", text);
  }

  @Override
  public String toString() {
    return Labels.label(this);
  }
}
