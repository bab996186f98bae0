// What is subtracted from the weight without biasing the gradient; the formulas are native.
package org.swarmgrad;

/** The baseline subtracted from the weight. */
public enum Baseline {
  /** Nothing: unbiased. */
  NONE,
  /**
   * Mean over the other members of the cohort of up to 16 environments, per step for reward-to-go.
   * Unbiased: episodes are independent, and its own is left out.
   */
  LEAVE_ONE_OUT,
  /** Mean over the previous batch, per step for reward-to-go; 0 in the first batch. Unbiased. */
  PREVIOUS_BATCH,
  /**
   * That of the previous batch, plus what a network of the group's own adds for the state at that
   * step: m[t] + d V(s_t), d the running deviation of the team's return over earlier batches (1 in
   * the first). V is fitted by one optimizer step a batch, after the batch whose weights it
   * corrected; its last layer starts at 0. Unbiased whatever V is, since a function of the state
   * that is fixed before the batch does not depend on the action (Williams 1992; Sutton et al.
   * 2000), as long as {@link EngineConfig#lambda()} is 1 and {@link EngineConfig#bootstrap()} off.
   */
  LEARNED_VALUE;

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
