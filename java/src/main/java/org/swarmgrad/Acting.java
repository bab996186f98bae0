// How actions are chosen when a policy is evaluated.
package org.swarmgrad;

/** How actions are chosen during evaluation. */
public enum Acting {
  /** Draw from the policy. */
  SAMPLED,
  /** The most probable action, the lowest index on a tie. */
  GREEDY,
  /** Uniform over the available actions; the policy is not asked. */
  RANDOM;

  /**
   * Reads a choice as written on the command line.
   *
   * @param text for example "greedy"
   * @return the choice
   * @throws IllegalArgumentException naming the allowed choices
   */
  public static Acting parse(String text) {
    return Labels.parse(Acting.class, "acting", text);
  }

  @Override
  public String toString() {
    return Labels.label(this);
  }
}
