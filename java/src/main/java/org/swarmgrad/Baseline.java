// What is subtracted from the weight without biasing the gradient; the formulas are native.
package org.swarmgrad;

/** The baseline subtracted from the weight. */
public enum Baseline {
  /** Nothing. */
  NONE,
  /**
   * Mean over the other members of the cohort of up to 16 environments, per step for reward-to-go.
   */
  LEAVE_ONE_OUT,
  /** Mean over the previous batch, per step for reward-to-go; 0 in the first batch. */
  PREVIOUS_BATCH;

  /**
   * Reads a choice as written on the command line.
   *
   * @param text for example "leave-one-out"
   * @return the choice
   * @throws IllegalArgumentException naming the allowed choices
   */
  public static Baseline parse(String text) {
    return Labels.parse(Baseline.class, "baseline", text);
  }

  @Override
  public String toString() {
    return Labels.label(this);
  }
}
